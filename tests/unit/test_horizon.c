/* A market over its time slots: warm starts, bills, what is kept of a slot. */
#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/bills.h"
#include "common/memory.h"
#include "common/outcome_pack.h"
#include "coordinator/clock.h"
#include "coordinator/horizon.h"
#include "coordinator/opening.h"
#include "coordinator/reference.h"
#include "coordinator/signals.h"
#include "coordinator/start.h"
#include "tests/unit/clearing.h"
#include "tests/unit/random_market.h"
#include "tests/unit/rounds.h"
#include "tests/unit/run_slots.h"
#include "tests/unit/suites.h"

/* Profiles that shift limits and prices of every asset a little from slot to slot, feasible as long as what
 * is fixed stays so. */
static struct pw_profiles *drift(const struct pw_market *market, int slots, double size, uint64_t seed)
{
    struct test_rng rng = test_rng(seed);
    struct pw_profiles *profiles = pw_alloc(1, sizeof *profiles);
    int count = market->n_assets;
    profiles->n_assets = count;
    profiles->n_rows = slots * count;
    profiles->rows = pw_alloc((size_t)profiles->n_rows, sizeof *profiles->rows);
    double **kept[] = {&profiles->p_min, &profiles->p_max, &profiles->a, &profiles->b};
    const double *from[] = {market->p_min, market->p_max, market->a, market->b};
    for (int k = 0; k < 4; k++)
        memcpy(*kept[k] = pw_alloc((size_t)count, sizeof(double)), from[k], (size_t)count * sizeof(double));
    for (int i = 0; i < profiles->n_rows; i++) {
        int asset = i % count;
        profiles->rows[i] = (struct pw_profile_row){.slot = i / count,
                                                    .asset = asset,
                                                    .p_min = market->p_min[asset],
                                                    .p_max = market->p_max[asset],
                                                    .a = market->a[asset],
                                                    .b = market->b[asset] + test_uniform(&rng, -size, size)};
    }
    return profiles;
}

static struct pw_settings virtual_settings(int slots, int warm)
{
    struct pw_settings settings;
    pw_settings_default(&settings);
    settings.clock = PW_CLOCK_VIRTUAL;
    settings.compute_s = 0.001;
    settings.slots_count = slots;
    settings.slots_length_h = 0.5;
    settings.warm_start = warm;
    settings.tolerance = 1e-5;
    return settings;
}

static void check_slots(struct pw_market *market, const struct pw_settings *settings,
                        const struct pw_profiles *profiles, const struct pw_horizon *horizon)
{
    for (int slot = 0; slot < horizon->n_done; slot++) {
        char text[200];
        pw_profiles_apply(profiles, slot, market);
        struct test_clearing clearing = test_measure(market, settings, horizon->outcomes[slot]);
        const char *fault = test_clearing_fault(&clearing, settings, 0, text, sizeof text);
        ck_assert_msg(fault[0] == '\0', "slot %d: %s", slot, fault);
    }
}

/* Whatever a slot starts from, it ends at its own market's optimum; and needs fewer rounds for little
 * changes. */
START_TEST(warm_and_cold_starts_end_at_the_optimum)
{
    enum { SLOTS = 6 };
    struct pw_market *market = test_market((enum test_family)(_i % N_FAMILIES), 12, 0.7, 7000 + (uint64_t)_i);
    struct pw_profiles *profiles = drift(market, SLOTS, 0.01, 100 + (uint64_t)_i);
    struct pw_settings warm = virtual_settings(SLOTS, 1), cold = virtual_settings(SLOTS, 0);
    if (_i >= N_FAMILIES)
        warm.delta = cold.delta = 0.4;
    struct pw_horizon after_warm = test_run_slots(market, &warm, profiles),
                      after_cold = test_run_slots(market, &cold, profiles);
    check_slots(market, &warm, profiles, &after_warm);
    check_slots(market, &cold, profiles, &after_cold);
    struct pw_summary sum = pw_outcome_sum_up(after_warm.outcomes, SLOTS),
                      other = pw_outcome_sum_up(after_cold.outcomes, SLOTS);
    ck_assert_int_eq(sum.status, PW_CONVERGED);
    ck_assert_msg(sum.iterations_mean < 0.9 * other.iterations_mean,
                  "%g rounds after warm starts, %g after cold", sum.iterations_mean, other.iterations_mean);
    pw_horizon_release(&after_warm);
    pw_horizon_release(&after_cold);
    pw_profiles_destroy(profiles);
    pw_market_destroy(market);
}
END_TEST

/* Nothing has changed: the first offers are the last ones of before, and one solve finds that out. */
START_TEST(an_unchanged_slot_is_over_at_once)
{
    struct pw_market *market = test_market((enum test_family)_i, 12, 0.7, 7100 + (uint64_t)_i);
    struct pw_settings settings = virtual_settings(3, 1);
    struct pw_horizon horizon = test_run_slots(market, &settings, NULL);
    ck_assert_msg(horizon.outcomes[2]->summary.iterations_mean < 5.0, "%g solves per agent",
                  horizon.outcomes[2]->summary.iterations_mean);
    check_slots(market, &settings, NULL, &horizon);
    pw_horizon_release(&horizon);
    pw_market_destroy(market);
}
END_TEST

/* What no longer fits, in closed form: a seller whose assets are gone lacks all that it sold. And a market in
 * which all that sell now ask for far more starts from nothing. */
START_TEST(a_slot_starts_from_nothing_where_too_much_has_changed)
{
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 12, 1.0, 7600 + (uint64_t)_i);
    struct pw_profiles *profiles = drift(market, 2, 0.01, 400 + (uint64_t)_i);
    struct pw_settings warm = virtual_settings(2, 1), cold = virtual_settings(2, 0);
    struct pw_horizon first = test_run_slots(market, &warm, NULL);
    struct pw_start *start = pw_start_from(first.outcomes[0]);
    ck_assert_double_lt(pw_start_misfit(start, market), 1e-3);
    double traded = 0.0, *power = first.outcomes[0]->power;
    int most = 0;
    for (int n = 0; n < market->n_agents; n++) {
        traded += fabs(power[n]);
        most = power[n] > power[most] ? n : most;
    }
    for (int k = market->asset_first[most]; k < market->asset_first[most + 1]; k++)
        market->p_min[k] = market->p_max[k] = 0.0;
    ck_assert_double_eq_tol(pw_start_misfit(start, market), power[most] / traded, 1e-3);
    pw_start_destroy(start);
    pw_horizon_release(&first);
    for (int i = 0; i < profiles->n_rows; i++)
        if (profiles->rows[i].slot == 1 && profiles->rows[i].p_max > 0.0)
            profiles->rows[i].b += 4.0;
    struct pw_horizon after_warm = test_run_slots(market, &warm, profiles),
                      after_cold = test_run_slots(market, &cold, profiles);
    ck_assert(after_warm.outcomes[1]->summary.end_time_s == after_cold.outcomes[1]->summary.end_time_s);
    check_slots(market, &warm, profiles, &after_warm);
    pw_horizon_release(&after_warm);
    pw_horizon_release(&after_cold);
    pw_profiles_destroy(profiles);
    pw_market_destroy(market);
}
END_TEST

/* ---- Price calls ---- */

static struct pw_market *market_of_all(uint64_t seed, double fee)
{
    struct pw_market *market = test_market(FAMILY_BOTH_SIDES, 12, 1.0, seed);
    for (int l = 0; l < market->n_links; l++)
        market->fee_a[l] = market->fee_b[l] = fee;
    return market;
}

START_TEST(calls_are_for_markets_of_one_price)
{
    struct pw_market *market = market_of_all(7800, 0.1);
    struct pw_market *sides = test_market(FAMILY_TWO_SIDED, 12, 1.0, 7800);
    ck_assert(pw_opening_suits(market));
    ck_assert(!pw_opening_suits(sides));
    market->fee_b[market->n_links / 2] = 0.2;
    ck_assert(!pw_opening_suits(market));
    pw_market_destroy(market);
    pw_market_destroy(sides);
}
END_TEST

/* One asset of slope a: sells (price - fee - b) / a, buys (price + fee - b) / a, nothing between. */
START_TEST(a_call_takes_the_fee_off)
{
    static const double prices[] = {3.0, 2.05, 1.0}, powers[] = {1.8, 0.0, -1.8}, slopes[] = {2.0, 0.0, 2.0};
    struct pw_market *market = market_of_all(7801, 0.1);
    int k = market->asset_first[3];
    for (int i = k + 1; i < market->asset_first[4]; i++)
        market->p_min[i] = market->p_max[i] = 0.0;
    market->a[k] = 0.5;
    market->b[k] = 2.0;
    market->p_min[k] = -50.0;
    market->p_max[k] = 50.0;
    for (int i = 0; i < 3; i++) {
        struct pw_call call = pw_opening_call(market, 3, 0, prices[i], 1e-3);
        ck_assert_double_eq_tol(call.power, powers[i], 1e-12);
        ck_assert_double_eq_tol(call.slope, slopes[i], 1e-9);
    }
    pw_market_destroy(market);
}
END_TEST

/* Whatever has changed, the calls end near the optimum that code of its own finds; the market, a few rounds
 * later. */
START_TEST(calls_open_near_the_optimum)
{
    enum { SLOTS = 5 };
    struct pw_market *market = market_of_all(7900 + (uint64_t)_i, _i % 2 ? 0.05 : 0.0);
    struct pw_profiles *profiles = drift(market, SLOTS, 1.0, 500 + (uint64_t)_i);
    struct pw_settings warm = virtual_settings(SLOTS, PW_WARM_YES),
                       cold = virtual_settings(SLOTS, PW_WARM_NO);
    warm.clock = cold.clock = PW_CLOCK_WALL;
    warm.compute_s = cold.compute_s = 0.0;
    struct pw_horizon after_warm = test_run_slots(market, &warm, profiles),
                      after_cold = test_run_slots(market, &cold, profiles);
    check_slots(market, &warm, profiles, &after_warm);
    check_slots(market, &cold, profiles, &after_cold);
    double rounds = 0.0, others = 0.0;
    for (int slot = 1; slot < SLOTS; slot++) {
        rounds += after_warm.outcomes[slot]->summary.iterations_mean;
        others += after_cold.outcomes[slot]->summary.iterations_mean;
    }
    ck_assert_msg(rounds < 0.5 * others, "%g rounds with calls, %g from nothing", rounds, others);

    struct pw_start *start = pw_start_from(after_warm.outcomes[0]);
    struct pw_transport *alone = pw_transport_loopback();
    struct pw_negotiation negotiation = {market, &warm, PW_PROGRESS_NONE, INT64_MAX, NULL, SLOTS - 1,
                                         NULL,   NULL};
    struct pw_reference reference;
    struct pw_error err;
    pw_profiles_apply(profiles, SLOTS - 1, market);
    ck_assert_int_eq(pw_reference_solve(market, &reference, &err), PW_OK);
    int calls = pw_opening_make(&negotiation, alone, start);
    ck_assert(calls >= 1 && calls <= 6);
    ck_assert_double_eq_tol(rounds_welfare(market, start->trade), reference.social_welfare,
                            1e-3 * fabs(reference.social_welfare));
    pw_transport_close(alone);
    pw_start_destroy(start);
    pw_horizon_release(&after_warm);
    pw_horizon_release(&after_cold);
    pw_profiles_destroy(profiles);
    pw_market_destroy(market);
}
END_TEST

/* Of a run that is cut off no slot is kept. */
static void check_nothing_is_done(struct pw_market *market, const struct pw_settings *settings,
                                  int64_t deadline_ns)
{
    struct pw_transport *alone = pw_transport_loopback();
    struct pw_horizon horizon;
    struct pw_error err;
    struct pw_horizon_spec spec = {.market = market,
                                   .settings = settings,
                                   .progress = PW_PROGRESS_NONE,
                                   .deadline_ns = deadline_ns,
                                   .transport = alone,
                                   .optimum = pw_horizon_optimum};
    pw_horizon_init(&horizon, settings);
    ck_assert_int_eq(pw_horizon_run(&spec, &horizon, &err), PW_OK);
    ck_assert_int_eq(horizon.n_done, 0);
    ck_assert(horizon.is_cut);
    pw_horizon_release(&horizon);
    pw_transport_close(alone);
}

/* A slot that the command's limit of time ends is not done, be it within its tolerances: by itself it would
 * have ended later, and a run that goes on after it would end with other numbers. */
START_TEST(a_slot_cut_off_near_its_end_is_not_done)
{
    static const int clocks[] = {PW_CLOCK_VIRTUAL, PW_CLOCK_WALL, PW_CLOCK_WALL};
    static const int bulks[] = {PW_BULK_AUTO, PW_BULK_YES, PW_BULK_NO};
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 12, 1, 4);
    struct pw_settings settings = virtual_settings(3, PW_WARM_NO);
    settings.clock = clocks[_i];
    settings.bulk = bulks[_i];
    settings.primal = settings.dual = settings.price = 1e6; /* every solved state is within */
    settings.trade_power = settings.trade_price = 1e-12;    /* but no trade ever rests */
    settings.criterion = PW_CRITERION_TRADE;
    check_nothing_is_done(market, &settings, pw_clock_ns());
    pw_market_destroy(market);
}
END_TEST

/* Agents that trade with nobody are done at once, before anybody looks for signals; but after one nobody
 * waits for the optimum beside any more. */
START_TEST(a_slot_without_the_optimum_that_it_should_have_is_not_done)
{
    struct pw_market *market = pw_market_create(2, 1, 2, 0);
    struct pw_settings settings = virtual_settings(3, PW_WARM_NO);
    for (int i = 0; i < 2; i++) {
        market->asset_first[i + 1] = i + 1;
        market->p_min[i] = -1.0;
        market->p_max[i] = market->a[i] = market->b[i] = 1.0;
    }
    pw_market_index(market);
    pw_signals_listen();
    ck_assert_int_eq(raise(SIGTERM), 0);
    check_nothing_is_done(market, &settings, INT64_MAX);
    pw_market_destroy(market);
}
END_TEST

/* Each slot has delays of its own, but the first has those of a run without slots. */
START_TEST(slots_have_draws_of_their_own)
{
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 8, 1.0, 7200);
    struct pw_settings slots = virtual_settings(2, 0), one = virtual_settings(1, 0);
    strcpy(slots.delay_model, "exponential");
    slots.delay_mean_s = 0.1;
    strcpy(one.delay_model, "exponential");
    one.delay_mean_s = 0.1;
    struct pw_horizon two = test_run_slots(market, &slots, NULL), alone = test_run_slots(market, &one, NULL);
    ck_assert(two.outcomes[0]->summary.end_time_s == alone.outcomes[0]->summary.end_time_s);
    ck_assert(two.outcomes[1]->summary.end_time_s != alone.outcomes[0]->summary.end_time_s);
    pw_horizon_release(&two);
    pw_horizon_release(&alone);
    pw_market_destroy(market);
}
END_TEST

/* ---- Bills ---- */

static double total(const double *values, int count)
{
    double sum = 0.0;
    for (int i = 0; i < count; i++)
        sum += values[i];
    return sum;
}

static void check_same(double x, double y, double scale, const char *what)
{
    ck_assert_msg(fabs(x - y) <= 1e-9 * scale, "%s: %.17g and %.17g", what, x, y);
}

/* Every euro paid is received by somebody or is a fee; every agent's energy adds up with its remainder. */
START_TEST(bills_add_up)
{
    enum { SLOTS = 3 };
    struct pw_market *market = test_market((enum test_family)_i, 14, 0.6, 7300 + (uint64_t)_i);
    for (int l = 0; l < market->n_links; l++)
        market->fee_a[l] += 0.01 * (l % 3);
    struct pw_profiles *profiles = drift(market, SLOTS, 0.5, 300);
    struct pw_settings settings = virtual_settings(SLOTS, 1);
    struct pw_horizon horizon = test_run_slots(market, &settings, profiles);
    struct pw_bills *bills = pw_bills_create(market, horizon.outcomes, SLOTS, 0.5);
    struct pw_summary sum = pw_outcome_sum_up(horizon.outcomes, SLOTS);
    int agents = market->n_agents;
    double paid = total(bills->paid, agents), fees = total(bills->fees, agents);
    check_same(paid, total(bills->received, agents), fabs(paid), "paid and received");
    check_same(fees, sum.fees_collected * SLOTS * 0.5, fees, "fees");
    check_same(total(bills->balance, agents), -fees, fabs(paid) + fees, "balances");
    check_same(total(bills->energy_bought, agents), sum.power_traded * SLOTS * 0.5, sum.power_traded * 2,
               "energy");
    for (int n = 0; n < agents; n++) {
        double power = 0.0, through = bills->energy_sold[n] + bills->energy_bought[n];
        for (int slot = 0; slot < SLOTS; slot++)
            power += horizon.outcomes[slot]->power[n] * 0.5;
        check_same(power, bills->energy_sold[n] - bills->energy_bought[n] + bills->energy_remainder[n],
                   through + fabs(power) + 1e-3, "an agent's energy");
    }
    pw_bills_destroy(bills);
    pw_horizon_release(&horizon);
    pw_profiles_destroy(profiles);
    pw_market_destroy(market);
}
END_TEST

/* ---- What is kept of a slot ---- */

START_TEST(an_outcome_survives_packing)
{
    struct pw_market *market = test_market(FAMILY_ASSETS, 9, 0.8, 7400);
    struct pw_settings settings = virtual_settings(1, 1);
    settings.timeline = 1;
    struct pw_horizon horizon = test_run_slots(market, &settings, NULL);
    const struct pw_outcome *outcome = horizon.outcomes[0];
    size_t size = pw_outcome_pack_size(outcome);
    unsigned char *bytes = pw_alloc(size, 1), *again = pw_alloc(size, 1);
    pw_outcome_pack(outcome, bytes);
    struct pw_outcome *copy = pw_outcome_unpack(bytes, size);
    ck_assert_ptr_nonnull(copy);
    ck_assert(outcome->n_events > 0 && copy->n_events == outcome->n_events);
    ck_assert(memcmp(copy->trade, outcome->trade, (size_t)outcome->n_links * sizeof(double)) == 0);
    ck_assert(memcmp(copy->events, outcome->events, (size_t)outcome->n_events * sizeof *copy->events) == 0);
    pw_outcome_pack(copy, again);
    ck_assert(memcmp(bytes, again, size) == 0);
    for (size_t cut = 0; cut < size; cut += 1 + size / 97)
        ck_assert_ptr_null(pw_outcome_unpack(bytes, cut));
    free(bytes);
    free(again);
    pw_outcome_destroy(copy);
    pw_horizon_release(&horizon);
    pw_market_destroy(market);
}
END_TEST

/* Bytes of any kind are refused or become an outcome, never more. */
START_TEST(wild_bytes_do_no_harm)
{
    struct test_rng rng = test_rng(99);
    struct pw_outcome *small = pw_outcome_create(2, 1, 1);
    size_t size = pw_outcome_pack_size(small);
    unsigned char *bytes = pw_alloc(size, 1);
    for (int trial = 0; trial < 20000; trial++) {
        pw_outcome_pack(small, bytes);
        for (int i = 0; i < 3; i++)
            bytes[test_below(&rng, 24)] = (unsigned char)test_below(&rng, 256);
        pw_outcome_destroy(pw_outcome_unpack(bytes, size));
    }
    free(bytes);
    pw_outcome_destroy(small);
}
END_TEST

Suite *horizon_suite(void)
{
    Suite *suite = suite_create("horizon");
    TCase *slots = tcase_create("slots"), *bills = tcase_create("bills"), *kept = tcase_create("kept");
    tcase_set_timeout(slots, 60);
    tcase_add_loop_test(slots, warm_and_cold_starts_end_at_the_optimum, 0, 2 * N_FAMILIES);
    tcase_add_loop_test(slots, an_unchanged_slot_is_over_at_once, 0, N_FAMILIES);
    tcase_add_loop_test(slots, a_slot_starts_from_nothing_where_too_much_has_changed, 0, 4);
    tcase_add_test(slots, calls_are_for_markets_of_one_price);
    tcase_add_test(slots, a_call_takes_the_fee_off);
    tcase_add_loop_test(slots, calls_open_near_the_optimum, 0, 12);
    tcase_add_loop_test(slots, a_slot_cut_off_near_its_end_is_not_done, 0, 3);
    tcase_add_test(slots, a_slot_without_the_optimum_that_it_should_have_is_not_done);
    tcase_add_test(slots, slots_have_draws_of_their_own);
    tcase_add_loop_test(bills, bills_add_up, 0, N_FAMILIES);
    tcase_add_test(kept, an_outcome_survives_packing);
    tcase_add_test(kept, wild_bytes_do_no_harm);
    suite_add_tcase(suite, slots);
    suite_add_tcase(suite, bills);
    suite_add_tcase(suite, kept);
    return suite;
}
