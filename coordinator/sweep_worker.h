/* One run of a sweep, in this process. */
#ifndef PW_SWEEP_WORKER_H
#define PW_SWEEP_WORKER_H

#include "coordinator/sweep.h"

struct pw_sweep_worker;

/* Nothing is owned but what the worker remembers from run to run. */
struct pw_sweep_worker *pw_sweep_worker_create(struct pw_sweep *sweep);
void pw_sweep_worker_destroy(struct pw_sweep_worker *worker);

/* Does run `number`. PW_INTERRUPTED, and no record, if a signal or --max-time ended it; PW_USAGE if its case
 * cannot be loaded. A market without solution is a result. */
enum pw_code pw_sweep_worker_run(struct pw_sweep_worker *worker, int64_t number,
                                 struct pw_sweep_record *record, struct pw_error *err);

/* True once a signal or --max-time asks to end the sweep. */
int pw_sweep_must_end(const struct pw_sweep *sweep);

#endif
