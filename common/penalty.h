/* The penalty rho of each link where the case leaves it to the program. */
#ifndef PW_PENALTY_H
#define PW_PENALTY_H

#include "common/market.h"

/* Scales of a market, from its limits, as far as they can matter (limits.h), and marginal costs; all > 0. */
struct pw_scales {
    double
        price; /* span of the marginal costs of all assets that are not fixed, at least 1 % of the largest */
    double power; /* median over agents of the largest net power they can have */
};

struct pw_scales pw_market_scales(const struct pw_market *market);

/* What each agent brings to each of its links: the largest net power that it can have over its number of
 * links (`own`); and the same, but where that is 0 (a manager's) what its peers with power bring it over the
 * number of its peers without (`passed_on`). */
struct pw_shares {
    double *own, *passed_on; /* [n_agents] */
};

/* For pw_shares_release(). O(links). */
struct pw_shares pw_shares_make(const struct pw_market *market);
void pw_shares_release(struct pw_shares *shares);

/* The penalty of a link between agents a and b: 0.25 W / sqrt(x_a x_b), where W is the price scale and x an
 * agent's own share: a price unit moves a trade by about the power that it may come to carry. Where one end
 * has none the other's counts; where neither has, what is passed on. Rule and measurements:
 * docs/mathematics.md. */
double pw_penalty_of(const struct pw_scales *scales, const struct pw_shares *shares, int a, int b);

/* Fills penalty [n_links] with those of all links. */
void pw_penalty_fill(const struct pw_market *market, const struct pw_scales *scales, double *penalty);

#endif
