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
    /* At the start: fills the offers of round 0. NULL: they are zero, or follow from the trades
     * that the agent was born with. */
    void (*start)(struct pw_agent *agent);
    /* Before the trades of a round: takes in what has come. */
    void (*open)(struct pw_agent *agent);
    /* Finds the trades wished for of product q, the powers and the price that go with them. */
    void (*solve)(struct pw_agent *agent, int q);
    /* Then: makes the next offers from the trades wished for, and the outbox. */
    void (*close)(struct pw_agent *agent);
    /* Where rounds are paired: the trade of the slot's latest offer. */
    double (*trade)(const struct pw_agent *agent, int slot, int q);
};

extern const struct pw_exchange pw_exchange_paired, pw_exchange_latest, pw_exchange_stale,
    pw_exchange_innovation, pw_exchange_pool;

/* The `solve` of the exchanges in edge variables: the local problem at s. */
void pw_agent_solve(struct pw_agent *agent, int q);

/* The position of a slot's number for product q in the arrays marked * in agent.h. */
static inline size_t pw_agent_at(const struct pw_agent *agent, int slot, int q)
{
    return (size_t)q * (size_t)agent->n_links + (size_t)slot;
}

/* True if the slot's round is the first of a trade that is agreed for good (negotiation by `ratify`); both
 * ends find the same. And true if the slot's trade is at rest after the local problem; agent/rest.c. */
int pw_rest_ratifies(const struct pw_agent *agent, int slot, double move2);
int pw_rest_is_calm(const struct pw_agent *agent, int slot);

/* True if all slots that have heard their peer are at rest, taken together. O(n_links). */
int pw_rest_all_calm(const struct pw_agent *agent);

/* Takes note of the slot's round, with the squares of its gap and of how far the agreed trade has moved, and
 * balances its penalty if that is due; agent/penalty.c. */
void pw_penalty_balance(struct pw_agent *agent, int slot, double gap2, double move2);

#endif
