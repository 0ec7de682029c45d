/* The wall clock of a rank: hands messages to its agents when they are due in real time, and lets agents fire
 * when they may. */
#ifndef PW_WALL_H
#define PW_WALL_H

#include <stdint.h>

#include "common/exact_sum.h"
#include "common/observer.h"
#include "coordinator/host.h"
#include "net_models/network.h"

/* Nothing is owned. */
struct pw_wall_spec {
    struct pw_host *host;
    struct pw_network network;
    int64_t (*now)(void *context); /* nanoseconds of real time */
    /* An offer for an agent on another rank. */
    void (*send)(void *context, int rank, const struct pw_offer *offer);
    void *context;                      /* of now and send */
    const struct pw_observer *observer; /* NULL: nobody watches */
};

/* Running totals over the agents of this rank; sums are exact, so that no order of events and no number of
 * ranks shows. */
struct pw_totals {
    struct pw_exact_sum primal2, dual2, price2, welfare;
    int64_t unsolved, settled; /* slots without a solved round; settled slots */
    int64_t fires, most_fires; /* local solves: all, and of the busiest agent */
    int64_t sent;
};

struct pw_wall {
    struct pw_wall_spec spec;
    double *welfare;                  /* [agents here] minus cost and fees at the last solve */
    int *ready, n_ready, ready_start; /* ring of agents that may fire */
    unsigned char *queued;            /* [agents here] in the ring */
    struct pw_pacer *pacer;           /* holds agents back that have run too far ahead of an answer */
    struct pw_event_queue *held;      /* what the network model holds back */
    struct pw_due_queue *timeouts;    /* of agents, one for each fire */
    int64_t timeout_ns;
    int64_t start_ns;
    struct pw_totals totals;
    struct pw_error error; /* code PW_OK unless a peer broke the protocol */
};

/* `delta` is the market's asynchronous rate; an agent whose exchange needs that fires `timeout_ns` after its
 * last fire in any case. */
struct pw_wall *pw_wall_create(const struct pw_wall_spec *spec, double delta, int64_t timeout_ns);
void pw_wall_destroy(struct pw_wall *wall);

/* Round 0 of every agent. */
void pw_wall_start(struct pw_wall *wall);

/* Takes `count` offers that came from another rank, quickest with some PW_WALL_AT_ONCE of them: the network
 * model starts here. PW_INTERNAL, kept in wall->error too, for an agent that does not live here or a slot
 * that it does not have. */
enum { PW_WALL_AT_ONCE = 16 };
enum pw_code pw_wall_receive(struct pw_wall *wall, const struct pw_offer *offers, int count);

/* Delivers what is due and lets every agent fire once that may, or the first `most` of them; returns how many
 * fired. Check wall->error after it. */
int pw_wall_step(struct pw_wall *wall, int most);

/* True if nothing will happen here unless an offer comes from another rank. */
int pw_wall_is_passive(const struct pw_wall *wall);

/* When the next held message is due, or an agent's rest over, on spec.now; INT64_MAX where there is neither.
 */
int64_t pw_wall_next_due(const struct pw_wall *wall);

#endif
