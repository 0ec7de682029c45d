/* One prosumer as a pure state machine: messages go in by pw_agent_deliver(), pw_agent_fire() negotiates one
 * round, and what it wants sent is in its outbox. It knows no clock, no rank, no file and no random number,
 * and of other agents only what they sent. docs/protocol.md tells the whole exchange.
 *
 * A link end is called a slot: 0 .. n_links-1, in the agent's own order. An agent keeps for each slot its own
 * round k, complete once it has sent its k-th offer and received the peer's k-th. */
#ifndef PW_AGENT_H
#define PW_AGENT_H

#include <stddef.h>
#include <stdint.h>

#include "agent/rules.h"

/* What pw_agent_deliver() made of a message. */
enum pw_delivery {
    PW_DELIVERED,
    PW_ANSWERED,     /* the trade was settled: the slot has an offer to send at once, and it alone */
    PW_DUPLICATE,    /* seen before: counted and dropped */
    PW_OUT_OF_ROUND, /* more than one round ahead, which no correct peer sends: end the run */
};

/* Residuals of the agent's last rounds, summed over its slots and products (docs/mathematics.md). */
struct pw_residuals {
    double
        primal2; /* sum of (t + t')^2 over the links that this end counts, at their last round applied here */
    double dual2;  /* sum of (change of t)^2 over the slots, between the last two offers */
    double price2; /* sum of (rho * change of t)^2 over the slots */
    double naive2; /* sum of (t + t')^2 over the links that this end counts, its own latest offer with the
                      peer's last applied one: rounds apart, what a test that pairs nothing would see */
    int unsolved;  /* slots that have not sent a solved round (k >= 1) yet */
};

/* What arrives at a slot: all that pw_agent_deliver() touches of it, side by side. */
struct pw_inbox {
    int32_t round;                    /* k: the round of the last offer sent */
    unsigned char complete, has_next; /* the peer's k-th (k+1-th) offer is here and unread */
    unsigned char settled;            /* silent: at rest after round k, which is applied */
    unsigned char ratified;           /* agreed for good */
    unsigned char counts;             /* this end counts the link's gap */
    double theirs[];                  /* [2 * n_products] the peer's r of even rounds, then of odd ones */
};

/* All per-slot arrays are [n_links]; those marked * are [n_products * n_links], products outermost. Read
 * freely, change only through the functions below. */
struct pw_agent {
    /* First what a delivery touches, in one line of a cache. */
    unsigned char *inboxes;            /* [n_links] by pw_agent_inbox() */
    size_t inbox_size;                 /* bytes of one */
    int n_complete, n_next, n_settled; /* counters behind pw_agent_ready() */
    int needed;                        /* ceil(delta * n_links): complete links wanted by rule (i) */
    int id, n_products, n_assets, n_links;
    size_t size; /* bytes of the agent and its arrays, which are one block */
    struct pw_rules rules;

    double *p_min, *p_max, *a, *b, *p; /* [n_products * n_assets] */
    double *price;                     /* [n_products] marginal price of the last solve */
    double *above, *below, *answer;    /* [n_products * n_assets] innovation: prices of p_max and p_min, power
                                          that answers a unit of price; else NULL */

    double *penalty;              /* rho */
    double *rest_power;           /* [n_links] */
    double *t_min, *t_max, *fee;  /* * */
    double *s, *peer_s;           /* * edge variable of this end, and of the other (its shadow); innovation
                                     and pool keep something else of the peer there */
    double *mine, *before;        /* * trade offered in round k and in round k - 1 */
    double *offer;                /* * r = 2 mine - s of round k, as sent; see the exchange */
    double *price_sent;           /* * the agent's price when `mine` was offered; innovation: the trade's */
    double *gap2;                 /* squared reciprocity gap of the last round applied */
    double *apart;                /* by how much both ends' prices of the trade differ after that round */
    double *heard;                /* * the peer's trade in the round last applied */
    double *agreed_before;        /* * c = (t - t')/2 of the round before, for the penalty balance */
    double *gap_sum2, *move_sum2; /* sums over the rounds that the next penalty balance counts */
    double *penalty_start;        /* rho at the start, which bounds its adaptation */

    int *heard_at;    /* fires when the peer was last heard: latest and stale */
    int *heard_round; /* the latest round heard of the peer, -1 for none: latest and stale */
    int *outbox;      /* slots with an offer to send, made by the last start or fire */
    int *turned;      /* slots that the last fire settled, or woke: then they are in the outbox too */
    int n_out, n_turned;
    long fires, duplicates;
    long inner_steps; /* iterations of the inner ADMM, where it solves */
    struct pw_residuals residuals;
    double *wish;                  /* * the trades that the last local problem found */
    double *target, *slope, *dead; /* [n_links] of the local problem; kept by nobody between two fires */
};

/* What arrives at `slot`, 0 <= slot < n_links. */
static inline struct pw_inbox *pw_agent_inbox(const struct pw_agent *agent, int slot)
{
    return (struct pw_inbox *)(agent->inboxes + (size_t)slot * agent->inbox_size);
}

/* Makes an agent; NULL never (out of memory ends the program). Free it with pw_agent_destroy(). */
struct pw_agent *pw_agent_create(const struct pw_agent_spec *spec, const struct pw_rules *rules);
void pw_agent_destroy(struct pw_agent *agent);

/* Round 0: fills the outbox with an offer on every slot, all zero but where the agent was born with trades to
 * start from, or the exchange starts otherwise. An agent without links solves at once. */
void pw_agent_start(struct pw_agent *agent);

/* Takes the peer's offer r [n_products] of `round` on `slot` (0 <= slot < n_links). O(1). */
enum pw_delivery pw_agent_deliver(struct pw_agent *agent, int slot, int round, const double *r);

/* Fetch into the cache what a delivery on `slot` will touch; and what a fire will. */
void pw_agent_fetch_slot(const struct pw_agent *agent, int n_products, int slot);
void pw_agent_fetch_fire(const struct pw_agent *agent);

/* True if the agent may fire: at least one complete link (for the exchanges but paired: one with news), and
 * either (i) `needed` of them or (ii), unless the market is synchronous, as many messages held as it has
 * links; a settled link counts as heard in both. O(1). */
int pw_agent_ready(const struct pw_agent *agent);

/* One local round: takes in what has come, solves the local problem, and puts the next offers into the
 * outbox. Call it only when ready, or after the time-out. O(n_links). */
void pw_agent_fire(struct pw_agent *agent);

/* True if the agent fires after a time-out even where it is not ready: offers may be lost for good. */
int pw_agent_needs_timeout(const struct pw_agent *agent);

/* True if the agent fires only once every link is complete or settled: it never looks at fewer of them. */
int pw_agent_awaits_all(const struct pw_agent *agent);

/* True if both ends of a link hold the same round sooner or later; else their latest trades have to do. */
int pw_exchange_is_paired(enum pw_exchange_kind exchange);

/* True if the exchange can start from given trades and prices. */
int pw_exchange_starts_anywhere(enum pw_exchange_kind exchange);

/* The offer r for product q on `slot`, as to be sent in round agent->round[slot]. */
double pw_agent_offer(const struct pw_agent *agent, int slot, int q);

/* Where the exchange pairs rounds: the trade of product q that this offer stands for. */
double pw_agent_trade(const struct pw_agent *agent, int slot, int q);

/* Net injection of the agent for product q at its last solve. */
double pw_agent_power(const struct pw_agent *agent, int q);

/* Cost of its assets at their last powers, money per hour. */
double pw_agent_cost(const struct pw_agent *agent);

/* Fees on the trades of its last offers, money per hour. */
double pw_agent_fees(const struct pw_agent *agent);

/* The price of the trade on `slot`, product q, at its last offer: rho (s - t), by docs/mathematics.md. */
double pw_agent_trade_price(const struct pw_agent *agent, int slot, int q);

#endif
