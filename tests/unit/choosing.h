/* What a choice of peers is worth: markets of the recipe, their gain from trade, and the best choice there
 * is. */
#ifndef PW_TEST_CHOOSING_H
#define PW_TEST_CHOOSING_H

#include "common/market.h"
#include "common/settings.h"

/* configs/cases/random.yaml with so many agents, its seeds moved on by `replicate`, and no links. With
 * must_run 0 consumers may also consume nothing. Agents have places in the unit square, for nearest. */
struct pw_market *test_recipe(int n_agents, int replicate, int must_run);

/* The social welfare of the centralised optimum, NaN if the market has no feasible solution. */
double test_optimum(const struct pw_market *market);

/* The welfare with every seller linked with every buyer: full; and the same where all take only what they
 * must, from whoever gives it cheapest: none. Gain from trade is what is beyond `none`. */
struct test_bounds {
    double none, full;
};
struct test_bounds test_bounds(struct pw_market *market);

/* The share of the full market's gain that the market keeps on its links; NaN if it has no solution. */
double test_share(const struct pw_market *market, const struct test_bounds *bounds);

/* The largest share over all sets of links between sellers and buyers with at most `peers` at each agent, by
 * trying them all; leaves the market with one of the best. At most 12 agents; time grows steeply. */
double test_best_share(struct pw_market *market, int peers, const struct test_bounds *bounds);

/* The same for one peer and any number of agents, by the Hungarian method. */
double test_best_matching(struct pw_market *market, const struct test_bounds *bounds);

#endif
