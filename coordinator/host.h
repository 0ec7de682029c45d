/* A rank's container of agents: hands messages to them, lets them fire when they may, and passes on what they
 * send. Knows which agents live here, but neither MPI nor how an agent decides. */
#ifndef PW_HOST_H
#define PW_HOST_H

#include <stdint.h>

#include "agent/agent.h"
#include "common/codec.h"
#include "common/exact_sum.h"
#include "common/market.h"
#include "common/observer.h"
#include "coordinator/placement.h"
#include "net_models/net_model.h"

/* What a host is made of. Nothing is owned. */
struct pw_host_spec {
    const struct pw_market *market;
    struct pw_placement placement;
    int rank;
    struct pw_rules rules;
    double delta;
    const double *penalty; /* [n_links] */
    struct pw_network network;
    int64_t (*now)(void *context); /* nanoseconds of the clock that the delays run on */
    /* An offer for an agent on another rank. */
    void (*send)(void *context, int rank, const struct pw_offer *offer);
    void *context;                      /* of now and send */
    const struct pw_observer *observer; /* NULL: nobody watches */
};

/* Running totals over the agents of this host; sums are exact, so that no order of events and no number of
 * ranks shows. */
struct pw_totals {
    struct pw_exact_sum primal2, dual2, price2, welfare;
    int64_t unsolved;          /* slots without a solved round */
    int64_t fires, most_fires; /* local solves: all, and of the busiest agent */
    int64_t sent, lost, duplicates;
};

struct pw_host {
    struct pw_host_spec spec;
    int first, end;                                /* the agents first .. end - 1 live here */
    struct pw_agent **agents;                      /* [end - first] */
    double *welfare;                               /* [end - first] minus cost and fees at the last solve */
    int64_t *idle_since_ns, *wait_ns, *compute_ns; /* [end - first] */
    int64_t *sent;                                 /* [end - first] */
    int *ready, n_ready, ready_start;              /* ring of agents that may fire */
    unsigned char *queued;                         /* [end - first] in the ring */
    struct pw_due_queue *held;                     /* what the network model holds back */
    struct pw_totals totals;
    struct pw_error error; /* code PW_OK unless a peer broke the protocol */
};

struct pw_host *pw_host_create(const struct pw_host_spec *spec);
void pw_host_destroy(struct pw_host *host);

/* Round 0 of every agent. */
void pw_host_start(struct pw_host *host);

/* Takes an offer that came from another rank: the network model starts here. PW_INTERNAL, kept in host->error
 * too, for an agent that does not live here or a slot that it does not have. */
enum pw_code pw_host_receive(struct pw_host *host, const struct pw_offer *offer);

/* Delivers what is due and lets every agent fire once that may; returns how many fired. Check host->error
 * after it. */
int pw_host_step(struct pw_host *host);

/* When the next held message is due, on the host's clock; INT64_MAX where none is held. */
int64_t pw_host_next_due(const struct pw_host *host);

/* How many messages the network model holds. */
size_t pw_host_held(const struct pw_host *host);

#endif
