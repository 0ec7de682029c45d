/* The course of a run on the virtual clock, seen by one who sees all at once: residuals of the whole market
 * at every instant, when the stop criterion came to hold for good, and when a test that pairs nothing would
 * have stopped. Rank 0 only. Changes are taken in the order of (time, kind, number), whatever rank they come
 * from, so that every sum is the same bits for any number of ranks. */
#ifndef PW_COURSE_H
#define PW_COURSE_H

#include <stddef.h>
#include <stdint.h>

#include "coordinator/changes.h"
#include "coordinator/judge.h"
#include "coordinator/series.h"

struct pw_course {
    int n_agents, n_links;
    struct pw_tolerances tolerances;

    double *gap2;                                           /* [n_links] */
    double *agent_gap2, *dual2, *price2, *naive2, *welfare; /* [n_agents] */
    int32_t *unsolved, *settled;                            /* [n_agents] */
    double primal2, dual2_sum, price2_sum, naive2_sum, welfare_sum;
    int64_t n_unsolved, n_settled, sent, lost;
    long since_refresh; /* changes since the running sums were added up anew */

    int64_t now_ns; /* all changes up to here have been taken */
    int holds;      /* the three tests hold now */
    int64_t holds_since_ns;
    int naive_holds;
    int64_t naive_ns;       /* when the naive test held first; -1: never yet */
    long naive_false_stops; /* times that it came to hold while the true one did not */

    struct pw_changes pending;         /* taken in, not yet in order */
    size_t n_left;                     /* of them, after some were last played */
    int64_t sample_ns, next_sample_ns; /* how often a sample is kept; when the next one is due */
    struct pw_series series;
};

/* `sample_ns` > 0 is the time between two samples of the series. */
void pw_course_init(struct pw_course *course, const struct pw_market *market,
                    const struct pw_tolerances *tolerances, int64_t sample_ns);
void pw_course_finish(struct pw_course *course);

/* Plays all pending changes before `until_ns`, and keeps a sample every sample_ns once all link ends have
 * solved. */
void pw_course_play(struct pw_course *course, int64_t until_ns);

/* Plays pending changes before `until_ns`, of which nothing is missing, and no more, if they are many: so
 * that less is left to do when the course is wanted. Makes no difference to it. */
void pw_course_follow(struct pw_course *course, int64_t until_ns);

/* Plays all that is pending: nothing else will happen. */
void pw_course_play_all(struct pw_course *course);

/* The three residuals now; NAN before every end has solved. */
struct pw_residual_norms {
    double primal, dual, price;
};
struct pw_residual_norms pw_course_residuals(const struct pw_course *course);

/* By which factor the worst of the three tests is missed now; infinite before every end has solved. */
double pw_course_excess(const struct pw_course *course);

#endif
