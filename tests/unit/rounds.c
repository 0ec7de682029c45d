#include "tests/unit/rounds.h"

#include <math.h>
#include <stdlib.h>

#include "agent/local_problem.h"
#include "common/memory.h"
#include "common/penalty.h"
#include "coordinator/agents.h"
#include "coordinator/setup.h"

/* Both ends of a link: its agents and their slots. */
struct pair {
    const struct pw_agent *a, *b;
    int slot_a, slot_b;
};

struct rounds rounds_begin(const struct pw_market *market, const struct pw_rules *rules,
                           const double *penalty)
{
    struct rounds rounds = {market, pw_alloc((size_t)market->n_agents, sizeof *rounds.agents), 0};
    struct pw_agents_spec spec = {*rules, 1.0, penalty, NULL, NULL, NULL};
    for (int n = 0; n < market->n_agents; n++) {
        rounds.agents[n] = pw_agents_make(market, n, &spec);
        pw_agent_start(rounds.agents[n]);
        rounds.offers += rounds.agents[n]->n_out;
    }
    return rounds;
}

struct rounds rounds_begin_as(const struct pw_market *market, const struct pw_settings *settings)
{
    struct pw_scales scales = pw_market_scales(market);
    struct pw_tolerances tolerances = pw_tolerances_of(settings, market, &scales);
    double *penalty = pw_setup_penalties(settings, market, &scales);
    struct pw_rules rules = pw_setup_rules(settings, &tolerances, &scales, 0.0);
    struct rounds rounds = rounds_begin(market, &rules, penalty);
    free(penalty);
    return rounds;
}

void rounds_end(struct rounds *rounds)
{
    for (int n = 0; n < rounds->market->n_agents; n++)
        pw_agent_destroy(rounds->agents[n]);
    free(rounds->agents);
}

/* The link of end `end` of agent n, n's side first. */
static struct pair pair_at(const struct rounds *rounds, int n, int end)
{
    const struct pw_market *market = rounds->market;
    int twin = market->end_twin[end], l = market->end_link[end];
    int peer = market->link_a[l] == n ? market->link_b[l] : market->link_a[l];
    return (struct pair){rounds->agents[n], rounds->agents[peer], end - market->end_first[n],
                         twin - market->end_first[peer]};
}

void rounds_step(struct rounds *rounds)
{
    const struct pw_market *market = rounds->market;
    for (int n = 0; n < market->n_agents; n++) {
        for (int end = market->end_first[n]; end < market->end_first[n + 1]; end++) {
            struct pair pair = pair_at(rounds, n, end);
            double r = pw_agent_offer(pair.b, pair.slot_b, 0);
            pw_agent_deliver(rounds->agents[n], pair.slot_a, pw_agent_inbox(pair.b, pair.slot_b)->round, &r);
        }
    }
    for (int n = 0; n < market->n_agents; n++) {
        if (rounds->agents[n]->n_links == 0 || !pw_agent_ready(rounds->agents[n]))
            continue;
        pw_agent_fire(rounds->agents[n]);
        rounds->offers += rounds->agents[n]->n_out;
    }
}

/* Primal and dual residual of the last offers, squared. */
static void residuals(const struct rounds *rounds, double *primal2, double *dual2)
{
    const struct pw_market *market = rounds->market;
    *primal2 = *dual2 = 0.0;
    for (int n = 0; n < market->n_agents; n++) {
        for (int end = market->end_first[n]; end < market->end_first[n + 1]; end++) {
            struct pair pair = pair_at(rounds, n, end);
            double t = pair.a->mine[pair.slot_a], gap = t + pair.b->mine[pair.slot_b];
            double move = t - pair.a->before[pair.slot_a];
            *primal2 += market->link_a[market->end_link[end]] == n ? gap * gap : 0.0;
            *dual2 += move * move;
        }
    }
}

static double dispatch_cost(const struct pw_market *market, int n, double net)
{
    int first = market->asset_first[n], count = market->asset_first[n + 1] - first;
    double zero = 0.0, slope = 1.0, sold, cost = 0.0, *p = pw_alloc((size_t)count, sizeof(double));
    net = fmin(fmax(net, pw_market_agent_p_min(market, n, 0)), pw_market_agent_p_max(market, n, 0));
    struct pw_local_problem problem = {count,
                                       market->p_min + first,
                                       market->p_max + first,
                                       market->a + first,
                                       market->b + first,
                                       p,
                                       1,
                                       &zero,
                                       &slope,
                                       &zero,
                                       &net,
                                       &net,
                                       &sold};
    pw_local_solve(&problem, 0.0);
    for (int i = 0; i < count; i++)
        cost += (market->a[first + i] / 2.0 * p[i] + market->b[first + i]) * p[i];
    free(p);
    return cost;
}

double rounds_welfare(const struct pw_market *market, const double *trade)
{
    double *net = pw_alloc((size_t)market->n_agents, sizeof(double)), welfare = 0.0;
    for (int l = 0; l < market->n_links; l++) {
        net[market->link_a[l]] += trade[l];
        net[market->link_b[l]] -= trade[l];
        welfare -= (market->fee_a[l] + market->fee_b[l]) * fabs(trade[l]);
    }
    for (int n = 0; n < market->n_agents; n++)
        welfare -= dispatch_cost(market, n, net[n]);
    free(net);
    return welfare;
}

void rounds_agreed(const struct rounds *rounds, double *trade)
{
    const struct pw_market *market = rounds->market;
    for (int n = 0; n < market->n_agents; n++) {
        for (int end = market->end_first[n]; end < market->end_first[n + 1]; end++) {
            struct pair pair = pair_at(rounds, n, end);
            if (market->link_a[market->end_link[end]] == n)
                trade[market->end_link[end]] = (pair.a->mine[pair.slot_a] - pair.b->mine[pair.slot_b]) / 2.0;
        }
    }
}

static double relative_gap(const struct rounds *rounds, const struct rounds_options *options)
{
    const struct pw_market *market = rounds->market;
    double *trade = pw_alloc((size_t)market->n_links, sizeof(double));
    rounds_agreed(rounds, trade);
    double gap = (options->optimum - rounds_welfare(market, trade)) / options->scale;
    free(trade);
    return gap;
}

static void look_at_residuals(const struct rounds *rounds, const struct rounds_options *options, int round,
                              struct rounds_result *result)
{
    double primal2, dual2, most = options->residual * options->residual;
    residuals(rounds, &primal2, &dual2);
    if (primal2 > most || dual2 > most)
        return;
    result->residual = round;
    result->residual_gap = relative_gap(rounds, options);
}

/* A gap counts as held for good once it has held for half as many rounds again, and 40 more. */
static int is_over(const struct rounds_result *result, const struct rounds_options *options, int round)
{
    int last = result->gap[ROUNDS_GAPS - 1];
    int settled = !(options->gap[0] > 0.0) || round > last + last / 2 + 40;
    return settled && (!(options->residual > 0.0) || result->residual <= round);
}

struct rounds_result rounds_run(const struct pw_market *market, const struct rounds_options *options)
{
    struct rounds rounds = rounds_begin(market, &options->rules, options->penalty);
    int most = options->max_rounds, never = most + 1, round = 0;
    struct rounds_result result = {never, NAN, {0}};
    while (round < most && !is_over(&result, options, round)) {
        rounds_step(&rounds);
        round++;
        if (options->residual > 0.0 && result.residual > round)
            look_at_residuals(&rounds, options, round, &result);
        double gap = options->gap[0] > 0.0 ? fabs(relative_gap(&rounds, options)) : 0.0;
        for (int i = 0; i < ROUNDS_GAPS; i++)
            if (!(gap <= options->gap[i]))
                result.gap[i] = round + 1;
    }
    rounds_end(&rounds);
    return result;
}
