/* How long a transmission takes. One file per delay model, one row in models.c. Every draw is a pure function
 * of (seed, link, direction, round, attempt). */
#ifndef PW_NET_MODEL_H
#define PW_NET_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* Parameters of a delay model: of one link. Times in seconds. */
struct pw_delay {
    double mean_s, std_s, min_s;
    double distance;          /* between the link's agents, in the unit of their x and y */
    double speed, hop_length; /* > 0, in that unit per second; in that unit, 0: there are no hops */
    double hop_s, jitter_s;
    const double *values_s; /* [n_values] measured, ascending; borrowed */
    size_t n_values;
};

/* Parameters that a model reads; others are warned about. */
enum pw_delay_use {
    PW_USES_MEAN = 1,
    PW_USES_STD = 2,
    PW_USES_MIN = 4,
    PW_USES_DISTANCE = 8, /* with speed, hops and jitter */
    PW_USES_FILE = 16,    /* measured values */
};

/* Which transmission: `direction` is 0 from the link's agent_a to its agent_b, 1 back. */
struct pw_transmission {
    uint64_t seed;
    uint32_t link, direction, round, attempt;
};

/* The number from which a draw begins: trial 0 under the transmission's key, so that it can be made for many
 * transmissions at a time. */
enum pw_delay_first { PW_FIRST_NONE, PW_FIRST_UNIFORM, PW_FIRST_NORMAL };

/* One delay model. A unit test runs the same suite on every row of the table. */
struct pw_delay_model {
    const char *name;
    const char *help;
    unsigned uses; /* of enum pw_delay_use */
    enum pw_delay_first first;
    /* PW_USAGE with a text if mean_s, std_s and min_s do not fit together. */
    enum pw_code (*check)(const struct pw_delay *delay, struct pw_error *err);
    /* One delay in seconds, >= lower_bound. Pure. */
    double (*draw)(const struct pw_delay *delay, const struct pw_transmission *transmission, double first);
    /* The smallest delay that can be drawn, in seconds. */
    double (*lower_bound)(const struct pw_delay *delay);
    /* The expected delay in seconds, exact. */
    double (*mean)(const struct pw_delay *delay);
};

/* All models, ended by a row without name; and the one of a name, NULL if there is none. */
extern const struct pw_delay_model *const pw_delay_models[];
const struct pw_delay_model *pw_delay_model_find(const char *name);

#endif
