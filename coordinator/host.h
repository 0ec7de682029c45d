/* A rank's container of agents: which live here, what they offer, what they have done. Either clock drives
 * it: wall.h or virtual.h. Knows neither MPI nor how an agent decides. */
#ifndef PW_HOST_H
#define PW_HOST_H

#include <stdint.h>

#include "agent/agent.h"
#include "common/codec.h"
#include "common/market.h"
#include "common/observer.h"
#include "coordinator/agents.h"
#include "coordinator/placement.h"

/* What a host is made of. Nothing is owned. */
struct pw_host_spec {
    const struct pw_market *market;
    struct pw_placement placement;
    int rank;
    struct pw_agents_spec agents;
};

/* Where a link end leads. */
struct pw_route {
    int32_t peer, slot; /* the agent at the other end, and its slot */
    int32_t link;
    int32_t direction; /* of offers that leave this end: 0 from agent_a to agent_b */
};

struct pw_host {
    const struct pw_market *market;
    struct pw_placement placement;
    int rank;
    int first, end;           /* the agents first .. end - 1 live here */
    struct pw_agent **agents; /* [end - first] */
    double *scratch;          /* of their local problems */
    struct pw_route *routes;  /* [ends here] by pw_host_route() */
    int64_t *settled_ns;      /* [ends here] since when a trade is settled; -1: it is not */
    int64_t n_settled;        /* ends here that are */
    int first_end;            /* position of the first end here in the market's arrays */
    int64_t *idle_since_ns, *wait_ns, *compute_ns; /* [end - first] on the run's clock */
    int64_t *sent;                                 /* [end - first] offers */
    int64_t *lost;                                 /* [end - first] transmissions to each agent, lost */
    int64_t fires, most_fires;                     /* local solves: all, and of the busiest agent */
};

struct pw_host *pw_host_create(const struct pw_host_spec *spec);
void pw_host_destroy(struct pw_host *host);

/* Agent n, which lives here. */
struct pw_agent *pw_host_agent(const struct pw_host *host, int n);

/* True if agent n lives here. */
static inline int pw_host_has(const struct pw_host *host, int n)
{
    return n >= host->first && n < host->end;
}

/* True if agent n lives here and has this slot. */
int pw_host_has_slot(const struct pw_host *host, int n, int slot);

/* A slot's place among the link ends here, from 0; and where it leads. */
int pw_host_end(const struct pw_host *host, int n, int slot);
const struct pw_route *pw_host_route(const struct pw_host *host, int n, int slot);

/* The offer that agent n has for its peer on `slot`, addressed. */
void pw_host_offer(const struct pw_host *host, int n, int slot, struct pw_offer *offer);

/* Hands the offer r of `round` to agent n, which lives here. If *answers, the trade was settled and woke: its
 * standing offer is to be sent at once. PW_INTERNAL if the offer breaks the protocol. */
enum pw_code pw_host_deliver(struct pw_host *host, int n, int slot, int round, const double *r, int *answers,
                             struct pw_error *err);

/* Lets agent n, which is ready, fire, and counts it: it has waited until `start_ns`. */
void pw_host_fire(struct pw_host *host, int n, int64_t start_ns);

/* Notes which trades a fire that ends at `end_ns` on the run's clock has settled or woken, and tells the
 * observer, if there is one, with its own clock's `seen_ns`. */
void pw_host_note_turned(struct pw_host *host, int n, int64_t end_ns, const struct pw_observer *observer,
                         int64_t seen_ns);

/* The fire's end: it took until `end_ns`, and the offers in the agent's outbox leave. */
void pw_host_fired(struct pw_host *host, int n, int64_t start_ns, int64_t end_ns);

#endif
