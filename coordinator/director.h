/* Rank 0's part of a simulation: it sees the course of the run, says how far the ranks may play, and decides
 * at times that the model fixes when the market is over. */
#ifndef PW_DIRECTOR_H
#define PW_DIRECTOR_H

#include "common/outcome.h"
#include "coordinator/course.h"
#include "coordinator/negotiate.h"
#include "coordinator/snapshot.h"

/* What the ranks are to do next. */
enum pw_order_kind {
    PW_ORDER_PLAY,     /* all events from from_ns on and before until_ns, which is not after the interval */
    PW_ORDER_TELL,     /* what changed in the interval: the sums of its stretches */
    PW_ORDER_MOVES,    /* the single changes of that interval */
    PW_ORDER_GLANCE,   /* how far prices across links are off */
    PW_ORDER_SNAPSHOT, /* their state as of until_ns */
    PW_ORDER_STOP
};
struct pw_order {
    int64_t from_ns, until_ns;
    struct pw_interval interval;
    int32_t kind;
};

/* How all ranks stand when they have done what they were told. */
struct pw_ranks {
    int64_t next_ns;         /* time of the earliest event, INT64_MAX for none */
    int64_t first_change_ns; /* of the earliest change that is not told; INT64_MAX for none */
    int64_t rounds;          /* local solves of the busiest agent */
    double prices_excess;    /* after a glance: pw_glance_excess() */
    int interrupted;
};
static const struct pw_ranks PW_NO_RANKS = {.next_ns = INT64_MAX, .first_change_ns = INT64_MAX};

struct pw_director;

/* `lookahead_ns`: how far ranks may play beyond the slowest. */
struct pw_director *pw_director_create(const struct pw_negotiation *negotiation,
                                       const struct pw_tolerances *tolerances, int64_t lookahead_ns,
                                       int64_t check_ns);
void pw_director_destroy(struct pw_director *director);

/* The course, to add what the ranks tell. */
struct pw_course *pw_director_course(struct pw_director *director);

/* The next order. What was asked for last is in the course by then. */
struct pw_order pw_director_order(struct pw_director *director, const struct pw_ranks *ranks);

/* After an order to take a snapshot: judges it. PW_INTERNAL if nothing is left to happen and the market is
 * not over. The next order may be to stop. */
enum pw_code pw_director_judge(struct pw_director *director, const struct pw_snapshot *snapshot,
                               struct pw_error *err);

/* The outcome after the order to stop, for pw_outcome_destroy(). */
struct pw_outcome *pw_director_outcome(struct pw_director *director);

#endif
