#include "agent/rows.h"

#include <math.h>
#include <stdlib.h>

#include "agent/rows_internal.h"
#include "common/larger.h"
#include "common/memory.h"

/* Agents with nearly as many links lie in one group, but near each other in the market: so many agents at a
 * time are sorted by their number of links. */
enum { SORTED_AT_A_TIME = 1024 };

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

double *pw_rows_reals(size_t count)
{
    return pw_alloc_lines(count * sizeof(double));
}

size_t pw_rows_n_ends(const struct pw_rows *rows)
{
    return (size_t)rows->group_first[rows->n_groups] * LANES;
}

/* True if a limit lies in the array of the one before. */
static int is_kept_before(const struct pw_rows_spec *spec, enum pw_rows_limit limit)
{
    return limit == PW_ROWS_PEER_FEE ? spec->fees_are_alike
                                     : limit == PW_ROWS_T_MAX && spec->bounds != PW_ROWS_ANY_BOUNDS;
}

static void allocate_ends(struct pw_rows *rows)
{
    size_t ends = pw_rows_n_ends(rows), seats = (size_t)rows->n_groups * LANES;
    rows->s = pw_rows_reals(ends);
    rows->peer_s = pw_rows_reals(ends);
    rows->slope = pw_rows_reals(ends);
    rows->agreed = pw_rows_reals(ends);
    rows->gap_sum2 = pw_alloc_lines(ends * sizeof(float));
    rows->move_sum2 = pw_alloc_lines(ends * sizeof(float));
    rows->ratio = pw_alloc_lines(ends * sizeof(float));
    rows->peer = pw_alloc_lines(ends * sizeof(int32_t));
    for (int i = 0; i < PW_ROWS_LIMITS; i++)
        rows->limits[i] = is_kept_before(&rows->spec, i) ? rows->limits[i - 1]
                                                         : pw_rows_reals(rows->spec.by_end[i] ? ends : seats);
    rows->before = pw_rows_reals(rows->spec.paced ? ends : (size_t)rows->depth_max * LANES);
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

static void allocate_seats(struct pw_rows *rows)
{
    size_t seats = (size_t)rows->n_groups * LANES, places = seats + (size_t)rows->spec.n_visitors;
    rows->prices = pw_rows_reals(places);
    rows->next_prices = pw_rows_reals(places);
    rows->power = pw_rows_reals(seats);
    rows->cost = pw_rows_reals(seats);
    rows->supply = pw_rows_reals(seats);
    rows->apart = pw_rows_reals(seats);
    rows->rest_power = pw_rows_reals(seats);
    rows->moved2 = pw_rows_reals(seats);
    rows->priced2 = pw_rows_reals(seats);
    for (size_t seat = 0; seat < seats; seat++) {
        rows->rest_power[seat] = INFINITY;
        rows->apart[seat] = rows->agent[seat] >= 0 && has_jump(&rows->spec, rows->agent[seat]);
    }
}

/* The assets by seat, in rows. */
static void lay_out_assets(struct pw_rows *rows)
{
    const struct pw_rows_spec *spec = &rows->spec;
    rows->assets_first = pw_alloc((size_t)rows->n_groups + 1, sizeof *rows->assets_first);
    for (int g = 0; g < rows->n_groups; g++) {
        int most = 0;
        for (int seat = g * LANES; seat < (g + 1) * LANES; seat++) {
            int agent = rows->agent[seat];
            int count = agent < 0 ? 0 : spec->asset_first[agent + 1] - spec->asset_first[agent];
            most = count > most ? count : most;
        }
        rows->assets_first[g + 1] = rows->assets_first[g] + most;
    }
    size_t count = (size_t)rows->assets_first[rows->n_groups] * LANES;
    double **arrays[] = {&rows->p_min, &rows->p_max, &rows->a, &rows->b, &rows->asset_answer};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        *arrays[i] = pw_rows_reals(count);
    for (int seat = 0; seat < rows->n_groups * LANES; seat++) {
        size_t to = (size_t)rows->assets_first[seat / LANES] * LANES + (size_t)(seat % LANES);
        int agent = rows->agent[seat], from = agent < 0 ? 0 : spec->asset_first[agent],
            end = agent < 0 ? 0 : spec->asset_first[agent + 1];
        for (int row = rows->assets_first[seat / LANES]; row < rows->assets_first[seat / LANES + 1]; row++) {
            int is_there = from < end;
            rows->p_min[to] = is_there ? spec->p_min[from] : 0.0;
            rows->p_max[to] = is_there ? spec->p_max[from] : 0.0;
            rows->a[to] = is_there ? spec->a[from] : 1.0;
            rows->b[to] = is_there ? spec->b[from] : 0.0;
            rows->asset_answer[to] = 1.0 / rows->a[to];
            from++;
            to += LANES;
        }
    }
}

static void allocate_bench(struct pw_rows *rows)
{
    size_t depth = (size_t)rows->depth_max;
    int most = 0;
    for (int i = 0; i < rows->spec.n_agents; i++) {
        int assets = rows->spec.asset_first[i + 1] - rows->spec.asset_first[i];
        most = assets > most ? assets : most;
    }
    rows->bench = (struct pw_rows_bench){
        pw_rows_reals(depth), pw_rows_reals(depth), pw_rows_reals(depth),       pw_rows_reals(depth),
        pw_rows_reals(depth), pw_rows_reals(depth), pw_rows_reals((size_t)most)};
}

/* The passes for this processor. */
static const struct pw_row_kernel *best_kernel(void)
{
#ifdef PW_HAS_VECTOR_KERNELS
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return &pw_row_kernel_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &pw_row_kernel_avx2;
#endif
    return &pw_row_kernel_plain;
}

struct pw_rows *pw_rows_create(const struct pw_rows_spec *spec)
{
    struct pw_rows *rows = pw_alloc(1, sizeof *rows);
    size_t agents = (size_t)spec->n_agents;
    rows->spec = *spec;
    rows->spec.end_first = NULL;
    rows->kernel = best_kernel();
    rows->n_groups = (spec->n_agents + LANES - 1) / LANES;
    rows->watched[0] = rows->watched[1] = -1;
    rows->group_first = pw_alloc((size_t)rows->n_groups + 1, sizeof *rows->group_first);
    rows->agent = pw_alloc((size_t)rows->n_groups * LANES, sizeof *rows->agent);
    rows->seat = pw_alloc(agents, sizeof *rows->seat);
    rows->degree = pw_alloc(agents, sizeof *rows->degree);
    for (int i = 0; i < spec->n_agents; i++) {
        rows->degree[i] = spec->end_first[i + 1] - spec->end_first[i];
        rows->n_links += rows->degree[i];
    }
    seat_agents(rows);
    lay_out_groups(rows);
    allocate_ends(rows);
    allocate_seats(rows);
    lay_out_assets(rows);
    allocate_bench(rows);
    if (spec->paced)
        pw_rows_pace_create(rows);
    return rows;
}

void pw_rows_destroy(struct pw_rows *rows)
{
    if (rows == NULL)
        return;
    pw_rows_pace_destroy(rows);
    void *arrays[] = {rows->group_first,
                      rows->agent,
                      rows->seat,
                      rows->degree,
                      rows->apart,
                      rows->prices,
                      rows->next_prices,
                      rows->power,
                      rows->cost,
                      rows->supply,
                      rows->rest_power,
                      rows->s,
                      rows->peer_s,
                      rows->slope,
                      rows->agreed,
                      rows->gap_sum2,
                      rows->move_sum2,
                      rows->ratio,
                      rows->peer,
                      rows->runs,
                      rows->run_first,
                      rows->assets_first,
                      rows->p_min,
                      rows->p_max,
                      rows->a,
                      rows->b,
                      rows->asset_answer,
                      rows->limits[PW_ROWS_T_MIN],
                      is_kept_before(&rows->spec, PW_ROWS_T_MAX) ? NULL : rows->limits[PW_ROWS_T_MAX],
                      rows->limits[PW_ROWS_FEE],
                      is_kept_before(&rows->spec, PW_ROWS_PEER_FEE) ? NULL : rows->limits[PW_ROWS_PEER_FEE],
                      rows->before,
                      rows->moved2,
                      rows->priced2,
                      rows->bench.target,
                      rows->bench.slope,
                      rows->bench.dead,
                      rows->bench.t_min,
                      rows->bench.t_max,
                      rows->bench.t,
                      rows->bench.p,
                      rows};
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

static double *limit_of(const struct pw_rows *rows, int limit, int seat, size_t e)
{
    return &rows->limits[limit][rows->spec.by_end[limit] ? e : (size_t)seat];
}

struct pw_rows_limits pw_rows_limits_at(const struct pw_rows *rows, int seat, size_t e)
{
    struct pw_rows_limits limits = {*limit_of(rows, PW_ROWS_T_MIN, seat, e),
                                    *limit_of(rows, PW_ROWS_T_MAX, seat, e),
                                    *limit_of(rows, PW_ROWS_FEE, seat, e)};
    if (rows->spec.bounds == PW_ROWS_ONE_WAY) {
        limits.t_min = pw_smaller(limits.t_min, 0.0);
        limits.t_max = pw_larger(limits.t_max, 0.0);
    }
    if (rows->spec.bounds == PW_ROWS_MIRRORED)
        limits.t_min = 0.0 - limits.t_max; /* not -0 */
    return limits;
}

void pw_rows_set_end(struct pw_rows *rows, int i, int k, const struct pw_rows_end *end)
{
    int seat = rows->seat[i];
    size_t e = end_at(rows, seat, k);
    rows->peer[e] = place_of(rows, end->peer);
    if (rows->spec.paced && end->peer >= rows->spec.n_agents)
        rows->visitor_ends[end->peer - rows->spec.n_agents]++;
    rows->slope[e] = 1.0 / end->penalty;
    rows->ratio[e] = (float)(end->penalty_start / end->penalty);
    if (end->s != 0.0 || end->peer_s != 0.0) { /* else they are so already, far apart in memory */
        rows->s[e] = end->s;
        rows->peer_s[e] = end->peer_s;
    }
    for (int limit = 0; limit < PW_ROWS_LIMITS; limit++) {
        int is_kept = is_kept_before(&rows->spec, limit) && end->limits[limit] == 0.0;
        if (!is_kept && (rows->spec.by_end[limit] || k == 0))
            *limit_of(rows, limit, seat, e) = end->limits[limit];
    }
}

void pw_rows_set_agent(struct pw_rows *rows, int i, double price, double rest_power)
{
    rows->prices[rows->seat[i]] = price;
    rows->rest_power[rows->seat[i]] = rest_power;
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

struct pw_rows_moved pw_rows_moved(const struct pw_rows *rows, int i)
{
    int seat = rows->seat[i];
    return (struct pw_rows_moved){rows->moved2[seat], rows->priced2[seat]};
}

/* The round of the last offer at an end, and the price at which it was made. */
static int offered_at(const struct pw_rows *rows, int seat, size_t e, double *price)
{
    int place = rows->peer[e], visitor = place - rows->n_groups * LANES;
    *price = rows->prices[seat];
    if (!rows->spec.paced || visitor < 0)
        return rows->rounds;
    if (!(rows->pace.answered[place] > 0.0))
        *price = rows->sent[e];
    int is_read = !(rows->pace.heard[place] > 0.0); /* by the last round */
    return rows->visitor_round[visitor] + is_read;
}

struct pw_rows_trade pw_rows_trade(const struct pw_rows *rows, int i, int k)
{
    int seat = rows->seat[i];
    size_t e = end_at(rows, seat, k);
    double price;
    int round = offered_at(rows, seat, e, &price);
    double slope = rows->slope[e], wish = fma(-slope, price, rows->s[e]);
    struct pw_rows_limits limits = pw_rows_limits_at(rows, seat, e);
    double dead = limits.fee * slope;
    double trade = pw_larger(wish - dead, 0.0) + pw_smaller(wish + dead, 0.0);
    trade = pw_smaller(pw_larger(trade, limits.t_min), limits.t_max);
    return (struct pw_rows_trade){round, trade, rows->spec.paced ? rows->before[e] : NAN,
                                  (rows->s[e] - trade) / slope, 1.0 / slope};
}

double pw_rows_bytes(const struct pw_rows *rows)
{
    double per_end = 4.0 * sizeof(double) + 3.0 * sizeof(float) + sizeof(int32_t);
    for (int i = 0; i < PW_ROWS_LIMITS; i++) {
        per_end += rows->spec.by_end[i] && !is_kept_before(&rows->spec, i) ? sizeof(double) : 0.0;
    }
    per_end += rows->spec.paced ? 2.0 * sizeof(double) : 0.0; /* sent, before */
    return per_end * (double)pw_rows_n_ends(rows);
}
