#include "common/links.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "common/random.h"

static const int MOST_LINKS = INT_MAX / 2 - 1;

/* Links under construction. */
struct bundle {
    int *a, *b;
    long count, room;
};

static void add(struct bundle *bundle, int a, int b)
{
    if (bundle->count == bundle->room) {
        bundle->room = 2 * bundle->room + 256;
        bundle->a = pw_realloc(bundle->a, (size_t)bundle->room, sizeof(int));
        bundle->b = pw_realloc(bundle->b, (size_t)bundle->room, sizeof(int));
    }
    bundle->a[bundle->count] = a;
    bundle->b[bundle->count++] = b;
}

static int can_inject(const struct pw_market *market, int n)
{
    return pw_market_agent_p_max(market, n, 0) > 0.0;
}

static int can_consume(const struct pw_market *market, int n)
{
    return pw_market_agent_p_min(market, n, 0) < 0.0;
}

static int can_do_both(const struct pw_market *market, int n)
{
    return can_inject(market, n) && can_consume(market, n);
}

/* True if i may sell to j under `sides`. */
static int sells_to(const struct pw_market *market, int i, int j)
{
    return can_inject(market, i) && can_consume(market, j);
}

static int drawn(const struct pw_links_spec *spec, int i, int j)
{
    if (spec->kind != PW_LINKS_RANDOM)
        return 1;
    struct pw_draw draw = {(uint64_t)spec->seed, PW_DRAW_LINKS, {(uint32_t)i, (uint32_t)j, 0}};
    return pw_random_uniform(&draw, 0) < spec->density;
}

/* The number of links to expect, known before any is made: too many would not fit into memory. */
static double expected_links(const struct pw_market *market, const struct pw_links_spec *spec, int sides)
{
    double all = market->n_agents, sellers = 0.0, buyers = 0.0, both = 0.0;
    for (int n = 0; n < market->n_agents; n++) {
        sellers += can_inject(market, n);
        buyers += can_consume(market, n);
        both += can_do_both(market, n);
    }
    if (spec->kind == PW_LINKS_NEAREST || spec->kind == PW_LINKS_PEERS)
        return fmin(all * (double)spec->count, all * (all - 1.0) / 2.0);
    /* Among two who can do both a pair counts twice in the product, an agent with itself once. */
    double pairs = sides ? sellers * buyers - both * (both + 1.0) / 2.0 : all * (all - 1.0) / 2.0;
    return spec->kind == PW_LINKS_RANDOM ? spec->density * pairs : pairs;
}

/* Every pair, or every seller-buyer pair, that the draw lets through; the seller first. */
static void link_pairs(const struct pw_market *market, const struct pw_links_spec *spec, int sides,
                       struct bundle *bundle)
{
    for (int i = 0; i < market->n_agents && bundle->count <= MOST_LINKS; i++) {
        for (int j = i + 1; j < market->n_agents; j++) {
            int forth = !sides || sells_to(market, i, j), back = sides && sells_to(market, j, i);
            if ((forth || back) && drawn(spec, i, j))
                add(bundle, forth ? i : j, forth ? j : i);
        }
    }
}

struct neighbour {
    double distance;
    int agent;
};

static int by_distance(const void *x, const void *y)
{
    const struct neighbour *a = x, *b = y;
    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    return (a->agent > b->agent) - (a->agent < b->agent);
}

static void link_nearest(const struct pw_market *market, long count, struct bundle *bundle)
{
    int n_agents = market->n_agents;
    struct neighbour *others = pw_alloc((size_t)n_agents, sizeof *others);
    for (int i = 0; i < n_agents; i++) {
        int n_others = 0;
        for (int j = 0; j < n_agents; j++) {
            if (j != i)
                others[n_others++] =
                    (struct neighbour){hypot(market->x[i] - market->x[j], market->y[i] - market->y[j]), j};
        }
        qsort(others, (size_t)n_others, sizeof *others, by_distance);
        for (int k = 0; k < n_others && k < count; k++)
            add(bundle, i < others[k].agent ? i : others[k].agent, i < others[k].agent ? others[k].agent : i);
    }
    free(others);
}

/* The agents that i may ask for under `peers`: all others, or those of the other side. */
static int candidates(const struct pw_market *market, int sides, int i, int *out)
{
    int count = 0;
    for (int j = 0; j < market->n_agents; j++) {
        if (j != i && (!sides || sells_to(market, i, j) || sells_to(market, j, i)))
            out[count++] = j;
    }
    return count;
}

/* Draws without replacement: the first `count` places of a shuffle of the candidates. */
static void link_peers(const struct pw_market *market, const struct pw_links_spec *spec,
                       struct bundle *bundle)
{
    int *pool = pw_alloc((size_t)market->n_agents, sizeof(int));
    for (int i = 0; i < market->n_agents; i++) {
        int n_pool = candidates(market, spec->among_sides, i, pool);
        for (int k = 0; k < n_pool && k < spec->count; k++) {
            struct pw_draw draw = {(uint64_t)spec->seed, PW_DRAW_LINKS, {(uint32_t)i, (uint32_t)k, 1}};
            int pick = k + (int)(pw_random_uniform(&draw, 0) * (n_pool - k));
            int j = pool[pick];
            pool[pick] = pool[k];
            int forth = spec->among_sides ? sells_to(market, i, j) : i < j;
            if (spec->among_sides && sells_to(market, j, i) && forth)
                forth = i < j; /* both ways: one orientation whoever asked */
            add(bundle, forth ? i : j, forth ? j : i);
        }
    }
    free(pool);
}

struct pair {
    int a, b;
};

static int by_pair(const void *x, const void *y)
{
    const struct pair *p = x, *q = y;
    if (p->a != q->a)
        return p->a < q->a ? -1 : 1;
    return (p->b > q->b) - (p->b < q->b);
}

/* Sorts the links and drops those asked for from both ends. */
static void drop_repeated(struct bundle *bundle)
{
    struct pair *pairs = pw_alloc((size_t)bundle->count, sizeof *pairs);
    for (long l = 0; l < bundle->count; l++)
        pairs[l] = (struct pair){bundle->a[l], bundle->b[l]};
    qsort(pairs, (size_t)bundle->count, sizeof *pairs, by_pair);
    long kept = 0;
    for (long l = 0; l < bundle->count; l++) {
        if (l > 0 && by_pair(&pairs[l], &pairs[l - 1]) == 0)
            continue;
        bundle->a[kept] = pairs[l].a;
        bundle->b[kept++] = pairs[l].b;
    }
    bundle->count = kept;
    free(pairs);
}

static void install(struct pw_market *market, const struct bundle *bundle, int sides, double fee)
{
    pw_market_set_link_count(market, (int)bundle->count);
    for (int l = 0; l < market->n_links; l++) {
        market->link_a[l] = bundle->a[l];
        market->link_b[l] = bundle->b[l];
        int one_way = sides && !can_do_both(market, bundle->a[l]) && !can_do_both(market, bundle->b[l]);
        for (int q = 0; q < market->n_products; q++) {
            int i = l * market->n_products + q;
            market->fee_a[i] = market->fee_b[i] = fee;
            if (one_way)
                market->t_min[i] = 0.0;
        }
    }
    pw_market_index(market);
}

enum pw_code pw_links_build(struct pw_market *market, const struct pw_links_spec *spec, double fee,
                            struct pw_error *err)
{
    struct bundle bundle = {0};
    int sides = spec->kind == PW_LINKS_SIDES || spec->among_sides;
    if (spec->kind == PW_LINKS_NEAREST && market->x == NULL)
        return pw_fail(err, PW_USAGE, "nearest needs the columns x and y in the agents table");
    double expected = expected_links(market, spec, sides);
    if (expected > MOST_LINKS)
        return pw_fail(err, PW_USAGE,
                       "about %.3g links, but %d are the most: see {random: density} and its like", expected,
                       MOST_LINKS);
    if (spec->kind == PW_LINKS_NEAREST)
        link_nearest(market, spec->count, &bundle);
    else if (spec->kind == PW_LINKS_PEERS)
        link_peers(market, spec, &bundle);
    else
        link_pairs(market, spec, sides, &bundle);
    if (spec->kind == PW_LINKS_NEAREST || spec->kind == PW_LINKS_PEERS)
        drop_repeated(&bundle);
    int fits = bundle.count <= MOST_LINKS;
    if (fits)
        install(market, &bundle, sides, fee);
    free(bundle.a);
    free(bundle.b);
    return fits ? PW_OK : pw_fail(err, PW_USAGE, "more than %d links", MOST_LINKS);
}
