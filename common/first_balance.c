#include "common/first_balance.h"

#include <stdlib.h>

#include "common/memory.h"

/* What an agent may inject on balance, at least and at most, and what it does by the trades so far. */
struct state {
    double low, high, net;
};

static struct state *start(const struct pw_market *market, int q)
{
    struct state *states = pw_alloc((size_t)market->n_agents, sizeof *states);
    for (int n = 0; n < market->n_agents; n++)
        states[n] =
            (struct state){pw_market_agent_p_min(market, n, q), pw_market_agent_p_max(market, n, q), 0.0};
    return states;
}

static double least(double x, double y)
{
    return x < y ? x : y;
}

/* What agent `n` may still be sent (way 1) or send (way -1) over a link, seen from its end `is_a`. */
static double room_of(const struct pw_market *market, size_t i, int is_a, int way, double trade)
{
    int falls = is_a == (way > 0); /* being sent something lowers the trade of agent_a */
    return falls ? trade - market->t_min[i] : market->t_max[i] - trade;
}

/* Gives agent n from its peers what it lacks (way 1), or takes off what it has too much (way -1). */
static void serve(const struct pw_market *market, int q, int n, int way, struct state *states, double *trade)
{
    double wanted = way > 0 ? states[n].net - states[n].high : states[n].low - states[n].net;
    for (int e = market->end_first[n]; e < market->end_first[n + 1] && wanted > 0.0; e++) {
        int l = market->end_link[e], is_a = market->link_a[l] == n;
        struct state *peer = &states[is_a ? market->link_b[l] : market->link_a[l]];
        double spare = way > 0 ? peer->high - peer->net : peer->net - peer->low;
        double amount =
            least(least(wanted, spare),
                  room_of(market, (size_t)l * (size_t)market->n_products + (size_t)q, is_a, way, trade[l]));
        if (!(amount > 0.0))
            continue;
        trade[l] += is_a == (way > 0) ? -amount : amount;
        peer->net += way > 0 ? amount : -amount;
        wanted -= amount;
    }
    states[n].net = way > 0 ? states[n].high + wanted : states[n].low - wanted;
}

static int forces_a_trade(const struct pw_market *market, int q)
{
    for (int l = 0; l < market->n_links; l++) {
        size_t i = (size_t)l * (size_t)market->n_products + (size_t)q;
        if (market->t_min[i] > 0.0 || market->t_max[i] < 0.0)
            return 1;
    }
    return 0;
}

int pw_first_balance(const struct pw_market *market, int q, double *trade)
{
    int balances = 1;
    double *own = NULL;
    if (forces_a_trade(market, q))
        return 0;
    if (trade == NULL)
        trade = own = pw_alloc((size_t)market->n_links, sizeof *own);
    for (int l = 0; l < market->n_links; l++)
        trade[l] = 0.0;
    struct state *states = start(market, q);
    for (int n = 0; n < market->n_agents; n++) {
        if (states[n].net > states[n].high)
            serve(market, q, n, 1, states, trade);
        else if (states[n].net < states[n].low)
            serve(market, q, n, -1, states, trade);
    }
    for (int n = 0; n < market->n_agents; n++)
        balances &= states[n].net >= states[n].low && states[n].net <= states[n].high;
    free(states);
    free(own);
    return balances;
}
