/* Agents of a market: each one made from its own rows of the market, and nothing else of it. */
#ifndef PW_AGENTS_H
#define PW_AGENTS_H

#include "agent/agent.h"
#include "common/market.h"

/* Agent n of the market; `penalty` [n_links] is rho by link, `rest_power` [n_links] by how much a
 * trade at rest may move, NULL: not at all. Free it with pw_agent_destroy(). */
struct pw_agent *pw_agents_make(const struct pw_market *market, int n, const struct pw_rules *rules,
                                const double *penalty, const double *rest_power, double delta);

#endif
