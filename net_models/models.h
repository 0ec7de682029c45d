/* The delay models, one file each. */
#ifndef PW_MODELS_H
#define PW_MODELS_H

#include "common/random.h"

#include "net_models/net_model.h"

extern const struct pw_delay_model pw_delay_none;
extern const struct pw_delay_model pw_delay_constant;
extern const struct pw_delay_model pw_delay_uniform;
extern const struct pw_delay_model pw_delay_gaussian;
extern const struct pw_delay_model pw_delay_exponential;
extern const struct pw_delay_model pw_delay_lognormal;
extern const struct pw_delay_model pw_delay_gamma;
extern const struct pw_delay_model pw_delay_pareto;
extern const struct pw_delay_model pw_delay_distance;
extern const struct pw_delay_model pw_delay_empirical;

/* The number of a direction of a link. */
uint32_t pw_transmission_way(const struct pw_transmission *transmission);

/* The key of a transmission's draws. */
struct pw_draw pw_transmission_draw(const struct pw_transmission *transmission, enum pw_purpose purpose);

/* What several models share. check: nothing; min_s up to mean_s; the same, and std_s not too large for what
 * is between them. */
enum pw_code pw_delay_check_nothing(const struct pw_delay *delay, struct pw_error *err);
enum pw_code pw_delay_check_least(const struct pw_delay *delay, struct pw_error *err);
enum pw_code pw_delay_check_spread(const struct pw_delay *delay, struct pw_error *err);

/* False if std_s is nothing beside mean_s - min_s: the delay is then always mean_s. */
int pw_delay_varies(const struct pw_delay *delay);

/* mean_s; min_s. */
double pw_delay_mean(const struct pw_delay *delay);
double pw_delay_least(const struct pw_delay *delay);

#endif
