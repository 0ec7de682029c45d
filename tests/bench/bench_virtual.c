/* The virtual clock in one process: offers per second of real time, with modelled delays, losses and local
 * solves, everything switched on that a sweep uses. */
#include <stdio.h>

#include "common/generate.h"
#include "common/links.h"
#include "common/memory.h"
#include "common/outcome.h"
#include "coordinator/simulate.h"
#include "tests/bench/bench.h"

struct run {
    struct pw_market *market;
    struct pw_settings settings;
    long messages;
    double rounds;
};

static void simulate(void *context)
{
    struct run *run = context;
    struct pw_negotiation negotiation = {run->market, &run->settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0,
                                         NULL};
    struct pw_transport *transport = pw_transport_loopback();
    struct pw_outcome *outcome;
    pw_simulate(&negotiation, transport, &outcome);
    run->messages = outcome->summary.messages_sent;
    run->rounds = outcome->summary.iterations_mean;
    pw_outcome_destroy(outcome);
    pw_transport_close(transport);
}

static void make(struct run *run, int agents, int peers, double delta)
{
    struct pw_error err;
    pw_settings_default(&run->settings);
    run->settings.generate_agents = agents;
    run->settings.delta = delta;
    run->settings.clock = PW_CLOCK_VIRTUAL;
    snprintf(run->settings.delay_model, sizeof run->settings.delay_model, "gaussian");
    run->settings.delay_mean_s = 1;
    run->settings.delay_std_s = 0.2;
    run->settings.delay_min_s = 0.1;
    run->settings.loss = 0.01;
    run->settings.retransmit_s = 2;
    run->settings.compute_s = 0.1;
    pw_generate(&run->settings, &run->market, &err);
    struct pw_links_spec links = {.kind = PW_LINKS_PEERS, .among_sides = 1, .count = peers};
    pw_links_build(run->market, &links, 0, &err);
}

int main(void)
{
    static const int agents[] = {25, 100, 1000, 10000}, peers[] = {12, 10, 10, 10};
    pw_memory_keep();
    printf("virtual clock, one process, median of 5:\n");
    printf("%8s %8s %6s %7s %10s %9s %16s\n", "agents", "links", "delta", "rounds", "offers", "ms",
           "million offers/s");
    for (int i = 0; i < 8; i++) {
        struct run run;
        make(&run, agents[i / 2], peers[i / 2], i % 2 ? 0.3 : 1);
        double ns = bench_median_ns(simulate, &run, 5);
        printf("%8d %8d %6g %7.0f %10ld %9.2f %16.2f\n", agents[i / 2], run.market->n_links,
               run.settings.delta, run.rounds, run.messages, ns * 1e-6, (double)run.messages / ns * 1e3);
        pw_market_destroy(run.market);
    }
    return 0;
}
