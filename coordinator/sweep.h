/* A sweep: what `sweep`, `merge` and `check` know of a study. */
#ifndef PW_SWEEP_H
#define PW_SWEEP_H

#include <stdint.h>

#include "common/case.h"
#include "common/journal.h"
#include "common/study.h"
#include "common/sweep_record.h"
#include "coordinator/options.h"
#include "coordinator/transport.h"

struct pw_sweep {
    const struct pw_options *options;
    struct pw_transport *transport;
    int64_t start_ns;
    struct pw_study *study;  /* all ranks */
    struct pw_inputs inputs; /* all ranks; the first is the study itself */

    /* rank 0 */
    struct pw_case *first; /* the case of the first run whose market is feasible */
    struct pw_journal_spec spec;
    struct pw_sweep_record *records;    /* [study->n_runs] */
    unsigned char *is_done;             /* [study->n_runs] */
    int64_t n_wanted, n_done, n_before; /* runs of this shard; of them done; done when we started */
    char *journal_path;
    struct pw_journal *journal;
};

/* Rank 0: reads the study and its case, tries every value of every axis, and makes room for the results.
 * PW_USAGE with file and line, PW_INFEASIBLE if not one draw of the first point has a solution. For
 * pw_sweep_release(), also after an error. */
enum pw_code pw_sweep_load(struct pw_sweep *sweep, struct pw_error *err);

/* Collective: gives the other ranks what rank 0 has read; they read no file. */
void pw_sweep_share(struct pw_sweep *sweep);
void pw_sweep_release(struct pw_sweep *sweep);

/* Loads the case of run `number` from the inputs. PW_USAGE names the study's line where that is to blame. */
enum pw_code pw_sweep_load_run(struct pw_sweep *sweep, long number, struct pw_case **out,
                               struct pw_error *err);

/* The file of a finished shard, `OUT.shard-i-of-n`, for free(). */
char *pw_sweep_shard_path(const char *out, int shard, int n_shards);

/* Takes a record of the sweep's journal over (pw_journal_take); `sweep` is the struct pw_sweep. */
int pw_sweep_take_record(void *sweep, int64_t number, const unsigned char *bytes, size_t size);

/* Writes the HDF5 file of all records. */
enum pw_code pw_sweep_write_results(const struct pw_sweep *sweep, struct pw_error *err);

/* Prints what came out, to be read or as JSON. out: the file written, NULL for none. */
enum pw_code pw_sweep_print(const struct pw_sweep *sweep, const char *out, struct pw_error *err);

/* Seconds since the sweep started. */
double pw_sweep_elapsed_s(const struct pw_sweep *sweep);

#endif
