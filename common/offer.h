/* What an agent publishes of itself before it has peers: up to which power it sells and buys, and at which
 * prices, each side a straight line. */
#ifndef PW_OFFER_H
#define PW_OFFER_H

#include "common/market.h"

/* One side of an offer. The x-th unit is worth price + slope x to a seller (slope >= 0, what it costs), and
 * to a buyer (slope <= 0, what it saves). */
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

/* How much of a side is taken at a price: between `must` and `room`. */
double pw_offer_power(const struct pw_offer_side *side, double price, int buys);

/* What an agent can inject on balance (buying counts negative) by its offer, and what that costs it. */
double pw_offer_low(const struct pw_offer *offer);
double pw_offer_high(const struct pw_offer *offer);
double pw_offer_cost(const struct pw_offer *offer, double power);

/* Minus the cost of two agents that inject `power_a` and `power_b` but for a trade x from a to b, within
 * [low, high], at the best x; a unit of |x| costs `fee`. -INFINITY where no x keeps both within their limits.
 */
double pw_offer_together(const struct pw_offer *a, double power_a, const struct pw_offer *b, double power_b,
                         double low, double high, double fee);

/* The same of one agent without any trade to decide on. */
double pw_offer_alone(const struct pw_offer *offer, double power);

#endif
