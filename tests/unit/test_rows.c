/* Agents in rows against the same agents one by one: the same rounds, however many ranks share them. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/rows_internal.h"
#include "common/memory.h"
#include "common/penalty.h"
#include "coordinator/bulk.h"
#include "coordinator/reference.h"
#include "tests/unit/random_market.h"
#include "tests/unit/rounds.h"
#include "tests/unit/rows_parts.h"
#include "tests/unit/suites.h"

/* In rows on so many ranks as one by one. Returns the bytes of an end, on the rank that takes most. */
static double check_rounds(const struct pw_market *market, int n_rounds, int n_parts, const char *what,
                           int seed)
{
    struct pw_scales scales = pw_market_scales(market);
    struct pw_settings settings;
    struct pw_negotiation negotiation = rows_parts_negotiation(market, &settings);
    struct rounds rounds = rounds_begin_as(market, &settings);
    struct rows_parts parts;
    double most = 0.0;
    rows_parts_make(&parts, &negotiation, n_parts);
    for (int round = 1; round <= n_rounds; round++) {
        rounds_step(&rounds);
        rows_parts_step(&parts, 1);
        double off = rows_parts_difference(&parts, &rounds, &scales);
        ck_assert_msg(off <= ROWS_ROUNDING, "%s, seed %d, %d parts, round %d: off by %g", what, seed, n_parts,
                      round, off);
    }
    for (int part = 0; part < n_parts; part++) {
        const struct pw_rows *rows = parts.bulk[part].rows;
        most = fmax(most, pw_rows_bytes(rows) / (double)pw_rows_n_ends(rows));
    }
    rows_parts_release(&parts);
    rounds_end(&rounds);
    return most;
}

START_TEST(rows_make_the_same_rounds_as_agents)
{
    for (int seed = 1; seed <= 6; seed++) {
        for (int n_parts = 1; n_parts <= ROWS_MOST_PARTS; n_parts++) {
            struct pw_market *market =
                test_market((enum test_family)_i, 13, seed % 2 ? .5 : 1., (uint64_t)seed);
            check_rounds(market, 40, n_parts, test_family_name((enum test_family)_i), seed);
            pw_market_destroy(market);
        }
    }
}
END_TEST

/* What links may be limited by, and the bytes that an end then takes beyond the least. */
static const struct limits {
    const char *name;
    double low, low_more, high, high_more; /* bounds, and what each link has more than the one before */
    double fee_a, fee_b, fee_more;
    int more_bytes;
} LIMITS[] = {
    {"none", 0, 0, INFINITY, 0, 0, 0, 0, 0},
    {"one fee for all", 0, 0, INFINITY, 0, .2, .2, 0, 0},
    {"sellers and buyers have a fee each", 0, 0, INFINITY, 0, .1, .3, 0, 0},
    {"a fee by link, alike at both ends", 0, 0, INFINITY, 0, .1, .1, .01, 8},
    {"fees by end", 0, 0, INFINITY, 0, .1, .3, .01, 16},
    {"trades are forced on all", .2, 0, INFINITY, 0, 0, 0, 0, 16},
    {"a limit by link, one way", 0, 0, 1, .1, .1, .3, 0, 8},
    {"a limit and a fee by link, one way", 0, 0, 1, .1, .1, .1, .01, 16},
    {"a limit by link, the other way", -1, -.1, 0, 0, .1, .3, 0, 8},
    {"a limit by link, alike both ways", -1, -.1, 1, .1, .1, .3, 0, 8},
    {"limits by link, both ways", -1, -.2, 1, .1, .1, .3, 0, 16},
    {"limits and fees by end", 0, .001, 1, .1, .1, .3, .01, 32},
};

/* Sellers, each linked with some buyers, others than the next has. */
static struct pw_market *make_sides(uint64_t seed, const struct limits *limits)
{
    enum { EACH = 13 };
    struct test_rng rng = test_rng(seed);
    double assets[2 * EACH][5] = {{0}};
    for (int n = 0; n < 2 * EACH; n++) {
        double size = test_uniform(&rng, 5, 20), a = test_uniform(&rng, .1, .5);
        int sells = (n < EACH) == (limits->high > 0.0); /* else the second half does */
        double row[] = {n, sells ? 0 : -size, sells ? size : 0, a, test_uniform(&rng, 1, 4)};
        pw_copy_reals(assets[n], row, 5);
    }
    struct pw_market *market = test_market_of(2 * EACH, 2 * EACH, (const double(*)[5])assets);
    pw_market_set_link_count(market, EACH * EACH);
    int l = 0;
    for (int pair = 0; pair < EACH * EACH; pair++) {
        if (test_below(&rng, 2))
            continue;
        market->link_a[l] = pair / EACH;
        market->link_b[l] = EACH + pair % EACH;
        market->t_min[l] = limits->low + l * limits->low_more;
        market->t_max[l] = limits->high + l * limits->high_more;
        market->fee_a[l] = limits->fee_a + l * limits->fee_more;
        market->fee_b[l] = limits->fee_b + l * limits->fee_more;
        l++;
    }
    market->n_links = l;
    pw_market_index(market);
    return market;
}

/* 48 bytes, and 16 more where trades go one way, or each way as far, each by its own limit and fee. Only one
 * rank has ends of both sides. */
START_TEST(what_does_not_differ_by_end_takes_no_room)
{
    const struct limits *limits = &LIMITS[_i];
    for (int seed = 1; seed <= 4; seed++) {
        struct pw_market *market = make_sides((uint64_t)seed, limits);
        for (int n_parts = 1; n_parts <= ROWS_MOST_PARTS; n_parts++) {
            double bytes = check_rounds(market, 20, n_parts, limits->name, seed);
            ck_assert_msg(n_parts == 1 ? bytes == 48.0 + limits->more_bytes
                                       : bytes <= 48.0 + limits->more_bytes,
                          "%s: %g bytes", limits->name, bytes);
        }
        pw_market_destroy(market);
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
    struct pw_negotiation negotiation = rows_parts_negotiation(market, &settings);
    struct rows_parts parts;
    rows_parts_make(&parts, &negotiation, 3);
    for (int round = 1; round <= 100; round++)
        rows_parts_step(&parts, 0);
    for (int end = 0; end < 2 * market->n_links; end++) {
        int twin = market->end_twin[end], n = pw_market_end_agent(market, end),
            m = pw_market_end_agent(market, twin);
        ck_assert(same_bits(rows_parts_trade(&parts, n, end - market->end_first[n]).penalty,
                            rows_parts_trade(&parts, m, twin - market->end_first[m]).penalty));
    }
    rows_parts_release(&parts);
    pw_market_destroy(market);
}
END_TEST

/* What this processor can run. */
static int list_kernels(const struct pw_row_kernel *kernels[3])
{
    int count = 0;
    kernels[count++] = &pw_row_kernel_plain;
#ifdef PW_HAS_VECTOR_KERNELS
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        kernels[count++] = &pw_row_kernel_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        kernels[count++] = &pw_row_kernel_avx512;
#endif
    return count;
}

/* All ends of all agents side by side. */
static void compare_bits(const struct rows_parts *one, const struct rows_parts *other,
                         const struct pw_market *market)
{
    for (int end = 0; end < 2 * market->n_links; end++) {
        int n = pw_market_end_agent(market, end), slot = end - market->end_first[n];
        struct pw_rows_trade x = rows_parts_trade(one, n, slot), y = rows_parts_trade(other, n, slot);
        ck_assert(same_bits(x.mine, y.mine) && same_bits(x.price, y.price) &&
                  same_bits(x.penalty, y.penalty));
    }
    for (int n = 0; n < market->n_agents; n++)
        ck_assert(same_bits(rows_parts_moved(one, n).power2, rows_parts_moved(other, n).power2));
}

/* Two halves that do not trade with each other: as far each way, or not at all; within any bounds, or not at
 * all. */
static struct pw_market *make_halves(uint64_t seed)
{
    enum { AGENTS = 16 };
    struct test_rng rng = test_rng(seed);
    double assets[AGENTS][5] = {{0}};
    for (int n = 0; n < AGENTS; n++) {
        double row[] = {n, n % 2 ? -20 : 0, n % 2 ? 0 : 20, test_uniform(&rng, .1, .5),
                        test_uniform(&rng, -4, 4)};
        pw_copy_reals(assets[n], row, 5);
    }
    struct pw_market *market = test_market_of(AGENTS, AGENTS, (const double(*)[5])assets);
    pw_market_set_link_count(market, AGENTS * AGENTS);
    int l = 0;
    for (int pair = 0; pair < AGENTS * AGENTS; pair++) {
        int a = pair / AGENTS, b = pair % AGENTS, is_second = a >= AGENTS / 2;
        if (a >= b || is_second != (b >= AGENTS / 2))
            continue;
        double reach = (double)test_below(&rng, 3);
        market->link_a[l] = a;
        market->link_b[l] = b;
        market->t_min[l] = is_second && reach > 0.0 ? -.5 : 0.0 - reach;
        market->t_max[l++] = reach;
    }
    market->n_links = l;
    pw_market_index(market);
    return market;
}

/* How the bounds lie to each other, and so how they are kept, differs between ranks; trades do not, nor the
 * signs of those that are nothing. */
START_TEST(how_bounds_are_kept_does_not_show)
{
    struct pw_market *market = make_halves((uint64_t)_i);
    struct pw_settings settings;
    struct pw_negotiation negotiation = rows_parts_negotiation(market, &settings);
    struct rows_parts alone, halves;
    rows_parts_make(&alone, &negotiation, 1);
    rows_parts_make(&halves, &negotiation, 2);
    ck_assert_int_eq(alone.bulk[0].rows->spec.bounds, PW_ROWS_ANY_BOUNDS);
    ck_assert_int_eq(halves.bulk[0].rows->spec.bounds, PW_ROWS_MIRRORED);
    for (int round = 1; round <= 30; round++) {
        rows_parts_step(&alone, 1);
        rows_parts_step(&halves, 1);
        compare_bits(&alone, &halves, market);
    }
    rows_parts_release(&alone);
    rows_parts_release(&halves);
    pw_market_destroy(market);
}
END_TEST

/* Between two looks the groups where the last one found the worst bound the worst of all from below: in the
 * round of the look they are the worst. Nothing else depends on who looks when. */
START_TEST(the_worst_are_watched_between_looks)
{
    struct pw_market *market = test_market((enum test_family)_i, 57, .6, 8);
    struct pw_settings settings;
    struct pw_negotiation negotiation = rows_parts_negotiation(market, &settings);
    struct rows_parts watched, looked, told;
    rows_parts_make(&watched, &negotiation, 1);
    rows_parts_make(&looked, &negotiation, 1);
    rows_parts_make(&told, &negotiation, 1);
    for (int round = 1; round <= 40; round++) {
        int looks = round > 8 && round % 4 == 0;
        struct pw_rows_sums some = pw_rows_step(watched.bulk[0].rows, looks);
        struct pw_rows_sums all = pw_rows_step(looked.bulk[0].rows, 1);
        memcpy(told.bulk[0].rows->watched, looked.bulk[0].rows->watched, sizeof looked.bulk[0].rows->watched);
        struct pw_rows_sums worst = pw_rows_step(told.bulk[0].rows, 0);
        ck_assert(same_bits(worst.mismatch, all.mismatch) && same_bits(worst.excess, all.excess));
        ck_assert(same_bits(some.gap2, all.gap2) && same_bits(some.dual2, all.dual2));
        ck_assert(some.mismatch <= all.mismatch && some.excess <= all.excess);
        ck_assert(!looks || (same_bits(some.mismatch, all.mismatch) && same_bits(some.excess, all.excess)));
        ck_assert(round > 8 || (some.mismatch == 0.0 && some.excess == 0.0));
    }
    rows_parts_step(&watched, 1);
    rows_parts_step(&looked, 1);
    compare_bits(&watched, &looked, market);
    rows_parts_release(&watched);
    rows_parts_release(&looked);
    rows_parts_release(&told);
    pw_market_destroy(market);
}
END_TEST

/* Every other round all hear their neighbours, so that trades wait in between. */
static void hear_all(struct rows_parts *parts, int round)
{
    for (int part = 0; part < parts->placement.n_ranks; part++) {
        struct pw_bulk_rows *bulk = &parts->bulk[part];
        for (int i = 0; i < bulk->n_neighbours; i++)
            pw_rows_hear(bulk->rows, bulk->neighbours[i].first_visitor, bulk->neighbours[i].n_in, round);
    }
}

START_TEST(every_kernel_finds_the_same_bits)
{
    const struct pw_row_kernel *kernels[3];
    int n_kernels = list_kernels(kernels);
    struct pw_market *market = test_market((enum test_family)_i, 19, .8, 5);
    for (int is_paced = 0; is_paced < 2; is_paced++) {
        struct pw_settings settings;
        struct pw_negotiation negotiation = rows_parts_negotiation(market, &settings);
        struct rows_parts parts[3];
        settings.delta = is_paced ? .5 : 1.;
        for (int k = 0; k < n_kernels; k++) {
            rows_parts_make(&parts[k], &negotiation, 2);
            for (int part = 0; part < 2; part++)
                parts[k].bulk[part].rows->kernel = kernels[k];
        }
        for (int round = 1; round <= 60; round++) {
            for (int k = 0; k < n_kernels; k++) {
                rows_parts_step(&parts[k], round % 3 == 0);
                if (is_paced && round % 2 == 1)
                    hear_all(&parts[k], (round + 1) / 2);
            }
            for (int k = 1; k < n_kernels; k++)
                compare_bits(&parts[0], &parts[k], market);
        }
        for (int k = 0; k < n_kernels; k++)
            rows_parts_release(&parts[k]);
    }
    pw_market_destroy(market);
}
END_TEST

/* The whole run, in one process. */
START_TEST(a_run_in_bulk_ends_at_the_optimum)
{
    for (int seed = 1; seed <= 8; seed++) {
        struct pw_market *market = test_market((enum test_family)_i, 20, .6, (uint64_t)seed);
        struct pw_settings settings;
        struct pw_negotiation negotiation = rows_parts_negotiation(market, &settings);
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
    struct pw_negotiation negotiation = rows_parts_negotiation(market, &settings);
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
    struct pw_negotiation negotiation = rows_parts_negotiation(market, &settings);
    const char *why = NULL;
    ck_assert(pw_bulk_suits(&negotiation, &why));
    settings.delta = 0.5;
    ck_assert(pw_bulk_suits(&negotiation, &why));
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
    tcase_add_loop_test(tcase, how_bounds_are_kept_does_not_show, 1, 7);
    tcase_add_loop_test(tcase, what_does_not_differ_by_end_takes_no_room, 0,
                        (int)(sizeof LIMITS / sizeof *LIMITS));
    tcase_add_loop_test(tcase, both_ends_keep_the_same_penalty_to_the_bit, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, every_kernel_finds_the_same_bits, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, the_worst_are_watched_between_looks, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, a_run_in_bulk_ends_at_the_optimum, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, a_start_from_the_end_is_over_at_once, 0, N_FAMILIES);
    tcase_add_test(tcase, what_bulk_cannot_do_is_named);
    suite_add_tcase(suite, tcase);
    return suite;
}
