/* When a trade is at rest: it moves no more, in power and in price, and both ends agree on it. */
#include <math.h>

#include "agent/exchange.h"
#include "common/larger.h"

/* What a slot's trade may move by: in power and in price. */
struct allowance {
    double power, price;
};

static struct allowance allowance_of(const struct pw_agent *agent, int slot, double trade, double price)
{
    double share = agent->rules.rest_share;
    return (struct allowance){pw_larger(agent->rest_power[slot], share * fabs(trade)),
                              pw_larger(agent->rules.rest_price, share * fabs(price))};
}

/* How far a change of the trade is beyond what is allowed: 1 is at the edge. */
static double excess_of(const struct pw_agent *agent, int slot, double change, struct allowance allowed)
{
    return pw_larger(agent->penalty[slot] * change / allowed.price, change / allowed.power);
}

/* True if the agreed trade is one whose price the two ends can tell from it: more than nothing, and not at a
 * bound, where the price may still move while the trade stands. Both ends find the same, for their bounds are
 * the same but for the sign. */
static int tells_its_price(const struct pw_agent *agent, int slot)
{
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = pw_agent_at(agent, slot, q);
        double agreed = agent->agreed_before[i];
        if (!(fabs(agreed) > agent->rest_power[slot] && agreed > agent->t_min[i] && agreed < agent->t_max[i]))
            return 0;
    }
    return 1;
}

/* Both ends hold the agreed trade and the gap bit for bit, and its price but for rounding: so the price's own
 * size stays out of it. */
int pw_rest_ratifies(const struct pw_agent *agent, int slot, double move2)
{
    double size2 = 0.0;
    if (pw_agent_inbox(agent, slot)->round < 2 || !tells_its_price(agent, slot))
        return 0;
    for (int q = 0; q < agent->n_products; q++) {
        double agreed = agent->agreed_before[pw_agent_at(agent, slot, q)];
        size2 += agreed * agreed;
    }
    struct allowance allowed = allowance_of(agent, slot, sqrt(size2), 0.0);
    return excess_of(agent, slot, sqrt(pw_larger(move2, agent->gap2[slot])), allowed) <= 1.0 &&
           agent->apart[slot] <= allowed.price;
}

static double slot_excess(const struct pw_agent *agent, int slot)
{
    double worst = 0.0, gap = sqrt(agent->gap2[slot]);
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = pw_agent_at(agent, slot, q);
        struct allowance allowed =
            allowance_of(agent, slot, agent->mine[i], pw_agent_trade_price(agent, slot, q));
        double move = fabs(agent->wish[i] - agent->mine[i]);
        worst = pw_larger(worst, excess_of(agent, slot, pw_larger(gap, move), allowed));
        worst = pw_larger(worst, agent->apart[slot] / allowed.price);
    }
    return worst;
}

int pw_rest_is_calm(const struct pw_agent *agent, int slot)
{
    return slot_excess(agent, slot) <= 1.0 && !(agent->rules.ratify && tells_its_price(agent, slot));
}

/* So many times what is allowed one of an agent's trades may be off while together they are at rest: the
 * certificate bounds the price of each trade. */
static const double MOST_EXCESS = 2.0;

/* Together: in the root mean square of those heard. */
int pw_rest_all_calm(const struct pw_agent *agent)
{
    double sum2 = 0.0;
    int heard = 0;
    for (int slot = 0; slot < agent->n_links; slot++) {
        const struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
        if (!inbox->complete && !inbox->settled)
            continue;
        double excess = slot_excess(agent, slot);
        if (excess > MOST_EXCESS)
            return 0;
        sum2 += excess * excess;
        heard++;
    }
    return sum2 <= heard;
}
