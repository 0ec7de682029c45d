/* Rank 0 of a bulk run: after each round it decides from the sums of all ranks how to go on, and at the end
 * judges the state of the market. */
#ifndef PW_BULK_CHAIR_H
#define PW_BULK_CHAIR_H

#include <stdint.h>

#include "agent/rows.h"
#include "common/outcome.h"
#include "common/penalty.h"
#include "coordinator/negotiate.h"

struct pw_bulk_chair;

/* How the ranks go on after a round. */
enum pw_bulk_verdict {
    PW_BULK_GO_ON,
    PW_BULK_CLOSELY, /* another round, looked at closely: it may be the last */
    PW_BULK_SHOW,    /* all ranks send their state, then hear another verdict */
    PW_BULK_OVER,
};

/* What all ranks together have come to in a round. */
struct pw_bulk_round {
    int rounds;
    int closely, interrupted;
    struct pw_rows_sums sums;
};

/* `in_step`: all ranks make each round together. */
struct pw_bulk_chair *pw_bulk_chair_create(const struct pw_negotiation *negotiation,
                                           const struct pw_scales *scales, int in_step, int64_t start_ns);
void pw_bulk_chair_destroy(struct pw_bulk_chair *chair);

/* Time on the run's clock at which the current end holds, if trades are settled by then; else NaN. */
double pw_bulk_chair_settled_s(const struct pw_bulk_chair *chair);

enum pw_bulk_verdict pw_bulk_chair_round(struct pw_bulk_chair *chair, const struct pw_bulk_round *round,
                                         int64_t now_ns);

/* Takes in the state of the agents first .. end - 1, as pw_snapshot_take_in() does. */
enum pw_code pw_bulk_chair_take(struct pw_bulk_chair *chair, int first, int end, const unsigned char *bytes,
                                size_t size, struct pw_error *err);

/* All have shown their state: is it the end? PW_BULK_OVER or PW_BULK_CLOSELY. */
enum pw_bulk_verdict pw_bulk_chair_conclude(struct pw_bulk_chair *chair);

/* After the end, once: the outcome, for pw_outcome_destroy(). */
struct pw_outcome *pw_bulk_chair_outcome(struct pw_bulk_chair *chair);

#endif
