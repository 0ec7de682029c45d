#include "common/market.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/memory.h"

static void *doubles(int count, int n_products)
{
    return pw_alloc((size_t)count * (size_t)n_products, sizeof(double));
}

static void *ints(int count)
{
    return pw_alloc((size_t)count, sizeof(int));
}

static void free_names(char **names, int count)
{
    for (int i = 0; names != NULL && i < count; i++)
        free(names[i]);
    free(names);
}

static void free_links(struct pw_market *market)
{
    free(market->link_a);
    free(market->link_b);
    free(market->t_min);
    free(market->t_max);
    free(market->fee_a);
    free(market->fee_b);
    free(market->end_link);
    free(market->end_twin);
}

void pw_market_set_link_count(struct pw_market *market, int n_links)
{
    free_links(market);
    market->n_links = n_links;
    market->link_a = ints(n_links);
    market->link_b = ints(n_links);
    market->t_min = doubles(n_links, market->n_products);
    market->t_max = doubles(n_links, market->n_products);
    market->fee_a = doubles(n_links, market->n_products);
    market->fee_b = doubles(n_links, market->n_products);
    market->end_link = pw_alloc((size_t)n_links, 2 * sizeof(int));
    market->end_twin = pw_alloc((size_t)n_links, 2 * sizeof(int));
    for (int l = 0; l < n_links; l++)
        market->link_a[l] = market->link_b[l] = -1;
    for (size_t i = 0; i < (size_t)n_links * (size_t)market->n_products; i++) {
        market->t_min[i] = -INFINITY;
        market->t_max[i] = INFINITY;
    }
}

struct pw_market *pw_market_create(int n_agents, int n_products, int n_assets, int n_links)
{
    struct pw_market *market = pw_alloc(1, sizeof *market);
    market->n_agents = n_agents;
    market->n_products = n_products;
    market->n_assets = n_assets;
    market->asset_first = ints(n_agents + 1);
    market->end_first = ints(n_agents + 1);
    market->p_min = doubles(n_assets, n_products);
    market->p_max = doubles(n_assets, n_products);
    market->a = doubles(n_assets, n_products);
    market->b = doubles(n_assets, n_products);
    market->asset_name = pw_alloc((size_t)n_assets, sizeof(char *));
    market->agent_name = pw_alloc((size_t)n_agents, sizeof(char *));
    pw_market_set_link_count(market, n_links);
    return market;
}

void pw_market_destroy(struct pw_market *market)
{
    if (market == NULL)
        return;
    free_links(market);
    free_names(market->asset_name, market->n_assets);
    free_names(market->agent_name, market->n_agents);
    free(market->asset_first);
    free(market->end_first);
    free(market->p_min);
    free(market->p_max);
    free(market->a);
    free(market->b);
    for (int label = 0; label < PW_N_LABELS; label++)
        free_names(market->label[label], market->n_agents);
    free(market->called);
    free(market->known_as);
    free(market->x);
    free(market->y);
    free(market);
}

static double *stretch(double *values, int old_count, int new_count)
{
    if (values == NULL)
        return NULL;
    values = pw_realloc(values, (size_t)new_count, sizeof(double));
    for (int n = old_count; n < new_count; n++)
        values[n] = 0.0;
    return values;
}

void pw_market_add_agents(struct pw_market *market, char *const *names, int count)
{
    int old_count = market->n_agents, new_count = old_count + count;
    market->asset_first = pw_realloc(market->asset_first, (size_t)new_count + 1, sizeof(int));
    market->end_first = pw_realloc(market->end_first, (size_t)new_count + 1, sizeof(int));
    market->agent_name = pw_realloc(market->agent_name, (size_t)new_count, sizeof(char *));
    market->x = stretch(market->x, old_count, new_count);
    market->y = stretch(market->y, old_count, new_count);
    for (int label = 0; label < PW_N_LABELS; label++) {
        if (market->label[label] == NULL)
            continue;
        market->label[label] = pw_realloc(market->label[label], (size_t)new_count, sizeof(char *));
        for (int n = old_count; n < new_count; n++)
            market->label[label][n] = pw_strdup("");
    }
    for (int n = old_count; n < new_count; n++) {
        market->asset_first[n + 1] = market->n_assets;
        market->agent_name[n] = names[n - old_count];
    }
    market->n_agents = new_count;
}

const char *pw_market_label(const struct pw_market *market, enum pw_label label, int n)
{
    return market->label[label] == NULL ? "" : market->label[label][n];
}

void pw_market_index(struct pw_market *market)
{
    int n_agents = market->n_agents;
    int *first = market->end_first;
    for (int n = 0; n <= n_agents; n++)
        first[n] = 0;
    for (int l = 0; l < market->n_links; l++) {
        first[market->link_a[l] + 1]++;
        first[market->link_b[l] + 1]++;
    }
    for (int n = 0; n < n_agents; n++)
        first[n + 1] += first[n];
    int *next = ints(n_agents);
    for (int n = 0; n < n_agents; n++)
        next[n] = first[n];
    for (int l = 0; l < market->n_links; l++) {
        int end_a = next[market->link_a[l]]++;
        int end_b = next[market->link_b[l]]++;
        market->end_link[end_a] = market->end_link[end_b] = l;
        market->end_twin[end_a] = end_b;
        market->end_twin[end_b] = end_a;
    }
    free(next);
}

int pw_market_end_agent(const struct pw_market *market, int end)
{
    int l = market->end_link[end];
    int a = market->link_a[l];
    return end >= market->end_first[a] && end < market->end_first[a + 1] ? a : market->link_b[l];
}

int pw_market_degree(const struct pw_market *market, int n)
{
    return market->end_first[n + 1] - market->end_first[n];
}

static double agent_sum(const struct pw_market *market, const double *per_asset, int n, int q)
{
    double sum = 0.0;
    for (int i = market->asset_first[n]; i < market->asset_first[n + 1]; i++)
        sum += per_asset[i * market->n_products + q];
    return sum;
}

double pw_market_supply(const struct pw_market *market, int n, int q, double price)
{
    double sum = 0.0;
    for (int i = market->asset_first[n]; i < market->asset_first[n + 1]; i++) {
        int at = i * market->n_products + q;
        double a = market->a[at], excess = price - market->b[at];
        double free = a > 0.0 ? excess / a : excess >= 0.0 ? INFINITY : -INFINITY;
        sum += fmin(fmax(free, market->p_min[at]), market->p_max[at]);
    }
    return sum;
}

double pw_market_agent_p_min(const struct pw_market *market, int n, int q)
{
    return agent_sum(market, market->p_min, n, q);
}

double pw_market_agent_p_max(const struct pw_market *market, int n, int q)
{
    return agent_sum(market, market->p_max, n, q);
}

int pw_market_called(const struct pw_market *market, int n)
{
    return market->called != NULL ? market->called[n] : n;
}

int pw_market_known_as(const struct pw_market *market, int number)
{
    return market->known_as != NULL ? market->known_as[number] : number;
}

const char *pw_market_agent_label(const struct pw_market *market, int n, char *text, int size)
{
    if (market->agent_name[n] != NULL && market->agent_name[n][0] != '\0')
        snprintf(text, (size_t)size, "%d (%s)", pw_market_called(market, n), market->agent_name[n]);
    else
        snprintf(text, (size_t)size, "%d", pw_market_called(market, n));
    return text;
}
