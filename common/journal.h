/* The runs of a sweep that are done, in a file that only grows, so that a killed sweep goes on where it
 * stopped. Every record has a checksum; what a crash left half written is dropped. */
#ifndef PW_JOURNAL_H
#define PW_JOURNAL_H

#include "common/error.h"
#include "common/sweep_record.h"

enum { PW_JOURNAL_KEY = 32 };

/* Which sweep a journal is of. */
struct pw_journal_spec {
    unsigned char key[PW_JOURNAL_KEY]; /* digest of all that its results depend on */
    int64_t n_runs;
    int32_t shard, n_shards; /* runs with number % n_shards == shard; 0 of 1 is all */
};

struct pw_journal;

/* Opens the journal at `path`, or starts it; replace: also where one of another sweep is there. Its records
 * go to records[n_runs] and mark is_done[n_runs]; *n_dropped is the number of bytes that were no whole
 * record and are gone. PW_IO, with what to do, if it cannot be used or another process does so. *out is for
 * pw_journal_close(). One rank only. */
enum pw_code pw_journal_open(const char *path, const struct pw_journal_spec *spec, int replace,
                             struct pw_sweep_record *records, unsigned char *is_done, int64_t *n_dropped,
                             struct pw_journal **out, struct pw_error *err);

/* Adds a record; it survives the end of the process at once, that of the machine after pw_journal_sync(). */
enum pw_code pw_journal_add(struct pw_journal *journal, const struct pw_sweep_record *record,
                            struct pw_error *err);
enum pw_code pw_journal_sync(struct pw_journal *journal, struct pw_error *err);
void pw_journal_close(struct pw_journal *journal);

/* Reads a journal without changing it, as pw_journal_open() does. PW_IO if it is none of this sweep. */
enum pw_code pw_journal_read(const char *path, const struct pw_journal_spec *spec,
                             struct pw_sweep_record *records, unsigned char *is_done, struct pw_error *err);

#endif
