/* Progress of a long run on stderr, a line now and then, from one rank. */
#ifndef PW_PROGRESS_H
#define PW_PROGRESS_H

#include <stdint.h>

enum pw_progress_mode { PW_PROGRESS_AUTO, PW_PROGRESS_PLAIN, PW_PROGRESS_NONE };

/* How a run stands. */
struct pw_standing {
    double elapsed_s;
    double primal, dual, price;                               /* residuals; NaN: not known yet */
    double tolerance_primal, tolerance_dual, tolerance_price; /* what they must fall to */
    int64_t rounds, messages;                                 /* of the busiest agent; offers sent */
};

struct pw_progress {
    enum pw_progress_mode mode;
    int on_terminal;
    double next_s;              /* when the next line is due */
    double mark_s, mark_excess; /* an earlier standing, for the estimate of what remains */
    double latest_s, latest_excess;
    int line_open; /* a terminal line that is still to be ended */
};

/* Auto: one line that renews itself on a terminal, else as plain but rarer. */
void pw_progress_init(struct pw_progress *progress, enum pw_progress_mode mode);

/* Prints the standing if a line is due; cheap otherwise. */
void pw_progress_show(struct pw_progress *progress, const struct pw_standing *standing);

/* The same for things that are counted, such as "runs": `done` of `total`, of which `before` were done at the
 * start. */
void pw_progress_count(struct pw_progress *progress, double elapsed_s, int64_t done, int64_t total,
                       int64_t before, const char *things);

/* Ends an open line, so that what follows on stderr starts a new one. */
void pw_progress_finish(struct pw_progress *progress);

#endif
