#include "tests/unit/choosing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/adapt.h"
#include "common/feasibility.h"
#include "common/generate.h"
#include "common/links.h"
#include "common/memory.h"
#include "coordinator/reference_internal.h"
#include "tests/unit/random_market.h"

enum { MOST_EXHAUSTIVE = 10 };

/* What the recipes draw, each uniformly from [low, high]. */
struct laws {
    double consumers; /* share of the agents */
    struct pw_law must, room;
};

static const struct laws laws[N_RECIPES] = {
    [RECIPE_EVEN] = {0.5, {-3, -1}, {5, 20}},
    [RECIPE_FREE] = {0.5, {0, 0}, {5, 20}},
    [RECIPE_FEW] = {0.8, {-3, -1}, {20, 80}},
    [RECIPE_MIXED] = {0.5, {-3, -1}, {5, 20}},
};

/* Gives each buyer a plant of its own, enough for what it must consume. */
static struct pw_market *with_plants(struct pw_market *plain, int n_buyers, struct test_rng *rng)
{
    struct pw_market *market = pw_market_create(plain->n_agents, 1, plain->n_agents + n_buyers, 0);
    for (int n = 0, i = 0; n < plain->n_agents; n++) {
        market->p_min[i] = plain->p_min[n];
        market->p_max[i] = plain->p_max[n];
        market->a[i] = plain->a[n];
        market->b[i++] = plain->b[n];
        if (n < n_buyers) {
            market->p_max[i] = test_uniform(rng, 4, 8);
            market->a[i] = test_uniform(rng, 0.05, 0.15);
            market->b[i++] = test_uniform(rng, 3, 7);
        }
        market->asset_first[n + 1] = i;
    }
    pw_market_destroy(plain);
    return market;
}

struct pw_market *test_recipe(enum test_recipe recipe, int n_agents, int replicate)
{
    struct pw_error err = {0};
    struct pw_market *market = NULL;
    struct pw_settings settings = {.generate_agents = n_agents,
                                   .generate_seed = 1 + replicate,
                                   .generate_consumers = laws[recipe].consumers,
                                   .consumer_a = {0.05, 0.15},
                                   .consumer_b = {8, 12},
                                   .consumer_p_min = {-15, -5},
                                   .consumer_p_max = laws[recipe].must,
                                   .producer_a = {0.05, 0.15},
                                   .producer_b = {1, 5},
                                   .producer_p_max = laws[recipe].room};
    if (pw_generate(&settings, &market, &err) != PW_OK)
        fprintf(stderr, "%s\n", err.text);
    struct test_rng rng = test_rng(977 + (uint64_t)replicate);
    if (recipe == RECIPE_MIXED)
        market = with_plants(market, n_agents / 2, &rng);
    market->x = pw_alloc((size_t)n_agents, sizeof(double));
    market->y = pw_alloc((size_t)n_agents, sizeof(double));
    for (int n = 0; n < n_agents; n++) {
        market->x[n] = test_uniform(&rng, 0, 1);
        market->y[n] = test_uniform(&rng, 0, 1);
    }
    return market;
}

struct pw_links_spec test_choice(int way, int peers, int seed, int among_sides)
{
    return (struct pw_links_spec){
        .kind = PW_LINKS_CHOSEN, .choose = way, .count = peers, .seed = seed, .among_sides = among_sides};
}

void test_build(struct pw_market *market, const struct pw_links_spec *spec)
{
    struct pw_error err = {0};
    if (pw_links_build(market, spec, 0.0, &err) != PW_OK) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
}

int test_same_links(const struct pw_market *market, const struct pw_market *other)
{
    int same = market->n_links == other->n_links;
    for (int l = 0; same && l < market->n_links; l++)
        same = market->link_a[l] == other->link_a[l] && market->link_b[l] == other->link_b[l];
    return same;
}

int test_adapt(struct pw_market *market, const struct pw_links_spec *spec, long slot)
{
    struct pw_reference_solution *solution = pw_reference_solution_create(market);
    pw_reference_ipm(market, 0, solution);
    int changes = pw_choose_adapt(market, spec, 0.0, solution->t, slot);
    pw_reference_solution_destroy(solution);
    return changes;
}

double test_optimum(const struct pw_market *market)
{
    struct pw_reference reference;
    struct pw_error err = {0};
    if (pw_feasibility_check(market, &err) != PW_OK)
        return NAN;
    if (pw_reference_solve(market, &reference, &err) != PW_OK)
        fprintf(stderr, "%s\n", err.text);
    return reference.social_welfare;
}

/* The welfare if all buyers take the least that they can. */
static double least_welfare(struct pw_market *market)
{
    double *p_min = pw_alloc((size_t)market->n_assets, sizeof *p_min);
    for (int i = 0; i < market->n_assets; i++) {
        p_min[i] = market->p_min[i];
        if (market->p_max[i] <= 0.0)
            market->p_min[i] = market->p_max[i];
    }
    double welfare = test_optimum(market);
    for (int i = 0; i < market->n_assets; i++)
        market->p_min[i] = p_min[i];
    free(p_min);
    return welfare;
}

struct test_bounds test_bounds(struct pw_market *market)
{
    pw_links_install(market, NULL, 0, 1, 0.0);
    struct test_bounds bounds = {.none = test_optimum(market)};
    test_build(market, &(struct pw_links_spec){.kind = PW_LINKS_SIDES});
    bounds.full = test_optimum(market);
    if (isnan(bounds.none))
        bounds.none = least_welfare(market);
    return bounds;
}

double test_share(const struct pw_market *market, const struct test_bounds *bounds)
{
    return (test_optimum(market) - bounds->none) / (bounds->full - bounds->none);
}

/* ---- Every choice ---- */

/* A search through all sets of pairs of a seller and a buyer. */
struct search {
    struct pw_market *market;
    const struct test_bounds *bounds;
    int peers, n_pairs, n_taken, n_best;
    struct pw_pair pairs[MOST_EXHAUSTIVE * MOST_EXHAUSTIVE / 4], taken[MOST_EXHAUSTIVE * MOST_EXHAUSTIVE / 4],
        best_taken[MOST_EXHAUSTIVE * MOST_EXHAUSTIVE / 4];
    int degree[MOST_EXHAUSTIVE];
    double best;
};

static int fits(const struct search *search, int k)
{
    return search->degree[search->pairs[k].a] < search->peers &&
           search->degree[search->pairs[k].b] < search->peers;
}

static int is_taken(const struct search *search, int k)
{
    for (int t = 0; t < search->n_taken; t++) {
        if (search->taken[t].a == search->pairs[k].a && search->taken[t].b == search->pairs[k].b)
            return 1;
    }
    return 0;
}

/* Judges the pairs taken, unless one more would fit: links do no harm. */
static void judge(struct search *search)
{
    for (int k = 0; k < search->n_pairs; k++) {
        if (fits(search, k) && !is_taken(search, k))
            return;
    }
    pw_links_install(search->market, search->taken, search->n_taken, 1, 0.0);
    double share = test_share(search->market, search->bounds);
    if (!(share > search->best))
        return;
    search->best = share;
    search->n_best = search->n_taken;
    for (int t = 0; t < search->n_taken; t++)
        search->best_taken[t] = search->taken[t];
}

static void try_from(struct search *search, int k)
{
    if (k == search->n_pairs) {
        judge(search);
        return;
    }
    if (fits(search, k)) {
        search->taken[search->n_taken++] = search->pairs[k];
        search->degree[search->pairs[k].a]++;
        search->degree[search->pairs[k].b]++;
        try_from(search, k + 1);
        search->degree[search->pairs[k].a]--;
        search->degree[search->pairs[k].b]--;
        search->n_taken--;
    }
    try_from(search, k + 1);
}

double test_best_share(struct pw_market *market, int peers, const struct test_bounds *bounds)
{
    struct search search = {.market = market, .bounds = bounds, .peers = peers, .best = -INFINITY};
    if (market->n_agents > MOST_EXHAUSTIVE)
        abort();
    for (int i = 0; i < market->n_agents; i++) {
        for (int j = 0; j < market->n_agents; j++) {
            if (pw_market_agent_p_max(market, i, 0) > 0.0 && pw_market_agent_p_max(market, j, 0) <= 0.0)
                search.pairs[search.n_pairs++] = (struct pw_pair){i, j};
        }
    }
    try_from(&search, 0);
    pw_links_install(market, search.best_taken, search.n_best, 1, 0.0);
    return search.best;
}

/* ---- The best matching ---- */

/* The welfare of a seller and a buyer left to themselves; very bad if they cannot balance. */
static double pair_welfare(const struct pw_market *market, int i, int j)
{
    const double rows[2][5] = {{0, market->p_min[i], market->p_max[i], market->a[i], market->b[i]},
                               {1, market->p_min[j], market->p_max[j], market->a[j], market->b[j]}};
    struct pw_market *pair = test_market_of(2, 2, rows);
    test_link_all(pair);
    double welfare = test_optimum(pair);
    pw_market_destroy(pair);
    return isnan(welfare) ? -1e9 : welfare;
}

/* Sellers and buyers, what each pair is worth, and who is with whom (-1: nobody). */
struct matching {
    int size;
    double *worth;             /* [size * size] buyer, seller */
    int *seller_of, *buyer_of; /* [size] */
};

/* Matches one more buyer by the best chain of changes: longest paths from it to each seller, by relaxing
 * (Bellman and Ford). */
static void augment(struct matching *matching, int buyer)
{
    int size = matching->size, changed = 1, best = -1;
    double *length = pw_alloc((size_t)size, sizeof *length);
    int *from = pw_alloc((size_t)size, sizeof *from);
    for (int s = 0; s < size; s++) {
        length[s] = matching->worth[buyer * size + s];
        from[s] = buyer;
    }
    while (changed) {
        changed = 0;
        for (int s = 0; s < size; s++) {
            int b = matching->buyer_of[s];
            for (int other = 0; b >= 0 && other < size; other++) {
                double value = length[s] - matching->worth[b * size + s] + matching->worth[b * size + other];
                if (value <= length[other] + 1e-9)
                    continue;
                length[other] = value;
                from[other] = b;
                changed = 1;
            }
        }
    }
    for (int s = 0; s < size; s++) {
        if (matching->buyer_of[s] < 0 && (best < 0 || length[s] > length[best]))
            best = s;
    }
    for (int s = best, b = -1; b != buyer;) {
        b = from[s];
        int left = matching->seller_of[b];
        matching->seller_of[b] = s;
        matching->buyer_of[s] = b;
        s = left;
    }
    free(length);
    free(from);
}

double test_best_matching(struct pw_market *market, const struct test_bounds *bounds)
{
    int size = market->n_agents / 2; /* the first half buys, the others sell */
    struct matching matching = {.size = size};
    struct pw_pair *pairs = pw_alloc((size_t)size, sizeof *pairs);
    matching.worth = pw_alloc((size_t)(size * size), sizeof(double));
    matching.seller_of = pw_alloc((size_t)size, 2 * sizeof(int));
    matching.buyer_of = matching.seller_of + size;
    for (int k = 0; k < size * size; k++)
        matching.worth[k] = pair_welfare(market, size + k % size, k / size);
    for (int k = 0; k < size; k++)
        matching.seller_of[k] = matching.buyer_of[k] = -1;
    for (int k = 0; k < size; k++)
        augment(&matching, k);
    for (int k = 0; k < size; k++)
        pairs[k] = (struct pw_pair){k, size + matching.seller_of[k]};
    pw_links_install(market, pairs, size, 1, 0.0);
    free(pairs);
    free(matching.worth);
    free(matching.seller_of);
    return test_share(market, bounds);
}
