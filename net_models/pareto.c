/* The Pareto law of scale min_s and mean mean_s: heavy tails. Its shape is mean_s / (mean_s - min_s); up to 2
 * the variance is infinite. */
#include <math.h>

#include "net_models/models.h"

static enum pw_code check(const struct pw_delay *delay, struct pw_error *err)
{
    if (!(delay->min_s > 0.0))
        return pw_fail(err, PW_USAGE,
                       "the least delay of a Pareto law is its scale: give a min_s above 0 and up to mean_s "
                       "%g (half of mean_s makes the shape 2)",
                       delay->mean_s);
    return pw_delay_check_least(delay, err);
}

static double draw(const struct pw_delay *delay, const struct pw_transmission *transmission, double first)
{
    (void)transmission;
    double inverse_shape = 1.0 - delay->min_s / delay->mean_s;
    return delay->min_s * exp(-inverse_shape * log(first));
}

const struct pw_delay_model pw_delay_pareto = {
    .name = "pareto",
    .help = "Pareto law of scale min_s, of mean mean_s",
    .uses = PW_USES_MEAN | PW_USES_MIN,
    .first = PW_FIRST_UNIFORM,
    .check = check,
    .draw = draw,
    .lower_bound = pw_delay_least,
    .mean = pw_delay_mean,
};
