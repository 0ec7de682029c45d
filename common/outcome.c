#include "common/outcome.h"

#include <math.h>
#include <stdlib.h>

#include "common/memory.h"

const char *pw_status_text(enum pw_status status)
{
    static const char *const texts[] = {"converged", "limit", "infeasible", "interrupted"};
    return texts[status];
}

static double *doubles(int count, int per)
{
    return pw_alloc((size_t)count * (size_t)per, sizeof(double));
}

struct pw_outcome *pw_outcome_create(int n_agents, int n_links, int n_products)
{
    struct pw_outcome *outcome = pw_alloc(1, sizeof *outcome);
    outcome->n_agents = n_agents;
    outcome->n_links = n_links;
    outcome->n_products = n_products;
    outcome->power = doubles(n_agents, n_products);
    outcome->price = doubles(n_agents, n_products);
    outcome->remainder = doubles(n_agents, n_products);
    outcome->cost = doubles(n_agents, 1);
    outcome->fees = doubles(n_agents, 1);
    outcome->welfare = doubles(n_agents, 1);
    outcome->wait_s = doubles(n_agents, 1);
    outcome->compute_s = doubles(n_agents, 1);
    outcome->peers = pw_alloc((size_t)n_agents, sizeof(int));
    outcome->iterations = pw_alloc((size_t)n_agents, sizeof(long));
    outcome->messages_sent = pw_alloc((size_t)n_agents, sizeof(long));
    outcome->trade = doubles(n_links, n_products);
    outcome->price_a = doubles(n_links, n_products);
    outcome->price_b = doubles(n_links, n_products);
    outcome->penalty = doubles(n_links, 1);
    outcome->rounds = pw_alloc((size_t)n_links, sizeof(int));
    outcome->messages = pw_alloc((size_t)n_links, sizeof(long));
    outcome->settled_time_s = doubles(n_links, 1);
    for (int l = 0; l < n_links; l++)
        outcome->settled_time_s[l] = NAN;
    return outcome;
}

void pw_outcome_destroy(struct pw_outcome *outcome)
{
    if (outcome == NULL)
        return;
    void *arrays[] = {outcome->power,      outcome->price,         outcome->remainder,
                      outcome->cost,       outcome->fees,          outcome->welfare,
                      outcome->wait_s,     outcome->compute_s,     outcome->peers,
                      outcome->iterations, outcome->messages_sent, outcome->trade,
                      outcome->price_a,    outcome->price_b,       outcome->penalty,
                      outcome->rounds,     outcome->messages,      outcome->settled_time_s,
                      outcome->samples,    outcome->events,        outcome};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

double pw_outcome_last_settled_s(const struct pw_outcome *outcome)
{
    double last_s = 0.0;
    for (int l = 0; l < outcome->n_links; l++) {
        double settled_s = outcome->settled_time_s[l];
        if (!(settled_s <= last_s))
            last_s = settled_s; /* later, or unknown for good */
        if (isnan(last_s))
            return NAN;
    }
    return last_s;
}

int pw_outcome_active_trades(const struct pw_outcome *outcome)
{
    int active = 0;
    for (int l = 0; l < outcome->n_links; l++)
        active += isnan(outcome->settled_time_s[l]);
    return active;
}

void pw_summary_compare(struct pw_summary *summary, double reference_welfare)
{
    double gap = reference_welfare - summary->social_welfare;
    summary->reference_welfare = reference_welfare;
    summary->welfare_gap = gap == 0.0 ? 0.0 : gap / fabs(reference_welfare);
}

/* The largest, where unknown is larger than anything. */
static double worse(double x, double y)
{
    return isnan(x) || x > y ? x : y;
}

static void add_counts(struct pw_summary *sum, const struct pw_summary *one)
{
    sum->convergence_time_s += one->convergence_time_s;
    sum->end_time_s += one->end_time_s;
    sum->naive_false_stops += one->naive_false_stops;
    sum->iterations_mean += one->iterations_mean;
    sum->messages_sent += one->messages_sent;
    sum->messages_retransmitted += one->messages_retransmitted;
    sum->messages_duplicate += one->messages_duplicate;
    sum->messages_lost += one->messages_lost;
    sum->wall_s += one->wall_s;
}

static void take_worst(struct pw_summary *sum, const struct pw_summary *one)
{
    sum->primal_residual = worse(one->primal_residual, sum->primal_residual);
    sum->dual_residual = worse(one->dual_residual, sum->dual_residual);
    sum->price_residual = worse(one->price_residual, sum->price_residual);
    sum->tolerance_primal = worse(one->tolerance_primal, sum->tolerance_primal);
    sum->tolerance_dual = worse(one->tolerance_dual, sum->tolerance_dual);
    sum->tolerance_price = worse(one->tolerance_price, sum->tolerance_price);
    sum->tolerance_spread = worse(one->tolerance_spread, sum->tolerance_spread);
    sum->price_mismatch_max = worse(one->price_mismatch_max, sum->price_mismatch_max);
    sum->price_spread_max = worse(one->price_spread_max, sum->price_spread_max);
    sum->balance_max = worse(one->balance_max, sum->balance_max);
    sum->imbalance = worse(one->imbalance, sum->imbalance);
}

/* A slot without trade has no price, and no weight in the mean one. */
static void add_rates(struct pw_summary *sum, const struct pw_summary *one, double *weighted_price)
{
    sum->social_welfare += one->social_welfare;
    sum->reference_welfare += one->reference_welfare;
    sum->power_injected += one->power_injected;
    sum->power_traded += one->power_traded;
    sum->fees_collected += one->fees_collected;
    for (int kind = 0; kind < PW_N_FEE_KINDS; kind++)
        sum->fees_by_kind[kind] += one->fees_by_kind[kind];
    if (one->power_traded > 0.0)
        *weighted_price += one->power_traded * one->price_mean;
}

struct pw_summary pw_outcome_sum_up(struct pw_outcome *const *outcomes, int count)
{
    struct pw_summary sum = outcomes[0]->summary;
    double weighted_price = sum.power_traded > 0.0 ? sum.power_traded * sum.price_mean : 0.0;
    sum.slots = count;
    if (count == 1)
        return sum;
    for (int i = 1; i < count; i++) {
        const struct pw_summary *one = &outcomes[i]->summary;
        if (sum.status == PW_CONVERGED)
            sum.status = one->status;
        add_counts(&sum, one);
        take_worst(&sum, one);
        add_rates(&sum, one, &weighted_price);
    }
    sum.price_mean = sum.power_traded > 0.0 ? weighted_price / sum.power_traded : NAN;
    sum.naive_time_s = NAN; /* of a single run only */
    sum.social_welfare /= count;
    sum.power_injected /= count;
    sum.power_traded /= count;
    sum.fees_collected /= count;
    for (int kind = 0; kind < PW_N_FEE_KINDS; kind++)
        sum.fees_by_kind[kind] /= count;
    pw_summary_compare(&sum, sum.reference_welfare / count);
    return sum;
}
