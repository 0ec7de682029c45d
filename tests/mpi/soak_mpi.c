/* Soak: many random runs in one launch, `mpirun -n 5 soak_mpi RUNS SEED`. Both clocks, every delay model,
 * losses alone and in bursts, repeated or not, agents that differ and pause, every criterion and every
 * exchange but `stale`. Each run must end at the optimum, by two oracles, but for a few that are named as
 * slow; on the virtual clock also in the same bits as in a lone process. Run i has the seed SEED + i, so
 * `soak_mpi 1 SEED` does one again. A run that hangs is ended and named. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/case.h"
#include "common/memory.h"
#include "common/penalty.h"
#include "coordinator/bulk.h"
#include "coordinator/clock.h"
#include "coordinator/simulate.h"
#include "net_models/models.h"
#include "tests/unit/clearing.h"
#include "tests/unit/random_market.h"

/* Of the runs of a launch, so many may still be under way at their limit. */
static const double MOST_SLOW = 0.005;

/* A run must end within its limit; twice that long after its start the launch is ended. With a penalty far
 * off the market's own it need not, but if it ends it must be right. */
enum { LIMIT_S = 60, WILD_LIMIT_S = 5, HUNG_S = 2 * LIMIT_S, N_DELAYS = 40 };

struct run {
    uint64_t seed;
    struct pw_market *market;
    struct pw_settings settings;
    struct pw_net_data *net;
    int is_wild; /* its penalty is fixed, and up to 1000 times off */
};

/* What came out, on rank 0. */
struct tally {
    long done, right, faults, slow, wild, wild_slow, virtual_runs, at_once, latest_runs, bursts, lost;
    double worst_gap, worst_price, longest_s;
    uint64_t longest_seed;
};

static char hung_text[240]; /* what the alarm says */

static void hung(int signal)
{
    (void)signal;
    ssize_t ignored = write(STDERR_FILENO, hung_text, strlen(hung_text));
    (void)ignored;
    _exit(EXIT_FAILURE);
}

static int limit_s(const struct run *run)
{
    return run->is_wild ? WILD_LIMIT_S : LIMIT_S;
}

static int chance(struct test_rng *rng, double probability)
{
    return test_uniform(rng, 0, 1) < probability;
}

/* Delays around `unit` seconds, by any model. */
static void draw_delays(struct run *run, struct test_rng *rng, double unit)
{
    struct pw_settings *settings = &run->settings;
    int n_models = 0;
    while (pw_delay_models[n_models] != NULL)
        n_models++;
    snprintf(settings->delay_model, sizeof settings->delay_model, "%s",
             pw_delay_models[test_below(rng, n_models)]->name);
    settings->delay_mean_s = unit;
    settings->delay_std_s = unit * test_uniform(rng, .05, 1.5);
    settings->delay_min_s = unit * test_uniform(rng, .05, .4);
    settings->delay_speed = 1000 / unit;
    settings->delay_hop_length = chance(rng, .5) ? 200 : 0;
    settings->delay_hop_s = unit * .05;
    settings->delay_jitter_s = unit * .2;
    double *distance = pw_net_data_add(run->net, PW_LINK_DISTANCE);
    for (int l = 0; l < run->market->n_links; l++)
        distance[l] = test_uniform(rng, 0, 1000);
    run->net->n_delays = N_DELAYS;
    run->net->delays_s = pw_alloc(N_DELAYS, sizeof(double));
    for (int i = 0; i < N_DELAYS; i++)
        run->net->delays_s[i] = unit * (.1 + i * i * .002);
}

/* Losses up to 0.3, half of them in bursts; some links have a loss of their own. */
static void draw_losses(struct run *run, struct test_rng *rng, double unit)
{
    struct pw_settings *settings = &run->settings;
    settings->retransmit_s = unit * test_uniform(rng, 1, 4);
    settings->retransmit_max_s = unit * 20;
    settings->retransmit = chance(rng, .5) ? PW_RETRANSMIT_DOUBLING : PW_RETRANSMIT_FIXED;
    if (settings->exchange == PW_EXCHANGE_LATEST && chance(rng, .5))
        settings->retransmit = PW_RETRANSMIT_NEVER;
    if (chance(rng, .3))
        return;
    settings->loss = test_uniform(rng, 0, .3);
    if (chance(rng, .5)) {
        settings->burst_loss = test_uniform(rng, .6, 1);
        double bad = settings->loss / settings->burst_loss;
        settings->burst_length = 1 / (1 - bad) + test_uniform(rng, 0, 6);
    } else if (run->market->n_links > 0 && chance(rng, .3)) {
        pw_net_data_add(run->net, PW_LINK_LOSS)[test_below(rng, run->market->n_links)] = .5;
    }
}

/* Agents of different speed, stragglers, pauses: the virtual clock only. */
static void draw_pace(struct pw_settings *settings, struct test_rng *rng, double unit)
{
    int storms = settings->exchange == PW_EXCHANGE_LATEST;
    settings->compute_s = unit * (storms || chance(rng, .5) ? .1 : .001);
    settings->compute_spread = chance(rng, .3) ? test_uniform(rng, 1, 10) : 1;
    settings->stragglers = chance(rng, .3) ? .2 : 0;
    settings->pause_every_s = chance(rng, .3) ? 20 * unit : 0;
    settings->pause_s = settings->pause_every_s / 10;
}

/* A fixed penalty, up to 1000 times off the one that the market would start with. */
static void draw_penalty(struct run *run, struct test_rng *rng)
{
    struct pw_scales scales = pw_market_scales(run->market);
    run->is_wild = run->market->n_links > 0 && chance(rng, .15);
    if (run->is_wild)
        run->settings.penalty = .25 * scales.price / scales.power * pow(10, test_uniform(rng, -3, 3));
}

/* On the wall clock, where solves take no time, `latest` answers every offer with an offer on every link: at
 * a small delta that is a storm of messages, right in the end but too costly for a soak. */
static void draw_negotiation(struct pw_settings *settings, struct test_rng *rng)
{
    static const double stiffnesses[] = {0, 1, 2, 4}; /* 0: auto */
    settings->exchange = chance(rng, .25) ? PW_EXCHANGE_LATEST : PW_EXCHANGE_PAIRED;
    settings->delta = chance(rng, .15) ? 1 : chance(rng, .2) ? .01 : 1 - test_uniform(rng, 0, 1);
    if (settings->exchange == PW_EXCHANGE_LATEST && settings->clock == PW_CLOCK_WALL)
        settings->delta = 1 - test_uniform(rng, 0, .7);
    settings->stiffness = stiffnesses[test_below(rng, 4)];
    settings->relaxation = chance(rng, .25) ? test_uniform(rng, .3, .7) : .5;
}

/* On the wall clock now and then offers arrive at once: then the run is made in bulk, where that suits. */
static void draw_bulk(struct run *run, uint64_t seed)
{
    struct test_rng rng = test_rng(seed * 32452843 + 5);
    struct pw_settings *settings = &run->settings;
    if (settings->clock != PW_CLOCK_WALL || settings->exchange != PW_EXCHANGE_PAIRED || !chance(&rng, .4))
        return;
    snprintf(settings->delay_model, sizeof settings->delay_model, "none");
    settings->loss = settings->burst_loss = settings->burst_length = 0;
    pw_net_data_destroy(run->net);
    run->net = pw_net_data_create((size_t)run->market->n_links);
}

static void draw_run(struct run *run, uint64_t seed)
{
    struct test_rng rng = test_rng(seed * 15485863 + 3);
    struct pw_settings *settings = &run->settings;
    pw_settings_default(settings);
    run->seed = seed;
    run->market = test_any_market(seed);
    run->net = pw_net_data_create((size_t)run->market->n_links);
    settings->clock = chance(&rng, .6) ? PW_CLOCK_VIRTUAL : PW_CLOCK_WALL;
    double unit = settings->clock == PW_CLOCK_VIRTUAL ? 1 : 100e-6;
    draw_negotiation(settings, &rng);
    draw_penalty(run, &rng);
    draw_delays(run, &rng, unit);
    draw_losses(run, &rng, unit);
    if (settings->clock == PW_CLOCK_VIRTUAL)
        draw_pace(settings, &rng, unit);
    if (settings->exchange == PW_EXCHANGE_PAIRED)
        settings->criterion = test_below(&rng, 4);
    settings->seed = (long)seed;
    settings->tolerance = 1e-5;
    settings->max_time_s = settings->clock == PW_CLOCK_VIRTUAL ? 1e7 : limit_s(run);
    settings->max_rounds = 100000000;
    settings->stall_s = HUNG_S; /* the alarm is first, and names the seed */
    draw_bulk(run, seed);
}

static struct pw_outcome *negotiate(const struct run *run, struct pw_transport *transport)
{
    struct pw_negotiation negotiation = {run->market,
                                         &run->settings,
                                         PW_PROGRESS_NONE,
                                         pw_clock_ns() + limit_s(run) * INT64_C(1000000000),
                                         run->net,
                                         0,
                                         NULL,
                                         NULL};
    struct pw_outcome *outcome;
    const char *why;
    if (run->settings.clock == PW_CLOCK_VIRTUAL)
        pw_simulate(&negotiation, transport, &outcome);
    else if (pw_bulk_suits(&negotiation, &why))
        pw_bulk_negotiate(&negotiation, transport, &outcome);
    else
        pw_negotiate(&negotiation, transport, &outcome);
    return outcome;
}

/* True if two simulations ended in the same bits. */
static int same(const struct pw_outcome *a, const struct pw_outcome *b)
{
    const struct pw_summary *x = &a->summary, *y = &b->summary;
    size_t agents = (size_t)a->n_agents, links = (size_t)a->n_links;
    return x->status == y->status && a->n_samples == b->n_samples && x->messages_sent == y->messages_sent &&
           x->messages_lost == y->messages_lost && x->naive_false_stops == y->naive_false_stops &&
           memcmp(&x->convergence_time_s, &y->convergence_time_s, sizeof(double)) == 0 &&
           memcmp(&x->end_time_s, &y->end_time_s, sizeof(double)) == 0 &&
           memcmp(&x->social_welfare, &y->social_welfare, sizeof(double)) == 0 &&
           memcmp(a->power, b->power, agents * sizeof(double)) == 0 &&
           memcmp(a->price, b->price, agents * sizeof(double)) == 0 &&
           memcmp(a->wait_s, b->wait_s, agents * sizeof(double)) == 0 &&
           memcmp(a->iterations, b->iterations, agents * sizeof(long)) == 0 &&
           memcmp(a->messages_sent, b->messages_sent, agents * sizeof(long)) == 0 &&
           memcmp(a->trade, b->trade, links * sizeof(double)) == 0 &&
           memcmp(a->price_a, b->price_a, links * sizeof(double)) == 0 &&
           memcmp(a->rounds, b->rounds, links * sizeof(int)) == 0;
}

/* Runs that the limit of time ended, within the tolerances by chance, cannot be compared. */
static int differs_alone(const struct run *run, const struct pw_outcome *outcome)
{
    struct pw_transport *alone = pw_transport_loopback();
    struct pw_outcome *again = negotiate(run, alone);
    int differs = !outcome->is_cut && !again->is_cut && !same(outcome, again);
    pw_outcome_destroy(again);
    pw_transport_close(alone);
    return differs;
}

static void describe(const struct run *run, int ranks, char *text, size_t size)
{
    static const char *const exchanges[] = {"paired", "latest", "stale"};
    const struct pw_settings *settings = &run->settings;
    snprintf(
        text, size,
        "seed %lu on %d ranks (%s clock, %s, delta %.3g, kappa %g, alpha %.2g, rho %.3g, %.16s, loss %.2g%s)",
        (unsigned long)run->seed, ranks, settings->clock == PW_CLOCK_VIRTUAL ? "virtual" : "wall",
        exchanges[settings->exchange], settings->delta, settings->stiffness, settings->relaxation,
        settings->penalty, settings->delay_model, settings->loss,
        settings->burst_length > 0 ? " in bursts" : "");
}

/* Rank 0: judges a run that has ended. */
static void judge(const struct run *run, const struct pw_outcome *outcome, int ranks, double seconds,
                  struct tally *tally)
{
    char what[200], who[300];
    struct test_clearing clearing = test_measure(run->market, &run->settings, outcome);
    int is_slow = clearing.status == PW_AT_LIMIT;
    test_clearing_fault(&clearing, &run->settings, is_slow, what, sizeof what);
    int is_virtual = run->settings.clock == PW_CLOCK_VIRTUAL;
    if (what[0] == '\0' && !is_slow && is_virtual && differs_alone(run, outcome))
        snprintf(what, sizeof what, "not the same bits as in one process");
    tally->done++;
    tally->wild += run->is_wild;
    tally->wild_slow += is_slow && run->is_wild;
    tally->slow += is_slow && !run->is_wild;
    tally->virtual_runs += is_virtual;
    tally->at_once += strcmp(run->settings.delay_model, "none") == 0;
    tally->latest_runs += run->settings.exchange == PW_EXCHANGE_LATEST;
    tally->bursts += run->settings.burst_length > 0;
    tally->lost += outcome->summary.messages_lost;
    tally->worst_gap = fmax(tally->worst_gap, is_slow ? 0 : fabs(clearing.welfare_gap));
    tally->worst_price = fmax(tally->worst_price, is_slow ? 0 : clearing.price);
    if (seconds > tally->longest_s) {
        tally->longest_s = seconds;
        tally->longest_seed = run->seed;
    }
    tally->faults += what[0] != '\0';
    tally->right += what[0] == '\0' && !is_slow;
    if (what[0] == '\0' && (!is_slow || run->is_wild))
        return;
    describe(run, ranks, who, sizeof who);
    printf("soak: %s: %s\n", who, is_slow ? "slow: not at the optimum when it ended" : what);
    fflush(stdout);
}

static void soak_one(uint64_t seed, struct pw_transport *transport, struct tally *tally)
{
    struct run run = {0};
    char who[160];
    draw_run(&run, seed);
    describe(&run, transport->size, who, sizeof who);
    snprintf(hung_text, sizeof hung_text, "soak: rank %d hangs: %s\n", transport->rank, who);
    alarm(HUNG_S);
    int64_t start_ns = pw_clock_ns();
    struct pw_outcome *outcome = negotiate(&run, transport);
    if (outcome != NULL)
        judge(&run, outcome, transport->size, (double)(pw_clock_ns() - start_ns) * 1e-9, tally);
    pw_outcome_destroy(outcome);
    pw_net_data_destroy(run.net);
    pw_market_destroy(run.market);
    pw_transport_share(transport, &tally->faults, sizeof tally->faults);
    alarm(0);
}

static void print(const struct tally *tally, int ranks)
{
    printf("soak: %d ranks: %ld of %ld runs at the optimum, %ld slow and %ld of %ld with wild penalties; "
           "%ld on the virtual clock, %ld without delays, %ld latest, %ld in bursts, %ld transmissions lost; "
           "worst price %.1e, "
           "welfare %.1e of scale; longest %.1f s "
           "(seed %lu)\n",
           ranks, tally->right, tally->done, tally->slow, tally->wild_slow, tally->wild, tally->virtual_runs,
           tally->at_once, tally->latest_runs, tally->bursts, tally->lost, tally->worst_price,
           tally->worst_gap, tally->longest_s, (unsigned long)tally->longest_seed);
}

int main(int argc, char **argv)
{
    struct pw_transport *transport;
    struct pw_error err;
    struct tally tally = {0};
    if (argc != 3) {
        fputs("usage: soak_mpi RUNS SEED\n", stderr);
        return EXIT_FAILURE;
    }
    if (pw_transport_mpi(&transport, &err) != PW_OK) {
        fprintf(stderr, "%s\n", err.text);
        return EXIT_FAILURE;
    }
    signal(SIGALRM, hung);
    long runs = atol(argv[1]);
    for (long i = 0; i < runs; i++)
        soak_one(strtoull(argv[2], NULL, 10) + (uint64_t)i, transport, &tally);
    tally.faults += (double)tally.slow > MOST_SLOW * (double)runs;
    pw_transport_share(transport, &tally.faults, sizeof tally.faults);
    if (transport->rank == 0)
        print(&tally, transport->size);
    pw_transport_close(transport);
    return tally.faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
