/* Whole runs of random markets: the main loop, a network model, the stop and its judgement, against oracles.
 */
#ifndef PW_TEST_CLEARING_H
#define PW_TEST_CLEARING_H

#include <stdint.h>

#include "common/market.h"
#include "common/outcome.h"
#include "common/settings.h"
#include "coordinator/transport.h"

/* How far a run's reported state is from the optimum; rank 0 only. Prices relative to the market's price
 * scale, powers to its power scale, the welfare gap to the welfare or one price scale times one power scale.
 */
struct test_clearing {
    int status;          /* enum pw_status */
    double price, power; /* worst violation of the optimality conditions, recomputed from powers and trades */
    double welfare_gap;  /* reference (bisection, interior point) minus ours */
    double spread;       /* the program's own certificate */
    long rounds;
};

/* Default settings with network, delta and seed drawn from `seed`: delays around 50 us, losses up to 0.3. */
struct pw_settings test_random_settings(uint64_t seed);

/* A market of 2 to 60 agents of any family, density 0.1 to 1, by `seed`. */
struct pw_market *test_any_market(uint64_t seed);

/* How far an outcome is from the optimum. */
struct test_clearing test_measure(const struct pw_market *market, const struct pw_settings *settings,
                                  const struct pw_outcome *outcome);

/* Collective. Negotiates the market; the result counts on rank 0. */
struct test_clearing test_clear(const struct pw_market *market, const struct pw_settings *settings,
                                struct pw_transport *transport);

/* "" if a run of these settings ended as it must (converged and at the optimum to some tolerances, or at a
 * limit where limit_is_fine), else what is wrong, into text. */
const char *test_clearing_fault(const struct test_clearing *clearing, const struct pw_settings *settings,
                                int limit_is_fine, char *text, int size);

#endif
