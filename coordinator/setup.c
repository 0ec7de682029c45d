#include "coordinator/setup.h"

#include <math.h>
#include <stdlib.h>

#include "common/case.h"
#include "common/memory.h"
#include "coordinator/judge.h"

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

enum pw_criterion pw_setup_criterion(const struct pw_settings *settings)
{
    static const enum pw_criterion criteria[] = {[PW_CRITERION_GLOBAL] = PW_STOP_GLOBAL,
                                                 [PW_CRITERION_AGENT] = PW_STOP_AGENT,
                                                 [PW_CRITERION_TRADE] = PW_STOP_TRADE};
    if (settings->criterion == PW_CRITERION_AUTO)
        return settings->exchange == PW_EXCHANGE_PAIRED ? PW_STOP_TRADE : PW_STOP_GLOBAL;
    return criteria[settings->criterion];
}

/* What each trade may still move by, so that the market as a whole keeps its tolerances: both residuals are
 * roots of sums over links, an agent's balance is a sum over its peers, and a price is off by what both ends
 * allow. */
static const double POWER_MARGIN = 2.0, PRICE_MARGIN = 4.0;

static double *rest_powers(const struct pw_settings *settings, const struct pw_market *market,
                           const struct pw_tolerances *tolerances)
{
    double *power = pw_alloc((size_t)market->n_links, sizeof(double));
    double whole = fmin(tolerances->primal, tolerances->dual / sqrt(2.0)) / POWER_MARGIN;
    for (int l = 0; l < market->n_links; l++) {
        int degree_a = pw_market_degree(market, market->link_a[l]);
        int degree_b = pw_market_degree(market, market->link_b[l]);
        double parts = fmax(sqrt(market->n_links), fmax(degree_a, degree_b));
        power[l] = isnan(settings->trade_power) ? whole / parts : settings->trade_power;
    }
    return power;
}

/* How exact the inner ADMM is beside what a trade at rest may still move by. */
static const double INNER_SHARE = 0.1;

static double smallest(const double *values, int count)
{
    double least = INFINITY;
    for (int i = 0; i < count; i++)
        least = fmin(least, values[i]);
    return least;
}

static struct pw_rules rules_of(const struct pw_settings *settings, const struct pw_tolerances *tolerances)
{
    struct pw_rules rules = {.exchange = (enum pw_exchange_kind)settings->exchange,
                             .relaxation = settings->relaxation,
                             .stiffness = settings->stiffness,
                             .synchronous = settings->delta >= 1.0,
                             .adapt_penalty = !(settings->penalty > 0.0),
                             .max_age = (int)settings->max_age,
                             .criterion = pw_setup_criterion(settings),
                             .ratify = settings->ratify,
                             .rest_price = isnan(settings->trade_price) ? tolerances->price / PRICE_MARGIN
                                                                        : settings->trade_price,
                             .rest_share = settings->share,
                             .solver = (enum pw_solver_kind)settings->solver};
    if (!(rules.relaxation > 0.0))
        rules.relaxation = pw_relaxation_auto(rules.exchange);
    rules.inner_price = INNER_SHARE * rules.rest_price;
    return rules;
}

struct pw_host *pw_setup_host(const struct pw_negotiation *negotiation, const struct pw_transport *transport,
                              const struct pw_scales *scales)
{
    const struct pw_settings *settings = negotiation->settings;
    struct pw_tolerances tolerances = pw_tolerances_of(settings, negotiation->market, scales);
    double *penalty = penalties(negotiation, scales);
    double *rest_power = rest_powers(settings, negotiation->market, &tolerances);
    struct pw_host_spec spec = {.market = negotiation->market,
                                .placement = {negotiation->market->n_agents, transport->size},
                                .rank = transport->rank,
                                .rules = rules_of(settings, &tolerances),
                                .delta = settings->delta,
                                .penalty = penalty,
                                .rest_power = rest_power};
    spec.rules.inner_power = INNER_SHARE * smallest(rest_power, negotiation->market->n_links);
    struct pw_host *host = pw_host_create(&spec);
    free(penalty);
    free(rest_power);
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
