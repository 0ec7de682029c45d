/* A market whose agents are numbered anew, so that those of a rank come one after the other. Links keep their
 * numbers and their directions. */
#ifndef PW_MARKET_ORDER_H
#define PW_MARKET_ORDER_H

#include "common/market.h"
#include "common/outcome.h"

/* The market in which agent k is agent order[k] of `market`, indexed, for pw_market_destroy(); without names,
 * labels and coordinates. What people see and what may not depend on
 * the order goes by `called`, the numbers of before. */
struct pw_market *pw_market_reorder(const struct pw_market *market, const int *order);

/* Takes over the limits and costs of all assets, where they have changed since. */
void pw_market_reorder_assets(const struct pw_market *market, const int *order, struct pw_market *reordered);

/* Puts an outcome of the reordered market into the order of before; its events are in it already. */
void pw_outcome_restore_order(struct pw_outcome *outcome, const int *order);

#endif
