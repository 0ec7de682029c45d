/* What a rank needs of a market in which it hosts some of the agents. */
#ifndef PW_MARKET_PART_H
#define PW_MARKET_PART_H

#include "common/market.h"

/* The agents first .. end - 1. */
struct pw_block {
    int first, end;
};

int pw_block_has(struct pw_block block, int agent);

/* The market with all its agents and assets but only the links that have an end in the block, in their order:
 * agents there have all their links. Without names and coordinates, and not indexed yet; for
 * pw_market_destroy(). O(agents + links of the block), and a bit for each link. */
struct pw_market *pw_market_part(const struct pw_market *market, struct pw_block block);

#endif
