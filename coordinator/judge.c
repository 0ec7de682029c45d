#include "coordinator/judge.h"

#include <math.h>
#include <stdlib.h>

#include "agent/local_problem.h"
#include "common/larger.h"
#include "common/memory.h"

struct pw_tolerances pw_tolerances_of(const struct pw_settings *settings, const struct pw_market *market,
                                      const struct pw_scales *scales)
{
    double power = settings->tolerance * scales->power * sqrt(market->n_agents);
    double price = isnan(settings->price) ? settings->tolerance * scales->price : settings->price;
    return (struct pw_tolerances){isnan(settings->primal) ? power : settings->primal,
                                  isnan(settings->dual) ? power : settings->dual, price,
                                  settings->ratify ? INFINITY : price};
}

/* The last round that both ends have offered. */
static int common_round(const struct pw_snapshot *snapshot, int l)
{
    int round_a = pw_snapshot_round(snapshot, l, 0), round_b = pw_snapshot_round(snapshot, l, 1);
    return round_a < round_b ? round_a : round_b;
}

/* The trade of an end of link l in that round; `i`: that of the product. */
static double trade_at(const struct pw_snapshot *snapshot, int l, int i, int side)
{
    int is_last = pw_snapshot_round(snapshot, l, side) == common_round(snapshot, l);
    return is_last || !snapshot->is_paired ? snapshot->trades[i].mine[side] : snapshot->before[i][side];
}

/* How far the prices at both ends are from making the trade optimal: (3) of the survey, stationarity in t. */
static double price_violation(double gain, double t, double t_min, double t_max, double fee,
                              double negligible)
{
    int may_rise = t<t_max - negligible, may_fall = t> t_min + negligible;
    double rise_costs = t > negligible ? fee : t < -negligible ? -fee : fee;
    double fall_costs = t > negligible ? -fee : t < -negligible ? fee : fee;
    double up = may_rise ? gain - rise_costs : 0.0, down = may_fall ? -gain - fall_costs : 0.0;
    return pw_larger(pw_larger(0.0, up), down);
}

struct sums {
    double primal2, dual2, price2, weighted_price;
    int unsolved;
};

/* A trade this close to a bound, as a share of what the bounds leave, counts as on it. */
static const double BOUND_SHARE = 0.01;

double pw_judge_negligible(const struct pw_market *market, const struct pw_tolerances *tolerances)
{
    return tolerances->primal / sqrt(fmax(1.0, market->n_links));
}

struct pw_price_faults pw_judge_prices(const struct pw_market *market, int i,
                                       const struct pw_trade_view *view, double negligible)
{
    double gain = view->agent_price[1] - view->agent_price[0], fee = market->fee_a[i] + market->fee_b[i];
    double room = BOUND_SHARE * (market->t_max[i] - market->t_min[i]),
           little = room < negligible ? room : negligible;
    return (struct pw_price_faults){
        price_violation(gain, view->trade, market->t_min[i], market->t_max[i], fee, little),
        fabs(view->trade) > little ? fabs(view->price[0] - view->price[1]) : 0.0};
}

static void judge_trade(const struct pw_snapshot *snapshot, int l, int q, double negligible,
                        struct pw_outcome *outcome, struct sums *sums)
{
    const struct pw_market *market = snapshot->market;
    struct pw_summary *summary = &outcome->summary;
    int i = l * market->n_products + q, a = market->link_a[l], b = market->link_b[l];
    const struct pw_snapshot_trade *trade = &snapshot->trades[i];
    double t_ab = trade_at(snapshot, l, i, 0), t_ba = trade_at(snapshot, l, i, 1);
    double t = (t_ab - t_ba) / 2.0, fee = market->fee_a[i] + market->fee_b[i];
    struct pw_trade_view view = {
        t,
        {trade->price[0], trade->price[1]},
        {snapshot->price[a * market->n_products + q], snapshot->price[b * market->n_products + q]}};
    struct pw_price_faults faults = pw_judge_prices(market, i, &view, negligible);
    summary->price_spread_max = pw_larger(summary->price_spread_max, faults.spread);
    summary->price_mismatch_max = pw_larger(summary->price_mismatch_max, faults.mismatch);
    sums->primal2 += (t_ab + t_ba) * (t_ab + t_ba);
    outcome->trade[i] = t;
    outcome->price_a[i] = trade->price[0];
    outcome->price_b[i] = trade->price[1];
    summary->power_traded += fabs(t);
    sums->weighted_price += fabs(t) * (outcome->price_a[i] + outcome->price_b[i]) / 2.0;
    summary->fees_collected += fee * fabs(t);
    outcome->fees[a] += market->fee_a[i] * fabs(t);
    outcome->fees[b] += market->fee_b[i] * fabs(t);
    outcome->welfare[a] += t * (outcome->price_a[i] + outcome->price_b[i]) / 2.0;
    outcome->welfare[b] -= t * (outcome->price_a[i] + outcome->price_b[i]) / 2.0;
}

static void judge_links(const struct pw_snapshot *snapshot, double negligible, struct pw_outcome *outcome,
                        struct sums *sums)
{
    const struct pw_market *market = snapshot->market;
    for (int l = 0; l < market->n_links; l++) {
        int round_a = pw_snapshot_round(snapshot, l, 0), round_b = pw_snapshot_round(snapshot, l, 1);
        double settled_a = pw_snapshot_settled_s(snapshot, l, 0),
               settled_b = pw_snapshot_settled_s(snapshot, l, 1);
        outcome->penalty[l] = snapshot->penalty[l];
        outcome->rounds[l] = common_round(snapshot, l);
        outcome->messages[l] = (long)round_a + (long)round_b + 2L; /* round 0 counts */
        sums->unsolved += outcome->rounds[l] < 1;
        outcome->settled_time_s[l] =
            isnan(settled_a) || isnan(settled_b) ? NAN : pw_larger(settled_a, settled_b);
        for (int q = 0; q < market->n_products; q++)
            judge_trade(snapshot, l, q, negligible, outcome, sums);
    }
}

/* The cheapest dispatch of agent n that delivers `net`, or the nearest to it that its limits allow; its cost
 * too. */
static double dispatch(const struct pw_market *market, int n, int q, double net, double price, double *cost)
{
    int first = market->asset_first[n], count = market->asset_first[n + 1] - first,
        products = market->n_products;
    double *rows = pw_alloc((size_t)count, 5 * sizeof(double)), zero = 0.0, slope = 1.0, sold, power = 0.0;
    for (int i = 0; i < count; i++) {
        int k = (first + i) * products + q;
        rows[i] = market->p_min[k];
        rows[count + i] = market->p_max[k];
        rows[2 * count + i] = market->a[k];
        rows[3 * count + i] = market->b[k];
    }
    double *p = rows + 4 * count;
    net = fmin(fmax(net, pw_market_agent_p_min(market, n, q)), pw_market_agent_p_max(market, n, q));
    struct pw_local_problem problem = {count, rows, rows + count, rows + 2 * count, rows + 3 * count,
                                       p,     1,    &zero,        &slope,           &zero,
                                       &net,  &net, &sold};
    pw_local_solve(&problem, price);
    for (int i = 0; i < count; i++) {
        power += p[i];
        *cost += (rows[2 * count + i] / 2.0 * p[i] + rows[3 * count + i]) * p[i];
    }
    free(rows);
    return power;
}

static void judge_agents(const struct pw_snapshot *snapshot, struct pw_outcome *outcome, struct sums *sums)
{
    const struct pw_market *market = snapshot->market;
    struct pw_summary *summary = &outcome->summary;
    double *net = pw_alloc((size_t)market->n_agents * (size_t)market->n_products, sizeof(double));
    for (int l = 0; l < market->n_links; l++) {
        for (int q = 0; q < market->n_products; q++) {
            net[market->link_a[l] * market->n_products + q] += outcome->trade[l * market->n_products + q];
            net[market->link_b[l] * market->n_products + q] -= outcome->trade[l * market->n_products + q];
        }
    }
    for (int number = 0; number < market->n_agents; number++) {
        int n = pw_market_known_as(market, number); /* so that sums are the same however agents are placed */
        for (int q = 0; q < market->n_products; q++) {
            int i = n * market->n_products + q;
            outcome->price[i] = snapshot->price[i];
            outcome->power[i] = dispatch(market, n, q, net[i], snapshot->price[i], &outcome->cost[n]);
            outcome->remainder[i] = outcome->power[i] - net[i];
            double off = fmax(fabs(outcome->power[i] - net[i]), fabs(snapshot->power[i] - net[i]));
            summary->balance_max = fmax(summary->balance_max, off);
            summary->imbalance += off;
            summary->power_injected += fmax(outcome->power[i], 0.0);
        }
        sums->dual2 += snapshot->moved2[n];
        sums->price2 += snapshot->moved_priced2[n];
        outcome->welfare[n] -= outcome->cost[n] + outcome->fees[n];
        summary->social_welfare -= outcome->cost[n] + outcome->fees[n];
        outcome->peers[n] = pw_market_degree(market, n);
        outcome->iterations[n] = (long)snapshot->iterations[n];
        outcome->messages_sent[n] = (long)snapshot->sent[n];
        summary->messages_sent += outcome->messages_sent[n];
        summary->messages_lost += (long)snapshot->lost[n];
        summary->messages_duplicate += (long)snapshot->duplicates[n];
        outcome->wait_s[n] = snapshot->wait_s[n];
        outcome->compute_s[n] = snapshot->compute_s[n];
        summary->iterations_mean += (double)snapshot->iterations[n] / market->n_agents;
    }
    free(net);
}

void pw_judge(const struct pw_snapshot *snapshot, const struct pw_tolerances *tolerances,
              struct pw_outcome *outcome)
{
    const struct pw_market *market = snapshot->market;
    struct pw_summary *summary = &outcome->summary;
    struct sums sums = {0};
    summary->agents = market->n_agents;
    summary->trades = market->n_links;
    summary->tolerance_primal = tolerances->primal;
    summary->tolerance_dual = tolerances->dual;
    summary->tolerance_price = tolerances->price;
    summary->tolerance_spread = tolerances->spread;
    judge_links(snapshot, pw_judge_negligible(market, tolerances), outcome, &sums);
    judge_agents(snapshot, outcome, &sums);
    int ends = 2 * market->n_links;
    summary->primal_residual = sums.unsolved > 0 ? NAN : sqrt(sums.primal2);
    summary->dual_residual = sums.unsolved > 0 ? NAN : sqrt(sums.dual2);
    summary->price_residual = sums.unsolved > 0 ? NAN : ends > 0 ? sqrt(sums.price2 / ends) : 0.0;
    summary->price_mean = summary->power_traded > 0.0 ? sums.weighted_price / summary->power_traded : NAN;
}

double pw_judge_excess(const struct pw_outcome *outcome)
{
    const struct pw_summary *summary = &outcome->summary;
    const double tests[] = {summary->primal_residual / summary->tolerance_primal,
                            summary->balance_max / summary->tolerance_primal,
                            summary->dual_residual / summary->tolerance_dual,
                            summary->price_residual / summary->tolerance_price,
                            summary->price_spread_max / summary->tolerance_spread,
                            summary->price_mismatch_max / summary->tolerance_price};
    double worst = 0.0;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (isnan(tests[i]))
            return INFINITY;
        worst = fmax(worst, tests[i]);
    }
    return isfinite(summary->social_welfare) ? worst : INFINITY;
}
