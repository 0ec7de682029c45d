/* min_s plus an exponential law, of mean mean_s together. */
#include <math.h>

#include "net_models/models.h"

static enum pw_code check(const struct pw_delay *delay, struct pw_error *err)
{
    if (delay->min_s > delay->mean_s)
        return pw_fail(err, PW_USAGE, "min_s %g must not exceed mean_s %g", delay->min_s, delay->mean_s);
    return PW_OK;
}

static double draw(const struct pw_delay *delay, const struct pw_transmission *transmission)
{
    struct pw_draw key = pw_transmission_draw(transmission, PW_DRAW_DELAY);
    return delay->min_s - (delay->mean_s - delay->min_s) * log(pw_random_uniform(&key, 0));
}

static double lower_bound(const struct pw_delay *delay)
{
    return delay->min_s;
}

static double mean(const struct pw_delay *delay)
{
    return delay->mean_s;
}

const struct pw_delay_model pw_delay_exponential = {"exponential",
                                                    "min_s plus an exponential law, of mean mean_s together",
                                                    1,
                                                    0,
                                                    1,
                                                    check,
                                                    draw,
                                                    lower_bound,
                                                    mean};
