/* Relaxed consensus + innovation, after E. Sorin, L. Bobo, P. Pinson (2019), reference [20] of the survey.
 * Each end of a link keeps a price lambda of the trade, and the price lambda' of the other end; each asset
 * two prices of its limits, above and below. A round, with f = 1 / round^decay:
 *
 *     lambda <- lambda - f beta (lambda - lambda') - f alpha rho (t + t')          consensus + innovation
 *     above  <- max(0, above + f eta c (p - p_max)),  below <- max(0, below + f eta c (p_min - p))
 *     t      <- clip( t + w (lambda -+ fee - m) / A - zeta (t + t') / 2 )
 *               w = (|t| + d) / sum over the agent's trades of the same
 *     p      <- p + (m - (a p + b + above - below)) / c   for each asset,  m such that sum p = sum t
 *
 * c is the asset's curvature a, 1/A the sum of 1/c over the agent's assets, m the marginal price that they
 * share, d a little power. So each trade takes its share w of what the agent would answer to its price.
 * Powers are relaxed: nothing but the prices of their limits brings them within, in the end. With zeta = 0
 * this is the plain rule; otherwise both ends concede a share of the gap at once, which damps.
 *
 * rho is sqrt(M M') / (1/A + 1/A') for M and M' trades of both agents, each of which answers with its share.
 * The offer of round 0 is the price with which the end starts, all others are trades: both ends compute both
 * prices from the same numbers. */
#include "agent/innovation.h"

#include <math.h>

#include "agent/paired.h"

static double decay_of(const struct pw_agent *agent, int round)
{
    return agent->rules.gains.decay > 0.0 && round > 1 ? pow(round, -agent->rules.gains.decay) : 1.0;
}

/* ---- Prices of the trades ---- */

/* The price of one end after a round: the same bits at both. */
static double next_price(double price, double other, double share, double step)
{
    return price - share * (price - other) - step;
}

static void apply(struct pw_agent *agent, int slot)
{
    struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
    const double *theirs = pw_paired_theirs(agent, inbox, inbox->round);
    double fade = decay_of(agent, inbox->round), share = fade * agent->rules.gains.consensus;
    double gain = fade * agent->rules.gains.innovation * agent->penalty[slot], gap2 = 0.0;
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = pw_agent_at(agent, slot, q);
        if (inbox->round == 0)
            agent->peer_s[i] = theirs[q];
        else
            agent->heard[i] = theirs[q];
        double own = agent->price_sent[i], other = agent->peer_s[i], gap = agent->mine[i] + agent->heard[i];
        agent->price_sent[i] = next_price(own, other, share, gain * gap);
        agent->peer_s[i] = next_price(other, own, share, gain * gap);
        gap2 += gap * gap;
    }
    agent->gap2[slot] = gap2;
}

static void open_round(struct pw_agent *agent)
{
    for (int slot = 0; slot < agent->n_links; slot++) {
        if (pw_agent_inbox(agent, slot)->complete)
            apply(agent, slot);
    }
}

/* ---- Powers ---- */

double pw_innovation_answer(const struct pw_answering *asset, double least)
{
    int is_fixed = !(asset->p_min < asset->p_max);
    return is_fixed && !asset->all_fixed ? 0.0 : 1.0 / fmax(asset->a, least);
}

static size_t asset_at(const struct pw_agent *agent, int k, int q)
{
    return (size_t)q * (size_t)agent->n_assets + (size_t)k;
}

static void set_answers(struct pw_agent *agent, int q)
{
    int all_fixed = 1;
    for (int k = 0; k < agent->n_assets; k++)
        all_fixed &= !(agent->p_min[asset_at(agent, k, q)] < agent->p_max[asset_at(agent, k, q)]);
    for (int k = 0; k < agent->n_assets; k++) {
        size_t i = asset_at(agent, k, q);
        struct pw_answering asset = {agent->p_min[i], agent->p_max[i], agent->a[i], all_fixed};
        agent->answer[i] = pw_innovation_answer(&asset, agent->rules.gains.least_curvature);
        agent->p[i] = agent->answer[i] > 0.0 ? 0.0 : agent->p_min[i];
    }
}

static double asset_price(const struct pw_agent *agent, size_t i)
{
    return agent->a[i] * agent->p[i] + agent->b[i] + agent->above[i] - agent->below[i];
}

/* What a little more power would cost the agent, and by how much more for each unit of it. */
struct margin {
    double price, curvature;
};

static struct margin margin_of(const struct pw_agent *agent, int q)
{
    double answers = 0.0, sum = 0.0;
    for (int k = 0; k < agent->n_assets; k++) {
        size_t i = asset_at(agent, k, q);
        answers += agent->answer[i];
        sum += agent->answer[i] * asset_price(agent, i);
    }
    return (struct margin){sum / answers, 1.0 / answers};
}

static void price_bounds(struct pw_agent *agent, int q)
{
    double gain = agent->rules.gains.bounds * decay_of(agent, (int)agent->fires + 1);
    for (int k = 0; k < agent->n_assets; k++) {
        size_t i = asset_at(agent, k, q);
        if (!(agent->answer[i] > 0.0))
            continue;
        double step = gain / agent->answer[i];
        agent->above[i] = fmax(0.0, agent->above[i] + step * (agent->p[i] - agent->p_max[i]));
        agent->below[i] = fmax(0.0, agent->below[i] + step * (agent->p_min[i] - agent->p[i]));
    }
}

/* The assets share the power of all trades so that they are left with one price. */
static void share_power(struct pw_agent *agent, int q, double power)
{
    struct margin margin = margin_of(agent, q);
    agent->price[q] = margin.price + margin.curvature * (power - pw_agent_power(agent, q));
    for (int k = 0; k < agent->n_assets; k++) {
        size_t i = asset_at(agent, k, q);
        agent->p[i] += agent->answer[i] * (agent->price[q] - asset_price(agent, i));
    }
}

/* ---- Trades ---- */

/* The trade after a gain in price of `gain` per unit, of which the fee takes its part; it rests at zero
 * before it changes sides. */
static double moved(double trade, double gain, double fee, double reach)
{
    if (trade == 0.0)
        return reach * (fmax(gain - fee, 0.0) + fmin(gain + fee, 0.0));
    double next = trade + reach * (trade > 0.0 ? gain - fee : gain + fee);
    return fee > 0.0 && next * trade < 0.0 ? 0.0 : next;
}

static void move_trade(struct pw_agent *agent, size_t i, struct margin margin, double share)
{
    double gain = agent->price_sent[i] - margin.price;
    double wish = moved(agent->mine[i], gain, agent->fee[i], share / margin.curvature) -
                  agent->rules.gains.concession * (agent->mine[i] + agent->heard[i]) / 2.0;
    agent->wish[i] = fmin(fmax(wish, agent->t_min[i]), agent->t_max[i]);
}

static void solve(struct pw_agent *agent, int q)
{
    if (agent->n_links == 0) {
        pw_agent_solve(agent, q);
        return;
    }
    double least = agent->rules.gains.least_power / agent->n_links, whole = 0.0, power = 0.0;
    price_bounds(agent, q);
    struct margin margin = margin_of(agent, q);
    for (int slot = 0; slot < agent->n_links; slot++)
        whole += fabs(agent->mine[pw_agent_at(agent, slot, q)]) + least;
    for (int slot = 0; slot < agent->n_links; slot++) {
        size_t i = pw_agent_at(agent, slot, q);
        if (pw_agent_inbox(agent, slot)->complete)
            move_trade(agent, i, margin, whole > 0.0 ? (fabs(agent->mine[i]) + least) / whole : 0.0);
        power += agent->wish[i];
    }
    share_power(agent, q, power);
}

/* ---- Offers ---- */

static void start(struct pw_agent *agent)
{
    for (int q = 0; q < agent->n_products; q++) {
        set_answers(agent, q);
        share_power(agent, q, 0.0);
        for (int slot = 0; slot < agent->n_links; slot++) {
            size_t i = pw_agent_at(agent, slot, q);
            agent->price_sent[i] = agent->offer[i] = agent->price[q];
        }
    }
}

/* s is such that rho (s - t) is the trade's price. */
static void offer(struct pw_agent *agent, int slot)
{
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = pw_agent_at(agent, slot, q);
        agent->before[i] = agent->mine[i];
        agent->mine[i] = agent->offer[i] = agent->wish[i];
        agent->s[i] = agent->mine[i] + agent->price_sent[i] / agent->penalty[slot];
    }
    pw_paired_next(agent, slot);
}

static void close_round(struct pw_agent *agent)
{
    agent->n_complete = agent->n_next = agent->n_out = agent->n_turned = 0;
    for (int slot = 0; slot < agent->n_links; slot++) {
        if (pw_agent_inbox(agent, slot)->complete)
            offer(agent, slot);
    }
}

const struct pw_exchange pw_exchange_innovation = {.is_paired = 1,
                                                   .deliver = pw_paired_deliver,
                                                   .ready = pw_paired_ready,
                                                   .start = start,
                                                   .open = open_round,
                                                   .solve = solve,
                                                   .close = close_round,
                                                   .trade = pw_paired_mine};
