/* Rank 0's second job: it sees the totals of all ranks, decides when to look closely (a snapshot), and from
 * that alone when the market is over; keeps the limits; notices a stall. Blocks nobody: agents go on while it
 * thinks. */
#ifndef PW_SUPERVISOR_H
#define PW_SUPERVISOR_H

#include "common/outcome.h"
#include "coordinator/judge.h"
#include "coordinator/placement.h"
#include "coordinator/progress.h"
#include "coordinator/report.h"
#include "coordinator/series.h"
#include "coordinator/transport.h"

/* Nothing is owned. */
struct pw_supervisor_spec {
    const struct pw_market *market;
    struct pw_placement placement;
    struct pw_transport *transport;
    struct pw_tolerances tolerances;
    int64_t max_time_ns; /* of the run */
    int64_t deadline_ns; /* on pw_clock_ns(), of the command; INT64_MAX: none */
    int64_t max_rounds, stall_ns;
    enum pw_progress_mode progress;
    int settles;        /* the market ends when all trades have fallen silent, not by its residuals */
    int is_paired;      /* the exchange pairs rounds */
    int repeats_losses; /* every lost transmission is followed by another */
};

struct pw_supervisor;

struct pw_supervisor *pw_supervisor_create(const struct pw_supervisor_spec *spec, int64_t start_ns);
void pw_supervisor_destroy(struct pw_supervisor *supervisor);

/* Takes what a rank sent: a report, its part of a snapshot, its answer to a stall. */
void pw_supervisor_receive(struct pw_supervisor *supervisor, int from, enum pw_tag tag,
                           const unsigned char *bytes, size_t size);

/* Thinks, if there is anything new; may ask for a snapshot or tell all ranks to stop. */
void pw_supervisor_think(struct pw_supervisor *supervisor, int64_t now_ns);

/* Nothing will ever happen again: takes the last snapshot. */
void pw_supervisor_quiet(struct pw_supervisor *supervisor, int64_t now_ns);

/* The outcome once the ranks have been told to stop, for pw_outcome_destroy(); the caller owns it from then
 * on. */
struct pw_outcome *pw_supervisor_outcome(struct pw_supervisor *supervisor);

#endif
