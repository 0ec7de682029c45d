#include "common/market_part.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

int pw_block_has(struct pw_block block, int agent)
{
    return agent >= block.first && agent < block.end;
}

/* The links with an end in the block, in their order, for free(): *count of them. */
static int *list_links(const struct pw_market *market, struct pw_block block, int *count)
{
    enum { WORD = 64 };
    size_t words = (size_t)market->n_links / WORD + 1;
    uint64_t *has = pw_alloc(words, sizeof *has);
    int first = market->end_first[block.first], end = market->end_first[block.end];
    int *links = pw_alloc((size_t)(end - first), sizeof *links);
    for (int e = first; e < end; e++)
        has[market->end_link[e] / WORD] |= UINT64_C(1) << market->end_link[e] % WORD;
    *count = 0;
    for (size_t w = 0; w < words; w++) {
        int l = (int)w * WORD;
        for (uint64_t left = has[w]; left != 0; left >>= 1, l++) {
            links[*count] = l;
            *count += (int)(left & 1);
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

static void copy_reals(const double *from, const int *links, int count, int n_products, double *to)
{
    for (int k = 0; k < count; k++) {
        const double *of_link = from + (size_t)links[k] * (size_t)n_products;
        for (int q = 0; q < n_products; q++)
            *to++ = of_link[q];
    }
}

static void copy_links(const struct pw_market *from, const int *links, struct pw_market *to)
{
    for (int k = 0; k < to->n_links; k++) {
        to->link_a[k] = from->link_a[links[k]];
        to->link_b[k] = from->link_b[links[k]];
    }
    copy_reals(from->t_min, links, to->n_links, to->n_products, to->t_min);
    copy_reals(from->t_max, links, to->n_links, to->n_products, to->t_max);
    copy_reals(from->fee_a, links, to->n_links, to->n_products, to->fee_a);
    copy_reals(from->fee_b, links, to->n_links, to->n_products, to->fee_b);
}

struct pw_market *pw_market_part(const struct pw_market *market, struct pw_block block)
{
    int count, *links = list_links(market, block, &count);
    struct pw_market *part = pw_market_create(market->n_agents, market->n_products, market->n_assets, count);
    copy_assets(market, part);
    copy_links(market, links, part);
    free(links);
    return part;
}
