/* The survey's (5a)-(5b) taken literally, with the dual step of rho/2 that makes it right when nobody is
 * late: each fire uses the peers' latest trades, however old and however often used before. With delta < 1 or
 * delays it drifts to wrong markets (docs/protocol.md); it is here to show that. An offer is the trade
 * itself; s holds the centre of the proximal term, peer_s the multiplier over rho. */
#include "agent/mailbox.h"

static void apply(struct pw_agent *agent, int slot)
{
    const double *theirs = pw_agent_inbox(agent, slot)->theirs;
    double gap2 = 0.0;
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = pw_agent_at(agent, slot, q);
        double gap = agent->mine[i] + theirs[q];
        agent->peer_s[i] += gap / 2.0;                                       /* (5b) over rho */
        agent->s[i] = (agent->mine[i] - theirs[q]) / 2.0 - agent->peer_s[i]; /* (5a) */
        agent->heard[i] = theirs[q];
        gap2 += gap * gap;
    }
    agent->gap2[slot] = gap2;
}

static void open_round(struct pw_agent *agent)
{
    for (int slot = 0; slot < agent->n_links; slot++)
        apply(agent, slot);
    pw_mailbox_address_all(agent);
}

static void close_round(struct pw_agent *agent)
{
    for (int slot = 0; slot < agent->n_links; slot++) {
        for (int q = 0; q < agent->n_products; q++) {
            size_t i = pw_agent_at(agent, slot, q);
            agent->before[i] = agent->mine[i];
            agent->mine[i] = agent->offer[i] = agent->wish[i];
        }
    }
    pw_mailbox_close(agent);
}

const struct pw_exchange pw_exchange_stale = {.needs_timeout = 1,
                                              .deliver = pw_mailbox_deliver,
                                              .ready = pw_mailbox_ready,
                                              .open = open_round,
                                              .solve = pw_agent_solve,
                                              .close = close_round};
