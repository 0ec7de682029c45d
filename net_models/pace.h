/* How fast agents are on the virtual clock: agents of different speed, stragglers, agents that pause and come
 * back. Every figure is a pure function of the seed and the agent. */
#ifndef PW_PACE_H
#define PW_PACE_H

#include <stdint.h>

#include "common/error.h"

struct pw_pace {
    double compute_s;  /* duration of a local solve, before the agent's own factor */
    double spread;     /* >= 1: an agent's factor is log-uniform in [1 / spread, spread] */
    double stragglers; /* share of agents, [0, 1], whose factor is straggler_factor >= 1 times that */
    double straggler_factor;
    double pause_every_s; /* mean time between an agent's pauses; 0: it never pauses */
    double pause_s;       /* mean length of a pause */
    uint64_t seed;
};

/* PW_USAGE with a text if a local solve would meet too many pauses to count. */
enum pw_code pw_pace_check(const struct pw_pace *pace, struct pw_error *err);

/* How long the agent's local solves take while it does not pause, in nanoseconds. */
int64_t pw_pace_solve_ns(const struct pw_pace *pace, uint32_t agent);

/* When a local solve of the agent that starts at `start_ns`, not negative, ends: it goes on only while the
 * agent does not pause. At least start_ns. O(1 + pauses met). */
int64_t pw_pace_finish(const struct pw_pace *pace, uint32_t agent, int64_t start_ns);

/* A duration that no local solve of any agent falls below; and the mean over agents and time, exact but for
 * what a solve that starts in a pause waits longer than one that meets it. Nanoseconds. */
int64_t pw_pace_least_ns(const struct pw_pace *pace);
int64_t pw_pace_mean_ns(const struct pw_pace *pace);

#endif
