#include "coordinator/bulk_words.h"

#include <math.h>
#include <string.h>

struct pw_bulk_words pw_bulk_words_of(int rank, int size)
{
    int first = PW_BULK_BELOW * rank + 1, left = size - first;
    return (struct pw_bulk_words){.above = rank == 0 ? -1 : (rank - 1) / PW_BULK_BELOW,
                                  .first_below = first,
                                  .n_below = left < 0               ? 0
                                             : left < PW_BULK_BELOW ? left
                                                                    : PW_BULK_BELOW};
}

void pw_bulk_words_say(struct pw_bulk_words *words, const struct pw_bulk_word *word)
{
    words->last[0] = *word;
}

enum pw_code pw_bulk_words_take(struct pw_bulk_words *words, int from, const unsigned char *bytes,
                                size_t size, struct pw_error *err)
{
    int below = from - words->first_below;
    struct pw_bulk_word word;
    if (below < 0 || below >= words->n_below)
        return pw_fail(err, PW_INTERNAL, "a round's word from rank %d, which is not below", from);
    if (size != sizeof word)
        return pw_fail(err, PW_INTERNAL, "a message of %zu bytes from rank %d, %zu were expected", size, from,
                       sizeof word);
    memcpy(&word, bytes, sizeof word);
    if (word.rounds < 1)
        return pw_fail(err, PW_INTERNAL, "a word of round %d from rank %d", (int)word.rounds, from);
    words->last[1 + below] = word;
    return PW_OK;
}

int pw_bulk_words_lack(const struct pw_bulk_words *words)
{
    for (int i = 0; i < words->n_below; i++) {
        if (words->last[1 + i].rounds == 0)
            return words->first_below + i;
    }
    return -1;
}

int pw_bulk_words_are_all(const struct pw_bulk_words *words)
{
    return words->last[0].rounds > 0 && pw_bulk_words_lack(words) < 0;
}

static void add(struct pw_bulk_word *to, const struct pw_bulk_word *word)
{
    to->rounds = word->rounds < to->rounds ? word->rounds : to->rounds;
    to->interrupted |= word->interrupted;
    to->sums.gap2 += word->sums.gap2;
    to->sums.dual2 += word->sums.dual2;
    to->sums.price2 += word->sums.price2;
    to->sums.welfare += word->sums.welfare;
    to->sums.passes += word->sums.passes;
    to->sums.mismatch = fmax(to->sums.mismatch, word->sums.mismatch);
    to->sums.excess = fmax(to->sums.excess, word->sums.excess);
}

struct pw_bulk_word pw_bulk_words_merge(struct pw_bulk_words *words)
{
    struct pw_bulk_word all = words->last[0];
    for (int i = 0; i < words->n_below; i++)
        add(&all, &words->last[1 + i]);
    memset(words->last, 0, sizeof words->last);
    return all;
}
