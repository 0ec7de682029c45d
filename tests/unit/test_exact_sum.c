/* Exact sums: the same bits in any order, the nearest double of the true sum, and exactly nothing after all
 * is taken out again. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/exact_sum.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { MOST = 200 };

/* ---- An own exact sum: doubles that do not overlap, after Shewchuk (1997) ---- */

/* Adds a value to `count` parts, least first; returns how many there are then. */
static int add_to_parts(double *parts, int count, double value)
{
    int kept = 0;
    for (int i = 0; i < count; i++) {
        double x = value, y = parts[i];
        if (fabs(x) < fabs(y)) {
            double swap = x;
            x = y;
            y = swap;
        }
        volatile double sum = x + y, rest = y - (sum - x);
        if (rest < 0 || rest > 0)
            parts[kept++] = rest;
        value = sum;
    }
    parts[kept] = value;
    return kept + 1;
}

/* The nearest double of the sum: what is below the first two parts only decides a tie. */
static double total_of_parts(const double *parts, int count)
{
    volatile double high = 0, low = 0;
    int i = count;
    while (i > 0 && !(low < 0 || low > 0)) {
        volatile double x = high, y = parts[--i];
        high = x + y;
        low = y - (high - x);
    }
    if (i > 0 && ((low < 0 && parts[i - 1] < 0) || (low > 0 && parts[i - 1] > 0))) {
        volatile double twice = 2 * low, next = high + twice, back = next - high;
        if (twice == back)
            return next;
    }
    return high;
}

static double own_sum(const double *values, int count)
{
    double parts[MOST + 1];
    int n_parts = 0;
    for (int i = 0; i < count; i++)
        n_parts = add_to_parts(parts, n_parts, values[i]);
    return total_of_parts(parts, n_parts);
}

/* ---- Helpers ---- */

static double exact_sum(const double *values, int count)
{
    struct pw_exact_sum sum = {0};
    for (int i = 0; i < count; i++)
        pw_exact_add(&sum, values[i]);
    return pw_exact_value(&sum);
}

static int same_bits(double x, double y)
{
    return memcmp(&x, &y, sizeof x) == 0;
}

static void shuffle(struct test_rng *rng, double *values, int count)
{
    for (int i = count - 1; i > 0; i--) {
        int j = test_below(rng, i + 1);
        double swap = values[i];
        values[i] = values[j];
        values[j] = swap;
    }
}

/* Random doubles with exponents from a range, of either sign, some of them opposites of earlier ones. */
static int draw_values(struct test_rng *rng, int low, int high, double *values)
{
    int count = 1 + test_below(rng, MOST);
    for (int i = 0; i < count; i++) {
        double sign = test_below(rng, 2) ? 1 : -1;
        values[i] = sign * ldexp(test_uniform(rng, 0.5, 1), low + test_below(rng, high - low + 1));
        if (i > 0 && test_below(rng, 4) == 0)
            values[i] = -values[test_below(rng, i)];
    }
    return count;
}

static const struct {
    int low, high;
} ranges[] = {{-5, 5}, {-40, 40}, {-300, 300}, {-1073, -1000}, {-1073, 1010}, {1000, 1010}, {-60, 0}};
enum { RANGES = sizeof ranges / sizeof *ranges };

/* ---- Tests ---- */

START_TEST(gives_the_nearest_double_in_any_order)
{
    struct test_rng rng = test_rng(51 + (uint64_t)_i);
    for (int run = 0; run < 400; run++) {
        double values[MOST];
        int count = draw_values(&rng, ranges[_i].low, ranges[_i].high, values);
        double expected = own_sum(values, count);
        for (int order = 0; order < 4; order++) {
            double got = exact_sum(values, count);
            ck_assert_msg(same_bits(got, expected) || (got == 0 && expected == 0), "run %d: %a, not %a", run,
                          got, expected);
            shuffle(&rng, values, count);
        }
    }
}
END_TEST

/* The values spread over several sums, the sums merged in any order: the bits of one sum. */
START_TEST(merges_are_sums)
{
    enum { RANKS = 9 };
    struct test_rng rng = test_rng(61);
    for (int run = 0; run < 500; run++) {
        double values[MOST];
        int count = draw_values(&rng, ranges[run % RANGES].low, ranges[run % RANGES].high, values);
        struct pw_exact_sum sums[RANKS];
        memset(sums, 0, sizeof sums);
        for (int i = 0; i < count; i++)
            pw_exact_add(&sums[test_below(&rng, RANKS)], values[i]);
        for (int left = RANKS; left > 1; left--) {
            int into = test_below(&rng, left), from = test_below(&rng, left - 1);
            from += from >= into;
            pw_exact_merge(&sums[into], &sums[from]);
            sums[from] = sums[left - 1];
        }
        ck_assert(same_bits(pw_exact_value(&sums[0]), exact_sum(values, count)));
    }
}
END_TEST

/* Sums of nothing, more often than a limb takes additions; and what is cleared is nothing. */
START_TEST(nothing_stays_nothing)
{
    struct pw_exact_sum sum = {0}, nothing = {0};
    unsigned char bytes[sizeof sum];
    for (int i = 0; i < 3000; i++)
        pw_exact_merge(&sum, &nothing);
    ck_assert(same_bits(pw_exact_value(&sum), 0.0));
    ck_assert(sum.above == 0 && sum.below == 0);
    pw_exact_add(&sum, -0.3);
    for (int i = 0; i < 3000; i++)
        pw_exact_merge(&sum, &nothing);
    ck_assert(same_bits(pw_exact_value(&sum), -0.3));
    size_t size = pw_exact_pack(&sum, bytes);
    struct pw_exact_sum copy = {0};
    ck_assert(size <= sizeof bytes && pw_exact_unpack(&copy, bytes, size) == size);
    ck_assert(same_bits(pw_exact_value(&copy), -0.3));
    pw_exact_clear(&sum);
    ck_assert(memcmp(&sum, &nothing, sizeof sum) == 0);
    ck_assert(pw_exact_unpack(&copy, bytes, pw_exact_pack(&sum, bytes)) > 0);
}
END_TEST

START_TEST(taking_all_out_leaves_nothing)
{
    struct test_rng rng = test_rng(71);
    for (int run = 0; run < 500; run++) {
        double values[MOST];
        struct pw_exact_sum sum = {0}, other = {0};
        int count = draw_values(&rng, ranges[run % RANGES].low, ranges[run % RANGES].high, values);
        pw_exact_add(&sum, 0.1);
        for (int i = 0; i < count; i++)
            pw_exact_add(&sum, values[i]);
        shuffle(&rng, values, count);
        for (int i = 0; i < count; i++)
            pw_exact_add(run % 2 ? &sum : &other, -values[i]);
        pw_exact_merge(&sum, &other);
        ck_assert(same_bits(pw_exact_value(&sum), 0.1));
        pw_exact_add(&sum, -0.1);
        ck_assert(same_bits(pw_exact_value(&sum), 0.0));
    }
}
END_TEST

/* Ties go to the even neighbour, unless anything at all lies beyond the tie. */
START_TEST(rounds_once_to_the_nearest)
{
    const double e = DBL_EPSILON, tiny = 4.9406564584124654e-324; /* the smallest of all */
    const double sums[][4] = {
        {1, e / 2, 0, 1},
        {1, e / 2, tiny, 1 + e},
        {1, e / 2, -tiny, 1},
        {1 + e, e / 2, 0, 1 + 2 * e},
        {1 + e, e / 2, -tiny, 1 + e},
        {-1, -e / 2, 0, -1},
        {-1, -e / 2, -tiny, -1 - e},
        {1, -e / 4, 0, 1},
        {1, -e / 4, -tiny, 1 - e / 2},
        {1e16, 1, 1, 1e16 + 2},
        {DBL_MIN, -tiny, 0, DBL_MIN - tiny},
        {tiny, tiny, tiny, 3 * tiny},
        {tiny, -tiny, 0, 0},
        {DBL_MAX, tiny, -DBL_MAX, tiny},
        {DBL_MAX, -DBL_MAX, -0.0, 0},
        {DBL_MAX, DBL_MAX, -DBL_MAX, DBL_MAX},
        {-DBL_MAX, -DBL_MAX, DBL_MAX, -DBL_MAX},
        {DBL_MAX, DBL_MAX, 0, INFINITY},
        {-DBL_MAX, -DBL_MAX, 0, -INFINITY},
        {ldexp(1, 52), 0.5, 0, ldexp(1, 52)},
        {ldexp(1, 52), 1.5, 0, ldexp(1, 52) + 2},
        {ldexp(1, 60), ldexp(1, 7), tiny, ldexp(1, 60) + ldexp(1, 8)},
    };
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        ck_assert_msg(same_bits(exact_sum(sums[i], 3), sums[i][3]), "%zu: %a, not %a", i,
                      exact_sum(sums[i], 3), sums[i][3]);
    ck_assert(same_bits(exact_sum(NULL, 0), 0.0));
}
END_TEST

/* Powers of two of every size: the sum of all has all bits set, so each shift and limb is used. */
START_TEST(every_bit_has_its_place)
{
    for (int exponent = -1074; exponent <= 1023; exponent++) {
        double one = ldexp(1, exponent);
        ck_assert(same_bits(exact_sum(&one, 1), one));
        double pair[] = {-one, exponent < 1023 ? 2 * one : one};
        ck_assert(same_bits(exact_sum(pair, 2), exponent < 1023 ? one : 0));
    }
    struct pw_exact_sum sum = {0};
    for (int exponent = -1074; exponent < 1023; exponent++)
        pw_exact_add(&sum, ldexp(1, exponent));
    ck_assert(same_bits(pw_exact_value(&sum), ldexp(1, 1023))); /* rounded up */
    pw_exact_add(&sum, -ldexp(1, 1023));
    ck_assert(same_bits(pw_exact_value(&sum), -ldexp(1, -1074)));
}
END_TEST

/* A sum that is about to carry, as after half a thousand additions, and sums of large counts. */
START_TEST(carries_in_time)
{
    struct pw_exact_sum sum = {0};
    sum.additions = 509;
    for (int i = 0; i < 10; i++)
        pw_exact_add(&sum, -0.1);
    ck_assert_int_lt(sum.additions, 10);
    const double ten[] = {-.1, -.1, -.1, -.1, -.1, -.1, -.1, -.1, -.1, -.1};
    ck_assert(same_bits(pw_exact_value(&sum), own_sum(ten, 10)));
    /* Doubling by merging with itself: 2^40 times 0.1, then the same taken out. */
    struct pw_exact_sum much = {0}, less = {0};
    pw_exact_add(&much, 0.1);
    pw_exact_add(&less, -0.1);
    for (int i = 0; i < 40; i++) {
        pw_exact_merge(&much, &much);
        pw_exact_merge(&less, &less);
    }
    ck_assert(same_bits(pw_exact_value(&much), ldexp(0.1, 40)));
    pw_exact_merge(&much, &less);
    ck_assert(same_bits(pw_exact_value(&much), 0.0));
}
END_TEST

Suite *exact_sum_suite(void)
{
    Suite *suite = suite_create("exact_sum");
    TCase *tests = tcase_create("exact_sum");
    tcase_add_loop_test(tests, gives_the_nearest_double_in_any_order, 0, RANGES);
    tcase_add_test(tests, merges_are_sums);
    tcase_add_test(tests, nothing_stays_nothing);
    tcase_add_test(tests, taking_all_out_leaves_nothing);
    tcase_add_test(tests, rounds_once_to_the_nearest);
    tcase_add_test(tests, every_bit_has_its_place);
    tcase_add_test(tests, carries_in_time);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return suite;
}
