#include "agent/agent.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <stdlib.h>

#include "agent/exchange.h"
#include "agent/inner_admm.h"
#include "agent/local_problem.h"
#include "common/memory.h"
#include "common/prefetch.h"

static const struct pw_exchange *const pw_exchanges[] = {[PW_PAIRED] = &pw_exchange_paired,
                                                         [PW_LATEST] = &pw_exchange_latest,
                                                         [PW_STALE] = &pw_exchange_stale,
                                                         [PW_INNOVATION] = &pw_exchange_innovation,
                                                         [PW_POOL] = &pw_exchange_pool};

static const struct pw_exchange *exchange_of(const struct pw_agent *agent)
{
    return pw_exchanges[agent->rules.exchange];
}

/* Bytes of a line of a cache; where in an agent's block its inboxes begin. */
enum { LINE = PW_CACHE_LINE, INBOXES_AT = (sizeof(struct pw_agent) + LINE - 1) / LINE * LINE };

/* Hands out arrays from one block; with a NULL block it only counts. */
struct arena {
    unsigned char *block;
    size_t used;
};

static void *take(struct arena *arena, size_t count, size_t size)
{
    void *array = arena->block == NULL ? NULL : arena->block + arena->used;
    arena->used += (count * size + 7) / 8 * 8;
    return array;
}

static double *take_doubles(struct arena *arena, size_t count)
{
    return take(arena, count, sizeof(double));
}

static size_t inbox_size(int n_products)
{
    return sizeof(struct pw_inbox) + 2 * (size_t)n_products * sizeof(double);
}

static void lay_out_assets(struct pw_agent *agent, struct arena *arena)
{
    size_t count = (size_t)agent->n_assets * (size_t)agent->n_products;
    agent->p_min = take_doubles(arena, count);
    agent->p_max = take_doubles(arena, count);
    agent->a = take_doubles(arena, count);
    agent->b = take_doubles(arena, count);
    agent->p = take_doubles(arena, count);
    agent->price = take_doubles(arena, (size_t)agent->n_products);
    if (agent->rules.exchange != PW_INNOVATION)
        return;
    agent->above = take_doubles(arena, count);
    agent->below = take_doubles(arena, count);
    agent->answer = take_doubles(arena, count);
}

static void lay_out_slots(struct pw_agent *agent, struct arena *arena)
{
    size_t slots = (size_t)agent->n_links;
    double **per_slot[] = {&agent->penalty,   &agent->penalty_start, &agent->gap2, &agent->gap_sum2,
                           &agent->move_sum2, &agent->rest_power,    &agent->apart};
    double **per_product[] = {&agent->t_min,  &agent->t_max,      &agent->fee,           &agent->s,
                              &agent->peer_s, &agent->mine,       &agent->before,        &agent->offer,
                              &agent->heard,  &agent->price_sent, &agent->agreed_before, &agent->wish};
    agent->inbox_size = inbox_size(agent->n_products);
    agent->inboxes = take(arena, slots, agent->inbox_size);
    for (size_t i = 0; i < sizeof per_slot / sizeof *per_slot; i++)
        *per_slot[i] = take_doubles(arena, slots);
    for (size_t i = 0; i < sizeof per_product / sizeof *per_product; i++)
        *per_product[i] = take_doubles(arena, slots * (size_t)agent->n_products);
    agent->outbox = take(arena, slots, sizeof(int));
    agent->turned = take(arena, slots, sizeof(int));
    if (agent->rules.exchange == PW_LATEST || agent->rules.exchange == PW_STALE) {
        agent->heard_at = take(arena, slots, sizeof(int));
        agent->heard_round = take(arena, slots, sizeof(int));
    }
}

/* What the local problem is posed in: shared by many agents it stays in the cache, and is not part of what
 * each of them brings there. */
static void lay_out_scratch(struct pw_agent *agent, struct arena *arena, double *shared)
{
    size_t slots = (size_t)agent->n_links;
    agent->target = shared != NULL ? shared : take_doubles(arena, slots);
    agent->slope = shared != NULL ? shared + slots : take_doubles(arena, slots);
    agent->dead = shared != NULL ? shared + 2 * slots : take_doubles(arena, slots);
}

/* The agent itself, then its arrays: one block of memory, what a delivery touches first. */
static size_t lay_out(struct pw_agent *agent, void *block, double *scratch)
{
    struct arena arena = {block, INBOXES_AT};
    lay_out_slots(agent, &arena);
    lay_out_assets(agent, &arena);
    lay_out_scratch(agent, &arena, scratch);
    return arena.used;
}

static void copy(double *to, const double *from, int count, int n_products)
{
    if (count > 0)
        memcpy(to, from, (size_t)count * (size_t)n_products * sizeof(double));
}

static void copy_spec(struct pw_agent *agent, const struct pw_agent_spec *spec)
{
    int assets = spec->n_assets, links = spec->n_links, products = spec->n_products;
    copy(agent->p_min, spec->p_min, assets, products);
    copy(agent->p_max, spec->p_max, assets, products);
    copy(agent->a, spec->a, assets, products);
    copy(agent->b, spec->b, assets, products);
    copy(agent->t_min, spec->t_min, links, products);
    copy(agent->t_max, spec->t_max, links, products);
    copy(agent->fee, spec->fee, links, products);
    copy(agent->penalty, spec->penalty, links, 1);
    copy(agent->penalty_start, spec->penalty, links, 1);
    if (spec->rest_power != NULL)
        copy(agent->rest_power, spec->rest_power, links, 1);
    for (int slot = 0; slot < links; slot++)
        pw_agent_inbox(agent, slot)->counts = spec->counts[slot];
}

/* As if the trades had come to rest at these: a fixed point of the edge variables (docs/mathematics.md). */
static void start_from(struct pw_agent *agent, const struct pw_agent_spec *spec)
{
    if (agent->rules.adapt_penalty)
        copy(agent->penalty, spec->start_penalty, agent->n_links, 1);
    for (int q = 0; q < agent->n_products; q++) {
        agent->price[q] = spec->price[q];
        for (int slot = 0; slot < agent->n_links; slot++) {
            size_t i = pw_agent_at(agent, slot, q);
            double trade = spec->trade[i], rest = spec->trade_price[i] / agent->penalty[slot];
            agent->mine[i] = agent->before[i] = agent->agreed_before[i] = trade;
            agent->heard[i] = -trade;
            agent->s[i] = trade + rest;
            agent->peer_s[i] = -trade + rest;
            agent->offer[i] = 2.0 * trade - agent->s[i];
            agent->price_sent[i] = spec->price[q];
        }
    }
}

struct pw_agent *pw_agent_create(const struct pw_agent_spec *spec, const struct pw_rules *rules)
{
    struct pw_agent shape = {.id = spec->id,
                             .n_products = spec->n_products,
                             .n_assets = spec->n_assets,
                             .n_links = spec->n_links,
                             .rules = *rules,
                             .needed = (int)fmax(1.0, ceil(spec->delta * spec->n_links - 1e-9))};
    shape.size = lay_out(&shape, NULL, spec->scratch);
    struct pw_agent *agent = pw_alloc_lines(shape.size);
    *agent = shape;
    lay_out(agent, agent, spec->scratch);
    copy_spec(agent, spec);
    if (spec->trade != NULL && pw_exchange_starts_anywhere(rules->exchange))
        start_from(agent, spec);
    for (int slot = 0; slot < agent->n_links && agent->heard_round != NULL; slot++)
        agent->heard_round[slot] = -1;
    agent->residuals.unsolved = agent->n_links;
    return agent;
}

void pw_agent_destroy(struct pw_agent *agent)
{
    free(agent);
}

static double stiffness(const struct pw_agent *agent)
{
    double links = agent->n_links - agent->n_settled;
    return agent->rules.stiffness > 0.0 ? agent->rules.stiffness
                                        : pw_stiffness_auto(links, links - agent->n_complete);
}

/* How the trade of each slot answers a price: freely, or, where the last offer still waits for its answer,
 * 1/kappa as fast from the price at which it was offered. */
static void pose_trades(struct pw_agent *agent, int q)
{
    double kappa = stiffness(agent);
    int is_paired = exchange_of(agent)->is_paired;
    for (int slot = 0; slot < agent->n_links; slot++) {
        size_t i = pw_agent_at(agent, slot, q);
        double slope = 1.0 / agent->penalty[slot];
        const struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
        int waits = is_paired && !inbox->complete && !inbox->settled;
        agent->slope[slot] = waits ? slope / kappa : slope;
        agent->target[slot] =
            agent->s[i] - (waits ? agent->price_sent[i] * (1.0 - 1.0 / kappa) * slope : 0.0);
        agent->dead[slot] = agent->fee[i] * slope;
    }
}

static double solve_by_inner_admm(struct pw_agent *agent, const struct pw_local_problem *problem,
                                  double guess)
{
    const struct pw_inner_tolerance tolerance = {agent->rules.inner_power, agent->rules.inner_price};
    struct pw_local_solution solution = pw_inner_admm_solve(problem, guess, &tolerance);
    agent->inner_steps += solution.passes;
    return solution.price;
}

void pw_agent_solve(struct pw_agent *agent, int q)
{
    pose_trades(agent, q);
    size_t assets = (size_t)q * (size_t)agent->n_assets, slots = pw_agent_at(agent, 0, q);
    struct pw_local_problem problem = {
        .n_assets = agent->n_assets,
        .p_min = agent->p_min + assets,
        .p_max = agent->p_max + assets,
        .a = agent->a + assets,
        .b = agent->b + assets,
        .p = agent->p + assets,
        .n_trades = agent->n_links,
        .target = agent->target,
        .slope = agent->slope,
        .dead = agent->dead,
        .t_min = agent->t_min + slots,
        .t_max = agent->t_max + slots,
        .t = agent->wish + slots,
    };
    if (agent->rules.solver == PW_SOLVE_INNER_ADMM)
        agent->price[q] = solve_by_inner_admm(agent, &problem, agent->price[q]);
    else
        agent->price[q] = pw_local_solve(&problem, agent->price[q]).price;
}

static void sum_residuals(struct pw_agent *agent)
{
    struct pw_residuals sums = {0};
    for (int slot = 0; slot < agent->n_links; slot++) {
        const struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
        sums.primal2 += inbox->counts ? agent->gap2[slot] : 0.0;
        sums.unsolved += inbox->round == 0;
        for (int q = 0; q < agent->n_products; q++) {
            size_t i = pw_agent_at(agent, slot, q);
            double move = agent->mine[i] - agent->before[i], apart = agent->mine[i] + agent->heard[i];
            sums.naive2 += inbox->counts ? apart * apart : 0.0;
            sums.dual2 += move * move;
            sums.price2 += agent->penalty[slot] * agent->penalty[slot] * move * move;
        }
    }
    agent->residuals = sums;
}

enum pw_delivery pw_agent_deliver(struct pw_agent *agent, int slot, int round, const double *r)
{
    return exchange_of(agent)->deliver(agent, slot, round, r);
}

/* The inboxes lie behind the agent itself: their address is known without reading it. */
void pw_agent_fetch_slot(const struct pw_agent *agent, int n_products, int slot)
{
    pw_prefetch(agent);
    pw_prefetch((const unsigned char *)agent + INBOXES_AT + (size_t)slot * inbox_size(n_products));
}

void pw_agent_fetch_fire(const struct pw_agent *agent)
{
    enum { MOST = 16384 };
    const unsigned char *block = (const unsigned char *)agent;
    for (size_t at = 0; at < agent->size && at < MOST; at += LINE)
        pw_prefetch(block + at);
}

int pw_agent_ready(const struct pw_agent *agent)
{
    return exchange_of(agent)->ready(agent);
}

int pw_agent_needs_timeout(const struct pw_agent *agent)
{
    return exchange_of(agent)->needs_timeout && agent->n_links > 0;
}

int pw_agent_awaits_all(const struct pw_agent *agent)
{
    return agent->rules.exchange == PW_PAIRED && agent->rules.synchronous;
}

int pw_exchange_is_paired(enum pw_exchange_kind exchange)
{
    return pw_exchanges[exchange]->is_paired;
}

int pw_exchange_starts_anywhere(enum pw_exchange_kind exchange)
{
    return pw_exchanges[exchange]->start == NULL;
}

void pw_agent_fire(struct pw_agent *agent)
{
    const struct pw_exchange *exchange = exchange_of(agent);
    exchange->open(agent);
    for (int q = 0; q < agent->n_products; q++)
        exchange->solve(agent, q);
    exchange->close(agent);
    sum_residuals(agent);
    agent->fires++;
}

void pw_agent_start(struct pw_agent *agent)
{
    for (int slot = 0; slot < agent->n_links; slot++)
        agent->outbox[slot] = slot;
    agent->n_out = agent->n_links;
    if (exchange_of(agent)->start != NULL)
        exchange_of(agent)->start(agent);
    if (agent->n_links == 0)
        pw_agent_fire(agent);
}

double pw_agent_offer(const struct pw_agent *agent, int slot, int q)
{
    return agent->offer[pw_agent_at(agent, slot, q)];
}

double pw_agent_trade(const struct pw_agent *agent, int slot, int q)
{
    return exchange_of(agent)->trade(agent, slot, q);
}

double pw_agent_power(const struct pw_agent *agent, int q)
{
    double sum = 0.0;
    for (int i = 0; i < agent->n_assets; i++)
        sum += agent->p[(size_t)q * (size_t)agent->n_assets + (size_t)i];
    return sum;
}

double pw_agent_cost(const struct pw_agent *agent)
{
    double sum = 0.0;
    for (int i = 0; i < agent->n_assets * agent->n_products; i++)
        sum += (agent->a[i] / 2.0 * agent->p[i] + agent->b[i]) * agent->p[i];
    return sum;
}

double pw_agent_fees(const struct pw_agent *agent)
{
    double sum = 0.0;
    for (int i = 0; i < agent->n_links * agent->n_products; i++)
        sum += agent->fee[i] * fabs(agent->mine[i]);
    return sum;
}

double pw_agent_trade_price(const struct pw_agent *agent, int slot, int q)
{
    size_t i = pw_agent_at(agent, slot, q);
    return agent->penalty[slot] * (agent->s[i] - agent->mine[i]);
}
