/* Limits that cannot matter: an asset without limit is the same as one with more than all others can take. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "common/limits.h"
#include "common/penalty.h"
#include "coordinator/reference.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

/* The sizes of all assets but those of the last agent, which gets one limit both ways. */
static double set_supplier(struct pw_market *market, double limit)
{
    double others = 0.0;
    int first = market->asset_first[market->n_agents - 1];
    for (int i = 0; i < first; i++)
        others += fmax(fabs(market->p_min[i]), fabs(market->p_max[i]));
    for (int i = first; i < market->n_assets; i++) {
        market->p_min[i] = -limit;
        market->p_max[i] = limit;
    }
    return others;
}

START_TEST(no_limit_is_any_limit)
{
    static const double without[] = {1e9, 1e12, 1e15, 1e20, 1e30};
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct pw_market *market = test_market((enum test_family)_i, 9, 0.5, seed);
        struct pw_reference within, beyond;
        struct pw_error err;
        double others = set_supplier(market, 0.0);
        set_supplier(market, 2.0 * others); /* which no balance reaches */
        ck_assert_int_eq(pw_reference_solve(market, &within, &err), PW_OK);
        set_supplier(market, 200.0 * others);
        struct pw_scales scales = pw_market_scales(market);
        for (int k = 0; k < 5; k++) {
            set_supplier(market, without[k]);
            ck_assert_msg(pw_reference_solve(market, &beyond, &err) == PW_OK, "%g: %s", without[k], err.text);
            ck_assert_double_eq_tol(beyond.social_welfare, within.social_welfare,
                                    1e-6 * (1 + fabs(within.social_welfare)));
            struct pw_scales same = pw_market_scales(market);
            if (market->n_assets ==
                market->asset_first[market->n_agents - 1] + 1) { /* one asset is so large */
                ck_assert_double_eq_tol(same.price, scales.price, 1e-12 * scales.price);
                ck_assert_double_eq_tol(same.power, scales.power, 1e-12 * scales.power);
            }
        }
        pw_market_destroy(market);
    }
}
END_TEST

START_TEST(ordinary_limits_stay)
{
    struct pw_market *market = test_market((enum test_family)_i, 12, 0.5, 3);
    struct pw_limits limits = pw_limits_make(market);
    ck_assert_ptr_null(limits.cut);
    ck_assert_ptr_eq(limits.p_min, market->p_min);
    ck_assert_ptr_eq(limits.p_max, market->p_max);
    pw_limits_release(&limits);
    pw_market_destroy(market);
}
END_TEST

/* Fifteen digits beside what the others come to, and a sum of the others that is exact. */
START_TEST(what_is_cut_is_a_hundred_times_the_others)
{
    static const double rows[][5] = {{0, -3, -1, 0.1, 9}, {1, 0, 0.5, 0.1, 3}, {2, -1e25, 1e30, 0, 6}};
    struct pw_market *market = test_market_of(3, 3, rows);
    struct pw_limits limits = pw_limits_make(market);
    ck_assert_ptr_nonnull(limits.cut);
    for (int i = 0; i < 2; i++) {
        ck_assert(limits.p_min[i] == market->p_min[i]);
        ck_assert(limits.p_max[i] == market->p_max[i]);
    }
    ck_assert(limits.p_min[2] == -350.0);
    ck_assert(limits.p_max[2] == 350.0);
    pw_limits_release(&limits);
    pw_market_destroy(market);
}
END_TEST

/* Two that trade without limit with each other leave no digits for the rest: that is said. */
START_TEST(two_without_limit_are_refused)
{
    static const double rows[][5] = {
        {0, -5, -3, 0.1, 9}, {1, 0, 6, 0.1, 3}, {2, -1e12, 1e12, 0.01, 6}, {3, -1e12, 1e12, 0.02, 6.1}};
    struct pw_market *market = test_market_of(4, 4, rows);
    struct pw_reference reference;
    struct pw_error err;
    test_link_all(market);
    ck_assert_int_eq(pw_reference_solve(market, &reference, &err), PW_USAGE);
    ck_assert_ptr_nonnull(strstr(err.text, "several assets have limits of up to 1e+12"));
    pw_market_destroy(market);
}
END_TEST

Suite *limits_suite(void)
{
    Suite *suite = suite_create("limits");
    TCase *tests = tcase_create("limits");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, no_limit_is_any_limit, 0, N_FAMILIES);
    tcase_add_loop_test(tests, ordinary_limits_stay, 0, N_FAMILIES);
    tcase_add_test(tests, what_is_cut_is_a_hundred_times_the_others);
    tcase_add_test(tests, two_without_limit_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
