#include <math.h>

#include "agent/exchange.h"

/* Balanced every so many rounds of a link, from its own gap and movement in the last of them, when the change
 * before has worn off (residual balancing, with a limit on each factor that tightens as the rounds pass, so
 * that the penalty comes to rest). */
enum { ROUNDS_PER_BALANCE = 6, ROUNDS_THAT_COUNT = 3, LAST_BALANCE = 4096 };
static const double LARGEST_FACTOR = 4.0, TIGHTENING_ROUNDS = 64.0;

/* The penalty stays within these from its start. At a small delta, where agents answer one another one by
 * one, a link moves much more than its gap and its penalty sinks further than is good for the market, which
 * then crawls. */
static const double MOST_SINK = 1e2, MOST_RISE = 1e4;

/* More may diverge where delta is below 1 (docs/penalty.md), and only a paired exchange bears any. */
static const double PAIRED_RELAXATION = 0.6, PLAIN_RELAXATION = 0.5;

double pw_relaxation_auto(enum pw_exchange_kind exchange)
{
    return pw_exchange_is_paired(exchange) ? PAIRED_RELAXATION : PLAIN_RELAXATION;
}

static double balancing_factor(double gap_sum2, double move_sum2, int round)
{
    double limit = fmin(LARGEST_FACTOR, 1.0 + TIGHTENING_ROUNDS / round);
    if (!(gap_sum2 > 0.0) && !(move_sum2 > 0.0))
        return 1.0;
    double factor = sqrt(sqrt(gap_sum2 / move_sum2)); /* infinite where nothing moved */
    return fmin(fmax(factor, 1.0 / limit), limit);
}

static double bounded(double penalty, double start)
{
    return fmin(fmax(penalty, start / MOST_SINK), start * MOST_RISE);
}

/* Below this share of the edge variables a gap or a move is rounding, which says nothing about the penalty.
 */
static const double ROUNDING_SHARE = 1e-10;

/* Both ends come to the same answer: each holds the other's edge variable, and a maximum has no order. */
static int is_at_rest(const struct pw_agent *agent, int slot)
{
    double size2 = 0.0;
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = (size_t)q * (size_t)agent->n_links + (size_t)slot;
        double size = fmax(fabs(agent->agreed_before[i]), fmax(fabs(agent->s[i]), fabs(agent->peer_s[i])));
        size2 += size * size;
    }
    return agent->gap_sum2[slot] + agent->move_sum2[slot] <= ROUNDING_SHARE * ROUNDING_SHARE * size2;
}

void pw_penalty_balance(struct pw_agent *agent, int slot, double gap2, double move2)
{
    int round = pw_agent_inbox(agent, slot)->round, since = round % ROUNDS_PER_BALANCE;
    if (round == 0 || (since > 0 && since <= ROUNDS_PER_BALANCE - ROUNDS_THAT_COUNT) || round > LAST_BALANCE)
        return;
    agent->gap_sum2[slot] += gap2 / 4.0;
    agent->move_sum2[slot] += move2;
    if (since > 0)
        return;
    if (is_at_rest(agent, slot)) {
        agent->gap_sum2[slot] = agent->move_sum2[slot] = 0.0;
        return;
    }
    double old = agent->penalty[slot];
    double factor = balancing_factor(agent->gap_sum2[slot], agent->move_sum2[slot], round);
    double penalty = bounded(old * factor, agent->penalty_start[slot]);
    agent->gap_sum2[slot] = agent->move_sum2[slot] = 0.0;
    agent->penalty[slot] = penalty;
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = (size_t)q * (size_t)agent->n_links + (size_t)slot;
        double agreed = agent->agreed_before[i];
        agent->s[i] = agreed + old / penalty * (agent->s[i] - agreed);
        agent->peer_s[i] = -agreed + old / penalty * (agent->peer_s[i] + agreed);
    }
}
