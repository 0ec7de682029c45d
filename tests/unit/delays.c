#include "tests/unit/delays.h"

#include <stdlib.h>

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

struct sample delays_sample(const struct pw_delay_model *model, const struct pw_delay *delay)
{
    struct sample sample = {.count = DRAWS, .values = malloc(DRAWS * sizeof(double))};
    for (int i = 0; i < DRAWS; i++) {
        struct pw_transmission transmission = delays_transmission(i);
        sample.values[i] = model->draw(delay, &transmission);
    }
    sample_measure(&sample);
    return sample;
}
