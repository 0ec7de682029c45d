/* What all exchanges share that pair rounds: both ends of a link count them together (docs/protocol.md). */
#ifndef PW_PAIRED_H
#define PW_PAIRED_H

#include "agent/exchange.h"

/* Where the peer's offer of a round is kept: two rounds at most are under way. */
static inline double *pw_paired_theirs(const struct pw_agent *agent, struct pw_inbox *inbox, int round)
{
    return inbox->theirs + (round & 1) * agent->n_products;
}

/* The trade of an offer, where offers are trades or come with them. */
static inline double pw_paired_mine(const struct pw_agent *agent, int slot, int q)
{
    return agent->mine[pw_agent_at(agent, slot, q)];
}

/* The handlers of the paired exchange. */
enum pw_delivery pw_paired_deliver(struct pw_agent *agent, int slot, int round, const double *r);
int pw_paired_ready(const struct pw_agent *agent);

/* The slot's offer is made: its next round begins, and it goes into the outbox. The fire that calls this has
 * set n_complete, n_next and n_out to 0 before its first slot. */
void pw_paired_next(struct pw_agent *agent, int slot);

#endif
