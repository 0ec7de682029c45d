/* The results of a sweep as an HDF5 file: one table of variables over the study's axes. docs/sweeps.md
 * describes the file. */
#ifndef PW_SWEEP_LAYOUT_H
#define PW_SWEEP_LAYOUT_H

#include "common/error.h"
#include "common/study.h"
#include "common/sweep_record.h"
#include "common/trace.h"

/* Number of variables that a sweep can record. */
int pw_sweep_variable_count(void);

/* The place of a name among them; -1, with `, did you mean ...` or "" in hint [size], where it is none. */
int pw_sweep_variable_find(const char *name, char *hint, int size);

/* What goes into the file. Nothing is owned. */
struct pw_sweep_table {
    const struct pw_study *study;
    const struct pw_sweep_record *records; /* [study->n_runs], by number */
    const char *power_unit, *money_unit;
    const struct pw_provenance *provenance;
    int n_provenance;
};

/* Writes the file as pw_trace_write() does, under the same terms. */
enum pw_code pw_sweep_write(const struct pw_sweep_table *table, const char *path, int force,
                            struct pw_error *err);

#endif
