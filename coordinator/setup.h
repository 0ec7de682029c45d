/* What a run on either clock starts from. */
#ifndef PW_SETUP_H
#define PW_SETUP_H

#include "common/penalty.h"
#include "coordinator/host.h"
#include "coordinator/judge.h"
#include "coordinator/negotiate.h"

/* What the case's criterion means for its exchange. */
enum pw_criterion pw_setup_criterion(const struct pw_settings *settings);

/* rho of each link and what a trade at rest may move by, [n_links], for free(). */
double *pw_setup_penalties(const struct pw_settings *settings, const struct pw_market *market,
                           const struct pw_scales *scales);
double *pw_setup_rest_powers(const struct pw_settings *settings, const struct pw_market *market,
                             const struct pw_scales *scales);

/* What one at rest may move by between agents with so many links, of n_links in the whole market. */
double pw_setup_rest_power(const struct pw_settings *settings, const struct pw_tolerances *tolerances,
                           double n_links, int degree_a, int degree_b);

/* The rules of all agents; `rest_power` is the least that any trade at rest may move by. */
struct pw_rules pw_setup_rules(const struct pw_settings *settings, const struct pw_tolerances *tolerances,
                               const struct pw_scales *scales, double rest_power);

/* The agents of this rank, with the rules and penalties that the case asks for; for pw_host_destroy(). */
struct pw_host *pw_setup_host(const struct pw_negotiation *negotiation, const struct pw_transport *transport,
                              const struct pw_scales *scales);

/* The network of this run; each time slot has draws of its own. */
struct pw_network pw_setup_network(const struct pw_negotiation *negotiation);

/* After how long, in nanoseconds of the run's clock, an agent fires without enough news, where its exchange
 * needs that. */
int64_t pw_setup_timeout_ns(const struct pw_negotiation *negotiation);

#endif
