/* The trace of a run: an HDF5 file that opens with h5py, xarray, netCDF4 and pandas without help. This
 * interface knows no HDF5; docs/trace.md describes the file. */
#ifndef PW_TRACE_H
#define PW_TRACE_H

#include "common/bills.h"
#include "common/choices.h"
#include "common/error.h"
#include "common/market.h"
#include "common/outcome.h"

/* One text attribute of /provenance. */
struct pw_provenance {
    const char *name, *value;
};

/* What goes into the file. Nothing is owned. */
struct pw_trace {
    const struct pw_market *market;
    const struct pw_summary *summary;   /* of the whole run */
    struct pw_outcome *const *outcomes; /* [n_slots] by time slot, sizes all alike */
    int n_slots;                        /* >= 1 */
    int has_slot_axis;                  /* false: one market, whatever its slot */
    int first_slot;
    double slot_length_h;
    const struct pw_bills *bills; /* NULL: none */
    enum pw_record_choice record;
    const char *title, *power_unit, *money_unit;
    const struct pw_provenance *provenance;
    int n_provenance;
};

/* Says before a long run whether `path` can be written: PW_IO, with what to do, if it exists (unless force),
 * or its folder does not exist or cannot be written. Creates nothing. */
enum pw_code pw_trace_check_path(const char *path, int force, struct pw_error *err);

/* Writes the file under a temporary name beside it, flushes it to the disk, and only then gives it its name;
 * on failure (PW_IO) nothing is left under either name, and a file that was there before is untouched.
 * `force` replaces an existing file; without it one that appeared meanwhile is an error. Call it on one rank.
 */
enum pw_code pw_trace_write(const struct pw_trace *trace, const char *path, int force, struct pw_error *err);

/* Version of the library that writes the file, a static text. */
const char *pw_trace_library(void);

#endif
