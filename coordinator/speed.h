/* How fast ranks simulate, so that each may host as many agents as it can do justice to: processors of one
 * kind differ by half and more where others share them. */
#ifndef PW_SPEED_H
#define PW_SPEED_H

#include "coordinator/transport.h"

/* Local solves a second of a small simulated market, which takes some 10 ms to play; the median of some
 * samples, for a moment may be worse than the rest. */
enum pw_code pw_speed_measure(double *fires_per_s, struct pw_error *err);

/* Collective: the speeds of all ranks, measured at the same time; on rank 0 [ranks] for free(), elsewhere
 * NULL. Ends all ranks if one does not answer within `stall_s`. */
double *pw_speed_gather(struct pw_transport *transport, double stall_s);

/* Blocks of agents in proportion to the roots of the speeds [n_ranks], as coordinator/placement.h has them,
 * for free(); NULL where ranks are as good as alike, or hardly have agents. No rank counts for less than half
 * of the fastest. */
int *pw_speed_blocks(const double *speeds, int n_ranks, int n_agents);

#endif
