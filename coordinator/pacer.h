/* Keeps agents from running far ahead of an answer that is under way. At a small delta the agents of one rank
 * can go on among themselves hundreds of times while an offer travels to another rank: work without use, and
 * hard on the penalties. An agent may fire as late as it likes without any harm to the protocol, so such an
 * agent is made to rest a little before each further fire. Wall clock only: in a simulation nothing runs
 * ahead. */
#ifndef PW_PACER_H
#define PW_PACER_H

#include <stdint.h>

#include "coordinator/host.h"

struct pw_pacer;

struct pw_pacer *pw_pacer_create(const struct pw_host *host, double delta);
void pw_pacer_destroy(struct pw_pacer *pacer);

/* Agent n has fired: its offers have left. O(its links). */
void pw_pacer_fired(struct pw_pacer *pacer, int n);

/* May agent n, which is ready, fire now? If not it rests, and pw_pacer_rested() names it when that is over;
 * the answer it waits for may set it free before. O(1) but for those far ahead. */
int pw_pacer_may_fire(struct pw_pacer *pacer, int n, int64_t now_ns);

/* An agent whose rest is over by now, or -1. */
int pw_pacer_rested(struct pw_pacer *pacer, int64_t now_ns);

/* When the next rest is over; INT64_MAX where nobody rests. */
int64_t pw_pacer_next(const struct pw_pacer *pacer);

#endif
