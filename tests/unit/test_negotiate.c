/* Whole runs in one process: main loop, network models, stop, judgement, against independent optima. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/outcome.h"
#include "coordinator/negotiate.h"
#include "net_models/network.h"
#include "tests/unit/clearing.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { MARKETS = 600, BATCHES = 6 };

static void clear_and_check(uint64_t seed, double penalty, int limit_is_fine)
{
    char fault[200];
    struct pw_market *market = test_any_market(seed);
    struct pw_settings settings = test_random_settings(seed);
    struct pw_transport *transport = pw_transport_loopback();
    settings.penalty = penalty;
    if (limit_is_fine)
        settings.max_rounds = 3000;
    struct test_clearing clearing = test_clear(market, &settings, transport);
    test_clearing_fault(&clearing, &settings, limit_is_fine, fault, sizeof fault);
    ck_assert_msg(fault[0] == '\0', "seed %lu, %d agents, delta %g: %s", (unsigned long)seed,
                  market->n_agents, settings.delta, fault);
    pw_transport_close(transport);
    pw_market_destroy(market);
}

START_TEST(random_markets_clear_at_the_optimum)
{
    for (int i = 0; i < MARKETS / BATCHES; i++)
        clear_and_check((uint64_t)(_i * MARKETS / BATCHES + i + 1), 0, 0);
}
END_TEST

/* Prices and powers of the random markets are of the order of 1, so is a fitting penalty. */
START_TEST(a_wild_penalty_never_ends_wrong)
{
    static const double penalties[] = {1e-3, 1e3, 1e5};
    for (int i = 0; i < 12; i++)
        clear_and_check((uint64_t)(9000 + i), penalties[_i], 1);
}
END_TEST

START_TEST(rounds_are_limited)
{
    struct pw_market *market = test_any_market(77);
    struct pw_settings settings = test_random_settings(77);
    struct pw_transport *transport = pw_transport_loopback();
    settings.max_rounds = 3;
    struct test_clearing clearing = test_clear(market, &settings, transport);
    ck_assert_int_eq(clearing.status, PW_AT_LIMIT);
    ck_assert_int_ge(clearing.rounds, 1);
    ck_assert_int_lt(clearing.rounds, 8);
    pw_transport_close(transport);
    pw_market_destroy(market);
}
END_TEST

START_TEST(time_is_limited)
{
    struct pw_market *market = test_any_market(78);
    struct pw_settings settings = test_random_settings(78);
    struct pw_transport *transport = pw_transport_loopback();
    snprintf(settings.delay_model, sizeof settings.delay_model, "constant");
    settings.delay_mean_s = 0.05;
    settings.max_time_s = 0.2;
    struct test_clearing clearing = test_clear(market, &settings, transport);
    ck_assert_int_eq(clearing.status, PW_AT_LIMIT);
    pw_transport_close(transport);
    pw_market_destroy(market);
}
END_TEST

/* Two agents, closed form: 0.1 p + 2 = 10 - 0.3 p at p = 20, price 4. */
START_TEST(the_report_adds_up)
{
    const double rows[][5] = {{0, -50, 0, .3, 10}, {1, 0, 50, .1, 2}};
    struct pw_market *market = test_market_of(2, 2, rows);
    test_link_all(market);
    struct pw_settings settings;
    pw_settings_default(&settings);
    settings.primal = settings.dual = settings.price = 1e-9;
    struct pw_transport *transport = pw_transport_loopback();
    struct pw_negotiation negotiation = {market, &settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0, NULL, NULL};
    struct pw_outcome *outcome;
    pw_negotiate(&negotiation, transport, &outcome);
    ck_assert_int_eq(outcome->summary.status, PW_CONVERGED);
    ck_assert_double_eq_tol(outcome->summary.price_mean, 4, 1e-7);
    ck_assert_double_eq_tol(outcome->power[1], 20, 1e-7);
    ck_assert_double_eq_tol(fabs(outcome->trade[0]), 20, 1e-7);
    ck_assert_double_eq_tol(outcome->welfare[0], 200 - 60 - 80, 1e-5); /* value - paid */
    ck_assert_double_eq_tol(outcome->welfare[1], 80 - 60, 1e-5);       /* paid - cost */
    ck_assert_double_eq_tol(outcome->summary.social_welfare, outcome->welfare[0] + outcome->welfare[1], 1e-9);
    ck_assert_int_eq(outcome->summary.messages_sent, outcome->messages_sent[0] + outcome->messages_sent[1]);
    ck_assert_int_gt(outcome->n_samples, 0);
    pw_outcome_destroy(outcome);
    pw_transport_close(transport);
    pw_market_destroy(market);
}
END_TEST

/* Cut off early, agents hold powers that their agreed trades do not sum up to. */
START_TEST(the_imbalance_is_that_of_all_agents)
{
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 12, 1, 4);
    struct pw_settings settings;
    pw_settings_default(&settings);
    settings.max_rounds = 4;
    struct pw_transport *transport = pw_transport_loopback();
    struct pw_negotiation negotiation = {market, &settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0, NULL, NULL};
    struct pw_outcome *outcome;
    double *net = calloc((size_t)market->n_agents, sizeof *net), off = 0.0;
    pw_negotiate(&negotiation, transport, &outcome);
    for (int l = 0; l < market->n_links; l++) {
        net[market->link_a[l]] += outcome->trade[l];
        net[market->link_b[l]] -= outcome->trade[l];
    }
    for (int n = 0; n < market->n_agents; n++)
        off += fabs(outcome->power[n] - net[n]); /* what no dispatch could deliver */
    free(net);
    ck_assert_double_gt(outcome->summary.imbalance, 1.01 * outcome->summary.balance_max);
    ck_assert_double_le(outcome->summary.imbalance, 12 * outcome->summary.balance_max);
    ck_assert_double_ge(outcome->summary.imbalance, off);
    pw_outcome_destroy(outcome);
    pw_transport_close(transport);
    pw_market_destroy(market);
}
END_TEST

/* A lone agent balances its own assets and needs nobody. */
START_TEST(an_agent_without_peers_clears_alone)
{
    const double rows[][5] = {{0, -10, -5, .1, 9}, {0, 0, 20, .1, 2}, {1, -3, 3, .2, 5}};
    struct pw_market *market = test_market_of(2, 3, rows);
    pw_market_set_link_count(market, 0);
    pw_market_index(market);
    struct pw_settings settings;
    pw_settings_default(&settings);
    struct pw_transport *transport = pw_transport_loopback();
    struct test_clearing clearing = test_clear(market, &settings, transport);
    ck_assert_int_eq(clearing.status, PW_CONVERGED);
    ck_assert_double_le(fabs(clearing.welfare_gap), 1e-9);
    pw_transport_close(transport);
    pw_market_destroy(market);
}
END_TEST

/* Links much narrower than the agents' reach: a loose default tolerance must not pass for the optimum. Half
 * of the agents value power at 10, the others make it for 5; each of 20 x 20 links carries 0.005 at most. */
START_TEST(narrow_links_clear_at_the_optimum)
{
    double rows[40][5];
    for (int n = 0; n < 40; n++) {
        double consumer[5] = {n, -1000, 0, .001, 10}, producer[5] = {n, 0, 1000, .001, 5};
        memcpy(rows[n], n < 20 ? consumer : producer, sizeof rows[n]);
    }
    struct pw_market *market = test_market_of(40, 40, (const double(*)[5])rows);
    pw_market_set_link_count(market, 400);
    for (int l = 0; l < 400; l++) {
        market->link_a[l] = 20 + l / 20;
        market->link_b[l] = l % 20;
        market->t_min[l] = 0;
        market->t_max[l] = .005;
    }
    pw_market_index(market);
    struct pw_settings settings;
    pw_settings_default(&settings);
    struct pw_transport *transport = pw_transport_loopback();
    struct test_clearing clearing = test_clear(market, &settings, transport);
    ck_assert_int_eq(clearing.status, PW_CONVERGED);
    ck_assert_double_le(fabs(clearing.welfare_gap), 1e-6);
    pw_transport_close(transport);
    pw_market_destroy(market);
}
END_TEST

/* Repeated transmissions are those that were lost, but where nothing is repeated. */
START_TEST(losses_are_repeated_or_final)
{
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 10, .8, 3);
    struct pw_settings settings = test_random_settings(3);
    settings.loss = .2;
    settings.delta = .5;
    settings.exchange = PW_EXCHANGE_LATEST;
    for (int retransmit = PW_RETRANSMIT_FIXED; retransmit <= PW_RETRANSMIT_NEVER; retransmit++) {
        settings.retransmit = retransmit;
        struct pw_transport *transport = pw_transport_loopback();
        struct pw_negotiation negotiation = {market, &settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0,
                                             NULL,   NULL};
        struct pw_outcome *outcome;
        pw_negotiate(&negotiation, transport, &outcome);
        long lost = outcome->summary.messages_lost;
        ck_assert_int_gt(lost, 0);
        ck_assert_int_eq(outcome->summary.messages_retransmitted,
                         retransmit == PW_RETRANSMIT_NEVER ? 0 : lost);
        pw_outcome_destroy(outcome);
        pw_transport_close(transport);
    }
    pw_market_destroy(market);
}
END_TEST

Suite *negotiate_suite(void)
{
    Suite *suite = suite_create("negotiate");
    TCase *tests = tcase_create("whole runs");
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, random_markets_clear_at_the_optimum, 0, BATCHES);
    tcase_add_loop_test(tests, a_wild_penalty_never_ends_wrong, 0, 3);
    tcase_add_test(tests, rounds_are_limited);
    tcase_add_test(tests, time_is_limited);
    tcase_add_test(tests, the_report_adds_up);
    tcase_add_test(tests, the_imbalance_is_that_of_all_agents);
    tcase_add_test(tests, an_agent_without_peers_clears_alone);
    tcase_add_test(tests, losses_are_repeated_or_final);
    tcase_add_test(tests, narrow_links_clear_at_the_optimum);
    suite_add_tcase(suite, tests);
    return suite;
}
