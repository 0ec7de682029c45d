/* Limits of assets as far as they can matter. */
#ifndef PW_LIMITS_H
#define PW_LIMITS_H

#include "common/market.h"

/* p_min and p_max [n_assets * n_products], products innermost. */
struct pw_limits {
    double *p_min, *p_max;
    double *cut;     /* owned, what both are in; NULL: they are those of the market */
    int are_several; /* more than one asset of a product was cut: their powers may lie beyond */
};

/* Those of the market, but for one asset of a product, or a minority, which are cut to a hundred times the
 * largest power of all others together where they are larger. As all powers sum to nothing, one asset cannot
 * come near that; several can, but only with each other. Whoever asks how large a market is, or computes with
 * digits relative to its limits, asks these: "without limit" is often written as 1e6, or 1e30. For
 * pw_limits_release(), before the market goes. O(assets). */
struct pw_limits pw_limits_make(const struct pw_market *market);
void pw_limits_release(struct pw_limits *limits);

#endif
