/* What the parts of the centralised reference share; for them and their tests only. */
#ifndef PW_REFERENCE_INTERNAL_H
#define PW_REFERENCE_INTERNAL_H

#include <stddef.h>

#include "common/market.h"
#include "coordinator/reference.h"

/* A candidate optimum. Powers as the assets inject them, trades from link_a to link_b, prices per agent: what
 * one more unit of power there is worth. Products innermost. */
struct pw_reference_solution {
    double *p;     /* [n_assets * n_products] */
    double *t;     /* [n_links * n_products] */
    double *price; /* [n_agents * n_products] */
};

/* All zero; for pw_reference_solution_destroy(), which takes NULL. */
struct pw_reference_solution *pw_reference_solution_create(const struct pw_market *market);
void pw_reference_solution_destroy(struct pw_reference_solution *solution);

/* Copies product q of one solution into another. */
void pw_reference_solution_copy(const struct pw_market *market, int q,
                                const struct pw_reference_solution *from, struct pw_reference_solution *to);

/* The largest fee of a link, both ends together, for product q. */
double pw_reference_largest_fee(const struct pw_market *market, int q);

/* Position of product q of asset, link or agent i in an array with products innermost. */
size_t pw_reference_at(const struct pw_market *market, int i, int q);

/* The largest violation of the optimality conditions of product q, from the solution alone: limits and
 * bounds, balance of each agent, and how far each power and trade moves if it follows its price by one step.
 * Powers relative to the largest power, prices to the largest marginal cost (of assets that are not fixed).
 */
double pw_reference_kkt(const struct pw_market *market, int q, const struct pw_reference_solution *solution);

/* True if product q has no fee, no link forces a trade, and either links without bounds join all agents that
 * can inject or consume, or each that can inject is linked, without bound, with each that can consume. */
int pw_reference_pool_fits(const struct pw_market *market, int q);

/* The price at which the assets of all agents together balance, and p[] at that price (other products are
 * left alone). In the middle where an interval of prices balances; 0 where all powers are fixed. */
double pw_reference_pool_price(const struct pw_market *market, int q, double *p);

/* Solves product q of a market that pw_reference_pool_fits(): powers, prices, and trades that carry them. */
void pw_reference_pool(const struct pw_market *market, int q, struct pw_reference_solution *solution);

/* Solves product q of any feasible market with finite p_min and p_max by an interior-point method; returns
 * pw_reference_kkt() of what it found. */
double pw_reference_ipm(const struct pw_market *market, int q, struct pw_reference_solution *solution);

/* Welfare, prices, volume and residual of a solution; leaves out->method alone. */
void pw_reference_summarise(const struct pw_market *market, const struct pw_reference_solution *solution,
                            struct pw_reference *out);

#endif
