/* Synchronous rounds under the automatic penalty. First until the residuals of large markets are small; then,
 * at equal welfare gap, beside the best penalties set by hand: one rho for all links, and one multiple of the
 * rule's start values, both fixed and scanned over six decades. `bench_penalty full` takes all sizes and ten
 * markets a family, a few minutes; without it a sample. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/generate.h"
#include "common/links.h"
#include "common/memory.h"
#include "common/penalty.h"
#include "coordinator/reference.h"
#include "tests/unit/random_market.h"
#include "tests/unit/rounds.h"
#include "tests/unit/schedule.h"

enum { DECADES = 3, STEPS_PER_DECADE = 4, MOST_MARKETS = 100, MOST_ROUNDS = 4000, MOST_LARGE_ROUNDS = 1000 };

static const double GAPS[ROUNDS_GAPS] = {1e-4, 1e-6};

static struct pw_rules rules(int adapt, double relaxation)
{
    return (struct pw_rules){.exchange = PW_PAIRED,
                             .relaxation = relaxation,
                             .stiffness = 4,
                             .synchronous = 1,
                             .adapt_penalty = adapt};
}

static double *start_values(const struct pw_market *market)
{
    struct pw_scales scales = pw_market_scales(market);
    double *penalty = pw_alloc((size_t)market->n_links, sizeof(double));
    pw_penalty_fill(market, &scales, penalty);
    return penalty;
}

/* ---- Large two-sided markets, until the residuals hold ---- */

enum graph { MESH, PEERS, REGULAR, RANDOM };

/* Consumers and producers joined by `degree` random perfect matchings. */
static void link_regular(struct pw_market *market, int degree, uint64_t seed)
{
    struct test_rng rng = test_rng(seed);
    int half = market->n_agents / 2, l = 0, *partner = pw_alloc((size_t)half, sizeof(int));
    pw_market_set_link_count(market, half * degree);
    for (int i = 0; i < half; i++)
        partner[i] = half + i;
    for (int round = 0; round < degree; round++) {
        for (int i = half - 1; i > 0; i--) {
            int j = test_below(&rng, i + 1), swapped = partner[i];
            partner[i] = partner[j];
            partner[j] = swapped;
        }
        for (int i = 0; i < half; i++, l++) {
            market->link_a[l] = partner[i];
            market->link_b[l] = i;
            market->t_min[l] = 0;
        }
    }
    free(partner);
    pw_market_index(market);
}

static struct pw_market *large(int n, enum graph graph, int degree, int seed)
{
    struct pw_settings settings;
    struct pw_market *market;
    struct pw_error err = {.text = ""};
    static const enum pw_links_kind kinds[] = {PW_LINKS_SIDES, PW_LINKS_PEERS, PW_LINKS_SIDES,
                                               PW_LINKS_RANDOM};
    struct pw_links_spec spec = {
        .kind = kinds[graph], .among_sides = 1, .count = degree, .density = 2.0 * degree / n, .seed = seed};
    pw_settings_default(&settings);
    settings.generate_agents = n;
    settings.generate_seed = seed;
    if (pw_generate(&settings, &market, &err) != PW_OK)
        abort();
    if (graph == REGULAR)
        link_regular(market, degree, (uint64_t)seed);
    else if (pw_links_build(market, &spec, 0, &err) != PW_OK)
        abort();
    return market;
}

/* The optimum if everybody could trade with everybody: what no graph can exceed. */
static double pool_welfare(const struct pw_market *market)
{
    int n = market->n_agents;
    double(*rows)[5] = pw_alloc((size_t)market->n_assets, sizeof *rows);
    for (int i = 0, owner = 0; i < market->n_assets; i++) {
        while (market->asset_first[owner + 1] <= i)
            owner++;
        double row[5] = {owner, market->p_min[i], market->p_max[i], market->a[i], market->b[i]};
        memcpy(rows[i], row, sizeof row);
    }
    struct pw_market *pool = test_market_of(n + 1, market->n_assets, (const double(*)[5])rows);
    pw_market_set_link_count(pool, n);
    for (int i = 0; i < n; i++) {
        pool->link_a[i] = n;
        pool->link_b[i] = i;
    }
    pw_market_index(pool);
    struct pw_reference reference;
    struct pw_error err = {.text = ""};
    if (pw_reference_solve(pool, &reference, &err) != PW_OK)
        abort();
    pw_market_destroy(pool);
    free(rows);
    return reference.social_welfare;
}

static struct rounds_result until_residuals(const struct pw_market *market, double optimum, int adapt,
                                            double relaxation)
{
    double *penalty = start_values(market);
    struct rounds_options options = {.rules = rules(adapt, relaxation),
                                     .penalty = penalty,
                                     .optimum = optimum,
                                     .scale = fabs(optimum),
                                     .residual = 1e-2,
                                     .max_rounds = MOST_LARGE_ROUNDS};
    struct rounds_result result = rounds_run(market, &options);
    free(penalty);
    return result;
}

static void print_rounds(const struct rounds_result *result)
{
    if (result->residual > MOST_LARGE_ROUNDS)
        printf("   %8s         ", "never");
    else
        printf("   %4d (gap %8.1e)", result->residual, result->residual_gap);
}

static void row_of_large(int n, enum graph graph, int degree, int n_seeds)
{
    static const char *const names[] = {"full mesh", "asking for", "regular", "on average"};
    for (int seed = 1; seed <= n_seeds; seed++) {
        struct pw_market *market = large(n, graph, degree, seed);
        double optimum = pool_welfare(market), relaxation = pw_relaxation_auto(PW_PAIRED);
        printf("%6d %10s %3d %9d", n, names[graph], degree, market->n_links);
        struct rounds_result automatic = until_residuals(market, optimum, 1, relaxation);
        struct rounds_result plain = until_residuals(market, optimum, 1, 0.5);
        struct rounds_result fixed = until_residuals(market, optimum, 0, relaxation);
        print_rounds(&automatic);
        print_rounds(&plain);
        print_rounds(&fixed);
        printf("\n");
        fflush(stdout);
        pw_market_destroy(market);
    }
}

static void table_of_large(int full)
{
    static const int degrees[] = {10, 5};
    int largest = full ? 10000 : 1000;
    printf(
        "Rounds until primal and dual are 1e-2, and the welfare gap then (to the pool, which a sparse graph\n"
        "may not reach); `asking for`: each agent asks for so many random peers, so has twice as many.\n");
    printf("%6s %14s %9s %22s %22s %22s\n", "agents", "links of each", "links", "automatic", "relaxation 0.5",
           "start value kept");
    row_of_large(24, MESH, 0, 3);
    row_of_large(100, MESH, 0, 3);
    row_of_large(400, MESH, 0, 3);
    row_of_large(1000, MESH, 0, 1);
    if (full)
        row_of_large(3000, MESH, 0, 1);
    for (int i = 0; i < 2; i++) {
        row_of_large(largest, PEERS, degrees[i], 1);
        row_of_large(largest, REGULAR, degrees[i], 1);
    }
    row_of_large(largest, RANDOM, degrees[0], 1); /* with 5 some consumers have nobody: infeasible */
}

/* ---- Equal welfare gap, beside the best fixed penalties ---- */

/* Any family, dense or sparse, with or without fees, in units a thousandth to a thousand times as large. */
static struct pw_market *any_market(uint64_t seed)
{
    struct test_rng rng = test_rng(seed * 31 + 5);
    enum test_family family = (enum test_family)test_below(&rng, N_FAMILIES);
    int n = 8 + test_below(&rng, 50);
    double density = test_below(&rng, 2) ? 1 : test_uniform(&rng, .1, .4);
    struct pw_market *market = test_market(family, n, density, seed);
    double cost = pow(10, test_uniform(&rng, -3, 3)), power = pow(10, test_uniform(&rng, -3, 3));
    double most_fee = test_below(&rng, 2) ? 1 : 0;
    for (int l = 0; l < market->n_links; l++) {
        market->fee_a[l] += test_uniform(&rng, 0, most_fee);
        market->fee_b[l] += test_uniform(&rng, 0, most_fee);
    }
    test_scale_market(market, cost, power);
    return market;
}

static struct pw_market *family_market(int family, uint64_t seed)
{
    if (family == N_FAMILIES)
        return any_market(seed);
    double density = family == FAMILY_SPARSE_FEE ? .3 : family == FAMILY_BOTH_SIDES ? .5 : 1;
    return test_market((enum test_family)family, 24, density, seed + 100);
}

struct comparison {
    const struct pw_market *market;
    double optimum, scale;
    const double *start;
};

static void until_gap(const struct comparison *on, const double *penalty, int adapt, int most, int *rounds)
{
    struct rounds_options options = {.rules = rules(adapt, pw_relaxation_auto(PW_PAIRED)),
                                     .penalty = penalty,
                                     .optimum = on->optimum,
                                     .scale = on->scale,
                                     .gap = {GAPS[0], GAPS[1]},
                                     .max_rounds = most};
    struct rounds_result result = rounds_run(on->market, &options);
    memcpy(rounds, result.gap, sizeof result.gap);
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static double quantile(const double *sorted, int count, double share)
{
    int i = (int)ceil(share * count) - 1;
    return sorted[i < 0 ? 0 : i];
}

static double median_of(const double *values, int count)
{
    double *sorted = pw_alloc((size_t)count, sizeof *sorted);
    memcpy(sorted, values, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, ascending);
    double median = quantile(sorted, count, .5);
    free(sorted);
    return median;
}

/* The fewest rounds of any fixed penalty: the same on all links, or a multiple of each link's start value.
 * From the middle outwards, and no run goes on for long beyond the best so far. */
static void best_fixed(const struct comparison *on, int uniform, int *best)
{
    int n_links = on->market->n_links;
    double *penalty = pw_alloc((size_t)n_links, sizeof *penalty), middle = median_of(on->start, n_links);
    best[0] = best[1] = MOST_ROUNDS;
    for (int k = 0; k <= 2 * DECADES * STEPS_PER_DECADE; k++) {
        int step = (k + 1) / 2 * (k % 2 == 1 ? 1 : -1), rounds[ROUNDS_GAPS];
        double factor = pow(10, (double)step / STEPS_PER_DECADE);
        for (int l = 0; l < n_links; l++)
            penalty[l] = factor * (uniform ? middle : on->start[l]);
        until_gap(on, penalty, 0, best[1] + best[1] / 2 + 60, rounds);
        for (int i = 0; i < ROUNDS_GAPS; i++)
            best[i] = rounds[i] < best[i] ? rounds[i] : best[i];
    }
    free(penalty);
}

/* Ratios to the best uniform and the best shaped penalty, for both gaps. */
static void compare(int family, uint64_t seed, double ratio[2][ROUNDS_GAPS], double rounds[ROUNDS_GAPS])
{
    struct pw_market *market = family_market(family, seed);
    struct pw_reference reference;
    struct pw_error err = {.text = ""};
    struct pw_scales scales = pw_market_scales(market);
    double *start = start_values(market);
    if (pw_reference_solve(market, &reference, &err) != PW_OK)
        printf("(reference of %d, %lu: %s)\n", family, (unsigned long)seed, err.text);
    struct comparison on = {market, reference.social_welfare,
                            fabs(reference.social_welfare) + scales.price * scales.power, start};
    int automatic[ROUNDS_GAPS], best[ROUNDS_GAPS];
    until_gap(&on, start, 1, MOST_ROUNDS, automatic);
    for (int uniform = 0; uniform < 2; uniform++) {
        best_fixed(&on, uniform, best);
        for (int i = 0; i < ROUNDS_GAPS; i++)
            ratio[uniform][i] = (double)automatic[i] / best[i];
    }
    for (int i = 0; i < ROUNDS_GAPS; i++)
        rounds[i] = automatic[i];
    free(start);
    pw_market_destroy(market);
}

static void print_quantiles(double *values, int count, double high, const char *format)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    printf(format, quantile(values, count, .5), quantile(values, count, high), values[count - 1]);
}

static void row_of_family(int family, int count)
{
    double ratios[2][ROUNDS_GAPS][MOST_MARKETS], rounds[ROUNDS_GAPS][MOST_MARKETS];
    for (int seed = 1; seed <= count; seed++) {
        double ratio[2][ROUNDS_GAPS], taken[ROUNDS_GAPS];
        compare(family, (uint64_t)seed, ratio, taken);
        for (int i = 0; i < ROUNDS_GAPS; i++) {
            rounds[i][seed - 1] = taken[i];
            for (int uniform = 0; uniform < 2; uniform++)
                ratios[uniform][i][seed - 1] = ratio[uniform][i];
        }
    }
    printf("%-15s %3d", family == N_FAMILIES ? "mixed, scaled" : test_family_name((enum test_family)family),
           count);
    for (int i = 0; i < ROUNDS_GAPS; i++) {
        print_quantiles(rounds[i], count, .9, "  %4.0f/%4.0f/%4.0f");
        print_quantiles(ratios[1][i], count, .9, "  %.2f/%.2f/%.2f");
        print_quantiles(ratios[0][i], count, .9, "  %.2f/%.2f/%.2f");
    }
    printf("\n");
    fflush(stdout);
}

/* ---- Late and lost offers ---- */

/* Geometric mean over markets of the time until the optimality conditions hold to 1e-4, and how many never
 * met them. */
static double time_of(enum test_family family, double delta, double loss, double relaxation, int *n_failed)
{
    enum { MARKETS = 8 };
    double sum = 0;
    for (uint64_t seed = 501; seed <= 500 + MARKETS; seed++) {
        struct pw_market *market = test_market(family, 20, family == FAMILY_SPARSE_FEE ? .3 : .8, seed);
        struct schedule_options options = schedule_defaults(seed);
        options.delta_low = options.delta_high = delta;
        options.relaxation = relaxation;
        options.loss = loss;
        options.delay_high = loss > 0 ? 3 : 1.2;
        struct schedule_result result = schedule_run(market, &options);
        *n_failed += !result.converged;
        sum += log(result.time);
        pw_market_destroy(market);
    }
    return exp(sum / MARKETS);
}

static void table_of_delays(void)
{
    static const double deltas[] = {1, .9, .5, .3, .1, .02};
    int n_failed = 0;
    printf("\nTime until the optimality conditions hold to 1e-4, delays 0.8 to 1.2, or 0.8 to 3 and 20 %% "
           "lost:\n"
           "relaxation 0.5 > automatic, geometric mean of 8 markets of 20 agents.\n%-16s",
           "delta, loss");
    for (int d = 0; d < 6; d++)
        printf("   %4g, 0 %4g, .2", deltas[d], deltas[d]);
    printf("\n");
    for (int family = 0; family < N_FAMILIES; family++) {
        printf("%-16s", test_family_name((enum test_family)family));
        for (int d = 0; d < 6; d++) {
            double relaxation = pw_relaxation_auto(PW_PAIRED);
            for (double loss = 0; loss < .3; loss += .2)
                printf("  %3.0f>%3.0f", time_of((enum test_family)family, deltas[d], loss, .5, &n_failed),
                       time_of((enum test_family)family, deltas[d], loss, relaxation, &n_failed));
        }
        printf("\n");
    }
    printf("%d runs did not get there.\n", n_failed);
}

int main(int argc, char **argv)
{
    pw_memory_keep();
    int full = argc > 1 && strcmp(argv[1], "full") == 0;
    table_of_large(full);
    printf("\nRounds from which |welfare gap| stays below 1e-4 (first three columns) and 1e-6 (the others): "
           "the\n"
           "automatic penalty's rounds; their ratio to the best uniform fixed rho; their ratio to the best\n"
           "multiple of the start values. Each: median/90th percentile/worst over the markets.\n");
    for (int family = 0; family <= N_FAMILIES; family++)
        row_of_family(family, family == N_FAMILIES ? (full ? MOST_MARKETS : 10) : full ? 10 : 2);
    table_of_delays();
    return 0;
}
