#include "agent/exchange.h"

/* Where the peer's offer of a round is kept: two rounds at most are under way. */
static double *offer_of(const struct pw_agent *agent, struct pw_inbox *inbox, int round)
{
    return inbox->theirs + (round & 1) * agent->n_products;
}

static void keep(const struct pw_agent *agent, struct pw_inbox *inbox, int round, const double *r)
{
    double *theirs = offer_of(agent, inbox, round);
    for (int q = 0; q < agent->n_products; q++)
        theirs[q] = r[q];
}

static enum pw_delivery deliver(struct pw_agent *agent, int slot, int round, const double *r)
{
    struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
    if (round > inbox->round + 1)
        return PW_OUT_OF_ROUND;
    if (round == inbox->round && !inbox->complete) {
        keep(agent, inbox, round, r);
        inbox->complete = 1;
        agent->n_complete++;
        agent->n_next += inbox->has_next;
        return PW_DELIVERED;
    }
    if (round == inbox->round + 1 && !inbox->has_next) {
        keep(agent, inbox, round, r);
        inbox->has_next = 1;
        agent->n_next += inbox->complete;
        return PW_DELIVERED;
    }
    agent->duplicates++;
    return PW_DUPLICATE;
}

static int ready(const struct pw_agent *agent)
{
    if (agent->n_complete == 0)
        return 0;
    if (agent->n_complete >= agent->needed)
        return 1;
    return !agent->rules.synchronous && agent->n_complete + agent->n_next >= agent->n_links;
}

/* Both trades of the round are taken from the offers and the edge variables, which both ends hold bit for
 * bit: so the gap, and the penalty that follows from it, are the same numbers at both ends. */
static void apply(struct pw_agent *agent, int slot)
{
    struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
    const double *theirs = offer_of(agent, inbox, inbox->round);
    double alpha = agent->rules.relaxation, gap2 = 0.0;
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = pw_agent_at(agent, slot, q);
        double trade = (agent->offer[i] + agent->s[i]) / 2.0;
        double peer_trade = (theirs[q] + agent->peer_s[i]) / 2.0;
        double gap = trade + peer_trade, agreed = (trade - peer_trade) / 2.0;
        double move = agreed - agent->agreed_before[i];
        agent->s[i] = (1.0 - alpha) * agent->s[i] - alpha * theirs[q];
        agent->peer_s[i] = (1.0 - alpha) * agent->peer_s[i] - alpha * agent->offer[i];
        agent->agreed_before[i] = agreed;
        agent->heard[i] = peer_trade;
        agent->move_sum2[slot] += move * move;
        gap2 += gap * gap;
    }
    agent->gap2[slot] = gap2;
    agent->gap_sum2[slot] += gap2 / 4.0;
    if (agent->rules.adapt_penalty)
        pw_penalty_balance(agent, slot);
}

static void offer_slot(struct pw_agent *agent, int slot, int q, double trade)
{
    size_t i = pw_agent_at(agent, slot, q);
    agent->before[i] = agent->mine[i];
    agent->mine[i] = trade;
    agent->offer[i] = 2.0 * trade - agent->s[i];
    agent->price_sent[i] = agent->price[q];
}

static void advance(struct pw_agent *agent, int slot)
{
    struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
    inbox->round++;
    inbox->complete = inbox->has_next;
    inbox->has_next = 0;
    agent->n_complete += inbox->complete;
}

static void open_round(struct pw_agent *agent)
{
    agent->n_out = 0;
    for (int slot = 0; slot < agent->n_links; slot++) {
        if (!pw_agent_inbox(agent, slot)->complete)
            continue;
        apply(agent, slot);
        agent->outbox[agent->n_out++] = slot;
    }
}

static void offer(struct pw_agent *agent, int q)
{
    for (int i = 0; i < agent->n_out; i++)
        offer_slot(agent, agent->outbox[i], q, agent->wish[agent->outbox[i]]);
}

static void close_round(struct pw_agent *agent)
{
    agent->n_complete = agent->n_next = 0;
    for (int i = 0; i < agent->n_out; i++)
        advance(agent, agent->outbox[i]);
}

const struct pw_exchange pw_exchange_paired = {.is_paired = 1,
                                               .deliver = deliver,
                                               .ready = ready,
                                               .open = open_round,
                                               .offer = offer,
                                               .close = close_round};
