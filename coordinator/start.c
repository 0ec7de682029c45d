#include "coordinator/start.h"

#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "common/penalty.h"

static struct pw_start *create(size_t n_agents, size_t n_links, size_t n_products)
{
    struct pw_start *start = pw_alloc(1, sizeof *start);
    start->trade = pw_alloc(n_links * n_products, sizeof(double));
    start->trade_price = pw_alloc(n_links * n_products, sizeof(double));
    start->penalty = pw_alloc(n_links, sizeof(double));
    start->price = pw_alloc(n_agents * n_products, sizeof(double));
    return start;
}

struct pw_start *pw_start_from(const struct pw_outcome *outcome)
{
    size_t agents = (size_t)outcome->n_agents, links = (size_t)outcome->n_links,
           products = (size_t)outcome->n_products;
    struct pw_start *start = create(agents, links, products);
    pw_copy_reals(start->trade, outcome->trade, links * products);
    pw_copy_reals(start->penalty, outcome->penalty, links);
    pw_copy_reals(start->price, outcome->price, agents * products);
    for (size_t i = 0; i < links * products; i++)
        start->trade_price[i] = (outcome->price_a[i] + outcome->price_b[i]) / 2.0;
    return start;
}

static const double MARGIN = 0.05; /* of the span of marginal costs */

double pw_start_misfit(const struct pw_start *start, const struct pw_market *market)
{
    size_t products = (size_t)market->n_products, count = (size_t)market->n_agents * products;
    double *power = pw_alloc(count, sizeof *power), lack = 0.0, traded = 0.0,
           margin = MARGIN * pw_market_scales(market).price;
    for (int link = 0; link < market->n_links; link++)
        for (size_t q = 0; q < products; q++) {
            double trade = start->trade[(size_t)link * products + q];
            power[(size_t)market->link_a[link] * products + q] += trade;
            power[(size_t)market->link_b[link] * products + q] -= trade;
        }
    for (size_t i = 0; i < count; i++) {
        int agent = (int)(i / products), q = (int)(i % products);
        double least = pw_market_supply(market, agent, q, start->price[i] - margin),
               most = pw_market_supply(market, agent, q, start->price[i] + margin);
        lack += fmax(fmax(least - power[i], power[i] - most), 0.0);
        traded += fabs(power[i]);
    }
    free(power);
    return lack > 0.0 ? lack / traded : 0.0;
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

void pw_start_reorder(struct pw_start *start, const int *order, const struct pw_market *market)
{
    size_t products = (size_t)market->n_products;
    double *price = pw_alloc((size_t)market->n_agents * products, sizeof *price);
    for (int k = 0; k < market->n_agents; k++)
        pw_copy_reals(price + (size_t)k * products, start->price + (size_t)order[k] * products, products);
    free(start->price);
    start->price = price;
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
