/* Numbered pieces of work that are done, the runs of a sweep or the time slots of a run, in a file that only
 * grows, so that what was killed goes on where it stopped. Every entry has a checksum; what a crash left half
 * written is dropped. */
#ifndef PW_JOURNAL_H
#define PW_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum { PW_JOURNAL_KEY = 32 };

/* Which work a journal is of. */
struct pw_journal_spec {
    unsigned char key[PW_JOURNAL_KEY]; /* digest of all that its results depend on */
    int64_t n_pieces;
    int32_t shard, n_shards; /* pieces with number % n_shards == shard; 0 of 1 is all */
};

/* Takes an entry over while a journal is read, its bytes valid during the call. False if they are not what
 * such an entry holds: it is dropped, with all after it. */
typedef int pw_journal_take(void *context, int64_t number, const unsigned char *bytes, size_t size);

struct pw_journal;

/* Opens the journal at `path`, or starts it; replace: also where one of other work is there. `take` gets its
 * entries; *n_dropped is the number of bytes that were no whole entry and are gone. PW_IO, with what to do,
 * if it cannot be used or another process does so. *out is for pw_journal_close(). One rank only. */
enum pw_code pw_journal_open(const char *path, const struct pw_journal_spec *spec, int replace,
                             pw_journal_take *take, void *context, int64_t *n_dropped,
                             struct pw_journal **out, struct pw_error *err);

/* Adds an entry; it survives the end of the process at once, that of the machine after pw_journal_sync(). */
enum pw_code pw_journal_add(struct pw_journal *journal, int64_t number, const void *bytes, size_t size,
                            struct pw_error *err);
enum pw_code pw_journal_sync(struct pw_journal *journal, struct pw_error *err);
void pw_journal_close(struct pw_journal *journal);

/* Reads a journal without changing it, as pw_journal_open() does. PW_IO if it is none of this work. */
enum pw_code pw_journal_read(const char *path, const struct pw_journal_spec *spec, pw_journal_take *take,
                             void *context, struct pw_error *err);

#endif
