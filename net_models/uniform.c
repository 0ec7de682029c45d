/* Uniform between min_s and as far above mean_s. */
#include "net_models/models.h"

static double draw(const struct pw_delay *delay, const struct pw_transmission *transmission)
{
    struct pw_draw key = pw_transmission_draw(transmission, PW_DRAW_DELAY);
    return delay->min_s + 2.0 * (delay->mean_s - delay->min_s) * pw_random_uniform(&key, 0);
}

const struct pw_delay_model pw_delay_uniform = {
    .name = "uniform",
    .help = "uniform between min_s and 2 mean_s - min_s",
    .uses = PW_USES_MEAN | PW_USES_MIN,
    .check = pw_delay_check_least,
    .draw = draw,
    .lower_bound = pw_delay_least,
    .mean = pw_delay_mean,
};
