/* min_s plus a gamma law; mean_s and std_s are those of the whole. Drawn by the rejection of Marsaglia and
 * Tsang (2000). */
#include <math.h>

#include "net_models/models.h"

/* A gamma number of scale 1 and this shape, at least 1. Trials of the key from `trial` on. */
static double standard(double shape, const struct pw_draw *key, uint32_t trial)
{
    double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
    for (;; trial += 2) {
        double x = pw_random_normal(key, trial), root = 1.0 + c * x, cube = root * root * root;
        if (root <= 0.0)
            continue;
        if (log(pw_random_uniform(key, trial + 1)) < 0.5 * x * x + d * (1.0 - cube + log(cube)))
            return d * cube;
    }
}

static double draw(const struct pw_delay *delay, const struct pw_transmission *transmission, double first)
{
    if (!pw_delay_varies(delay))
        return delay->mean_s;
    struct pw_draw key = pw_transmission_draw(transmission, PW_DRAW_DELAY);
    double mean = delay->mean_s - delay->min_s, ratio = mean / delay->std_s, shape = ratio * ratio;
    double scale = mean / shape;
    if (shape >= 1.0)
        return delay->min_s + scale * standard(shape, &key, 1);
    /* A number of shape + 1 times the power 1 / shape of a uniform one has this shape. */
    double power = log(first) / shape;
    return delay->min_s + scale * standard(shape + 1.0, &key, 1) * exp(power);
}

static double lower_bound(const struct pw_delay *delay)
{
    return pw_delay_varies(delay) ? delay->min_s : delay->mean_s;
}

const struct pw_delay_model pw_delay_gamma = {
    .name = "gamma",
    .help = "min_s plus a gamma law, of mean_s and std_s together",
    .uses = PW_USES_MEAN | PW_USES_STD | PW_USES_MIN,
    .first = PW_FIRST_UNIFORM,
    .check = pw_delay_check_spread,
    .draw = draw,
    .lower_bound = lower_bound,
    .mean = pw_delay_mean,
};
