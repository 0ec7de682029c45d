/* Where a market starts from: the end of the one before it. */
#ifndef PW_START_H
#define PW_START_H

#include "common/market.h"
#include "common/outcome.h"
#include "coordinator/transport.h"

/* Trades and prices, products innermost. */
struct pw_start {
    double *trade;       /* [n_links * n_products] from agent_a to agent_b */
    double *trade_price; /* [n_links * n_products] the mean of what both ends saw */
    double *penalty;     /* [n_links] rho */
    double *price;       /* [n_agents * n_products] */
};

/* The end of an earlier run of a market with the same agents and links; for pw_start_destroy(). */
struct pw_start *pw_start_from(const struct pw_outcome *outcome);
void pw_start_destroy(struct pw_start *start);

/* What no longer fits: how far the agents' trades are from what their assets, as they are now, would give or
 * take at their prices of then, or at one that differs by a twentieth of the span of marginal costs; over all
 * agents, as a share of what they trade. 0: nothing has changed that matters. */
double pw_start_misfit(const struct pw_start *start, const struct pw_market *market);

/* Puts the agents into another order: agent k becomes what agent order[k] was. */
void pw_start_reorder(struct pw_start *start, const int *order, const struct pw_market *market);

/* Collective: rank 0's start, or NULL, to all; the others get their own, for pw_start_destroy(). */
struct pw_start *pw_start_share(struct pw_start *start, const struct pw_market *market,
                                struct pw_transport *transport);

#endif
