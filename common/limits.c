#include "common/limits.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/larger.h"
#include "common/memory.h"

static const double TIMES = 100.0;

/* Sizes of assets by their power of two: how many, their sum and the least. */
enum { LEAST_EXPONENT = -1100, BINS = 2200 };
struct bin {
    int count;
    double sum, least;
};

static size_t place_of(const struct pw_market *market, int i, int q)
{
    return (size_t)i * (size_t)market->n_products + (size_t)q;
}

static double size_of(const struct pw_market *market, size_t at)
{
    return pw_larger(fabs(market->p_min[at]), fabs(market->p_max[at]));
}

static void put_size(struct bin *bins, double size)
{
    int exponent;
    frexp(pw_smaller(size, DBL_MAX), &exponent);
    struct bin *bin = &bins[exponent - LEAST_EXPONENT];
    bin->least = bin->count > 0 ? pw_smaller(bin->least, size) : size;
    bin->sum += size;
    bin->count++;
}

/* Fills the bins; returns how many assets are not nothing. Agents in the order in which people know them, so
 * that sums are the same however they are placed. */
static int sort_sizes(const struct pw_market *market, int q, struct bin *bins)
{
    int count = 0;
    for (int number = 0; number < market->n_agents; number++) {
        int n = pw_market_known_as(market, number);
        for (int i = market->asset_first[n]; i < market->asset_first[n + 1]; i++) {
            double size = size_of(market, place_of(market, i, q));
            if (!(size > 0.0))
                continue;
            put_size(bins, size);
            count++;
        }
    }
    return count;
}

/* What limits are cut to: a hundred times all that are smaller than any of those that are cut; INFINITY where
 * none is. One may be that much larger than all others, or several than most. */
static double find_room(const struct pw_market *market, int q, int *n_cut)
{
    struct bin *bins = pw_alloc(BINS, sizeof *bins);
    int count = sort_sizes(market, q, bins), below = 0;
    double sum = 0.0, room = INFINITY;
    *n_cut = 0;
    for (int b = 0; b < BINS && *n_cut == 0; below += bins[b].count, sum += bins[b].sum, b++) {
        int above = count - below;
        if (bins[b].count > 0 && bins[b].least > TIMES * sum && sum > 0.0 && (above == 1 || below > above)) {
            *n_cut = above;
            room = TIMES * sum;
        }
    }
    free(bins);
    return room;
}

/* Copies of the market's arrays, where there are none yet. */
static void own_arrays(const struct pw_market *market, struct pw_limits *limits)
{
    size_t count = place_of(market, market->n_assets, 0);
    if (limits->cut != NULL)
        return;
    limits->cut = pw_alloc(2 * count, sizeof(double));
    memcpy(limits->cut, market->p_min, count * sizeof(double));
    memcpy(limits->cut + count, market->p_max, count * sizeof(double));
    limits->p_min = limits->cut;
    limits->p_max = limits->cut + count;
}

static void cut_to(const struct pw_market *market, int q, double room, struct pw_limits *limits)
{
    own_arrays(market, limits);
    for (int i = 0; i < market->n_assets; i++) {
        size_t at = place_of(market, i, q);
        limits->p_min[at] = pw_smaller(pw_larger(market->p_min[at], -room), room);
        limits->p_max[at] = pw_smaller(pw_larger(market->p_max[at], -room), room);
    }
}

struct pw_limits pw_limits_make(const struct pw_market *market)
{
    struct pw_limits limits = {market->p_min, market->p_max, NULL, 0};
    for (int q = 0; q < market->n_products; q++) {
        int n_cut;
        double room = find_room(market, q, &n_cut);
        if (n_cut > 0)
            cut_to(market, q, room, &limits);
        limits.are_several |= n_cut > 1;
    }
    return limits;
}

void pw_limits_release(struct pw_limits *limits)
{
    free(limits->cut);
}
