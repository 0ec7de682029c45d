/* Choosing peers: caps and definitions on random markets, offers against two-agent markets. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "common/feasibility.h"
#include "common/links.h"
#include "common/offer.h"
#include "tests/unit/choosing.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { MARKETS = 50, AGENTS = 40, N_WAYS = PW_CHOOSE_ADAPTIVE + 1 };

static int linked(const struct pw_market *market, int i, int j)
{
    int count = 0;
    for (int l = 0; l < market->n_links; l++)
        count += (market->link_a[l] == i && market->link_b[l] == j) ||
                 (market->link_a[l] == j && market->link_b[l] == i);
    return count;
}

/* ---- By definition ---- */

/* No agent above its cap, every link allowed and there once; and none missing that both ends have room for.
 */
static void check_links(const struct pw_market *market, const struct pw_links_spec *spec)
{
    int n = market->n_agents, wrong = 0;
    for (int i = 0; i < n; i++)
        wrong += pw_market_degree(market, i) > spec->count;
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
            int sells =
                (pw_market_agent_p_max(market, i, 0) > 0 && pw_market_agent_p_min(market, j, 0) < 0) ||
                (pw_market_agent_p_max(market, j, 0) > 0 && pw_market_agent_p_min(market, i, 0) < 0);
            int may = !spec->among_sides || sells, count = linked(market, i, j);
            int room = pw_market_degree(market, i) < spec->count && pw_market_degree(market, j) < spec->count;
            wrong += count > may || (may && room && count == 0);
        }
    }
    ck_assert_int_eq(wrong, 0);
}

START_TEST(caps_hold_and_are_used)
{
    struct test_rng rng = test_rng(5);
    for (int run = 0; run < 300; run++) {
        struct pw_market *market =
            test_recipe((enum test_recipe)test_below(&rng, N_RECIPES), 2 + test_below(&rng, 30), run);
        struct pw_links_spec spec =
            test_choice(test_below(&rng, N_WAYS), 1 + test_below(&rng, 7), run, test_below(&rng, 2));
        test_build(market, &spec);
        check_links(market, &spec);
        pw_market_destroy(market);
    }
}
END_TEST

START_TEST(a_choice_depends_on_its_seed_only)
{
    for (int way = 0; way < N_WAYS; way++) {
        struct pw_market *market = test_recipe(RECIPE_EVEN, AGENTS, 3),
                         *again = test_recipe(RECIPE_EVEN, AGENTS, 3);
        struct pw_links_spec spec = test_choice(way, 4, 7, 1), other = test_choice(way, 4, 8, 1);
        test_build(market, &spec);
        test_build(again, &spec);
        ck_assert(test_same_links(market, again));
        test_build(again, &other);
        if (way != PW_CHOOSE_NEAREST)
            ck_assert(!test_same_links(market, again));
        pw_market_destroy(market);
        pw_market_destroy(again);
    }
}
END_TEST

/* Of all pairs with room at both ends the closest is linked, and so on. */
START_TEST(nearest_by_definition)
{
    for (int run = 0; run < 30; run++) {
        struct pw_market *market = test_recipe(RECIPE_FREE, 20, run);
        struct pw_links_spec spec = test_choice(PW_CHOOSE_NEAREST, 1 + run % 4, 1, run % 2);
        int degree[20] = {0}, wanted[20][20] = {{0}}, n_wanted = 0;
        for (;;) {
            int a = -1, b = -1;
            double closest = INFINITY;
            for (int k = 0; k < 20 * 20; k++) {
                int i = k / 20, j = k % 20;
                double distance = hypot(market->x[i] - market->x[j], market->y[i] - market->y[j]);
                if (i < j && pw_choose_allowed(market, &spec, i, j) && !wanted[i][j] &&
                    degree[i] < spec.count && degree[j] < spec.count && distance < closest) {
                    closest = distance;
                    a = i;
                    b = j;
                }
            }
            if (a < 0)
                break;
            wanted[a][b] = 1;
            degree[a]++;
            degree[b]++;
            n_wanted++;
        }
        test_build(market, &spec);
        ck_assert_int_eq(market->n_links, n_wanted);
        for (int l = 0; l < market->n_links; l++) {
            int a = market->link_a[l], b = market->link_b[l];
            ck_assert(wanted[a < b ? a : b][a < b ? b : a]);
        }
        pw_market_destroy(market);
    }
}
END_TEST

/* Every agent is about as often the peer of every other. */
START_TEST(random_is_fair)
{
    enum { RUNS = 1000, PEERS = 3, N = 12 };
    int count[N][N] = {{0}};
    struct pw_market *market = test_recipe(RECIPE_FREE, N, 1);
    for (int run = 0; run < RUNS; run++) {
        struct pw_links_spec spec = test_choice(PW_CHOOSE_RANDOM, PEERS, run, 0);
        test_build(market, &spec);
        for (int l = 0; l < market->n_links; l++)
            count[market->link_a[l]][market->link_b[l]]++;
    }
    double expected = RUNS * PEERS / (N - 1.0), spread = 5 * sqrt(expected);
    for (int i = 0; i < N; i++) {
        for (int j = i + 1; j < N; j++)
            ck_assert_double_eq_tol(count[i][j], expected, spread);
    }
    pw_market_destroy(market);
}
END_TEST

/* ---- Offers ---- */

START_TEST(an_asset_is_offered_as_it_is)
{
    const double rows[][5] = {{0, -10, -2, .5, 9}, {1, 0, 20, .1, 3}, {2, 4, 4, 0, 0}, {3, -3, -3, 0, 0},
                              {4, -8, -1, .2, 6},  {4, 0, 5, 0, 2},   {5, 0, 0, .3, 1}};
    struct pw_market *market = test_market_of(6, 7, rows);
    struct pw_offer *offers = pw_offers(market, 0);
    ck_assert(offers[0].sell.room == 0 && offers[0].buy.room == 10 && offers[0].buy.must == 2);
    ck_assert_double_eq_tol(offers[0].buy.price, 9, 1e-6);
    ck_assert_double_eq_tol(offers[0].buy.slope, -.5, 1e-6);
    ck_assert(offers[1].buy.room == 0 && offers[1].sell.room == 20 && offers[1].sell.must == 0);
    ck_assert_double_eq_tol(offers[1].sell.price, 3, 1e-6);
    ck_assert_double_eq_tol(offers[1].sell.slope, .1, 1e-6);
    ck_assert(offers[2].sell.must == 4 && offers[2].sell.room == 4 && offers[2].sell.price < 2);
    ck_assert(offers[3].buy.must == 3 && offers[3].buy.room == 3 && offers[3].buy.price > 8);
    ck_assert(offers[4].sell.room == 4 && offers[4].buy.room == 8); /* a plant of 5 at 2, a load of 1 to 8 */
    ck_assert_double_eq_tol(offers[4].sell.price, 5, 1e-6); /* by itself: the load takes all 5 of the plant */
    ck_assert_double_eq_tol(offers[4].sell.slope, .2, 1e-6);
    ck_assert_double_eq_tol(offers[4].buy.price, 5, 1e-6);
    ck_assert_double_eq_tol(offers[4].buy.slope, -3. / 8, 1e-6); /* down to 2, where the plant rests */
    ck_assert(offers[5].sell.room == 0 && offers[5].buy.room == 0);
    free(offers);
    pw_market_destroy(market);
}
END_TEST

/* The gain of two agents is the welfare of the market of the two, by another solver. */
START_TEST(gains_are_those_of_the_market_of_two)
{
    struct test_rng rng = test_rng(11);
    for (int run = 0; run < 200; run++) {
        const double a = test_uniform(&rng, 0.01, 1), b = test_uniform(&rng, 0, 10);
        const double rows[][5] = {
            {0, 0, test_uniform(&rng, 1, 20), a, b},
            {1, -test_uniform(&rng, 1, 20), 0, test_uniform(&rng, 0.01, 1), test_uniform(&rng, 0, 10)}};
        struct pw_market *market = test_market_of(2, 2, rows);
        test_link_all(market);
        double fee = run % 2 ? test_uniform(&rng, 0, 1) : 0.0, power;
        market->fee_a[0] = market->fee_b[0] = fee / 2;
        struct pw_offer *offers = pw_offers(market, 0);
        double optimum = test_optimum(market),
               gain = pw_offer_gain(&offers[0].sell, 0, &offers[1].buy, 0, fee, &power);
        double together = pw_offer_together(&offers[0], 0, &offers[1], 0, -INFINITY, INFINITY, fee);
        ck_assert_double_eq_tol(gain, optimum, 1e-4 * (1 + optimum));
        ck_assert_double_eq_tol(together, optimum, 1e-4 * (1 + optimum));
        ck_assert((power > 0) == (gain > 0));
        free(offers);
        pw_market_destroy(market);
    }
}
END_TEST

/* ---- Those who must trade ---- */

START_TEST(who_must_trade_is_served)
{
    for (int m = 0; m < MARKETS; m++) {
        for (int way = 0; way < N_WAYS; way++) {
            struct pw_market *even = test_recipe(RECIPE_EVEN, AGENTS, m),
                             *few = test_recipe(RECIPE_FEW, AGENTS, m);
            struct pw_links_spec one = test_choice(way, 1, m, 1), four = test_choice(way, 4, m, 1);
            struct pw_error err = {0};
            test_build(even, &one); /* 20 buyers, 20 sellers: each needs one of its own */
            ck_assert_msg(pw_feasibility_check(even, &err) == PW_OK, "%s", err.text);
            test_build(few, &four); /* 32 buyers and 8 sellers: no seller can spare a link */
            ck_assert_msg(pw_feasibility_check(few, &err) == PW_OK, "%s", err.text);
            check_links(few, &four);
            pw_market_destroy(even);
            pw_market_destroy(few);
        }
    }
}
END_TEST

START_TEST(what_no_choice_can_serve_stays_infeasible)
{
    for (int way = 0; way < N_WAYS; way++) {
        struct pw_market *market = test_recipe(RECIPE_FEW, AGENTS, 1);
        struct pw_links_spec spec = test_choice(way, 3, 1, 1); /* 24 links for 32 buyers */
        struct pw_error err = {0};
        test_build(market, &spec);
        ck_assert_int_eq(pw_feasibility_check(market, &err), PW_INFEASIBLE);
        ck_assert(isnan(test_optimum(market)));
        pw_market_destroy(market);
    }
}
END_TEST

Suite *choose_suite(void)
{
    Suite *suite = suite_create("choose");
    TCase *links = tcase_create("links"), *offers = tcase_create("offers");
    tcase_add_test(links, caps_hold_and_are_used);
    tcase_add_test(links, a_choice_depends_on_its_seed_only);
    tcase_add_test(links, nearest_by_definition);
    tcase_add_test(links, random_is_fair);
    tcase_add_test(links, who_must_trade_is_served);
    tcase_add_test(links, what_no_choice_can_serve_stays_infeasible);
    tcase_add_test(offers, an_asset_is_offered_as_it_is);
    tcase_add_test(offers, gains_are_those_of_the_market_of_two);
    suite_add_tcase(suite, links);
    suite_add_tcase(suite, offers);
    return suite;
}
