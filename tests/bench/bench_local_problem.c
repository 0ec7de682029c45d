/* The local problem as a negotiation solves it, warm-started while its targets drift, beside plain bisection
 * on the same data: nanoseconds per trade, passes over the trades, and the ratio of the two. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/local_problem.h"
#include "common/memory.h"
#include "tests/bench/bench.h"
#include "tests/unit/random_market.h"

enum { MOST_TRADES = 499, DRIFTS = 16 };

struct setting {
    struct pw_local_problem problem;
    double p_min[3], p_max[3], a[3], b[3], p[3];
    double *targets[DRIFTS], *slope, *dead, *t_min, *t_max, *t;
    int drift, solves;
    double price;
    long passes;
};

static void draw_trades(struct setting *setting, struct test_rng *rng, int n)
{
    for (int k = 0; k < n; k++) {
        setting->slope[k] = test_uniform(rng, .5, 2);
        setting->dead[k] = test_below(rng, 2) ? test_uniform(rng, 0, .2) : 0;
        setting->t_min[k] = -INFINITY;
        setting->t_max[k] = test_below(rng, 4) ? INFINITY : 1;
        setting->targets[0][k] = 5 * setting->slope[k] + test_uniform(rng, -2, 2);
    }
    for (int d = 1; d < DRIFTS; d++) {
        for (int k = 0; k < n; k++)
            setting->targets[d][k] = setting->targets[d - 1][k] + test_uniform(rng, -.1, .1);
    }
}

static void make(struct setting *setting, int n)
{
    struct test_rng rng = test_rng((uint64_t)n);
    *setting = (struct setting){.solves = 200000 / (n + 20) + 1};
    double **arrays[] = {&setting->slope, &setting->dead, &setting->t_min, &setting->t_max, &setting->t};
    for (int i = 0; i < 5; i++)
        *arrays[i] = pw_alloc((size_t)n, sizeof(double));
    for (int d = 0; d < DRIFTS; d++)
        setting->targets[d] = pw_alloc((size_t)n, sizeof(double));
    for (int i = 0; i < 3; i++) {
        setting->p_min[i] = 0;
        setting->p_max[i] = n * 4.0;
        setting->a[i] = i < 2 ? test_uniform(&rng, .05, .15) / n * 10 : 0;
        setting->b[i] = test_uniform(&rng, 2, 8);
    }
    draw_trades(setting, &rng, n);
    setting->problem = (struct pw_local_problem){
        3,         setting->p_min,      setting->p_max, setting->a,    setting->b,     setting->p,
        n,         setting->targets[0], setting->slope, setting->dead, setting->t_min, setting->t_max,
        setting->t};
}

static void release(struct setting *setting)
{
    double *arrays[] = {setting->slope, setting->dead, setting->t_min, setting->t_max, setting->t};
    for (int i = 0; i < 5; i++)
        free(arrays[i]);
    for (int d = 0; d < DRIFTS; d++)
        free(setting->targets[d]);
}

/* Targets go to and fro, so that no step is larger than in a negotiation under way. */
static void drift(struct setting *setting)
{
    int d = setting->drift++ % (2 * DRIFTS - 2);
    setting->problem.target = setting->targets[d < DRIFTS ? d : 2 * DRIFTS - 2 - d];
}

static void solve(void *context)
{
    struct setting *setting = context;
    setting->passes = 0;
    for (int i = 0; i < setting->solves; i++) {
        drift(setting);
        struct pw_local_solution solution = pw_local_solve(&setting->problem, setting->price);
        setting->price = solution.price;
        setting->passes += solution.passes;
    }
}

/* Supply minus sales at a price, written without a thought for speed. */
static double surplus(const struct pw_local_problem *problem, double m)
{
    double sum = 0;
    for (int i = 0; i < problem->n_assets; i++) {
        double p = problem->a[i] > 0   ? (m - problem->b[i]) / problem->a[i]
                   : m > problem->b[i] ? problem->p_max[i]
                                       : problem->p_min[i];
        sum += fmin(fmax(p, problem->p_min[i]), problem->p_max[i]);
    }
    for (int k = 0; k < problem->n_trades; k++) {
        double wish = problem->target[k] - problem->slope[k] * m, size = fabs(wish) - problem->dead[k];
        sum -= fmin(fmax(size > 0 ? copysign(size, wish) : 0, problem->t_min[k]), problem->t_max[k]);
    }
    return sum;
}

static void bisect(void *context)
{
    struct setting *setting = context;
    for (int i = 0; i < setting->solves; i++) {
        double low = -100, high = 100;
        drift(setting);
        while (high - low > 1e-9) {
            double middle = (low + high) / 2;
            if (surplus(&setting->problem, middle) > 0)
                high = middle;
            else
                low = middle;
        }
        setting->price = low;
    }
}

int main(void)
{
    pw_memory_keep();
    static const int sizes[] = {1, 9, 24, 99, MOST_TRADES};
    printf("local problem, 3 assets, warm start, one core, median of 9:\n");
    printf("%7s %12s %12s %10s %16s %9s\n", "trades", "ns/solve", "ns/trade", "passes", "bisection ns",
           "ratio");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct setting setting;
        make(&setting, sizes[i]);
        double ours = bench_median_ns(solve, &setting, 9) / setting.solves;
        double passes = (double)setting.passes / setting.solves;
        setting.solves = setting.solves / 20 + 1;
        double theirs = bench_median_ns(bisect, &setting, 5) / setting.solves;
        printf("%7d %12.1f %12.2f %10.2f %16.1f %9.1f\n", sizes[i], ours, ours / sizes[i], passes, theirs,
               theirs / ours);
        release(&setting);
    }
    return 0;
}
