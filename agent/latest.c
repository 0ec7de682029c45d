/* Newest wins: an offer that is overtaken by a newer one is never used, one that is lost is never missed.
 * Relaxed ADMM in edge variables, each offer applied at most once (docs/protocol.md). */
#include "agent/mailbox.h"

/* What the fixed-point iteration of the edge variable still moves: at the optimum s = -r'. */
static void apply(struct pw_agent *agent, int slot)
{
    const double *theirs = pw_agent_inbox(agent, slot)->theirs;
    double alpha = agent->rules.relaxation, gap2 = 0.0;
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = pw_agent_at(agent, slot, q);
        double gap = agent->s[i] + theirs[q];
        agent->heard[i] = -agent->mine[i] + gap;
        agent->s[i] -= alpha * gap;
        gap2 += gap * gap;
    }
    agent->gap2[slot] = gap2;
}

static void open_round(struct pw_agent *agent)
{
    for (int slot = 0; slot < agent->n_links; slot++) {
        if (pw_agent_inbox(agent, slot)->complete)
            apply(agent, slot);
    }
    pw_mailbox_address_all(agent);
}

static void close_round(struct pw_agent *agent)
{
    for (int slot = 0; slot < agent->n_links; slot++) {
        for (int q = 0; q < agent->n_products; q++) {
            size_t i = pw_agent_at(agent, slot, q);
            agent->before[i] = agent->mine[i];
            agent->mine[i] = agent->wish[i];
            agent->offer[i] = 2.0 * agent->wish[i] - agent->s[i];
        }
    }
    pw_mailbox_close(agent);
}

const struct pw_exchange pw_exchange_latest = {.needs_timeout = 1,
                                               .deliver = pw_mailbox_deliver,
                                               .ready = pw_mailbox_ready,
                                               .open = open_round,
                                               .solve = pw_agent_solve,
                                               .close = close_round};
