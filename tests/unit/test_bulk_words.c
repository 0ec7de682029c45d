/* What the rounds of all ranks have come to, on its way to rank 0. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "coordinator/bulk_words.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

static const int sizes[] = {1, 2, 3, 32, 33, 34, 40, 65, 1000, 2500};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

START_TEST(every_rank_is_below_the_one_above_it)
{
    int size = sizes[_i], *times = pw_alloc((size_t)size, sizeof *times);
    for (int rank = 0; rank < size; rank++) {
        struct pw_bulk_words words = pw_bulk_words_of(rank, size);
        for (int below = words.first_below; below < words.first_below + words.n_below; below++) {
            ck_assert_int_lt(below, size);
            ck_assert_int_eq(pw_bulk_words_of(below, size).above, rank);
            times[below]++;
        }
    }
    for (int rank = 0; rank < size; rank++)
        ck_assert_int_eq(times[rank], rank > 0);
    ck_assert_int_eq(pw_bulk_words_of(0, size).above, -1);
    free(times);
}
END_TEST

static struct pw_bulk_word word_of(int rank)
{
    struct pw_bulk_word word = {.rounds = 5 + rank % 7, .interrupted = rank == 33};
    word.sums = (struct pw_rows_sums){.gap2 = rank,
                                      .dual2 = 2.0 * rank,
                                      .welfare = -rank,
                                      .price2 = 0.5 * rank,
                                      .mismatch = sin(rank),
                                      .excess = sin(rank + 0.5),
                                      .passes = 1};
    return word;
}

/* All ranks but 0, the last first or in any other order, until nothing moves. */
static void carry(struct pw_bulk_words *ranks, int size, struct test_rng *rng)
{
    struct pw_error err = {0};
    for (int left = size - 1; left > 0;) {
        int rank = 1 + test_below(rng, size - 1);
        if (!pw_bulk_words_are_all(&ranks[rank]))
            continue;
        struct pw_bulk_word word = pw_bulk_words_merge(&ranks[rank]);
        ck_assert(!pw_bulk_words_are_all(&ranks[rank]));
        ck_assert_int_eq(
            pw_bulk_words_take(&ranks[ranks[rank].above], rank, (unsigned char *)&word, sizeof word, &err),
            PW_OK);
        left--;
    }
}

START_TEST(rank_0_hears_of_all)
{
    int size = sizes[_i], slowest = INT32_MAX, any = 0;
    struct test_rng rng = test_rng(40 + (uint64_t)_i);
    struct pw_bulk_words *ranks = pw_alloc((size_t)size, sizeof *ranks);
    struct pw_rows_sums sums = {.mismatch = -1.0, .excess = -1.0};
    for (int rank = 0; rank < size; rank++) {
        struct pw_bulk_word early = {.rounds = 1, .interrupted = 1}, word = word_of(rank);
        ranks[rank] = pw_bulk_words_of(rank, size);
        ck_assert(!pw_bulk_words_are_all(&ranks[rank]));
        pw_bulk_words_say(&ranks[rank], &early); /* the later one counts */
        pw_bulk_words_say(&ranks[rank], &word);
        slowest = word.rounds < slowest ? word.rounds : slowest;
        any |= word.interrupted;
        sums.gap2 += word.sums.gap2;
        sums.dual2 += word.sums.dual2;
        sums.welfare += word.sums.welfare;
        sums.price2 += word.sums.price2;
        sums.passes += word.sums.passes;
        sums.mismatch = fmax(sums.mismatch, word.sums.mismatch);
        sums.excess = fmax(sums.excess, word.sums.excess);
    }
    carry(ranks, size, &rng);
    ck_assert(pw_bulk_words_are_all(&ranks[0]));
    struct pw_bulk_word all = pw_bulk_words_merge(&ranks[0]);
    ck_assert_int_eq(all.rounds, slowest);
    ck_assert_int_eq(all.interrupted, any);
    ck_assert(all.sums.gap2 == sums.gap2 && all.sums.dual2 == sums.dual2 && all.sums.price2 == sums.price2);
    ck_assert(all.sums.welfare == sums.welfare && all.sums.passes == sums.passes);
    ck_assert(all.sums.mismatch == sums.mismatch && all.sums.excess == sums.excess);
    free(ranks);
}
END_TEST

START_TEST(what_is_no_word_of_a_rank_below_is_refused)
{
    struct pw_error err = {0};
    struct pw_bulk_words words = pw_bulk_words_of(1, 40);
    struct pw_bulk_word word = word_of(3), none = {0};
    const unsigned char *bytes = (unsigned char *)&word;
    ck_assert_int_eq(pw_bulk_words_lack(&words), 33);
    static const int others[] = {-1, 0, 1, 2, 32, 40, 99};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_int_eq(pw_bulk_words_take(&words, others[i], bytes, sizeof word, &err), PW_INTERNAL);
    ck_assert_int_eq(pw_bulk_words_take(&words, 33, bytes, sizeof word - 1, &err), PW_INTERNAL);
    ck_assert_int_eq(pw_bulk_words_take(&words, 33, (unsigned char *)&none, sizeof none, &err), PW_INTERNAL);
    ck_assert_int_eq(pw_bulk_words_take(&words, 33, bytes, sizeof word, &err), PW_OK);
    ck_assert_int_eq(pw_bulk_words_lack(&words), 34);
}
END_TEST

Suite *bulk_words_suite(void)
{
    Suite *suite = suite_create("bulk_words");
    TCase *tests = tcase_create("bulk_words");
    tcase_add_loop_test(tests, every_rank_is_below_the_one_above_it, 0, N_SIZES);
    tcase_add_loop_test(tests, rank_0_hears_of_all, 0, N_SIZES);
    tcase_add_test(tests, what_is_no_word_of_a_rank_below_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
