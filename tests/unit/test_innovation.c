/* Consensus + innovation: its first rounds by hand, both ends' prices, closed forms, whole markets. */
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

/* A load that values its first unit at 10, and a generator from 2 on with at most `most`. */
static struct pw_market *load_and_generator(double most, double fee)
{
    const double rows[][5] = {{0, -50, 0, .3, 10}, {1, 0, most, .1, 2}};
    struct pw_market *market = test_market_of(2, 2, rows);
    test_link_all(market);
    market->fee_a[0] = market->fee_b[0] = fee;
    return market;
}

static struct pw_settings innovation(void)
{
    struct pw_settings settings;
    pw_settings_default(&settings);
    settings.exchange = PW_EXCHANGE_INNOVATION;
    return settings;
}

static void expect(const struct rounds *rounds, const double prices[2], const double trades[2])
{
    for (int n = 0; n < 2; n++) {
        ck_assert_double_eq_tol(rounds->agents[n]->price_sent[0], prices[n], 1e-12);
        ck_assert_double_eq_tol(rounds->agents[n]->mine[0], trades[n], 1e-12);
    }
}

/* From prices of 10 and 2, a difference of 8, with beta 1/4, alpha rho = 0.02 and one trade each, which takes
 * all that its agent would answer: the load (price - m) / .3, the generator (price - m) / .1. */
START_TEST(first_rounds_by_hand)
{
    struct pw_market *market = load_and_generator(50, 0);
    struct pw_settings settings = innovation();
    settings.consensus = .25;
    settings.innovation = 1;
    settings.penalty = .02;
    settings.decay = settings.concession = 0;
    struct rounds rounds = rounds_begin_as(market, &settings);
    expect(&rounds, (double[]){10, 2}, (double[]){0, 0});
    rounds_step(&rounds);
    expect(&rounds, (double[]){10 - 2, 2 + 2}, (double[]){-2 / .3, 2 / .1});
    rounds_step(&rounds);
    double gap = 20 - 2 / .3, load = 8 - 1 - .02 * gap, generator = 4 + 1 - .02 * gap;
    expect(&rounds, (double[]){load, generator},
           (double[]){-2 / .3 + (load - 8) / .3, 20 + (generator - 4) / .1});
    rounds_end(&rounds);
    pw_market_destroy(market);
}
END_TEST

/* The same with an alpha that falls as 1/round, and half of a gap conceded by both ends. */
START_TEST(gains_fall_and_both_ends_concede)
{
    struct pw_market *market = load_and_generator(50, 0);
    struct pw_settings settings = innovation();
    settings.consensus = 0;
    settings.innovation = 1;
    settings.penalty = .02;
    settings.decay = 1;
    settings.concession = .5;
    struct rounds rounds = rounds_begin_as(market, &settings);
    rounds_step(&rounds); /* without a difference to give up, both stay at their own price and do not trade */
    expect(&rounds, (double[]){10, 2}, (double[]){0, 0});
    rounds.agents[0]->mine[0] = -6;
    rounds_step(&rounds);
    double load = 10 + .02 * 6;
    ck_assert_double_eq_tol(rounds.agents[0]->price_sent[0], load, 1e-12);
    ck_assert_double_eq_tol(rounds.agents[0]->mine[0], -6 + (load - 10) / .3 + 6 / 4., 1e-12);
    double gap = rounds.agents[0]->mine[0] + rounds.agents[1]->mine[0];
    rounds_step(&rounds);
    ck_assert_double_eq_tol(rounds.agents[0]->price_sent[0], load - .02 / 2 * gap, 1e-12);
    rounds_end(&rounds);
    pw_market_destroy(market);
}
END_TEST

static struct rounds after(const struct pw_market *market, int steps, double *largest_power)
{
    struct pw_settings settings = innovation();
    struct rounds rounds = rounds_begin_as(market, &settings);
    for (int step = 0; step < steps; step++) {
        rounds_step(&rounds);
        *largest_power = fmax(*largest_power, pw_agent_power(rounds.agents[1], 0));
    }
    return rounds;
}

/* .1 p + 2 = 10 - .3 p at p = 20, price 4; with a fee of .5 at each end .1 p + 2.5 = 9.5 - .3 p at p = 17.5.
 */
START_TEST(two_agents_meet_at_the_closed_form)
{
    const double known[][4] = {{0, 20, 4, 4}, {.5, 17.5, 4.75, 3.75}}; /* fee, power, price of both agents */
    for (int k = 0; k < 2; k++) {
        double largest = 0;
        struct pw_market *market = load_and_generator(50, known[k][0]);
        struct rounds rounds = after(market, 3000, &largest);
        for (int n = 0; n < 2; n++) {
            ck_assert_double_eq_tol(pw_agent_power(rounds.agents[n], 0), known[k][1] * (2 * n - 1), 1e-6);
            ck_assert_double_eq_tol(rounds.agents[n]->price[0], known[k][2 + n], 1e-6);
            ck_assert_double_eq_tol(pw_agent_trade_price(rounds.agents[n], 0, 0),
                                    (known[k][2] + known[k][3]) / 2, 1e-6);
        }
        rounds_end(&rounds);
        pw_market_destroy(market);
    }
}
END_TEST

/* At a limit of 10 the load pays 7 and the generator asks 3: the price of its limit is 4. */
START_TEST(limits_are_kept_in_the_limit_only)
{
    double largest = 0;
    struct pw_market *market = load_and_generator(10, 0);
    struct rounds rounds = after(market, 5000, &largest);
    ck_assert_double_ge(largest, 11);
    ck_assert_double_eq_tol(pw_agent_power(rounds.agents[1], 0), 10, 1e-6);
    ck_assert_double_eq_tol(rounds.agents[1]->price[0], 7, 1e-6);
    ck_assert_double_eq_tol(rounds.agents[1]->above[0], 4, 1e-6);
    ck_assert_double_eq(rounds.agents[1]->below[0], 0);
    rounds_end(&rounds);
    pw_market_destroy(market);
}
END_TEST

START_TEST(both_ends_hold_both_prices_to_the_bit)
{
    struct pw_market *market = test_market((enum test_family)_i, 10, .7, 4);
    struct pw_settings settings = innovation();
    struct rounds rounds = rounds_begin_as(market, &settings);
    for (int step = 0; step < 50; step++) {
        rounds_step(&rounds);
        for (int end = 0; end < 2 * market->n_links; end++) {
            int n = pw_market_end_agent(market, end), twin = market->end_twin[end];
            int m = pw_market_end_agent(market, twin), slot = end - market->end_first[n];
            double here = rounds.agents[n]->price_sent[slot];
            double there = rounds.agents[m]->peer_s[twin - market->end_first[m]];
            ck_assert(memcmp(&here, &there, sizeof here) == 0);
        }
    }
    rounds_end(&rounds);
    pw_market_destroy(market);
}
END_TEST

static void expect_cleared(const struct test_clearing *clearing, const struct pw_settings *settings,
                           enum test_family family, uint64_t seed)
{
    char fault[200]; /* nothing damps a market of linear costs but its bounds: it may go on */
    test_clearing_fault(clearing, settings, family == FAMILY_LINEAR, fault, sizeof fault);
    ck_assert_msg(fault[0] == '\0', "%s, seed %lu: %s", test_family_name(family), (unsigned long)seed, fault);
}

START_TEST(whole_markets_clear_at_the_optimum)
{
    enum test_family family = (enum test_family)_i;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct pw_market *market = test_market(family, 4 + (int)seed, .7, seed);
        struct pw_settings settings = innovation();
        settings.tolerance = 1e-3;
        settings.max_time_s = 60;
        settings.max_rounds = 20000;
        struct pw_transport *transport = pw_transport_loopback();
        struct test_clearing clearing = test_clear(market, &settings, transport);
        expect_cleared(&clearing, &settings, family, seed);
        pw_transport_close(transport);
        pw_market_destroy(market);
    }
}
END_TEST

/* With answers to come and offers lost and repeated. */
START_TEST(late_markets_clear_too)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct pw_market *market = test_market(FAMILY_TWO_SIDED, 8, .7, seed);
        struct pw_settings settings = test_random_settings(seed);
        settings.exchange = PW_EXCHANGE_INNOVATION;
        settings.clock = PW_CLOCK_VIRTUAL;
        settings.delta = seed % 2 ? .5 : 1;
        settings.tolerance = 1e-3;
        snprintf(settings.delay_model, sizeof settings.delay_model, "gaussian");
        struct pw_transport *transport = pw_transport_loopback();
        struct pw_negotiation negotiation = {market, &settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0,
                                             NULL,   NULL};
        struct pw_outcome *outcome;
        pw_simulate(&negotiation, transport, &outcome);
        struct test_clearing clearing = test_measure(market, &settings, outcome);
        expect_cleared(&clearing, &settings, FAMILY_TWO_SIDED, seed);
        pw_outcome_destroy(outcome);
        pw_transport_close(transport);
        pw_market_destroy(market);
    }
}
END_TEST

Suite *innovation_suite(void)
{
    Suite *suite = suite_create("innovation");
    TCase *tests = tcase_create("innovation");
    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, first_rounds_by_hand);
    tcase_add_test(tests, gains_fall_and_both_ends_concede);
    tcase_add_test(tests, two_agents_meet_at_the_closed_form);
    tcase_add_test(tests, limits_are_kept_in_the_limit_only);
    tcase_add_loop_test(tests, both_ends_hold_both_prices_to_the_bit, 0, N_FAMILIES);
    tcase_add_loop_test(tests, whole_markets_clear_at_the_optimum, 0, N_FAMILIES);
    tcase_add_test(tests, late_markets_clear_too);
    suite_add_tcase(suite, tests);
    return suite;
}
