#include "agent/paired.h"

#include <math.h>

#include "common/larger.h"

static void keep(const struct pw_agent *agent, struct pw_inbox *inbox, int round, const double *r)
{
    double *theirs = pw_paired_theirs(agent, inbox, round);
    for (int q = 0; q < agent->n_products; q++)
        theirs[q] = r[q];
}

static double trade_of(const struct pw_agent *agent, int slot, int q)
{
    size_t i = pw_agent_at(agent, slot, q);
    return (agent->offer[i] + agent->s[i]) / 2.0;
}

static double peer_trade_of(const struct pw_agent *agent, int slot, int q, double r)
{
    return (r + agent->peer_s[pw_agent_at(agent, slot, q)]) / 2.0;
}

static void make_offer(struct pw_agent *agent, int slot)
{
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = pw_agent_at(agent, slot, q);
        agent->offer[i] = 2.0 * agent->mine[i] - agent->s[i];
    }
}

/* An offer wakes a settled trade: the standing offer goes out at once, so that nobody ever waits for a
 * settled end. */
static enum pw_delivery answer(struct pw_agent *agent, int slot)
{
    struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
    inbox->settled = 0;
    agent->n_settled--;
    inbox->round++;
    inbox->complete = 1;
    agent->n_complete++;
    for (int q = 0; q < agent->n_products; q++)
        agent->before[pw_agent_at(agent, slot, q)] = agent->mine[pw_agent_at(agent, slot, q)];
    make_offer(agent, slot);
    return PW_ANSWERED;
}

enum pw_delivery pw_paired_deliver(struct pw_agent *agent, int slot, int round, const double *r)
{
    struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
    if (round > inbox->round + 1 || (inbox->ratified && round > inbox->round))
        return PW_OUT_OF_ROUND;
    if (round == inbox->round && !inbox->complete && !inbox->settled) {
        keep(agent, inbox, round, r);
        inbox->complete = 1;
        agent->n_complete++;
        agent->n_next += inbox->has_next;
        return PW_DELIVERED;
    }
    if (round == inbox->round + 1 && !inbox->has_next) {
        keep(agent, inbox, round, r);
        if (inbox->settled)
            return answer(agent, slot);
        inbox->has_next = 1;
        agent->n_next += inbox->complete;
        return PW_DELIVERED;
    }
    agent->duplicates++;
    return PW_DUPLICATE;
}

int pw_paired_ready(const struct pw_agent *agent)
{
    int heard = agent->n_complete + agent->n_settled;
    if (agent->n_complete == 0)
        return 0;
    if (heard >= agent->needed)
        return 1;
    return !agent->rules.synchronous && heard + agent->n_next >= agent->n_links;
}

/* The trade of the round is agreed for good: both ends hold the same number, and fix it. */
static void ratify(struct pw_agent *agent, int slot)
{
    struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
    inbox->ratified = inbox->settled = 1;
    inbox->complete = 0;
    agent->n_settled++;
    agent->gap2[slot] = 0.0;
    agent->turned[agent->n_turned++] = slot;
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = pw_agent_at(agent, slot, q);
        double agreed = agent->agreed_before[i];
        agent->t_min[i] = agent->t_max[i] = agent->mine[i] = agent->before[i] = agreed;
        agent->heard[i] = -agreed;
    }
}

/* Both trades of the round are taken from the offers and the edge variables, which both ends hold bit for
 * bit: so the gap, and the penalty that follows from it, are the same numbers at both ends. */
static void apply(struct pw_agent *agent, int slot)
{
    struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
    const double *theirs = pw_paired_theirs(agent, inbox, inbox->round);
    double alpha = agent->rules.relaxation, gap2 = 0.0, move2 = 0.0, apart = 0.0;
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = pw_agent_at(agent, slot, q);
        double trade = trade_of(agent, slot, q), peer_trade = peer_trade_of(agent, slot, q, theirs[q]);
        double gap = trade + peer_trade, agreed = (trade - peer_trade) / 2.0;
        double move = agreed - agent->agreed_before[i];
        agent->s[i] = (1.0 - alpha) * agent->s[i] - alpha * theirs[q];
        agent->peer_s[i] = (1.0 - alpha) * agent->peer_s[i] - alpha * agent->offer[i];
        agent->agreed_before[i] = agreed;
        agent->heard[i] = peer_trade;
        apart = pw_larger(apart, fabs((agent->s[i] - trade) - (agent->peer_s[i] - peer_trade)));
        move2 += move * move;
        gap2 += gap * gap;
    }
    agent->gap2[slot] = gap2;
    agent->apart[slot] = agent->penalty[slot] * apart;
    if (agent->rules.ratify && pw_rest_ratifies(agent, slot, move2))
        ratify(agent, slot);
    else if (agent->rules.adapt_penalty)
        pw_penalty_balance(agent, slot, gap2, move2);
}

static void open_round(struct pw_agent *agent)
{
    agent->n_turned = 0;
    for (int slot = 0; slot < agent->n_links; slot++) {
        if (pw_agent_inbox(agent, slot)->complete)
            apply(agent, slot);
    }
}

void pw_paired_next(struct pw_agent *agent, int slot)
{
    struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
    inbox->round++;
    inbox->complete = inbox->has_next;
    inbox->has_next = 0;
    agent->n_complete += inbox->complete;
    agent->outbox[agent->n_out++] = slot;
}

static void advance(struct pw_agent *agent, int slot)
{
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = pw_agent_at(agent, slot, q);
        agent->before[i] = agent->mine[i];
        agent->mine[i] = agent->wish[i];
        agent->price_sent[i] = agent->price[q];
    }
    make_offer(agent, slot);
    pw_paired_next(agent, slot);
}

/* The trade stays as offered: its residuals become what it would have moved by. Nobody asks for the trade
 * before that any more, for the peer has sent its offer of the same round. */
static void stand(struct pw_agent *agent, int slot)
{
    pw_agent_inbox(agent, slot)->complete = 0;
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = pw_agent_at(agent, slot, q);
        agent->before[i] = agent->mine[i] - (agent->wish[i] - agent->mine[i]);
    }
}

/* Settles the slot or offers its next round; `calm` is whether its trade is at rest. */
static void close_slot(struct pw_agent *agent, int slot, int calm)
{
    struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
    int settles = calm && inbox->round >= 1 && !inbox->has_next;
    if (settles != inbox->settled)
        agent->turned[agent->n_turned++] = slot;
    agent->n_settled += settles - inbox->settled;
    inbox->settled = (unsigned char)settles;
    if (settles)
        stand(agent, slot);
    else
        advance(agent, slot);
}

static void close_round(struct pw_agent *agent)
{
    int by_trade = agent->rules.criterion == PW_STOP_TRADE;
    int all_calm = agent->rules.criterion == PW_STOP_AGENT && pw_rest_all_calm(agent);
    agent->n_complete = agent->n_next = agent->n_out = 0;
    for (int slot = 0; slot < agent->n_links; slot++) {
        const struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
        if ((inbox->complete || inbox->settled) && !inbox->ratified)
            close_slot(agent, slot, by_trade ? pw_rest_is_calm(agent, slot) : all_calm);
    }
}

const struct pw_exchange pw_exchange_paired = {.is_paired = 1,
                                               .deliver = pw_paired_deliver,
                                               .ready = pw_paired_ready,
                                               .open = open_round,
                                               .solve = pw_agent_solve,
                                               .close = close_round,
                                               .trade = trade_of};
