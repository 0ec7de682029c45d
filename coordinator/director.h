/* Rank 0's part of a simulation: it sees the course of the run, says how far the ranks may play, and decides
 * at times that the model fixes when the market is over. */
#ifndef PW_DIRECTOR_H
#define PW_DIRECTOR_H

#include "common/outcome.h"
#include "coordinator/course.h"
#include "coordinator/negotiate.h"
#include "coordinator/snapshot.h"

/* What the ranks are to do next. */
enum pw_order_kind { PW_ORDER_PLAY, PW_ORDER_SNAPSHOT, PW_ORDER_STOP };
struct pw_order {
    int64_t until_ns; /* play: all events before; snapshot: as of then */
    int32_t kind;
};

struct pw_director;

/* `lookahead_ns`: how far ranks may play beyond the earliest event. */
struct pw_director *pw_director_create(const struct pw_negotiation *negotiation,
                                       const struct pw_tolerances *tolerances, int64_t lookahead_ns,
                                       int64_t check_ns);
void pw_director_destroy(struct pw_director *director);

/* The course, to add what changed. */
struct pw_course *pw_director_course(struct pw_director *director);

/* The next order, when all ranks have played what they were told: `next_ns` is the time of the earliest event
 * of all, INT64_MAX for none; `rounds` the local solves of the busiest agent. */
struct pw_order pw_director_order(struct pw_director *director, int64_t next_ns, int64_t rounds,
                                  int interrupted);

/* After an order to take a snapshot: judges it. PW_INTERNAL if nothing is left to happen and the market is
 * not over. The next order may be to stop. */
enum pw_code pw_director_judge(struct pw_director *director, const struct pw_snapshot *snapshot,
                               struct pw_error *err);

/* The outcome after the order to stop, for pw_outcome_destroy(). */
struct pw_outcome *pw_director_outcome(struct pw_director *director);

#endif
