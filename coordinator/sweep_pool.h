/* All ranks at work on the runs of a sweep. */
#ifndef PW_SWEEP_POOL_H
#define PW_SWEEP_POOL_H

#include "coordinator/sweep.h"

/* Collective. Rank 0 hands out the runs that are not done yet, as the ranks get free, and does some itself;
 * results go to its records and journal. Returns, on rank 0, PW_OK when all are done, PW_INTERRUPTED after a
 * signal or --max-time, or what ended the sweep; elsewhere PW_OK. */
enum pw_code pw_sweep_work(struct pw_sweep *sweep, struct pw_error *err);

#endif
