/* Newton's method for the local problems of a row of agents, in lanes: for rows_kernel.c, whatever the
 * compiler may use there. */
#ifndef PW_ROWS_NEWTON_H
#define PW_ROWS_NEWTON_H

#include <float.h>
#include <stddef.h>

#include "agent/rows_kernel.h"
#include "agent/rows_lanes.h"

/* What the rows answer. */
struct answered {
    lanes sum, slopes, sizes, fees, move2, price2, move_max, price_max;
};

/* What the assets give in a step. */
struct supplied {
    lanes power, cost, size, slope;
};

PW_INLINE struct supplied supply_at(const struct pw_row_assets *assets, int lane, lanes m)
{
    struct supplied supplied = {all(0.0), all(0.0), all(0.0), all(0.0)};
    for (int row = 0; row < assets->count; row++) {
        size_t at = (size_t)row * PW_LANES + (size_t)lane;
        lanes a = load(assets->a + at), b = load(assets->b + at);
        lanes answer = load(assets->answer + at);
        lanes p_min = load(assets->p_min + at), p_max = load(assets->p_max + at);
        lanes p = smaller(larger((m - b) * answer, p_min), p_max); /* where a = 0 both limits are the same */
        supplied.power += p;
        supplied.cost += (a * all(0.5) * p + b) * p;
        supplied.size += size_of(p);
        supplied.slope = plus_where(supplied.slope, above(p, p_min) & above(p_max, p), answer);
    }
    return supplied;
}

/* Newton's steps in lanes; a lane that needs more is solved by itself. */
enum { MOST_PASSES = 12 };

/* The local problems of a step: the price so far, lanes to be solved, and those that are not to be here. */
struct newton {
    lanes guess, m, power, cost, supply;
    choice open, left;
};

/* With Newton's first step, from what taking in the offers has found at the price before. */
PW_INLINE struct newton begin(const struct pw_row_digest *digest, const struct pw_row_agents *agents,
                              const double *before, int lane)
{
    struct newton newton = {.guess = load(before + lane),
                            .power = load(agents->power + lane),
                            .cost = load(agents->cost + lane),
                            .supply = load(agents->supply + lane),
                            .left = above(load(agents->apart + lane), all(0.0))};
    newton.open = ~newton.left;
    newton.m = newton.guess;
    if (digest != NULL) {
        lanes slope = newton.supply + load(digest->slope + lane);
        lanes next = newton.guess - (newton.power - load(digest->sum + lane)) / slope;
        newton.m = pick(newton.open & above(slope, all(0.0)), next, newton.guess);
    }
    return newton;
}

/* Newton's next price in open lanes, or their end. Balanced means to the rounding of its own sums, as in
 * local_problem.c; where the balance is flat, the agent is solved by itself. */
PW_INLINE void advance(struct newton *newton, const struct supplied *supplied,
                       const struct answered *answered)
{
    const lanes none = all(0.0);
    lanes slope = supplied->slope + answered->slopes, size = all(2.0) * supplied->size + answered->sizes;
    lanes rounding = all(DBL_EPSILON) * (all(4.0) * size + all(2.0) * size_of(newton->m) * slope);
    lanes miss = supplied->power - answered->sum, next = newton->m - miss / slope;
    choice slopes = above(slope, none);
    choice balances = reaches(rounding, size_of(miss)) & (slopes | equals(newton->m, newton->guess));
    choice goes_on = newton->open & ~balances & slopes & ~equals(next, newton->m);
    newton->power = pick(newton->open, supplied->power, newton->power);
    newton->cost = pick(newton->open, supplied->cost, newton->cost);
    newton->supply = pick(newton->open, supplied->slope, newton->supply);
    newton->left |= newton->open & ~balances & ~slopes;
    newton->m = pick(goes_on, next, newton->m);
    newton->open = goes_on;
}

PW_INLINE unsigned any_open(const struct newton newton[STEPS])
{
    unsigned open = 0;
    for (int i = 0; i < STEPS; i++)
        open |= bits_of(newton[i].open);
    return open;
}

#endif
