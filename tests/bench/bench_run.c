/* Whole runs in one process, without delay: microseconds per round and nanoseconds per directed trade and
 * round, on full two-sided meshes. */
#include <stdio.h>

#include "common/memory.h"
#include "common/outcome.h"
#include "coordinator/negotiate.h"
#include "tests/bench/bench.h"
#include "tests/unit/random_market.h"

struct run {
    struct pw_market *market;
    struct pw_settings settings;
    long messages;
    double rounds;
};

static void negotiate(void *context)
{
    struct run *run = context;
    struct pw_negotiation negotiation = {
        run->market, &run->settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0, NULL, NULL};
    struct pw_transport *transport = pw_transport_loopback();
    struct pw_outcome *outcome;
    pw_negotiate(&negotiation, transport, &outcome);
    run->messages = outcome->summary.messages_sent;
    run->rounds = outcome->summary.iterations_mean;
    pw_outcome_destroy(outcome);
    pw_transport_close(transport);
}

int main(void)
{
    pw_memory_keep();
    static const int sizes[] = {24, 100, 400, 1000};
    printf("whole runs in one process, two-sided mesh, tolerance 1e-4, median of 5:\n");
    printf("%7s %9s %8s %6s %10s %14s\n", "agents", "links", "delta", "rounds", "ms", "ns/trade/round");
    for (int i = 0; i < 8; i++) {
        struct run run = {.market = test_market(FAMILY_TWO_SIDED, sizes[i / 2], 1, 7)};
        pw_settings_default(&run.settings);
        run.settings.delta = i % 2 ? 0.3 : 1;
        double ns = bench_median_ns(negotiate, &run, 5);
        printf("%7d %9d %8g %6.0f %10.2f %14.1f\n", sizes[i / 2], run.market->n_links, run.settings.delta,
               run.rounds, ns * 1e-6, ns / (double)run.messages);
        pw_market_destroy(run.market);
    }
    return 0;
}
