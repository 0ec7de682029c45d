#include "tests/unit/random_market.h"

#include <math.h>
#include <stdlib.h>

struct test_rng test_rng(uint64_t seed)
{
    struct test_rng rng = {seed * 0x9E3779B97F4A7C15u + 0x1234567u};
    for (int i = 0; i < 8; i++)
        test_uniform(&rng, 0, 1);
    return rng;
}

double test_uniform(struct test_rng *rng, double low, double high)
{
    rng->state ^= rng->state << 13;
    rng->state ^= rng->state >> 7;
    rng->state ^= rng->state << 17;
    return low + (high - low) * (double)(rng->state >> 11) / 9007199254740992.0;
}

int test_below(struct test_rng *rng, int bound)
{
    return (int)(test_uniform(rng, 0, 1) * bound);
}

const char *test_family_name(enum test_family family)
{
    static const char *const names[] = {"two-sided",  "steps",  "fixed loads", "several assets",
                                        "both sides", "linear", "pool",        "sparse with fee"};
    return names[family];
}

static void set_asset(struct pw_market *market, int i, double p_min, double p_max, double a, double b)
{
    market->p_min[i] = p_min;
    market->p_max[i] = p_max;
    market->a[i] = a;
    market->b[i] = b;
}

struct pw_market *test_market_of(int n_agents, int n_assets, const double rows[][5])
{
    struct pw_market *market = pw_market_create(n_agents, 1, n_assets, 0);
    for (int i = 0; i < n_assets; i++) {
        set_asset(market, i, rows[i][1], rows[i][2], rows[i][3], rows[i][4]);
        market->asset_first[(int)rows[i][0] + 1] = i + 1;
    }
    for (int n = 0; n < n_agents; n++)
        if (market->asset_first[n + 1] < market->asset_first[n])
            market->asset_first[n + 1] = market->asset_first[n];
    pw_market_index(market);
    return market;
}

static void set_link(struct pw_market *market, int l, int a, int b, double t_min, double t_max)
{
    market->link_a[l] = a;
    market->link_b[l] = b;
    market->t_min[l] = t_min;
    market->t_max[l] = t_max;
}

void test_link_all(struct pw_market *market)
{
    int n = market->n_agents, l = 0;
    pw_market_set_link_count(market, n * (n - 1) / 2);
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            set_link(market, l++, i, j, -INFINITY, INFINITY);
    pw_market_index(market);
}

/* Two rows per agent, the second all zero where the family has one asset. */
static void draw_agent(struct pw_market *market, enum test_family family, int n, int consumes,
                       struct test_rng *rng)
{
    double a = family == FAMILY_LINEAR ? 0 : test_uniform(rng, .05, .15);
    double b = consumes ? test_uniform(rng, 8, 12) : test_uniform(rng, 1, 5);
    double low = consumes ? -test_uniform(rng, 5, 15) : 0, high = consumes ? 0 : test_uniform(rng, 5, 20);
    if (family == FAMILY_TWO_SIDED && consumes)
        high = -test_uniform(rng, 1, 3);
    if (family == FAMILY_STEPS && !consumes && test_uniform(rng, 0, 1) < .5)
        a = 0;
    if (family == FAMILY_FIXED && consumes)
        high = low;
    if (family == FAMILY_BOTH_SIDES) {
        low = -test_uniform(rng, 1, 15);
        high = test_uniform(rng, 1, 15);
        b = test_uniform(rng, 2, 11);
    }
    set_asset(market, 2 * n, low, high, a, b);
    if (family != FAMILY_ASSETS)
        return;
    double sun = test_uniform(rng, 0, 4);
    int fixed = test_uniform(rng, 0, 1) < .5;
    set_asset(market, 2 * n + 1, fixed ? sun : 0, sun, fixed ? 0 : .02, .5);
}

static int linked(enum test_family family, int i, int j, int half, double density, struct test_rng *rng)
{
    if (family == FAMILY_POOL)
        return 0;
    if (family != FAMILY_BOTH_SIDES && (i < half) == (j < half))
        return 0;
    return test_uniform(rng, 0, 1) < density;
}

static void draw_links(struct pw_market *market, enum test_family family, int n, double density,
                       struct test_rng *rng)
{
    int half = n / 2, count = 0, two_way = family == FAMILY_BOTH_SIDES;
    double fee_limit = family == FAMILY_SPARSE_FEE ? 1.5 : 0.0;
    pw_market_set_link_count(market, n * (n + 1) / 2);
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
            if (!linked(family, i, j, half, density, rng))
                continue;
            double most = family == FAMILY_SPARSE_FEE ? test_uniform(rng, .3, 6) : INFINITY;
            set_link(market, count, j, i, two_way ? -most : 0, most);
            market->fee_a[count] = test_uniform(rng, 0, fee_limit);
            market->fee_b[count++] = test_uniform(rng, 0, fee_limit);
        }
    }
    for (int i = 0; i < n; i++)
        set_link(market, count++, n, i, -INFINITY, INFINITY);
    market->n_links = count;
}

struct pw_market *test_market(enum test_family family, int n, double density, uint64_t seed)
{
    struct test_rng rng = test_rng(seed);
    struct pw_market *market = pw_market_create(n + 1, 1, 2 * n + 1, 0);
    for (int i = 0; i < n; i++) {
        draw_agent(market, family, i, i < n / 2, &rng);
        market->asset_first[i + 1] = 2 * i + 2;
    }
    set_asset(market, 2 * n, -400, 400, family == FAMILY_LINEAR ? 0 : .01, 7);
    if (family == FAMILY_POOL) /* an operator that only passes on; the first producer balances the pool */
        set_asset(market, 2 * n, 0, 0, 0, 0);
    market->asset_first[n + 1] = 2 * n + 1;
    draw_links(market, family, n, density, &rng);
    pw_market_index(market);
    return market;
}

void test_scale_market(struct pw_market *market, double cost, double power)
{
    for (int i = 0; i < market->n_assets; i++) {
        market->p_min[i] *= power;
        market->p_max[i] *= power;
        market->a[i] *= cost / power / power;
        market->b[i] *= cost / power;
    }
    for (int l = 0; l < market->n_links; l++) {
        market->t_min[l] *= power;
        market->t_max[l] *= power;
        market->fee_a[l] *= cost / power;
        market->fee_b[l] *= cost / power;
    }
}

struct pw_market *test_stack_markets(const struct pw_market *x, const struct pw_market *y)
{
    const struct pw_market *parts[] = {x, y};
    struct pw_market *market = pw_market_create(x->n_agents, 2, x->n_assets, x->n_links);
    for (int q = 0; q < 2; q++) {
        for (int i = 0; i < x->n_assets; i++) {
            market->p_min[2 * i + q] = parts[q]->p_min[i];
            market->p_max[2 * i + q] = parts[q]->p_max[i];
            market->a[2 * i + q] = parts[q]->a[i];
            market->b[2 * i + q] = parts[q]->b[i];
        }
    }
    for (int n = 0; n <= x->n_agents; n++)
        market->asset_first[n] = x->asset_first[n];
    test_link_all(market);
    return market;
}
