/* Which agents should live together: those that trade with each other. */
#ifndef PW_PARTITION_H
#define PW_PARTITION_H

#include "common/market.h"
#include "common/settings.h"

/* Of all links, the share whose ends lie on two ranks if agents are placed in blocks by their number. */
double pw_partition_cut_of_blocks(const struct pw_market *market, int n_ranks);

/* An order of the agents in which blocks of n_ranks >= 2 ranks cut few links (METIS, k-way), for free(); and
 * the share that they cut. NULL where the graph cannot be partitioned. */
int *pw_partition_order(const struct pw_market *market, int n_ranks, double *cut);

/* Whether such an order is worth looking for: not on graphs so dense or so large that it would take longer
 * than it saves, nor where blocks cut little. */
int pw_partition_may_pay(const struct pw_market *market, int n_ranks);

/* The order that a run on so many ranks takes, as the settings want it, for free(); NULL: agents as they are.
 * `cut`: the share of links between ranks either way. */
int *pw_partition_choose(const struct pw_market *market, const struct pw_settings *settings, int n_ranks,
                         double *cut);

#endif
