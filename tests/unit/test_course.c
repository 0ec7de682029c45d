/* The course of a run, told by several tallies interval by interval, beside one that adds everything up anew
 * at every instant. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/course.h"
#include "coordinator/window.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { SAMPLE_NS = 1000, PERIOD_NS = PW_TALLY_SAMPLES * SAMPLE_NS, TALLIES = 4, MOST = 20000 };

/* A change, when a rank gets to know of it, and which one. */
struct told {
    struct pw_change change;
    struct pw_solve solve;
    int64_t known_ns;
    int rank, place;
};

struct history {
    struct pw_market *market;
    struct told *all; /* by known_ns */
    int count;
    int64_t last_ns;
};

static int by_known(const void *x, const void *y)
{
    const struct told *a = x, *b = y;
    return a->known_ns != b->known_ns ? (a->known_ns > b->known_ns) - (a->known_ns < b->known_ns)
                                      : a->place - b->place;
}

static int by_time(const void *x, const void *y)
{
    const struct told *a = x, *b = y;
    int64_t s = a->change.time_ns, t = b->change.time_ns;
    return s != t ? (s > t) - (s < t) : a->place - b->place;
}

/* Falls from far above 1 to far below, back and forth. */
static double falling(struct test_rng *rng, int64_t time_ns)
{
    return exp(6 - 3e-4 * (double)time_ns + test_uniform(rng, -2, 2));
}

/* The next time of something: mostly soon, often at a round time, now and then after a long silence. */
static int64_t next_time(struct test_rng *rng, int64_t time_ns, int silences)
{
    int kind = test_below(rng, silences ? 40 : 39);
    if (kind == 39)
        return time_ns + PERIOD_NS * (1 + test_below(rng, 30));
    if (kind < 15)
        return (time_ns / SAMPLE_NS + 1 + test_below(rng, 3)) * SAMPLE_NS;
    return time_ns + 1 + test_below(rng, PERIOD_NS);
}

static void add(struct history *history, struct told told, struct test_rng *rng, int64_t *known_ns)
{
    int64_t lead_ns = test_below(rng, 3) == 0 ? test_below(rng, 2 * PERIOD_NS) : 0;
    int64_t soonest_ns = told.change.time_ns > lead_ns ? told.change.time_ns - lead_ns : 0;
    *known_ns = soonest_ns > *known_ns ? soonest_ns : *known_ns;
    told.known_ns = *known_ns;
    told.place = history->count;
    ck_assert_int_lt(history->count, MOST);
    history->all[history->count++] = told;
    history->last_ns = told.change.time_ns > history->last_ns ? told.change.time_ns : history->last_ns;
}

static void add_agent(struct history *history, int n, struct test_rng *rng, int64_t end_ns, int silences)
{
    int64_t time_ns = 0, known_ns = 0;
    int left = pw_market_degree(history->market, n), rank = test_below(rng, TALLIES);
    for (int turn = 0; time_ns < end_ns; turn++) {
        left = turn < 3 ? left / 2 : 0;
        struct told told = {.change = {time_ns, n, 0, 0.0}, .rank = rank};
        told.solve = (struct pw_solve){.dual2 = falling(rng, time_ns),
                                       .price2 = falling(rng, time_ns),
                                       .naive2 = falling(rng, time_ns),
                                       .welfare = test_uniform(rng, -1e6, 1e6),
                                       .turn = turn,
                                       .unsolved = left,
                                       .settled = test_below(rng, 3),
                                       .sent = test_below(rng, 5),
                                       .lost = test_below(rng, 2)};
        add(history, told, rng, &known_ns);
        if (test_below(rng, 4) > 0) /* else an answer at the same instant */
            time_ns = next_time(rng, time_ns, silences);
    }
}

static void add_link(struct history *history, int l, struct test_rng *rng, int64_t end_ns, int silences)
{
    int64_t known_ns = 0;
    int rank = test_below(rng, TALLIES);
    for (int64_t time_ns = 0; time_ns < end_ns; time_ns = next_time(rng, time_ns, silences)) {
        struct told told = {.change = {time_ns, l, -1, falling(rng, time_ns)}, .rank = rank};
        add(history, told, rng, &known_ns);
    }
}

static struct history make_history(uint64_t seed)
{
    struct test_rng rng = test_rng(seed);
    struct history history = {
        .market = test_market((enum test_family)(seed % N_FAMILIES), 2 + test_below(&rng, 6), .6, seed),
        .all = calloc(MOST, sizeof *history.all)};
    int silences = seed % 2 == 0;
    int64_t end_ns = (int64_t)(10 + test_below(&rng, 10)) * PERIOD_NS;
    for (int n = 0; n < history.market->n_agents; n++)
        add_agent(&history, n, &rng, end_ns, silences);
    for (int l = 0; l < history.market->n_links; l++)
        add_link(&history, l, &rng, end_ns, silences);
    qsort(history.all, (size_t)history.count, sizeof *history.all, by_known);
    return history;
}

/* ---- All added up anew at every instant ---- */

struct sums {
    const struct history *history;
    struct told **of_link, **of_agent; /* the latest change of each */
    double primal2, dual2, price2, naive2, welfare;
    int64_t unsolved, settled, sent;
};

static void add_up(struct sums *sums)
{
    const struct pw_market *market = sums->history->market;
    sums->primal2 = sums->dual2 = sums->price2 = sums->naive2 = sums->welfare = 0;
    sums->unsolved = sums->settled = 0;
    for (int l = 0; l < market->n_links; l++)
        sums->primal2 += sums->of_link[l] != NULL ? sums->of_link[l]->change.gap2 : 0;
    for (int n = 0; n < market->n_agents; n++) {
        const struct told *told = sums->of_agent[n];
        if (told == NULL) {
            sums->unsolved += pw_market_degree(market, n);
            continue;
        }
        sums->dual2 += told->solve.dual2;
        sums->price2 += told->solve.price2;
        sums->naive2 += told->solve.naive2;
        sums->welfare += told->solve.welfare;
        sums->unsolved += told->solve.unsolved;
        sums->settled += told->solve.settled;
    }
}

/* What is to be found, and the values at the samples. */
struct plain {
    int64_t holds_since_ns, naive_ns;
    long naive_false_stops;
    int holds, naive_holds;
};

static void test_plainly(struct plain *plain, const struct sums *sums, const struct pw_tolerances *tolerances,
                         int64_t now_ns)
{
    int n_links = sums->history->market->n_links;
    if (sums->unsolved > 0)
        return;
    int dual_holds = sqrt(sums->dual2) <= tolerances->dual;
    int holds = sqrt(sums->primal2) <= tolerances->primal && dual_holds &&
                sqrt(sums->price2 / (2 * n_links)) <= tolerances->price;
    int naive_holds = sqrt(sums->naive2) <= tolerances->primal && dual_holds;
    if (holds && !plain->holds)
        plain->holds_since_ns = now_ns;
    if (naive_holds && !plain->naive_holds) {
        plain->naive_false_stops += !holds;
        plain->naive_ns = plain->naive_ns < 0 ? now_ns : plain->naive_ns;
    }
    plain->holds = holds;
    plain->naive_holds = naive_holds;
}

static int is_near(double a, double b, double scale)
{
    return fabs(a - b) <= 1e-9 * (fabs(b) + scale);
}

/* Looks at the samples from `*next` on that come before `until_ns`. */
static void compare_samples(const struct pw_course *course, int *next, const struct sums *sums,
                            int64_t until_ns)
{
    int n_links = sums->history->market->n_links;
    for (; *next < course->series.count; (*next)++) {
        const struct pw_sample *sample = &course->series.samples[*next];
        if (llround(sample->time_s * 1e9) >= until_ns)
            return;
        ck_assert_int_eq(sums->unsolved, 0);
        ck_assert(is_near(sample->primal * sample->primal, sums->primal2, 0));
        ck_assert(is_near(sample->dual * sample->dual, sums->dual2, 0));
        ck_assert(is_near(sample->price * sample->price * 2 * n_links, sums->price2, 0));
        ck_assert(is_near(sample->social_welfare, sums->welfare, 1e6));
        ck_assert_int_eq(sample->messages, sums->sent);
        ck_assert_int_eq(sample->active_trades, n_links - sums->settled / 2);
    }
}

/* Plays the history instant by instant beside the samples of the course. */
static struct plain play_plainly(const struct history *history, const struct pw_course *course)
{
    const struct pw_market *market = history->market;
    struct plain plain = {.naive_ns = -1};
    struct sums sums = {.history = history,
                        .of_link = calloc((size_t)market->n_links + 1, sizeof(struct told *)),
                        .of_agent = calloc((size_t)market->n_agents, sizeof(struct told *))};
    int next = 0;
    qsort(history->all, (size_t)history->count, sizeof *history->all, by_time);
    for (int i = 0; i < history->count; i++) {
        struct told *told = &history->all[i];
        int64_t now_ns = told->change.time_ns;
        (told->change.solve < 0 ? sums.of_link : sums.of_agent)[told->change.number] = told;
        sums.sent += told->change.solve < 0 ? 0 : told->solve.sent;
        if (i + 1 < history->count && history->all[i + 1].change.time_ns == now_ns)
            continue;
        add_up(&sums);
        test_plainly(&plain, &sums, &course->tolerances, now_ns);
        compare_samples(course, &next, &sums,
                        i + 1 < history->count ? history->all[i + 1].change.time_ns : INT64_MAX);
    }
    ck_assert_int_eq(next, course->series.count);
    free(sums.of_link);
    free(sums.of_agent);
    return plain;
}

static void release(struct history *history)
{
    free(history->all);
    pw_market_destroy(history->market);
}

/* ---- Told by tallies ---- */

static void make_known(const struct history *history, struct pw_tally **tallies, int n_tallies, int *next,
                       int64_t until_ns)
{
    struct pw_changes changes[TALLIES] = {{0}};
    for (; *next < history->count && history->all[*next].known_ns < until_ns; (*next)++) {
        const struct told *told = &history->all[*next];
        const struct pw_change *change = &told->change;
        struct pw_changes *of_rank = &changes[told->rank % n_tallies];
        if (change->solve < 0)
            pw_changes_add_gap(of_rank, change->time_ns, change->number, change->gap2);
        else
            *pw_changes_add_solve(of_rank, change->time_ns, change->number, change->gap2) = told->solve;
    }
    for (int r = 0; r < n_tallies; r++) {
        pw_tally_take(tallies[r], &changes[r]);
        ck_assert(changes[r].count == 0);
        pw_changes_finish(&changes[r]);
    }
}

/* What a rank tells: the first in memory, others as bytes. */
static void tell(struct pw_course *course, int rank, const struct pw_window *window)
{
    struct pw_ranks all = PW_NO_RANKS;
    struct pw_error err;
    if (rank == 0) {
        pw_window_take(window, course, &all);
        return;
    }
    size_t size;
    unsigned char *bytes = pw_window_pack(window, &size);
    ck_assert_int_eq(pw_window_unpack(bytes, size, course, &all, &err), PW_OK);
    ck_assert_int_eq(all.rounds, window->standing.rounds);
    free(bytes);
}

/* Returns whether the single changes were wanted. */
static int play_interval(struct pw_course *course, struct pw_tally **tallies, int n_tallies,
                         const struct pw_interval *interval)
{
    for (int r = 0; r < n_tallies; r++) {
        pw_tally_turn_to(tallies[r], interval);
        tell(course, r, &(struct pw_window){{.rounds = r}, pw_tally_tell(tallies[r]), NULL});
        ck_assert_int_ge(pw_tally_first(tallies[r]), interval->until_ns);
    }
    int wanted = pw_course_wants_moves(course, interval);
    for (int r = 0; r < n_tallies && wanted; r++)
        tell(course, r, &(struct pw_window){{.rounds = r}, NULL, pw_tally_moves(tallies[r])});
    course->has_moves = wanted;
    pw_course_play(course, interval);
    return wanted;
}

static void play(const struct history *history, uint64_t seed, int n_tallies, struct pw_course *course,
                 int *wanted)
{
    static const struct pw_tolerances tolerances = {1.0, 1.0, 1.0, 1.0};
    struct test_rng rng = test_rng(seed);
    struct pw_tally *tallies[TALLIES];
    int next = 0;
    pw_course_init(course, history->market, &tolerances, SAMPLE_NS);
    for (int r = 0; r < n_tallies; r++)
        tallies[r] = pw_tally_create(history->market);
    struct pw_interval interval = {0, 0, SAMPLE_NS};
    while (interval.from_ns <= history->last_ns) {
        int periods = test_below(&rng, 8) == 0 ? 1 + test_below(&rng, 3) : 1;
        interval.until_ns = interval.from_ns + (int64_t)periods * PERIOD_NS;
        for (int r = 0; r < n_tallies; r++)
            pw_tally_turn_to(tallies[r], &interval);
        for (int64_t window_ns = interval.from_ns; window_ns <= interval.until_ns; window_ns += PERIOD_NS / 4)
            make_known(history, tallies, n_tallies, &next, window_ns);
        if (interval.until_ns > history->last_ns) { /* what is told of it is not told again */
            for (int r = 0; r < n_tallies && seed % 3 == 0; r++)
                tell(course, r, &(struct pw_window){{.rounds = r}, pw_tally_tell(tallies[r]), NULL});
            interval.until_ns = INT64_MAX;
            for (int r = 0; r < n_tallies; r++)
                pw_tally_turn_to(tallies[r], &interval);
            make_known(history, tallies, n_tallies, &next, INT64_MAX);
        }
        *wanted += play_interval(course, tallies, n_tallies, &interval);
        interval.from_ns = interval.until_ns;
    }
    for (int r = 0; r < n_tallies; r++)
        pw_tally_destroy(tallies[r]);
}

/* From the first to the last no sample is left out. */
static void is_without_holes(const struct pw_series *series)
{
    for (int i = 1; i < series->count; i++) {
        double step_s = series->samples[i].time_s - series->samples[i - 1].time_s;
        ck_assert_int_eq(llround(step_s * 1e9), SAMPLE_NS);
    }
}

START_TEST(the_course_is_that_of_everything_added_up_anew)
{
    int wanted = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct history history = make_history(seed);
        struct pw_course course;
        play(&history, seed, 1 + (int)(seed % TALLIES), &course, &wanted);
        if (seed % 2) { /* without silences */
            ck_assert_int_gt(course.series.count, 60);
            is_without_holes(&course.series);
        }
        struct plain plain = play_plainly(&history, &course);
        ck_assert_int_eq(course.holds, plain.holds);
        ck_assert_int_eq(course.holds_since_ns, plain.holds_since_ns);
        ck_assert_int_eq(course.naive_ns, plain.naive_ns);
        ck_assert_int_eq(course.naive_false_stops, plain.naive_false_stops);
        ck_assert_int_eq(course.now_ns, history.last_ns);
        pw_course_finish(&course);
        release(&history);
    }
    ck_assert_int_gt(wanted, 200);
}
END_TEST

static int same_sample(const struct pw_sample *a, const struct pw_sample *b)
{
    return a->time_s == b->time_s && a->primal == b->primal && a->dual == b->dual && a->price == b->price &&
           a->social_welfare == b->social_welfare && a->messages == b->messages &&
           a->active_trades == b->active_trades;
}

static void is_the_same(const struct pw_course *one, const struct pw_course *two)
{
    ck_assert_int_eq(one->series.count, two->series.count);
    for (int i = 0; i < one->series.count; i++)
        ck_assert(same_sample(&one->series.samples[i], &two->series.samples[i]));
    ck_assert(memcmp(one->values, two->values, sizeof one->values) == 0);
    ck_assert(one->holds_since_ns == two->holds_since_ns && one->naive_ns == two->naive_ns &&
              one->naive_false_stops == two->naive_false_stops && one->lost == two->lost);
}

START_TEST(any_number_of_ranks_tells_the_same)
{
    int wanted = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct history history = make_history(seed);
        struct pw_course alone, several;
        play(&history, seed, 1, &alone, &wanted);
        play(&history, seed, TALLIES, &several, &wanted);
        is_the_same(&alone, &several);
        pw_course_finish(&alone);
        pw_course_finish(&several);
        release(&history);
    }
}
END_TEST

/* Plays an interval in which every agent solves once, one after the other from `first_ns` on. Returns whether
 * the single changes were wanted. */
static int play_solves(struct pw_course *course, struct pw_tally *tally, const struct pw_market *market,
                       const struct pw_interval *interval, int64_t first_ns, const struct pw_solve *solve)
{
    struct pw_changes changes = {0};
    for (int n = 0; n < market->n_agents; n++)
        *pw_changes_add_solve(&changes, first_ns + n, n, 0) = *solve;
    pw_tally_turn_to(tally, interval);
    pw_tally_take(tally, &changes);
    pw_changes_finish(&changes);
    return play_interval(course, &tally, 1, interval);
}

/* Far from its tolerances a market's single changes are not looked at. */
START_TEST(sums_do_where_no_test_can_change)
{
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 2, 1, 1);
    struct pw_tolerances tolerances = {1.0, 1.0, 1.0, 1.0};
    struct pw_tally *tally = pw_tally_create(market);
    struct pw_course course;
    int wanted = 0;
    pw_course_init(&course, market, &tolerances, SAMPLE_NS);
    for (int k = 0; k < 20; k++) {
        struct pw_interval interval = {(int64_t)k * PERIOD_NS, (int64_t)(k + 1) * PERIOD_NS, SAMPLE_NS};
        struct pw_solve solve = {.dual2 = k < 10 ? 9 - .5 * k : .3, .turn = k};
        wanted += play_solves(&course, tally, market, &interval, interval.from_ns + 1, &solve);
    }
    ck_assert_int_eq(wanted, 2); /* the first time, and where the test comes to hold */
    ck_assert_int_eq(course.holds_since_ns, 10 * PERIOD_NS + market->n_agents);
    pw_course_finish(&course);
    pw_tally_destroy(tally);
    pw_market_destroy(market);
}
END_TEST

/* In a long silence samples are further apart, all of them by as much. */
START_TEST(a_silence_has_few_samples)
{
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 2, 1, 1);
    struct pw_tolerances tolerances = {1.0, 1.0, 1.0, 1.0};
    struct pw_tally *tally = pw_tally_create(market);
    struct pw_course course;
    const int64_t times_ns[] = {0, 1000 * PERIOD_NS + 77}, ends_ns[] = {PERIOD_NS, 1001 * PERIOD_NS};
    pw_course_init(&course, market, &tolerances, SAMPLE_NS);
    for (int k = 0; k < 2; k++) {
        struct pw_interval interval = {k * PERIOD_NS, ends_ns[k], SAMPLE_NS};
        struct pw_solve solve = {.dual2 = 9, .turn = k};
        play_solves(&course, tally, market, &interval, times_ns[k], &solve);
    }
    const struct pw_sample *samples = course.series.samples;
    int inside = 0;
    double step_s = samples[PW_TALLY_SAMPLES + 1].time_s - samples[PW_TALLY_SAMPLES].time_s;
    for (int i = PW_TALLY_SAMPLES; i + 1 < course.series.count; i++) {
        if (samples[i + 1].time_s * 1e9 >= (double)times_ns[1])
            break;
        ck_assert_double_eq_tol(samples[i + 1].time_s - samples[i].time_s, step_s, 1e-12);
        inside++;
    }
    ck_assert(inside > 50 && inside <= 64);
    pw_course_finish(&course);
    pw_tally_destroy(tally);
    pw_market_destroy(market);
}
END_TEST

/* A run that flies apart: what has overflowed, and is no number, is very much, and not for ever. */
START_TEST(no_number_is_never_within_tolerance)
{
    static const double BAD[] = {NAN, -NAN, INFINITY, DBL_MAX};
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 2, 1, 1);
    struct pw_tolerances tolerances = {1.0, 1.0, 1.0, 1.0};
    struct pw_tally *tally = pw_tally_create(market);
    struct pw_course course;
    pw_course_init(&course, market, &tolerances, SAMPLE_NS);
    for (int k = 0; k < 8; k++) {
        struct pw_interval interval = {(int64_t)k * PERIOD_NS, (int64_t)(k + 1) * PERIOD_NS, SAMPLE_NS};
        double square = k % 2 ? .1 : BAD[k / 2];
        struct pw_solve solve = {
            .dual2 = square, .naive2 = square, .welfare = k % 2 ? 1 : -INFINITY, .turn = k};
        play_solves(&course, tally, market, &interval, interval.from_ns + 1, &solve);
        ck_assert_int_eq(course.holds, k % 2);
        ck_assert_int_eq(pw_course_excess(&course) <= 1, k % 2);
        ck_assert_int_eq(course.values[PW_WELFARE] > 0, k % 2);
    }
    pw_course_finish(&course);
    pw_tally_destroy(tally);
    pw_market_destroy(market);
}
END_TEST

Suite *course_suite(void)
{
    Suite *suite = suite_create("course");
    TCase *tcase = tcase_create("course");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_course_is_that_of_everything_added_up_anew);
    tcase_add_test(tcase, any_number_of_ranks_tells_the_same);
    tcase_add_test(tcase, sums_do_where_no_test_can_change);
    tcase_add_test(tcase, a_silence_has_few_samples);
    tcase_add_test(tcase, no_number_is_never_within_tolerance);
    suite_add_tcase(suite, tcase);
    return suite;
}
