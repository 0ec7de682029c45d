/* By distance: min_s, the time at the speed of propagation, a time per hop begun, and an exponential jitter.
 */
#include <math.h>

#include "common/random_lanes.h"
#include "net_models/models.h"

static double lower_bound(const struct pw_delay *delay)
{
    double hops = delay->hop_length > 0.0 ? ceil(delay->distance / delay->hop_length) : 0.0;
    return delay->min_s + delay->distance / delay->speed + hops * delay->hop_s;
}

static double draw(const struct pw_delay *delay, const struct pw_transmission *transmission, double first)
{
    (void)transmission;
    return lower_bound(delay) - delay->jitter_s * pw_lane_log(first);
}

static double mean(const struct pw_delay *delay)
{
    return lower_bound(delay) + delay->jitter_s;
}

const struct pw_delay_model pw_delay_distance = {
    .name = "distance",
    .help = "min_s + distance / speed + hops x hop_s + an exponential jitter of mean jitter_s",
    .uses = PW_USES_MIN | PW_USES_DISTANCE,
    .first = PW_FIRST_UNIFORM,
    .check = pw_delay_check_nothing,
    .draw = draw,
    .lower_bound = lower_bound,
    .mean = mean,
};
