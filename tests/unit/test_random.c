/* Random numbers: known answers of the generator, an own implementation of it, and the laws of what is drawn.
 */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <Random123/philox.h>

#include "common/random.h"
#include "common/random_lanes.h"
#include "tests/unit/random_market.h"
#include "tests/unit/sample.h"
#include "tests/unit/suites.h"

/* Philox 4x32-10 as the paper of Salmon et al. (SC 2011) writes it. */
static void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t k0 = key[0], k1 = key[1];
    memcpy(out, counter, 4 * sizeof *out);
    for (int round = 0; round < 10; round++) {
        uint64_t x = (uint64_t)0xD2511F53 * out[0], y = (uint64_t)0xCD9E8D57 * out[2];
        uint32_t next[4] = {(uint32_t)(y >> 32) ^ out[1] ^ k0, (uint32_t)y, (uint32_t)(x >> 32) ^ out[3] ^ k1,
                            (uint32_t)x};
        memcpy(out, next, sizeof next);
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
}

/* The known answers that the authors publish for philox4x32, 10 rounds. */
START_TEST(philox_gives_the_known_answers)
{
    static const uint32_t known[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e,
         0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb,
         0x5001e420, 0x24126ea1},
    };
    for (int i = 0; i < 3; i++) {
        const uint32_t *k = known[i];
        philox4x32_ctr_t counter = {{k[0], k[1], k[2], k[3]}};
        philox4x32_key_t key = {{k[4], k[5]}};
        philox4x32_ctr_t library = philox4x32(counter, key);
        uint32_t own[4];
        philox(k, k + 4, own);
        for (int j = 0; j < 4; j++) {
            ck_assert_uint_eq(library.v[j], k[6 + j]);
            ck_assert_uint_eq(own[j], k[6 + j]);
        }
    }
}
END_TEST

static uint32_t word(struct test_rng *rng)
{
    return (uint32_t)test_uniform(rng, 0, 4294967296.0);
}

/* Every draw is the generator's output at (index, purpose and trial) under the seed, and nothing else. */
START_TEST(draws_are_what_their_key_says)
{
    struct test_rng rng = test_rng(31);
    for (int run = 0; run < 2000; run++) {
        uint32_t low = word(&rng), high = word(&rng), trial = (uint32_t)test_below(&rng, 1 << 28), out[4];
        struct pw_draw draw = {(uint64_t)high << 32 | low,
                               (enum pw_purpose)(1 + test_below(&rng, 4)),
                               {word(&rng), word(&rng), word(&rng)}};
        uint32_t counter[4] = {draw.index[0], draw.index[1], draw.index[2],
                               ((uint32_t)draw.purpose << 28) + trial};
        uint32_t key[2] = {low, high};
        double got[2];
        philox(counter, key, out);
        pw_random_uniform2(&draw, trial, got);
        for (int i = 0; i < 2; i++) { /* the upper 52 bits of 64, in the middle of their interval */
            double expected = ldexp(out[2 * i], -32) + ldexp(out[2 * i + 1] >> 12, -52) + ldexp(1, -53);
            ck_assert_double_eq(got[i], expected);
        }
        ck_assert_double_eq(pw_random_uniform(&draw, trial), got[0]);
        ck_assert_double_eq_tol(pw_random_normal(&draw, trial),
                                sqrt(-2 * log(got[0])) * cos(2 * acos(-1) * got[1]), 1e-12);
    }
}
END_TEST

/* Many keys at a time draw the same bits as one by one. */
START_TEST(many_draws_are_those_of_one_by_one)
{
    struct test_rng rng = test_rng(33);
    for (int run = 0; run < 2000; run++) {
        struct pw_draws draws = {
            (uint64_t)word(&rng) << 32 | word(&rng), (enum pw_purpose)(1 + test_below(&rng, 7)), {{0}}};
        double uniforms[PW_RANDOM_LANES], normals[PW_RANDOM_LANES];
        for (int i = 0; i < 3 * PW_RANDOM_LANES; i++)
            draws.index[i / PW_RANDOM_LANES][i % PW_RANDOM_LANES] = word(&rng);
        pw_random_uniforms(&draws, uniforms);
        pw_random_normals(&draws, normals);
        for (int i = 0; i < PW_RANDOM_LANES; i++) {
            struct pw_draw draw = {
                draws.seed, draws.purpose, {draws.index[0][i], draws.index[1][i], draws.index[2][i]}};
            ck_assert(uniforms[i] == pw_random_uniform(&draw, 0));
            ck_assert(normals[i] == pw_random_normal(&draw, 0));
        }
    }
}
END_TEST

/* The largest errors so far: of the logarithm, of its size; of the cosine, of 1. */
static void compare_functions(double u, double *log_off, double *cos_off)
{
    long double log_u = logl((long double)u), cos_u = cosl(2 * acosl(-1.0L) * (long double)u);
    *log_off = fmax(*log_off, (double)(fabsl((long double)pw_lane_log(u) - log_u) / fabsl(log_u)));
    *cos_off = fmax(*cos_off, (double)fabsl((long double)pw_lane_cos_of_turns(u) - cos_u));
}

START_TEST(logarithm_and_cosine_are_right)
{
    struct test_rng rng = test_rng(34);
    double log_off = 0.0, cos_off = 0.0;
    for (int run = 0; run < 200000; run++) {
        double u = pw_lane_unit((uint64_t)word(&rng) << 32 | word(&rng));
        compare_functions(u, &log_off, &cos_off);
        compare_functions(ldexp(u, -test_below(&rng, 52)), &log_off, &cos_off);
    }
    for (uint64_t i = 0; i < 1000; i++) { /* at both ends, the quarters, and where logarithms change over */
        const double corners[] = {0.25, 0.5, 0.75, sqrt(0.5), sqrt(0.125), 1.0 / 3.0};
        compare_functions(pw_lane_unit(i << 12), &log_off, &cos_off);
        compare_functions(pw_lane_unit(~(i << 12)), &log_off, &cos_off);
        for (int k = 0; k < 6; k++)
            compare_functions(corners[k] + ((double)i - 500.0) * DBL_EPSILON / 4, &log_off, &cos_off);
    }
    ck_assert_double_lt(log_off, 4 * DBL_EPSILON);
    ck_assert_double_lt(cos_off, 4 * DBL_EPSILON);
}
END_TEST

enum { DRAWS = 100000 };

static double uniform_law(double x, const double *parameters)
{
    (void)parameters;
    return x;
}

static double normal_law(double x, const double *parameters)
{
    (void)parameters;
    return erfc(-x / sqrt(2)) / 2;
}

/* What is varied from draw to draw. */
enum { BY_INDEX_0, BY_INDEX_1, BY_INDEX_2, BY_TRIAL, BY_SEED, BY_HIGH_SEED, WAYS };

static double draw_number(int way, int i, int normal)
{
    uint32_t n = (uint32_t)i, trial = way == BY_TRIAL ? n : 0;
    struct pw_draw draw = {1, PW_DRAW_DELAY, {7, 8, 9}};
    if (way <= BY_INDEX_2)
        draw.index[way] = n;
    if (way == BY_SEED)
        draw.seed = n;
    if (way == BY_HIGH_SEED)
        draw.seed = (uint64_t)n << 32;
    return normal ? pw_random_normal(&draw, trial) : pw_random_uniform(&draw, trial);
}

/* Counting up any part of the key gives a sample of the law whose neighbours have nothing in common. */
START_TEST(every_part_of_the_key_draws_afresh)
{
    int way = _i / 2, normal = _i % 2;
    struct sample sample = {.count = DRAWS, .values = malloc(DRAWS * sizeof(double))};
    for (int i = 0; i < DRAWS; i++)
        sample.values[i] = draw_number(way, i, normal);
    sample_measure(&sample);
    double mean = normal ? 0 : 0.5, variance = normal ? 1 : 1.0 / 12;
    ck_assert_double_le(fabs(sample.mean - mean), 5 * sqrt(variance / DRAWS));
    ck_assert_double_le(fabs(sample.variance / variance - 1), 5 * sqrt((normal ? 2 : 0.8) / DRAWS));
    ck_assert(normal || (sample.smallest > 0 && sample.largest < 1));
    for (int step = 1; step <= 4; step *= 2)
        ck_assert_double_le(fabs(sample_correlation(sample.values, sample.values + step, DRAWS - step)),
                            5 / sqrt(DRAWS));
    ck_assert_double_le(sample_distance(&sample, normal ? normal_law : uniform_law, NULL), 2.3);
    ck_assert_int_eq(sample_repeats(&sample), 0);
    free(sample.values);
}
END_TEST

/* The two numbers of a draw, and those of two purposes under one key, have nothing in common. */
START_TEST(streams_are_independent)
{
    static double first[DRAWS], second[DRAWS], other[DRAWS];
    for (int i = 0; i < DRAWS; i++) {
        double both[2];
        struct pw_draw draw = {5, PW_DRAW_LOSS, {(uint32_t)i, 0, 0}};
        pw_random_uniform2(&draw, 0, both);
        draw.purpose = PW_DRAW_DELAY;
        first[i] = both[0];
        second[i] = both[1];
        other[i] = pw_random_uniform(&draw, 0);
    }
    ck_assert_double_le(fabs(sample_correlation(first, second, DRAWS)), 5 / sqrt(DRAWS));
    ck_assert_double_le(fabs(sample_correlation(first, other, DRAWS)), 5 / sqrt(DRAWS));
    ck_assert_double_le(fabs(sample_correlation(second, other, DRAWS)), 5 / sqrt(DRAWS));
}
END_TEST

Suite *random_suite(void)
{
    Suite *suite = suite_create("random");
    TCase *tests = tcase_create("random");
    tcase_add_test(tests, philox_gives_the_known_answers);
    tcase_add_test(tests, draws_are_what_their_key_says);
    tcase_add_test(tests, many_draws_are_those_of_one_by_one);
    tcase_add_test(tests, logarithm_and_cosine_are_right);
    tcase_add_loop_test(tests, every_part_of_the_key_draws_afresh, 0, 2 * WAYS);
    tcase_add_test(tests, streams_are_independent);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return suite;
}
