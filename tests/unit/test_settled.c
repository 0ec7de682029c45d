/* Trades that fall silent: the market still ends, at its optimum, with fewer messages; who waits is answered.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/generate.h"
#include "common/links.h"
#include "common/memory.h"
#include "common/outcome.h"
#include "common/penalty.h"
#include "coordinator/negotiate.h"
#include "coordinator/simulate.h"
#include "tests/unit/clearing.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { MARKETS = 60 };

static struct pw_settings virtual_settings(uint64_t seed, int criterion)
{
    struct pw_settings settings = test_random_settings(seed);
    settings.clock = PW_CLOCK_VIRTUAL;
    settings.criterion = criterion;
    settings.delay_mean_s = 1;
    settings.delay_std_s = .3;
    settings.delay_min_s = .1;
    settings.retransmit_s = 2;
    settings.compute_s = seed % 3 ? .1 : 1e-3;
    settings.max_time_s = 1e6;
    return settings;
}

static struct pw_outcome *run(const struct pw_market *market, const struct pw_settings *settings)
{
    struct pw_negotiation negotiation = {market, settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0, NULL, NULL};
    struct pw_transport *transport = pw_transport_loopback();
    struct pw_outcome *outcome;
    if (settings->clock == PW_CLOCK_VIRTUAL)
        pw_simulate(&negotiation, transport, &outcome);
    else
        pw_negotiate(&negotiation, transport, &outcome);
    pw_transport_close(transport);
    return outcome;
}

static void clear_and_check(uint64_t seed, const struct pw_settings *settings, int limit_is_fine)
{
    char fault[200];
    struct pw_market *market = test_any_market(seed);
    struct pw_outcome *outcome = run(market, settings);
    struct test_clearing clearing = test_measure(market, settings, outcome);
    test_clearing_fault(&clearing, settings, limit_is_fine, fault, sizeof fault);
    ck_assert_msg(fault[0] == '\0', "seed %lu, criterion %d, clock %d, delta %g: %s", (unsigned long)seed,
                  settings->criterion, settings->clock, settings->delta, fault);
    if (!limit_is_fine) { /* at a limit a market may have cleared before all its trades are silent */
        ck_assert_int_eq(pw_outcome_active_trades(outcome), 0);
        ck_assert(pw_outcome_last_settled_s(outcome) <= outcome->summary.end_time_s);
    }
    pw_outcome_destroy(outcome);
    pw_market_destroy(market);
}

START_TEST(quiet_markets_are_at_their_optimum)
{
    static const int criteria[] = {PW_CRITERION_TRADE, PW_CRITERION_AGENT};
    for (uint64_t seed = 5000; seed < 5000 + MARKETS; seed++) {
        struct pw_settings settings = virtual_settings(seed, criteria[_i % 2]);
        if (_i >= 2) {
            settings = test_random_settings(seed);
            settings.criterion = criteria[_i % 2];
        }
        clear_and_check(seed, &settings, 0);
    }
}
END_TEST

/* A penalty far off freezes trades or prices: the market may not end in time, but never ends wrong. */
START_TEST(a_wild_penalty_never_ends_wrong)
{
    static const double factors[] = {1e-3, 1e-2, 1e2, 1e3};
    for (uint64_t seed = 7000; seed < 7012; seed++) {
        struct pw_market *market = test_any_market(seed);
        struct pw_scales scales = pw_market_scales(market);
        struct pw_settings settings = virtual_settings(seed, PW_CRITERION_TRADE);
        settings.penalty = factors[_i] * scales.price / scales.power;
        settings.max_rounds = 3000;
        clear_and_check(seed, &settings, 1);
        pw_market_destroy(market);
    }
}
END_TEST

/* Both ends ratify a trade at the same round with the same number: the reported trades balance exactly where
 * the agents' limits allow, and welfare is off by little. */
START_TEST(ratified_trades_balance)
{
    int ended = 0;
    for (uint64_t seed = 300; seed < 300 + MARKETS / 2; seed++) {
        struct pw_market *market = test_market(FAMILY_TWO_SIDED, 6 + (int)(seed % 15), .7, seed);
        struct pw_settings settings = virtual_settings(seed, PW_CRITERION_TRADE);
        settings.ratify = 1;
        settings.max_rounds = 20000;
        struct pw_outcome *outcome = run(market, &settings);
        struct test_clearing clearing = test_measure(market, &settings, outcome);
        if (outcome->summary.status == PW_CONVERGED) {
            ended++;
            ck_assert_double_eq(outcome->summary.primal_residual, 0.0);
            ck_assert_double_le(outcome->summary.balance_max, outcome->summary.tolerance_primal);
            ck_assert_msg(fabs(clearing.welfare_gap) < 1e-3, "seed %d: gap %g", (int)seed,
                          clearing.welfare_gap);
        }
        pw_outcome_destroy(outcome);
        pw_market_destroy(market);
    }
    ck_assert_int_ge(ended, MARKETS / 4);
}
END_TEST

/* Markets in which trades stand at nothing for some rounds before they are wanted: agreed for good then, they
 * left a producer without any trade, and welfare 50 tolerances short. */
START_TEST(a_trade_of_nothing_is_not_ratified)
{
    static const long seeds[] = {135, 318, 779, 921};
    struct pw_links_spec links = {.kind = PW_LINKS_SIDES};
    struct pw_error err;
    struct pw_market *market;
    struct pw_settings settings = virtual_settings(1, PW_CRITERION_TRADE);
    settings.generate_agents = 25;
    settings.generate_seed = seeds[_i];
    settings.delta = 1;
    settings.ratify = 1;
    settings.relaxation = .5;
    ck_assert_int_eq(pw_generate(&settings, &market, &err), PW_OK);
    ck_assert_int_eq(pw_links_build(market, &links, 0, &err), PW_OK);
    struct pw_outcome *outcome = run(market, &settings);
    struct test_clearing clearing = test_measure(market, &settings, outcome);
    ck_assert_int_eq(outcome->summary.status, PW_CONVERGED);
    ck_assert_double_le(fabs(clearing.welfare_gap), 10 * settings.tolerance);
    pw_outcome_destroy(outcome);
    pw_market_destroy(market);
}
END_TEST

static int count(const struct pw_outcome *outcome, enum pw_event_kind kind)
{
    int n = 0;
    for (int i = 0; i < outcome->n_events; i++)
        n += outcome->events[i].kind == (int)kind;
    return n;
}

/* At each end a trade settles and wakes in turn. */
static void check_turns(const struct pw_outcome *outcome)
{
    size_t agents = (size_t)outcome->n_agents;
    unsigned char *is_settled = pw_alloc(agents * agents, 1);
    for (int i = 0; i < outcome->n_events; i++) {
        const struct pw_event *event = &outcome->events[i];
        if (event->kind != PW_EVENT_SETTLE && event->kind != PW_EVENT_WAKE)
            continue;
        unsigned char *end = &is_settled[(size_t)event->agent * agents + (size_t)event->peer];
        ck_assert_int_eq(*end, event->kind == PW_EVENT_WAKE);
        *end = event->kind == PW_EVENT_SETTLE;
    }
    free(is_settled);
}

/* Every trade that ends settled at both ends was settled once more often than it woke. */
START_TEST(the_timeline_tells_of_silence)
{
    for (uint64_t seed = 40; seed < 60; seed++) {
        struct pw_market *market = test_any_market(seed);
        struct pw_settings settings = virtual_settings(seed, PW_CRITERION_TRADE);
        settings.timeline = 1;
        struct pw_outcome *outcome = run(market, &settings);
        ck_assert_int_eq(outcome->summary.status, PW_CONVERGED);
        ck_assert_int_eq(count(outcome, PW_EVENT_SETTLE) - count(outcome, PW_EVENT_WAKE),
                         2 * market->n_links);
        ck_assert_int_eq(count(outcome, PW_EVENT_SEND), (int)outcome->summary.messages_sent);
        check_turns(outcome);
        pw_outcome_destroy(outcome);
        pw_market_destroy(market);
    }
}
END_TEST

/* A looser share of its own size lets a trade rest earlier. */
START_TEST(a_relative_tolerance_saves_messages)
{
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 20, 1, 9);
    struct pw_settings settings = virtual_settings(9, PW_CRITERION_TRADE);
    struct pw_outcome *exact = run(market, &settings);
    settings.share = 1e-3;
    settings.primal = settings.dual = settings.price = 1;
    settings.trade_power = settings.trade_price = 1e-5;
    struct pw_outcome *loose = run(market, &settings);
    ck_assert_int_eq(loose->summary.status, PW_CONVERGED);
    ck_assert_int_lt((int)loose->summary.messages_sent, (int)exact->summary.messages_sent);
    pw_outcome_destroy(exact);
    pw_outcome_destroy(loose);
    pw_market_destroy(market);
}
END_TEST

Suite *settled_suite(void)
{
    Suite *suite = suite_create("settled");
    TCase *tests = tcase_create("silence");
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, quiet_markets_are_at_their_optimum, 0, 4);
    tcase_add_loop_test(tests, a_wild_penalty_never_ends_wrong, 0, 4);
    tcase_add_test(tests, ratified_trades_balance);
    tcase_add_loop_test(tests, a_trade_of_nothing_is_not_ratified, 0, 4);
    tcase_add_test(tests, the_timeline_tells_of_silence);
    tcase_add_test(tests, a_relative_tolerance_saves_messages);
    suite_add_tcase(suite, tests);
    return suite;
}
