/* How agents negotiate, and what an agent is born with. */
#ifndef PW_RULES_H
#define PW_RULES_H

/* Which exchange; the rows of pw_exchanges in agent.c. */
enum pw_exchange_kind { PW_PAIRED, PW_LATEST, PW_STALE, PW_INNOVATION, PW_POOL };

/* What solves the local problem: agent/local_problem.c or agent/inner_admm.c. */
enum pw_solver_kind { PW_SOLVE_EXACT, PW_SOLVE_INNER_ADMM };

/* What ends the negotiation of a trade: nothing of its own, only the market as a whole; the agent's trades
 * being at rest together; the trade itself being at rest (section 5.1 of the survey). Paired only. */
enum pw_criterion { PW_STOP_GLOBAL, PW_STOP_AGENT, PW_STOP_TRADE };

/* Of the exchange `innovation` (docs/algorithms.md). */
struct pw_gains {
    double consensus; /* beta in [0, 1/2]: share of the difference of prices that each end gives up a round */
    double innovation;      /* alpha > 0: by how much the gap moves the price, in penalties */
    double bounds;          /* eta > 0: by how much an excess moves the price of a limit, in curvatures */
    double decay;           /* these fall with the round to this power, >= 0 */
    double concession;      /* zeta in [0, 1]: share of a trade's gap that both ends give up at once */
    double least_curvature; /* of an asset, > 0: no asset answers a price more steeply */
    double least_power; /* > 0: a trade of zero has the weight of this much, shared by the agent's trades */
};

/* How all agents of a market negotiate. */
struct pw_rules {
    enum pw_exchange_kind exchange;
    int synchronous;   /* true if delta = 1 for every agent of the market: then rule (ii) is off */
    double relaxation; /* alpha in (0, 1): 1/2 is ADMM */
    double stiffness; /* kappa >= 1: how reluctantly a trade moves whose offer waits for an answer; 0: auto */
    int adapt_penalty; /* true: both ends of a link balance its penalty every few rounds; paired only */
    int max_age;       /* latest: fires for which an agent goes on without news of a peer; 0: for ever */

    struct pw_gains gains; /* innovation */

    enum pw_solver_kind solver;
    double inner_power, inner_price; /* inner ADMM: what its last iteration moves by at most, both > 0 */

    enum pw_criterion criterion;
    int ratify;        /* true: a trade at rest is agreed for good, at the same round at both ends */
    double rest_price; /* a trade is at rest if it moves by no more than this, in price, */
    double rest_share; /* or than this share of its own price and power, where that is more */
};

/* The relaxation that needs the fewest rounds over many markets (docs/penalty.md). */
double pw_relaxation_auto(enum pw_exchange_kind exchange);

/* kappa of a fire where `waiting` of so many links wait: 3 where few of many links were answered, more the
 * fewer wait, near 1 with few links (docs/protocol.md). */
double pw_stiffness_auto(double links, double waiting);

/* What an agent is born with. The agent copies it; per-product arrays are products outermost. */
struct pw_agent_spec {
    int id;
    int n_products;
    int n_assets;
    const double *p_min, *p_max, *a, *b; /* [n_products * n_assets] */
    int n_links;
    const double *t_min, *t_max; /* [n_products * n_links] bounds of the trade as seen from this end */
    const double *fee;           /* [n_products * n_links] >= 0 */
    const double *penalty;       /* [n_links] rho > 0, the same at both ends */
    const unsigned char *counts; /* [n_links] true at the end that counts the link's reciprocity gap */
    const double *rest_power; /* [n_links] a trade is at rest if it moves by no more; the same at both ends;
                                    NULL: 0 */
    double delta;             /* asynchronous rate in (0, 1] */
    double *scratch;          /* [3 * n_links] for local problems, not owned: shared by agents of which no two
                                 fire at the same time; NULL: the agent has its own */

    /* Where the trades start, and the agent's price: from an earlier market's end, to be near this one's. The
     * same at both ends of a link, trades with opposite signs; ignored by the exchanges `innovation` and
     * `pool`. NULL: all zero, and the penalty as above. */
    const double *trade, *trade_price; /* [n_products * n_links] */
    const double *price;               /* [n_products] */
    const double *start_penalty;       /* [n_links] rho at the start, where it adapts */
};

#endif
