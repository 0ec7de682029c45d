/* The penalty rho of each link where the case leaves it to the program. */
#ifndef PW_PENALTY_H
#define PW_PENALTY_H

#include "common/market.h"

/* Scales of a market, from its limits and marginal costs; all > 0. */
struct pw_scales {
    double
        price; /* span of the marginal costs of all assets that are not fixed, at least 1 % of the largest */
    double power; /* median over agents of the largest net power they can have */
};

struct pw_scales pw_market_scales(const struct pw_market *market);

/* Fills penalty [n_links] with 0.25 W / sqrt(x_a x_b), where W is the price scale and x the largest net power
 * of an agent over its number of links: a price unit moves a trade by about the power that it may come to
 * carry. Where one end has no power of its own the other's x counts; where neither has (a manager's link with
 * another manager) x is what its peers with power bring it, over the number of its peers without. Rule and
 * measurements: docs/mathematics.md. */
void pw_penalty_fill(const struct pw_market *market, const struct pw_scales *scales, double *penalty);

#endif
