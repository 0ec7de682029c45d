#include "common/penalty.h"

#include <math.h>
#include <stdlib.h>

#include "common/limits.h"
#include "common/memory.h"

static const double PRICE_SHARE = 0.25, LEAST_SPAN = 0.01;

/* What the links of agent n can carry of product q, in or out: mostly the first says that it is no limit. */
static double link_room(const struct pw_market *market, int n, int q)
{
    double room = 0.0;
    for (int e = market->end_first[n]; e < market->end_first[n + 1] && room < INFINITY; e++) {
        int i = market->end_link[e] * market->n_products + q;
        room += fmax(fabs(market->t_min[i]), fabs(market->t_max[i]));
    }
    return room;
}

/* The largest net power of agent n over all products, as far as its links can carry it. */
static double reach(const struct pw_market *market, const struct pw_limits *limits, int n)
{
    double largest = 0.0;
    for (int q = 0; q < market->n_products; q++) {
        double low = 0.0, high = 0.0;
        for (int i = market->asset_first[n]; i < market->asset_first[n + 1]; i++) {
            low += limits->p_min[i * market->n_products + q];
            high += limits->p_max[i * market->n_products + q];
        }
        double room = pw_market_degree(market, n) > 0 ? link_room(market, n, q) : INFINITY;
        largest = fmax(largest, fmin(fmax(fabs(low), fabs(high)), room));
    }
    return largest;
}

static double price_scale(const struct pw_market *market, const struct pw_limits *limits)
{
    double low = INFINITY, high = -INFINITY, largest = 0.0;
    for (int i = 0; i < market->n_assets * market->n_products; i++) {
        if (!(market->p_min[i] < market->p_max[i]))
            continue;
        double at_min = market->a[i] * limits->p_min[i] + market->b[i];
        double at_max = market->a[i] * limits->p_max[i] + market->b[i];
        low = fmin(low, at_min);
        high = fmax(high, at_max);
        largest = fmax(largest, fmax(fabs(at_min), fabs(at_max)));
    }
    double span = fmax(high - low, LEAST_SPAN * largest);
    return span > 0.0 && isfinite(span) ? span : 1.0;
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static double power_scale(const struct pw_market *market, const struct pw_limits *limits)
{
    double *powers = pw_alloc((size_t)market->n_agents, sizeof(double));
    int n_positive = 0;
    for (int n = 0; n < market->n_agents; n++) {
        double power = reach(market, limits, n);
        if (power > 0.0)
            powers[n_positive++] = power;
    }
    qsort(powers, (size_t)n_positive, sizeof(double), ascending);
    double median = n_positive > 0 ? powers[n_positive / 2] : 1.0;
    free(powers);
    return median;
}

struct pw_scales pw_market_scales(const struct pw_market *market)
{
    struct pw_limits limits = pw_limits_make(market);
    struct pw_scales scales = {price_scale(market, &limits), power_scale(market, &limits)};
    pw_limits_release(&limits);
    return scales;
}

/* The agent at the other end of end e of agent n. */
static int peer_of(const struct pw_market *market, int n, int e)
{
    int l = market->end_link[e];
    return market->link_a[l] == n ? market->link_b[l] : market->link_a[l];
}

/* What agent n without own power passes on over each link to another such agent: what its other peers bring
 * it [own by agent], shared among these links; 0 where nobody brings it any. */
static double passed_on(const struct pw_market *market, const double *own, int n)
{
    double brought = 0.0;
    int powerless = 0;
    for (int e = market->end_first[n]; e < market->end_first[n + 1]; e++) {
        double of_peer = own[peer_of(market, n, e)];
        brought += of_peer;
        powerless += !(of_peer > 0.0);
    }
    return powerless > 0 ? brought / powerless : 0.0;
}

struct pw_shares pw_shares_make(const struct pw_market *market)
{
    size_t agents = (size_t)market->n_agents;
    struct pw_shares shares = {pw_alloc(agents, sizeof(double)), pw_alloc(agents, sizeof(double))};
    struct pw_limits limits = pw_limits_make(market);
    for (int n = 0; n < market->n_agents; n++) {
        int degree = pw_market_degree(market, n);
        shares.own[n] = degree > 0 ? reach(market, &limits, n) / degree : 0.0;
    }
    pw_limits_release(&limits);
    for (int n = 0; n < market->n_agents; n++)
        shares.passed_on[n] = shares.own[n] > 0.0 ? shares.own[n] : passed_on(market, shares.own, n);
    return shares;
}

void pw_shares_release(struct pw_shares *shares)
{
    free(shares->own);
    free(shares->passed_on);
}

double pw_penalty_of(const struct pw_scales *scales, const struct pw_shares *shares, int a, int b)
{
    double x_a = shares->own[a], x_b = shares->own[b];
    if (!(x_a > 0.0) && !(x_b > 0.0)) {
        x_a = shares->passed_on[a];
        x_b = shares->passed_on[b];
    }
    if (!(x_a > 0.0))
        x_a = x_b > 0.0 ? x_b : scales->power;
    if (!(x_b > 0.0))
        x_b = x_a;
    return PRICE_SHARE * scales->price / sqrt(x_a * x_b);
}

void pw_penalty_fill(const struct pw_market *market, const struct pw_scales *scales, double *penalty)
{
    struct pw_shares shares = pw_shares_make(market);
    for (int l = 0; l < market->n_links; l++)
        penalty[l] = pw_penalty_of(scales, &shares, market->link_a[l], market->link_b[l]);
    pw_shares_release(&shares);
}
