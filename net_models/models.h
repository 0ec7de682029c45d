/* The delay models, one file each. */
#ifndef PW_MODELS_H
#define PW_MODELS_H

#include "common/random.h"

#include "net_models/net_model.h"

extern const struct pw_delay_model pw_delay_none;
extern const struct pw_delay_model pw_delay_constant;
extern const struct pw_delay_model pw_delay_gaussian;
extern const struct pw_delay_model pw_delay_exponential;

/* The key of a transmission's draws. */
struct pw_draw pw_transmission_draw(const struct pw_transmission *transmission, enum pw_purpose purpose);

#endif
