#include "coordinator/setup.h"

#include <math.h>
#include <stdlib.h>

#include "agent/innovation.h"
#include "common/case.h"
#include "common/memory.h"

/* No asset answers a price by more than this many times the market's power scale for its price scale. */
static const double LARGEST_ANSWER = 20.0;

static double least_curvature(const struct pw_scales *scales)
{
    return scales->price / scales->power / LARGEST_ANSWER;
}

/* By how much the powers of an agent answer a unit of price. */
static double answer_of(const struct pw_market *market, int n, int q, double least)
{
    double answer = 0.0;
    int first = market->asset_first[n], end = market->asset_first[n + 1], all_fixed = 1;
    for (int i = first; i < end; i++) {
        int k = i * market->n_products + q;
        all_fixed &= !(market->p_min[k] < market->p_max[k]);
    }
    for (int i = first; i < end; i++) {
        int k = i * market->n_products + q;
        struct pw_answering asset = {market->p_min[k], market->p_max[k], market->a[k], all_fixed};
        answer += pw_innovation_answer(&asset, least);
    }
    return answer;
}

/* For the exchange `innovation`: the gap that is worth a unit of price is what both agents would answer to
 * it, each with one trade's share. */
static void fill_by_curvature(const struct pw_market *market, const struct pw_scales *scales, double *penalty)
{
    double least = least_curvature(scales);
    for (int l = 0; l < market->n_links; l++) {
        int a = market->link_a[l], b = market->link_b[l];
        double peers = sqrt((double)pw_market_degree(market, a) * pw_market_degree(market, b));
        penalty[l] = INFINITY;
        for (int q = 0; q < market->n_products; q++) {
            double answers = answer_of(market, a, q, least) + answer_of(market, b, q, least);
            penalty[l] = fmin(penalty[l], peers / answers);
        }
    }
}

double *pw_setup_penalties(const struct pw_settings *settings, const struct pw_market *market,
                           const struct pw_scales *scales)
{
    double *penalty = pw_alloc((size_t)market->n_links, sizeof(double));
    if (settings->exchange == PW_EXCHANGE_INNOVATION)
        fill_by_curvature(market, scales, penalty);
    else
        pw_penalty_fill(market, scales, penalty);
    for (int l = 0; settings->penalty > 0.0 && l < market->n_links; l++)
        penalty[l] = settings->penalty;
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

double pw_setup_rest_power(const struct pw_settings *settings, const struct pw_tolerances *tolerances,
                           double n_links, int degree_a, int degree_b)
{
    double whole = fmin(tolerances->primal, tolerances->dual / sqrt(2.0)) / POWER_MARGIN;
    double parts = fmax(sqrt(n_links), fmax(degree_a, degree_b));
    return isnan(settings->trade_power) ? whole / parts : settings->trade_power;
}

double *pw_setup_rest_powers(const struct pw_settings *settings, const struct pw_market *market,
                             const struct pw_scales *scales)
{
    struct pw_tolerances tolerances = pw_tolerances_of(settings, market, scales);
    double *power = pw_alloc((size_t)market->n_links, sizeof(double));
    for (int l = 0; l < market->n_links; l++)
        power[l] = pw_setup_rest_power(settings, &tolerances, market->n_links,
                                       pw_market_degree(market, market->link_a[l]),
                                       pw_market_degree(market, market->link_b[l]));
    return power;
}

/* How exact the inner ADMM is beside what a trade at rest may still move by. */
static const double INNER_SHARE = 0.1;

/* A trade of zero counts as this share of the market's power scale, over the trades of its agent. */
static const double LEAST_SHARE = 0.01;

static struct pw_gains gains_of(const struct pw_settings *settings, const struct pw_scales *scales)
{
    return (struct pw_gains){.consensus = settings->consensus,
                             .innovation = settings->innovation,
                             .bounds = settings->bounds,
                             .decay = settings->decay,
                             .concession = settings->concession,
                             .least_curvature = least_curvature(scales),
                             .least_power = LEAST_SHARE * scales->power};
}

struct pw_rules pw_setup_rules(const struct pw_settings *settings, const struct pw_tolerances *tolerances,
                               const struct pw_scales *scales, double rest_power)
{
    struct pw_rules rules = {.exchange = (enum pw_exchange_kind)settings->exchange,
                             .relaxation = settings->relaxation,
                             .stiffness = settings->stiffness,
                             .synchronous = settings->delta >= 1.0,
                             .adapt_penalty = !(settings->penalty > 0.0),
                             .max_age = (int)settings->max_age,
                             .gains = gains_of(settings, scales),
                             .solver = (enum pw_solver_kind)settings->solver,
                             .inner_power = INNER_SHARE * rest_power,
                             .criterion = pw_setup_criterion(settings),
                             .ratify = settings->ratify,
                             .rest_price = isnan(settings->trade_price) ? tolerances->price / PRICE_MARGIN
                                                                        : settings->trade_price,
                             .rest_share = settings->share};
    rules.inner_price = INNER_SHARE * rules.rest_price;
    if (!(rules.relaxation > 0.0))
        rules.relaxation = pw_relaxation_auto(rules.exchange);
    return rules;
}

static double smallest(const double *values, int count)
{
    double least = INFINITY;
    for (int i = 0; i < count; i++)
        least = fmin(least, values[i]);
    return least;
}

struct pw_host *pw_setup_host(const struct pw_negotiation *negotiation, const struct pw_transport *transport,
                              const struct pw_scales *scales)
{
    const struct pw_settings *settings = negotiation->settings;
    const struct pw_market *market = negotiation->market;
    double *penalty = pw_setup_penalties(settings, market, scales);
    double *rest_power = pw_setup_rest_powers(settings, market, scales);
    struct pw_tolerances tolerances = pw_tolerances_of(settings, market, scales);
    struct pw_rules rules =
        pw_setup_rules(settings, &tolerances, scales, smallest(rest_power, market->n_links));
    struct pw_host_spec spec = {
        .market = market,
        .placement = {market->n_agents, transport->size, negotiation->block_first},
        .rank = transport->rank,
        .agents = {rules, settings->delta, penalty, rest_power, negotiation->start, NULL}};
    struct pw_host *host = pw_host_create(&spec);
    free(penalty);
    free(rest_power);
    return host;
}

/* So far apart that the seeds of a study's replicates never meet those of another slot. */
static const uint64_t SEED_PER_SLOT = UINT64_C(1) << 40;

struct pw_network pw_setup_network(const struct pw_negotiation *negotiation)
{
    struct pw_network network = pw_case_network(negotiation->settings, negotiation->net);
    network.seed += SEED_PER_SLOT * (uint64_t)negotiation->slot;
    return network;
}

int64_t pw_setup_timeout_ns(const struct pw_negotiation *negotiation)
{
    static const double MEAN_DELAYS = 3.0, LEAST_S = 1e-3;
    const struct pw_settings *settings = negotiation->settings;
    struct pw_network network = pw_setup_network(negotiation);
    double mean_s = pw_network_mean_s(&network) + settings->compute_s;
    double timeout_s = isnan(settings->timeout_s) ? fmax(MEAN_DELAYS * mean_s, LEAST_S) : settings->timeout_s;
    return (int64_t)fmax(fmin(timeout_s * 1e9, 9e18), 1.0);
}
