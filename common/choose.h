/* Choosing at most so many peers per agent, by a rule. */
#ifndef PW_CHOOSE_H
#define PW_CHOOSE_H

#include "common/market.h"
#include "common/settings.h"

/* Two agents that are to be linked, in no order. */
struct pw_pair {
    int a, b;
};

/* True if spec allows a link of i and j: any two, or (among sides) one that can inject on balance with one
 * that can consume. */
int pw_choose_allowed(const struct pw_market *market, const struct pw_links_spec *spec, int i, int j);

/* Chooses peers by spec->choose, each agent at most spec->count:
 *   random, adaptive  pairs in random order (seed), each linked if both ends still have room for a peer
 *   nearest           the closest pairs first; needs coordinates
 *   greedy            the pairs first that gain most from trade, by their offers, beyond what the links
 * before them cover; as a forest, then links that join its trees by lot, then any that gain, then any by lot.
 * A pair is linked when each is the other's best: no third agent is asked planned           before that,
 * links that carry what all would trade at the price that balances all offers, large with large: as central
 * as a pool With must_first, agents whose limits force them to trade find partners for that before all else.
 * `fee` is that of a link end. Writes at most n_agents * min(count, n_agents) / 2 pairs and returns how many.
 * Deterministic. Time O(agents^2) for each step, and about O(agents) a link. */
int pw_choose(const struct pw_market *market, const struct pw_links_spec *spec, double fee, int must_first,
              struct pw_pair *pairs);

#endif
