#include "coordinator/agents.h"

#include <stdlib.h>

#include "common/memory.h"

static double *transposed(const double *per_item, int first, int count, int n_products)
{
    double *out = pw_alloc((size_t)count * (size_t)n_products, sizeof(double));
    for (int q = 0; q < n_products; q++)
        for (int i = 0; i < count; i++)
            out[(size_t)q * (size_t)count + (size_t)i] = per_item[(first + i) * n_products + q];
    return out;
}

/* The rows of one agent's slots, as seen from its own end. */
struct slot_rows {
    double *t_min, *t_max, *fee, *penalty, *rest_power;
    double *trade, *trade_price, *start_penalty; /* NULL: from nothing */
    unsigned char *counts;
};

static void fill_slot(const struct pw_market *market, int n, int slot, struct slot_rows *rows)
{
    int links = pw_market_degree(market, n), products = market->n_products;
    int l = market->end_link[market->end_first[n] + slot], is_a = market->link_a[l] == n;
    rows->counts[slot] = (unsigned char)is_a;
    for (int q = 0; q < products; q++) {
        size_t to = (size_t)q * (size_t)links + (size_t)slot;
        int from = l * products + q;
        rows->t_min[to] = is_a ? market->t_min[from] : -market->t_max[from];
        rows->t_max[to] = is_a ? market->t_max[from] : -market->t_min[from];
        rows->fee[to] = is_a ? market->fee_a[from] : market->fee_b[from];
    }
}

/* The trade of a slot where the market starts from, as seen from agent n. */
static void fill_start(const struct pw_market *market, int n, int slot, const struct pw_start *start,
                       struct slot_rows *rows)
{
    int links = pw_market_degree(market, n), products = market->n_products;
    int l = market->end_link[market->end_first[n] + slot], is_a = market->link_a[l] == n;
    rows->start_penalty[slot] = start->penalty[l];
    for (int q = 0; q < products; q++) {
        size_t to = (size_t)q * (size_t)links + (size_t)slot;
        int from = l * products + q;
        rows->trade[to] = is_a ? start->trade[from] : -start->trade[from];
        rows->trade_price[to] = start->trade_price[from];
    }
}

static void make_start_rows(const struct pw_market *market, int n, const struct pw_start *start,
                            struct slot_rows *rows)
{
    size_t links = (size_t)pw_market_degree(market, n), count = links * (size_t)market->n_products;
    rows->trade = pw_alloc(count, sizeof(double));
    rows->trade_price = pw_alloc(count, sizeof(double));
    rows->start_penalty = pw_alloc(links, sizeof(double));
    for (int slot = 0; slot < (int)links; slot++)
        fill_start(market, n, slot, start, rows);
}

static struct slot_rows make_slot_rows(const struct pw_market *market, int n,
                                       const struct pw_agents_spec *spec)
{
    size_t links = (size_t)pw_market_degree(market, n), count = links * (size_t)market->n_products;
    struct slot_rows rows = {.t_min = pw_alloc(count, sizeof(double)),
                             .t_max = pw_alloc(count, sizeof(double)),
                             .fee = pw_alloc(count, sizeof(double)),
                             .penalty = pw_alloc(links, sizeof(double)),
                             .rest_power = pw_alloc(links, sizeof(double)),
                             .counts = pw_alloc(links, 1)};
    for (int slot = 0; slot < (int)links; slot++) {
        fill_slot(market, n, slot, &rows);
        int link = market->end_link[market->end_first[n] + slot];
        rows.penalty[slot] = spec->penalty[link];
        rows.rest_power[slot] = spec->rest_power == NULL ? 0.0 : spec->rest_power[link];
    }
    if (spec->start != NULL)
        make_start_rows(market, n, spec->start, &rows);
    return rows;
}

static void free_slot_rows(struct slot_rows *rows)
{
    free(rows->t_min);
    free(rows->t_max);
    free(rows->fee);
    free(rows->penalty);
    free(rows->rest_power);
    free(rows->trade);
    free(rows->trade_price);
    free(rows->start_penalty);
    free(rows->counts);
}

struct pw_agent *pw_agents_make(const struct pw_market *market, int n, const struct pw_agents_spec *how)
{
    int first = market->asset_first[n], assets = market->asset_first[n + 1] - first;
    double *p_min = transposed(market->p_min, first, assets, market->n_products);
    double *p_max = transposed(market->p_max, first, assets, market->n_products);
    double *a = transposed(market->a, first, assets, market->n_products);
    double *b = transposed(market->b, first, assets, market->n_products);
    struct slot_rows rows = make_slot_rows(market, n, how);
    struct pw_agent_spec spec = {
        .id = n,
        .n_products = market->n_products,
        .n_assets = assets,
        .p_min = p_min,
        .p_max = p_max,
        .a = a,
        .b = b,
        .n_links = pw_market_degree(market, n),
        .t_min = rows.t_min,
        .t_max = rows.t_max,
        .fee = rows.fee,
        .penalty = rows.penalty,
        .rest_power = rows.rest_power,
        .counts = rows.counts,
        .delta = how->delta,
        .scratch = how->scratch,
        .trade = rows.trade,
        .trade_price = rows.trade_price,
        .price = how->start == NULL ? NULL : how->start->price + (size_t)n * (size_t)market->n_products,
        .start_penalty = rows.start_penalty};
    struct pw_agent *agent = pw_agent_create(&spec, &how->rules);
    free(p_min);
    free(p_max);
    free(a);
    free(b);
    free_slot_rows(&rows);
    return agent;
}
