#include "common/market_part.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

int pw_block_has(struct pw_block block, int agent)
{
    return agent >= block.first && agent < block.end;
}

enum { WORD = 64 };

/* The links with an end in the block, in their order, for free(): *count of them. */
static int *list_links(const struct pw_market *market, struct pw_block block, int *count)
{
    size_t words = (size_t)market->n_links / WORD + 1;
    uint64_t *has = pw_alloc(words, sizeof *has);
    int first = market->end_first[block.first], end = market->end_first[block.end];
    int *links = pw_alloc((size_t)(end - first), sizeof *links);
    for (int e = first; e < end; e++)
        has[market->end_link[e] / WORD] |= UINT64_C(1) << market->end_link[e] % WORD;
    *count = 0;
    for (size_t w = 0; w < words; w++) {
        for (int bit = 0; has[w] != 0 && bit < WORD; bit++) {
            if (has[w] >> bit & 1)
                links[(*count)++] = (int)w * WORD + bit;
        }
    }
    free(has);
    return links;
}

static void copy_assets(const struct pw_market *from, struct pw_market *to)
{
    size_t size = (size_t)from->n_assets * (size_t)from->n_products * sizeof(double);
    memcpy(to->asset_first, from->asset_first, ((size_t)from->n_agents + 1) * sizeof(int));
    if (size == 0)
        return;
    memcpy(to->p_min, from->p_min, size);
    memcpy(to->p_max, from->p_max, size);
    memcpy(to->a, from->a, size);
    memcpy(to->b, from->b, size);
}

static void copy_link(const struct pw_market *from, int l, struct pw_market *to, int k)
{
    size_t products = (size_t)from->n_products, i = (size_t)l * products, j = (size_t)k * products;
    to->link_a[k] = from->link_a[l];
    to->link_b[k] = from->link_b[l];
    memcpy(to->t_min + j, from->t_min + i, products * sizeof(double));
    memcpy(to->t_max + j, from->t_max + i, products * sizeof(double));
    memcpy(to->fee_a + j, from->fee_a + i, products * sizeof(double));
    memcpy(to->fee_b + j, from->fee_b + i, products * sizeof(double));
}

struct pw_market *pw_market_part(const struct pw_market *market, struct pw_block block)
{
    int count, *links = list_links(market, block, &count);
    struct pw_market *part = pw_market_create(market->n_agents, market->n_products, market->n_assets, count);
    copy_assets(market, part);
    for (int k = 0; k < count; k++)
        copy_link(market, links[k], part, k);
    pw_market_index(part);
    free(links);
    return part;
}
