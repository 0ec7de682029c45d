/* Random markets for tests: families of design, every draw from one seed. */
#ifndef PW_RANDOM_MARKET_H
#define PW_RANDOM_MARKET_H

#include <stdint.h>

#include "common/market.h"

/* A small generator of its own (xorshift), so that tests share nothing with the program's draws. */
struct test_rng {
    uint64_t state;
};
struct test_rng test_rng(uint64_t seed);
double test_uniform(struct test_rng *rng, double low, double high);
int test_below(struct test_rng *rng, int bound);

enum test_family {
    FAMILY_TWO_SIDED,  /* half consumers, half producers, one-way links */
    FAMILY_STEPS,      /* producers with a = 0 among them */
    FAMILY_FIXED,      /* fixed loads */
    FAMILY_ASSETS,     /* several assets per agent */
    FAMILY_BOTH_SIDES, /* everybody may buy and sell, links two-way */
    FAMILY_LINEAR,     /* every cost linear */
    FAMILY_POOL,       /* a star round an operator without assets */
    FAMILY_SPARSE_FEE, /* few links, fees, tight bounds */
    N_FAMILIES
};

/* A feasible market of n agents (2 or more) with about `density` of the possible links, indexed. A supplier
 * of last resort (the last agent, linked with all) keeps sparse draws feasible. */
struct pw_market *test_market(enum test_family family, int n, double density, uint64_t seed);

/* The same market in other units: money times `cost`, powers times `power`. */
void test_scale_market(struct pw_market *market, double cost, double power);

const char *test_family_name(enum test_family family);

/* A market of `n` agents without links from rows {agent, p_min, p_max, a, b}, sorted by agent. */
struct pw_market *test_market_of(int n_agents, int n_assets, const double rows[][5]);

/* Links every two agents without bound or fee, and indexes. */
void test_link_all(struct pw_market *market);

/* A market of two products, each with the costs and limits of one market, of as many agents and assets; every
 * two agents linked. */
struct pw_market *test_stack_markets(const struct pw_market *x, const struct pw_market *y);

#endif
