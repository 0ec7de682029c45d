#include "coordinator/setup.h"

#include <stdlib.h>

#include "common/memory.h"

static double *penalties(const struct pw_negotiation *negotiation, const struct pw_scales *scales)
{
    const struct pw_market *market = negotiation->market;
    double fixed = negotiation->settings->penalty,
           *penalty = pw_alloc((size_t)market->n_links, sizeof(double));
    pw_penalty_fill(market, scales, penalty);
    for (int l = 0; fixed > 0.0 && l < market->n_links; l++)
        penalty[l] = fixed;
    return penalty;
}

struct pw_host *pw_setup_host(const struct pw_negotiation *negotiation, const struct pw_transport *transport,
                              const struct pw_scales *scales)
{
    const struct pw_settings *settings = negotiation->settings;
    double *penalty = penalties(negotiation, scales);
    struct pw_host_spec spec = {.market = negotiation->market,
                                .placement = {negotiation->market->n_agents, transport->size},
                                .rank = transport->rank,
                                .rules = {settings->relaxation, settings->stiffness, settings->delta >= 1.0,
                                          !(settings->penalty > 0.0)},
                                .delta = settings->delta,
                                .penalty = penalty};
    struct pw_host *host = pw_host_create(&spec);
    free(penalty);
    return host;
}
