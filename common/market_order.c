#include "common/market_order.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

void pw_market_reorder_assets(const struct pw_market *market, const int *order, struct pw_market *reordered)
{
    size_t products = (size_t)market->n_products, to = 0;
    for (int k = 0; k < market->n_agents; k++) {
        size_t first = (size_t)market->asset_first[order[k]] * products,
               count = (size_t)market->asset_first[order[k] + 1] * products - first,
               size = count * sizeof(double);
        if (count == 0)
            continue;
        memcpy(reordered->p_min + to, market->p_min + first, size);
        memcpy(reordered->p_max + to, market->p_max + first, size);
        memcpy(reordered->a + to, market->a + first, size);
        memcpy(reordered->b + to, market->b + first, size);
        to += count;
    }
}

static void copy_links(const struct pw_market *market, struct pw_market *reordered)
{
    size_t count = (size_t)market->n_links * (size_t)market->n_products, size = count * sizeof(double);
    for (int l = 0; l < market->n_links; l++) {
        reordered->link_a[l] = reordered->known_as[market->link_a[l]];
        reordered->link_b[l] = reordered->known_as[market->link_b[l]];
    }
    if (count == 0)
        return;
    memcpy(reordered->t_min, market->t_min, size);
    memcpy(reordered->t_max, market->t_max, size);
    memcpy(reordered->fee_a, market->fee_a, size);
    memcpy(reordered->fee_b, market->fee_b, size);
}

struct pw_market *pw_market_reorder(const struct pw_market *market, const int *order)
{
    struct pw_market *reordered =
        pw_market_create(market->n_agents, market->n_products, market->n_assets, market->n_links);
    reordered->called = pw_alloc((size_t)market->n_agents, sizeof *reordered->called);
    reordered->known_as = pw_alloc((size_t)market->n_agents, sizeof *reordered->known_as);
    for (int k = 0; k < market->n_agents; k++) {
        int n = order[k];
        reordered->called[k] = n;
        reordered->known_as[n] = k;
        reordered->asset_first[k + 1] =
            reordered->asset_first[k] + market->asset_first[n + 1] - market->asset_first[n];
    }
    pw_market_reorder_assets(market, order, reordered);
    copy_links(market, reordered);
    pw_market_index(reordered);
    return reordered;
}

/* Element k, of `size` bytes, goes to element order[k]. */
static void restore(void *values, const int *order, int count, size_t size)
{
    char *to = values, *from = pw_alloc((size_t)count, size);
    memcpy(from, values, (size_t)count * size);
    for (int k = 0; k < count; k++)
        memcpy(to + (size_t)order[k] * size, from + (size_t)k * size, size);
    free(from);
}

void pw_outcome_restore_order(struct pw_outcome *outcome, const int *order)
{
    double *by_product[] = {outcome->power, outcome->price, outcome->remainder};
    double *by_agent[] = {outcome->cost, outcome->fees, outcome->welfare, outcome->wait_s,
                          outcome->compute_s};
    int agents = outcome->n_agents;
    for (size_t i = 0; i < sizeof by_product / sizeof *by_product; i++)
        restore(by_product[i], order, agents, (size_t)outcome->n_products * sizeof(double));
    for (size_t i = 0; i < sizeof by_agent / sizeof *by_agent; i++)
        restore(by_agent[i], order, agents, sizeof(double));
    restore(outcome->peers, order, agents, sizeof *outcome->peers);
    restore(outcome->iterations, order, agents, sizeof *outcome->iterations);
    restore(outcome->messages_sent, order, agents, sizeof *outcome->messages_sent);
}
