#include "net_models/models.h"

#include <stddef.h>
#include <string.h>

const struct pw_delay_model *const pw_delay_models[] = {
    &pw_delay_none,
    &pw_delay_constant,
    &pw_delay_uniform,
    &pw_delay_gaussian,
    &pw_delay_exponential,
    &pw_delay_lognormal,
    &pw_delay_gamma,
    &pw_delay_pareto,
    &pw_delay_distance,
    &pw_delay_empirical,
    NULL,
};

const struct pw_delay_model *pw_delay_model_find(const char *name)
{
    for (int i = 0; pw_delay_models[i] != NULL; i++) {
        if (strcmp(pw_delay_models[i]->name, name) == 0)
            return pw_delay_models[i];
    }
    return NULL;
}

uint32_t pw_transmission_way(const struct pw_transmission *transmission)
{
    return transmission->link << 1 | transmission->direction;
}

struct pw_draw pw_transmission_draw(const struct pw_transmission *transmission, enum pw_purpose purpose)
{
    uint32_t way = pw_transmission_way(transmission);
    return (struct pw_draw){transmission->seed, purpose, {way, transmission->round, transmission->attempt}};
}

enum pw_code pw_delay_check_nothing(const struct pw_delay *delay, struct pw_error *err)
{
    (void)delay;
    (void)err;
    return PW_OK;
}

enum pw_code pw_delay_check_least(const struct pw_delay *delay, struct pw_error *err)
{
    if (delay->min_s > delay->mean_s)
        return pw_fail(err, PW_USAGE, "min_s %g must not exceed mean_s %g", delay->min_s, delay->mean_s);
    return PW_OK;
}

/* Standard deviations of laws above min_s, over their mean: beyond these, numbers run out of range. */
static const double NARROWEST = 1e-9, WIDEST = 100.0;

enum pw_code pw_delay_check_spread(const struct pw_delay *delay, struct pw_error *err)
{
    PW_TRY(pw_delay_check_least(delay, err));
    if (delay->std_s > WIDEST * (delay->mean_s - delay->min_s))
        return pw_fail(err, PW_USAGE, "std_s %g must not exceed %g times mean_s - min_s, which is %g",
                       delay->std_s, WIDEST, delay->mean_s - delay->min_s);
    return PW_OK;
}

int pw_delay_varies(const struct pw_delay *delay)
{
    return delay->std_s > NARROWEST * (delay->mean_s - delay->min_s);
}

double pw_delay_mean(const struct pw_delay *delay)
{
    return delay->mean_s;
}

double pw_delay_least(const struct pw_delay *delay)
{
    return delay->min_s;
}
