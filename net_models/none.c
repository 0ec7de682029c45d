/* No delay: a message counts as soon as it arrives. */
#include "net_models/models.h"

static double draw(const struct pw_delay *delay, const struct pw_transmission *transmission, double first)
{
    (void)delay;
    (void)transmission;
    (void)first;
    return 0.0;
}

static double zero(const struct pw_delay *delay)
{
    (void)delay;
    return 0.0;
}

const struct pw_delay_model pw_delay_none = {
    .name = "none",
    .help = "no delay",
    .check = pw_delay_check_nothing,
    .draw = draw,
    .lower_bound = zero,
    .mean = zero,
};
