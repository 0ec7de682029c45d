/* Random schedules: the agents of a market in one process, their messages delivered late, out of order, twice
 * or after losses, agents of different speed. No MPI, no host, no clock of the program: only agent/. */
#ifndef PW_SCHEDULE_H
#define PW_SCHEDULE_H

#include <stdint.h>

#include "agent/agent.h"
#include "common/market.h"

struct schedule_options {
    uint64_t seed;
    double delta_low, delta_high; /* each agent draws its own delta, or all share delta_high if equal */
    double relaxation, stiffness;
    double loss, duplicates;                 /* probabilities */
    double delay_low, delay_high;            /* uniform; wide ranges make messages overtake */
    double slowest;                          /* compute times are drawn log-uniform in [0.1, 0.1 * slowest] */
    double price_tolerance, power_tolerance; /* stop when the optimality conditions hold this well */
    double penalty_factor; /* of the automatic penalty; 1 and adapt_penalty are the default rule */
    int adapt_penalty;
    long max_messages_per_slot;
};

struct schedule_result {
    int deadlocked;   /* nothing in flight, nobody ready, tolerances not met */
    int out_of_round; /* a message more than one round ahead */
    int converged;
    double price, power; /* optimality conditions at the end */
    double welfare;
    double disagreement; /* largest relative difference of the two ends' penalties and shadows */
    double time;
    long messages, fires, duplicates;
};

struct schedule_options schedule_defaults(uint64_t seed);
struct schedule_result schedule_run(const struct pw_market *market, const struct schedule_options *options);

#endif
