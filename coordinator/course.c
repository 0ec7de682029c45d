#include "coordinator/course.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

enum { MOST_SAMPLES = 4096 };

/* Where nothing happens for longer than so many samples take, they are further apart. */
enum { SAMPLES_OF_A_GAP = 64 };

/* A sum is taken to be off its bounds by so much of what it is made of. */
static const double ROUNDING = 1e-9;

void pw_course_init(struct pw_course *course, const struct pw_market *market,
                    const struct pw_tolerances *tolerances, int64_t sample_ns)
{
    *course = (struct pw_course){.n_links = market->n_links,
                                 .tolerances = *tolerances,
                                 .n_unsolved = 2 * (int64_t)market->n_links,
                                 .naive_ns = -1,
                                 .sample_ns = sample_ns};
    pw_series_init(&course->series, MOST_SAMPLES);
}

void pw_course_finish(struct pw_course *course)
{
    pw_changes_finish(&course->moves);
    pw_series_finish(&course->series);
}

/* The tests' limits on the sums. */
static void limits(const struct pw_course *course, double *limit)
{
    const struct pw_tolerances *tolerances = &course->tolerances;
    double ends = course->n_links > 0 ? 2.0 * course->n_links : 1.0;
    limit[PW_PRIMAL2] = limit[PW_NAIVE2] = tolerances->primal * tolerances->primal;
    limit[PW_DUAL2] = tolerances->dual * tolerances->dual;
    limit[PW_PRICE2] = tolerances->price * tolerances->price * ends;
    limit[PW_WELFARE] = INFINITY;
}

static double root(double square)
{
    return square > 0.0 ? sqrt(square) : 0.0;
}

struct pw_residual_norms pw_course_residuals(const struct pw_course *course)
{
    int ends = course->n_links > 0 ? 2 * course->n_links : 1;
    const double *values = course->values;
    if (course->n_unsolved > 0)
        return (struct pw_residual_norms){NAN, NAN, NAN};
    return (struct pw_residual_norms){root(values[PW_PRIMAL2]), root(values[PW_DUAL2]),
                                      root(values[PW_PRICE2] / ends)};
}

/* The tests at an instant, after all its changes. */
static void test(struct pw_course *course)
{
    double limit[PW_QUANTITIES];
    const double *values = course->values;
    limits(course, limit);
    if (course->n_unsolved > 0)
        return;
    course->is_tested = 1;
    int dual_holds = values[PW_DUAL2] <= limit[PW_DUAL2];
    int holds =
        values[PW_PRIMAL2] <= limit[PW_PRIMAL2] && dual_holds && values[PW_PRICE2] <= limit[PW_PRICE2];
    if (holds && !course->holds)
        course->holds_since_ns = course->now_ns;
    course->holds = holds;
    int naive = values[PW_NAIVE2] <= limit[PW_NAIVE2] && dual_holds;
    if (naive && !course->naive_holds) {
        course->naive_false_stops += !holds;
        if (course->naive_ns < 0)
            course->naive_ns = course->now_ns;
    }
    course->naive_holds = naive;
}

/* Keeps the samples that are due up to `until_ns`, before which nothing happens: of a long time not all. */
static void sample(struct pw_course *course, int64_t until_ns)
{
    int64_t gap = until_ns - course->next_sample_ns;
    int64_t step = course->sample_ns * (1 + gap / course->sample_ns / SAMPLES_OF_A_GAP);
    for (; course->next_sample_ns < until_ns; course->next_sample_ns += step) {
        struct pw_residual_norms now = pw_course_residuals(course);
        struct pw_sample sample = {(double)course->next_sample_ns * 1e-9,
                                   now.primal,
                                   now.dual,
                                   now.price,
                                   course->values[PW_WELFARE],
                                   (long)course->sent,
                                   course->n_links - (int)(course->n_settled / 2)};
        if (!isnan(now.primal))
            pw_series_add(&course->series, &sample, 0);
    }
}

/* Takes one change; the first of a later instant ends the one before. */
static void take(void *context, const struct pw_change *change, const struct pw_solve *solve)
{
    struct pw_course *course = context;
    if (change->time_ns != course->now_ns) {
        test(course);
        sample(course, change->time_ns);
        course->now_ns = change->time_ns;
    }
    course->values[PW_PRIMAL2] += change->gap2;
    if (solve == NULL)
        return;
    course->values[PW_DUAL2] += solve->dual2;
    course->values[PW_PRICE2] += solve->price2;
    course->values[PW_NAIVE2] += solve->naive2;
    course->values[PW_WELFARE] += solve->welfare;
    course->n_unsolved += solve->unsolved;
    course->n_settled += solve->settled;
    course->sent += solve->sent;
    course->lost += solve->lost;
}

void pw_course_hear(struct pw_course *course, const struct pw_stretch *stretches)
{
    for (int k = 0; k < PW_STRETCHES; k++) {
        if (stretches[k].n_changes > 0)
            pw_stretch_merge(&course->stretches[k], &stretches[k]);
    }
}

/* How a sum compares with its limit throughout a stretch that it enters and leaves with these values:
 * 1 within, -1 beyond, 0 maybe either. */
static int side(double start, double end, double moved, double limit)
{
    double middle = .5 * (start + end), rounding = ROUNDING * (fabs(start) + fabs(end) + moved);
    double reach = .5 * moved + rounding;
    return middle + reach <= limit ? 1 : middle - reach > limit ? -1 : 0;
}

/* Whether a test of sums that must all be within, whose sides these are, may change. */
static int may_change(const int *sides, int count)
{
    int open = 0;
    for (int i = 0; i < count; i++) {
        if (sides[i] < 0)
            return 0;
        open |= sides[i] == 0;
    }
    return open;
}

/* May a test change in the stretch? */
static int is_close(const struct pw_course *course, const struct pw_stretch *stretch, const double *start,
                    const double *end)
{
    double limit[PW_QUANTITIES];
    int sides[PW_QUANTITIES];
    limits(course, limit);
    for (int q = 0; q < PW_QUANTITIES; q++)
        sides[q] = side(start[q], end[q], stretch->moved[q], limit[q]);
    return may_change((int[]){sides[PW_PRIMAL2], sides[PW_DUAL2], sides[PW_PRICE2]}, 3) ||
           may_change((int[]){sides[PW_NAIVE2], sides[PW_DUAL2]}, 2);
}

/* Are there samples within the stretch? */
static int has_samples(const struct pw_interval *interval, int stretch)
{
    return stretch == PW_STRETCHES - 1 &&
           (interval->until_ns - interval->from_ns - 1) / interval->sample_ns >= PW_TALLY_SAMPLES;
}

/* Values at the ends of all stretches, and which have to be looked at closely. There is no test before all
 * slots have been solved, and the first is made closely. */
static void weigh(struct pw_course *course, const struct pw_interval *interval)
{
    const double *start = course->values;
    int64_t n_unsolved = course->n_unsolved;
    int is_tested = course->is_tested;
    for (int k = 0; k < PW_STRETCHES; k++) {
        const struct pw_stretch *stretch = &course->stretches[k];
        if (stretch->n_changes == 0)
            continue;
        for (int q = 0; q < PW_QUANTITIES; q++) {
            pw_exact_merge(&course->totals[q], &stretch->change[q]);
            course->ends[k][q] = pw_exact_value(&course->totals[q]);
        }
        n_unsolved += stretch->unsolved;
        int is_solved = n_unsolved <= 0;
        course->closely[k] = has_samples(interval, k) ||
                             (is_solved && (!is_tested || is_close(course, stretch, start, course->ends[k])));
        is_tested |= is_solved;
        start = course->ends[k];
    }
    course->is_weighed = 1;
}

int pw_course_wants_moves(struct pw_course *course, const struct pw_interval *interval)
{
    if (!course->is_weighed)
        weigh(course, interval);
    return memchr(course->closely, 1, sizeof course->closely) != NULL && !course->has_moves;
}

/* The stretch without its course. */
static void skip(struct pw_course *course, const struct pw_stretch *stretch)
{
    course->n_unsolved += stretch->unsolved;
    course->n_settled += stretch->settled;
    course->sent += stretch->sent;
    course->lost += stretch->lost;
    course->now_ns = stretch->last_ns;
}

/* The end of a stretch, which its last instant is before. */
static int64_t end_of(const struct pw_interval *interval, int stretch)
{
    int64_t sample_ns = interval->from_ns + stretch * interval->sample_ns;
    return stretch == PW_STRETCHES - 1 || sample_ns >= interval->until_ns ? interval->until_ns
                                                                          : sample_ns + 1;
}

static void play_stretch(struct pw_course *course, const struct pw_interval *interval, int k)
{
    const struct pw_stretch *stretch = &course->stretches[k];
    if (k > 0 && !has_samples(interval, k))
        sample(course, end_of(interval, k - 1));
    if (course->closely[k])
        pw_changes_play(&course->moves, end_of(interval, k), take, course);
    else
        skip(course, stretch);
    memcpy(course->values, course->ends[k], sizeof course->values);
    if (course->closely[k])
        test(course);
    else
        pw_changes_drop(&course->moves, end_of(interval, k));
}

void pw_course_play(struct pw_course *course, const struct pw_interval *interval)
{
    for (int k = 0; k < PW_STRETCHES; k++) {
        if (course->stretches[k].n_changes > 0)
            play_stretch(course, interval, k);
    }
    sample(course, interval->until_ns < INT64_MAX ? interval->until_ns : course->now_ns + 1);
    pw_changes_clear(&course->moves);
    for (int k = 0; k < PW_STRETCHES; k++)
        pw_stretch_clear(&course->stretches[k]);
    memset(course->closely, 0, sizeof course->closely);
    course->has_moves = course->is_weighed = 0;
}

double pw_course_excess(const struct pw_course *course)
{
    const struct pw_tolerances *tolerances = &course->tolerances;
    struct pw_residual_norms now = pw_course_residuals(course);
    if (isnan(now.primal))
        return INFINITY;
    return fmax(fmax(now.primal / tolerances->primal, now.dual / tolerances->dual),
                now.price / tolerances->price);
}
