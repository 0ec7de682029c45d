/* What the rounds of all ranks have come to, on its way to rank 0: a rank hears those below it in a tree,
 * adds its own and tells the rank above, so that nobody hears more than a few whatever the number of ranks.
 */
#ifndef PW_BULK_WORDS_H
#define PW_BULK_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "agent/rows.h"
#include "common/error.h"

/* What a round of a rank, or of it and all below it, has come to. Of several ranks: the rounds of the
 * slowest, sums and maxima over all, interrupted if any is. */
struct pw_bulk_word {
    int32_t rounds; /* made so far; 0: no word */
    int32_t interrupted;
    struct pw_rows_sums sums;
};

/* A rank has at most so many ranks below it: two levels reach 1057 ranks, three 33 825. Narrower trees have
 * more levels, each of which waits for its ranks to be woken where they share processors. */
enum { PW_BULK_BELOW = 32 };

struct pw_bulk_words {
    int above;                                   /* -1: none is above rank 0 */
    int first_below, n_below;                    /* the ranks first_below .. + n_below - 1 */
    struct pw_bulk_word last[1 + PW_BULK_BELOW]; /* own, then theirs, since they were merged last */
};

/* The place of `rank` among `size` ranks. Nothing is allocated. */
struct pw_bulk_words pw_bulk_words_of(int rank, int size);

/* The own word after a round; a later one takes the place of one that was not merged yet. */
void pw_bulk_words_say(struct pw_bulk_words *words, const struct pw_bulk_word *word);

/* A message with the word of a rank below, likewise. PW_INTERNAL if it is none. */
enum pw_code pw_bulk_words_take(struct pw_bulk_words *words, int from, const unsigned char *bytes,
                                size_t size, struct pw_error *err);

/* A rank below whose word is lacking; -1: none is. */
int pw_bulk_words_lack(const struct pw_bulk_words *words);

/* True if this rank and all below have a word that was not merged yet. */
int pw_bulk_words_are_all(const struct pw_bulk_words *words);

/* All those words in one; then there is none. */
struct pw_bulk_word pw_bulk_words_merge(struct pw_bulk_words *words);

#endif
