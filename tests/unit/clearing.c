#include "tests/unit/clearing.h"

#include <math.h>
#include <stdio.h>

#include "common/outcome.h"
#include "common/penalty.h"
#include "coordinator/negotiate.h"
#include "coordinator/reference.h"
#include "tests/unit/kkt.h"
#include "tests/unit/random_market.h"

struct pw_settings test_random_settings(uint64_t seed)
{
    static const double deltas[] = {1, .9, .7, .5, .3, .1, .01};
    static const char *const models[] = {"none", "constant", "gaussian", "exponential"};
    struct test_rng rng = test_rng(seed * 7919 + 13);
    struct pw_settings settings;
    pw_settings_default(&settings);
    settings.delta = deltas[test_below(&rng, 7)];
    static const double relaxations[] = {.7, .5, 0, 0}; /* 0: automatic */
    settings.relaxation = relaxations[test_below(&rng, 4)];
    snprintf(settings.delay_model, sizeof settings.delay_model, "%s", models[test_below(&rng, 4)]);
    settings.delay_mean_s = 50e-6;
    settings.delay_std_s = 20e-6;
    settings.delay_min_s = 5e-6;
    settings.loss = test_below(&rng, 2) ? test_uniform(&rng, 0, .3) : 0;
    settings.retransmit_s = 100e-6;
    settings.seed = (long)seed;
    settings.tolerance = 1e-5;
    settings.max_time_s = 60;
    settings.max_rounds = 100000000; /* local rounds are many where a rank gets little of a processor */
    return settings;
}

struct pw_market *test_any_market(uint64_t seed)
{
    struct test_rng rng = test_rng(seed * 104729 + 7);
    enum test_family family = (enum test_family)test_below(&rng, N_FAMILIES);
    int agents = test_below(&rng, 4) == 0 ? 20 + test_below(&rng, 41) : 2 + test_below(&rng, 19);
    return test_market(family, agents, test_uniform(&rng, .1, 1), seed);
}

struct test_clearing test_measure(const struct pw_market *market, const struct pw_settings *settings,
                                  const struct pw_outcome *outcome)
{
    struct pw_scales scales = pw_market_scales(market);
    double slack = settings->tolerance;
    struct test_kkt kkt = test_kkt(market, 0, outcome->power, outcome->price, outcome->trade,
                                   slack * scales.price, slack * scales.power);
    struct pw_reference reference;
    struct pw_error err = {.text = ""};
    const struct pw_summary *summary = &outcome->summary;
    struct test_clearing clearing = {.status = summary->status,
                                     .price = kkt.price / scales.price,
                                     .power = kkt.power / scales.power,
                                     .spread = summary->price_spread_max / scales.price,
                                     .rounds = (long)summary->iterations_mean};
    clearing.welfare_gap = INFINITY;
    if (pw_reference_solve(market, &reference, &err) == PW_OK)
        clearing.welfare_gap = (reference.social_welfare - summary->social_welfare) /
                               (fabs(reference.social_welfare) + scales.price * scales.power);
    return clearing;
}

struct test_clearing test_clear(const struct pw_market *market, const struct pw_settings *settings,
                                struct pw_transport *transport)
{
    struct pw_negotiation negotiation = {market, settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0, NULL, NULL};
    struct pw_outcome *outcome;
    struct test_clearing clearing = {0};
    pw_negotiate(&negotiation, transport, &outcome);
    if (outcome != NULL)
        clearing = test_measure(market, settings, outcome);
    pw_outcome_destroy(outcome);
    return clearing;
}

const char *test_clearing_fault(const struct test_clearing *clearing, const struct pw_settings *settings,
                                int limit_is_fine, char *text, int size)
{
    /* The stop's price test bounds what agents see of each other, and a power follows its price with the
     * steepness of the cost: 30 tolerances leave room for that, and none for a wrong market. */
    double most = 30 * settings->tolerance;
    text[0] = '\0';
    if (clearing->status == PW_AT_LIMIT && limit_is_fine)
        return text;
    if (clearing->status != PW_CONVERGED)
        snprintf(text, (size_t)size, "ended %s", pw_status_text((enum pw_status)clearing->status));
    else if (!(clearing->price <= most) || !(clearing->power <= most * 10))
        snprintf(text, (size_t)size, "optimality conditions off by %.1e (price), %.1e (power)",
                 clearing->price, clearing->power);
    else if (!(fabs(clearing->welfare_gap) <= most))
        snprintf(text, (size_t)size, "welfare gap %.1e", clearing->welfare_gap);
    return text;
}
