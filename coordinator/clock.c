#include "coordinator/clock.h"

#include <sched.h>
#include <time.h>

static const int64_t SHORTEST_NAP_NS = 50000, SECOND_NS = 1000000000;

int64_t pw_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

void pw_clock_sleep(int64_t ns)
{
    struct timespec nap = {ns / SECOND_NS, ns % SECOND_NS};
    nanosleep(&nap, NULL);
}

void pw_clock_yield(void)
{
    sched_yield();
}

void pw_idle_turn(struct pw_idle *idle, int64_t now_ns, int64_t until_ns)
{
    int spins = idle->turns++ - idle->busy_first, naps = spins - idle->spins_first;
    if (spins < 0)
        return;
    if (naps < 0) {
        pw_clock_yield();
        return;
    }
    int64_t nap = naps < 12 ? SHORTEST_NAP_NS << naps : idle->longest_ns;
    if (nap > idle->longest_ns)
        nap = idle->longest_ns;
    if (until_ns - now_ns < nap)
        nap = until_ns - now_ns;
    if (nap > 0)
        pw_clock_sleep(nap);
}

void pw_idle_reset(struct pw_idle *idle)
{
    idle->turns = 0;
}
