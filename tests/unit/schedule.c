#include "tests/unit/schedule.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "common/penalty.h"
#include "coordinator/agents.h"
#include "tests/unit/kkt.h"
#include "tests/unit/random_market.h"

struct event {
    double time;
    long order;
    int agent, slot; /* slot -1: the agent fires */
    int round;
    double r[2];
};

struct schedule {
    const struct pw_market *market;
    const struct schedule_options *options;
    struct test_rng rng;
    struct pw_agent **agents;
    double *compute;
    unsigned char *busy;
    struct event *heap;
    int n_heap, heap_room;
    long order;
    struct schedule_result result;
};

struct schedule_options schedule_defaults(uint64_t seed)
{
    return (struct schedule_options){.seed = seed,
                                     .delta_low = 1,
                                     .delta_high = 1,
                                     .relaxation = .5,
                                     .stiffness = 4,
                                     .delay_low = .8,
                                     .delay_high = 1.2,
                                     .slowest = 1,
                                     .price_tolerance = 1e-4,
                                     .power_tolerance = 1e-4,
                                     .penalty_factor = 1,
                                     .adapt_penalty = 1,
                                     .max_messages_per_slot = 20000};
}

static int earlier(const struct event *x, const struct event *y)
{
    return x->time < y->time || (x->time == y->time && x->order < y->order);
}

static void push(struct schedule *run, struct event event)
{
    event.order = run->order++;
    if (run->n_heap == run->heap_room) {
        run->heap_room = 2 * run->heap_room + 64;
        run->heap = pw_realloc(run->heap, (size_t)run->heap_room, sizeof *run->heap);
    }
    int i = run->n_heap++;
    for (; i > 0 && earlier(&event, &run->heap[(i - 1) / 2]); i = (i - 1) / 2)
        run->heap[i] = run->heap[(i - 1) / 2];
    run->heap[i] = event;
}

static struct event pop(struct schedule *run)
{
    struct event top = run->heap[0], last = run->heap[--run->n_heap];
    int i = 0;
    for (int child; (child = 2 * i + 1) < run->n_heap; i = child) {
        if (child + 1 < run->n_heap && earlier(&run->heap[child + 1], &run->heap[child]))
            child++;
        if (!earlier(&run->heap[child], &last))
            break;
        run->heap[i] = run->heap[child];
    }
    if (run->n_heap > 0)
        run->heap[i] = last;
    return top;
}

static void send_offer(struct schedule *run, double now, int n, int slot)
{
    const struct pw_market *market = run->market;
    const struct schedule_options *options = run->options;
    int twin = market->end_twin[market->end_first[n] + slot], peer = pw_market_end_agent(market, twin);
    struct event event = {.agent = peer, .slot = twin - market->end_first[peer]};
    event.round = pw_agent_inbox(run->agents[n], slot)->round;
    for (int q = 0; q < market->n_products; q++)
        event.r[q] = pw_agent_offer(run->agents[n], slot, q);
    do {
        event.time = now + test_uniform(&run->rng, options->delay_low, options->delay_high);
        while (test_uniform(&run->rng, 0, 1) < options->loss)
            event.time += 2;
        push(run, event);
    } while (test_uniform(&run->rng, 0, 1) < options->duplicates);
    run->result.messages++;
}

static void send_all(struct schedule *run, double now, int n)
{
    for (int i = 0; i < run->agents[n]->n_out; i++)
        send_offer(run, now, n, run->agents[n]->outbox[i]);
}

static void fire_later(struct schedule *run, double now, int n)
{
    if (run->busy[n] || !pw_agent_ready(run->agents[n]))
        return;
    run->busy[n] = 1;
    push(run, (struct event){.time = now + run->compute[n], .agent = n, .slot = -1});
}

static void handle(struct schedule *run, const struct event *event)
{
    int n = event->agent;
    if (event->slot < 0) {
        run->busy[n] = 0;
        pw_agent_fire(run->agents[n]);
        run->result.fires++;
        send_all(run, event->time, n);
    } else if (pw_agent_deliver(run->agents[n], event->slot, event->round, event->r) == PW_OUT_OF_ROUND) {
        run->result.out_of_round = 1;
    }
    fire_later(run, event->time, n);
}

/* The agreed trade of a link: that of the last round which both ends have sent. */
static double agreed_trade(const struct schedule *run, int l, int q)
{
    const struct pw_market *market = run->market;
    int a = market->link_a[l], b = market->link_b[l], end = market->end_first[a];
    while (market->end_link[end] != l)
        end++;
    const struct pw_agent *agent_a = run->agents[a], *agent_b = run->agents[b];
    int slot_a = end - market->end_first[a], slot_b = market->end_twin[end] - market->end_first[b];
    int at_a = q * agent_a->n_links + slot_a, at_b = q * agent_b->n_links + slot_b;
    int round = pw_agent_inbox(agent_a, slot_a)->round < pw_agent_inbox(agent_b, slot_b)->round
                    ? pw_agent_inbox(agent_a, slot_a)->round
                    : pw_agent_inbox(agent_b, slot_b)->round;
    double t_a =
        pw_agent_inbox(agent_a, slot_a)->round == round ? agent_a->mine[at_a] : agent_a->before[at_a];
    double t_b =
        pw_agent_inbox(agent_b, slot_b)->round == round ? agent_b->mine[at_b] : agent_b->before[at_b];
    return (t_a - t_b) / 2;
}

static void check_optimality(struct schedule *run)
{
    const struct pw_market *market = run->market;
    double *power = pw_alloc((size_t)market->n_agents, 2 * sizeof(double)), *price = power + market->n_agents;
    double *trade = pw_alloc((size_t)market->n_links, sizeof(double));
    run->result.price = run->result.power = 0;
    for (int q = 0; q < market->n_products; q++) {
        for (int n = 0; n < market->n_agents; n++) {
            power[n] = pw_agent_power(run->agents[n], q);
            price[n] = run->agents[n]->price[q];
        }
        for (int l = 0; l < market->n_links; l++)
            trade[l] = agreed_trade(run, l, q);
        struct test_kkt kkt = test_kkt(market, q, power, price, trade, 1e-6, run->options->power_tolerance);
        run->result.price = fmax(run->result.price, kkt.price);
        run->result.power = fmax(run->result.power, kkt.power);
    }
    run->result.converged = run->result.price <= run->options->price_tolerance &&
                            run->result.power <= 2 * run->options->power_tolerance;
    free(power);
    free(trade);
}

static double relative(double x, double y)
{
    return fabs(x - y) / fmax(1e-300, fmax(fabs(x), fabs(y)));
}

/* Penalties and shadows of links whose ends have applied the same rounds must agree to the bit. */
static double disagreement(const struct schedule *run)
{
    const struct pw_market *market = run->market;
    double worst = 0;
    for (int end = 0; end < 2 * market->n_links; end++) {
        int n = pw_market_end_agent(market, end), twin = market->end_twin[end];
        int peer = pw_market_end_agent(market, twin);
        const struct pw_agent *here = run->agents[n], *there = run->agents[peer];
        int slot = end - market->end_first[n], other = twin - market->end_first[peer];
        if (pw_agent_inbox(here, slot)->round != pw_agent_inbox(there, other)->round)
            continue;
        worst = fmax(worst, relative(here->penalty[slot], there->penalty[other]));
        worst = fmax(worst, relative(here->peer_s[slot], there->s[other]));
    }
    return worst;
}

static void begin(struct schedule *run)
{
    const struct pw_market *market = run->market;
    const struct schedule_options *options = run->options;
    struct pw_scales scales = pw_market_scales(market);
    double *penalty = pw_alloc((size_t)market->n_links, sizeof(double));
    pw_penalty_fill(market, &scales, penalty);
    for (int l = 0; l < market->n_links; l++)
        penalty[l] *= options->penalty_factor;
    struct pw_rules rules = {.relaxation = options->relaxation,
                             .stiffness = options->stiffness,
                             .synchronous = options->delta_low >= 1,
                             .adapt_penalty = options->adapt_penalty};
    for (int n = 0; n < market->n_agents; n++) {
        double delta = test_uniform(&run->rng, options->delta_low, options->delta_high);
        struct pw_agents_spec spec = {rules, delta, penalty, NULL, NULL, NULL};
        run->agents[n] = pw_agents_make(market, n, &spec);
        run->compute[n] = .1 * pow(options->slowest, test_uniform(&run->rng, 0, 1));
        pw_agent_start(run->agents[n]);
    }
    free(penalty);
    for (int n = 0; n < market->n_agents; n++)
        send_all(run, 0, n);
}

static void finish(struct schedule *run)
{
    check_optimality(run);
    run->result.deadlocked = run->n_heap == 0 && !run->result.converged && run->market->n_links > 0;
    run->result.disagreement = disagreement(run);
    for (int n = 0; n < run->market->n_agents; n++) {
        run->result.welfare -= pw_agent_cost(run->agents[n]) + pw_agent_fees(run->agents[n]);
        run->result.duplicates += run->agents[n]->duplicates;
        pw_agent_destroy(run->agents[n]);
    }
    free(run->agents);
    free(run->compute);
    free(run->busy);
    free(run->heap);
}

struct schedule_result schedule_run(const struct pw_market *market, const struct schedule_options *options)
{
    size_t agents = (size_t)market->n_agents;
    struct schedule run = {.market = market, .options = options, .rng = test_rng(options->seed)};
    run.agents = pw_alloc(agents, sizeof *run.agents);
    run.compute = pw_alloc(agents, sizeof *run.compute);
    run.busy = pw_alloc(agents, 1);
    begin(&run);
    long check_every = 4L * market->n_links + 16, since = 0;
    while (run.n_heap > 0 && run.result.messages < options->max_messages_per_slot * 2 * market->n_links) {
        struct event event = pop(&run);
        run.result.time = event.time;
        handle(&run, &event);
        if (++since < check_every)
            continue;
        since = 0;
        check_optimality(&run);
        if (run.result.converged)
            break;
    }
    finish(&run);
    return run.result;
}
