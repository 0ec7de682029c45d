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
    void *arrays[] = {outcome->power,
                      outcome->price,
                      outcome->cost,
                      outcome->fees,
                      outcome->welfare,
                      outcome->wait_s,
                      outcome->compute_s,
                      outcome->peers,
                      outcome->iterations,
                      outcome->messages_sent,
                      outcome->trade,
                      outcome->price_a,
                      outcome->price_b,
                      outcome->rounds,
                      outcome->messages,
                      outcome->settled_time_s,
                      outcome->samples,
                      outcome->events,
                      outcome};
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
