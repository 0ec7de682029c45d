/* What a run found: everything that the summary and the trace say. Plain data, on the coordinating rank. */
#ifndef PW_OUTCOME_H
#define PW_OUTCOME_H

#include <stddef.h>

/* How a run ended; the values are those of `status` in the trace. */
enum pw_status { PW_CONVERGED = 0, PW_AT_LIMIT = 1, PW_INFEASIBLE_MARKET = 2, PW_STOPPED = 3 };

/* "converged", "limit", "infeasible", "interrupted": static. */
const char *pw_status_text(enum pw_status status);

/* What a fee is for (common/fees.h): `market.fee`, the columns of the table of links, distance, zones,
 * communities; and preferences, which nobody need collect. */
enum pw_fee_kind {
    PW_FEE_BASE,
    PW_FEE_TABLE,
    PW_FEE_DISTANCE,
    PW_FEE_ZONE,
    PW_FEE_COMMUNITY,
    PW_FEE_PREFERENCE,
    PW_N_FEE_KINDS
};

/* The numbers of the JSON summary (docs/summary.md). NaN: unknown. Units: power, price = money per energy,
 * money per hour, seconds. */
struct pw_summary {
    enum pw_status status;
    const char *clock;
    int agents, trades, ranks;
    int slots; /* time slots that the numbers are of */
    double delta, loss;
    long seed;
    double convergence_time_s, end_time_s;
    double iterations_mean;
    long messages_sent, messages_retransmitted, messages_duplicate, messages_lost;
    double primal_residual, dual_residual, price_residual;
    double tolerance_primal, tolerance_dual, tolerance_price;
    double tolerance_spread; /* of price_spread_max: infinite where trades are agreed for good */
    double social_welfare, reference_welfare, welfare_gap;
    double price_mean, power_injected, power_traded, fees_collected;
    double fees_by_kind[PW_N_FEE_KINDS]; /* their sum is fees_collected, to rounding */
    double price_mismatch_max;           /* between the two ends' price of a link that trades */
    double
        price_spread_max; /* the certificate: worst violation of the optimality conditions by agent prices */
    double balance_max;   /* largest |power - sum of agreed trades| over agents */
    double imbalance;     /* the sum of these */
    double naive_time_s;  /* virtual clock: when a test that pairs nothing would have stopped */
    long naive_false_stops; /* virtual clock: times that it would have done so in error */
    double wall_s, total_s;
};

/* One sample of the course of a run. */
struct pw_sample {
    double time_s, primal, dual, price, social_welfare;
    long messages;
    int active_trades;
};

/* The kinds of event on a timeline; the values are those of `kind` in the trace. */
enum pw_event_kind {
    PW_EVENT_FIRE,
    PW_EVENT_SEND,
    PW_EVENT_DELIVER,
    PW_EVENT_LOST,
    PW_EVENT_SETTLE,
    PW_EVENT_WAKE
};
struct pw_event {
    double time_s;
    int agent, peer, round; /* peer and round -1 for a fire */
    int kind;               /* enum pw_event_kind */
};

struct pw_outcome {
    int n_agents, n_links, n_products;
    int is_cut; /* a signal or the command's limit of time ended it: by itself it would have ended otherwise
                 */
    struct pw_summary summary;

    /* [n_agents * n_products], products innermost */
    double *power, *price;
    double *remainder; /* power less the sum of the agreed trades */
    /* [n_agents] */
    double *cost, *fees,
        *welfare; /* welfare: money from trades at the mean of both ends' prices - cost - fees */
    double *wait_s, *compute_s;
    int *peers;
    long *iterations, *messages_sent;

    /* [n_links * n_products], products innermost: agreed trade from agent_a to agent_b, and its price at each
     * end */
    double *trade, *price_a, *price_b;
    /* [n_links] */
    double *penalty; /* rho, as agent_a had it last */
    int *rounds;
    long *messages;
    double *settled_time_s; /* NaN: never settled */

    int n_samples;
    struct pw_sample *samples;
    int n_events; /* 0 unless a timeline was asked for */
    struct pw_event *events;
};

/* The summary of several runs of one market, one after the other: counts and times are sums, residuals,
 * mismatches and imbalances the largest, rates and powers means, the price a mean by traded power; `status`
 * is the first that is not PW_CONVERGED. What is no number of a run (clock, ranks, delta ..) is the first
 * one's. */
struct pw_summary pw_outcome_sum_up(struct pw_outcome *const *outcomes, int count);

/* Fills in the reference and how far from it the welfare is; NaN where there is none. */
void pw_summary_compare(struct pw_summary *summary, double reference_welfare);

/* When the last trade settled, 0 without trades; NaN if one is not settled. */
double pw_outcome_last_settled_s(const struct pw_outcome *outcome);

/* Links that are not settled. */
int pw_outcome_active_trades(const struct pw_outcome *outcome);

/* All arrays allocated and zeroed; settled_time_s NaN; no samples, no events. */
struct pw_outcome *pw_outcome_create(int n_agents, int n_links, int n_products);
void pw_outcome_destroy(struct pw_outcome *outcome);

#endif
