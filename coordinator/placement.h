/* Which rank hosts which agents: contiguous blocks. */
#ifndef PW_PLACEMENT_H
#define PW_PLACEMENT_H

#include "common/market_part.h"

struct pw_placement {
    int n_agents, n_ranks;
    const int *first; /* [n_ranks + 1] where blocks start, none of them empty; NULL: all are alike */
};

/* With as many ranks as agents or fewer, every rank hosts a block, rank 0 too. With more, rank 0 only
 * coordinates, ranks 1 to n_agents host one agent each, and what remains idles. */
int pw_placement_first(const struct pw_placement *placement, int rank);

/* The agent after the last one of `rank`. */
int pw_placement_end(const struct pw_placement *placement, int rank);

struct pw_block pw_placement_block(const struct pw_placement *placement, int rank);

int pw_placement_rank(const struct pw_placement *placement, int agent);

#endif
