#include "coordinator/glance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/larger.h"
#include "common/memory.h"
#include "common/prefetch.h"

/* Pairs whose far end is fetched into the cache so far ahead. */
enum { AHEAD = 16 };

/* How an end stands, one double each: its round, then by product these. */
enum { MINE, BEFORE, TRADE_PRICE, AGENT_PRICE, PER_PRODUCT };

/* A link to look at, and its ends by their places among all that are known here. */
struct pair {
    int link, a, b;
};

struct pw_glance {
    const struct pw_host *host;
    int is_paired;   /* both ends of a link count rounds together */
    int n_here;      /* link ends of the agents here */
    size_t per_end;  /* doubles of one */
    double *ends;    /* [(n_here + far_first[ranks]) * per_end] ours as in the host, then others' */
    double *told;    /* [told_first[ranks] * per_end] what others have to hear, rank by rank */
    int *told_end;   /* [told_first[ranks]] which end here that is */
    int *far_first;  /* [ranks + 1] others' ends, rank by rank and in each by link */
    int *told_first; /* [ranks + 1] */
    struct pair *pairs;
    int n_pairs;
};

/* The agent on whose rank the link is looked at: either, so that ranks share the work. */
static int looker(const struct pw_market *market, int l)
{
    return l % 2 == 0 ? market->link_a[l] : market->link_b[l];
}

/* Counts by rank become places of the first. */
static void add_up(int *first, int count)
{
    for (int r = 0; r < count; r++)
        first[r + 1] += first[r];
}

/* places [links]: of a link to another rank, among those that this one tells it, or hears from it. Both go by
 * the link's number. */
static void find_places(struct pw_glance *glance, int *places)
{
    const struct pw_host *host = glance->host;
    const struct pw_market *market = host->market;
    int ranks = host->placement.n_ranks;
    for (int l = 0; l < market->n_links; l++) {
        int a = market->link_a[l], b = market->link_b[l], has_a = pw_host_has(host, a);
        if (has_a == pw_host_has(host, b))
            continue;
        int *counts = pw_host_has(host, looker(market, l)) ? glance->far_first : glance->told_first;
        places[l] = counts[pw_placement_rank(&host->placement, has_a ? b : a) + 1]++;
    }
    add_up(glance->far_first, ranks);
    add_up(glance->told_first, ranks);
}

/* For each link the places of its ends here, -1 for those elsewhere; for free(). */
static struct pair *find_ends(const struct pw_glance *glance)
{
    const struct pw_host *host = glance->host;
    struct pair *links = pw_alloc((size_t)host->market->n_links, sizeof *links);
    for (int l = 0; l < host->market->n_links; l++)
        links[l] = (struct pair){l, -1, -1};
    for (int here = 0; here < glance->n_here; here++) {
        const struct pw_route *route = &host->routes[here];
        *(route->direction == 0 ? &links[route->link].a : &links[route->link].b) = here;
    }
    return links;
}

/* A link of which only the end `here` is ours: looked at here, where the other end is `*there`, or told. */
static void list_far(struct pw_glance *glance, const struct pair *pair, int place, int here, int *there)
{
    const struct pw_host *host = glance->host;
    int rank = pw_placement_rank(&host->placement, host->routes[here].peer);
    if (pw_host_has(host, looker(host->market, pair->link)))
        *there = glance->n_here + glance->far_first[rank] + place;
    else
        glance->told_end[glance->told_first[rank] + place] = here;
}

/* By their numbers, so that the market's arrays are read in order. */
static void list_pairs(struct pw_glance *glance, const int *places)
{
    struct pair *links = find_ends(glance);
    for (int l = 0; l < glance->host->market->n_links; l++) {
        struct pair *pair = &links[l];
        if (pair->a >= 0 && pair->b < 0)
            list_far(glance, pair, places[l], pair->a, &pair->b);
        else if (pair->b >= 0 && pair->a < 0)
            list_far(glance, pair, places[l], pair->b, &pair->a);
        if (pair->a >= 0 && pair->b >= 0)
            glance->pairs[glance->n_pairs++] = *pair;
    }
    free(links);
}

struct pw_glance *pw_glance_create(const struct pw_host *host)
{
    struct pw_glance *glance = pw_alloc(1, sizeof *glance);
    const struct pw_market *market = host->market;
    size_t ranks = (size_t)host->placement.n_ranks;
    int *places = pw_alloc((size_t)market->n_links, sizeof *places);
    glance->host = host;
    glance->is_paired = host->first == host->end || pw_exchange_is_paired(host->agents[0]->rules.exchange);
    glance->n_here = market->end_first[host->end] - host->first_end;
    glance->per_end = 1 + PER_PRODUCT * (size_t)market->n_products;
    glance->far_first = pw_alloc(ranks + 1, sizeof *glance->far_first);
    glance->told_first = pw_alloc(ranks + 1, sizeof *glance->told_first);
    find_places(glance, places);
    size_t n_told = (size_t)glance->told_first[ranks],
           n_known = (size_t)glance->n_here + (size_t)glance->far_first[ranks];
    glance->ends = pw_alloc(n_known * glance->per_end, sizeof *glance->ends);
    glance->told = pw_alloc(n_told * glance->per_end, sizeof *glance->told);
    glance->told_end = pw_alloc(n_told, sizeof *glance->told_end);
    glance->pairs = pw_alloc((size_t)glance->n_here, sizeof *glance->pairs);
    list_pairs(glance, places);
    free(places);
    return glance;
}

void pw_glance_destroy(struct pw_glance *glance)
{
    if (glance == NULL)
        return;
    void *arrays[] = {glance->ends,  glance->told, glance->told_end, glance->far_first, glance->told_first,
                      glance->pairs, glance};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

static double *note_end(const struct pw_agent *agent, int slot, double *to)
{
    *to++ = pw_agent_inbox(agent, slot)->round;
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = (size_t)q * (size_t)agent->n_links + (size_t)slot;
        to[MINE] = agent->mine[i];
        to[BEFORE] = agent->before[i];
        to[TRADE_PRICE] = pw_agent_trade_price(agent, slot, q);
        to[AGENT_PRICE] = agent->price[q];
        to += PER_PRODUCT;
    }
    return to;
}

void pw_glance_note(struct pw_glance *glance)
{
    const struct pw_host *host = glance->host;
    double *to = glance->ends;
    for (int n = host->first; n < host->end; n++) {
        const struct pw_agent *agent = host->agents[n - host->first];
        if (n + 1 < host->end)
            pw_agent_fetch_fire(host->agents[n + 1 - host->first]);
        for (int slot = 0; slot < agent->n_links; slot++)
            to = note_end(agent, slot, to);
    }
    for (int k = 0; k < glance->told_first[host->placement.n_ranks]; k++) {
        pw_copy_reals(&glance->told[(size_t)k * glance->per_end],
                      &glance->ends[(size_t)glance->told_end[k] * glance->per_end], glance->per_end);
    }
}

const void *pw_glance_told(const struct pw_glance *glance, int rank, size_t *size)
{
    int first = glance->told_first[rank];
    *size = (size_t)(glance->told_first[rank + 1] - first) * glance->per_end * sizeof *glance->told;
    return &glance->told[(size_t)first * glance->per_end];
}

enum pw_code pw_glance_hear(struct pw_glance *glance, int rank, const void *bytes, size_t size,
                            struct pw_error *err)
{
    int first = glance->far_first[rank];
    size_t expected = (size_t)(glance->far_first[rank + 1] - first) * glance->per_end * sizeof *glance->ends;
    if (size != expected)
        return pw_fail(err, PW_INTERNAL, "%zu bytes on prices across links, %zu were expected", size,
                       expected);
    if (size > 0)
        memcpy(&glance->ends[((size_t)glance->n_here + (size_t)first) * glance->per_end], bytes, size);
    return PW_OK;
}

/* The trade of an end in `round`, which is its last or the one before. */
static double trade_in(const struct pw_glance *glance, const double *end, int q, double round)
{
    const double *of_product = end + 1 + PER_PRODUCT * q;
    return of_product[end[0] == round || !glance->is_paired ? MINE : BEFORE];
}

static const double *end_at(const struct pw_glance *glance, int place)
{
    return &glance->ends[(size_t)place * glance->per_end];
}

static void fetch_end(const struct pw_glance *glance, int place)
{
    pw_prefetch(end_at(glance, place));
    pw_prefetch(end_at(glance, place) + glance->per_end - 1);
}

/* How the prices across a link look to the judge. */
static double look_at(const struct pw_glance *glance, const struct pair *pair,
                      const struct pw_tolerances *tolerances, double negligible)
{
    const struct pw_market *market = glance->host->market;
    const double *a = end_at(glance, pair->a), *b = end_at(glance, pair->b);
    double round = pw_smaller(a[0], b[0]), worst = round < 1.0 ? INFINITY : 0.0;
    for (int q = 0; q < market->n_products; q++) {
        const double *of_a = a + 1 + PER_PRODUCT * q, *of_b = b + 1 + PER_PRODUCT * q;
        struct pw_trade_view view = {(trade_in(glance, a, q, round) - trade_in(glance, b, q, round)) / 2.0,
                                     {of_a[TRADE_PRICE], of_b[TRADE_PRICE]},
                                     {of_a[AGENT_PRICE], of_b[AGENT_PRICE]}};
        struct pw_price_faults faults =
            pw_judge_prices(market, pair->link * market->n_products + q, &view, negligible);
        worst = pw_larger(worst,
                          pw_larger(faults.spread / tolerances->spread, faults.mismatch / tolerances->price));
    }
    return worst;
}

double pw_glance_excess(const struct pw_glance *glance, const struct pw_tolerances *tolerances)
{
    double worst = 0.0, negligible = pw_judge_negligible(glance->host->market, tolerances);
    for (int k = 0; k < glance->n_pairs; k++) {
        const struct pair *pair = &glance->pairs[k];
        const struct pair *soon = &glance->pairs[k + AHEAD < glance->n_pairs ? k + AHEAD : k];
        fetch_end(glance, soon->a);
        fetch_end(glance, soon->b);
        worst = pw_larger(worst, look_at(glance, pair, tolerances, negligible));
    }
    return worst;
}
