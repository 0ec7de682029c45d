/* The local problem by the survey's inner ADMM (11), beside the exact pw_local_solve() (docs/algorithms.md).
 */
#ifndef PW_INNER_ADMM_H
#define PW_INNER_ADMM_H

#include "agent/local_problem.h"

/* An iteration is the last one if nothing moves by more, in power and, times the inner penalty, in price. */
struct pw_inner_tolerance {
    double power, price; /* > 0; price may be infinite */
};

enum { PW_INNER_ADMM_MOST = 100000 }; /* iterations */

/* Solves like pw_local_solve(), from the trades in problem->t and the price `guess`, until no trade, nor the
 * power per trade, moves by more than the tolerance, and both agree to it. So trades and powers balance to
 * n_trades times that. Where an interval of prices balances, the answer is some price of it. `passes` counts
 * the iterations, at most PW_INNER_ADMM_MOST. Allocates nothing. */
struct pw_local_solution pw_inner_admm_solve(const struct pw_local_problem *problem, double guess,
                                             const struct pw_inner_tolerance *tolerance);

#endif
