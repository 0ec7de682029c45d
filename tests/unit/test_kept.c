/* What chosen peers keep of the full market's gain from trade, against every choice there is, negotiated, and
 * while the market repeats. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "common/adapt.h"
#include "common/feasibility.h"
#include "coordinator/transport.h"
#include "tests/unit/choosing.h"
#include "tests/unit/clearing.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { MARKETS = 50, AGENTS = 40, N_WAYS = PW_CHOOSE_ADAPTIVE + 1 };

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
        struct pw_links_spec spec = test_choice(way, peers, 1 + m, among_sides);
        test_build(market, &spec);
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
                struct pw_links_spec spec = test_choice(way, peers, m, 1);
                test_build(market, &spec);
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

static void check_cap(const struct pw_market *market, const struct pw_links_spec *spec)
{
    for (int n = 0; n < market->n_agents; n++)
        ck_assert_int_le(pw_market_degree(market, n), spec->count);
    for (int l = 0; l < market->n_links; l++) {
        int same = 0;
        for (int k = 0; k < market->n_links; k++)
            same += market->link_a[k] == market->link_a[l] && market->link_b[k] == market->link_b[l];
        ck_assert_int_eq(same, 1);
    }
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
        struct pw_links_spec spec = test_choice(PW_CHOOSE_ADAPTIVE, runs[r].peers, m, 1);
        test_build(market, &spec);
        double share = test_share(market, &bounds);
        for (int slot = 0; slot < 30; slot++) {
            int changes = test_adapt(market, &spec, slot);
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
        struct pw_links_spec spec = test_choice(PW_CHOOSE_ADAPTIVE, 1, m, 1);
        test_build(market, &spec);
        for (int slot = 0; slot < 60; slot++)
            test_adapt(market, &spec, slot);
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
    struct pw_links_spec spec = test_choice(PW_CHOOSE_ADAPTIVE, 2, 5, 1);
    test_build(market, &spec);
    test_build(again, &spec);
    ck_assert_int_gt(test_adapt(market, &spec, 0), 0);
    ck_assert(!test_same_links(market, again));
    test_adapt(again, &spec, 0);
    ck_assert(test_same_links(market, again));
    test_build(again, &spec);
    test_adapt(again, &spec, 1);
    ck_assert(!test_same_links(market, again));
    pw_market_destroy(market);
    pw_market_destroy(again);
}
END_TEST

/* Where everybody knows everybody there is nobody to try, and where no trade gains nothing changes. */
START_TEST(adapting_leaves_alone_what_is_best)
{
    struct pw_market *market = test_recipe(RECIPE_EVEN, AGENTS, 2);
    struct pw_links_spec spec = test_choice(PW_CHOOSE_ADAPTIVE, 20, 5, 1);
    test_build(market, &spec);
    ck_assert_int_eq(market->n_links, 400);
    ck_assert_int_eq(test_adapt(market, &spec, 0), 0);
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
        struct pw_links_spec spec = test_choice(PW_CHOOSE_ADAPTIVE, m % 2 ? 4 : 1, m, 1);
        struct pw_error err = {0};
        test_build(market, &spec);
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
        struct pw_links_spec spec = test_choice(choices[run / 2].way, peers, run, 1);
        struct pw_settings settings = test_random_settings((uint64_t)run);
        struct pw_transport *transport = pw_transport_loopback();
        test_build(market, &spec);
        struct test_clearing clearing = test_clear(market, &settings, transport);
        test_clearing_fault(&clearing, &settings, 0, fault, sizeof fault);
        ck_assert_msg(fault[0] == '\0', "run %d: %s", run, fault);
        ck_assert_double_ge(test_share(market, &bounds), 0.97);
        pw_transport_close(transport);
        pw_market_destroy(market);
    }
}
END_TEST

Suite *kept_suite(void)
{
    Suite *suite = suite_create("kept");
    TCase *once = tcase_create("once"), *adapting = tcase_create("adapting");
    tcase_add_test(once, five_peers_keep_97_percent);
    tcase_add_test(once, two_peers_chosen_keep_what_three_at_random_do);
    tcase_add_test(once, with_resale_two_peers_keep_all);
    tcase_add_test(once, no_choice_beats_the_best);
    tcase_add_test(once, negotiation_reaches_the_optimum_of_a_choice);
    tcase_add_loop_test(adapting, adapting_never_loses, 0, 4);
    tcase_add_test(adapting, adapting_with_one_peer_finds_nearly_the_best_matching);
    tcase_add_test(adapting, adapting_is_drawn_by_seed_and_slot);
    tcase_add_test(adapting, adapting_leaves_alone_what_is_best);
    tcase_add_test(adapting, adapting_keeps_a_market_feasible);
    tcase_set_timeout(once, 60);
    tcase_set_timeout(adapting, 60);
    suite_add_tcase(suite, once);
    suite_add_tcase(suite, adapting);
    return suite;
}
