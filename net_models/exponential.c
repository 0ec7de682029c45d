/* min_s plus an exponential law, of mean mean_s together. */
#include "common/random_lanes.h"
#include "net_models/models.h"

static double draw(const struct pw_delay *delay, const struct pw_transmission *transmission, double first)
{
    (void)transmission;
    return delay->min_s - (delay->mean_s - delay->min_s) * pw_lane_log(first);
}

const struct pw_delay_model pw_delay_exponential = {
    .name = "exponential",
    .help = "min_s plus an exponential law, of mean mean_s together",
    .uses = PW_USES_MEAN | PW_USES_MIN,
    .first = PW_FIRST_UNIFORM,
    .check = pw_delay_check_least,
    .draw = draw,
    .lower_bound = pw_delay_least,
    .mean = pw_delay_mean,
};
