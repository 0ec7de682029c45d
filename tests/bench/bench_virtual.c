/* The virtual clock in one process: offers per second of real time, with modelled delays, losses and local
 * solves, everything switched on that a sweep uses. */
#include <stdio.h>

#include "common/generate.h"
#include "common/links.h"
#include "common/memory.h"
#include "common/outcome.h"
#include "coordinator/clock.h"
#include "coordinator/simulate.h"
#include "coordinator/speed.h"
#include "tests/bench/bench.h"

static const struct shape {
    int agents, peers;
    double delta;
    const char *delays; /* model; in step where all take as long */
} shapes[] = {
    {25, 12, 1, "gaussian"},    {25, 12, 0.3, "gaussian"},    {100, 10, 1, "gaussian"},
    {100, 10, 0.3, "gaussian"}, {1000, 10, 1, "gaussian"},    {1000, 10, 0.3, "gaussian"},
    {10000, 10, 1, "gaussian"}, {10000, 10, 0.3, "gaussian"}, {1000, 10, 1, "constant"},
    {10000, 10, 1, "constant"},
};

struct run {
    struct pw_market *market;
    struct pw_settings settings;
    long messages;
    double rounds;
};

static void simulate(void *context)
{
    struct run *run = context;
    struct pw_negotiation negotiation = {
        run->market, &run->settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0, NULL, NULL};
    struct pw_transport *transport = pw_transport_loopback();
    struct pw_outcome *outcome;
    pw_simulate(&negotiation, transport, &outcome);
    run->messages = outcome->summary.messages_sent;
    run->rounds = outcome->summary.iterations_mean;
    pw_outcome_destroy(outcome);
    pw_transport_close(transport);
}

static void make(struct run *run, const struct shape *shape)
{
    struct pw_error err;
    pw_settings_default(&run->settings);
    run->settings.generate_agents = shape->agents;
    run->settings.delta = shape->delta;
    run->settings.clock = PW_CLOCK_VIRTUAL;
    snprintf(run->settings.delay_model, sizeof run->settings.delay_model, "%s", shape->delays);
    run->settings.delay_mean_s = 1;
    run->settings.delay_std_s = 0.2;
    run->settings.delay_min_s = 0.1;
    run->settings.loss = 0.01;
    run->settings.retransmit_s = 2;
    run->settings.compute_s = 0.1;
    pw_generate(&run->settings, &run->market, &err);
    struct pw_links_spec links = {.kind = PW_LINKS_PEERS, .among_sides = 1, .count = shape->peers};
    pw_links_build(run->market, &links, 0, &err);
}

/* What a rank finds of itself before a large simulation, again and again. */
static void print_speeds(void)
{
    enum { TIMES = 5 };
    int64_t start_ns = pw_clock_ns();
    struct pw_error err;
    printf("this process as ranks measure themselves, thousand local solves a second:");
    for (int i = 0; i < TIMES; i++) {
        double speed = 0.0;
        if (pw_speed_measure(&speed, &err) != PW_OK)
            printf(" (%s)", err.text);
        printf(" %.0f", speed * 1e-3);
    }
    printf("; %.0f ms each\n", (double)(pw_clock_ns() - start_ns) * 1e-6 / TIMES);
}

int main(void)
{
    pw_memory_keep();
    print_speeds();
    printf("virtual clock, one process, median of 5:\n");
    printf("%8s %8s %6s %9s %7s %10s %9s %16s\n", "agents", "links", "delta", "delays", "rounds", "offers",
           "ms", "million offers/s");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct run run;
        make(&run, &shapes[i]);
        double ns = bench_median_ns(simulate, &run, 5);
        printf("%8d %8d %6g %9s %7.0f %10ld %9.2f %16.2f\n", run.market->n_agents, run.market->n_links,
               run.settings.delta, run.settings.delay_model, run.rounds, run.messages, ns * 1e-6,
               (double)run.messages / ns * 1e3);
        fflush(stdout);
        pw_market_destroy(run.market);
    }
    return 0;
}
