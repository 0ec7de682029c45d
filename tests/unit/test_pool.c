/* The pool's algorithm on a star: round by round against (2) written out, and whole markets. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "common/outcome.h"
#include "coordinator/negotiate.h"
#include "coordinator/simulate.h"
#include "tests/unit/clearing.h"
#include "tests/unit/random_market.h"
#include "tests/unit/rounds.h"
#include "tests/unit/suites.h"

static struct pw_settings pool(void)
{
    struct pw_settings settings;
    pw_settings_default(&settings);
    settings.exchange = PW_EXCHANGE_POOL;
    return settings;
}

enum { MOST_AGENTS = 20 };

/* (2) as printed, the prox in closed form. */
struct printed {
    int n;
    double rho, u, p[MOST_AGENTS];
};

static void iterate(struct printed *printed, const struct pw_market *market)
{
    double mean = 0;
    for (int n = 0; n < printed->n; n++)
        mean += printed->p[n] / printed->n;
    for (int n = 0; n < printed->n; n++) {
        double centre = printed->p[n] - mean - printed->u;
        int i = market->asset_first[n]; /* the second asset of an agent has no power here */
        double free = (printed->rho * centre - market->b[i]) / (market->a[i] + printed->rho);
        printed->p[n] = fmin(fmax(free, market->p_min[i]), market->p_max[i]);
    }
    mean = 0;
    for (int n = 0; n < printed->n; n++)
        mean += printed->p[n] / printed->n;
    printed->u += mean;
}

START_TEST(every_round_is_the_printed_one)
{
    struct pw_market *market = test_market(FAMILY_POOL, 11, 1, (uint64_t)_i + 1);
    struct pw_settings settings = pool();
    settings.penalty = .3;
    struct rounds rounds = rounds_begin_as(market, &settings);
    struct printed printed = {.n = 11, .rho = .3};
    for (int round = 1; round <= 60; round++) {
        iterate(&printed, market);
        rounds_step(&rounds); /* the agents */
        for (int n = 0; n < 11; n++)
            ck_assert_double_eq_tol(rounds.agents[n]->mine[0], printed.p[n], 1e-9);
        rounds_step(&rounds); /* the operator */
        ck_assert_double_eq_tol(rounds.agents[11]->price[0], -printed.rho * printed.u, 1e-9);
        ck_assert_int_eq(rounds.agents[11]->fires, round);
        ck_assert_int_eq(rounds.offers, 2 * 11 * (round + 1)); /* two an agent and round, round 0 too */
    }
    rounds_end(&rounds);
    pw_market_destroy(market);
}
END_TEST

/* Its trades add up to nothing, and agents know them from its prices. */
START_TEST(the_operator_balances)
{
    struct pw_market *market = test_market(FAMILY_POOL, 9, 1, 3);
    struct pw_settings settings = pool();
    struct rounds rounds = rounds_begin_as(market, &settings);
    const struct pw_agent *operator= rounds.agents[9];
    double was[9] = {0};
    for (int round = 1; round <= 40; round++) {
        double sum = 0;
        rounds_step(&rounds);
        rounds_step(&rounds);
        for (int n = 0; n < 9; n++) {
            double trade = pw_agent_trade(operator, n, 0);
            ck_assert(round == 1 || memcmp(&was[n], rounds.agents[n]->heard, sizeof was[n]) == 0);
            was[n] = trade;
            sum += trade;
        }
        ck_assert_double_eq_tol(sum, 0, 1e-9);
    }
    rounds_end(&rounds);
    pw_market_destroy(market);
}
END_TEST

static void expect_cleared(const struct pw_market *market, const struct pw_settings *settings,
                           const struct pw_outcome *outcome, uint64_t seed)
{
    char fault[200];
    struct test_clearing clearing = test_measure(market, settings, outcome);
    test_clearing_fault(&clearing, settings, 0, fault, sizeof fault);
    ck_assert_msg(fault[0] == '\0', "seed %lu: %s", (unsigned long)seed, fault);
}

START_TEST(whole_pools_clear_at_the_optimum)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct pw_market *market = test_market(FAMILY_POOL, 2 + (int)seed, 1, seed);
        struct pw_settings settings = pool();
        for (int l = 0; l < market->n_links && seed % 2 == 0;
             l++) /* the agents' end: link_a is the operator */
            market->fee_b[l] = .2;
        settings.tolerance = 1e-5;
        struct pw_transport *transport = pw_transport_loopback();
        struct pw_negotiation negotiation = {market, &settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0,
                                             NULL,   NULL};
        struct pw_outcome *outcome;
        pw_negotiate(&negotiation, transport, &outcome);
        expect_cleared(market, &settings, outcome, seed);
        pw_outcome_destroy(outcome);
        pw_transport_close(transport);
        pw_market_destroy(market);
    }
}
END_TEST

START_TEST(late_pools_clear_too)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct pw_market *market = test_market(FAMILY_POOL, 9, 1, seed);
        struct pw_settings settings = test_random_settings(seed);
        settings.exchange = PW_EXCHANGE_POOL;
        settings.clock = PW_CLOCK_VIRTUAL;
        snprintf(settings.delay_model, sizeof settings.delay_model, "exponential");
        settings.loss = .2;
        struct pw_transport *transport = pw_transport_loopback();
        struct pw_negotiation negotiation = {market, &settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0,
                                             NULL,   NULL};
        struct pw_outcome *outcome;
        pw_simulate(&negotiation, transport, &outcome);
        expect_cleared(market, &settings, outcome, seed);
        ck_assert_int_gt(outcome->summary.messages_lost, 0);
        pw_outcome_destroy(outcome);
        pw_transport_close(transport);
        pw_market_destroy(market);
    }
}
END_TEST

Suite *pool_suite(void)
{
    Suite *suite = suite_create("pool");
    TCase *tests = tcase_create("pool");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, every_round_is_the_printed_one, 0, 5);
    tcase_add_test(tests, the_operator_balances);
    tcase_add_test(tests, whole_pools_clear_at_the_optimum);
    tcase_add_test(tests, late_pools_clear_too);
    suite_add_tcase(suite, tests);
    return suite;
}
