/* The automatic penalty: both ends hold the same one, units do not matter, and it needs few rounds. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/penalty.h"
#include "coordinator/reference.h"
#include "tests/unit/random_market.h"
#include "tests/unit/rounds.h"
#include "tests/unit/suites.h"

static struct pw_rules rules(int adapt)
{
    return (struct pw_rules){.exchange = PW_PAIRED,
                             .relaxation = pw_relaxation_auto(PW_PAIRED),
                             .stiffness = 4,
                             .synchronous = 1,
                             .adapt_penalty = adapt};
}

static double *start_values(const struct pw_market *market)
{
    struct pw_scales scales = pw_market_scales(market);
    double *penalty = pw_alloc((size_t)market->n_links, sizeof(double));
    pw_penalty_fill(market, &scales, penalty);
    return penalty;
}

/* ---- Both ends ---- */

static int same_bits(double x, double y)
{
    return memcmp(&x, &y, sizeof x) == 0;
}

/* Compares the two ends of all links; counts the links whose penalty is not its start value any more. */
static int expect_same_at_both_ends(const struct rounds *rounds, const double *start)
{
    const struct pw_market *market = rounds->market;
    int n_moved = 0;
    for (int end = 0; end < 2 * market->n_links; end++) {
        int n = pw_market_end_agent(market, end), twin = market->end_twin[end];
        int m = pw_market_end_agent(market, twin);
        const struct pw_agent *here = rounds->agents[n], *there = rounds->agents[m];
        int slot = end - market->end_first[n], other = twin - market->end_first[m];
        ck_assert(same_bits(here->penalty[slot], there->penalty[other]));
        ck_assert(same_bits(here->peer_s[slot], there->s[other]));
        ck_assert(same_bits(here->gap_sum2[slot], there->gap_sum2[other]));
        ck_assert(same_bits(here->move_sum2[slot], there->move_sum2[other]));
        n_moved += !same_bits(here->penalty[slot], start[market->end_link[end]]);
    }
    return n_moved;
}

START_TEST(both_ends_hold_the_same_penalty_to_the_bit)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct pw_market *market = test_market((enum test_family)_i, 12, .6, seed);
        double *start = start_values(market);
        struct pw_rules adapting = rules(1);
        struct rounds rounds = rounds_begin(market, &adapting, start);
        int n_moved = 0;
        for (int round = 0; round < 60; round++) {
            rounds_step(&rounds);
            n_moved = expect_same_at_both_ends(&rounds, start);
        }
        ck_assert_int_gt(n_moved, 0);
        rounds_end(&rounds);
        free(start);
        pw_market_destroy(market);
    }
}
END_TEST

/* ---- Rounds ---- */

static void until_gap(const struct pw_market *market, const double *penalty, int adapt, int most,
                      int gap[ROUNDS_GAPS])
{
    struct pw_reference reference;
    struct pw_error err = {.text = ""};
    struct pw_scales scales = pw_market_scales(market);
    ck_assert_msg(pw_reference_solve(market, &reference, &err) == PW_OK, "%s", err.text);
    struct rounds_options options = {.rules = rules(adapt),
                                     .penalty = penalty,
                                     .optimum = reference.social_welfare,
                                     .scale = fabs(reference.social_welfare) + scales.price * scales.power,
                                     .gap = {1e-4, 1e-6},
                                     .max_rounds = most};
    struct rounds_result result = rounds_run(market, &options);
    memcpy(gap, result.gap, sizeof result.gap);
}

static void automatic(const struct pw_market *market, int gap[ROUNDS_GAPS])
{
    double *start = start_values(market);
    until_gap(market, start, 1, 4000, gap);
    free(start);
}

/* Powers of 4 scale every number, and every square root, without rounding: the rounds are the same. */
START_TEST(other_units_need_the_same_rounds)
{
    static const double units[][2] = {{1048576, 1}, {1, 1048576}, {1. / 1048576, 1}, {4096, 1. / 1048576}};
    int plain[ROUNDS_GAPS], scaled[ROUNDS_GAPS];
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct pw_market *market = test_market((enum test_family)_i, 14, .5, seed);
        automatic(market, plain);
        ck_assert_int_lt(plain[1], 4000);
        for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
            struct pw_market *other = test_market((enum test_family)_i, 14, .5, seed);
            test_scale_market(other, units[k][0], units[k][1]);
            automatic(other, scaled);
            ck_assert_int_eq(scaled[0], plain[0]);
            ck_assert_int_eq(scaled[1], plain[1]);
            pw_market_destroy(other);
        }
        pw_market_destroy(market);
    }
}
END_TEST

/* The fewest rounds of one rho for all links, by hand, from 1/1000 to 1000 times the median start value. */
static void best_uniform(const struct pw_market *market, int best[ROUNDS_GAPS])
{
    double *penalty = start_values(market), middle = penalty[market->n_links / 2];
    best[0] = best[1] = 2000;
    for (int k = 0; k <= 24; k++) {
        int step = (k + 1) / 2 * (k % 2 == 1 ? 1 : -1), gap[ROUNDS_GAPS];
        for (int l = 0; l < market->n_links; l++)
            penalty[l] = middle * pow(10, step / 4.0);
        until_gap(market, penalty, 0, best[1] + best[1] / 2 + 60, gap);
        for (int i = 0; i < ROUNDS_GAPS; i++)
            best[i] = gap[i] < best[i] ? gap[i] : best[i];
    }
    free(penalty);
}

START_TEST(no_penalty_by_hand_is_much_better)
{
    int gap[ROUNDS_GAPS], best[ROUNDS_GAPS];
    for (uint64_t seed = 101; seed <= 103; seed++) {
        struct pw_market *market = test_market((enum test_family)_i, 16, .7, seed);
        automatic(market, gap);
        best_uniform(market, best);
        for (int i = 0; i < ROUNDS_GAPS; i++)
            ck_assert_msg(gap[i] <= 1.5 * best[i], "%s, seed %lu: %d rounds, %d by hand",
                          test_family_name((enum test_family)_i), (unsigned long)seed, gap[i], best[i]);
        pw_market_destroy(market);
    }
}
END_TEST

/* Half consumers, half producers, joined one way with a probability, and nobody else. */
static struct pw_market *two_sided(int n, double density, uint64_t seed)
{
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, n, density, seed);
    for (int l = 0; l < market->n_links; l++) /* the supplier of last resort stays out of the way */
        if (market->link_a[l] == n)
            market->t_min[l] = market->t_max[l] = 0;
    market->p_min[2 * n] = market->p_max[2 * n] = 0;
    return market;
}

static struct rounds_result until_residuals(const struct pw_market *market)
{
    struct pw_reference reference;
    struct pw_error err = {.text = ""};
    ck_assert_msg(pw_reference_solve(market, &reference, &err) == PW_OK, "%s", err.text);
    double *start = start_values(market);
    struct rounds_options options = {.rules = rules(1),
                                     .penalty = start,
                                     .optimum = reference.social_welfare,
                                     .scale = fabs(reference.social_welfare),
                                     .residual = 1e-2,
                                     .max_rounds = 1000};
    struct rounds_result result = rounds_run(market, &options);
    free(start);
    return result;
}

START_TEST(a_two_sided_market_needs_few_rounds)
{
    static const struct {
        int agents, most;
        double density;
    } rows[] = {{24, 40, 1}, {100, 40, 1}, {200, 60, .1}};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct pw_market *market = two_sided(rows[_i].agents, rows[_i].density, seed);
        struct rounds_result result = until_residuals(market);
        ck_assert_int_le(result.residual, rows[_i].most);
        ck_assert_double_le(fabs(result.residual_gap), 1e-3);
        pw_market_destroy(market);
    }
}
END_TEST

Suite *penalty_suite(void)
{
    Suite *suite = suite_create("penalty");
    TCase *tests = tcase_create("penalty");
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, both_ends_hold_the_same_penalty_to_the_bit, 0, N_FAMILIES);
    tcase_add_loop_test(tests, other_units_need_the_same_rounds, 0, N_FAMILIES);
    tcase_add_loop_test(tests, no_penalty_by_hand_is_much_better, 0, N_FAMILIES);
    tcase_add_loop_test(tests, a_two_sided_market_needs_few_rounds, 0, 3);
    suite_add_tcase(suite, tests);
    return suite;
}
