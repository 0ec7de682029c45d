#include "common/generate.h"

#include <math.h>
#include <stdio.h>

#include "common/memory.h"
#include "common/random.h"

static double draw_law(const struct pw_law *law, long seed, int agent, uint32_t number)
{
    struct pw_draw draw = {(uint64_t)seed, PW_DRAW_MARKET, {(uint32_t)agent, number, 0}};
    return law->low + (law->high - law->low) * pw_random_uniform(&draw, 0);
}

static void draw_agent(const struct pw_settings *settings, int consumes, int n, struct pw_market *market)
{
    const struct pw_law *a = consumes ? &settings->consumer_a : &settings->producer_a;
    const struct pw_law *b = consumes ? &settings->consumer_b : &settings->producer_b;
    const struct pw_law *p_min = consumes ? &settings->consumer_p_min : &settings->producer_p_min;
    const struct pw_law *p_max = consumes ? &settings->consumer_p_max : &settings->producer_p_max;
    market->a[n] = draw_law(a, settings->generate_seed, n, 0);
    market->b[n] = draw_law(b, settings->generate_seed, n, 1);
    market->p_min[n] = draw_law(p_min, settings->generate_seed, n, 2);
    market->p_max[n] = draw_law(p_max, settings->generate_seed, n, 3);
    market->asset_first[n + 1] = n + 1;
}

/* Agent n into community n modulo their number: each has consumers and producers. */
static void deal_communities(int count, struct pw_market *market)
{
    char text[24];
    market->label[PW_LABEL_COMMUNITY] = pw_alloc((size_t)market->n_agents, sizeof(char *));
    for (int n = 0; n < market->n_agents; n++) {
        snprintf(text, sizeof text, "%d", n % count);
        market->label[PW_LABEL_COMMUNITY][n] = pw_strdup(text);
    }
}

static int count_consumers(const struct pw_settings *settings)
{
    return (int)floor(settings->generate_consumers * (double)settings->generate_agents + 0.5);
}

enum pw_code pw_generate(const struct pw_settings *settings, struct pw_market **out, struct pw_error *err)
{
    PW_TRY(pw_generate_nameless(settings, out, err));
    int n_consumers = count_consumers(settings);
    for (int n = 0; n < (*out)->n_agents; n++)
        (*out)->asset_name[n] = pw_strdup(n < n_consumers ? "load" : "gen");
    return PW_OK;
}

enum pw_code pw_generate_nameless(const struct pw_settings *settings, struct pw_market **out,
                                  struct pw_error *err)
{
    int n_agents = (int)settings->generate_agents, n_consumers = count_consumers(settings);
    struct pw_market *market = pw_market_create(n_agents, 1, n_agents, 0);
    for (int n = 0; n < n_agents; n++) {
        draw_agent(settings, n < n_consumers, n, market);
        if (market->p_min[n] <= market->p_max[n])
            continue;
        pw_fail(err, PW_USAGE, "%s.p_min: agent %d drew p_min %g above p_max %g: move the laws apart",
                n < n_consumers ? "consumer" : "producer", n, market->p_min[n], market->p_max[n]);
        pw_market_destroy(market);
        *out = NULL;
        return PW_USAGE;
    }
    if (settings->generate_communities > 0)
        deal_communities((int)settings->generate_communities, market);
    pw_market_index(market);
    *out = market;
    return PW_OK;
}
