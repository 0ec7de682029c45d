/* Agents of a market: each one made from its own rows of the market, and nothing else of it. */
#ifndef PW_AGENTS_H
#define PW_AGENTS_H

#include "agent/agent.h"
#include "common/market.h"
#include "coordinator/start.h"

/* How the agents of a market are to be. Nothing is owned. */
struct pw_agents_spec {
    struct pw_rules rules;
    double delta;
    const double *penalty;        /* [n_links] rho by link */
    const double *rest_power;     /* [n_links] by how much a trade at rest may move; NULL: not at all */
    const struct pw_start *start; /* NULL: from nothing */
    double *scratch; /* room for the agent with most links, as in agent/rules.h; NULL: each has its own */
};

/* Agent n of the market. Free it with pw_agent_destroy(). */
struct pw_agent *pw_agents_make(const struct pw_market *market, int n, const struct pw_agents_spec *how);

#endif
