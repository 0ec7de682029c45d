/* No delay: a message counts as soon as it arrives. */
#include "net_models/models.h"

static enum pw_code check(const struct pw_delay *delay, struct pw_error *err)
{
    (void)delay;
    (void)err;
    return PW_OK;
}

static double draw(const struct pw_delay *delay, const struct pw_transmission *transmission)
{
    (void)delay;
    (void)transmission;
    return 0.0;
}

static double zero(const struct pw_delay *delay)
{
    (void)delay;
    return 0.0;
}

const struct pw_delay_model pw_delay_none = {"none", "no delay", 0, 0, 0, check, draw, zero, zero};
