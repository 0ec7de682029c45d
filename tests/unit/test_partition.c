/* Who lives together: orders of agents that cut few links, and markets in another order. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/market_order.h"
#include "common/memory.h"
#include "common/outcome.h"
#include "coordinator/partition.h"
#include "coordinator/placement.h"
#include "coordinator/setup.h"
#include "coordinator/speed.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { CLIQUES = 4, SIZE = 15, AGENTS = CLIQUES * SIZE };

/* Cliques whose members are numbered in turn, each joined with the next by one link. */
static struct pw_market *cliques(void)
{
    int count = CLIQUES * SIZE * (SIZE - 1) / 2 + CLIQUES - 1, l = 0;
    struct pw_market *market = pw_market_create(AGENTS, 1, 0, count);
    for (int n = 0; n < AGENTS; n++)
        for (int m = n + 1; m < AGENTS; m++)
            if (n % CLIQUES == m % CLIQUES || (m == n + 1 && n < CLIQUES - 1)) {
                market->link_a[l] = n;
                market->link_b[l++] = m;
            }
    ck_assert_int_eq(l, count);
    pw_market_index(market);
    return market;
}

/* The least cut is known: the links between the cliques. */
START_TEST(cliques_stay_together)
{
    struct pw_market *market = cliques();
    double cut, counted = 0.0;
    struct pw_placement placement = {AGENTS, CLIQUES, NULL};
    int *order = pw_partition_order(market, &placement, &cut), seen[AGENTS] = {0}, rank[AGENTS];
    ck_assert_ptr_nonnull(order);
    for (int k = 0; k < AGENTS; k++) {
        seen[order[k]]++;
        rank[order[k]] = pw_placement_rank(&placement, k);
    }
    for (int n = 0; n < AGENTS; n++)
        ck_assert_int_eq(seen[n], 1);
    for (int l = 0; l < market->n_links; l++)
        counted += rank[market->link_a[l]] != rank[market->link_b[l]];
    ck_assert_double_eq_tol(cut * market->n_links, CLIQUES - 1, 1e-9);
    ck_assert_double_eq_tol(counted, CLIQUES - 1, 1e-9);
    free(order);
    pw_market_destroy(market);
}
END_TEST

/* Every agent has one rank, whose block it lies in; blocks are equal but for one. */
START_TEST(blocks_cover_all_agents_once)
{
    for (int agents = 1; agents < 60; agents++)
        for (int ranks = 1; ranks < 70; ranks++) {
            struct pw_placement placement = {agents, ranks, NULL};
            int next = 0, least = agents, most = 0;
            for (int r = 0; r < ranks; r++) {
                struct pw_block block = pw_placement_block(&placement, r);
                ck_assert_int_eq(block.first, next);
                ck_assert_int_ge(block.end, block.first + (ranks <= agents)); /* nobody idles */
                for (int n = block.first; n < block.end; n++)
                    ck_assert_int_eq(pw_placement_rank(&placement, n), r);
                int size = block.end - block.first;
                least = size < least ? size : least;
                most = size > most ? size : most;
                next = block.end;
            }
            ck_assert_int_eq(next, agents);
            ck_assert(ranks > agents || most - least <= 1);
        }
}
END_TEST

static struct pw_market *complete(int agents)
{
    struct pw_market *market = pw_market_create(agents, 1, 0, agents * (agents - 1) / 2);
    int l = 0;
    for (int n = 0; n < agents; n++)
        for (int m = n + 1; m < agents; m++) {
            market->link_a[l] = n;
            market->link_b[l++] = m;
        }
    pw_market_index(market);
    return market;
}

/* Blocks by speed: a rank that is four times as fast hosts twice as many agents, within one. */
START_TEST(blocks_are_as_large_as_ranks_are_fast)
{
    static const double speeds[] = {1.44, 2.0, 1.21, 0.1}; /* the last one counts for 1 */
    static const double wanted[] = {1200, 1414.21, 1100, 1000};
    enum { RANKS = 4, AGENTS_HERE = 4714 };
    int *first = pw_speed_blocks(speeds, RANKS, AGENTS_HERE);
    struct pw_placement placement = {AGENTS_HERE, RANKS, first};
    ck_assert_ptr_nonnull(first);
    for (int r = 0; r < RANKS; r++) {
        struct pw_block block = pw_placement_block(&placement, r);
        ck_assert_int_eq(block.first, r > 0 ? pw_placement_end(&placement, r - 1) : 0);
        ck_assert_double_le(fabs(block.end - block.first - wanted[r]), 1.5);
        for (int n = block.first; n < block.end; n++)
            ck_assert_int_eq(pw_placement_rank(&placement, n), r);
    }
    ck_assert_int_eq(pw_placement_end(&placement, RANKS - 1), AGENTS_HERE);
    free(first);
    ck_assert_ptr_null(pw_speed_blocks((double[]){2.0, 2.05}, 2, AGENTS_HERE)); /* as good as alike */
    ck_assert_ptr_null(pw_speed_blocks((double[]){2.0, 3.0}, 2, 150));          /* hardly any agents */
}
END_TEST

/* The graph is cut into parts as large as the blocks: one clique for one rank, three for the other. */
START_TEST(parts_are_as_large_as_blocks)
{
    struct pw_market *market = cliques();
    const int first[] = {0, AGENTS / CLIQUES, AGENTS};
    struct pw_placement placement = {AGENTS, 2, first};
    double cut;
    int *order = pw_partition_order(market, &placement, &cut);
    ck_assert_ptr_nonnull(order);
    ck_assert_double_le(cut * market->n_links, 2.0 + 1e-9);
    free(order);
    pw_market_destroy(market);
}
END_TEST

/* Twice: the trial can be repeated in one process. */
START_TEST(a_speed_is_found)
{
    for (int i = 0; i < 2; i++) {
        struct pw_error err;
        double speed = 0.0;
        ck_assert_int_eq(pw_speed_measure(&speed, &err), PW_OK);
        ck_assert(speed > 0.0 && isfinite(speed));
    }
}
END_TEST

static int *choose(const struct pw_market *market, const struct pw_settings *settings, int in_bulk,
                   int n_ranks, double *cut)
{
    struct pw_placement placement = {market->n_agents, n_ranks, NULL};
    return pw_partition_choose(market, settings, in_bulk, &placement, cut);
}

/* What the settings, the number of ranks and the graph say. */
START_TEST(an_order_is_taken_where_it_pays)
{
    struct pw_market *market = cliques(), *mesh = complete(30);
    struct pw_settings settings;
    double cut;
    pw_settings_default(&settings);
    int *order = choose(market, &settings, 0, CLIQUES, &cut);
    ck_assert_ptr_nonnull(order);
    free(order);
    ck_assert_double_lt(cut, 0.01);
    ck_assert_ptr_null(choose(market, &settings, 0, 1, &cut));
    ck_assert_double_eq(cut, 0.0);
    ck_assert_ptr_null(choose(market, &settings, 0, AGENTS + 1, &cut));
    ck_assert_double_eq(cut, 1.0);
    ck_assert_ptr_null(choose(mesh, &settings, 0, 2, &cut));         /* nothing to gain */
    ck_assert_ptr_null(choose(market, &settings, 1, CLIQUES, &cut)); /* in bulk */
    settings.placement = PW_PLACE_BLOCKS;
    ck_assert_ptr_null(choose(market, &settings, 0, CLIQUES, &cut));
    ck_assert_double_gt(cut, 0.5);
    settings.placement = PW_PLACE_GRAPH;
    settings.clock = PW_CLOCK_VIRTUAL; /* whose bytes do not depend on where agents live */
    order = choose(market, &settings, 0, CLIQUES, &cut);
    ck_assert_ptr_nonnull(order);
    free(order);
    pw_market_destroy(market);
    pw_market_destroy(mesh);
}
END_TEST

/* There and back: each agent keeps its assets and its peers, and gets its results. */
START_TEST(another_order_is_the_same_market)
{
    struct pw_market *market = test_market((enum test_family)_i, 23, 0.5, 8100 + (uint64_t)_i);
    int agents = market->n_agents, *order = pw_alloc((size_t)agents, sizeof *order);
    for (int k = 0; k < agents; k++)
        order[k] = (7 * k + 3) % agents;
    struct pw_market *other = pw_market_reorder(market, order);
    struct pw_outcome *outcome = pw_outcome_create(agents, market->n_links, market->n_products);
    for (int k = 0; k < agents; k++) {
        int n = order[k];
        ck_assert_int_eq(pw_market_called(other, k), n);
        ck_assert_int_eq(pw_market_known_as(other, n), k);
        ck_assert_int_eq(pw_market_degree(other, k), pw_market_degree(market, n));
        ck_assert_double_eq(pw_market_agent_p_min(other, k, 0), pw_market_agent_p_min(market, n, 0));
        ck_assert_double_eq(pw_market_agent_p_max(other, k, 0), pw_market_agent_p_max(market, n, 0));
        for (int e = 0; e < pw_market_degree(other, k); e++)
            ck_assert_int_eq(other->end_link[other->end_first[k] + e],
                             market->end_link[market->end_first[n] + e]);
        outcome->cost[k] = n;
        outcome->peers[k] = n;
        outcome->iterations[k] = n;
        for (int q = 0; q < market->n_products; q++)
            outcome->price[k * market->n_products + q] = 10.0 * n + q;
    }
    for (int l = 0; l < market->n_links; l++) {
        ck_assert_int_eq(order[other->link_a[l]], market->link_a[l]);
        ck_assert_int_eq(order[other->link_b[l]], market->link_b[l]);
        ck_assert_double_eq(other->fee_a[l], market->fee_a[l]);
    }
    pw_outcome_restore_order(outcome, order);
    for (int n = 0; n < agents; n++) {
        ck_assert_double_eq(outcome->cost[n], n);
        ck_assert_int_eq(outcome->peers[n], n);
        ck_assert_int_eq(outcome->iterations[n], n);
        ck_assert_double_eq(outcome->price[n * market->n_products], 10.0 * n);
    }
    pw_outcome_destroy(outcome);
    pw_market_destroy(other);
    pw_market_destroy(market);
    free(order);
}
END_TEST

/* The last agent becomes a supplier whose size is nobody's limit. */
static void give_grid(struct pw_market *market)
{
    int last = market->n_assets - 1;
    market->p_min[last] = -1e9;
    market->p_max[last] = 1e9;
    market->a[last] = 1e-3;
}

static void check_same_penalties(const struct pw_market *market, const struct pw_market *other,
                                 enum pw_exchange_choice exchange)
{
    struct pw_settings settings;
    pw_settings_default(&settings);
    settings.exchange = (int)exchange;
    struct pw_scales scales = pw_market_scales(market), same = pw_market_scales(other);
    ck_assert(memcmp(&scales, &same, sizeof scales) == 0);
    double *x = pw_setup_penalties(&settings, market, &scales),
           *y = pw_setup_penalties(&settings, other, &scales);
    ck_assert(memcmp(x, y, (size_t)market->n_links * sizeof *x) == 0);
    free(x);
    free(y);
}

/* What all agents start from, to the bit: results are to be the same bytes wherever agents live. */
START_TEST(another_order_has_the_same_numbers)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct test_rng rng = test_rng(seed);
        struct pw_market *market = test_market((enum test_family)_i, 5 + test_below(&rng, 30), 0.5, seed);
        int agents = market->n_agents, *order = pw_alloc((size_t)agents, sizeof *order);
        if (seed % 2)
            give_grid(market);
        for (int k = 0; k < agents; k++) { /* each order is as likely */
            int to = test_below(&rng, k + 1);
            order[k] = order[to];
            order[to] = k;
        }
        struct pw_market *other = pw_market_reorder(market, order);
        check_same_penalties(market, other, PW_EXCHANGE_PAIRED);
        check_same_penalties(market, other, PW_EXCHANGE_INNOVATION);
        pw_market_destroy(other);
        pw_market_destroy(market);
        free(order);
    }
}
END_TEST

Suite *partition_suite(void)
{
    Suite *suite = suite_create("partition");
    TCase *tcase = tcase_create("partition");
    tcase_add_test(tcase, cliques_stay_together);
    tcase_add_test(tcase, blocks_cover_all_agents_once);
    tcase_add_test(tcase, blocks_are_as_large_as_ranks_are_fast);
    tcase_add_test(tcase, parts_are_as_large_as_blocks);
    tcase_add_test(tcase, a_speed_is_found);
    tcase_add_test(tcase, an_order_is_taken_where_it_pays);
    tcase_add_loop_test(tcase, another_order_is_the_same_market, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, another_order_has_the_same_numbers, 0, N_FAMILIES);
    suite_add_tcase(suite, tcase);
    return suite;
}
