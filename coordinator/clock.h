/* Real time, for those who measure it or wait. */
#ifndef PW_CLOCK_H
#define PW_CLOCK_H

#include <stdint.h>

/* Nanoseconds on a clock that never jumps; its origin means nothing. */
int64_t pw_clock_ns(void);

/* Sleeps for `ns` nanoseconds or until a signal comes. */
void pw_clock_sleep(int64_t ns);

/* Lets another process have the processor, if one waits for it. */
void pw_clock_yield(void);

/* A rank's patience where nothing is to do: spinning would starve the other ranks of a shared core. */
struct pw_idle {
    int64_t longest_ns; /* of one nap */
    int busy_first;     /* turns that do nothing, where the rank has a core of its own */
    int spins_first;    /* turns after these that only yield, before the naps start */
    int turns;
};

/* One idle turn: yields, then naps ever longer up to longest_ns, and never beyond `until_ns`. */
void pw_idle_turn(struct pw_idle *idle, int64_t now_ns, int64_t until_ns);

/* Something was done: the next idle turn starts anew. */
void pw_idle_reset(struct pw_idle *idle);

#endif
