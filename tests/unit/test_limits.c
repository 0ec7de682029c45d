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

/* Whoever writes a supplier as two assets, to buy from and to sell to, may leave both without limit. */
START_TEST(a_supplier_in_two_assets_may_have_no_limit)
{
    static const double sizes[] = {50, 1e6, 1e9, 1e13};
    double welfare = 0.0;
    for (int k = 0; k < 4; k++) {
        const double rows[][5] = {{0, 0, 6, 0.01, 0.02},     {1, 0, 4, 0.02, 0.05},
                                  {2, -4, -0.5, 0.05, 0.35}, {3, -3, -1, 0.03, 0.4},
                                  {4, -7, 0, 0.02, 0.28},    {5, 0, sizes[k], 0, 0.3},
                                  {5, -sizes[k], 0, 0, 0.06}};
        struct pw_market *market = test_market_of(6, 7, rows);
        struct pw_reference reference;
        struct pw_error err;
        test_link_all(market);
        ck_assert_msg(pw_reference_solve(market, &reference, &err) == PW_OK, "%s", err.text);
        welfare = k == 0 ? reference.social_welfare : welfare;
        ck_assert_double_eq_tol(reference.social_welfare, welfare, 1e-8);
        pw_market_destroy(market);
    }
}
END_TEST

/* Two large ones that trade more with each other than all others could: what was cut is not their optimum.
 * One buys all at 6, the other costs 5 + 1e-4 p: it sells where that is 6, less what the others leave. */
START_TEST(a_minority_may_trade_beyond_the_cut)
{
    static const double rows[][5] = {{0, -5, -5, 0, 9}, {1, 0, 6, 0, 9},      {2, -5, -5, 0, 9},
                                     {3, 0, 6, 0, 9},   {4, -1e7, 1e7, 0, 6}, {5, -1e7, 1e7, 1e-4, 5}};
    struct pw_market *market = test_market_of(6, 6, rows);
    struct pw_reference reference;
    struct pw_error err;
    test_link_all(market);
    struct pw_limits limits = pw_limits_make(market);
    ck_assert(limits.are_several && limits.p_max[4] == 2200.0);
    pw_limits_release(&limits);
    ck_assert_msg(pw_reference_solve(market, &reference, &err) == PW_OK, "%s", err.text);
    ck_assert_double_eq_tol(reference.power_injected, 1e4, 1e-5);
    ck_assert_double_eq_tol(reference.price_mean, 6.0, 1e-8);
    /* 10 of load at 9, served at a price of 6, and (6 - 5)^2 / (2 * 1e-4) of the two. */
    ck_assert_double_eq_tol(reference.social_welfare, 10 * (9 - 6) + 5000, 1e-5);
    pw_market_destroy(market);
}
END_TEST

/* Beside 1e30 the rest keeps its digits. */
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
    tcase_add_test(tests, a_supplier_in_two_assets_may_have_no_limit);
    tcase_add_test(tests, a_minority_may_trade_beyond_the_cut);
    tcase_add_test(tests, two_without_limit_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
