#include "coordinator/start.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

static struct pw_start *create(size_t n_agents, size_t n_links, size_t n_products)
{
    struct pw_start *start = pw_alloc(1, sizeof *start);
    start->trade = pw_alloc(n_links * n_products, sizeof(double));
    start->trade_price = pw_alloc(n_links * n_products, sizeof(double));
    start->penalty = pw_alloc(n_links, sizeof(double));
    start->price = pw_alloc(n_agents * n_products, sizeof(double));
    return start;
}

static void copy(double *to, const double *from, size_t count)
{
    if (count > 0)
        memcpy(to, from, count * sizeof *to);
}

struct pw_start *pw_start_from(const struct pw_outcome *outcome)
{
    size_t agents = (size_t)outcome->n_agents, links = (size_t)outcome->n_links,
           products = (size_t)outcome->n_products;
    struct pw_start *start = create(agents, links, products);
    copy(start->trade, outcome->trade, links * products);
    copy(start->penalty, outcome->penalty, links);
    copy(start->price, outcome->price, agents * products);
    for (size_t i = 0; i < links * products; i++)
        start->trade_price[i] = (outcome->price_a[i] + outcome->price_b[i]) / 2.0;
    return start;
}

void pw_start_destroy(struct pw_start *start)
{
    if (start == NULL)
        return;
    free(start->trade);
    free(start->trade_price);
    free(start->penalty);
    free(start->price);
    free(start);
}

struct pw_start *pw_start_share(struct pw_start *start, const struct pw_market *market,
                                struct pw_transport *transport)
{
    size_t agents = (size_t)market->n_agents, links = (size_t)market->n_links,
           products = (size_t)market->n_products;
    int exists = start != NULL;
    pw_transport_share(transport, &exists, sizeof exists);
    if (!exists)
        return NULL;
    if (start == NULL)
        start = create(agents, links, products);
    pw_transport_share(transport, start->trade, links * products * sizeof(double));
    pw_transport_share(transport, start->trade_price, links * products * sizeof(double));
    pw_transport_share(transport, start->penalty, links * sizeof(double));
    pw_transport_share(transport, start->price, agents * products * sizeof(double));
    return start;
}
