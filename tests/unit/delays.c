#include "tests/unit/delays.h"

#include <stdlib.h>

#include "net_models/models.h"

double delays_values[DELAY_VALUES];

void delays_fill(void)
{
    for (int i = 0; i < DELAY_VALUES; i++)
        delays_values[i] = 0.25 + i * (double)i / 1e6;
}

struct pw_transmission delays_transmission(int i)
{
    uint32_t n = (uint32_t)i;
    return (struct pw_transmission){9, n / 16, n & 1, n >> 1 & 3, n >> 3 & 1};
}

double delays_draw(const struct pw_delay_model *model, const struct pw_delay *delay,
                   const struct pw_transmission *transmission)
{
    struct pw_draw key = pw_transmission_draw(transmission, PW_DRAW_DELAY);
    double first = model->first == PW_FIRST_UNIFORM  ? pw_random_uniform(&key, 0)
                   : model->first == PW_FIRST_NORMAL ? pw_random_normal(&key, 0)
                                                     : 0.0;
    return model->draw(delay, transmission, first);
}

struct sample delays_sample(const struct pw_delay_model *model, const struct pw_delay *delay)
{
    struct sample sample = {.count = DRAWS, .values = malloc(DRAWS * sizeof(double))};
    for (int i = 0; i < DRAWS; i++) {
        struct pw_transmission transmission = delays_transmission(i);
        sample.values[i] = delays_draw(model, delay, &transmission);
    }
    sample_measure(&sample);
    return sample;
}
