/* The centralised optimum of a market: the oracle of every run. Shares no code with the negotiation. */
#ifndef PW_REFERENCE_H
#define PW_REFERENCE_H

#include "common/error.h"
#include "common/market.h"

struct pw_reference {
    double social_welfare; /* minus the cost of all assets minus all fees, money per hour */
    double price_mean;     /* price of the trades (marginal price of the agents), weighted by |t| */
    double power_injected; /* sum of the positive net powers of agents */
    double kkt_residual;   /* largest violation of the optimality conditions (prices relative to the price
                              scale, powers to the power scale), recomputed from the solution itself */
    const char *method;    /* static string */
};

/* True if pw_reference_solve() takes no longer than about two seconds on one core: a pool (of any size), or a
 * market of at most 500 agents (1500 with at most 12 links each) and 200 000 links, over all products. */
int pw_reference_is_cheap(const struct pw_market *market);

/* True if the market has the optimum of a pool: every feasible balance can be routed, without fee or bound,
 * on its links. That is so if no link has a fee or forces a trade and, for each product, either each agent
 * that can inject has a link without bound, that way, to each that can consume, or links without any bound
 * join all agents that can inject or consume, over whatever many steps. Time O(agents + links). */
int pw_reference_is_pool(const struct pw_market *market);

/* Solves problem (3) of the survey centrally: minimise sum f_i(p_i) + sum over link ends fee |t|, subject to
 * each agent's balance and all bounds. By bisection on the price where the market is a pool, otherwise by an
 * interior-point method. The market must be feasible, pw_market_index() done, p_min and p_max finite, and no
 * two links may join the same agents. PW_INTERNAL if the optimality conditions are not met to 1e-6
 * (relative); *out is filled all the same. Prices that the market leaves open (all powers at their limits)
 * are one of the possible values. Allocates about 400 bytes per link. No MPI. */
enum pw_code pw_reference_solve(const struct pw_market *market, struct pw_reference *out,
                                struct pw_error *err);

#endif
