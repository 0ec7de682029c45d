/* Bursts of losses and what follows a loss, against their closed forms. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net_models/burst.h"
#include "net_models/models.h"
#include "net_models/network.h"
#include "tests/unit/delays.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { WAYS = 40, ROUNDS = 10000, MOST_LAGS = 12 };

static const struct pw_burst bursts[] = {
    {0.1, 5, 1}, {0.01, 20, 1}, {0.1, 8, 0.5}, {0.3, 3, 0.75}, {0.5, 2, 1}, {0.02, 30, 0.1}, {0.6, 10, 0.9},
};
enum { BURSTS = sizeof bursts / sizeof *bursts };

/* A sequence of transmissions of one way: 1 for each that is lost. */
struct sequence {
    unsigned char *lost;
    long count;
};

/* All transmissions of a way in the order in which they leave: each round's losses, then the one that gets
 * through. */
static struct sequence repeated(const struct pw_burst *burst, uint32_t way)
{
    struct sequence sequence = {NULL, 0};
    for (int pass = 0; pass < 2; pass++) {
        sequence.lost = calloc((size_t)sequence.count + 1, 1);
        sequence.count = 0;
        for (uint32_t round = 0; round < ROUNDS; round++) {
            uint32_t losses = pw_burst_losses(burst, 5, way, round);
            if (pass == 1)
                memset(sequence.lost + sequence.count, 1, losses);
            sequence.count += losses + 1;
        }
        if (pass == 0)
            free(sequence.lost);
    }
    return sequence;
}

static struct sequence unrepeated(const struct pw_burst *burst, uint32_t way)
{
    struct sequence sequence = {malloc(ROUNDS), ROUNDS};
    for (uint32_t round = 0; round < ROUNDS; round++)
        sequence.lost[round] = (unsigned char)pw_burst_is_lost(burst, 5, way, round);
    return sequence;
}

/* Of one way: the share lost, and the covariance with the transmission `lag` later around the true mean. */
static void measure(const struct sequence *sequence, double mean, double *figures)
{
    for (int lag = 0; lag <= MOST_LAGS; lag++) {
        double sum = 0;
        for (long i = 0; i + lag < sequence->count; i++)
            sum +=
                lag == 0 ? sequence->lost[i] : (sequence->lost[i] - mean) * (sequence->lost[i + lag] - mean);
        figures[lag] = sum / (double)(sequence->count - lag);
    }
}

/* Mean loss, and covariances bad_loss^2 bad (1 - bad) (1 - leave - enter)^lag: the ways are independent, so
 * their spread gives the standard error. */
static void expect_chain(const struct pw_burst *burst,
                         struct sequence (*draw)(const struct pw_burst *burst, uint32_t way))
{
    double sums[MOST_LAGS + 1] = {0}, squares[MOST_LAGS + 1] = {0};
    for (uint32_t way = 0; way < WAYS; way++) {
        double figures[MOST_LAGS + 1];
        struct sequence sequence = draw(burst, way);
        measure(&sequence, burst->loss, figures);
        free(sequence.lost);
        for (int lag = 0; lag <= MOST_LAGS; lag++) {
            sums[lag] += figures[lag] / WAYS;
            squares[lag] += figures[lag] * figures[lag] / WAYS;
        }
    }
    double bad = burst->loss / burst->bad_loss, leave = 1 / burst->length, enter = leave * bad / (1 - bad);
    for (int lag = 0; lag <= MOST_LAGS; lag++) {
        double expected =
            lag == 0 ? burst->loss
                     : burst->bad_loss * burst->bad_loss * bad * (1 - bad) * pow(1 - leave - enter, lag);
        double error = sqrt((squares[lag] - sums[lag] * sums[lag]) / (WAYS - 1));
        ck_assert_msg(fabs(sums[lag] - expected) <= 5 * error + 1e-5, "%g %g %g, lag %d: %g, not %g (%g)",
                      burst->loss, burst->length, burst->bad_loss, lag, sums[lag], expected, error);
    }
}

START_TEST(repeated_transmissions_run_through_the_chain)
{
    expect_chain(&bursts[_i], repeated);
}
END_TEST

START_TEST(single_transmissions_run_through_the_chain)
{
    expect_chain(&bursts[_i], unrepeated);
}
END_TEST

/* Where a bad spell loses everything, the runs of losses are the spells: their mean length is the setting's.
 */
START_TEST(spells_have_their_length)
{
    static const struct pw_burst tried[] = {{0.1, 5, 1}, {0.01, 20, 1}, {0.5, 2, 1}, {0.3, 1.5, 1}};
    for (int k = 0; k < 4; k++) {
        double lost = 0, spells = 0;
        for (uint32_t way = 0; way < 2 * WAYS; way++) {
            struct sequence sequence = (way & 1 ? repeated : unrepeated)(&tried[k], way);
            for (long i = 1; i < sequence.count; i++) {
                lost += sequence.lost[i];
                spells += sequence.lost[i] && !sequence.lost[i - 1];
            }
            free(sequence.lost);
        }
        /* The length is geometric, with a standard deviation below its mean. */
        ck_assert_double_le(fabs(lost / spells / tried[k].length - 1), 5 / sqrt(spells));
    }
}
END_TEST

static struct pw_network lossy(double loss, double length, enum pw_retransmit retransmit)
{
    return (struct pw_network){.model = &pw_delay_exponential,
                               .delay = LAW(1, 0, 0.5),
                               .loss = loss,
                               .burst_length = length,
                               .burst_loss = 0.75,
                               .retransmit = retransmit,
                               .retransmit_s = 0.25,
                               .retransmit_max_s = 1.5,
                               .seed = 7};
}

/* The same passage whatever was asked before; links and directions have nothing in common. */
START_TEST(passages_are_pure)
{
    enum { COUNT = 4000 };
    static double losses[2][COUNT];
    struct test_rng rng = test_rng(4);
    for (enum pw_retransmit kind = PW_RETRANSMIT_FIXED; kind <= PW_RETRANSMIT_NEVER; kind++) {
        struct pw_network network = lossy(0.3, 6, kind);
        int wrong = 0;
        for (uint32_t i = 0; i < COUNT; i++) {
            losses[0][i] = pw_network_pass(&network, i / 40, 0, i % 40).losses;
            losses[1][i] = pw_network_pass(&network, i / 40, 1, i % 40).losses;
        }
        for (int run = 0; run < 3 * COUNT; run++) {
            uint32_t i = (uint32_t)test_below(&rng, COUNT), way = (uint32_t)test_below(&rng, 2);
            wrong += pw_network_pass(&network, i / 40, way, i % 40).losses != losses[way][i];
        }
        ck_assert_int_eq(wrong, 0);
        /* Rounds of a way go together, which widens the spread by less than three. */
        ck_assert_double_le(fabs(sample_correlation(losses[0], losses[1], COUNT)), 15 / sqrt(COUNT));
        network.seed = 8;
        for (uint32_t i = 0; i < COUNT; i++)
            wrong += pw_network_pass(&network, i / 40, 0, i % 40).losses != losses[0][i];
        ck_assert_int_gt(wrong, COUNT / 10);
    }
}
END_TEST

START_TEST(impossible_bursts_are_refused)
{
    static const struct {
        struct pw_burst burst;
        int good;
        const char *text;
    } tried[] = {
        {{0.5, 2, 1}, 1, ""},
        {{0.5, 1.999, 1}, 0, "at least 2 is expected"},
        {{0, 1, 1}, 1, ""},
        {{0.5, 100, 0.5}, 0, "raise burst_loss"},
        {{0.6, 100, 0.5}, 0, "raise"},
        {{0.1, 1.25, 0.5}, 1, ""},
    };
    for (size_t k = 0; k < sizeof tried / sizeof *tried; k++) {
        struct pw_error err = {0};
        ck_assert_int_eq(pw_burst_check(&tried[k].burst, &err), tried[k].good ? PW_OK : PW_USAGE);
        ck_assert_ptr_nonnull(strstr(err.text, tried[k].text));
    }
}
END_TEST

/* ---- What follows a loss ---- */

START_TEST(repetitions_wait_as_told)
{
    static const double doubling[] = {0, 0.25, 0.75, 1.75, 3.25, 4.75, 6.25};
    struct pw_network fixed = lossy(0.3, 0, PW_RETRANSMIT_FIXED),
                      doubled = lossy(0.3, 0, PW_RETRANSMIT_DOUBLING);
    for (uint32_t losses = 0; losses < 7; losses++) {
        ck_assert_double_eq(pw_network_wait_s(&fixed, losses), losses * 0.25);
        ck_assert_double_eq(pw_network_wait_s(&doubled, losses), doubling[losses]);
    }
    doubled.retransmit_s = 0;
    ck_assert_double_eq(pw_network_wait_s(&doubled, 100), 0);
    doubled.retransmit_s = doubled.retransmit_max_s = 2;
    ck_assert_double_eq(pw_network_wait_s(&doubled, 3), 6);
}
END_TEST

/* Passages of both kinds lose the same and differ by their waits; where nothing is repeated, those are lost
 * for good that the others repeat, and nothing else changes. */
START_TEST(kinds_of_repetition_differ_by_their_waits)
{
    struct pw_network fixed = lossy(0.3, 0, PW_RETRANSMIT_FIXED),
                      doubled = lossy(0.3, 0, PW_RETRANSMIT_DOUBLING),
                      never = lossy(0.3, 0, PW_RETRANSMIT_NEVER);
    int lost = 0, wrong = 0;
    for (uint32_t i = 0; i < 5000; i++) {
        struct pw_passage a = pw_network_pass(&fixed, i, 0, i % 9),
                          b = pw_network_pass(&doubled, i, 0, i % 9),
                          c = pw_network_pass(&never, i, 0, i % 9);
        double shift = pw_network_wait_s(&doubled, a.losses) - pw_network_wait_s(&fixed, a.losses);
        wrong += a.losses != b.losses || fabs(b.delay_s - a.delay_s - shift) > 1e-12;
        wrong += a.lost_for_good || b.lost_for_good || c.lost_for_good != (a.losses > 0);
        wrong += c.lost_for_good ? c.losses != 1 : c.losses != 0 || c.delay_s != a.delay_s;
        lost += c.lost_for_good;
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_double_le(fabs(lost / 5000.0 - 0.3), 5 * sqrt(0.3 * 0.7 / 5000));
}
END_TEST

START_TEST(times_stay_within_range)
{
    struct pw_network network = lossy(1 - 1e-9, 0, PW_RETRANSMIT_DOUBLING);
    network.retransmit_max_s = 86400;
    ck_assert_double_eq(pw_network_pass(&network, 0, 0, 0).delay_s, 1e9);
}
END_TEST

Suite *losses_suite(void)
{
    Suite *suite = suite_create("losses");
    TCase *chain = tcase_create("bursts"), *after = tcase_create("after a loss");
    tcase_set_timeout(chain, 120);
    tcase_add_loop_test(chain, repeated_transmissions_run_through_the_chain, 0, BURSTS);
    tcase_add_loop_test(chain, single_transmissions_run_through_the_chain, 0, BURSTS);
    tcase_add_test(chain, spells_have_their_length);
    tcase_add_test(chain, passages_are_pure);
    tcase_add_test(chain, impossible_bursts_are_refused);
    tcase_add_test(after, repetitions_wait_as_told);
    tcase_add_test(after, kinds_of_repetition_differ_by_their_waits);
    tcase_add_test(after, times_stay_within_range);
    suite_add_tcase(suite, chain);
    suite_add_tcase(suite, after);
    return suite;
}
