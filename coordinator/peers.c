#include "coordinator/peers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/adapt.h"
#include "common/feasibility.h"
#include "common/links.h"
#include "common/memory.h"

struct pw_market *pw_peers_market(const struct pw_market *all, const struct pw_peers *peers)
{
    size_t products = (size_t)all->n_products, assets = (size_t)all->n_assets * products;
    struct pw_market *market = pw_market_create(all->n_agents, all->n_products, all->n_assets, peers->count);
    memcpy(market->asset_first, all->asset_first, ((size_t)all->n_agents + 1) * sizeof(int));
    pw_copy_reals(market->p_min, all->p_min, assets);
    pw_copy_reals(market->p_max, all->p_max, assets);
    pw_copy_reals(market->a, all->a, assets);
    pw_copy_reals(market->b, all->b, assets);
    for (int k = 0; k < peers->count; k++) {
        int l = peers->links[k];
        size_t to = (size_t)k * products, from = (size_t)l * products;
        market->link_a[k] = all->link_a[l];
        market->link_b[k] = all->link_b[l];
        pw_copy_reals(market->t_min + to, all->t_min + from, products);
        pw_copy_reals(market->t_max + to, all->t_max + from, products);
        pw_copy_reals(market->fee_a + to, all->fee_a + from, products);
        pw_copy_reals(market->fee_b + to, all->fee_b + from, products);
    }
    pw_market_index(market);
    return market;
}

/* The links of all agents are sorted by the lower, then the higher number of their ends (common/links.c). */
static int find_link(const struct pw_market *all, int a, int b)
{
    int low = a < b ? a : b, high = a < b ? b : a, first = 0, end = all->n_links;
    while (first < end) {
        int middle = first + (end - first) / 2, x = all->link_a[middle], y = all->link_b[middle];
        int its_low = x < y ? x : y, its_high = x < y ? y : x;
        if (its_low < low || (its_low == low && its_high < high))
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

static int ascending(const void *x, const void *y)
{
    int a = *(const int *)x, b = *(const int *)y;
    return (a > b) - (a < b);
}

/* The links of `market` as numbers of those of all. */
static struct pw_peers peers_of(const struct pw_market *market, const struct pw_market *all)
{
    struct pw_peers peers = {market->n_links, pw_alloc((size_t)market->n_links, sizeof(int))};
    for (int l = 0; l < market->n_links; l++)
        peers.links[l] = find_link(all, market->link_a[l], market->link_b[l]);
    if (peers.count > 0)
        qsort(peers.links, (size_t)peers.count, sizeof *peers.links, ascending);
    return peers;
}

static enum pw_code check(const struct pw_market *all, const struct pw_peers *peers, struct pw_error *err)
{
    struct pw_market *market = pw_peers_market(all, peers);
    enum pw_code code = pw_feasibility_check(market, err);
    pw_market_destroy(market);
    return code;
}

enum pw_code pw_peers_first(const struct pw_market *all, const struct pw_settings *settings,
                            struct pw_peers *peers, struct pw_error *err)
{
    const struct pw_peers none = {0, NULL};
    struct pw_market *market = pw_peers_market(all, &none);
    enum pw_code code = pw_links_build(market, &settings->links, settings->fee, err);
    *peers = (struct pw_peers){0, NULL};
    if (code == PW_OK) {
        *peers = peers_of(market, all);
        code = check(all, peers, err);
    }
    pw_market_destroy(market);
    return code;
}

enum pw_code pw_peers_check(const struct pw_case *loaded, struct pw_error *err)
{
    struct pw_peers peers = {0, NULL};
    struct pw_error why;
    enum pw_code code = PW_OK;
    if (pw_case_changes_peers(&loaded->settings))
        code = pw_peers_first(loaded->market, &loaded->settings, &peers, &why);
    if (code != PW_OK)
        pw_fail(err, code, "%s: market.links: %s (with more peers it may have)", loaded->path, why.text);
    free(peers.links);
    return code;
}

/* The links that were peers. */
static struct pw_peers peers_before(const struct pw_outcome *outcome)
{
    struct pw_peers peers = {0, pw_alloc((size_t)outcome->n_links, sizeof(int))};
    for (int l = 0; l < outcome->n_links; l++) {
        if (!isnan(outcome->penalty[l]))
            peers.links[peers.count++] = l;
    }
    return peers;
}

enum pw_code pw_peers_next(const struct pw_market *all, const struct pw_settings *settings,
                           const struct pw_outcome *outcome, int slot, struct pw_peers *peers,
                           struct pw_error *err)
{
    struct pw_peers before = peers_before(outcome);
    size_t products = (size_t)all->n_products;
    double *trade = pw_alloc((size_t)before.count * products, sizeof *trade);
    struct pw_market *market = pw_peers_market(all, &before);
    for (int k = 0; k < before.count; k++)
        pw_copy_reals(trade + (size_t)k * products, outcome->trade + (size_t)before.links[k] * products,
                      products);
    pw_choose_adapt(market, &settings->links, settings->fee, trade, slot);
    *peers = peers_of(market, all);
    pw_market_destroy(market);
    free(before.links);
    free(trade);
    if (check(all, peers, err) == PW_OK)
        return PW_OK;
    free(peers->links);
    return pw_peers_first(all, settings, peers, err);
}

void pw_peers_cut_start(struct pw_start *start, const struct pw_market *all, const struct pw_peers *peers,
                        const double *penalty)
{
    size_t products = (size_t)all->n_products;
    for (int k = 0; k < peers->count; k++) {
        int l = peers->links[k], is_new = isnan(start->penalty[l]);
        for (size_t q = 0; q < products; q++) {
            size_t from = (size_t)l * products + q, to = (size_t)k * products + q;
            double a = start->price[(size_t)all->link_a[l] * products + q],
                   b = start->price[(size_t)all->link_b[l] * products + q];
            start->trade[to] = is_new ? 0.0 : start->trade[from];
            start->trade_price[to] = is_new ? (a + b) / 2.0 : start->trade_price[from];
        }
        start->penalty[k] = is_new ? penalty[k] : start->penalty[l];
    }
}

/* Spreads the numbers of the peers' links, `per` each, over all links; the others get `value`. */
static double *spread(double *narrow, const struct pw_peers *peers, int n_links, size_t per, double value)
{
    size_t count = (size_t)n_links * per;
    double *wide = pw_alloc(count, sizeof *wide);
    for (size_t i = 0; i < count; i++)
        wide[i] = value;
    for (int k = 0; k < peers->count; k++)
        pw_copy_reals(wide + (size_t)peers->links[k] * per, narrow + (size_t)k * per, per);
    free(narrow);
    return wide;
}

/* The prices that strangers would have seen: each end's own. */
static double *spread_prices(double *narrow, const double *price, const int *ends,
                             const struct pw_peers *peers, int n_links, size_t products)
{
    double *wide = spread(narrow, peers, n_links, products, NAN);
    for (int l = 0; l < n_links; l++)
        for (size_t q = 0; q < products; q++)
            if (isnan(wide[(size_t)l * products + q]))
                wide[(size_t)l * products + q] = price[(size_t)ends[l] * products + q];
    return wide;
}

void pw_peers_widen_outcome(struct pw_outcome *outcome, const struct pw_market *all,
                            const struct pw_peers *peers)
{
    size_t products = (size_t)all->n_products;
    int links = all->n_links, *rounds = pw_alloc((size_t)links, sizeof *rounds);
    long *messages = pw_alloc((size_t)links, sizeof *messages);
    for (int k = 0; k < peers->count; k++) {
        rounds[peers->links[k]] = outcome->rounds[k];
        messages[peers->links[k]] = outcome->messages[k];
    }
    free(outcome->rounds);
    free(outcome->messages);
    outcome->rounds = rounds;
    outcome->messages = messages;
    outcome->trade = spread(outcome->trade, peers, links, products, 0.0);
    outcome->penalty = spread(outcome->penalty, peers, links, 1, NAN);
    outcome->settled_time_s = spread(outcome->settled_time_s, peers, links, 1, 0.0);
    outcome->price_a = spread_prices(outcome->price_a, outcome->price, all->link_a, peers, links, products);
    outcome->price_b = spread_prices(outcome->price_b, outcome->price, all->link_b, peers, links, products);
    outcome->n_links = links;
}
