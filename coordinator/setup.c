#include "coordinator/setup.h"

#include <math.h>
#include <stdlib.h>

#include "common/case.h"
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

static struct pw_rules rules_of(const struct pw_settings *settings)
{
    struct pw_rules rules = {.exchange = (enum pw_exchange_kind)settings->exchange,
                             .relaxation = settings->relaxation,
                             .stiffness = settings->stiffness,
                             .synchronous = settings->delta >= 1.0,
                             .adapt_penalty = !(settings->penalty > 0.0),
                             .max_age = (int)settings->max_age};
    if (!(rules.relaxation > 0.0))
        rules.relaxation = pw_relaxation_auto(rules.exchange);
    return rules;
}

struct pw_host *pw_setup_host(const struct pw_negotiation *negotiation, const struct pw_transport *transport,
                              const struct pw_scales *scales)
{
    const struct pw_settings *settings = negotiation->settings;
    double *penalty = penalties(negotiation, scales);
    struct pw_host_spec spec = {.market = negotiation->market,
                                .placement = {negotiation->market->n_agents, transport->size},
                                .rank = transport->rank,
                                .rules = rules_of(settings),
                                .delta = settings->delta,
                                .penalty = penalty};
    struct pw_host *host = pw_host_create(&spec);
    free(penalty);
    return host;
}

int64_t pw_setup_timeout_ns(const struct pw_negotiation *negotiation)
{
    static const double MEAN_DELAYS = 3.0, LEAST_S = 1e-3;
    const struct pw_settings *settings = negotiation->settings;
    struct pw_network network = pw_case_network(settings, negotiation->net);
    double mean_s = pw_network_mean_s(&network) + settings->compute_s;
    double timeout_s = isnan(settings->timeout_s) ? fmax(MEAN_DELAYS * mean_s, LEAST_S) : settings->timeout_s;
    return (int64_t)fmax(fmin(timeout_s * 1e9, 9e18), 1.0);
}
