/* Delays under which models are tried, and samples of them. */
#ifndef PW_TEST_DELAYS_H
#define PW_TEST_DELAYS_H

#include "net_models/net_model.h"
#include "tests/unit/sample.h"

/* A struct pw_delay with these in place. */
#define LAW(mean, std, least)                                                                                \
    {                                                                                                        \
        .mean_s = (mean), .std_s = (std), .min_s = (least), .distance = 3, .speed = 4, .hop_length = 2,      \
        .hop_s = 0.25, .jitter_s = 0.5, .values_s = delays_values, .n_values = DELAY_VALUES                  \
    }

enum { DRAWS = 100000, DELAY_VALUES = 4001 };

/* Measured delays, all different; filled by delays_fill(). */
extern double delays_values[DELAY_VALUES];
void delays_fill(void);

/* The i-th of many transmissions: sixteen consecutive ones differ in direction, round, attempt and link. */
struct pw_transmission delays_transmission(int i);

/* What a transmission draws. */
double delays_draw(const struct pw_delay_model *model, const struct pw_delay *delay,
                   const struct pw_transmission *transmission);

/* DRAWS delays, measured; free the values. */
struct sample delays_sample(const struct pw_delay_model *model, const struct pw_delay *delay);

#endif
