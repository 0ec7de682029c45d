/* Small parts of a rank: which agents it hosts, samples of a run, lines of progress, patience. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/clock.h"
#include "coordinator/placement.h"
#include "coordinator/progress.h"
#include "coordinator/recorder.h"
#include "coordinator/series.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

/* ---- Placement ---- */

/* Counts how often each agent is hosted, and by whom the placement says it is. Returns the number of faults.
 */
static int faults_of(const struct pw_placement *placement)
{
    int faults = 0, next = 0, least = placement->n_agents, most = 0;
    for (int rank = 0; rank < placement->n_ranks; rank++) {
        int first = pw_placement_first(placement, rank), end = pw_placement_end(placement, rank);
        for (int agent = first; agent < end; agent++, next++)
            faults += agent != next || pw_placement_rank(placement, agent) != rank;
        faults += end < first;
        least = end - first < least ? end - first : least;
        most = end - first > most ? end - first : most;
    }
    faults += next != placement->n_agents; /* every agent once, in order */
    if (placement->n_ranks <= placement->n_agents)
        return faults + (least < 1 || most > least + 1);
    faults += pw_placement_end(placement, 0) != 0; /* rank 0 only coordinates */
    return faults + (most != 1 || pw_placement_first(placement, 1) != 0);
}

START_TEST(every_agent_has_one_rank)
{
    for (int agents = 1; agents <= 40; agents++) {
        for (int ranks = 1; ranks <= 45; ranks++) {
            struct pw_placement placement = {agents, ranks, NULL};
            ck_assert_msg(faults_of(&placement) == 0, "%d agents on %d ranks", agents, ranks);
        }
    }
    static const struct pw_placement large[] = {
        {10000000, 4095, NULL}, {10000000, 4096, NULL}, {99991, 65537, NULL}};
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(faults_of(&large[i]), 0);
}
END_TEST

/* ---- The timeline ---- */

/* Whatever ranks recorded them, and in whatever order, the same first events are handed over. */
START_TEST(a_timeline_holds_the_first_events)
{
    enum { EVENTS = 100, MOST = 7 };
    struct pw_market market = {.n_agents = EVENTS};
    struct pw_error err;
    for (int n_ranks = 1; n_ranks <= 3; n_ranks++) {
        struct pw_recorder recorders[3];
        struct pw_outcome outcome = {0};
        for (int r = 0; r < n_ranks; r++) {
            pw_recorder_init(&recorders[r], &market, 0);
            recorders[r].most = MOST;
        }
        for (int i = 0; i < EVENTS; i++) {
            int time_s = i * 37 % EVENTS; /* each once */
            struct pw_recorder *recorder = &recorders[time_s % n_ranks];
            recorder->observer.fired(recorder, time_s * INT64_C(1000000000), time_s);
        }
        for (int r = 1; r < n_ranks; r++) {
            ck_assert_uint_le(recorders[r].count, 2 * MOST);
            ck_assert_int_eq(pw_recorder_take_in(&recorders[0], (unsigned char *)recorders[r].events,
                                                 recorders[r].count * sizeof(struct pw_event), &err),
                             PW_OK);
            pw_recorder_finish(&recorders[r]);
        }
        pw_recorder_deliver(&recorders[0], &outcome);
        ck_assert_int_eq(outcome.n_events, MOST);
        for (int i = 0; i < MOST; i++)
            ck_assert_int_eq(outcome.events[i].agent, i);
        free(outcome.events);
        pw_recorder_finish(&recorders[0]);
    }
}
END_TEST

/* ---- Series ---- */

static void add_at(struct pw_series *series, double time_s, long messages, int always)
{
    struct pw_sample sample = {.time_s = time_s, .messages = messages};
    pw_series_add(series, &sample, always);
}

/* A long even course: never more than its room nor less than half of it, evenly spread, first and last kept.
 */
START_TEST(series_thin_out)
{
    enum { ROOM = 16, COUNT = 3000 };
    struct pw_series series;
    pw_series_init(&series, ROOM);
    for (int i = 0; i < COUNT; i++) {
        add_at(&series, i, i, 0);
        ck_assert_int_le(series.count, ROOM);
        ck_assert(i < ROOM || series.count >= ROOM / 2);
        ck_assert(series.samples[0].time_s == 0);
    }
    add_at(&series, COUNT, COUNT, 1);
    ck_assert(series.samples[series.count - 1].messages == COUNT);
    for (int i = 1; i < series.count; i++) {
        double gap = series.samples[i].time_s - series.samples[i - 1].time_s;
        ck_assert(gap > 0 && gap <= 4.0 * COUNT / ROOM);
        ck_assert(series.samples[i].messages == (long)series.samples[i].time_s);
    }
    pw_series_finish(&series);
}
END_TEST

/* Random times, some of them twice: the times rise, the later of two at the same time counts, and what must
 * be kept is there at the end. */
START_TEST(series_rise)
{
    struct test_rng rng = test_rng(101);
    for (int run = 0; run < 200; run++) {
        struct pw_series series;
        double time = 0;
        int wrong = 0;
        pw_series_init(&series, 2 + test_below(&rng, 30));
        for (int i = 0; i < 300; i++) {
            int always = test_below(&rng, 4) == 0;
            time += test_below(&rng, 3) ? test_uniform(&rng, 0, 2) : 0;
            add_at(&series, time, i, always);
            wrong += always && series.samples[series.count - 1].messages != i;
            wrong += series.count < 1 || series.count > series.room;
        }
        for (int i = 1; i < series.count; i++)
            wrong += !(series.samples[i].time_s > series.samples[i - 1].time_s);
        ck_assert_int_eq(wrong, 0);
        pw_series_finish(&series);
    }
}
END_TEST

/* ---- Progress ---- */

/* What a run of progress writes to stderr. */
struct capture {
    int old;
    FILE *file;
    char text[8000];
};

static void capture_begin(struct capture *capture)
{
    fflush(stderr);
    capture->file = tmpfile();
    capture->old = dup(STDERR_FILENO);
    dup2(fileno(capture->file), STDERR_FILENO);
}

static void capture_end(struct capture *capture)
{
    fflush(stderr);
    dup2(capture->old, STDERR_FILENO);
    close(capture->old);
    rewind(capture->file);
    size_t size = fread(capture->text, 1, sizeof capture->text - 1, capture->file);
    capture->text[size] = '\0';
    fclose(capture->file);
}

static int count_of(const char *text, char c)
{
    int count = 0;
    for (; *text != '\0'; text++)
        count += *text == c;
    return count;
}

/* A run whose residuals fall by half every second, shown every tenth of a second up to `end_s`. */
static void show_run(struct pw_progress *progress, double end_s)
{
    for (int i = 0; i <= 10 * end_s; i++) {
        double elapsed = i / 10.0, residual = 1024 * pow(0.5, elapsed);
        struct pw_standing standing = {elapsed, residual, residual, residual, 1, 1, 1, i, 100L * i};
        pw_progress_show(progress, &standing);
    }
    pw_progress_finish(progress);
}

/* Plain: a line every two seconds, no control characters, and an estimate that is right for a steady decay.
 */
START_TEST(plain_progress_is_rare_and_plain)
{
    struct capture capture;
    struct pw_progress progress;
    capture_begin(&capture);
    pw_progress_init(&progress, PW_PROGRESS_PLAIN);
    show_run(&progress, 9);
    capture_end(&capture);
    ck_assert_int_eq(count_of(capture.text, '\n'), 4);
    ck_assert_ptr_null(strpbrk(capture.text, "\r\033\t"));
    const char *last = strstr(capture.text, "   8.0 s  round 80  8000 messages");
    ck_assert_msg(last != NULL, "%s", capture.text);
    ck_assert_ptr_nonnull(strstr(last, "primal 4.0e+00 dual 4.0e+00 price 4.0e+00"));
    ck_assert_ptr_nonnull(strstr(last, "about 2 s to go")); /* 2^2 above the tolerance */
}
END_TEST

START_TEST(progress_that_is_off_says_nothing)
{
    struct capture capture;
    struct pw_progress progress;
    capture_begin(&capture);
    pw_progress_init(&progress, PW_PROGRESS_NONE);
    show_run(&progress, 60);
    capture_end(&capture);
    ck_assert_str_eq(capture.text, "");
}
END_TEST

/* Not on a terminal, auto is like plain but rarer: after 2 s, then every 10 s. */
START_TEST(automatic_progress_without_terminal)
{
    struct capture capture;
    struct pw_progress progress;
    capture_begin(&capture);
    pw_progress_init(&progress, PW_PROGRESS_AUTO);
    show_run(&progress, 25);
    capture_end(&capture);
    ck_assert_int_eq(count_of(capture.text, '\n'), 3);
    ck_assert_ptr_null(strpbrk(capture.text, "\r\033"));
}
END_TEST

/* On a terminal one line renews itself and is gone at the end. */
START_TEST(progress_on_a_terminal_is_one_line)
{
    struct capture capture;
    struct pw_progress progress;
    capture_begin(&capture);
    pw_progress_init(&progress, PW_PROGRESS_AUTO);
    progress.on_terminal = 1;
    show_run(&progress, 5);
    pw_progress_finish(&progress);
    capture_end(&capture);
    size_t length = strlen(capture.text);
    ck_assert_int_eq(count_of(capture.text, '\n'), 0);
    ck_assert_int_gt(count_of(capture.text, '\r'), 10);
    ck_assert_str_eq(capture.text + length - 4, "\r\033[K");
}
END_TEST

/* A slow run is told in minutes: residuals that fall by half every 100 s, 2^8 above the tolerance. */
START_TEST(progress_counts_minutes)
{
    struct capture capture;
    struct pw_progress progress;
    capture_begin(&capture);
    pw_progress_init(&progress, PW_PROGRESS_PLAIN);
    for (int i = 1; i <= 2; i++) {
        struct pw_standing standing = {100.0 * i, 1, 1024 * pow(0.5, i), 1, 1, 1, 1, i, i};
        pw_progress_show(&progress, &standing);
    }
    capture_end(&capture);
    ck_assert_int_eq(count_of(capture.text, '\n'), 2);
    ck_assert_msg(strstr(capture.text, "about 13 min to go") != NULL, "%s", capture.text);
}
END_TEST

/* Residuals that are not known yet, or that rise, give no estimate. */
START_TEST(progress_estimates_only_what_falls)
{
    struct capture capture;
    struct pw_progress progress;
    capture_begin(&capture);
    pw_progress_init(&progress, PW_PROGRESS_PLAIN);
    struct pw_standing unknown = {2, NAN, NAN, NAN, 1, 1, 1, 3, 4};
    pw_progress_show(&progress, &unknown);
    for (int i = 2; i < 20; i++) {
        struct pw_standing rising = {2 * i, pow(2, i), 1, 1, 1, 1, 1, i, i};
        pw_progress_show(&progress, &rising);
    }
    capture_end(&capture);
    ck_assert_int_eq(count_of(capture.text, '\n'), 19);
    ck_assert_ptr_null(strstr(capture.text, "to go"));
    ck_assert_ptr_null(strstr(capture.text, "nan"));
    ck_assert_ptr_eq(strstr(capture.text, "residuals"), strstr(strchr(capture.text, '\n'), "residuals"));
}
END_TEST

/* ---- Clock ---- */

/* Nothing is said about how long anything takes: that is the machine's business. */
START_TEST(time_does_not_go_back)
{
    int64_t before = pw_clock_ns();
    for (int i = 0; i < 10000; i++) {
        int64_t now = pw_clock_ns();
        ck_assert_int_ge(now, before);
        before = now;
    }
    pw_clock_sleep(1000000);
    ck_assert_int_ge(pw_clock_ns() - before, 1000000);
}
END_TEST

/* Naps never reach beyond what is waited for, and grow no longer than allowed. */
START_TEST(patience_has_an_end)
{
    struct pw_idle idle = {.longest_ns = 100000, .spins_first = 3};
    int64_t start = pw_clock_ns();
    for (int i = 0; i < 100; i++)
        pw_idle_turn(&idle, start, start); /* due now: no nap at all */
    ck_assert_int_eq(idle.turns, 100);
    pw_idle_turn(&idle, start, start - 1000);
    pw_idle_turn(&idle, start, INT64_MAX);
    pw_idle_reset(&idle);
    ck_assert_int_eq(idle.turns, 0);
}
END_TEST

Suite *rank_parts_suite(void)
{
    Suite *suite = suite_create("rank_parts");
    TCase *tests = tcase_create("rank_parts");
    tcase_add_test(tests, every_agent_has_one_rank);
    tcase_add_test(tests, a_timeline_holds_the_first_events);
    tcase_add_test(tests, series_thin_out);
    tcase_add_test(tests, series_rise);
    tcase_add_test(tests, plain_progress_is_rare_and_plain);
    tcase_add_test(tests, progress_that_is_off_says_nothing);
    tcase_add_test(tests, automatic_progress_without_terminal);
    tcase_add_test(tests, progress_on_a_terminal_is_one_line);
    tcase_add_test(tests, progress_counts_minutes);
    tcase_add_test(tests, progress_estimates_only_what_falls);
    tcase_add_test(tests, time_does_not_go_back);
    tcase_add_test(tests, patience_has_an_end);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return suite;
}
