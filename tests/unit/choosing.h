/* What a choice of peers is worth: markets of the recipe, their gain from trade, and the best choice there
 * is. */
#ifndef PW_TEST_CHOOSING_H
#define PW_TEST_CHOOSING_H

#include "common/market.h"
#include "common/settings.h"

/* Which markets. */
enum test_recipe {
    RECIPE_EVEN,  /* configs/cases/random.yaml: as many buyers as sellers, of like sizes */
    RECIPE_FREE,  /* the same, but nobody must buy */
    RECIPE_FEW,   /* one seller for four buyers, four times as large */
    RECIPE_MIXED, /* even, and each buyer has a plant of its own and may sell, too */
    N_RECIPES
};

/* A market of a recipe without links, its seed `replicate` above that of the case. Agents have places in the
 * unit square, for nearest. */
struct pw_market *test_recipe(enum test_recipe recipe, int n_agents, int replicate);

/* `{choose: way, peers: ..., seed: ..., among: ...}`. */
struct pw_links_spec test_choice(int way, int peers, int seed, int among_sides);

/* Gives the market the links of spec, without fee; aborts if that fails. */
void test_build(struct pw_market *market, const struct pw_links_spec *spec);

/* True if two markets have the same links in the same order. */
int test_same_links(const struct pw_market *market, const struct pw_market *other);

/* Solves the market centrally and lets its agents change peers by what came out; returns the changes. */
int test_adapt(struct pw_market *market, const struct pw_links_spec *spec, long slot);

/* The social welfare of the centralised optimum, NaN if the market has no feasible solution. */
double test_optimum(const struct pw_market *market);

/* The welfare with every seller linked with every buyer, and that of no trade; where some must trade, that of
 * all taking the least that they can, from whoever gives it cheapest, with every link: more than a market
 * without choice would have. The gain from trade is what goes beyond none. */
struct test_bounds {
    double none, full;
};
struct test_bounds test_bounds(struct pw_market *market);

/* The share of the full market's gain that the market keeps on its links; NaN if it has no solution. */
double test_share(const struct pw_market *market, const struct test_bounds *bounds);

/* The largest share over all sets of links between sellers and buyers with at most `peers` at each agent, by
 * trying them all; leaves the market with one of the best. At most 12 agents; time grows steeply. */
double test_best_share(struct pw_market *market, int peers, const struct test_bounds *bounds);

/* The same for one peer where the first half buys and the other half sells, by best chains of changes. */
double test_best_matching(struct pw_market *market, const struct test_bounds *bounds);

#endif
