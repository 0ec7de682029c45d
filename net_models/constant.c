/* Every transmission takes mean_s. */
#include "net_models/models.h"

static double draw(const struct pw_delay *delay, const struct pw_transmission *transmission, double first)
{
    (void)transmission;
    (void)first;
    return delay->mean_s;
}

const struct pw_delay_model pw_delay_constant = {
    .name = "constant",
    .help = "always mean_s",
    .uses = PW_USES_MEAN,
    .check = pw_delay_check_nothing,
    .draw = draw,
    .lower_bound = pw_delay_mean,
    .mean = pw_delay_mean,
};
