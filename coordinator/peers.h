/* Peers that change from slot to slot (market.links: choose adaptive). The case's market then has all links
 * that its agents might have; each slot is negotiated on those chosen, as a market of its own, and what comes
 * out counts for the case's market: a link that is not chosen trades nothing, sends nothing and has the
 * penalty NaN. */
#ifndef PW_PEERS_H
#define PW_PEERS_H

#include "common/case.h"
#include "common/market.h"
#include "common/outcome.h"
#include "common/settings.h"
#include "coordinator/start.h"

/* The links of a slot, as numbers of the case's links, rising. */
struct pw_peers {
    int count;
    int *links; /* for free() */
};

/* Where peers change: that the first slot to be run has any. PW_INFEASIBLE, with the case's name, if not. */
enum pw_code pw_peers_check(const struct pw_case *loaded, struct pw_error *err);

/* The links of the first slot: chosen as at the start of a run without slots. PW_INFEASIBLE if none of those
 * tried can balance. */
enum pw_code pw_peers_first(const struct pw_market *all, const struct pw_settings *settings,
                            struct pw_peers *peers, struct pw_error *err);

/* Those after slot number `slot` (0, 1, ..) came to `outcome`: its links after pw_choose_adapt(). Where they
 * can no longer balance, with the assets as they are now, as pw_peers_first(). */
enum pw_code pw_peers_next(const struct pw_market *all, const struct pw_settings *settings,
                           const struct pw_outcome *outcome, int slot, struct pw_peers *peers,
                           struct pw_error *err);

/* The market with those links alone, for pw_market_destroy(); without names. */
struct pw_market *pw_peers_market(const struct pw_market *all, const struct pw_peers *peers);

/* Cuts a start down to the links of `peers`. One that is new starts without a trade, at the mean of both
 * agents' prices and with its `penalty` [peers->count]. */
void pw_peers_cut_start(struct pw_start *start, const struct pw_market *all, const struct pw_peers *peers,
                        const double *penalty);

/* The outcome of the peers' market becomes one of the whole. */
void pw_peers_widen_outcome(struct pw_outcome *outcome, const struct pw_market *all,
                            const struct pw_peers *peers);

#endif
