/* Limits of assets as far as they can matter. */
#ifndef PW_LIMITS_H
#define PW_LIMITS_H

#include "common/market.h"

/* p_min and p_max [n_assets * n_products], products innermost. */
struct pw_limits {
    const double *p_min, *p_max;
    double *cut; /* owned; NULL: those of the market */
};

/* Those of the market, but none beyond a hundred times the largest power of all other assets together: as all
 * powers sum to nothing, no asset can come near it. Whoever asks how large a market is, or computes with
 * digits relative to its limits, asks these: "without limit" is often written as 1e6, or 1e30. For
 * pw_limits_release(), before the market goes. O(assets). */
struct pw_limits pw_limits_make(const struct pw_market *market);
void pw_limits_release(struct pw_limits *limits);

#endif
