#include "tests/unit/rows_parts.h"

#include <check.h>
#include <math.h>

#include "common/market_part.h"
#include "common/penalty.h"

void rows_parts_make(struct rows_parts *parts, const struct pw_negotiation *negotiation, int n_parts)
{
    parts->placement = (struct pw_placement){negotiation->market->n_agents, n_parts, NULL};
    struct pw_bulk_terms terms = pw_bulk_terms_of(negotiation->market);
    ck_assert_ptr_null(negotiation->start); /* which would be by link of the whole market */
    for (int r = 0; r < n_parts; r++) {
        struct pw_negotiation part = *negotiation;
        part.market = parts->markets[r] =
            pw_market_part(negotiation->market, pw_placement_block(&parts->placement, r));
        pw_market_index(parts->markets[r]);
        pw_bulk_rows_create(&part, &terms, &parts->placement, r, &parts->bulk[r]);
    }
    pw_bulk_terms_release(&terms);
}

void rows_parts_release(struct rows_parts *parts)
{
    for (int r = 0; r < parts->placement.n_ranks; r++) {
        pw_bulk_rows_release(&parts->bulk[r]);
        pw_market_destroy(parts->markets[r]);
    }
}

/* The prices of `rank`, to those who have asked for them. */
static void tell_prices(struct rows_parts *parts, int rank)
{
    struct pw_bulk_rows *from = &parts->bulk[rank];
    for (int i = 0; i < from->n_neighbours; i++) {
        const struct pw_bulk_neighbour *to = &from->neighbours[i];
        struct pw_bulk_rows *there = &parts->bulk[to->rank];
        const struct pw_bulk_neighbour *back = there->neighbours;
        while (back->rank != rank)
            back++;
        ck_assert_int_eq(to->n_out, back->n_in);
        for (int k = 0; k < to->n_out; k++)
            pw_rows_visit(there->rows, back->first_visitor + k, pw_rows_price(from->rows, to->out[k]));
    }
}

void rows_parts_step(struct rows_parts *parts, int closely)
{
    for (int r = 0; r < parts->placement.n_ranks; r++)
        pw_rows_step(parts->bulk[r].rows, closely);
    for (int r = 0; r < parts->placement.n_ranks; r++)
        tell_prices(parts, r);
}

static const struct pw_bulk_rows *home_of(const struct rows_parts *parts, int n)
{
    return &parts->bulk[pw_placement_rank(&parts->placement, n)];
}

struct pw_rows_trade rows_parts_trade(const struct rows_parts *parts, int n, int slot)
{
    const struct pw_bulk_rows *home = home_of(parts, n);
    return pw_rows_trade(home->rows, n - home->first, slot);
}

struct pw_rows_moved rows_parts_moved(const struct rows_parts *parts, int n)
{
    const struct pw_bulk_rows *home = home_of(parts, n);
    return pw_rows_moved(home->rows, n - home->first);
}

/* How far an agent's moves are from those of the same one by itself: by end, where all have their own pace.
 */
static double difference_of_moves(const struct rows_parts *parts, int n, const struct pw_agent *agent,
                                  const struct pw_scales *scales)
{
    const struct pw_bulk_rows *home = home_of(parts, n);
    double power2 = 0.0, price2 = 0.0, worst = 0.0;
    for (int slot = 0; slot < agent->n_links; slot++) {
        double move = agent->mine[slot] - agent->before[slot];
        power2 += move * move;
        price2 += agent->penalty[slot] * move * agent->penalty[slot] * move;
        if (home->is_paced)
            worst = fmax(worst, fabs(rows_parts_trade(parts, n, slot).before - agent->before[slot]));
    }
    if (home->is_paced)
        return worst / scales->power;
    struct pw_rows_moved moved = rows_parts_moved(parts, n);
    return fmax(fabs(sqrt(moved.power2) - sqrt(power2)) / scales->power,
                fabs(sqrt(moved.price2) - sqrt(price2)) / scales->price);
}

double rows_parts_difference(const struct rows_parts *parts, const struct rounds *rounds,
                             const struct pw_scales *scales)
{
    double worst = 0.0;
    for (int n = 0; n < rounds->market->n_agents; n++) {
        const struct pw_agent *agent = rounds->agents[n];
        const struct pw_bulk_rows *home = home_of(parts, n);
        worst =
            fmax(worst, fabs(pw_rows_price(home->rows, n - home->first) - agent->price[0]) / scales->price);
        worst = fmax(worst, fabs(pw_rows_power(home->rows, n - home->first) - pw_agent_power(agent, 0)) /
                                scales->power);
        worst = fmax(worst, difference_of_moves(parts, n, agent, scales));
        for (int slot = 0; slot < agent->n_links; slot++) {
            struct pw_rows_trade trade = rows_parts_trade(parts, n, slot);
            worst = fmax(worst, fabs(trade.mine - agent->mine[slot]) / scales->power);
            worst = fmax(worst, fabs(trade.penalty / agent->penalty[slot] - 1.0));
            worst = fmax(worst, fabs(trade.price - pw_agent_trade_price(agent, slot, 0)) / scales->price);
        }
    }
    return worst;
}

struct pw_negotiation rows_parts_negotiation(const struct pw_market *market, struct pw_settings *settings)
{
    pw_settings_default(settings);
    settings->criterion = PW_CRITERION_GLOBAL;
    return (struct pw_negotiation){market, settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0, NULL, NULL};
}
