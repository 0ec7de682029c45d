#include "coordinator/bulk_terms.h"

#include <stdlib.h>

#include "common/memory.h"

struct pw_bulk_terms pw_bulk_terms_of(const struct pw_market *market)
{
    struct pw_bulk_terms terms = {.n_links = market->n_links,
                                  .scales = pw_market_scales(market),
                                  .degree = pw_alloc((size_t)market->n_agents, sizeof(int)),
                                  .shares = pw_shares_make(market)};
    for (int n = 0; n < market->n_agents; n++)
        terms.degree[n] = pw_market_degree(market, n);
    return terms;
}

void pw_bulk_terms_release(struct pw_bulk_terms *terms)
{
    free(terms->degree);
    pw_shares_release(&terms->shares);
}

static struct pw_bulk_terms make_room(int n_agents)
{
    size_t agents = (size_t)n_agents;
    return (struct pw_bulk_terms){
        .degree = pw_alloc(agents, sizeof(int)),
        .shares = {pw_alloc(agents, sizeof(double)), pw_alloc(agents, sizeof(double))}};
}

struct pw_bulk_terms pw_bulk_terms_share(const struct pw_market *market, struct pw_transport *transport)
{
    struct pw_bulk_terms terms =
        transport->rank == 0 ? pw_bulk_terms_of(market) : make_room(market->n_agents);
    size_t agents = (size_t)market->n_agents;
    pw_transport_share(transport, &terms.n_links, sizeof terms.n_links);
    pw_transport_share(transport, &terms.scales, sizeof terms.scales);
    pw_transport_share(transport, terms.degree, agents * sizeof *terms.degree);
    pw_transport_share(transport, terms.shares.own, agents * sizeof(double));
    pw_transport_share(transport, terms.shares.passed_on, agents * sizeof(double));
    return terms;
}
