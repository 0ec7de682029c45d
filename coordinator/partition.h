/* Which agents should live together: those that trade with each other. */
#ifndef PW_PARTITION_H
#define PW_PARTITION_H

#include "common/market.h"
#include "common/settings.h"
#include "coordinator/placement.h"

/* An order of the agents in which the blocks of two ranks or more cut few links (METIS, k-way), for free();
 * and the share that they cut. NULL where the graph cannot be partitioned. */
int *pw_partition_order(const struct pw_market *market, const struct pw_placement *placement, double *cut);

/* The order that a run with this placement takes, as the settings want it, for free(); NULL: agents as they
 * are. Where the settings leave it open such an order is not looked for in bulk, where an agent sends a rank
 * one number a round, on graphs so dense or so large that it takes long, nor where blocks cut little, and not
 * taken if it cuts not much less. `cut`: the share of links between ranks either way. */
int *pw_partition_choose(const struct pw_market *market, const struct pw_settings *settings, int in_bulk,
                         const struct pw_placement *placement, double *cut);

#endif
