/* What an agent publishes of itself before it has peers: up to which power it sells and buys, and at which
 * prices, each side a straight line. */
#ifndef PW_OFFER_H
#define PW_OFFER_H

#include "common/market.h"

/* One side of an offer. The x-th unit is worth price + slope x to a seller (slope >= 0, what it costs), and to
 * a buyer (slope <= 0, what it saves). */
struct pw_offer_side {
    double room;         /* most power; 0: does not trade this way */
    double must;         /* the part of it that limits force on the agent */
    double price, slope; /* money per unit of energy, and that per unit of power */
};

struct pw_offer {
    struct pw_offer_side sell, buy;
};

/* The offers of all agents for product q, by agent, for free(). Each line joins the marginal prices of the
 * agent's assets, all together, at the ends of its range on that side: exact for one asset, a chord for
 * several. What is fixed is offered at the end of the market's span of marginal prices that makes it go
 * first. Time O(assets). */
struct pw_offer *pw_offers(const struct pw_market *market, int q);

/* The gain from trade of a seller and a buyer of whom `sold` and `bought` is spoken for already, where both
 * ends together pay `fee` per unit; *power, if not NULL, is how much they would trade. Both 0 if nothing. */
double pw_offer_gain(const struct pw_offer_side *sell, double sold, const struct pw_offer_side *buy,
                     double bought, double fee, double *power);

#endif
