/* Records what the agents of a rank do, for the timeline of the trace: an observer that takes notes. */
#ifndef PW_RECORDER_H
#define PW_RECORDER_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/market.h"
#include "common/observer.h"
#include "common/outcome.h"

enum { PW_MOST_EVENTS = 5000000 }; /* that a timeline holds: the earliest ones */

struct pw_recorder {
    struct pw_observer observer;    /* to be handed to the host */
    const struct pw_market *market; /* which says what agents are called */
    int64_t start_ns;               /* of the run; times count from here */
    size_t count, room, most;       /* no more than `most` are handed over, twice as many are noted */
    struct pw_event *events;
};

void pw_recorder_init(struct pw_recorder *recorder, const struct pw_market *market, int64_t start_ns);
void pw_recorder_finish(struct pw_recorder *recorder);

/* Adds the events that another rank recorded, as their bytes. PW_INTERNAL if these are not whole events. */
enum pw_code pw_recorder_take_in(struct pw_recorder *recorder, const unsigned char *bytes, size_t size,
                                 struct pw_error *err);

/* Sorts the events by (time, kind, agent, peer, round) and hands the first of them over to the outcome, those
 * that every number of ranks finds. Warns on stderr if there were more. */
void pw_recorder_deliver(struct pw_recorder *recorder, struct pw_outcome *outcome);

#endif
