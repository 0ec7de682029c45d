#include "common/market_pack.h"

#include <stdint.h>
#include <string.h>

/* The arrays that travel, in the order of the bytes. Of numbers that are all the same one travels. */
struct column {
    void *values;
    size_t size; /* bytes */
    int is_real; /* doubles, else ints */
};

enum { COLUMNS = 11 };

static void list_columns(const struct pw_market *market, struct column columns[COLUMNS])
{
    size_t products = (size_t)market->n_products;
    size_t agents = (size_t)market->n_agents + 1, links = (size_t)market->n_links;
    size_t per_asset = (size_t)market->n_assets * products * sizeof(double);
    size_t per_link = links * products * sizeof(double);
    struct column all[COLUMNS] = {{market->asset_first, agents * sizeof(int), 0},
                                  {market->p_min, per_asset, 1},
                                  {market->p_max, per_asset, 1},
                                  {market->a, per_asset, 1},
                                  {market->b, per_asset, 1},
                                  {market->link_a, links * sizeof(int), 0},
                                  {market->link_b, links * sizeof(int), 0},
                                  {market->t_min, per_link, 1},
                                  {market->t_max, per_link, 1},
                                  {market->fee_a, per_link, 1},
                                  {market->fee_b, per_link, 1}};
    memcpy(columns, all, sizeof all);
}

struct head {
    int32_t n_agents, n_products, n_assets, n_links;
    uint32_t same; /* bit i: the numbers of column i are all the same */
};

/* Every number has the bits of the one before it. */
static int is_same(const struct column *column)
{
    const unsigned char *bytes = column->values;
    return column->is_real && column->size > sizeof(double) &&
           memcmp(bytes, bytes + sizeof(double), column->size - sizeof(double)) == 0;
}

static size_t packed_size(const struct column *column)
{
    return is_same(column) ? sizeof(double) : column->size;
}

size_t pw_market_pack_size(const struct pw_market *market)
{
    struct column columns[COLUMNS];
    size_t size = sizeof(struct head);
    list_columns(market, columns);
    for (int i = 0; i < COLUMNS; i++)
        size += packed_size(&columns[i]);
    return size;
}

void pw_market_pack(const struct pw_market *market, unsigned char *bytes)
{
    struct column columns[COLUMNS];
    struct head head = {market->n_agents, market->n_products, market->n_assets, market->n_links, 0};
    unsigned char *to = bytes + sizeof head;
    list_columns(market, columns);
    for (int i = 0; i < COLUMNS; i++) {
        size_t size = packed_size(&columns[i]);
        head.same |= size < columns[i].size ? UINT32_C(1) << i : 0;
        if (size > 0)
            memcpy(to, columns[i].values, size);
        to += size;
    }
    memcpy(bytes, &head, sizeof head);
}

static void fill(const struct column *column, const unsigned char *value)
{
    double *values = column->values;
    for (size_t i = 0; i < column->size / sizeof *values; i++)
        memcpy(&values[i], value, sizeof *values);
}

struct pw_market *pw_market_unpack(const unsigned char *bytes)
{
    struct column columns[COLUMNS];
    struct head head;
    memcpy(&head, bytes, sizeof head);
    bytes += sizeof head;
    struct pw_market *market = pw_market_create(head.n_agents, head.n_products, head.n_assets, head.n_links);
    list_columns(market, columns);
    for (int i = 0; i < COLUMNS; i++) {
        int same = (head.same >> i & 1U) != 0;
        size_t size = same ? sizeof(double) : columns[i].size;
        if (same)
            fill(&columns[i], bytes);
        else if (size > 0)
            memcpy(columns[i].values, bytes, size);
        bytes += size;
    }
    pw_market_index(market);
    return market;
}
