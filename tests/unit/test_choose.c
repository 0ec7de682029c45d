/* Choosing peers: caps and definitions on random markets, offers against two-agent markets, the ways against
 * every choice there is, and what is kept of the full market's gain from trade. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/adapt.h"
#include "common/feasibility.h"
#include "common/links.h"
#include "common/offer.h"
#include "coordinator/reference_internal.h"
#include "coordinator/transport.h"
#include "tests/unit/choosing.h"
#include "tests/unit/clearing.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { MARKETS = 50, AGENTS = 40, N_WAYS = PW_CHOOSE_ADAPTIVE + 1 };

static struct pw_links_spec spec_of(int way, int peers, int seed, int among_sides)
{
    return (struct pw_links_spec){
        .kind = PW_LINKS_CHOSEN, .choose = way, .count = peers, .seed = seed, .among_sides = among_sides};
}

static void build(struct pw_market *market, const struct pw_links_spec *spec)
{
    struct pw_error err = {0};
    ck_assert_msg(pw_links_build(market, spec, 0.0, &err) == PW_OK, "%s", err.text);
}

static int linked(const struct pw_market *market, int i, int j)
{
    int count = 0;
    for (int l = 0; l < market->n_links; l++)
        count += (market->link_a[l] == i && market->link_b[l] == j) ||
                 (market->link_a[l] == j && market->link_b[l] == i);
    return count;
}

/* The links of a market, for comparing with those of another time. */
struct links {
    int count, *a, *b;
};

static struct links copy_links(const struct pw_market *market)
{
    size_t size = (size_t)market->n_links * sizeof(int);
    struct links links = {market->n_links, malloc(size + 1), malloc(size + 1)};
    memcpy(links.a, market->link_a, size);
    memcpy(links.b, market->link_b, size);
    return links;
}

/* True if the market has these links. Frees them. */
static int same_links(struct links links, const struct pw_market *market)
{
    size_t size = (size_t)links.count * sizeof(int);
    int same = links.count == market->n_links && memcmp(links.a, market->link_a, size) == 0 &&
               memcmp(links.b, market->link_b, size) == 0;
    free(links.a);
    free(links.b);
    return same;
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
            spec_of(test_below(&rng, N_WAYS), 1 + test_below(&rng, 7), run, test_below(&rng, 2));
        build(market, &spec);
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
        struct pw_links_spec spec = spec_of(way, 4, 7, 1), other = spec_of(way, 4, 8, 1);
        build(market, &spec);
        build(again, &spec);
        ck_assert(same_links(copy_links(market), again));
        build(again, &other);
        if (way != PW_CHOOSE_NEAREST)
            ck_assert(!same_links(copy_links(market), again));
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
        struct pw_links_spec spec = spec_of(PW_CHOOSE_NEAREST, 1 + run % 4, 1, run % 2);
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
        build(market, &spec);
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
        struct pw_links_spec spec = spec_of(PW_CHOOSE_RANDOM, PEERS, run, 0);
        build(market, &spec);
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
            struct pw_links_spec one = spec_of(way, 1, m, 1), four = spec_of(way, 4, m, 1);
            struct pw_error err = {0};
            build(even, &one); /* 20 buyers, 20 sellers: each needs one of its own */
            ck_assert_msg(pw_feasibility_check(even, &err) == PW_OK, "%s", err.text);
            build(few, &four); /* 32 buyers and 8 sellers: no seller can spare a link */
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
        struct pw_links_spec spec = spec_of(way, 3, 1, 1); /* 24 links for 32 buyers */
        struct pw_error err = {0};
        build(market, &spec);
        ck_assert_int_eq(pw_feasibility_check(market, &err), PW_INFEASIBLE);
        ck_assert(isnan(test_optimum(market)));
        pw_market_destroy(market);
    }
}
END_TEST

/* ---- What is kept ---- */

/* The smallest and the mean share of the 50 markets. */
struct kept {
    double least, mean;
};

static struct kept kept_by(enum test_recipe recipe, int way, int peers, int among_sides)
{
    struct kept kept = {INFINITY, 0.0};
    for (int m = 0; m < MARKETS; m++) {
        struct pw_market *market = test_recipe(recipe, AGENTS, m);
        struct test_bounds bounds = test_bounds(market);
        struct pw_links_spec spec = spec_of(way, peers, 1 + m, among_sides);
        build(market, &spec);
        double share = test_share(market, &bounds);
        ck_assert_double_le(share, 1 + 1e-6);
        kept.least = fmin(kept.least, share);
        kept.mean += share / MARKETS;
        pw_market_destroy(market);
    }
    return kept;
}

START_TEST(five_peers_keep_97_percent)
{
    struct kept random = kept_by(RECIPE_EVEN, PW_CHOOSE_RANDOM, 5, 1);
    struct kept greedy = kept_by(RECIPE_EVEN, PW_CHOOSE_GREEDY, 5, 1);
    struct kept planned = kept_by(RECIPE_EVEN, PW_CHOOSE_PLANNED, 5, 1);
    ck_assert_double_ge(greedy.least, 0.97);
    ck_assert_double_ge(planned.least, 0.97);
    ck_assert_double_ge(greedy.mean, random.mean);
    struct kept few = kept_by(RECIPE_FEW, PW_CHOOSE_GREEDY, 5, 1);
    ck_assert_double_ge(few.least, 0.97);
    ck_assert_double_ge(few.mean, kept_by(RECIPE_FEW, PW_CHOOSE_RANDOM, 5, 1).mean + 0.04);
}
END_TEST

START_TEST(two_peers_chosen_keep_what_three_at_random_do)
{
    ck_assert_double_lt(kept_by(RECIPE_EVEN, PW_CHOOSE_RANDOM, 2, 1).mean, 0.965);
    ck_assert_double_ge(kept_by(RECIPE_EVEN, PW_CHOOSE_GREEDY, 2, 1).mean, 0.995);
    ck_assert_double_ge(kept_by(RECIPE_EVEN, PW_CHOOSE_PLANNED, 2, 1).mean, 0.999);
    ck_assert_double_ge(kept_by(RECIPE_EVEN, PW_CHOOSE_PLANNED, 3, 1).least, 0.9999);
}
END_TEST

/* Where all may sell on, two peers span the market in one tree, and nothing is lost. */
START_TEST(with_resale_two_peers_keep_all)
{
    ck_assert_double_ge(kept_by(RECIPE_EVEN, PW_CHOOSE_GREEDY, 2, 0).least, 1 - 1e-6);
    ck_assert_double_ge(kept_by(RECIPE_FEW, PW_CHOOSE_PLANNED, 2, 0).least, 1 - 1e-6);
    ck_assert_double_ge(kept_by(RECIPE_MIXED, PW_CHOOSE_GREEDY, 2, 0).least, 1 - 1e-6);
}
END_TEST

/* ---- Against every choice ---- */

START_TEST(no_choice_beats_the_best)
{
    double greedy = 0, random = 0, best_of_all = 0;
    for (int m = 0; m < 10; m++) {
        for (int peers = 1; peers <= 2; peers++) {
            struct pw_market *market = test_recipe(RECIPE_EVEN, 8, m);
            struct test_bounds bounds = test_bounds(market);
            double best = test_best_share(market, peers, &bounds);
            ck_assert_double_eq_tol(test_share(market, &bounds), best, 1e-9); /* it is what it left */
            for (int way = 0; way < N_WAYS; way++) {
                struct pw_links_spec spec = spec_of(way, peers, m, 1);
                build(market, &spec);
                double share = test_share(market, &bounds);
                ck_assert_double_le(share, best + 1e-6);
                greedy += way == PW_CHOOSE_GREEDY ? share : 0;
                random += way == PW_CHOOSE_RANDOM ? share : 0;
            }
            if (peers == 1) /* two searches that share nothing */
                ck_assert_double_eq_tol(test_best_matching(market, &bounds), best, 1e-6);
            best_of_all += best;
            pw_market_destroy(market);
        }
    }
    ck_assert_double_ge(greedy, 0.98 * best_of_all);
    ck_assert_double_lt(random, 0.97 * best_of_all);
}
END_TEST

/* ---- Adapting ---- */

/* Solves the market and lets its agents change peers. */
static int adapt(struct pw_market *market, const struct pw_links_spec *spec, long slot)
{
    struct pw_reference_solution *solution = pw_reference_solution_create(market);
    pw_reference_ipm(market, 0, solution);
    int changes = pw_choose_adapt(market, spec, 0.0, solution->t, slot);
    pw_reference_solution_destroy(solution);
    return changes;
}

static void check_cap(const struct pw_market *market, const struct pw_links_spec *spec)
{
    for (int n = 0; n < market->n_agents; n++)
        ck_assert_int_le(pw_market_degree(market, n), spec->count);
    for (int l = 0; l < market->n_links; l++)
        ck_assert_int_eq(linked(market, market->link_a[l], market->link_b[l]), 1);
}

/* On an unchanged market of single assets welfare never falls, and comes near the best matching. */
START_TEST(adapting_never_loses)
{
    static const struct {
        enum test_recipe recipe;
        int peers;
        double mean; /* at least, after 30 slots */
    } runs[] = {
        {RECIPE_EVEN, 1, 0.95}, {RECIPE_FREE, 2, 0.998}, {RECIPE_FEW, 4, 0.975}, {RECIPE_FEW, 5, 0.995}};
    int r = _i;
    double mean = 0;
    for (int m = 0; m < 10; m++) {
        struct pw_market *market = test_recipe(runs[r].recipe, AGENTS, m);
        struct test_bounds bounds = test_bounds(market);
        struct pw_links_spec spec = spec_of(PW_CHOOSE_ADAPTIVE, runs[r].peers, m, 1);
        build(market, &spec);
        double share = test_share(market, &bounds);
        for (int slot = 0; slot < 30; slot++) {
            int changes = adapt(market, &spec, slot);
            double now = changes > 0 ? test_share(market, &bounds) : share;
            check_cap(market, &spec);
            ck_assert_double_ge(now, share - 1e-6);
            share = now;
        }
        mean += share / 10;
        pw_market_destroy(market);
    }
    ck_assert_double_ge(mean, runs[r].mean);
}
END_TEST

START_TEST(adapting_with_one_peer_finds_nearly_the_best_matching)
{
    for (int m = 0; m < 5; m++) {
        struct pw_market *market = test_recipe(RECIPE_EVEN, AGENTS, m);
        struct test_bounds bounds = test_bounds(market);
        double best = test_best_matching(market, &bounds);
        struct pw_links_spec spec = spec_of(PW_CHOOSE_ADAPTIVE, 1, m, 1);
        build(market, &spec);
        for (int slot = 0; slot < 60; slot++)
            adapt(market, &spec, slot);
        double share = test_share(market, &bounds);
        ck_assert_double_le(share, best + 1e-6);
        ck_assert_double_ge(share, best - 0.005);
        pw_market_destroy(market);
    }
}
END_TEST

START_TEST(adapting_is_drawn_by_seed_and_slot)
{
    struct pw_market *market = test_recipe(RECIPE_EVEN, AGENTS, 2),
                     *again = test_recipe(RECIPE_EVEN, AGENTS, 2);
    struct pw_links_spec spec = spec_of(PW_CHOOSE_ADAPTIVE, 2, 5, 1);
    build(market, &spec);
    build(again, &spec);
    struct links before = copy_links(market);
    ck_assert_int_gt(adapt(market, &spec, 0), 0);
    ck_assert(!same_links(before, market));
    adapt(again, &spec, 0);
    ck_assert(same_links(copy_links(market), again));
    build(again, &spec);
    adapt(again, &spec, 1);
    ck_assert(!same_links(copy_links(market), again));
    pw_market_destroy(market);
    pw_market_destroy(again);
}
END_TEST

/* Where everybody knows everybody there is nobody to try, and where no trade gains nothing changes. */
START_TEST(adapting_leaves_alone_what_is_best)
{
    struct pw_market *market = test_recipe(RECIPE_EVEN, AGENTS, 2);
    struct pw_links_spec spec = spec_of(PW_CHOOSE_ADAPTIVE, 20, 5, 1);
    build(market, &spec);
    ck_assert_int_eq(market->n_links, 400);
    ck_assert_int_eq(adapt(market, &spec, 0), 0);
    ck_assert_int_eq(market->n_links, 400);
    pw_market_destroy(market);
}
END_TEST

/* Trades that belong to other offers: the market that comes out can balance all the same. */
START_TEST(adapting_keeps_a_market_feasible)
{
    struct test_rng rng = test_rng(41);
    int total = 0;
    for (int m = 0; m < 30; m++) {
        struct pw_market *market = test_recipe(m % 2 ? RECIPE_FEW : RECIPE_EVEN, AGENTS, m);
        struct pw_links_spec spec = spec_of(PW_CHOOSE_ADAPTIVE, m % 2 ? 4 : 1, m, 1);
        struct pw_error err = {0};
        build(market, &spec);
        double *trade = calloc((size_t)market->n_links, sizeof *trade);
        for (int l = 0; l < market->n_links; l++)
            trade[l] = test_uniform(&rng, 0, 10);
        total += pw_choose_adapt(market, &spec, 0.0, trade, m);
        check_cap(market, &spec);
        ck_assert_msg(pw_feasibility_check(market, &err) == PW_OK, "%s", err.text);
        free(trade);
        pw_market_destroy(market);
    }
    ck_assert_int_gt(total, 0);
}
END_TEST

/* ---- Negotiated ---- */

START_TEST(negotiation_reaches_the_optimum_of_a_choice)
{
    static const struct {
        int way, peers;
    } choices[] = {{PW_CHOOSE_GREEDY, 5}, {PW_CHOOSE_PLANNED, 3}, {PW_CHOOSE_GREEDY, 2}};
    char fault[200];
    for (int run = 0; run < 6; run++) {
        struct pw_market *market = test_recipe(run % 2 ? RECIPE_FEW : RECIPE_EVEN, AGENTS, run);
        struct test_bounds bounds = test_bounds(market);
        int peers = choices[run / 2].peers + (run % 2 ? 3 : 0);
        struct pw_links_spec spec = spec_of(choices[run / 2].way, peers, run, 1);
        struct pw_settings settings = test_random_settings((uint64_t)run);
        struct pw_transport *transport = pw_transport_loopback();
        build(market, &spec);
        struct test_clearing clearing = test_clear(market, &settings, transport);
        test_clearing_fault(&clearing, &settings, 0, fault, sizeof fault);
        ck_assert_msg(fault[0] == '\0', "run %d: %s", run, fault);
        ck_assert_double_ge(test_share(market, &bounds), 0.97);
        pw_transport_close(transport);
        pw_market_destroy(market);
    }
}
END_TEST

Suite *choose_suite(void)
{
    Suite *suite = suite_create("choose");
    TCase *links = tcase_create("links"), *offers = tcase_create("offers"), *kept = tcase_create("kept"),
          *adapting = tcase_create("adapting");
    tcase_add_test(links, caps_hold_and_are_used);
    tcase_add_test(links, a_choice_depends_on_its_seed_only);
    tcase_add_test(links, nearest_by_definition);
    tcase_add_test(links, random_is_fair);
    tcase_add_test(links, who_must_trade_is_served);
    tcase_add_test(links, what_no_choice_can_serve_stays_infeasible);
    tcase_add_test(offers, an_asset_is_offered_as_it_is);
    tcase_add_test(offers, gains_are_those_of_the_market_of_two);
    tcase_add_test(kept, five_peers_keep_97_percent);
    tcase_add_test(kept, two_peers_chosen_keep_what_three_at_random_do);
    tcase_add_test(kept, with_resale_two_peers_keep_all);
    tcase_add_test(kept, no_choice_beats_the_best);
    tcase_add_test(kept, negotiation_reaches_the_optimum_of_a_choice);
    tcase_add_loop_test(adapting, adapting_never_loses, 0, 4);
    tcase_add_test(adapting, adapting_with_one_peer_finds_nearly_the_best_matching);
    tcase_add_test(adapting, adapting_is_drawn_by_seed_and_slot);
    tcase_add_test(adapting, adapting_leaves_alone_what_is_best);
    tcase_add_test(adapting, adapting_keeps_a_market_feasible);
    tcase_set_timeout(kept, 60);
    tcase_set_timeout(adapting, 60);
    suite_add_tcase(suite, links);
    suite_add_tcase(suite, offers);
    suite_add_tcase(suite, kept);
    suite_add_tcase(suite, adapting);
    return suite;
}
