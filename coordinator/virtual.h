/* The virtual clock of a rank: a discrete-event simulation of its agents. Time is in whole nanoseconds from
 * the start of the run; every delay, loss and duration is a pure function of what it belongs to.
 *
 * Within one instant all deliveries and ends of local solves come before all fires; an agent that may fire
 * again in the same instant does so after all others have fired. An offer arrives at least 1 ns after it was
 * sent, so within an instant the order of agents cannot matter, nor then the number of ranks. */
#ifndef PW_VIRTUAL_H
#define PW_VIRTUAL_H

#include <stdint.h>

#include "common/observer.h"
#include "coordinator/changes.h"
#include "coordinator/host.h"
#include "coordinator/mailboxes.h"
#include "net_models/network.h"
#include "net_models/pace.h"

enum { PW_VIRTUAL_AT_ONCE = 16 };

/* Nothing is owned. */
struct pw_virtual_spec {
    struct pw_host *host;
    struct pw_network network;
    struct pw_pace pace; /* durations of local solves */
    /* An offer that leaves for an agent on another rank. */
    void (*send)(void *context, int rank, const struct pw_flight *flight);
    void *context;
    const struct pw_observer *observer; /* NULL: nobody watches */
    int64_t timeout_ns; /* an agent whose exchange needs that fires so long after its last fire in any case */
};

struct pw_virtual;

struct pw_virtual *pw_virtual_create(const struct pw_virtual_spec *spec);
void pw_virtual_destroy(struct pw_virtual *clock);

/* How long after any event its earliest effect on another agent can be, at least 1 ns: a message's least
 * delay and, unless settled trades answer at once (`answers`), the least duration of a local solve. */
int64_t pw_virtual_lookahead(const struct pw_network *network, const struct pw_pace *pace, int answers);

/* Round 0 of every agent, at time 0. */
void pw_virtual_start(struct pw_virtual *clock);

/* Takes `count` offers that left another rank; quickest with some PW_VIRTUAL_AT_ONCE of them. PW_INTERNAL for
 * an agent that does not live here or a slot that it does not have. */
enum pw_code pw_virtual_receive(struct pw_virtual *clock, const struct pw_flight *flights, int count,
                                struct pw_error *err);

/* Time of the next event; INT64_MAX where there is none. */
int64_t pw_virtual_next(const struct pw_virtual *clock);

/* Plays the events before `until_ns`, or the instants of the first `most` of them. PW_INTERNAL if a peer
 * broke the protocol. */
enum pw_code pw_virtual_run(struct pw_virtual *clock, int64_t until_ns, int64_t most, struct pw_error *err);

/* Counts in the host the local solves that have ended before `until_ns`, which has come; before anybody looks
 * at what agents have sent, and how long they took. */
void pw_virtual_count_solves(struct pw_virtual *clock, int64_t until_ns);

/* What has changed since they were last cleared, which is the caller's to do; in any order. */
struct pw_changes *pw_virtual_changes(struct pw_virtual *clock);

#endif
