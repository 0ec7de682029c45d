/* Random markets from a recipe. */
#ifndef PW_GENERATE_H
#define PW_GENERATE_H

#include "common/error.h"
#include "common/market.h"
#include "common/settings.h"

/* A market of one product without links, for pw_market_destroy(): the first share of the agents consume, the
 * others produce, one asset each, every number drawn from its law by (seed, agent, number). PW_USAGE, with
 * the key of the recipe but no file, if a draw has p_min > p_max. */
enum pw_code pw_generate(const struct pw_settings *settings, struct pw_market **out, struct pw_error *err);

/* The same without names of assets, which only rank 0 has. */
enum pw_code pw_generate_nameless(const struct pw_settings *settings, struct pw_market **out,
                                  struct pw_error *err);

#endif
