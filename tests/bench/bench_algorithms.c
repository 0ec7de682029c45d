/* The algorithms of docs/algorithms.md on the same markets, at equal accuracy: synchronous rounds, all offers
 * delivered, then everybody fires who is ready, until the welfare of the agreed trades stays within a gap of
 * the centralised optimum. Prints the table of that page. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/case.h"
#include "common/memory.h"
#include "common/penalty.h"
#include "coordinator/clock.h"
#include "coordinator/reference.h"
#include "tests/unit/rounds.h"

static const double GAP = 1e-4;
enum { MOST_ROUNDS = 20000, MOST_MARKETS = 20, MOST_OVERRIDES = 4 };

/* ---- Markets ---- */

struct source {
    const char *title, *path;
    int n_markets; /* replicates of the recipe and of its links */
    const char *overrides[MOST_OVERRIDES];
};

static const struct source sources[] = {
    {"25 agents, every consumer with every producer",
     "configs/cases/random.yaml",
     20,
     {"market.generate.agents=25", "market.links=sides"}},
    {"100 agents, each with 10 peers",
     "configs/cases/random.yaml",
     10,
     {"market.links={peers: 5, among: sides}"}},
    {"ieee39: 31 agents, every pair", "configs/cases/ieee39.yaml", 1, {NULL}},
    {"street: 13 agents, every pair, fees, fixed and linear assets", "configs/cases/street.yaml", 1, {NULL}},
};

static struct pw_case *load(const struct source *source, int replicate)
{
    struct pw_case *loaded;
    struct pw_error err = {.text = ""};
    struct pw_case_variant variant = {
        .path = source->path, .overrides = source->overrides, .replicate = replicate};
    while (variant.n_overrides < MOST_OVERRIDES && source->overrides[variant.n_overrides] != NULL)
        variant.n_overrides++;
    if (pw_case_load_variant(&variant, &loaded, &err) != PW_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return loaded;
}

/* The same agents, each linked with an operator and nobody else: the last agent, which has no power. */
static struct pw_market *star_of(const struct pw_market *market)
{
    int n = market->n_agents, assets = market->n_assets;
    struct pw_market *star = pw_market_create(n + 1, 1, assets + 1, n);
    memcpy(star->asset_first, market->asset_first, (size_t)(n + 1) * sizeof(int));
    star->asset_first[n + 1] = assets + 1;
    for (int i = 0; i < assets; i++) {
        star->p_min[i] = market->p_min[i];
        star->p_max[i] = market->p_max[i];
        star->a[i] = market->a[i];
        star->b[i] = market->b[i];
    }
    for (int l = 0; l < n; l++) {
        star->link_a[l] = l;
        star->link_b[l] = n;
    }
    pw_market_index(star);
    return star;
}

/* ---- Algorithms ---- */

struct algorithm {
    const char *title;
    const char *overrides[MOST_OVERRIDES];
    int on_star; /* true: where the market is a pool, as a star round an operator */
};

static const struct algorithm algorithms[] = {
    {"`paired`", {NULL}, 0},
    {"`paired` with the inner ADMM (11)", {"negotiation.solver=inner_admm"}, 0},
    {"`stale`: (5), nobody late", {"negotiation.exchange=stale"}, 0},
    {"`innovation`", {"negotiation.exchange=innovation"}, 0},
    {"`innovation`, nothing conceded",
     {"negotiation.exchange=innovation", "negotiation.concession=0", "negotiation.innovation=0.3",
      "negotiation.bounds=0.1"},
     0},
    {"`pool`: (2) on a star", {"negotiation.exchange=pool"}, 1},
    {"`paired` on the same star", {NULL}, 1},
};

enum { N_ALGORITHMS = sizeof algorithms / sizeof *algorithms };

/* What one algorithm took on one market. */
struct taken {
    int applies, reached;
    double rounds, offers, inner_steps, time_s, price_error;
};

/* One market, what is known of it, and how it is to be negotiated. */
struct scene {
    const struct pw_market *market;
    struct pw_settings settings;
    double optimum, price; /* welfare and mean price of the reference */
    double *trade;         /* [n_links] scratch */
};

static double mean_price(const struct rounds *rounds, const double *trade)
{
    const struct pw_market *market = rounds->market;
    double sum = 0, weight = 0;
    for (int l = 0; l < market->n_links; l++) {
        double a = rounds->agents[market->link_a[l]]->price[0],
               b = rounds->agents[market->link_b[l]]->price[0];
        sum += fabs(trade[l]) * (a + b) / 2;
        weight += fabs(trade[l]);
    }
    return sum / weight;
}

static struct pw_settings settings_of(const struct algorithm *algorithm)
{
    struct pw_settings settings;
    struct pw_error err = {.text = ""};
    pw_settings_default(&settings);
    settings.criterion = PW_CRITERION_GLOBAL;
    for (int i = 0; i < MOST_OVERRIDES && algorithm->overrides[i] != NULL; i++) {
        if (pw_settings_override(&settings, algorithm->overrides[i], &err) != PW_OK) {
            fprintf(stderr, "%s\n", err.text);
            exit(1);
        }
    }
    return settings;
}

static long most_fires(const struct rounds *rounds)
{
    long most = 0;
    for (int n = 0; n < rounds->market->n_agents; n++)
        most = rounds->agents[n]->fires > most ? rounds->agents[n]->fires : most;
    return most;
}

static double gap_now(const struct rounds *rounds, const struct scene *scene)
{
    rounds_agreed(rounds, scene->trade);
    return fabs(scene->optimum - rounds_welfare(scene->market, scene->trade)) / fabs(scene->optimum);
}

/* For how long a gap must hold to count as held for good. */
static int held_for_good(int needed)
{
    return needed + needed / 2 + 40;
}

/* Steps after which the gap holds for good; more than MOST_ROUNDS if that is not seen within half as many
 * more. */
static int steps_needed(const struct scene *scene)
{
    struct rounds rounds = rounds_begin_as(scene->market, &scene->settings);
    int needed = 0;
    for (int step = 1; needed <= MOST_ROUNDS && step <= held_for_good(needed); step++) {
        rounds_step(&rounds);
        if (!(gap_now(&rounds, scene) <= GAP))
            needed = step + 1;
    }
    rounds_end(&rounds);
    return needed;
}

static struct taken measure(const struct scene *scene)
{
    struct taken taken = {0};
    int steps = steps_needed(scene);
    taken.reached = steps <= MOST_ROUNDS;
    if (!taken.reached)
        return taken;
    struct rounds rounds = rounds_begin_as(scene->market, &scene->settings);
    int64_t start = pw_clock_ns();
    for (int step = 0; step < steps; step++)
        rounds_step(&rounds);
    taken.time_s = (double)(pw_clock_ns() - start) * 1e-9;
    taken.rounds = (double)most_fires(&rounds);
    taken.offers = (double)rounds.offers;
    for (int n = 0; n < scene->market->n_agents; n++)
        taken.inner_steps +=
            (double)rounds.agents[n]->inner_steps / (double)rounds.agents[n]->fires / scene->market->n_agents;
    rounds_agreed(&rounds, scene->trade);
    taken.price_error =
        fabs(mean_price(&rounds, scene->trade) - scene->price) / pw_market_scales(scene->market).price;
    rounds_end(&rounds);
    return taken;
}

static struct pw_reference solve(const struct pw_market *market)
{
    struct pw_reference reference;
    struct pw_error err = {.text = ""};
    if (pw_reference_solve(market, &reference, &err) != PW_OK)
        fprintf(stderr, "reference: %s\n", err.text);
    return reference;
}

static struct taken measure_on(const struct pw_market *market, const struct pw_reference *reference,
                               const struct algorithm *algorithm)
{
    struct scene scene = {.market = market,
                          .settings = settings_of(algorithm),
                          .optimum = reference->social_welfare,
                          .price = reference->price_mean,
                          .trade = pw_alloc((size_t)market->n_links, sizeof(double))};
    struct taken taken = measure(&scene);
    free(scene.trade);
    return taken;
}

static void measure_all(const struct pw_market *market, struct taken taken[N_ALGORITHMS])
{
    struct pw_reference reference = solve(market);
    struct pw_market *star = pw_reference_is_pool(market) ? star_of(market) : NULL;
    for (int i = 0; i < N_ALGORITHMS; i++) {
        const struct pw_market *on = algorithms[i].on_star ? star : market;
        taken[i] = on != NULL ? measure_on(on, &reference, &algorithms[i]) : (struct taken){0};
        taken[i].applies = on != NULL;
    }
    pw_market_destroy(star);
}

/* ---- The table ---- */

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

enum { ROUNDS, OFFERS, INNER, TIME, PRICE, N_COLUMNS };

static double column(const struct taken *taken, int which)
{
    const double values[N_COLUMNS] = {taken->rounds, taken->offers, taken->inner_steps, taken->time_s,
                                      taken->price_error};
    return values[which];
}

static void print_row(const char *title, struct taken (*taken)[N_ALGORITHMS], int i, int n_markets)
{
    double sorted[N_COLUMNS][MOST_MARKETS];
    int n_reached = 0;
    for (int k = 0; k < n_markets; k++) {
        if (!taken[k][i].reached)
            continue;
        for (int c = 0; c < N_COLUMNS; c++)
            sorted[c][n_reached] = column(&taken[k][i], c);
        n_reached++;
    }
    printf("| %s | %d of %d |", title, n_reached, n_markets);
    if (n_reached == 0) {
        printf(" | | | | | |\n");
        return;
    }
    for (int c = 0; c < N_COLUMNS; c++)
        qsort(sorted[c], (size_t)n_reached, sizeof(double), ascending);
    int middle = n_reached / 2, last = n_reached - 1;
    printf(" %.0f | %.0f | %.0f |", sorted[ROUNDS][middle], sorted[ROUNDS][last], sorted[OFFERS][middle]);
    if (sorted[INNER][middle] > 0)
        printf(" %.0f |", sorted[INNER][middle]);
    else
        printf(" |");
    printf(" %.2f | %.0e |\n", sorted[TIME][middle] * 1e3, sorted[PRICE][last]);
}

static void print_table(const struct source *source)
{
    struct taken taken[MOST_MARKETS][N_ALGORITHMS];
    for (int k = 0; k < source->n_markets; k++) {
        struct pw_case *loaded = load(source, k);
        measure_all(loaded->market, taken[k]);
        pw_case_destroy(loaded);
    }
    printf("\n**%s** (%d market%s)\n\n", source->title, source->n_markets, source->n_markets > 1 ? "s" : "");
    printf("| algorithm | reached | rounds | worst | offers | inner steps | ms | price error |\n"
           "|---|---|---|---|---|---|---|---|\n");
    for (int i = 0; i < N_ALGORITHMS; i++) {
        if (taken[0][i].applies)
            print_row(algorithms[i].title, taken, i, source->n_markets);
    }
    fflush(stdout);
}

int main(void)
{
    pw_memory_keep();
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        print_table(&sources[i]);
    return 0;
}
