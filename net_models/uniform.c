/* Uniform between min_s and as far above mean_s. */
#include "net_models/models.h"

static double draw(const struct pw_delay *delay, const struct pw_transmission *transmission, double first)
{
    (void)transmission;
    return delay->min_s + 2.0 * (delay->mean_s - delay->min_s) * first;
}

const struct pw_delay_model pw_delay_uniform = {
    .name = "uniform",
    .help = "uniform between min_s and 2 mean_s - min_s",
    .uses = PW_USES_MEAN | PW_USES_MIN,
    .first = PW_FIRST_UNIFORM,
    .check = pw_delay_check_least,
    .draw = draw,
    .lower_bound = pw_delay_least,
    .mean = pw_delay_mean,
};
