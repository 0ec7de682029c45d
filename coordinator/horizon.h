/* A market over its time slots, one negotiation after the other. The ranks live on from slot to slot; what
 * the agents of a slot start from is what those of the slot before ended with. */
#ifndef PW_HORIZON_H
#define PW_HORIZON_H

#include "common/fees.h"
#include "common/profiles.h"
#include "coordinator/negotiate.h"
#include "coordinator/placed.h"

/* What all ranks must know alike, but for what is marked rank 0. Nothing is owned. */
struct pw_horizon_spec {
    struct pw_market *market; /* its assets change from slot to slot */
    const struct pw_settings *settings;
    enum pw_progress_mode progress;
    int64_t deadline_ns; /* on pw_clock_ns(); INT64_MAX: none */
    const struct pw_net_data *net;
    const struct pw_profiles *profiles; /* rank 0 */
    const struct pw_fees *fees;         /* rank 0 */
    const struct pw_placed *placed;     /* NULL: agents are placed in blocks */
    struct pw_transport *transport;
    /* Rank 0: the welfare of the market's centralised optimum, NaN where it cannot be told. */
    double (*optimum)(void *context, const struct pw_market *market);
    /* Rank 0: a slot is done; anything but PW_OK ends the run with it. NULL: nobody is told. */
    enum pw_code (*done)(void *context, int slot, const struct pw_outcome *outcome, struct pw_error *err);
    void *context;
};

/* What came out, on rank 0. */
struct pw_horizon {
    int first, count;             /* the slots that were wanted */
    int n_done;                   /* of them, from the first on */
    struct pw_outcome **outcomes; /* [count] NULL beyond n_done */
    int is_cut; /* a signal or the deadline ended it: of several slots the last one was dropped */
};

/* At which limit a run that did not converge ended, for people: of the first kind that some slot met. */
const char *pw_horizon_limit(const struct pw_horizon *horizon, const struct pw_settings *settings);

/* "wall" or "virtual", as the summary has it. */
const char *pw_horizon_clock(const struct pw_settings *settings);

/* An `optimum` that computes it; says why on stderr if it cannot. */
double pw_horizon_optimum(void *context, const struct pw_market *market);

/* Room for the slots that the settings ask for; for pw_horizon_release(). */
void pw_horizon_init(struct pw_horizon *horizon, const struct pw_settings *settings);
void pw_horizon_release(struct pw_horizon *horizon);

/* Collective. Runs the slots from n_done on (rank 0's counts), after those whose outcomes are there. Of a
 * single slot there is an outcome in any case; of several a slot that a signal or the deadline cut off leaves
 * none. The reference is computed beside where the settings ask for it. Returns what `done` did, on all
 * ranks. */
enum pw_code pw_horizon_run(const struct pw_horizon_spec *spec, struct pw_horizon *horizon,
                            struct pw_error *err);

#endif
