/* min_s plus a lognormal law; mean_s and std_s are those of the whole. */
#include <math.h>

#include "net_models/models.h"

/* The largest normal number that can be drawn, in size: sqrt(-2 log(2^-53)) = 8.571.. */
static const double FARTHEST_NORMAL = 8.58;

/* Of the logarithm of the part above min_s. */
struct law {
    double mu, sigma;
};

static struct law law_of(const struct pw_delay *delay)
{
    double mean = delay->mean_s - delay->min_s, ratio = delay->std_s / mean;
    double variance = log1p(ratio * ratio);
    return (struct law){log(mean) - variance / 2.0, sqrt(variance)};
}

static double draw(const struct pw_delay *delay, const struct pw_transmission *transmission, double first)
{
    (void)transmission;
    if (!pw_delay_varies(delay))
        return delay->mean_s;
    struct law law = law_of(delay);
    return delay->min_s + exp(law.mu + law.sigma * first);
}

static double lower_bound(const struct pw_delay *delay)
{
    if (!pw_delay_varies(delay))
        return delay->mean_s;
    struct law law = law_of(delay);
    return delay->min_s + exp(law.mu - law.sigma * FARTHEST_NORMAL);
}

const struct pw_delay_model pw_delay_lognormal = {
    .name = "lognormal",
    .help = "min_s plus a lognormal law, of mean_s and std_s together",
    .uses = PW_USES_MEAN | PW_USES_STD | PW_USES_MIN,
    .first = PW_FIRST_NORMAL,
    .check = pw_delay_check_spread,
    .draw = draw,
    .lower_bound = lower_bound,
    .mean = pw_delay_mean,
};
