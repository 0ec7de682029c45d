#include <math.h>

#include "agent/balance.h"
#include "agent/exchange.h"

/* More may diverge where delta is below 1 (docs/penalty.md), and only a paired exchange bears any. */
static const double PAIRED_RELAXATION = 0.6, PLAIN_RELAXATION = 0.5;

double pw_relaxation_auto(enum pw_exchange_kind exchange)
{
    return pw_exchange_is_paired(exchange) ? PAIRED_RELAXATION : PLAIN_RELAXATION;
}

/* An agent with this many links or more makes waiting trades as stiff as pays among many. */
static const double MANY_LINKS = 9.0;

double pw_stiffness_auto(double links, double waiting)
{
    return 1.0 + 2.0 * fmin(1.0, fmax(links - 1.0, 0.0) / (MANY_LINKS - 1.0)) * links / fmax(1.0, waiting);
}

/* Both ends come to the same answer: each holds the other's edge variable, and a maximum has no order. */
static int is_at_rest(const struct pw_agent *agent, int slot)
{
    double size2 = 0.0;
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = (size_t)q * (size_t)agent->n_links + (size_t)slot;
        double size = fmax(fabs(agent->agreed_before[i]), fmax(fabs(agent->s[i]), fabs(agent->peer_s[i])));
        size2 += size * size;
    }
    return agent->gap_sum2[slot] + agent->move_sum2[slot] <= PW_ROUNDING_SHARE * PW_ROUNDING_SHARE * size2;
}

void pw_penalty_balance(struct pw_agent *agent, int slot, double gap2, double move2)
{
    int round = pw_agent_inbox(agent, slot)->round, since = round % PW_ROUNDS_PER_BALANCE;
    if (round == 0 || (since > 0 && since <= PW_ROUNDS_PER_BALANCE - PW_ROUNDS_THAT_COUNT) ||
        round > PW_LAST_BALANCE)
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
    float ratio = (float)(agent->penalty_start[slot] / old);
    double share = pw_balance((float)agent->gap_sum2[slot], (float)agent->move_sum2[slot], round, &ratio);
    agent->gap_sum2[slot] = agent->move_sum2[slot] = 0.0;
    agent->penalty[slot] = old / share;
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = (size_t)q * (size_t)agent->n_links + (size_t)slot;
        double agreed = agent->agreed_before[i];
        agent->s[i] = agreed + share * (agent->s[i] - agreed);
        agent->peer_s[i] = -agreed + share * (agent->peer_s[i] + agreed);
    }
}
