/* The ways to choose few peers (docs/choosing.md), by the share of the full market's gain from trade that
 * they keep, each market solved centrally on its links. Prints the tables of that page; with a path, writes
 * every single share there as CSV, for run_scripts/figures/choosing.py. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/links.h"
#include "common/memory.h"
#include "tests/unit/choosing.h"
#include "tests/unit/random_market.h"

enum { MARKETS = 50, AGENTS = 40, MOST_PEERS = 8, SLOTS = 30 };
enum { SMALL_MARKETS = 20, SMALL_AGENTS = 8, SMALL_PEERS = 3 };

enum way { RANDOM, NEAREST, GREEDY, PLANNED, ADAPTIVE, BLIND, UNCAPPED, BEST, N_WAYS };
static const char *const way_names[N_WAYS] = {"random",   "nearest", "greedy",   "planned",
                                              "adaptive", "blind",   "uncapped", "best"};
static const char *const recipe_names[N_RECIPES] = {"even", "free", "few", "mixed"};

static FILE *csv;

/* ---- Choices ---- */

static struct pw_links_spec spec_of(enum way way, int peers, int replicate)
{
    return test_choice(way < BLIND ? (int)way : PW_CHOOSE_RANDOM, peers, 1 + replicate, way != BLIND);
}

/* Drops the links that join two buyers or two sellers, and the resale with them. */
static void keep_sales(struct pw_market *market)
{
    struct pw_pair *pairs = pw_alloc((size_t)market->n_links, sizeof *pairs);
    struct pw_links_spec sides = {.among_sides = 1};
    int count = 0;
    for (int l = 0; l < market->n_links; l++) {
        if (pw_choose_allowed(market, &sides, market->link_a[l], market->link_b[l]))
            pairs[count++] = (struct pw_pair){market->link_a[l], market->link_b[l]};
    }
    pw_links_install(market, pairs, count, 1, 0.0);
    free(pairs);
}

/* The share that a way keeps; leaves the market with its links. */
static double share_of(struct pw_market *market, const struct test_bounds *bounds, enum way way,
                       const struct pw_links_spec *spec)
{
    if (way == BEST)
        return test_best_matching(market, bounds);
    test_build(market, spec);
    if (way == BLIND)
        keep_sales(market);
    if (way == UNCAPPED) { /* as many links, drawn by themselves */
        int buyers = 0, n = market->n_agents;
        for (int i = 0; i < n; i++)
            buyers += pw_market_agent_p_max(market, i, 0) <= 0.0;
        test_build(market,
                   &(struct pw_links_spec){.kind = PW_LINKS_RANDOM,
                                           .density = market->n_links / (double)(buyers * (n - buyers)),
                                           .seed = spec->seed,
                                           .among_sides = 1});
    }
    for (int slot = 0; way == ADAPTIVE && slot < SLOTS && !isnan(test_optimum(market)); slot++)
        test_adapt(market, spec, slot);
    return test_share(market, bounds);
}

/* ---- Tables ---- */

static void note(const char *table, const char *recipe, const char *way, int peers, int slot, int market,
                 double share)
{
    if (csv != NULL)
        fprintf(csv, "%s,%s,%s,%d,%d,%d,%.9f\n", table, recipe, way, peers, slot, market, share);
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* Cuts, so that 100.00 is what nothing is lost of but rounding. */
static double percent(double share)
{
    return floor(1e4 * share + 1e-3) / 100.0;
}

/* " min / median / mean |" in percent of those that have a solution, and how many have none; then `more`.
 * Sorts. */
static void print_cell(double *shares, int count, const char *more)
{
    double sum = 0.0;
    int known = 0;
    for (int m = 0; m < count; m++) {
        if (isnan(shares[m]))
            continue;
        sum += shares[m];
        shares[known++] = shares[m];
    }
    qsort(shares, (size_t)known, sizeof *shares, ascending);
    if (known > 0)
        printf(" %.2f / %.2f / %.2f", percent(shares[0]),
               percent((shares[(known - 1) / 2] + shares[known / 2]) / 2.0), percent(sum / known));
    if (known < count)
        printf(" (%d without solution)", count - known);
    printf("%s |", more);
}

static void print_head(const char *title, int first, int last)
{
    printf("\n%s\n\n| |", title);
    for (int k = first; k <= last; k++)
        printf(" K = %d |", k);
    printf("\n|---|");
    for (int k = first; k <= last; k++)
        printf("---|");
    printf("\n");
}

/* A comparison of the ways on the markets of a recipe. */
struct comparison {
    enum test_recipe recipe;
    int resale; /* links among all, both ways */
    const char *name, *title;
    int first, last; /* peers */
};

static const struct comparison comparisons[] = {
    {RECIPE_EVEN, 0, "even", "**even**: 20 buyers that must buy 1 to 3, 20 sellers", 1, MOST_PEERS},
    {RECIPE_FREE, 0, "free", "**free**: the same, but nobody must buy", 1, 5},
    {RECIPE_FEW, 0, "few", "**few**: 32 buyers, 8 sellers four times as large", 4, MOST_PEERS},
    {RECIPE_MIXED, 0, "mixed", "**mixed**: even, buyers with plants of their own", 1, 5},
    {RECIPE_EVEN, 1, "resale", "**resale**: even, but everybody may be linked with everybody and sell on", 1,
     5},
};

/* Whether a way is of use there: among all there is nothing to be blind for, and the best is known where each
 * buyer has a seller. */
static int applies(const struct comparison *on, enum way way)
{
    int halves = !on->resale && (on->recipe == RECIPE_EVEN || on->recipe == RECIPE_FREE);
    return way <= ADAPTIVE || halves;
}

static void compare_row(const struct comparison *on, enum way way)
{
    printf("| %s |", way_names[way]);
    for (int k = on->first; k <= on->last && !(way == BEST && k > 1); k++) {
        double shares[MARKETS];
        for (int m = 0; m < MARKETS; m++) {
            struct pw_market *market = test_recipe(on->recipe, AGENTS, m);
            struct test_bounds bounds = test_bounds(market);
            struct pw_links_spec spec = spec_of(way, k, m);
            spec.among_sides = spec.among_sides && !on->resale;
            shares[m] = share_of(market, &bounds, way, &spec);
            note("compare", on->name, way_names[way], k, SLOTS, m, shares[m]);
            pw_market_destroy(market);
        }
        print_cell(shares, MARKETS, "");
        fflush(stdout);
    }
    printf("\n");
}

static void compare(const struct comparison *on)
{
    print_head(on->title, on->first, on->last);
    for (enum way way = RANDOM; way < N_WAYS; way++) {
        if (applies(on, way))
            compare_row(on, way);
    }
}

/* ---- Repetitions ---- */

/* Tomorrow: limits half to one and a half times as large, prices moved by up to one; musts stay. */
static void change_offers(struct pw_market *market, const struct pw_market *base, uint64_t seed)
{
    struct test_rng rng = test_rng(seed);
    for (int i = 0; i < base->n_assets; i++) {
        double factor = test_uniform(&rng, 0.5, 1.5);
        market->b[i] = base->b[i] + test_uniform(&rng, -1.0, 1.0);
        if (base->p_max[i] > 0.0)
            market->p_max[i] = base->p_max[i] * factor;
        else
            market->p_min[i] = fmin(base->p_min[i] * factor, base->p_max[i]);
    }
}

/* The bounds of a market with other links. */
static struct test_bounds bounds_aside(const struct pw_market *like, const struct pw_market *changed)
{
    struct pw_market *full = pw_market_create(like->n_agents, 1, like->n_assets, 0);
    size_t size = (size_t)like->n_assets * sizeof(double);
    memcpy(full->asset_first, changed->asset_first, (size_t)(like->n_agents + 1) * sizeof(int));
    memcpy(full->p_min, changed->p_min, size);
    memcpy(full->p_max, changed->p_max, size);
    memcpy(full->a, changed->a, size);
    memcpy(full->b, changed->b, size);
    struct test_bounds bounds = test_bounds(full);
    pw_market_destroy(full);
    return bounds;
}

static void repeat(enum test_recipe recipe, enum way way, int peers, int changing, int m, double *shares)
{
    struct pw_market *base = test_recipe(recipe, AGENTS, m), *market = test_recipe(recipe, AGENTS, m);
    struct pw_links_spec spec = spec_of(way, peers, m);
    test_build(market, &spec);
    for (int slot = 0; slot <= SLOTS; slot++) {
        if (changing && slot > 0)
            change_offers(market, base, (uint64_t)(1 + m * (SLOTS + 1) + slot));
        struct test_bounds bounds = bounds_aside(base, market);
        shares[slot] = test_share(market, &bounds);
        note(changing ? "changing" : "repeated", recipe_names[recipe], way_names[way], peers, slot, m,
             shares[slot]);
        if (way == ADAPTIVE && !isnan(shares[slot]))
            test_adapt(market, &spec, slot);
    }
    pw_market_destroy(market);
    pw_market_destroy(base);
}

/* What was traded in so many slots, for every market: one column of the table. */
struct span {
    int first, last;
};
static const struct span once[] = {{0, 0}, {1, 1}, {2, 2}, {3, 3}, {5, 5}, {10, 10}, {20, 20}, {30, 30}},
                         changing_spans[] = {{0, 0}, {1, 10}, {11, 20}, {21, 30}};
enum { N_ONCE = sizeof once / sizeof *once, N_CHANGING = sizeof changing_spans / sizeof *changing_spans };

static void print_span(double (*shares)[SLOTS + 1], struct span span)
{
    double column[MARKETS * SLOTS];
    int count = 0;
    for (int m = 0; m < MARKETS; m++) {
        for (int slot = span.first; slot <= span.last; slot++)
            column[count++] = shares[m][slot];
    }
    print_cell(column, count, "");
}

static void repeated_row(enum test_recipe recipe, int peers, enum way way, int changing)
{
    static double shares[MARKETS][SLOTS + 1];
    for (int m = 0; m < MARKETS; m++)
        repeat(recipe, way, peers, changing, m, shares[m]);
    printf("| %s | %d | %s |", recipe_names[recipe], peers, way_names[way]);
    for (int s = 0; s < (changing ? N_CHANGING : N_ONCE); s++)
        print_span(shares, changing ? changing_spans[s] : once[s]);
    printf("\n");
    fflush(stdout);
}

static void print_repeated(const char *title, int changing)
{
    static const struct {
        enum test_recipe recipe;
        int peers;
    } rows[] = {{RECIPE_EVEN, 1}, {RECIPE_EVEN, 2}, {RECIPE_EVEN, 3}, {RECIPE_EVEN, 5},
                {RECIPE_FEW, 4},  {RECIPE_FEW, 5},  {RECIPE_FEW, 6}};
    printf("\n%s\n\n| market | K | way |", title);
    for (int s = 0; s < (changing ? N_CHANGING : N_ONCE); s++) {
        struct span span = changing ? changing_spans[s] : once[s];
        printf(span.first < span.last ? " %d to %d |" : " %d |", span.first, span.last);
    }
    printf("\n|---|---|---|%s\n", changing ? "---|---|---|---|" : "---|---|---|---|---|---|---|---|");
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        for (enum way way = RANDOM; way <= ADAPTIVE; way++) {
            if (way == ADAPTIVE || (changing && way != NEAREST))
                repeated_row(rows[r].recipe, rows[r].peers, way, changing);
        }
    }
}

/* ---- Against every choice ---- */

static double small_share(enum way way, int peers, int m)
{
    struct pw_market *market = test_recipe(RECIPE_EVEN, SMALL_AGENTS, m);
    struct test_bounds bounds = test_bounds(market);
    struct pw_links_spec spec = spec_of(way, peers, m);
    double share =
        way == BEST ? test_best_share(market, peers, &bounds) : share_of(market, &bounds, way, &spec);
    note("small", "even", way_names[way], peers, 0, m, share);
    pw_market_destroy(market);
    return share;
}

static void print_exhaustive(void)
{
    double best[SMALL_PEERS + 1][SMALL_MARKETS];
    print_head(
        "4 buyers and 4 sellers, 20 markets: share of the gain of the best choice there is, of all; and in "
        "how many markets within 0.01 % of it",
        1, SMALL_PEERS);
    for (int k = 1; k <= SMALL_PEERS; k++) {
        for (int m = 0; m < SMALL_MARKETS; m++)
            best[k][m] = small_share(BEST, k, m);
    }
    for (enum way way = RANDOM; way <= ADAPTIVE; way++) {
        printf("| %s |", way_names[way]);
        for (int k = 1; k <= SMALL_PEERS; k++) {
            double shares[SMALL_MARKETS];
            char equal_text[20];
            int equal = 0;
            for (int m = 0; m < SMALL_MARKETS; m++) {
                shares[m] = small_share(way, k, m) / best[k][m];
                equal += shares[m] > 1.0 - 1e-4;
            }
            snprintf(equal_text, sizeof equal_text, "; %d", equal);
            print_cell(shares, SMALL_MARKETS, equal_text);
        }
        printf("\n");
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    pw_memory_keep();
    csv = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (argc > 1 && csv == NULL) {
        perror(argv[1]);
        return 5;
    }
    if (csv != NULL)
        fprintf(csv, "table,market,way,peers,slot,replicate,share\n");
    printf("Shares of the full market's gain from trade in %%: min / median / mean of %d markets of %d "
           "agents.\n",
           MARKETS, AGENTS);
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
        compare(&comparisons[i]);
    print_exhaustive();
    print_repeated("The same market again and again: after so many changes of peers", 0);
    print_repeated("Offers drawn anew for every slot: by slot", 1);
    return csv != NULL && fclose(csv) != 0 ? 5 : 0;
}
