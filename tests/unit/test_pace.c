/* How fast agents are: factors, stragglers and pauses, against their closed forms. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net_models/pace.h"
#include "tests/unit/random_market.h"
#include "tests/unit/sample.h"
#include "tests/unit/suites.h"

enum { AGENTS = 50000 };
static const int64_t SECOND = 1000000000;

static struct pw_pace even(double compute_s)
{
    return (struct pw_pace){.compute_s = compute_s, .spread = 1, .straggler_factor = 1, .seed = 3};
}

static struct pw_pace pausing(double compute_s, double every_s, double pause_s)
{
    struct pw_pace pace = even(compute_s);
    pace.pause_every_s = every_s;
    pace.pause_s = pause_s;
    return pace;
}

START_TEST(even_agents_take_compute_s)
{
    struct pw_pace pace = even(0.0625), nothing = even(0);
    for (uint32_t agent = 0; agent < 100; agent++) {
        ck_assert_int_eq(pw_pace_finish(&pace, agent, 7), 62500007);
        ck_assert_int_eq(pw_pace_finish(&nothing, agent, 7), 7);
    }
    ck_assert(pw_pace_least_ns(&pace) == 62500000 && pw_pace_mean_ns(&pace) == 62500000);
    ck_assert(pw_pace_least_ns(&nothing) == 0 && pw_pace_mean_ns(&nothing) == 0);
}
END_TEST

static double log_uniform_law(double x, const double *parameters)
{
    return (log(x) / log(parameters[0]) + 1) / 2;
}

START_TEST(factors_are_log_uniform)
{
    static const double spreads[] = {1.25, 4, 1000};
    for (int k = 0; k < 3; k++) {
        struct pw_pace pace = even(1);
        pace.spread = spreads[k];
        struct sample sample = {.count = AGENTS, .values = malloc(AGENTS * sizeof(double))};
        for (uint32_t agent = 0; agent < AGENTS; agent++)
            sample.values[agent] = (double)pw_pace_solve_ns(&pace, agent) * 1e-9;
        sample_measure(&sample);
        double mean = (double)pw_pace_mean_ns(&pace) * 1e-9, least = (double)pw_pace_least_ns(&pace) * 1e-9;
        ck_assert_double_le(fabs(sample.mean - mean), 5 * sqrt(sample.variance / AGENTS));
        ck_assert(sample.smallest >= least && sample.smallest <= least * 1.01);
        ck_assert(sample.largest <= spreads[k] + 1e-9 && sample.largest >= 0.99 * spreads[k]);
        ck_assert_double_le(sample_distance(&sample, log_uniform_law, &spreads[k]), 2.3);
        free(sample.values);
    }
}
END_TEST

START_TEST(stragglers_are_a_share)
{
    static const double shares[] = {0, 0.1, 1};
    for (int k = 0; k < 3; k++) {
        struct pw_pace pace = even(2);
        pace.stragglers = shares[k];
        pace.straggler_factor = 8;
        double slow = 0;
        for (uint32_t agent = 0; agent < AGENTS; agent++) {
            int64_t took = pw_pace_finish(&pace, agent, 0);
            ck_assert(took == 2 * SECOND || took == 16 * SECOND);
            slow += took > 2 * SECOND;
        }
        ck_assert_double_le(fabs(slow / AGENTS - shares[k]), 5 * sqrt(shares[k] * (1 - shares[k]) / AGENTS));
        ck_assert_int_eq(pw_pace_least_ns(&pace), (k == 2 ? 16 : 2) * SECOND);
        ck_assert_int_eq(pw_pace_mean_ns(&pace), llround((2 + 14 * shares[k]) * 1e9));
    }
}
END_TEST

static const double pauses[][2] = {{1, 0.25}, {1, 1}, {0.5, 3}, {100, 0.001}};

/* At any instant a share pause / (every + pause) of the agents pauses: what would end at once ends later. */
START_TEST(agents_pause_for_their_share)
{
    double every = pauses[_i][0], length = pauses[_i][1], share = length / (every + length);
    struct pw_pace pace = pausing(0, every, length);
    static const double times_s[] = {0, 0.3, 1.7, 1000, 123456789};
    for (int k = 0; k < 5; k++) {
        int64_t start = (int64_t)(times_s[k] * 1e9);
        double paused = 0;
        for (uint32_t agent = 0; agent < AGENTS; agent++) {
            int64_t end = pw_pace_finish(&pace, agent, start);
            ck_assert(end >= start && end - start <= (int64_t)((length + fmin(every, length)) * 1e9) + 1);
            paused += end > start;
        }
        ck_assert_double_le(fabs(paused / AGENTS - share), 5 * sqrt(share * (1 - share) / AGENTS));
    }
}
END_TEST

/* The pauses of one agent, walked through: mean length and mean time between, in random spans. */
START_TEST(pauses_have_their_lengths)
{
    enum { PAUSES = 2000 };
    double every = pauses[_i][0], length = pauses[_i][1], paused = 0;
    struct pw_pace pace = pausing(0, every, length);
    int64_t step = (int64_t)(fmin(every, length) * 1e9) / 50, now = 0, first = -1, count = 0;
    step = every > 50 ? (int64_t)(length * 1e9) / 4 : step;
    for (; count < (every > 50 ? 20 : PAUSES); now += step) {
        int64_t end = pw_pace_finish(&pace, 5, now);
        if (end == now)
            continue;
        if (first < 0)
            first = end;
        else
            paused += (double)(end - now) * 1e-9;
        count += end > first;
        now = end;
    }
    double span = (double)(now - first) * 1e-9, tolerance = every > 50 ? 0.6 : 0.05;
    ck_assert_double_le(fabs(paused / (double)count / length - 1), tolerance);
    ck_assert_double_le(fabs(span / (double)count / (every + length) - 1), tolerance);
}
END_TEST

/* A solve runs while its agent does not pause: two solves one after the other take as long as one of both; a
 * later start never ends earlier; over many pauses the time is stretched by 1 + pause / every. */
START_TEST(solves_wait_for_pauses)
{
    double every = pauses[_i][0], length = pauses[_i][1];
    struct pw_pace one = pausing(0.7 * every, every, length), two = pausing(1.4 * every, every, length),
                   many = pausing(500 * every, every, length);
    struct test_rng rng = test_rng(8);
    for (uint32_t agent = 0; agent < 500; agent++) {
        int64_t start = (int64_t)(test_uniform(&rng, 0, 1000) * 1e9),
                middle = pw_pace_finish(&one, agent, start);
        int64_t end = pw_pace_finish(&two, agent, start);
        ck_assert_int_ge(middle - start, pw_pace_least_ns(&one));
        ck_assert_int_le(llabs(pw_pace_finish(&one, agent, middle) - end), 1);
        ck_assert_int_ge(pw_pace_finish(&one, agent, start + 12345), middle);
        double stretch =
            (double)(pw_pace_finish(&many, agent, start) - start) / (double)pw_pace_solve_ns(&many, agent);
        ck_assert_double_le(fabs(stretch / (1 + length / every) - 1), 0.15);
    }
}
END_TEST

START_TEST(pace_is_pure)
{
    enum { COUNT = 3000 };
    struct pw_pace pace = pausing(0.3, 1, 0.5), other;
    struct test_rng rng = test_rng(9);
    static int64_t first[COUNT];
    int wrong = 0, different = 0;
    pace.spread = 3;
    pace.stragglers = 0.2;
    pace.straggler_factor = 4;
    for (uint32_t i = 0; i < COUNT; i++)
        first[i] = pw_pace_finish(&pace, i % 70, (int64_t)i * SECOND / 7);
    for (int run = 0; run < 3 * COUNT; run++) {
        uint32_t i = (uint32_t)test_below(&rng, COUNT);
        wrong += pw_pace_finish(&pace, i % 70, (int64_t)i * SECOND / 7) != first[i];
    }
    ck_assert_int_eq(wrong, 0);
    other = pace;
    other.seed++;
    for (uint32_t i = 0; i < COUNT; i++)
        different += pw_pace_finish(&other, i % 70, (int64_t)i * SECOND / 7) != first[i];
    ck_assert_int_gt(different, COUNT * 9 / 10);
}
END_TEST

START_TEST(too_many_pauses_are_refused)
{
    static const struct {
        double compute_s, every_s;
        int good;
    } tried[] = {{1, 0, 1}, {1, 1e-4, 1}, {1, 0.99e-4, 0}, {0, 1e-6, 1}, {0, 0.99e-6, 0}, {86400, 9, 1}};
    for (size_t k = 0; k < sizeof tried / sizeof *tried; k++) {
        struct pw_error err;
        struct pw_pace pace = pausing(tried[k].compute_s, tried[k].every_s, 1);
        ck_assert_int_eq(pw_pace_check(&pace, &err), tried[k].good ? PW_OK : PW_USAGE);
    }
}
END_TEST

START_TEST(long_solves_stay_within_range)
{
    struct pw_pace pace = pausing(86400, 10, 86400);
    pace.spread = pace.straggler_factor = 1000;
    pace.stragglers = 1;
    pace.pause_every_s = 0;
    for (uint32_t agent = 0; agent < 100; agent++)
        ck_assert_int_gt(pw_pace_finish(&pace, agent, 1000 * SECOND), 1000 * SECOND);
}
END_TEST

Suite *pace_suite(void)
{
    enum { PAIRS = sizeof pauses / sizeof *pauses };
    Suite *suite = suite_create("pace");
    TCase *speed = tcase_create("speed"), *pause = tcase_create("pauses");
    tcase_set_timeout(pause, 60);
    tcase_add_test(speed, even_agents_take_compute_s);
    tcase_add_test(speed, factors_are_log_uniform);
    tcase_add_test(speed, stragglers_are_a_share);
    tcase_add_loop_test(pause, agents_pause_for_their_share, 0, PAIRS);
    tcase_add_loop_test(pause, pauses_have_their_lengths, 0, PAIRS);
    tcase_add_loop_test(pause, solves_wait_for_pauses, 0, PAIRS);
    tcase_add_test(pause, pace_is_pure);
    tcase_add_test(pause, too_many_pauses_are_refused);
    tcase_add_test(pause, long_solves_stay_within_range);
    suite_add_tcase(suite, speed);
    suite_add_tcase(suite, pause);
    return suite;
}
