#include "common/phases.h"

#include <string.h>

/* Of this process: a phase is entered deep inside, where no caller could hand it down. */
static struct {
    int64_t (*now_ns)(void); /* NULL: nothing is measured */
    enum pw_phase now;
    int64_t since_ns;
    struct pw_phase_sum sums[PW_N_PHASES];
} phases;

static const char *const names[PW_N_PHASES] = {"all else",
                                               "read or generate the case",
                                               "link the agents, set fees",
                                               "check that it can balance",
                                               "share the case",
                                               "set up",
                                               "solve and exchange",
                                               "send and receive",
                                               "wait for ranks or messages",
                                               "judge",
                                               "collect the result",
                                               "reference optimum",
                                               "write trace and bills"};

const char *pw_phase_name(enum pw_phase phase)
{
    return names[phase];
}

void pw_phases_start(int64_t (*now_ns)(void))
{
    memset(&phases, 0, sizeof phases);
    phases.now_ns = now_ns;
    phases.since_ns = now_ns();
}

static void switch_to(enum pw_phase phase)
{
    int64_t ns = phases.now_ns();
    phases.sums[phases.now].ns += ns - phases.since_ns;
    phases.since_ns = ns;
    phases.now = phase;
}

enum pw_phase pw_phase_enter(enum pw_phase phase)
{
    enum pw_phase before = phases.now;
    if (phases.now_ns == NULL)
        return before;
    switch_to(phase);
    phases.sums[phase].calls++;
    return before;
}

void pw_phase_leave(enum pw_phase before)
{
    if (phases.now_ns != NULL)
        switch_to(before);
}

void pw_phase_sent(size_t size)
{
    if (phases.now_ns == NULL)
        return;
    phases.sums[phases.now].messages++;
    phases.sums[phases.now].bytes += (int64_t)size;
}

void pw_phases_read(struct pw_phase_sum sums[PW_N_PHASES])
{
    if (phases.now_ns != NULL)
        switch_to(phases.now);
    memcpy(sums, phases.sums, sizeof phases.sums);
}
