/* Can the market balance at all? A market without a feasible solution never ends its negotiation (its prices
 * drift for ever), so this is asked before the start. */
#ifndef PW_FEASIBILITY_H
#define PW_FEASIBILITY_H

#include "common/error.h"
#include "common/market.h"

/* Looks, product by product, for powers within the assets' limits and trades within the links' bounds such
 * that every agent balances: a flow problem on the links. PW_OK if there are some; PW_INFEASIBLE with a text
 * that names the agents that cannot be balanced, by how much, and why (what they must take or give against
 * what the links and the other agents allow). Needs pw_market_index() done. No MPI, any rank. */
enum pw_code pw_feasibility_check(const struct pw_market *market, struct pw_error *err);

#endif
