#include "common/links.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "common/choose.h"
#include "common/feasibility.h"
#include "common/memory.h"
#include "common/nearest.h"
#include "common/random.h"
#include "common/structure.h"

static const int MOST_LINKS = INT_MAX / 2 - 1;

/* Links under construction: those with an end in the block. */
struct bundle {
    struct pw_block block;
    int *a, *b;
    long count, room;
};

static void add(struct bundle *bundle, int a, int b)
{
    if (!pw_block_has(bundle->block, a) && !pw_block_has(bundle->block, b))
        return;
    if (bundle->count == bundle->room) {
        bundle->room = 2 * bundle->room + 256;
        bundle->a = pw_realloc(bundle->a, (size_t)bundle->room, sizeof(int));
        bundle->b = pw_realloc(bundle->b, (size_t)bundle->room, sizeof(int));
    }
    bundle->a[bundle->count] = a;
    bundle->b[bundle->count++] = b;
}

/* What agents can do on balance, looked up for every pair. */
struct abilities {
    unsigned char *injects, *consumes; /* [agents] */
};

static struct abilities find_abilities(const struct pw_market *market)
{
    size_t agents = (size_t)market->n_agents;
    struct abilities can = {pw_alloc(agents, 1), pw_alloc(agents, 1)};
    for (int n = 0; n < market->n_agents; n++) {
        can.injects[n] = pw_market_agent_p_max(market, n, 0) > 0.0;
        can.consumes[n] = pw_market_agent_p_min(market, n, 0) < 0.0;
    }
    return can;
}

static int can_do_both(const struct abilities *can, int n)
{
    return can->injects[n] && can->consumes[n];
}

/* True if i may sell to j under `sides`. */
static int sells_to(const struct abilities *can, int i, int j)
{
    return can->injects[i] && can->consumes[j];
}

static int drawn(const struct pw_links_spec *spec, int i, int j)
{
    if (spec->kind != PW_LINKS_RANDOM)
        return 1;
    struct pw_draw draw = {(uint64_t)spec->seed, PW_DRAW_LINKS, {(uint32_t)i, (uint32_t)j, 0}};
    return pw_random_uniform(&draw, 0) < spec->density;
}

/* The number of links to expect, known before any is made: too many would not fit into memory. */
static double expected_links(const struct pw_market *market, const struct abilities *can,
                             const struct pw_links_spec *spec, int sides)
{
    double all = market->n_agents, sellers = 0.0, buyers = 0.0, both = 0.0;
    for (int n = 0; n < market->n_agents; n++) {
        sellers += can->injects[n];
        buyers += can->consumes[n];
        both += can_do_both(can, n);
    }
    if (spec->kind == PW_LINKS_NEAREST || spec->kind == PW_LINKS_PEERS || spec->kind == PW_LINKS_CHOSEN)
        return fmin(all * (double)spec->count, all * (all - 1.0) / 2.0);
    /* Among two who can do both a pair counts twice in the product, an agent with itself once. */
    double pairs = sides ? sellers * buyers - both * (both + 1.0) / 2.0 : all * (all - 1.0) / 2.0;
    return spec->kind == PW_LINKS_RANDOM ? spec->density * pairs : pairs;
}

/* Every pair, or every seller-buyer pair, that the draw lets through; the seller first. */
static void link_pairs(int n_agents, const struct abilities *can, const struct pw_links_spec *spec, int sides,
                       struct bundle *bundle)
{
    for (int i = 0; i < n_agents && bundle->count <= MOST_LINKS; i++) {
        int is_in = pw_block_has(bundle->block, i), end = is_in ? n_agents : bundle->block.end;
        for (int j = is_in || i >= bundle->block.first ? i + 1 : bundle->block.first; j < end; j++) {
            int forth = !sides || sells_to(can, i, j), back = sides && sells_to(can, j, i);
            if ((forth || back) && drawn(spec, i, j))
                add(bundle, forth ? i : j, forth ? j : i);
        }
    }
}

static void link_nearest(const struct pw_market *market, long count, struct bundle *bundle)
{
    int n_agents = market->n_agents, wanted = count < n_agents ? (int)count : n_agents - 1;
    struct pw_nearest *nearest = pw_nearest_create(market->x, market->y, n_agents);
    int *others = pw_alloc((size_t)n_agents, sizeof *others);
    for (int i = 0; i < n_agents; i++) {
        int n_others = pw_nearest_find(nearest, i, wanted, others);
        for (int k = 0; k < n_others; k++)
            add(bundle, i < others[k] ? i : others[k], i < others[k] ? others[k] : i);
    }
    free(others);
    pw_nearest_destroy(nearest);
}

/* Agents in rising order, and where each stands among them. */
struct list {
    int *agents, count;
    int *place; /* [agents of the market] for those in the list */
};

enum { ALL, INJECTORS, CONSUMERS, EITHER, N_LISTS };

static int belongs(const struct abilities *can, int n, int list)
{
    return list == ALL || (list != CONSUMERS && can->injects[n]) || (list != INJECTORS && can->consumes[n]);
}

static struct list make_list(const struct abilities *can, int n_agents, int which)
{
    struct list list = {pw_alloc((size_t)n_agents, sizeof(int)), 0, pw_alloc((size_t)n_agents, sizeof(int))};
    for (int n = 0; n < n_agents; n++) {
        if (!belongs(can, n, which))
            continue;
        list.place[n] = list.count;
        list.agents[list.count++] = n;
    }
    return list;
}

/* The list that agent i draws its peers from under `peers`: all, or the other side; N_LISTS: nobody is in it.
 */
static int list_for(const struct abilities *can, int sides, int i)
{
    if (!sides)
        return ALL;
    if (can_do_both(can, i))
        return EITHER;
    return can->injects[i] ? CONSUMERS : can->consumes[i] ? INJECTORS : N_LISTS;
}

/* The k-th place of the list without agent i, where i is in it. */
static int *place_without(const struct list *list, int skipped, int k)
{
    return &list->agents[k + (k >= skipped)];
}

static void add_oriented(const struct abilities *can, int sides, int i, int j, struct bundle *bundle)
{
    int forth = sides ? sells_to(can, i, j) : i < j;
    if (sides && sells_to(can, j, i) && forth)
        forth = i < j; /* both ways: one orientation whoever asked */
    add(bundle, forth ? i : j, forth ? j : i);
}

/* Draws without replacement: the first `count` places of a shuffle of the list without i, undone afterwards.
 */
static void draw_peers(const struct abilities *can, const struct pw_links_spec *spec, int i,
                       struct list *list, int *picks, struct bundle *bundle)
{
    int n = list->count, inside = n > 0 && list->agents[list->place[i]] == i;
    int skipped = inside ? list->place[i] : n, n_pool = n - inside;
    int count = n_pool < spec->count ? n_pool : (int)spec->count;
    for (int k = 0; k < count; k++) {
        struct pw_draw draw = {(uint64_t)spec->seed, PW_DRAW_LINKS, {(uint32_t)i, (uint32_t)k, 1}};
        picks[k] = k + (int)(pw_random_uniform(&draw, 0) * (n_pool - k));
        int *first = place_without(list, skipped, k), *pick = place_without(list, skipped, picks[k]),
            j = *pick;
        *pick = *first;
        *first = j;
        add_oriented(can, spec->among_sides, i, j, bundle);
    }
    for (int k = count - 1; k >= 0; k--) {
        int *first = place_without(list, skipped, k), *pick = place_without(list, skipped, picks[k]),
            j = *first;
        *first = *pick;
        *pick = j;
    }
}

static void link_peers(int n_agents, const struct abilities *can, const struct pw_links_spec *spec,
                       struct bundle *bundle)
{
    struct list lists[N_LISTS];
    int *picks = pw_alloc((size_t)n_agents, sizeof *picks);
    for (int which = 0; which < N_LISTS; which++)
        lists[which] = make_list(can, n_agents, which);
    for (int i = 0; i < n_agents; i++) {
        int which = list_for(can, spec->among_sides, i);
        if (which < N_LISTS)
            draw_peers(can, spec, i, &lists[which], picks, bundle);
    }
    for (int which = 0; which < N_LISTS; which++) {
        free(lists[which].agents);
        free(lists[which].place);
    }
    free(picks);
}

static int ascending(const void *x, const void *y)
{
    int a = *(const int *)x, b = *(const int *)y;
    return (a > b) - (a < b);
}

/* Most agents have few links. */
static void sort_agents(int *agents, int count)
{
    enum { FEW = 32 };
    if (count > FEW) {
        qsort(agents, (size_t)count, sizeof *agents, ascending);
        return;
    }
    for (int i = 1; i < count; i++) {
        int agent = agents[i], j = i;
        for (; j > 0 && agents[j - 1] > agent; j--)
            agents[j] = agents[j - 1];
        agents[j] = agent;
    }
}

/* Where the links from each agent a begin if they lie in the order of a: [n_agents + 1], for the caller. */
static int *count_from(const struct bundle *bundle, int n_agents)
{
    int *first = pw_alloc((size_t)n_agents + 1, sizeof *first);
    for (long l = 0; l < bundle->count; l++)
        first[bundle->a[l] + 1]++;
    for (int n = 0; n < n_agents; n++)
        first[n + 1] += first[n];
    return first;
}

/* Sorts the links, by counting, and drops those asked for from both ends. */
static void drop_repeated(struct bundle *bundle, int n_agents)
{
    int *first = count_from(bundle, n_agents), *b = pw_alloc((size_t)bundle->count, sizeof *b);
    for (long l = bundle->count - 1; l >= 0; l--)
        b[--first[bundle->a[l] + 1]] = bundle->b[l]; /* leaves in first[n + 1] where the links of n begin */
    long kept = 0;
    for (int n = 0; n < n_agents; n++) {
        int begin = first[n + 1], end = n + 1 < n_agents ? first[n + 2] : (int)bundle->count;
        sort_agents(b + begin, end - begin);
        for (int k = begin; k < end; k++) {
            if (k > begin && b[k] == b[k - 1])
                continue;
            bundle->a[kept] = n;
            bundle->b[kept++] = b[k];
        }
    }
    bundle->count = kept;
    free(first);
    free(b);
}

static void install(struct pw_market *market, const struct abilities *can, const struct bundle *bundle,
                    int sides, double fee)
{
    pw_market_set_link_count(market, (int)bundle->count);
    for (int l = 0; l < market->n_links; l++) {
        market->link_a[l] = bundle->a[l];
        market->link_b[l] = bundle->b[l];
        int one_way = sides && !can_do_both(can, bundle->a[l]) && !can_do_both(can, bundle->b[l]);
        for (int q = 0; q < market->n_products; q++) {
            int i = l * market->n_products + q;
            market->fee_a[i] = market->fee_b[i] = fee;
            if (one_way)
                market->t_min[i] = 0.0;
        }
    }
    pw_market_index(market);
}

void pw_links_install(struct pw_market *market, const struct pw_pair *pairs, int n_pairs, int sides,
                      double fee)
{
    struct bundle bundle = {.block = {0, market->n_agents}};
    struct abilities can = find_abilities(market);
    for (int l = 0; l < n_pairs; l++)
        add_oriented(&can, sides, pairs[l].a, pairs[l].b, &bundle);
    drop_repeated(&bundle, market->n_agents);
    install(market, &can, &bundle, sides, fee);
    free(bundle.a);
    free(bundle.b);
    free(can.injects);
    free(can.consumes);
}

/* Chooses, and if the market cannot balance then, once more: who must trade first. */
static void build_chosen(struct pw_market *market, const struct pw_links_spec *spec, double fee)
{
    double most = (double)market->n_agents * fmin((double)spec->count, (double)market->n_agents) / 2.0;
    struct pw_pair *pairs = pw_alloc((size_t)most, sizeof *pairs);
    struct pw_error why = {0};
    for (int must_first = 0; must_first < 2; must_first++) {
        int count = pw_choose(market, spec, fee, must_first, pairs);
        pw_links_install(market, pairs, count, spec->among_sides, fee);
        if (pw_feasibility_check(market, &why) == PW_OK)
            break;
    }
    free(pairs);
}

/* Makes the links of `spec` and gives them to the market; of those that have parts, the ones of the block. */
static enum pw_code build(struct pw_market *market, const struct abilities *can,
                          const struct pw_links_spec *spec, double fee, struct pw_block block,
                          struct pw_error *err)
{
    struct bundle bundle = {.block = block};
    int sides = spec->kind == PW_LINKS_SIDES || spec->among_sides;
    double expected = expected_links(market, can, spec, sides);
    if (expected > MOST_LINKS)
        return pw_fail(err, PW_USAGE,
                       "about %.3g links, but %d are the most: see {random: density} and its like", expected,
                       MOST_LINKS);
    if (spec->kind == PW_LINKS_CHOSEN) {
        build_chosen(market, spec, fee);
        return PW_OK;
    }
    if (spec->kind == PW_LINKS_NEAREST)
        link_nearest(market, spec->count, &bundle);
    else if (spec->kind == PW_LINKS_PEERS)
        link_peers(market->n_agents, can, spec, &bundle);
    else
        link_pairs(market->n_agents, can, spec, sides, &bundle);
    if (spec->kind == PW_LINKS_NEAREST || spec->kind == PW_LINKS_PEERS)
        drop_repeated(&bundle, market->n_agents);
    int fits = bundle.count <= MOST_LINKS;
    if (fits)
        install(market, can, &bundle, sides, fee);
    free(bundle.a);
    free(bundle.b);
    return fits ? PW_OK : pw_fail(err, PW_USAGE, "more than %d links", MOST_LINKS);
}

int pw_links_have_parts(enum pw_links_kind kind)
{
    return kind == PW_LINKS_ALL || kind == PW_LINKS_SIDES || kind == PW_LINKS_RANDOM ||
           kind == PW_LINKS_NEAREST || kind == PW_LINKS_PEERS;
}

enum pw_code pw_links_build(struct pw_market *market, const struct pw_links_spec *spec, double fee,
                            struct pw_error *err)
{
    return pw_links_build_part(market, spec, fee, (struct pw_block){0, market->n_agents}, err);
}

enum pw_code pw_links_build_part(struct pw_market *market, const struct pw_links_spec *spec, double fee,
                                 struct pw_block block, struct pw_error *err)
{
    if (spec->kind == PW_LINKS_POOL || spec->kind == PW_LINKS_COMMUNITIES)
        return pw_structure_build(market, spec, fee, err);
    int nearest = spec->kind == PW_LINKS_NEAREST ||
                  (spec->kind == PW_LINKS_CHOSEN && spec->choose == PW_CHOOSE_NEAREST);
    if (nearest && market->x == NULL)
        return pw_fail(err, PW_USAGE, "nearest needs the columns x and y in the agents table");
    struct abilities can = find_abilities(market);
    enum pw_code code = build(market, &can, spec, fee, block, err);
    free(can.injects);
    free(can.consumes);
    return code;
}
