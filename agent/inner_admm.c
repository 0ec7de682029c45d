#include "agent/inner_admm.h"

#include <math.h>

/* rho_n of (11): the mean of the trades' penalties, so that neither step of the iteration dominates. */
static double inner_penalty(const struct pw_local_problem *problem)
{
    double sum = 0.0;
    for (int k = 0; k < problem->n_trades; k++)
        sum += 1.0 / problem->slope[k];
    return sum / problem->n_trades;
}

static double mean_trade(const struct pw_local_problem *problem)
{
    double sum = 0.0;
    for (int k = 0; k < problem->n_trades; k++)
        sum += problem->t[k];
    return sum / problem->n_trades;
}

/* (11a), with the square that the print lacks and the fee: each trade by itself, near its last value plus
 * `shift`. Returns the largest move. */
static double update_trades(const struct pw_local_problem *problem, double inner, double shift)
{
    double most = 0.0;
    for (int k = 0; k < problem->n_trades; k++) {
        double rho = 1.0 / problem->slope[k], before = problem->t[k];
        double wish = (rho * problem->target[k] + inner * (before + shift)) / (rho + inner);
        double dead = rho * problem->dead[k] / (rho + inner);
        double soft = fmax(wish - dead, 0.0) + fmin(wish + dead, 0.0);
        problem->t[k] = fmin(fmax(soft, problem->t_min[k]), problem->t_max[k]);
        most = fmax(most, fabs(problem->t[k] - before));
    }
    return most;
}

/* (11b) in the power of all trades together, which is to be near `wanted`: the exact problem of one trade. */
static double update_power(const struct pw_local_problem *problem, double inner, double wanted, double *power,
                           double guess)
{
    static const double none = 0.0, low = -INFINITY, high = INFINITY;
    double slope = problem->n_trades / inner;
    struct pw_local_problem own = *problem;
    own.n_trades = 1;
    own.target = &wanted;
    own.slope = &slope;
    own.dead = &none;
    own.t_min = &low;
    own.t_max = &high;
    own.t = power;
    return pw_local_solve(&own, guess).price;
}

struct pw_local_solution pw_inner_admm_solve(const struct pw_local_problem *problem, double guess,
                                             const struct pw_inner_tolerance *tolerance)
{
    if (problem->n_trades == 0)
        return pw_local_solve(problem, guess);
    double inner = inner_penalty(problem), n = problem->n_trades, price = guess;
    double trade = mean_trade(problem), share = trade, dual = guess / inner; /* mu / rho_n */
    double limit = fmin(tolerance->power, tolerance->price / inner);
    for (int step = 1;; step++) {
        double power, move = update_trades(problem, inner, share - trade - dual);
        trade = mean_trade(problem);
        price = update_power(problem, inner, n * (trade + dual), &power, price);
        move = fmax(move, fabs(power / n - share));
        share = power / n;
        dual += trade - share; /* (11c) */
        if (fmax(move, fabs(trade - share)) <= limit || step == PW_INNER_ADMM_MOST)
            return (struct pw_local_solution){price, step};
    }
}
