/* Every transmission takes mean_s. */
#include "net_models/models.h"

static enum pw_code check(const struct pw_delay *delay, struct pw_error *err)
{
    (void)delay;
    (void)err;
    return PW_OK;
}

static double draw(const struct pw_delay *delay, const struct pw_transmission *transmission)
{
    (void)transmission;
    return delay->mean_s;
}

static double mean(const struct pw_delay *delay)
{
    return delay->mean_s;
}

const struct pw_delay_model pw_delay_constant = {"constant", "always mean_s", 1, 0, 0, check, draw, mean,
                                                 mean};
