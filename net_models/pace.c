#include "net_models/pace.h"

#include <math.h>

#include "common/random.h"

/* Durations in nanoseconds must fit; and a solve may take only so many pauses to count. */
static const double LONGEST_S = 1e9, SHORTEST_S = 1e-6, MOST_PAUSES = 10000.0;

static int64_t to_ns(double seconds)
{
    return (int64_t)llround(fmin(seconds, LONGEST_S) * 1e9);
}

/* The smallest and the largest factor of an agent's speed. */
static double least_factor(const struct pw_pace *pace)
{
    return (pace->stragglers < 1.0 ? 1.0 : pace->straggler_factor) / pace->spread;
}

static double largest_factor(const struct pw_pace *pace)
{
    return (pace->stragglers > 0.0 ? pace->straggler_factor : 1.0) * pace->spread;
}

static double factor_of(const struct pw_pace *pace, uint32_t agent)
{
    double u[2];
    struct pw_draw key = {pace->seed, PW_DRAW_PACE, {agent, 0, 0}};
    pw_random_uniform2(&key, 0, u);
    double factor = exp((2.0 * u[0] - 1.0) * log(pace->spread));
    return u[1] < pace->stragglers ? factor * pace->straggler_factor : factor;
}

enum pw_code pw_pace_check(const struct pw_pace *pace, struct pw_error *err)
{
    double longest_s = pace->compute_s * largest_factor(pace);
    if (pace->pause_every_s > 0.0 && pace->pause_every_s < SHORTEST_S)
        return pw_fail(err, PW_USAGE, "at least %g, or 0 for never, is expected", SHORTEST_S);
    if (pace->pause_every_s > 0.0 && longest_s > MOST_PAUSES * pace->pause_every_s)
        return pw_fail(err, PW_USAGE,
                       "a local solve of up to %g s would meet more than %g pauses: at least "
                       "%g is expected",
                       longest_s, MOST_PAUSES, longest_s / MOST_PAUSES);
    return PW_OK;
}

int64_t pw_pace_solve_ns(const struct pw_pace *pace, uint32_t agent)
{
    return to_ns(pace->compute_s * factor_of(pace, agent));
}

/* An agent's time is cut into cycles of the mean running time and the mean pause together, from a place of
 * its own; each has one pause, of uniform length around the mean, anywhere in it. */
struct cycle {
    int64_t number, period_ns, origin_ns; /* the cycle of number 0 starts at -origin_ns */
    int64_t pause_ns, end_ns;             /* the pause of this cycle */
};

static void enter(const struct pw_pace *pace, uint32_t agent, int64_t number, struct cycle *cycle)
{
    double u[2], reach = fmin(pace->pause_s, pace->pause_every_s);
    uint64_t index = (uint64_t)number;
    struct pw_draw key = {pace->seed, PW_DRAW_PAUSE, {agent, (uint32_t)index, (uint32_t)(index >> 32)}};
    pw_random_uniform2(&key, 0, u);
    int64_t length = to_ns(pace->pause_s + (2.0 * u[0] - 1.0) * reach);
    if (length > cycle->period_ns)
        length = cycle->period_ns; /* by rounding */
    cycle->number = number;
    cycle->pause_ns =
        number * cycle->period_ns - cycle->origin_ns + (int64_t)((double)(cycle->period_ns - length) * u[1]);
    cycle->end_ns = cycle->pause_ns + length;
}

static struct cycle cycle_at(const struct pw_pace *pace, uint32_t agent, int64_t time_ns)
{
    struct pw_draw key = {pace->seed, PW_DRAW_PACE, {agent, 0, 0}};
    struct cycle cycle = {.period_ns = to_ns(pace->pause_every_s) + to_ns(pace->pause_s)};
    cycle.origin_ns = (int64_t)((double)cycle.period_ns * pw_random_uniform(&key, 1));
    enter(pace, agent, (time_ns + cycle.origin_ns) / cycle.period_ns, &cycle);
    return cycle;
}

int64_t pw_pace_finish(const struct pw_pace *pace, uint32_t agent, int64_t start_ns)
{
    int64_t left_ns = pw_pace_solve_ns(pace, agent), now_ns = start_ns;
    if (!(pace->pause_every_s > 0.0 && pace->pause_s > 0.0))
        return now_ns + left_ns;
    struct cycle cycle = cycle_at(pace, agent, start_ns);
    for (;; enter(pace, agent, cycle.number + 1, &cycle)) {
        int64_t running_ns = cycle.pause_ns - now_ns;
        if (running_ns > 0 && left_ns <= running_ns)
            return now_ns + left_ns;
        left_ns -= running_ns > 0 ? running_ns : 0;
        now_ns = cycle.end_ns > now_ns ? cycle.end_ns : now_ns;
    }
}

int64_t pw_pace_least_ns(const struct pw_pace *pace)
{
    /* The factor's own rounding may take a bit off. */
    int64_t least_ns = to_ns(pace->compute_s * least_factor(pace) * (pace->spread > 1.0 ? 1.0 - 1e-12 : 1.0));
    return pace->spread > 1.0 && least_ns > 0 ? least_ns - 1 : least_ns;
}

int64_t pw_pace_mean_ns(const struct pw_pace *pace)
{
    double mean = pace->spread > 1.0 ? (pace->spread - 1.0 / pace->spread) / (2.0 * log(pace->spread)) : 1.0;
    mean *= 1.0 + pace->stragglers * (pace->straggler_factor - 1.0);
    if (pace->pause_every_s > 0.0)
        mean *= 1.0 + pace->pause_s / pace->pause_every_s;
    return to_ns(pace->compute_s * mean);
}
