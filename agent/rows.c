#include "agent/rows.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/balance.h"
#include "agent/local_problem.h"
#include "agent/rows_kernel.h"
#include "common/memory.h"

enum { LANES = PW_LANES };

/* Agents with nearly as many links lie in one group, but near each other in the market: so many agents at a
 * time are sorted by their number of links. */
enum { SORTED_AT_A_TIME = 1024 };

/* Newton's steps in lanes; a lane that needs more is solved by itself. */
enum { MOST_PASSES = 12 };

/* Where one agent's local problem is laid out that the lanes do not solve. */
struct bench {
    double *target, *slope, *dead, *t_min, *t_max, *t; /* [depth of the deepest group] */
    double *p;                                         /* [assets of the agent with most] */
};

struct pw_rows {
    struct pw_rows_spec spec;
    const struct pw_row_kernel *kernel;
    int n_groups, depth_max, rounds;
    int is_looked_at;     /* the last round was looked at closely */
    long *group_first;    /* [n_groups + 1] in rows of LANES ends */
    int *agent;           /* [n_groups * LANES] by seat; -1: nobody */
    int *seat;            /* [n_agents] */
    int *degree;          /* [n_agents] */
    unsigned char *apart; /* [n_agents] has an asset that jumps at a price: solved by itself */

    double *prices, *next_prices; /* [places: seats, then visitors] of the round before; of this one */
    double *power, *cost, *fees, *rest_power; /* [seats] */

    double *s, *peer_s, *slope, *agreed; /* [ends], as pw_row_group has them */
    float *gap_sum2, *move_sum2, *ratio;
    int32_t *peer, *shared;
    double *t_min, *t_max, *fee, *peer_fee; /* bounds [ends] or [seats]; fees [ends] or none */
    double *before;     /* [ends of the deepest group], or [ends] when looked at closely */
    double *all_before; /* [ends] once a round was looked at closely, else NULL */
    struct bench bench;
};

/* ---- Layout ---- */

static void sort_window(const int *degree, int first, int end, int *order)
{
    int most = 0, *count;
    for (int i = first; i < end; i++)
        most = degree[i] > most ? degree[i] : most;
    count = pw_alloc((size_t)most + 2, sizeof *count);
    for (int i = first; i < end; i++)
        count[most - degree[i] + 1]++;
    for (int d = 0; d < most + 1; d++)
        count[d + 1] += count[d];
    for (int i = first; i < end; i++)
        order[first + count[most - degree[i]]++] = i;
    free(count);
}

/* The agents in the order of their seats: most links first within each window. */
static void seat_agents(struct pw_rows *rows)
{
    int agents = rows->spec.n_agents, *order = pw_alloc((size_t)agents, sizeof *order);
    for (int first = 0; first < agents; first += SORTED_AT_A_TIME)
        sort_window(rows->degree, first,
                    first + SORTED_AT_A_TIME < agents ? first + SORTED_AT_A_TIME : agents, order);
    for (int seat = 0; seat < rows->n_groups * LANES; seat++)
        rows->agent[seat] = seat < agents ? order[seat] : -1;
    for (int seat = 0; seat < agents; seat++)
        rows->seat[order[seat]] = seat;
    free(order);
}

static void lay_out_groups(struct pw_rows *rows)
{
    rows->group_first[0] = 0;
    for (int g = 0; g < rows->n_groups; g++) {
        int depth = 0;
        for (int seat = g * LANES; seat < (g + 1) * LANES; seat++) {
            int agent = rows->agent[seat];
            depth = agent >= 0 && rows->degree[agent] > depth ? rows->degree[agent] : depth;
        }
        rows->depth_max = depth > rows->depth_max ? depth : rows->depth_max;
        rows->group_first[g + 1] = rows->group_first[g] + depth;
    }
}

static double *reals(size_t count)
{
    return pw_alloc_lines(count * sizeof(double));
}

static size_t n_ends(const struct pw_rows *rows)
{
    return (size_t)rows->group_first[rows->n_groups] * LANES;
}

static void allocate_ends(struct pw_rows *rows)
{
    size_t ends = n_ends(rows), seats = (size_t)rows->n_groups * LANES;
    size_t bounds = rows->spec.by_end ? ends : seats, fees = rows->spec.by_end ? ends : 0;
    rows->s = reals(ends);
    rows->peer_s = reals(ends);
    rows->slope = reals(ends);
    rows->agreed = reals(ends);
    rows->gap_sum2 = pw_alloc_lines(ends * sizeof(float));
    rows->move_sum2 = pw_alloc_lines(ends * sizeof(float));
    rows->ratio = pw_alloc_lines(ends * sizeof(float));
    rows->peer = pw_alloc_lines(ends * sizeof(int32_t));
    rows->shared = pw_alloc((size_t)rows->group_first[rows->n_groups], sizeof(int32_t));
    rows->t_min = reals(bounds);
    rows->t_max = reals(bounds);
    rows->fee = reals(fees);
    rows->peer_fee = reals(fees);
    rows->before = reals((size_t)rows->depth_max * LANES);
}

static void allocate_seats(struct pw_rows *rows)
{
    size_t seats = (size_t)rows->n_groups * LANES, places = seats + (size_t)rows->spec.n_visitors;
    rows->prices = reals(places);
    rows->next_prices = reals(places);
    rows->power = reals(seats);
    rows->cost = reals(seats);
    rows->fees = reals(seats);
    rows->rest_power = reals(seats);
    for (size_t seat = 0; seat < seats; seat++)
        rows->rest_power[seat] = INFINITY;
}

static void allocate_bench(struct pw_rows *rows)
{
    size_t depth = (size_t)rows->depth_max;
    int most = 0;
    for (int i = 0; i < rows->spec.n_agents; i++) {
        int assets = rows->spec.asset_first[i + 1] - rows->spec.asset_first[i];
        most = assets > most ? assets : most;
    }
    rows->bench = (struct bench){reals(depth), reals(depth), reals(depth),       reals(depth),
                                 reals(depth), reals(depth), reals((size_t)most)};
}

/* An asset that jumps from one limit to the other at a price leaves the balance open there. */
static int has_jump(const struct pw_rows_spec *spec, int agent)
{
    for (int i = spec->asset_first[agent]; i < spec->asset_first[agent + 1]; i++) {
        if (!(spec->a[i] > 0.0) && spec->p_min[i] < spec->p_max[i])
            return 1;
    }
    return 0;
}

struct pw_rows *pw_rows_create(const struct pw_rows_spec *spec)
{
    struct pw_rows *rows = pw_alloc(1, sizeof *rows);
    size_t agents = (size_t)spec->n_agents;
    rows->spec = *spec;
    rows->spec.end_first = NULL;
    rows->kernel = pw_row_kernel_best();
    rows->n_groups = (spec->n_agents + LANES - 1) / LANES;
    rows->group_first = pw_alloc((size_t)rows->n_groups + 1, sizeof *rows->group_first);
    rows->agent = pw_alloc((size_t)rows->n_groups * LANES, sizeof *rows->agent);
    rows->seat = pw_alloc(agents, sizeof *rows->seat);
    rows->degree = pw_alloc(agents, sizeof *rows->degree);
    rows->apart = pw_alloc(agents, 1);
    for (int i = 0; i < spec->n_agents; i++) {
        rows->degree[i] = spec->end_first[i + 1] - spec->end_first[i];
        rows->apart[i] = (unsigned char)has_jump(spec, i);
    }
    seat_agents(rows);
    lay_out_groups(rows);
    allocate_ends(rows);
    allocate_seats(rows);
    allocate_bench(rows);
    return rows;
}

void pw_rows_destroy(struct pw_rows *rows)
{
    if (rows == NULL)
        return;
    void *arrays[] = {rows->group_first,  rows->agent,
                      rows->seat,         rows->degree,
                      rows->apart,        rows->prices,
                      rows->next_prices,  rows->power,
                      rows->cost,         rows->fees,
                      rows->rest_power,   rows->s,
                      rows->peer_s,       rows->slope,
                      rows->agreed,       rows->gap_sum2,
                      rows->move_sum2,    rows->ratio,
                      rows->peer,         rows->shared,
                      rows->t_min,        rows->t_max,
                      rows->fee,          rows->peer_fee,
                      rows->before,       rows->all_before,
                      rows->bench.target, rows->bench.slope,
                      rows->bench.dead,   rows->bench.t_min,
                      rows->bench.t_max,  rows->bench.t,
                      rows->bench.p,      rows};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

static size_t end_at(const struct pw_rows *rows, int seat, int k)
{
    return ((size_t)rows->group_first[seat / LANES] + (size_t)k) * LANES + (size_t)(seat % LANES);
}

static int place_of(const struct pw_rows *rows, int peer)
{
    return peer < rows->spec.n_agents ? rows->seat[peer]
                                      : rows->n_groups * LANES + (peer - rows->spec.n_agents);
}

void pw_rows_set_end(struct pw_rows *rows, int i, int k, const struct pw_rows_end *end)
{
    int seat = rows->seat[i];
    size_t e = end_at(rows, seat, k), bound = rows->spec.by_end ? e : (size_t)seat;
    rows->peer[e] = place_of(rows, end->peer);
    rows->slope[e] = 1.0 / end->penalty;
    rows->ratio[e] = (float)(end->penalty_start / end->penalty);
    rows->s[e] = end->s;
    rows->peer_s[e] = end->peer_s;
    rows->t_min[bound] = end->t_min;
    rows->t_max[bound] = end->t_max;
    if (rows->spec.by_end) {
        rows->fee[e] = end->fee;
        rows->peer_fee[e] = end->peer_fee;
    }
}

void pw_rows_set_agent(struct pw_rows *rows, int i, double price, double rest_power)
{
    rows->prices[rows->seat[i]] = price;
    rows->rest_power[rows->seat[i]] = rest_power;
}

/* Where all agents of a group have the same peer in a row, its price is read once. */
static void find_shared_peers(struct pw_rows *rows)
{
    for (long row = 0; row < rows->group_first[rows->n_groups]; row++) {
        int32_t common = -1;
        for (int j = 0; j < LANES; j++) {
            size_t e = (size_t)row * LANES + (size_t)j;
            if (rows->slope[e] > 0.0 && common == -1)
                common = rows->peer[e];
            else if (rows->slope[e] > 0.0 && rows->peer[e] != common)
                common = -2;
        }
        rows->shared[row] = common < 0 ? -1 : common;
    }
}

/* ---- A round ---- */

static struct pw_row_group group_of(const struct pw_rows *rows, int g)
{
    size_t row = (size_t)rows->group_first[g], e = row * LANES,
           bound = rows->spec.by_end ? e : (size_t)g * LANES;
    return (struct pw_row_group){.depth = (int)(rows->group_first[g + 1] - rows->group_first[g]),
                                 .s = rows->s + e,
                                 .peer_s = rows->peer_s + e,
                                 .slope = rows->slope + e,
                                 .agreed = rows->agreed + e,
                                 .gap_sum2 = rows->gap_sum2 + e,
                                 .move_sum2 = rows->move_sum2 + e,
                                 .ratio = rows->ratio + e,
                                 .peer = rows->peer + e,
                                 .shared = rows->shared + row,
                                 .prices = rows->prices,
                                 .t_min = rows->t_min + bound,
                                 .t_max = rows->t_max + bound,
                                 .fee = rows->spec.by_end ? rows->fee + e : NULL,
                                 .peer_fee = rows->spec.by_end ? rows->peer_fee + e : NULL,
                                 .before = rows->is_looked_at ? rows->all_before + e : rows->before};
}

/* The assets of one agent at a price: power, cost, and how power answers the price. */
struct supply {
    double power, cost, slope, size;
};

static struct supply supply_at(const struct pw_rows_spec *spec, int agent, double m)
{
    struct supply supply = {0.0, 0.0, 0.0, 0.0};
    for (int i = spec->asset_first[agent]; i < spec->asset_first[agent + 1]; i++) {
        double a = spec->a[i], b = spec->b[i], p_min = spec->p_min[i], p_max = spec->p_max[i];
        double wish = a > 0.0 ? (m - b) / a : p_min;
        double p = wish > p_min ? wish : p_min;
        p = p < p_max ? p : p_max;
        supply.power += p;
        supply.cost += (a / 2.0 * p + b) * p;
        supply.size += fabs(p);
        if (a > 0.0 && p > p_min && p < p_max)
            supply.slope += 1.0 / a;
    }
    return supply;
}

/* What has become of a lane's local problem. */
enum lane_state { OPEN, SOLVED, ALONE };

/* Newton's next price for an open lane, or its end. Balanced means to the rounding of its own sums, as in
 * local_problem.c; where the balance is flat, the lane is solved by itself. */
static enum lane_state advance(struct pw_rows *rows, int seat, const struct pw_row_answer *answer,
                               double guess, double *m)
{
    int agent = rows->agent[seat], j = seat % LANES;
    struct supply supply = supply_at(&rows->spec, agent, *m);
    double slope = supply.slope + answer->slope[j], size = 2.0 * supply.size + answer->size[j];
    double rounding = DBL_EPSILON * (4.0 * size + 2.0 * fabs(*m) * slope);
    double miss = supply.power - answer->sum[j];
    rows->power[seat] = supply.power;
    rows->cost[seat] = supply.cost;
    if (fabs(miss) <= rounding && (slope > 0.0 || *m == guess))
        return SOLVED;
    if (!(slope > 0.0))
        return ALONE;
    double next = *m - miss / slope;
    if (next == *m)
        return SOLVED;
    *m = next;
    return OPEN;
}

/* Newton's first step, from what taking in the offers has found at the price before. */
static double first_step(const struct pw_rows *rows, int seat, const struct pw_row_digest *digest,
                         double guess)
{
    struct supply supply = supply_at(&rows->spec, rows->agent[seat], guess);
    double slope = supply.slope + digest->slope[seat % LANES];
    return slope > 0.0 ? guess - (supply.power - digest->sum[seat % LANES]) / slope : guess;
}

/* One agent's problem, solved as agent.c would. */
static double solve_alone(struct pw_rows *rows, const struct pw_row_group *group, int seat, double guess)
{
    int agent = rows->agent[seat], j = seat % LANES, first = rows->spec.asset_first[agent];
    int links = rows->degree[agent], count = rows->spec.asset_first[agent + 1] - first;
    const struct bench *bench = &rows->bench;
    for (int k = 0; k < links; k++) {
        int e = k * LANES + j, bound = rows->spec.by_end ? e : j;
        bench->target[k] = group->s[e];
        bench->slope[k] = group->slope[e];
        bench->dead[k] = rows->spec.by_end ? group->fee[e] * group->slope[e] : 0.0;
        bench->t_min[k] = group->t_min[bound];
        bench->t_max[k] = group->t_max[bound];
    }
    struct pw_local_problem problem = {count,
                                       rows->spec.p_min + first,
                                       rows->spec.p_max + first,
                                       rows->spec.a + first,
                                       rows->spec.b + first,
                                       bench->p,
                                       links,
                                       bench->target,
                                       bench->slope,
                                       bench->dead,
                                       bench->t_min,
                                       bench->t_max,
                                       bench->t};
    double m = pw_local_solve(&problem, guess).price;
    rows->power[seat] = rows->cost[seat] = 0.0;
    for (int i = 0; i < count; i++) {
        double p = bench->p[i];
        rows->power[seat] += p;
        rows->cost[seat] += (rows->spec.a[first + i] / 2.0 * p + rows->spec.b[first + i]) * p;
    }
    return m;
}

/* The local problems of a group: Newton's method in all lanes at once; returns the passes. */
static int solve_group(struct pw_rows *rows, int g, const struct pw_row_group *group,
                       const struct pw_row_rules *rules, const struct pw_row_digest *digest, double *m,
                       struct pw_row_answer *answer)
{
    enum lane_state state[LANES];
    const double *guess = rows->prices + (size_t)g * LANES;
    int passes = 0, n_open = 0, n_alone = 0;
    for (int j = 0; j < LANES; j++) {
        int agent = rows->agent[g * LANES + j];
        state[j] = agent < 0 ? SOLVED : rows->apart[agent] ? ALONE : OPEN;
        m[j] = state[j] == OPEN && rows->rounds > 0 ? first_step(rows, g * LANES + j, digest, guess[j])
                                                    : guess[j];
        n_open += state[j] == OPEN;
    }
    while (n_open > 0 && passes < MOST_PASSES) {
        rows->kernel->answer(group, rules, m, answer);
        passes++;
        n_open = 0;
        for (int j = 0; j < LANES; j++) {
            if (state[j] == OPEN)
                state[j] = advance(rows, g * LANES + j, answer, guess[j], &m[j]);
            n_open += state[j] == OPEN;
        }
    }
    for (int j = 0; j < LANES; j++) {
        if (state[j] == SOLVED)
            continue;
        m[j] = solve_alone(rows, group, g * LANES + j, guess[j]);
        n_alone++;
    }
    if (n_alone > 0)
        rows->kernel->answer(group, rules, m, answer);
    return passes + (n_alone > 0);
}

/* Which round of the penalties' balance comes in: that of the offers, the first of which is 0. */
static enum pw_row_kind kind_of(const struct pw_rows *rows)
{
    int round = rows->rounds, since = round % PW_ROUNDS_PER_BALANCE;
    int left = (PW_ROUNDS_PER_BALANCE - since) % PW_ROUNDS_PER_BALANCE;
    if (!rows->spec.adapts_penalty || round > PW_LAST_BALANCE)
        return PW_ROW_PLAIN;
    if (left == 0)
        return PW_ROW_BALANCE;
    return left < PW_ROUNDS_THAT_COUNT    ? PW_ROW_COUNT
           : left == PW_ROUNDS_THAT_COUNT ? PW_ROW_KEEP
                                          : PW_ROW_PLAIN;
}

static void look_closely(struct pw_rows *rows, int closely)
{
    rows->is_looked_at = closely;
    if (closely && rows->all_before == NULL)
        rows->all_before = reals(n_ends(rows));
}

/* The worst trade of a seat over what a trade at rest may differ or move by, in power and in price. */
static double excess_of(const struct pw_rows *rows, int seat, const struct pw_row_digest *digest,
                        const struct pw_row_answer *answer)
{
    int j = seat % LANES;
    double power = fmax(digest->gap_max[j], answer->move_max[j]);
    double price = fmax(digest->apart_max[j], answer->price_max[j]);
    return fmax(power / rows->rest_power[seat], price / rows->spec.rest_price);
}

static void add_up(struct pw_rows *rows, int g, const struct pw_row_digest *digest,
                   const struct pw_row_answer *answer, int closely, struct pw_rows_sums *sums)
{
    for (int j = 0; j < LANES; j++) {
        int seat = g * LANES + j;
        if (rows->agent[seat] < 0)
            continue;
        rows->fees[seat] = answer->fees[j];
        sums->gap2 += digest->gap2[j];
        sums->dual2 += answer->move2[j];
        sums->welfare -= rows->cost[seat] + answer->fees[j];
        if (closely) {
            sums->price2 += answer->price2[j];
            sums->mismatch = fmax(sums->mismatch, digest->mismatch_max[j]);
            sums->excess = fmax(sums->excess, excess_of(rows, seat, digest, answer));
        }
    }
}

struct pw_rows_sums pw_rows_step(struct pw_rows *rows, int closely)
{
    struct pw_rows_sums sums = {0};
    struct pw_row_rules rules = {rows->spec.by_end, kind_of(rows), closely, rows->spec.relaxation,
                                 fmin(PW_LARGEST_FACTOR, 1.0 + PW_TIGHTENING_ROUNDS / fmax(rows->rounds, 1))};
    if (rows->rounds == 0)
        find_shared_peers(rows);
    look_closely(rows, closely);
    for (int g = 0; g < rows->n_groups; g++) {
        struct pw_row_group group = group_of(rows, g);
        struct pw_row_digest digest = {{0}, {0}, {0}, {0}, {0}, {0}};
        struct pw_row_answer answer = {{0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}};
        if (rows->rounds > 0) /* the offers of round 0 are nothing */
            rows->kernel->take_in(&group, &rules, rows->prices + (size_t)g * LANES, &digest);
        sums.passes +=
            solve_group(rows, g, &group, &rules, &digest, rows->next_prices + (size_t)g * LANES, &answer);
        add_up(rows, g, &digest, &answer, closely, &sums);
    }
    double *prices = rows->prices;
    rows->prices = rows->next_prices;
    rows->next_prices = prices;
    rows->rounds++;
    return sums;
}

/* ---- What has come out ---- */

int pw_rows_rounds(const struct pw_rows *rows)
{
    return rows->rounds;
}

double pw_rows_price(const struct pw_rows *rows, int i)
{
    return rows->prices[rows->seat[i]];
}

void pw_rows_visit(struct pw_rows *rows, int visitor, double price)
{
    rows->prices[rows->n_groups * LANES + visitor] = price;
}

double pw_rows_power(const struct pw_rows *rows, int i)
{
    return rows->power[rows->seat[i]];
}

struct pw_rows_trade pw_rows_trade(const struct pw_rows *rows, int i, int k)
{
    int seat = rows->seat[i];
    size_t e = end_at(rows, seat, k), bound = rows->spec.by_end ? e : (size_t)seat;
    double slope = rows->slope[e], wish = rows->s[e] - slope * rows->prices[seat];
    double dead = rows->spec.by_end ? rows->fee[e] * slope : 0.0;
    double trade = fmax(wish - dead, 0.0) + fmin(wish + dead, 0.0);
    trade = fmin(fmax(trade, rows->t_min[bound]), rows->t_max[bound]);
    return (struct pw_rows_trade){trade, rows->is_looked_at ? rows->all_before[e] : trade,
                                  (rows->s[e] - trade) / slope, 1.0 / slope};
}

double pw_rows_bytes(const struct pw_rows *rows)
{
    double per_end = 4.0 * sizeof(double) + 3.0 * sizeof(float) + sizeof(int32_t);
    per_end += sizeof(int32_t) / (double)LANES;
    per_end += rows->spec.by_end ? 4.0 * sizeof(double) : 0.0;
    per_end += rows->all_before != NULL ? sizeof(double) : 0.0;
    return per_end * (double)n_ends(rows);
}
