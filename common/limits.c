#include "common/limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/exact_sum.h"
#include "common/larger.h"
#include "common/memory.h"

static const double TIMES = 100.0;

static double size_of(const struct pw_market *market, size_t at)
{
    return pw_larger(fabs(market->p_min[at]), fabs(market->p_max[at]));
}

/* What others come to is exact: beside one that is 10^20 times as large a difference of sums would be noise.
 */
static struct pw_exact_sum sum_sizes(const struct pw_market *market, int q)
{
    struct pw_exact_sum sum = {0};
    for (int i = 0; i < market->n_assets; i++)
        pw_exact_add(&sum, size_of(market, (size_t)i * (size_t)market->n_products + (size_t)q));
    return sum;
}

/* Copies of the market's arrays, where there are none yet. */
static void own_arrays(const struct pw_market *market, struct pw_limits *limits)
{
    size_t count = (size_t)market->n_assets * (size_t)market->n_products;
    if (limits->cut != NULL)
        return;
    limits->cut = pw_alloc(2 * count, sizeof(double));
    memcpy(limits->cut, market->p_min, count * sizeof(double));
    memcpy(limits->cut + count, market->p_max, count * sizeof(double));
    limits->p_min = limits->cut;
    limits->p_max = limits->cut + count;
}

static void cut(const struct pw_market *market, size_t at, double room, struct pw_limits *limits)
{
    size_t count = (size_t)market->n_assets * (size_t)market->n_products;
    own_arrays(market, limits);
    limits->cut[at] = pw_smaller(pw_larger(market->p_min[at], -room), room);
    limits->cut[count + at] = pw_smaller(pw_larger(market->p_max[at], -room), room);
}

struct pw_limits pw_limits_make(const struct pw_market *market)
{
    struct pw_limits limits = {market->p_min, market->p_max, NULL};
    for (int q = 0; q < market->n_products; q++) {
        struct pw_exact_sum all = sum_sizes(market, q);
        double total = pw_exact_value(&all);
        for (int i = 0; i < market->n_assets; i++) {
            size_t at = (size_t)i * (size_t)market->n_products + (size_t)q;
            if (size_of(market, at) < 0.9 * total) /* seldom more than one is left to look at */
                continue;
            struct pw_exact_sum others = all;
            pw_exact_add(&others, -size_of(market, at));
            double room = TIMES * pw_exact_value(&others);
            if (size_of(market, at) > room)
                cut(market, at, room, &limits);
        }
    }
    return limits;
}

void pw_limits_release(struct pw_limits *limits)
{
    free(limits->cut);
}
