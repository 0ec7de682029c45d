/* Where a process spends its time: it is always in one phase, and a clock runs for each. What one process
 * knows of itself; coordinator/log_view.h puts the ranks together. Costs a test of one flag while it is off.
 */
#ifndef PW_PHASES_H
#define PW_PHASES_H

#include <stddef.h>
#include <stdint.h>

enum pw_phase {
    PW_PHASE_REST, /* what has no phase of its own */
    PW_PHASE_READ,
    PW_PHASE_LINK,
    PW_PHASE_CHECK,
    PW_PHASE_SHARE,
    PW_PHASE_SETUP,
    PW_PHASE_SOLVE,
    PW_PHASE_MESSAGES,
    PW_PHASE_WAIT,
    PW_PHASE_JUDGE,
    PW_PHASE_RESULT,
    PW_PHASE_REFERENCE,
    PW_PHASE_WRITE,
    PW_N_PHASES,
};

/* What a phase has come to in this process, without the phases entered from it. */
struct pw_phase_sum {
    int64_t ns, calls;
    int64_t messages, bytes; /* sent in it to other processes */
};

/* What the phase is called in tables. */
const char *pw_phase_name(enum pw_phase phase);

/* Starts all clocks at 0, in PW_PHASE_REST, on `now_ns`, which gives nanoseconds. Before this nothing is
 * measured. */
void pw_phases_start(int64_t (*now_ns)(void));

/* From now on time counts for this phase. Returns the one left, for pw_phase_leave(). */
enum pw_phase pw_phase_enter(enum pw_phase phase);

/* Back to the phase that pw_phase_enter() returned. */
void pw_phase_leave(enum pw_phase before);

/* A message of `size` bytes has been sent. */
void pw_phase_sent(size_t size);

/* The sums up to now. */
void pw_phases_read(struct pw_phase_sum sums[PW_N_PHASES]);

#endif
