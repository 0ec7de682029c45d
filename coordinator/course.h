/* The course of a run on the virtual clock, seen by one who sees all at once: residuals of the whole market
 * at every instant, when the stop criterion came to hold for good, and when a test that pairs nothing would
 * have stopped. Rank 0 only. Changes are taken in the order of (time, kind, number), whatever rank they come
 * from, so that every sum is the same bits for any number of ranks. */
#ifndef PW_COURSE_H
#define PW_COURSE_H

#include <stddef.h>
#include <stdint.h>

#include "coordinator/judge.h"
#include "coordinator/series.h"

/* What changed at an instant: an agent after a local solve, as its offers leave; or the gap of a link, once
 * both ends have sent the same round. */
enum pw_change_kind { PW_CHANGE_AGENT, PW_CHANGE_LINK };
struct pw_change {
    int64_t time_ns;
    int32_t kind, number; /* agent or link */
    int32_t turn;         /* its solves so far, or the link's round: the order within an instant */
    double gap2; /* squared reciprocity gap: of the link; of the agent's links where nothing is paired */
    double dual2, price2, naive2, welfare; /* agent: its contributions from now on */
    int32_t unsolved, sent, lost; /* agent: slots without a solved round; offers and losses of this solve */
};

struct pw_course {
    int n_agents, n_links;
    struct pw_tolerances tolerances;

    double *gap2;                                           /* [n_links] */
    double *agent_gap2, *dual2, *price2, *naive2, *welfare; /* [n_agents] */
    int32_t *unsolved;                                      /* [n_agents] */
    double primal2, dual2_sum, price2_sum, naive2_sum, welfare_sum;
    int64_t n_unsolved, fires, sent, lost;
    long since_refresh; /* changes since the running sums were added up anew */

    int64_t last_ns; /* of the latest change taken in */
    int64_t now_ns;  /* all changes up to here have been taken */
    double primal, dual, price;
    int holds; /* the three tests hold now */
    int64_t holds_since_ns;
    int naive_holds;
    int64_t naive_ns;       /* when the naive test held first; -1: never yet */
    long naive_false_stops; /* times that it came to hold while the true one did not */

    struct pw_change *pending; /* taken in, not yet in order */
    size_t n_pending, room;
    int64_t sample_ns, next_sample_ns; /* how often a sample is kept; when the next one is due */
    struct pw_series series;
};

/* `sample_ns` > 0 is the time between two samples of the series. */
void pw_course_init(struct pw_course *course, const struct pw_market *market,
                    const struct pw_tolerances *tolerances, int64_t sample_ns);
void pw_course_finish(struct pw_course *course);

/* Takes changes in, in any order. */
void pw_course_add(struct pw_course *course, const struct pw_change *changes, size_t count);

/* Plays all changes before `until_ns`, and keeps a sample every sample_ns once all link ends have solved. */
void pw_course_play(struct pw_course *course, int64_t until_ns);

/* By which factor the worst of the three tests is missed now; infinite before every end has solved. */
double pw_course_excess(const struct pw_course *course);

#endif
