/* The course of a run on the virtual clock, seen by one who sees all at once: residuals of the whole market
 * at every instant, when the stop criterion came to hold for good, and when a test that pairs nothing would
 * have stopped. Rank 0 only.
 *
 * It is told interval by interval, and of each stretch only the sums over all ranks. They do for samples, and
 * tell where no test can change; elsewhere the single changes are played in the order of (time, kind,
 * number), whatever rank they come from, so that all is the same bits for any number of ranks. */
#ifndef PW_COURSE_H
#define PW_COURSE_H

#include <stdint.h>

#include "coordinator/judge.h"
#include "coordinator/series.h"
#include "coordinator/tally.h"

struct pw_course {
    int n_links;
    struct pw_tolerances tolerances;

    double values[PW_QUANTITIES]; /* sums over the market now */
    int64_t n_unsolved, n_settled, sent, lost;

    int64_t now_ns; /* of the latest change */
    int is_tested;  /* the tests have been made */
    int holds;      /* the three hold now */
    int64_t holds_since_ns;
    int naive_holds;
    int64_t naive_ns;       /* when the naive test held first; -1: never yet */
    long naive_false_stops; /* times that it came to hold while the true one did not */

    struct pw_exact_sum totals[PW_QUANTITIES]; /* at the end of the stretches that were weighed last */
    struct pw_stretch stretches[PW_STRETCHES]; /* of the interval that is told, over all ranks */
    double ends[PW_STRETCHES][PW_QUANTITIES];  /* what values are then at their ends */
    int has_moves, is_weighed;                 /* moves hold the interval; ends and closely are known */
    unsigned char closely[PW_STRETCHES];       /* a test may change in it */
    struct pw_changes moves;                   /* differences, see pw_tally_moves() */
    int64_t sample_ns, next_sample_ns;         /* how often a sample is kept; when the next one is due */
    struct pw_series series;
};

/* `sample_ns` > 0 is the time between two samples of the series. */
void pw_course_init(struct pw_course *course, const struct pw_market *market,
                    const struct pw_tolerances *tolerances, int64_t sample_ns);
void pw_course_finish(struct pw_course *course);

/* Adds what changed in the stretches [PW_STRETCHES] of the interval on one rank. */
void pw_course_hear(struct pw_course *course, const struct pw_stretch *stretches);

/* Once all ranks are heard: are the single changes wanted, in `moves`, before the interval can be played? */
int pw_course_wants_moves(struct pw_course *course, const struct pw_interval *interval);

/* Plays the interval, and keeps a sample every sample_ns once all link ends have solved; up to the last
 * change where it has no end (INT64_MAX). */
void pw_course_play(struct pw_course *course, const struct pw_interval *interval);

/* The three residuals now; NAN before every end has solved. */
struct pw_residual_norms {
    double primal, dual, price;
};
struct pw_residual_norms pw_course_residuals(const struct pw_course *course);

/* By which factor the worst of the three tests is missed now; infinite before every end has solved. */
double pw_course_excess(const struct pw_course *course);

#endif
