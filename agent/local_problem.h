/* The local problem of one agent for one product, solved exactly (docs/mathematics.md).
 *
 *     minimise   sum_i a_i/2 p_i^2 + b_i p_i + sum_m [ fee_m |t_m| + rho_m/2 (t_m - s_m)^2 ]
 *     subject to sum_i p_i = sum_m t_m,  p_min <= p <= p_max,  t_min <= t <= t_max
 *
 * At a price m every asset answers p_i(m) = clip((m - b_i) / a_i) (a step at m = b_i where a_i = 0) and every
 * trade t_m(m) = clip(soft(target - slope m, dead)), with slope = 1/rho, dead = fee/rho and soft the
 * soft-threshold. Supply rises and sales fall in m, so that the balance is one root of a monotone,
 * piecewise-linear function. */
#ifndef PW_LOCAL_PROBLEM_H
#define PW_LOCAL_PROBLEM_H

/* All arrays belong to the caller. Powers in the case's power unit, prices in money per unit of energy. */
struct pw_local_problem {
    int n_assets;
    const double *p_min, *p_max, *a, *b; /* [n_assets] */
    double *p;                           /* [n_assets] out: power of each asset */
    int n_trades;
    const double *target;        /* [n_trades] the trade wished for at price 0, before fee and bounds */
    const double *slope;         /* [n_trades] > 0, power per unit of price */
    const double *dead;          /* [n_trades] >= 0, half width of the dead zone that a fee makes */
    const double *t_min, *t_max; /* [n_trades] */
    double *t;                   /* [n_trades] out: the trades */
};

/* What one solve found. `passes` counts the passes made over the trades. */
struct pw_local_solution {
    double
        price; /* the marginal price m; where an interval of prices balances, the one nearest to the guess */
    int passes;
};

/* Solves exactly, starting from the price `guess`; fills p and t. Allocates nothing, has no tolerance to
 * tune: it ends when supply and sales agree to the rounding of their own sums. Where no price balances (no
 * feasible power), the answer is the price at which the last asset or trade meets its limit. */
struct pw_local_solution pw_local_solve(const struct pw_local_problem *problem, double guess);

#endif
