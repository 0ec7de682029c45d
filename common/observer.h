/* Watching a run: callbacks for what agents do, so that nobody's statistics stand in the scheduler. */
#ifndef PW_OBSERVER_H
#define PW_OBSERVER_H

#include <stdint.h>

/* `now_ns` is on the run's clock. Any callback may be NULL. */
struct pw_observer {
    void *context;
    void (*fired)(void *context, int64_t now_ns, int agent);
    /* Offers: to which agent, of which round; lost once for each transmission lost. */
    void (*sent)(void *context, int64_t now_ns, int agent, int peer, int round);
    void (*delivered)(void *context, int64_t now_ns, int agent, int peer, int round);
    /* The agent's trade with the peer falls silent after that round; or is taken up again. */
    void (*settled)(void *context, int64_t now_ns, int agent, int peer, int round);
    void (*woke)(void *context, int64_t now_ns, int agent, int peer, int round);
    void (*lost)(void *context, int64_t now_ns, int agent, int peer, int round);
};

#endif
