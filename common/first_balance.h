/* A quick look for trades that balance a market: found, they prove that it can; not found proves nothing. */
#ifndef PW_FIRST_BALANCE_H
#define PW_FIRST_BALANCE_H

#include "common/market.h"

/* Agents that must take or give get it from their peers one after the other, as far as those may. Fills trade
 * [n_links] (agent_a to agent_b, product q; may be NULL) and returns 1 if all agents then balance within
 * their limits and the links' bounds, else 0. Knows nothing of links that force a trade: 0 where there is
 * one. O(links). */
int pw_first_balance(const struct pw_market *market, int q, double *trade);

#endif
