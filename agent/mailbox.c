#include "agent/mailbox.h"

enum pw_delivery pw_mailbox_deliver(struct pw_agent *agent, int slot, int round, const double *r)
{
    if (round <= agent->heard_round[slot]) {
        agent->duplicates++;
        return PW_DUPLICATE;
    }
    struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
    for (int q = 0; q < agent->n_products; q++)
        inbox->theirs[q] = r[q];
    agent->heard_round[slot] = round;
    agent->heard_at[slot] = (int)agent->fires;
    agent->n_complete += !inbox->complete;
    inbox->complete = 1;
    return PW_DELIVERED;
}

static int any_too_old(const struct pw_agent *agent)
{
    for (int slot = 0; slot < agent->n_links; slot++) {
        if (agent->fires - agent->heard_at[slot] > agent->rules.max_age)
            return 1;
    }
    return 0;
}

int pw_mailbox_ready(const struct pw_agent *agent)
{
    if (agent->n_complete < agent->needed)
        return 0;
    return agent->rules.max_age == 0 || !any_too_old(agent);
}

void pw_mailbox_address_all(struct pw_agent *agent)
{
    agent->n_out = agent->n_links;
    for (int slot = 0; slot < agent->n_links; slot++)
        agent->outbox[slot] = slot;
}

void pw_mailbox_close(struct pw_agent *agent)
{
    agent->n_complete = 0;
    for (int slot = 0; slot < agent->n_links; slot++) {
        pw_agent_inbox(agent, slot)->complete = 0;
        pw_agent_inbox(agent, slot)->round++;
    }
}
