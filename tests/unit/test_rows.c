/* Agents in rows against the same agents one by one: the same rounds, however many ranks share them. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/penalty.h"
#include "coordinator/bulk.h"
#include "coordinator/bulk_rows.h"
#include "coordinator/reference.h"
#include "tests/unit/random_market.h"
#include "tests/unit/rounds.h"
#include "tests/unit/suites.h"

enum { MOST_PARTS = 4 };

/* The rows of all ranks, side by side. */
struct parts {
    struct pw_placement placement;
    struct pw_bulk_rows bulk[MOST_PARTS];
};

static void make_parts(struct parts *parts, const struct pw_negotiation *negotiation, int n_parts)
{
    parts->placement = (struct pw_placement){negotiation->market->n_agents, n_parts};
    for (int r = 0; r < n_parts; r++)
        pw_bulk_rows_create(negotiation, &parts->placement, r, &parts->bulk[r]);
}

static void release_parts(struct parts *parts)
{
    for (int r = 0; r < parts->placement.n_ranks; r++)
        pw_bulk_rows_release(&parts->bulk[r]);
}

/* The prices of `rank`, to those who have asked for them. */
static void tell_prices(struct parts *parts, int rank)
{
    struct pw_bulk_rows *from = &parts->bulk[rank];
    for (int i = 0; i < from->n_neighbours; i++) {
        const struct pw_bulk_neighbour *to = &from->neighbours[i];
        struct pw_bulk_rows *there = &parts->bulk[to->rank];
        const struct pw_bulk_neighbour *back = there->neighbours;
        while (back->rank != rank)
            back++;
        ck_assert_int_eq(to->n_out, back->n_in);
        for (int k = 0; k < to->n_out; k++)
            pw_rows_visit(there->rows, back->first_visitor + k, pw_rows_price(from->rows, to->out[k]));
    }
}

static void step_parts(struct parts *parts, int closely)
{
    for (int r = 0; r < parts->placement.n_ranks; r++)
        pw_rows_step(parts->bulk[r].rows, closely);
    for (int r = 0; r < parts->placement.n_ranks; r++)
        tell_prices(parts, r);
}

static const struct pw_bulk_rows *home_of(const struct parts *parts, int n)
{
    return &parts->bulk[pw_placement_rank(&parts->placement, n)];
}

static struct pw_rows_trade trade_of(const struct parts *parts, int n, int slot)
{
    const struct pw_bulk_rows *home = home_of(parts, n);
    return pw_rows_trade(home->rows, n - home->first, slot);
}

static double difference(const struct parts *parts, const struct rounds *rounds,
                         const struct pw_scales *scales)
{
    double worst = 0.0;
    for (int n = 0; n < rounds->market->n_agents; n++) {
        const struct pw_agent *agent = rounds->agents[n];
        const struct pw_bulk_rows *home = home_of(parts, n);
        worst =
            fmax(worst, fabs(pw_rows_price(home->rows, n - home->first) - agent->price[0]) / scales->price);
        worst = fmax(worst, fabs(pw_rows_power(home->rows, n - home->first) - pw_agent_power(agent, 0)) /
                                scales->power);
        for (int slot = 0; slot < agent->n_links; slot++) {
            struct pw_rows_trade trade = trade_of(parts, n, slot);
            worst = fmax(worst, fabs(trade.mine - agent->mine[slot]) / scales->power);
            worst = fmax(worst, fabs(trade.before - agent->before[slot]) / scales->power);
            worst = fmax(worst, fabs(trade.penalty / agent->penalty[slot] - 1.0));
            worst = fmax(worst, fabs(trade.price - pw_agent_trade_price(agent, slot, 0)) / scales->price);
        }
    }
    return worst;
}

static struct pw_negotiation negotiation_of(const struct pw_market *market, struct pw_settings *settings)
{
    pw_settings_default(settings);
    settings->criterion = PW_CRITERION_GLOBAL;
    return (struct pw_negotiation){market, settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0, NULL};
}

/* Rounding apart: a penalty has the precision of a float. */
static const double ROUNDING = 2e-5;

START_TEST(rows_make_the_same_rounds_as_agents)
{
    for (int seed = 1; seed <= 6; seed++) {
        for (int n_parts = 1; n_parts <= MOST_PARTS; n_parts++) {
            struct pw_market *market =
                test_market((enum test_family)_i, 13, seed % 2 ? .5 : 1., (uint64_t)seed);
            struct pw_scales scales = pw_market_scales(market);
            struct pw_settings settings;
            struct pw_negotiation negotiation = negotiation_of(market, &settings);
            struct rounds rounds = rounds_begin_as(market, &settings);
            struct parts parts;
            make_parts(&parts, &negotiation, n_parts);
            for (int round = 1; round <= 40; round++) {
                rounds_step(&rounds);
                step_parts(&parts, 1);
                double off = difference(&parts, &rounds, &scales);
                ck_assert_msg(off <= ROUNDING, "%s, seed %d, %d parts, round %d: off by %g",
                              test_family_name((enum test_family)_i), seed, n_parts, round, off);
            }
            release_parts(&parts);
            rounds_end(&rounds);
            pw_market_destroy(market);
        }
    }
}
END_TEST

static int same_bits(double x, double y)
{
    return memcmp(&x, &y, sizeof x) == 0;
}

START_TEST(both_ends_keep_the_same_penalty_to_the_bit)
{
    struct pw_market *market = test_market((enum test_family)_i, 17, .7, 3);
    struct pw_settings settings;
    struct pw_negotiation negotiation = negotiation_of(market, &settings);
    struct parts parts;
    make_parts(&parts, &negotiation, 3);
    for (int round = 1; round <= 100; round++)
        step_parts(&parts, 0);
    for (int end = 0; end < 2 * market->n_links; end++) {
        int twin = market->end_twin[end], n = pw_market_end_agent(market, end),
            m = pw_market_end_agent(market, twin);
        ck_assert(same_bits(trade_of(&parts, n, end - market->end_first[n]).penalty,
                            trade_of(&parts, m, twin - market->end_first[m]).penalty));
    }
    release_parts(&parts);
    pw_market_destroy(market);
}
END_TEST

/* The whole run, in one process. */
START_TEST(a_run_in_bulk_ends_at_the_optimum)
{
    for (int seed = 1; seed <= 8; seed++) {
        struct pw_market *market = test_market((enum test_family)_i, 20, .6, (uint64_t)seed);
        struct pw_settings settings;
        struct pw_negotiation negotiation = negotiation_of(market, &settings);
        struct pw_transport *transport = pw_transport_loopback();
        struct pw_reference reference;
        struct pw_outcome *outcome;
        struct pw_error err;
        settings.criterion = seed % 2 ? PW_CRITERION_AUTO : PW_CRITERION_TRADE;
        ck_assert_int_eq(pw_reference_solve(market, &reference, &err), PW_OK);
        pw_bulk_negotiate(&negotiation, transport, &outcome);
        ck_assert_int_eq(outcome->summary.status, PW_CONVERGED);
        double scale = fabs(reference.social_welfare);
        ck_assert_double_le(fabs(outcome->summary.social_welfare - reference.social_welfare), 1e-3 * scale);
        ck_assert_int_eq(pw_outcome_active_trades(outcome), 0);
        pw_outcome_destroy(outcome);
        pw_transport_close(transport);
        pw_market_destroy(market);
    }
}
END_TEST

/* From where a market has ended it has nothing left to do. */
START_TEST(a_start_from_the_end_is_over_at_once)
{
    struct pw_market *market = test_market((enum test_family)_i, 20, .6, 5);
    struct pw_settings settings;
    struct pw_negotiation negotiation = negotiation_of(market, &settings);
    struct pw_transport *transport = pw_transport_loopback();
    struct pw_outcome *outcome, *again;
    settings.tolerance = 1e-6;
    pw_bulk_negotiate(&negotiation, transport, &outcome);
    struct pw_start *start = pw_start_from(outcome);
    negotiation.start = start;
    settings.tolerance = 1e-4;
    pw_bulk_negotiate(&negotiation, transport, &again);
    ck_assert_int_eq(again->summary.status, PW_CONVERGED);
    ck_assert_double_le(again->summary.iterations_mean, 4.0);
    pw_start_destroy(start);
    pw_outcome_destroy(outcome);
    pw_outcome_destroy(again);
    pw_transport_close(transport);
    pw_market_destroy(market);
}
END_TEST

START_TEST(what_bulk_cannot_do_is_named)
{
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 6, 1., 1);
    struct pw_settings settings;
    struct pw_negotiation negotiation = negotiation_of(market, &settings);
    const char *why = NULL;
    ck_assert(pw_bulk_suits(&negotiation, &why));
    settings.delta = 0.5;
    ck_assert(!pw_bulk_suits(&negotiation, &why));
    ck_assert_ptr_nonnull(strstr(why, "negotiation.delta"));
    settings.delta = 1.0;
    settings.loss = 0.1;
    ck_assert(!pw_bulk_suits(&negotiation, &why));
    ck_assert_ptr_nonnull(strstr(why, "network"));
    pw_market_destroy(market);
}
END_TEST

Suite *rows_suite(void)
{
    Suite *suite = suite_create("rows");
    TCase *tcase = tcase_create("rows");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, rows_make_the_same_rounds_as_agents, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, both_ends_keep_the_same_penalty_to_the_bit, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, a_run_in_bulk_ends_at_the_optimum, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, a_start_from_the_end_is_over_at_once, 0, N_FAMILIES);
    tcase_add_test(tcase, what_bulk_cannot_do_is_named);
    suite_add_tcase(suite, tcase);
    return suite;
}
