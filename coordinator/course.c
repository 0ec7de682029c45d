#include "coordinator/course.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

/* Running sums forget their rounding after so many changes, and at least one per agent and link. */
enum { LEAST_REFRESH = 4096, MOST_SAMPLES = 4096 };

void pw_course_init(struct pw_course *course, const struct pw_market *market,
                    const struct pw_tolerances *tolerances, int64_t sample_ns)
{
    size_t agents = (size_t)market->n_agents, links = (size_t)market->n_links;
    *course = (struct pw_course){.n_agents = market->n_agents,
                                 .n_links = market->n_links,
                                 .tolerances = *tolerances,
                                 .n_unsolved = 2 * (int64_t)market->n_links,
                                 .naive_ns = -1,
                                 .sample_ns = sample_ns,
                                 .primal = NAN,
                                 .dual = NAN,
                                 .price = NAN};
    course->gap2 = pw_alloc(links, sizeof(double));
    course->agent_gap2 = pw_alloc(agents, sizeof(double));
    course->dual2 = pw_alloc(agents, sizeof(double));
    course->price2 = pw_alloc(agents, sizeof(double));
    course->naive2 = pw_alloc(agents, sizeof(double));
    course->welfare = pw_alloc(agents, sizeof(double));
    course->unsolved = pw_alloc(agents, sizeof(int32_t));
    for (int n = 0; n < market->n_agents; n++)
        course->unsolved[n] = pw_market_degree(market, n);
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
    free(course->pending);
    pw_series_finish(&course->series);
}

void pw_course_add(struct pw_course *course, const struct pw_change *changes, size_t count)
{
    if (course->n_pending + count > course->room) {
        course->room = 2 * (course->n_pending + count) + 64;
        course->pending = pw_realloc(course->pending, course->room, sizeof *course->pending);
    }
    if (count > 0)
        memcpy(course->pending + course->n_pending, changes, count * sizeof *changes);
    course->n_pending += count;
    for (size_t i = 0; i < count; i++)
        course->last_ns = changes[i].time_ns > course->last_ns ? changes[i].time_ns : course->last_ns;
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

static void take(struct pw_course *course, const struct pw_change *change)
{
    int i = change->number;
    if (change->kind == PW_CHANGE_LINK) {
        replace(&course->primal2, &course->gap2[i], change->gap2);
    } else {
        replace(&course->primal2, &course->agent_gap2[i], change->gap2);
        replace(&course->dual2_sum, &course->dual2[i], change->dual2);
        replace(&course->price2_sum, &course->price2[i], change->price2);
        replace(&course->naive2_sum, &course->naive2[i], change->naive2);
        replace(&course->welfare_sum, &course->welfare[i], change->welfare);
        course->n_unsolved += change->unsolved - course->unsolved[i];
        course->unsolved[i] = change->unsolved;
        course->sent += change->sent;
        course->lost += change->lost;
        course->fires++;
    }
    long period = course->n_agents + course->n_links;
    if (++course->since_refresh >= (period > LEAST_REFRESH ? period : LEAST_REFRESH))
        refresh(course);
}

/* Running sums of squares may fall below zero by their rounding. */
static double root(double square)
{
    return square > 0.0 ? sqrt(square) : 0.0;
}

/* The tests at an instant, after all its changes. */
static void test(struct pw_course *course)
{
    const struct pw_tolerances *tolerances = &course->tolerances;
    int ends = course->n_links > 0 ? 2 * course->n_links : 1;
    if (course->n_unsolved > 0)
        return;
    course->primal = root(course->primal2);
    course->dual = root(course->dual2_sum);
    course->price = root(course->price2_sum / ends);
    int holds = course->primal <= tolerances->primal && course->dual <= tolerances->dual &&
                course->price <= tolerances->price;
    if (holds && !course->holds)
        course->holds_since_ns = course->now_ns;
    course->holds = holds;
    int naive = root(course->naive2_sum) <= tolerances->primal && course->dual <= tolerances->dual;
    if (naive && !course->naive_holds) {
        course->naive_false_stops += !holds;
        if (course->naive_ns < 0)
            course->naive_ns = course->now_ns;
    }
    course->naive_holds = naive;
}

static int earlier(const void *x, const void *y)
{
    const struct pw_change *a = x, *b = y;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return (a->turn > b->turn) - (a->turn < b->turn);
}

static int is_sorted(const struct pw_change *changes, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (earlier(&changes[i - 1], &changes[i]) > 0)
            return 0;
    }
    return 1;
}

/* Keeps the samples that are due up to `until_ns`. */
static void sample(struct pw_course *course, int64_t until_ns)
{
    for (; course->next_sample_ns < until_ns; course->next_sample_ns += course->sample_ns) {
        struct pw_sample sample = {(double)course->next_sample_ns * 1e-9,
                                   course->primal,
                                   course->dual,
                                   course->price,
                                   course->welfare_sum,
                                   (long)course->sent,
                                   course->n_links};
        if (!isnan(course->primal))
            pw_series_add(&course->series, &sample, 0);
    }
}

void pw_course_play(struct pw_course *course, int64_t until_ns)
{
    size_t i = 0;
    if (!is_sorted(course->pending, course->n_pending))
        qsort(course->pending, course->n_pending, sizeof *course->pending, earlier);
    while (i < course->n_pending && course->pending[i].time_ns < until_ns) {
        course->now_ns = course->pending[i].time_ns;
        sample(course, course->now_ns);
        for (; i < course->n_pending && course->pending[i].time_ns == course->now_ns; i++)
            take(course, &course->pending[i]);
        test(course);
    }
    sample(course, until_ns);
    course->n_pending -= i;
    if (i > 0 && course->n_pending > 0)
        memmove(course->pending, course->pending + i, course->n_pending * sizeof *course->pending);
}

double pw_course_excess(const struct pw_course *course)
{
    const struct pw_tolerances *tolerances = &course->tolerances;
    if (isnan(course->primal))
        return INFINITY;
    return fmax(fmax(course->primal / tolerances->primal, course->dual / tolerances->dual),
                course->price / tolerances->price);
}
