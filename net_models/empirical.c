/* One of the measured delays of a file, each as likely as the others. */
#include "net_models/models.h"

static double draw(const struct pw_delay *delay, const struct pw_transmission *transmission, double first)
{
    (void)transmission;
    return delay->values_s[(size_t)(first * (double)delay->n_values)];
}

static double lower_bound(const struct pw_delay *delay)
{
    return delay->values_s[0];
}

static double mean(const struct pw_delay *delay)
{
    double sum = 0.0;
    for (size_t i = 0; i < delay->n_values; i++)
        sum += delay->values_s[i];
    return sum / (double)delay->n_values;
}

const struct pw_delay_model pw_delay_empirical = {
    .name = "empirical",
    .help = "one of the measured delays of a file",
    .uses = PW_USES_FILE,
    .first = PW_FIRST_UNIFORM,
    .check = pw_delay_check_nothing,
    .draw = draw,
    .lower_bound = lower_bound,
    .mean = mean,
};
