/* The rows of the bulk path on one core: nanoseconds per directed trade and round, whatever the end of the
 * market, beside what one core's memory moves. A directed trade is an end of a link. */
#include <stdio.h>
#include <stdlib.h>

#include "common/generate.h"
#include "common/links.h"
#include "common/memory.h"
#include "coordinator/bulk_rows.h"
#include "coordinator/clock.h"
#include "tests/bench/bench.h"

enum { ROUNDS = 24, REPETITIONS = 5 };

#define LIMIT_KW 2.0
#define WANTED_BYTES 64.0

/* What trades have of their own, up to twice as much as others. */
enum own { NOTHING, FEES_BY_END, LIMIT_AND_FEE_BY_LINK };

struct shape {
    const char *name;
    int agents, peers; /* 0: everybody on the other side */
    enum pw_links_kind kind;
    double fee;
    enum own own;
    double wanted_ns;
};

static const struct shape shapes[] = {
    {"mesh", 18, 0, PW_LINKS_SIDES, 0.0, NOTHING, 3.0},
    {"mesh", 48, 0, PW_LINKS_SIDES, 0.0, NOTHING, 3.0},
    {"mesh", 198, 0, PW_LINKS_SIDES, 0.0, NOTHING, 1.5},
    {"mesh", 1000, 0, PW_LINKS_SIDES, 0.0, NOTHING, 1.5},
    {"mesh", 3000, 0, PW_LINKS_SIDES, 0.0, NOTHING, 1.5},
    {"mesh, fee", 1000, 0, PW_LINKS_SIDES, 0.01, NOTHING, 1.5},
    {"mesh, fees", 1000, 0, PW_LINKS_SIDES, 0.01, FEES_BY_END, 1.5},
    {"nearest", 10000, 10, PW_LINKS_NEAREST, 0.0, NOTHING, 3.0},
    {"random", 10000, 10, PW_LINKS_PEERS, 0.0, NOTHING, 8.0},
    {"random", 100000, 10, PW_LINKS_PEERS, 0.0, NOTHING, 8.0},
    {"random, fee", 100000, 10, PW_LINKS_PEERS, 0.01, NOTHING, 8.0},
    {"random, fees", 100000, 10, PW_LINKS_PEERS, 0.01, FEES_BY_END, 8.0},
    {"random, own", 100000, 10, PW_LINKS_PEERS, 0.01, LIMIT_AND_FEE_BY_LINK, 8.0},
};

static void set_own(struct pw_market *market, enum own own)
{
    for (int l = 0; l < market->n_links && own != NOTHING; l++) {
        market->fee_a[l] *= 1.0 + l % 7 / 6.0;
        market->fee_b[l] = own == FEES_BY_END ? market->fee_b[l] * (1.0 + l % 11 / 10.0) : market->fee_a[l];
        market->t_max[l] = own == FEES_BY_END ? market->t_max[l] : LIMIT_KW * (1.0 + l % 13 / 12.0);
    }
}

static struct pw_market *market_of(const struct shape *shape, struct pw_settings *settings)
{
    struct pw_market *market;
    struct pw_error err;
    pw_settings_default(settings);
    settings->generate_agents = shape->agents;
    struct pw_links_spec links = {.kind = shape->kind, .among_sides = 1, .count = shape->peers};
    if (pw_generate(settings, &market, &err) != PW_OK)
        abort();
    if (shape->kind == PW_LINKS_NEAREST) {
        market->x = pw_alloc((size_t)shape->agents, sizeof(double));
        market->y = pw_alloc((size_t)shape->agents, sizeof(double));
        for (int n = 0; n < shape->agents; n++)
            market->x[n] = n % 2 ? n : n + 1;
        links.among_sides = 0;
    }
    if (pw_links_build(market, &links, shape->fee, &err) != PW_OK)
        abort();
    set_own(market, shape->own);
    return market;
}

/* Seconds of one round, the mean of ROUNDS after two, Newton's passes per group and round, and bytes an end.
 */
static double time_rounds(const struct pw_market *market, const struct pw_settings *settings, double *passes,
                          double *bytes)
{
    struct pw_negotiation negotiation = {market, settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0, NULL, NULL};
    struct pw_placement placement = {market->n_agents, 1, NULL};
    struct pw_bulk_rows bulk;
    long count = 0;
    struct pw_bulk_terms terms = pw_bulk_terms_of(market);
    pw_bulk_rows_create(&negotiation, &terms, &placement, 0, &bulk);
    pw_bulk_terms_release(&terms);
    for (int round = 0; round < 2; round++)
        pw_rows_step(bulk.rows, 0);
    int64_t start_ns = pw_clock_ns();
    for (int round = 0; round < ROUNDS; round++)
        count += pw_rows_step(bulk.rows, 0).passes;
    double seconds = (double)(pw_clock_ns() - start_ns) * 1e-9 / ROUNDS;
    *passes = (double)count / ROUNDS / ((market->n_agents + PW_LANES - 1) / PW_LANES);
    *bytes = pw_rows_bytes(bulk.rows) / (2.0 * market->n_links);
    pw_bulk_rows_release(&bulk);
    return seconds;
}

static int by_size(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static void measure(const struct shape *shape)
{
    struct pw_settings settings;
    double seconds[REPETITIONS], passes = 0.0, bytes = 0.0;
    struct pw_market *market = market_of(shape, &settings);
    for (int i = 0; i < REPETITIONS; i++)
        seconds[i] = time_rounds(market, &settings, &passes, &bytes);
    qsort(seconds, REPETITIONS, sizeof *seconds, by_size);
    double ends = 2.0 * market->n_links, ns = seconds[REPETITIONS / 2] * 1e9 / ends;
    printf("%-12s %8d %10.0f %8.2f %10.3f %8.2f %8.1f %10.1f %8.0f\n", shape->name, market->n_agents, ends,
           passes, seconds[REPETITIONS / 2] * 1e3, ns, shape->wanted_ns, bytes, WANTED_BYTES);
    fflush(stdout);
    pw_market_destroy(market);
}

/* What a sum of two arrays into a third moves, in GB a second. */
static double memory_speed(void)
{
    enum { COUNT = 1 << 24 };
    double *a = pw_alloc(COUNT, sizeof(double)), *b = pw_alloc(COUNT, sizeof(double)), best = 0.0;
    for (int repetition = 0; repetition < REPETITIONS; repetition++) {
        int64_t start_ns = pw_clock_ns();
        for (int i = 0; i < COUNT; i++)
            a[i] += 0.5 * b[i];
        double speed = 3.0 * sizeof(double) * COUNT / (double)(pw_clock_ns() - start_ns);
        best = speed > best ? speed : best;
    }
    free(a);
    free(b);
    return best;
}

/* `bench_rows [agents]`: only the markets of so many. */
int main(int argc, char **argv)
{
    pw_memory_keep();
    int agents = argc > 1 ? atoi(argv[1]) : 0;
    printf("rows, one core, median of %d times %d rounds; memory moves %.1f GB/s\n", REPETITIONS, ROUNDS,
           memory_speed());
    printf("%-12s %8s %10s %8s %10s %8s %8s %10s %8s\n", "links", "agents", "ends", "passes", "ms a round",
           "ns/end", "wanted", "bytes/end", "wanted");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (agents == 0 || shapes[i].agents == agents)
            measure(&shapes[i]);
    }
    return 0;
}
