#include "coordinator/course.h"

#include <math.h>
#include <stdlib.h>

#include "common/memory.h"

/* Running sums forget their rounding after so many changes, and at least one per agent and link. */
enum { LEAST_REFRESH = 4096, MOST_SAMPLES = 4096 };

/* Where nothing happens for longer than so many samples take, they are further apart. */
enum { SAMPLES_OF_A_GAP = 64 };

/* Fewer changes are not worth while to be followed. */
enum { LEAST_TO_FOLLOW = 1024 };

void pw_course_init(struct pw_course *course, const struct pw_market *market,
                    const struct pw_tolerances *tolerances, int64_t sample_ns)
{
    size_t agents = (size_t)market->n_agents, links = (size_t)market->n_links;
    *course = (struct pw_course){.n_agents = market->n_agents,
                                 .n_links = market->n_links,
                                 .tolerances = *tolerances,
                                 .n_unsolved = 2 * (int64_t)market->n_links,
                                 .naive_ns = -1,
                                 .sample_ns = sample_ns};
    course->gap2 = pw_alloc(links, sizeof(double));
    course->agent_gap2 = pw_alloc(agents, sizeof(double));
    course->dual2 = pw_alloc(agents, sizeof(double));
    course->price2 = pw_alloc(agents, sizeof(double));
    course->naive2 = pw_alloc(agents, sizeof(double));
    course->welfare = pw_alloc(agents, sizeof(double));
    course->unsolved = pw_alloc(agents, sizeof(int32_t));
    course->settled = pw_alloc(agents, sizeof(int32_t));
    for (int n = 0; n < market->n_agents; n++)
        course->unsolved[pw_market_called(market, n)] = pw_market_degree(market, n);
    pw_series_init(&course->series, MOST_SAMPLES);
}

void pw_course_finish(struct pw_course *course)
{
    free(course->gap2);
    free(course->agent_gap2);
    free(course->dual2);
    free(course->price2);
    free(course->naive2);
    free(course->welfare);
    free(course->unsolved);
    free(course->settled);
    pw_changes_finish(&course->pending);
    pw_series_finish(&course->series);
}

static double sum(const double *values, int count)
{
    double total = 0.0;
    for (int i = 0; i < count; i++)
        total += values[i];
    return total;
}

static void refresh(struct pw_course *course)
{
    course->since_refresh = 0;
    course->primal2 = sum(course->gap2, course->n_links) + sum(course->agent_gap2, course->n_agents);
    course->dual2_sum = sum(course->dual2, course->n_agents);
    course->price2_sum = sum(course->price2, course->n_agents);
    course->naive2_sum = sum(course->naive2, course->n_agents);
    course->welfare_sum = sum(course->welfare, course->n_agents);
}

static void replace(double *total, double *value, double by)
{
    *total += by - *value;
    *value = by;
}

static void take_solve(struct pw_course *course, int n, double gap2, const struct pw_solve *solve)
{
    replace(&course->primal2, &course->agent_gap2[n], gap2);
    replace(&course->dual2_sum, &course->dual2[n], solve->dual2);
    replace(&course->price2_sum, &course->price2[n], solve->price2);
    replace(&course->naive2_sum, &course->naive2[n], solve->naive2);
    replace(&course->welfare_sum, &course->welfare[n], solve->welfare);
    course->n_unsolved += solve->unsolved - course->unsolved[n];
    course->unsolved[n] = solve->unsolved;
    course->n_settled += solve->settled - course->settled[n];
    course->settled[n] = solve->settled;
    course->sent += solve->sent;
    course->lost += solve->lost;
}

/* Running sums of squares may fall below zero by their rounding. */
static double root(double square)
{
    return square > 0.0 ? sqrt(square) : 0.0;
}

struct pw_residual_norms pw_course_residuals(const struct pw_course *course)
{
    int ends = course->n_links > 0 ? 2 * course->n_links : 1;
    if (course->n_unsolved > 0)
        return (struct pw_residual_norms){NAN, NAN, NAN};
    return (struct pw_residual_norms){root(course->primal2), root(course->dual2_sum),
                                      root(course->price2_sum / ends)};
}

/* The tests at an instant, after all its changes. */
static void test(struct pw_course *course)
{
    const struct pw_tolerances *tolerances = &course->tolerances;
    double primal2 = tolerances->primal * tolerances->primal, dual2 = tolerances->dual * tolerances->dual;
    double ends = course->n_links > 0 ? 2.0 * course->n_links : 1.0;
    double price2 = tolerances->price * tolerances->price * ends;
    if (course->n_unsolved > 0)
        return;
    int holds = course->primal2 <= primal2 && course->dual2_sum <= dual2 && course->price2_sum <= price2;
    if (holds && !course->holds)
        course->holds_since_ns = course->now_ns;
    course->holds = holds;
    int naive = course->naive2_sum <= primal2 && course->dual2_sum <= dual2;
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
                                   course->welfare_sum,
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
    if (solve == NULL)
        replace(&course->primal2, &course->gap2[change->number], change->gap2);
    else
        take_solve(course, change->number, change->gap2, solve);
    long period = course->n_agents + course->n_links;
    if (++course->since_refresh >= (period > LEAST_REFRESH ? period : LEAST_REFRESH))
        refresh(course);
}

void pw_course_play(struct pw_course *course, int64_t until_ns)
{
    pw_changes_play(&course->pending, until_ns, take, course);
    course->n_left = course->pending.count;
    test(course);
    sample(course, until_ns);
}

/* Only once enough have come since: all that are pending are looked at. */
void pw_course_follow(struct pw_course *course, int64_t until_ns)
{
    if (course->pending.count < course->n_left + course->n_left / 4 + LEAST_TO_FOLLOW)
        return;
    pw_changes_play(&course->pending, until_ns, take, course);
    course->n_left = course->pending.count;
}

void pw_course_play_all(struct pw_course *course)
{
    int64_t last_ns = pw_changes_last(&course->pending);
    pw_course_play(course, (last_ns > course->now_ns ? last_ns : course->now_ns) + 1);
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
