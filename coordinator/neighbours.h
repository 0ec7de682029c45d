/* The ranks whose agents are linked with those of this one, on the virtual clock: how far each has come. A
 * rank may play up to a lookahead beyond the slowest of them, and need not wait for them to be done. */
#ifndef PW_NEIGHBOURS_H
#define PW_NEIGHBOURS_H

#include <stddef.h>
#include <stdint.h>

#include "coordinator/host.h"

struct pw_neighbours {
    int *ranks, count;
    int64_t *reached_ns; /* [ranks of the run] offers from there sent before that have all come */
};

struct pw_neighbours *pw_neighbours_create(const struct pw_host *host);
void pw_neighbours_destroy(struct pw_neighbours *neighbours);

/* A rank has sent all offers that leave before `reached_ns`, and they have come. */
void pw_neighbours_hear(struct pw_neighbours *neighbours, int rank, int64_t reached_ns);

/* Nothing happens anywhere before `reached_ns`. O(neighbours). */
void pw_neighbours_skip(struct pw_neighbours *neighbours, int64_t reached_ns);

/* How far the slowest has come; INT64_MAX where there are none, before all have spoken -1. O(neighbours). */
int64_t pw_neighbours_slowest(const struct pw_neighbours *neighbours);

/* Who has not come as far as `reached_ns`, by name (coordinator/roll.h). Returns text. */
const char *pw_neighbours_missing(const struct pw_neighbours *neighbours, int64_t reached_ns, char *text,
                                  size_t size);

#endif
