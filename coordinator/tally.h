/* What the agents and links of a rank contribute to the course of a simulated market, and by how much it
 * changed from check to check: exact sums, so that those of all ranks may be added in any order. */
#ifndef PW_TALLY_H
#define PW_TALLY_H

#include <stdint.h>

#include "common/exact_sum.h"
#include "common/market.h"
#include "coordinator/changes.h"

/* What is added up over links and agents: squared gaps of links (of agents where nothing is paired), squared
 * movements and differences of price, squared gaps to the latest that was heard; welfare. */
enum pw_quantity { PW_PRIMAL2, PW_DUAL2, PW_PRICE2, PW_NAIVE2, PW_WELFARE, PW_QUANTITIES };

/* Samples of the course between two checks, the later one included. */
enum { PW_TALLY_SAMPLES = 8 };

/* The time from one check to the next, [from_ns, until_ns), with a sample every sample_ns > 0 from from_ns
 * on. It is a chain of stretches that end with its first samples, [from], (from, from + sample], .., and a
 * last one that lasts until its end; where that is later than usual with further samples within. */
struct pw_interval {
    int64_t from_ns, until_ns, sample_ns;
};
enum { PW_STRETCHES = PW_TALLY_SAMPLES + 1 };

/* What changed in a stretch, and its course: between start and end no sum was further from the middle of the
 * two than half of what moved. */
struct pw_stretch {
    struct pw_exact_sum change[PW_QUANTITIES];
    double moved[PW_QUANTITIES]; /* sum of the sizes of all changes, to rounding */
    int64_t n_changes, unsolved, settled, sent, lost;
    int64_t last_ns; /* time of the last change */
};

struct pw_tally;

struct pw_tally *pw_tally_create(const struct pw_market *market);
void pw_tally_destroy(struct pw_tally *tally);

/* Turns to an interval: the next one, or the same with a later end; of which what is told is not told again.
 */
void pw_tally_turn_to(struct pw_tally *tally, const struct pw_interval *interval);

/* Takes in all of the changes, none of which is before the interval. Those of one link or agent come in the
 * order of time. */
void pw_tally_take(struct pw_tally *tally, struct pw_changes *changes);

/* What changed in the interval, by stretches [PW_STRETCHES], and is not told yet: now it is. */
const struct pw_stretch *pw_tally_tell(struct pw_tally *tally);

/* The changes of the interval, as differences to what was before. */
const struct pw_changes *pw_tally_moves(const struct pw_tally *tally);

/* The time of the earliest change that has not been told; INT64_MAX if there is none. */
int64_t pw_tally_first(const struct pw_tally *tally);

void pw_stretch_clear(struct pw_stretch *stretch);

void pw_stretch_merge(struct pw_stretch *stretch, const struct pw_stretch *other);

#endif
