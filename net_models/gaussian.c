/* A normal law of mean_s and std_s, truncated below at min_s: a draw below it is drawn again. */
#include <math.h>

#include "net_models/models.h"

/* A truncation this far above the mean would draw in vain for long. */
static const double LARGEST_CUT = 3.0;

static enum pw_code check(const struct pw_delay *delay, struct pw_error *err)
{
    if (delay->min_s > delay->mean_s + LARGEST_CUT * delay->std_s)
        return pw_fail(err, PW_USAGE, "min_s %g lies more than %g std_s above mean_s %g: lower it",
                       delay->min_s, LARGEST_CUT, delay->mean_s);
    return PW_OK;
}

static double draw(const struct pw_delay *delay, const struct pw_transmission *transmission, double first)
{
    struct pw_draw key = pw_transmission_draw(transmission, PW_DRAW_DELAY);
    double drawn = delay->mean_s + delay->std_s * first;
    for (uint32_t trial = 1; drawn < delay->min_s; trial++)
        drawn = delay->mean_s + delay->std_s * pw_random_normal(&key, trial);
    return drawn;
}

static double lower_bound(const struct pw_delay *delay)
{
    return delay->std_s > 0.0 ? delay->min_s : fmax(delay->min_s, delay->mean_s);
}

/* mean + std phi(c) / (1 - Phi(c)) with c = (min - mean) / std. */
static double mean(const struct pw_delay *delay)
{
    if (!(delay->std_s > 0.0))
        return delay->mean_s;
    double cut = (delay->min_s - delay->mean_s) / delay->std_s;
    double density = exp(-cut * cut / 2.0) / sqrt(6.283185307179586);
    return delay->mean_s + delay->std_s * density / (0.5 * erfc(cut / sqrt(2.0)));
}

const struct pw_delay_model pw_delay_gaussian = {
    .name = "gaussian",
    .help = "normal law of mean_s and std_s, truncated below at min_s",
    .uses = PW_USES_MEAN | PW_USES_STD | PW_USES_MIN,
    .first = PW_FIRST_NORMAL,
    .check = check,
    .draw = draw,
    .lower_bound = lower_bound,
    .mean = mean,
};
