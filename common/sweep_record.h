/* What a sweep keeps of one run. Plain bytes without gaps: a record is written to the journal and sent
 * between ranks as it is. */
#ifndef PW_SWEEP_RECORD_H
#define PW_SWEEP_RECORD_H

#include <stdint.h>

/* NaN: unknown, as in all of them but the integers where the market is infeasible. */
struct pw_sweep_record {
    int64_t run;    /* its number, the last axis (replicate) counting fastest */
    int64_t status; /* enum pw_status */
    int64_t agents, trades;
    int64_t messages, messages_lost;
    int64_t naive_false_stops;
    double convergence_time_s, end_time_s, naive_time_s;
    double iterations; /* local solves per agent */
    double primal_residual, dual_residual, price_residual;
    double social_welfare, welfare_gap, price_mean, power_injected, fees_collected, imbalance;
    double wait_s, compute_s; /* means over the agents */
};

#endif
