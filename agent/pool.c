/* The pool's distributed algorithm, (2) of the survey, on a star: an operator, the agent that has no power of
 * its own, with a link to everybody, and agents that have no other link. A round is
 *
 *     agent     p <- argmin f(p) + fee |p| + rho/2 (p - s)^2,   s = p + offer / rho          (2a), offers p
 *     operator  D <- sum p / sum (1/rho),  price <- price - D         (2b) times -rho,   offers price - D
 *
 * in this order: the operator answers a round of all with the same round. With one rho for all agents D is
 * rho times the mean power, which is (2) as printed. D / rho is what the operator takes off each agent's
 * power so that all add up to zero: that is its trade. Both ends keep D in peer_s, and find it from the
 * operator's last two offers, for these fall by 2 D - (the D before). */
#include "agent/paired.h"

static int is_operator(const struct pw_agent *agent)
{
    for (int i = 0; i < agent->n_assets * agent->n_products; i++) {
        if (agent->p_min[i] < 0.0 || agent->p_max[i] > 0.0)
            return 0;
    }
    return 1;
}

/* The operator waits for everybody's next round. */
static int ready(const struct pw_agent *agent)
{
    if (!is_operator(agent))
        return pw_paired_ready(agent);
    return agent->n_links > 0 && agent->n_next == agent->n_links;
}

static double excess_of(double before, double offer, double offer_before)
{
    return (before - (offer - offer_before)) / 2.0;
}

/* ---- What comes ---- */

static void hear_operator(struct pw_agent *agent, int slot)
{
    struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
    const double *theirs = pw_paired_theirs(agent, inbox, inbox->round);
    double gap2 = 0.0;
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = pw_agent_at(agent, slot, q);
        agent->peer_s[i] = excess_of(agent->peer_s[i], theirs[q], agent->price_sent[i]);
        agent->price_sent[i] = theirs[q];
        double gap = agent->peer_s[i] / agent->penalty[slot];
        agent->heard[i] = gap - agent->mine[i];
        agent->s[i] = agent->mine[i] + theirs[q] / agent->penalty[slot];
        gap2 += gap * gap;
    }
    agent->gap2[slot] = gap2;
}

static void hear_agent(struct pw_agent *agent, int slot)
{
    struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
    const double *theirs = pw_paired_theirs(agent, inbox, inbox->round + 1);
    for (int q = 0; q < agent->n_products; q++)
        agent->heard[pw_agent_at(agent, slot, q)] = theirs[q];
}

static void open_round(struct pw_agent *agent)
{
    int operates = is_operator(agent);
    for (int slot = 0; slot < agent->n_links; slot++) {
        if (operates)
            hear_agent(agent, slot);
        else
            hear_operator(agent, slot);
    }
}

/* ---- What is made of it ---- */

static void balance(struct pw_agent *agent, int q)
{
    double power = 0.0, answers = 0.0;
    for (int slot = 0; slot < agent->n_links; slot++) {
        power += agent->heard[pw_agent_at(agent, slot, q)];
        answers += 1.0 / agent->penalty[slot];
    }
    double excess = power / answers;
    agent->price[q] -= excess;
    for (int slot = 0; slot < agent->n_links; slot++) {
        size_t i = pw_agent_at(agent, slot, q);
        double offer = agent->price[q] - excess;
        agent->peer_s[i] = excess_of(agent->peer_s[i], offer, agent->offer[i]);
        agent->offer[i] = offer;
        double gap = agent->peer_s[i] / agent->penalty[slot];
        agent->wish[i] = gap - agent->heard[i];
        agent->gap2[slot] = (q == 0 ? 0.0 : agent->gap2[slot]) + gap * gap;
    }
}

static void solve(struct pw_agent *agent, int q)
{
    if (is_operator(agent) && agent->n_links > 0)
        balance(agent, q);
    else
        pw_agent_solve(agent, q);
}

/* The operator's s is such that rho (s - t) is its price. */
static void close_slot(struct pw_agent *agent, int slot, int operates)
{
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = pw_agent_at(agent, slot, q);
        agent->before[i] = agent->mine[i];
        agent->mine[i] = agent->wish[i];
        if (operates)
            agent->s[i] = agent->mine[i] + agent->price[q] / agent->penalty[slot];
        else
            agent->offer[i] = agent->mine[i];
    }
    pw_paired_next(agent, slot);
}

static void close_round(struct pw_agent *agent)
{
    int operates = is_operator(agent);
    agent->n_complete = agent->n_next = agent->n_out = agent->n_turned = 0;
    for (int slot = 0; slot < agent->n_links; slot++)
        close_slot(agent, slot, operates);
}

const struct pw_exchange pw_exchange_pool = {.is_paired = 1,
                                             .deliver = pw_paired_deliver,
                                             .ready = ready,
                                             .open = open_round,
                                             .solve = solve,
                                             .close = close_round,
                                             .trade = pw_paired_mine};
