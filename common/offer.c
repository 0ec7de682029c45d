#include "common/offer.h"

#include <math.h>

#include "common/memory.h"

enum { BISECTIONS = 100 };
static const double SLACK = 1e-6; /* of limits, for powers that come from a market solved to some tolerance */

struct span {
    double low, high;
};

/* The marginal costs of all assets that are not fixed, widened a little: outside nobody answers. */
static struct span price_span(const struct pw_market *market, int q)
{
    struct span span = {INFINITY, -INFINITY};
    for (int i = 0; i < market->n_assets; i++) {
        int at = i * market->n_products + q;
        if (market->p_min[at] == market->p_max[at])
            continue;
        span.low = fmin(span.low, market->b[at] + market->a[at] * market->p_min[at]);
        span.high = fmax(span.high, market->b[at] + market->a[at] * market->p_max[at]);
    }
    if (span.low > span.high)
        return (struct span){0.0, 0.0};
    double margin = 1e-3 * (span.high - span.low) + 1e-9 * fmax(fabs(span.low), fabs(span.high));
    return (struct span){span.low - margin, span.high + margin};
}

/* The price from which on the agent injects more than `power` (beyond), or `power` at least. */
static double price_for(const struct pw_market *market, int n, int q, struct span span, double power,
                        int beyond)
{
    for (int k = 0; k < BISECTIONS && span.low < span.high; k++) {
        double middle = span.low + (span.high - span.low) / 2.0, p = pw_market_supply(market, n, q, middle);
        if (beyond ? p > power : p >= power)
            span.high = middle;
        else
            span.low = middle;
    }
    return span.low + (span.high - span.low) / 2.0;
}

/* The line through the prices at `must` and at `room`. */
static struct pw_offer_side side(double must, double room, double at_must, double at_room)
{
    double slope = room > must ? (at_room - at_must) / (room - must) : 0.0;
    return (struct pw_offer_side){room, must, at_must - slope * must, slope};
}

static struct pw_offer offer_of(const struct pw_market *market, int n, int q, struct span span)
{
    double low = pw_market_agent_p_min(market, n, q), high = pw_market_agent_p_max(market, n, q);
    double must_sell = fmax(low, 0.0), must_buy = fmax(-high, 0.0);
    double slack = 1e-12 * (fabs(low) + fabs(high)); /* of sums that should meet a limit */
    struct pw_offer offer = {{0, 0, 0, 0}, {0, 0, 0, 0}};
    if (high > must_sell)
        offer.sell = side(must_sell, high, price_for(market, n, q, span, must_sell + slack, 1),
                          price_for(market, n, q, span, high - slack, 0));
    else if (high > 0.0)
        offer.sell = side(high, high, span.low, span.low);
    if (-low > must_buy)
        offer.buy = side(must_buy, -low, price_for(market, n, q, span, -must_buy - slack, 0),
                         price_for(market, n, q, span, low + slack, 1));
    else if (low < 0.0)
        offer.buy = side(-low, -low, span.high, span.high);
    return offer;
}

struct pw_offer *pw_offers(const struct pw_market *market, int q)
{
    struct pw_offer *offers = pw_alloc((size_t)market->n_agents, sizeof *offers);
    struct span span = price_span(market, q);
    for (int n = 0; n < market->n_agents; n++)
        offers[n] = offer_of(market, n, q, span);
    return offers;
}

double pw_offer_gain(const struct pw_offer_side *sell, double sold, const struct pw_offer_side *buy,
                     double bought, double fee, double *power)
{
    double margin = buy->price + buy->slope * bought - sell->price - sell->slope * sold - fee;
    double bend = sell->slope - buy->slope, room = fmin(sell->room - sold, buy->room - bought);
    double x = margin <= 0.0 || room <= 0.0 ? 0.0 : margin < bend * room ? margin / bend : room;
    if (power != NULL)
        *power = x;
    return x * (margin - bend * x / 2.0);
}

double pw_offer_power(const struct pw_offer_side *side, double price, int buys)
{
    double excess = buys ? side->price - price : price - side->price, slope = fabs(side->slope);
    double power = slope > 0.0 ? excess / slope : excess >= 0.0 ? side->room : 0.0;
    return fmin(fmax(power, side->must), side->room);
}

double pw_offer_low(const struct pw_offer *offer)
{
    return offer->buy.room > 0.0 ? -offer->buy.room : offer->sell.must;
}

double pw_offer_high(const struct pw_offer *offer)
{
    return offer->sell.room > 0.0 ? offer->sell.room : -offer->buy.must;
}

double pw_offer_cost(const struct pw_offer *offer, double power)
{
    const struct pw_offer_side *side = power > 0.0 ? &offer->sell : &offer->buy;
    return (side->price + side->slope * fabs(power) / 2.0) * power;
}

/* What one more unit of power is worth to an agent that injects `power`. */
static double marginal_price(const struct pw_offer *offer, double power)
{
    int sells = power > 0.0 || offer->buy.room <= 0.0;
    const struct pw_offer_side *side = sells ? &offer->sell : &offer->buy;
    return side->price + side->slope * fabs(power);
}

static double slack(const struct pw_offer *offer)
{
    return SLACK * (fabs(pw_offer_low(offer)) + fabs(pw_offer_high(offer)));
}

double pw_offer_together(const struct pw_offer *a, double power_a, const struct pw_offer *b, double power_b,
                         double low, double high, double fee)
{
    low = fmax(low, fmax(pw_offer_low(a) - power_a, power_b - pw_offer_high(b)));
    high = fmin(high, fmin(pw_offer_high(a) - power_a, power_b - pw_offer_low(b)));
    if (low > high + slack(a) + slack(b))
        return -INFINITY;
    for (int k = 0; k < BISECTIONS && low < high; k++) {
        double x = low + (high - low) / 2.0, toll = x > 0.0 ? fee : -fee;
        if (marginal_price(b, power_b - x) - marginal_price(a, power_a + x) > toll)
            low = x;
        else
            high = x;
    }
    double x = low + (high - low) / 2.0;
    return -pw_offer_cost(a, power_a + x) - pw_offer_cost(b, power_b - x) - fee * fabs(x);
}

double pw_offer_alone(const struct pw_offer *offer, double power)
{
    int can = power >= pw_offer_low(offer) - slack(offer) && power <= pw_offer_high(offer) + slack(offer);
    return can ? -pw_offer_cost(offer, power) : -INFINITY;
}
