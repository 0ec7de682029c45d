/* The inside of the virtual clock: virtual.c plays events, virtual_departures.c sends offers on their way,
 * virtual_arrivals.c brings them to their agents. */
#ifndef PW_VIRTUAL_INTERNAL_H
#define PW_VIRTUAL_INTERNAL_H

#include <math.h>

#include "coordinator/virtual.h"
#include "net_models/event_queue.h"

/* In place of a slot: all has come that an agent fires with, the end of its last local solve included; a
 * time-out since the fire whose number stands for the round. */
enum { PW_VIRTUAL_ALL_HERE = -1, PW_VIRTUAL_TIMEOUT = -2 };

/* An event of the queue: an offer's arrival, whose numbers follow it, or one of those. */
struct pw_virtual_event {
    int32_t agent, slot, round;
    double r[PW_MOST_PRODUCTS];
};

/* What an agent waits for. */
struct pw_waiting {
    int64_t all_here_ns; /* when its solve ends and the offers arrive that the next fire takes in, of those
                            that have left */
    int32_t missing;     /* of them, those that have not; where offers wait in mailboxes */
    unsigned char expected, queued; /* an event stands for that; it is in the list of those that may fire */
};

struct pw_virtual {
    struct pw_virtual_spec spec;
    struct pw_event_queue *queue;
    size_t event_size;
    int is_paired; /* the exchange pairs rounds */
    int foretells; /* offers wait in mailboxes for the fire that takes them in (virtual_arrivals.c) */
    int n_products;
    struct pw_mailboxes *boxes;    /* where paired, else NULL */
    int64_t *fired_ns, *solved_ns; /* [agents here] start, until it is counted, and end of the latest solve */
    struct pw_waiting *waiting;    /* [agents here] */
    int *ready, *firing, n_ready;
    struct pw_virtual_event *instant; /* [instant_room] events of the same time, where their order matters */
    size_t instant_room;
    struct pw_changes changes;
    struct pw_error error; /* code PW_OK unless a peer broke the protocol */
};

static inline int64_t pw_virtual_ns(double seconds)
{
    return (int64_t)llround(seconds * 1e9);
}

static inline struct pw_waiting *pw_virtual_waiting(const struct pw_virtual *clock, int n)
{
    return &clock->waiting[n - clock->spec.host->first];
}

/* A new event; an offer's numbers are for the caller to fill in, at once. */
static inline struct pw_virtual_event *pw_virtual_push(struct pw_virtual *clock, int64_t time_ns,
                                                       int32_t agent, int32_t slot, int32_t round)
{
    struct pw_virtual_event *event = pw_event_queue_push(clock->queue, time_ns);
    event->agent = agent;
    event->slot = slot;
    event->round = round;
    return event;
}

/* Agent n, which nothing else can make ready, may fire when all is here. And: if it is ready, now or then. */
void pw_virtual_expect(struct pw_virtual *clock, int n);
void pw_virtual_list_if_ready(struct pw_virtual *clock, int n, int64_t now);

/* What a local solve brings about when it ends at `end_ns`: known, and sent on its way, when it starts, so
 * that other ranks hear of it in good time. */
void pw_virtual_foresee(struct pw_virtual *clock, int n, int64_t end_ns);

/* A settled trade that was offered anew answers. */
void pw_virtual_answer(struct pw_virtual *clock, int n, int slot, int64_t when_ns);

/* An offer to an agent that lives here has left its sender. */
void pw_virtual_take_flight(struct pw_virtual *clock, const struct pw_flight *flight);

/* Fetches into the cache what that will touch. */
void pw_virtual_fetch_flight(const struct pw_virtual *clock, const struct pw_flight *flight);

/* Where offers wait in mailboxes: agent n, about to fire, is given those that have arrived; and, once its new
 * offers have left, what its next fire waits for. */
void pw_virtual_open_mail(struct pw_virtual *clock, int n, int64_t now);
void pw_virtual_await(struct pw_virtual *clock, int n);

/* An offer arrives at its time. */
void pw_virtual_arrive(struct pw_virtual *clock, const struct pw_virtual_event *event, int64_t now);

#endif
