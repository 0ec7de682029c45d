/* Is the market over? Judged on a snapshot alone: the residuals at equal rounds, and the certificate, which
 * is the optimality conditions on the agreed trades. Also turns a snapshot into the outcome that is reported.
 */
#ifndef PW_JUDGE_H
#define PW_JUDGE_H

#include "common/outcome.h"
#include "common/settings.h"
#include "common/penalty.h"
#include "coordinator/snapshot.h"

/* Absolute tolerances, all > 0. */
struct pw_tolerances {
    double primal, dual, price;
    double spread; /* of agents' prices across links: price, or infinite where trades are agreed for good */
};

/* Those of the case, or `stop.tolerance` of the market's scale where it gives none: power scale times the
 * square root of the number of agents, price scale. */
struct pw_tolerances pw_tolerances_of(const struct pw_settings *settings, const struct pw_market *market,
                                      const struct pw_scales *scales);

/* A trade as both its ends see it, that of agent_a first: the price of the trade, and the agent's own. */
struct pw_trade_view {
    double trade;
    double price[2], agent_price[2];
};

/* How far its prices are off: the agents' own from making it optimal, beyond fees and bounds, by (3) of the
 * survey (stationarity in t); and those of the trade from each other, where there is one. */
struct pw_price_faults {
    double spread, mismatch;
};

/* Trades that are smaller count as none, and as at a bound where they are so close to it. */
double pw_judge_negligible(const struct pw_market *market, const struct pw_tolerances *tolerances);

/* `i`: link * n_products + product. */
struct pw_price_faults pw_judge_prices(const struct pw_market *market, int i,
                                       const struct pw_trade_view *view, double negligible);

/* Fills all of the outcome that follows from the state of the market: agents, trades, and of the summary the
 * residuals, powers, prices, welfare, spread and balance. The agreed trade of a link is (t_ab - t_ba)/2 at
 * the last round that both ends have offered; an agent's power and cost are those of its cheapest dispatch
 * that delivers its agreed trades. Where the exchange does not pair rounds, the latest trades have to do. */
void pw_judge(const struct pw_snapshot *snapshot, const struct pw_tolerances *tolerances,
              struct pw_outcome *outcome);

/* By which factor a judged outcome misses the worst of its tests, at most 1 where it has converged: the three
 * residuals to their tolerances with every link end solved, prices across links to the price tolerance of
 * optimality (beyond fees and bounds), every balance to the primal one. Infinite before every end has solved.
 */
double pw_judge_excess(const struct pw_outcome *outcome);

#endif
