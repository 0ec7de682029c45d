/* A market as the ranks of a run have it: with its agents in the order that places those that trade with each
 * other on one rank, if that pays. */
#ifndef PW_PLACED_H
#define PW_PLACED_H

#include "common/market.h"
#include "common/settings.h"
#include "coordinator/transport.h"

struct pw_placed {
    int *order; /* [n_agents] agent k of the run is agent order[k] of the case; NULL: as they are */
    struct pw_market *market; /* in that order; NULL: the case's own */
    int *block_first;         /* [ranks + 1] blocks by the ranks' speed; NULL: they are alike */
    double cut;               /* rank 0: the share of links between ranks */
};

/* Rank 0 of n_ranks: chooses the order (coordinator/partition.h), for a run in bulk or agent by agent, and
 * makes the market so, with blocks that are alike. For pw_placed_release(). */
struct pw_placed pw_placed_choose(const struct pw_market *market, const struct pw_settings *settings,
                                  int in_bulk, int n_ranks);

/* Collective, on a market that all have: rank 0 chooses and tells the others the order. Where simulating it
 * takes long, blocks are by the ranks' speed, unless the settings want blocks. For pw_placed_release(). */
struct pw_placed pw_placed_make(const struct pw_market *market, const struct pw_settings *settings,
                                int in_bulk, struct pw_transport *transport);

/* Rank 0: says on standard error how agents are placed. */
void pw_placed_say(const struct pw_placed *placed, int n_ranks);

void pw_placed_release(struct pw_placed *placed);

#endif
