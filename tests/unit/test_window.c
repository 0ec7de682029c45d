/* What ranks tell rank 0, as bytes that are broken: it is refused. What comes through is in test_course.c. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/roll.h"
#include "coordinator/window.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

/* Changes of all links and agents in several stretches. */
static void take_some(struct pw_tally *tally, const struct pw_market *market)
{
    struct test_rng rng = test_rng(5);
    struct pw_changes changes = {0};
    for (int64_t time_ns = 0; time_ns < 8000; time_ns += 700) {
        for (int l = 0; l < market->n_links; l++)
            pw_changes_add_gap(&changes, time_ns, l, test_uniform(&rng, 0, 1e3));
        for (int n = 0; n < market->n_agents; n++)
            *pw_changes_add_solve(&changes, time_ns, n, 0.0) =
                (struct pw_solve){.dual2 = test_uniform(&rng, 0, 1e-3), .welfare = test_uniform(&rng, -9, 9)};
    }
    pw_tally_take(tally, &changes);
    pw_changes_finish(&changes);
}

/* Bytes that are cut off or too many, counts that are wrong, solves in disorder: an error, and nothing is
 * taken in. */
START_TEST(broken_windows_are_refused)
{
    struct pw_changes moves = {0};
    struct pw_course course = {0};
    struct pw_ranks all = PW_NO_RANKS;
    struct pw_error err;
    size_t size;
    pw_changes_add_gap(&moves, 5, 0, 1.0);
    for (int n = 0; n < 3; n++)
        *pw_changes_add_solve(&moves, 6, n, 0.0) = (struct pw_solve){.turn = n};
    struct pw_window window = {{.next_ns = 7}, NULL, &moves};
    unsigned char *bytes = pw_window_pack(&window, &size);
    for (size_t cut = 0; cut < size; cut++)
        ck_assert_int_eq(pw_window_unpack(bytes, cut, &course, &all, &err), PW_INTERNAL);
    for (size_t at = sizeof window.standing; at < sizeof window.standing + 24; at++) {
        bytes[at] ^= 0x81;
        ck_assert_int_eq(pw_window_unpack(bytes, size, &course, &all, &err), PW_INTERNAL);
        bytes[at] ^= 0x81;
    }
    free(bytes);
    moves.items[2].solve = 2;
    bytes = pw_window_pack(&window, &size);
    ck_assert_int_eq(pw_window_unpack(bytes, size, &course, &all, &err), PW_INTERNAL);
    ck_assert(all.next_ns == INT64_MAX && course.moves.count == 0);
    free(bytes);
    pw_changes_finish(&moves);
}
END_TEST

/* Of stretches as well; and whatever single bits are, nothing is read that is not there. */
START_TEST(broken_stretches_are_refused)
{
    struct pw_market *market = test_market(FAMILY_BOTH_SIDES, 6, 1, 5);
    struct pw_tally *tally = pw_tally_create(market);
    struct pw_interval interval = {0, 8000, 1000};
    struct pw_error err;
    int refused = 0;
    size_t size;
    pw_tally_turn_to(tally, &interval);
    take_some(tally, market);
    struct pw_window window = {PW_NO_RANKS, pw_tally_tell(tally), NULL};
    unsigned char *bytes = pw_window_pack(&window, &size);
    for (size_t i = 0; i < 9 * size; i++) {
        struct pw_course course = {0};
        struct pw_ranks all = PW_NO_RANKS;
        size_t cut = i < size ? i : size;
        bytes[(i / 8) % size] ^= (unsigned char)(i < size ? 0 : 1 << i % 8);
        unsigned char *copy = malloc(cut); /* so that a sanitizer sees its end */
        memcpy(copy, bytes, cut);
        int is_refused = pw_window_unpack(copy, cut, &course, &all, &err) != PW_OK;
        ck_assert(is_refused || cut == size);
        refused += is_refused;
        bytes[(i / 8) % size] ^= (unsigned char)(i < size ? 0 : 1 << i % 8);
        free(copy);
        pw_changes_finish(&course.moves);
    }
    ck_assert_int_gt(refused, (int)size);
    free(bytes);
    pw_tally_destroy(tally);
    pw_market_destroy(market);
}
END_TEST

START_TEST(who_is_missing_is_named)
{
    unsigned char here[12] = {1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0};
    const int some[] = {0, 3, 6}, more[] = {2, 5, 7};
    struct pw_roll roll = {here, 3};
    char text[100];
    ck_assert_str_eq(pw_roll_missing(&roll, some, 3, text, sizeof text), "rank 3");
    ck_assert_str_eq(pw_roll_missing(&roll, more, 3, text, sizeof text), "one of ranks 5, 7");
    ck_assert_str_eq(pw_roll_missing(&roll, NULL, 7, text, sizeof text), "one of ranks 1, 3, 4, 5");
    ck_assert_str_eq(pw_roll_missing(&roll, NULL, 12, text, sizeof text),
                     "one of ranks 1, 3, 4, 5 and 5 more");
    ck_assert_str_eq(pw_roll_missing(&roll, NULL, 12, text, 12), "one of rank");
    pw_roll_mark(&roll, 3);
    pw_roll_mark(&roll, 3);
    ck_assert_int_eq(roll.count, 4);
    pw_roll_clear(&roll, 12);
    ck_assert_str_eq(pw_roll_missing(&roll, NULL, 1, text, sizeof text), "rank 0");
}
END_TEST

/* Ranks 1 .. n_speaking answer, one a poll. */
struct answers {
    struct pw_roll roll;
    int n_speaking, n_spoken;
};

static void mark(void *context, int from, enum pw_tag tag, const unsigned char *bytes, size_t size)
{
    struct answers *answers = context;
    ck_assert(tag == PW_TAG_LOG && bytes == NULL && size == 0);
    pw_roll_mark(&answers->roll, from);
}

static int poll_answers(struct pw_transport *transport, pw_receive *receive, void *context)
{
    struct answers *answers = transport->state;
    if (answers->n_spoken == answers->n_speaking)
        return 0;
    receive(context, ++answers->n_spoken, PW_TAG_LOG, NULL, 0);
    return 1;
}

START_TEST(a_roll_waits_for_all_but_not_for_ever)
{
    for (int n_speaking = 1; n_speaking <= 3; n_speaking++) {
        unsigned char here[4] = {1, 0, 0, 0};
        struct answers answers = {{here, 1}, n_speaking, 0};
        struct pw_transport transport = {.rank = 0, .size = 4, .state = &answers, .poll = poll_answers};
        struct pw_error err;
        enum pw_code code = pw_roll_wait(&answers.roll, &transport, mark, &answers, "the word", 0.01, &err);
        ck_assert_int_eq(code, n_speaking == 3 ? PW_OK : PW_ENVIRONMENT);
        if (n_speaking == 1)
            ck_assert_str_eq(
                err.text,
                "waited 0.01 s for the word of one of ranks 2, 3, which hangs, or its machine does");
        if (n_speaking == 2)
            ck_assert_str_eq(err.text,
                             "waited 0.01 s for the word of rank 3, which hangs, or its machine does");
    }
}
END_TEST

Suite *window_suite(void)
{
    Suite *suite = suite_create("window");
    TCase *tcase = tcase_create("window");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, broken_windows_are_refused);
    tcase_add_test(tcase, broken_stretches_are_refused);
    tcase_add_test(tcase, who_is_missing_is_named);
    tcase_add_test(tcase, a_roll_waits_for_all_but_not_for_ever);
    suite_add_tcase(suite, tcase);
    return suite;
}
