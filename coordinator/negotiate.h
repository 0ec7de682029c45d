/* One market, negotiated from the first offer to the last: the main loop of every rank. */
#ifndef PW_NEGOTIATE_H
#define PW_NEGOTIATE_H

#include <stdint.h>

#include "common/error.h"
#include "common/market.h"
#include "common/outcome.h"
#include "common/settings.h"
#include "coordinator/progress.h"
#include "coordinator/start.h"
#include "coordinator/transport.h"
#include "net_models/net_data.h"

/* What all ranks must know alike, but for `progress`, which counts on rank 0. */
struct pw_negotiation {
    const struct pw_market *market;
    const struct pw_settings *settings;
    enum pw_progress_mode progress;
    int64_t deadline_ns;           /* on pw_clock_ns(); INT64_MAX: none */
    const struct pw_net_data *net; /* what the network knows from files; NULL: nothing */
    int slot;                      /* the time slot, which the network's draws depend on */
    const struct pw_start *start;  /* where the trades start from; NULL: from nothing */
    const int *block_first;        /* [ranks + 1] as coordinator/placement.h has it; NULL: blocks are alike */
};

/* Collective. Runs until the market is over, a limit is reached, or a signal comes (pw_signals_listen()
 * first). On rank 0 *outcome is the result, for pw_outcome_destroy(), without reference; elsewhere NULL.
 * Faults of one rank end all ranks from within, with one message. */
void pw_negotiate(const struct pw_negotiation *negotiation, struct pw_transport *transport,
                  struct pw_outcome **outcome);

#endif
