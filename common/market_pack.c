#include "common/market_pack.h"

#include <string.h>

/* The arrays that travel, in the order of the bytes. */
struct column {
    void *values;
    size_t size;
};

enum { COLUMNS = 11 };

static void list_columns(const struct pw_market *market, struct column columns[COLUMNS])
{
    size_t products = (size_t)market->n_products;
    size_t agents = (size_t)market->n_agents + 1, links = (size_t)market->n_links;
    size_t per_asset = (size_t)market->n_assets * products * sizeof(double);
    size_t per_link = links * products * sizeof(double);
    struct column all[COLUMNS] = {{market->asset_first, agents * sizeof(int)},
                                  {market->p_min, per_asset},
                                  {market->p_max, per_asset},
                                  {market->a, per_asset},
                                  {market->b, per_asset},
                                  {market->link_a, links * sizeof(int)},
                                  {market->link_b, links * sizeof(int)},
                                  {market->t_min, per_link},
                                  {market->t_max, per_link},
                                  {market->fee_a, per_link},
                                  {market->fee_b, per_link}};
    memcpy(columns, all, sizeof all);
}

struct head {
    int n_agents, n_products, n_assets, n_links;
};

size_t pw_market_pack_size(const struct pw_market *market)
{
    struct column columns[COLUMNS];
    size_t size = sizeof(struct head);
    list_columns(market, columns);
    for (int i = 0; i < COLUMNS; i++)
        size += columns[i].size;
    return size;
}

void pw_market_pack(const struct pw_market *market, unsigned char *bytes)
{
    struct column columns[COLUMNS];
    struct head head = {market->n_agents, market->n_products, market->n_assets, market->n_links};
    list_columns(market, columns);
    memcpy(bytes, &head, sizeof head);
    bytes += sizeof head;
    for (int i = 0; i < COLUMNS; bytes += columns[i++].size)
        memcpy(bytes, columns[i].values, columns[i].size);
}

struct pw_market *pw_market_unpack(const unsigned char *bytes)
{
    struct column columns[COLUMNS];
    struct head head;
    memcpy(&head, bytes, sizeof head);
    bytes += sizeof head;
    struct pw_market *market = pw_market_create(head.n_agents, head.n_products, head.n_assets, head.n_links);
    list_columns(market, columns);
    for (int i = 0; i < COLUMNS; bytes += columns[i++].size)
        memcpy(columns[i].values, bytes, columns[i].size);
    pw_market_index(market);
    return market;
}
