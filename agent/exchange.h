/* An exchange: how an agent takes offers in, when it may fire, what it makes of them, and what it sends. One
 * file each, one row of the table in agent.c. */
#ifndef PW_EXCHANGE_H
#define PW_EXCHANGE_H

#include "agent/agent.h"

struct pw_exchange {
    int is_paired;     /* a link's two ends count rounds together; trades that wait for an answer are stiff */
    int needs_timeout; /* an agent may otherwise wait for ever */
    enum pw_delivery (*deliver)(struct pw_agent *agent, int slot, int round, const double *r);
    int (*ready)(const struct pw_agent *agent);
    /* Before the local problem: takes in what has come, fills the outbox. */
    void (*open)(struct pw_agent *agent);
    /* After the local problem: makes the offers of the outbox from the trades wished for, for product q. */
    void (*offer)(struct pw_agent *agent, int q);
    /* At the end of a fire. */
    void (*close)(struct pw_agent *agent);
};

extern const struct pw_exchange pw_exchange_paired, pw_exchange_latest, pw_exchange_stale;

/* The position of a slot's number for product q in the arrays marked * in agent.h. */
static inline size_t pw_agent_at(const struct pw_agent *agent, int slot, int q)
{
    return (size_t)q * (size_t)agent->n_links + (size_t)slot;
}

/* Balances the penalty of a slot if its round is one of those where that is due; agent/penalty.c. */
void pw_penalty_balance(struct pw_agent *agent, int slot);

#endif
