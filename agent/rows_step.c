#include <math.h>

#include "agent/balance.h"
#include "agent/local_problem.h"
#include "agent/rows_internal.h"
#include "common/larger.h"

static struct pw_row_group group_of(const struct pw_rows *rows, int g)
{
    size_t e = (size_t)rows->group_first[g] * LANES;
    struct pw_row_group group = {.depth = (int)(rows->group_first[g + 1] - rows->group_first[g]),
                                 .s = rows->s + e,
                                 .peer_s = rows->peer_s + e,
                                 .slope = rows->slope + e,
                                 .agreed = rows->agreed + e,
                                 .gap_sum2 = rows->gap_sum2 + e,
                                 .move_sum2 = rows->move_sum2 + e,
                                 .ratio = rows->ratio + e,
                                 .peer = rows->peer + e,
                                 .runs = rows->runs + rows->run_first[g],
                                 .prices = rows->prices,
                                 .before = rows->spec.paced ? rows->before + e : rows->before,
                                 .pace = rows->spec.paced && rows->rounds > 0 ? &rows->pace : NULL,
                                 .sent = rows->spec.paced ? rows->sent + e : NULL,
                                 .target = rows->target,
                                 .answers = rows->answers,
                                 .dead = rows->dead,
                                 .free = rows->free,
                                 .t_min_sign = rows->spec.bounds == PW_ROWS_MIRRORED ? -1.0 : 1.0,
                                 .t_min_most = rows->spec.bounds == PW_ROWS_ONE_WAY ? 0.0 : INFINITY,
                                 .t_max_least = rows->spec.bounds == PW_ROWS_ONE_WAY ? 0.0 : -INFINITY};
    for (int i = 0; i < PW_ROWS_LIMITS; i++) {
        int by_end = rows->spec.by_end[i];
        group.limits[i] =
            (struct pw_row_limit){rows->limits[i] + (by_end ? e : (size_t)g * LANES), by_end ? LANES : 0};
    }
    return group;
}

static struct pw_row_agents agents_of(const struct pw_rows *rows, int g)
{
    size_t seat = (size_t)g * LANES, at = (size_t)rows->assets_first[g] * LANES;
    return (struct pw_row_agents){.assets = {.count = rows->assets_first[g + 1] - rows->assets_first[g],
                                             .p_min = rows->p_min + at,
                                             .p_max = rows->p_max + at,
                                             .a = rows->a + at,
                                             .b = rows->b + at,
                                             .answer = rows->asset_answer + at},
                                  .apart = rows->apart + seat,
                                  .power = rows->power + seat,
                                  .cost = rows->cost + seat,
                                  .supply = rows->supply + seat};
}

/* One agent's problem, solved as agent.c would. */
static double solve_alone(struct pw_rows *rows, const struct pw_row_group *group, int seat, double guess)
{
    int agent = rows->agent[seat], j = seat % LANES, first = rows->spec.asset_first[agent];
    int links = rows->degree[agent], count = rows->spec.asset_first[agent + 1] - first;
    const struct pw_rows_bench *bench = &rows->bench;
    size_t first_end = (size_t)rows->group_first[seat / LANES] * LANES;
    for (int k = 0; k < links; k++) {
        int e = k * LANES + j, paced = group->pace != NULL;
        struct pw_rows_limits limits = pw_rows_limits_at(rows, seat, first_end + (size_t)e);
        bench->target[k] = paced ? group->target[e] : group->s[e];
        bench->slope[k] = paced ? group->answers[e] : group->slope[e];
        bench->dead[k] = paced ? group->dead[e] : limits.fee * group->slope[e];
        bench->t_min[k] = limits.t_min;
        bench->t_max[k] = limits.t_max;
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
    rows->power[seat] = rows->cost[seat] = rows->supply[seat] = 0.0;
    for (int i = 0; i < count; i++) {
        double p = bench->p[i], a = rows->spec.a[first + i];
        if (a > 0.0 && p > rows->spec.p_min[first + i] && p < rows->spec.p_max[first + i])
            rows->supply[seat] += 1.0 / a;
        rows->power[seat] += p;
        rows->cost[seat] += (a / 2.0 * p + rows->spec.b[first + i]) * p;
    }
    return m;
}

/* The local problems of a group; returns the passes. */
static int solve_group(struct pw_rows *rows, int g, const struct pw_row_group *group,
                       const struct pw_row_rules *rules, const struct pw_row_digest *digest,
                       struct pw_row_answer *answer)
{
    const struct pw_row_agents agents = agents_of(rows, g);
    const double *guess = rows->prices + (size_t)g * LANES;
    double *m = rows->next_prices + (size_t)g * LANES;
    struct pw_row_solution solution =
        rows->kernel->solve(group, rules, rows->rounds > 0 ? digest : NULL, &agents, guess, m, answer);
    if (solution.left == 0)
        return solution.passes;
    for (int j = 0; j < LANES; j++) {
        if (solution.left >> j & 1)
            m[j] = solve_alone(rows, group, g * LANES + j, guess[j]);
    }
    rows->kernel->answer(group, rules, m, answer);
    return solution.passes + 1;
}

enum pw_row_kind pw_rows_kind(const struct pw_rows *rows, int round)
{
    int since = round % PW_ROUNDS_PER_BALANCE;
    int left = (PW_ROUNDS_PER_BALANCE - since) % PW_ROUNDS_PER_BALANCE;
    if (!rows->spec.adapts_penalty || round > PW_LAST_BALANCE)
        return PW_ROW_PLAIN;
    if (left == 0)
        return PW_ROW_BALANCE;
    return left < PW_ROUNDS_THAT_COUNT    ? PW_ROW_COUNT
           : left == PW_ROUNDS_THAT_COUNT ? PW_ROW_KEEP
                                          : PW_ROW_PLAIN;
}

/* What a round has come to, by lane; and the worst of it, where looked at. */
struct worst {
    double mismatch, excess;
};
struct sums {
    double gap2[LANES], dual2[LANES], cost[LANES], price2[LANES];
    struct worst worst;
};

static void add_up(struct pw_rows *rows, int g, const struct pw_row_digest *digest,
                   const struct pw_row_answer *answer, struct sums *sums)
{
    const double *cost = rows->cost + (size_t)g * LANES;
    double *moved2 = rows->moved2 + (size_t)g * LANES;
    for (int j = 0; j < LANES; j++) {
        moved2[j] = answer->move2[j];
        sums->gap2[j] += digest->gap2[j];
        sums->dual2[j] += answer->move2[j];
        sums->cost[j] += cost[j] + answer->fees[j];
    }
}

/* Excess: the worst trade over what a trade at rest may differ or move by, in power and in price. */
static struct worst look_at(struct pw_rows *rows, int g, const struct pw_row_digest *digest,
                            const struct pw_row_answer *answer, struct sums *sums)
{
    const double *rest_power = rows->rest_power + (size_t)g * LANES;
    double *priced2 = rows->priced2 + (size_t)g * LANES;
    struct worst worst = {0.0, 0.0};
    for (int j = 0; j < LANES; j++) {
        double power = pw_larger(digest->gap_max[j], answer->move_max[j]) / rest_power[j];
        double price = pw_larger(digest->apart_max[j], answer->price_max[j]) / rows->spec.rest_price;
        priced2[j] = answer->price2[j];
        sums->price2[j] += answer->price2[j];
        worst.mismatch = pw_larger(worst.mismatch, digest->mismatch_max[j]);
        worst.excess = pw_larger(worst.excess, pw_larger(power, price));
    }
    return worst;
}

/* The group is watched from now on where it is the worst so far. */
static void watch_worst(struct pw_rows *rows, int g, const struct worst *here, const struct worst *so_far)
{
    if (g == 0 || here->mismatch > so_far->mismatch)
        rows->watched[0] = g;
    if (g == 0 || here->excess > so_far->excess)
        rows->watched[1] = g;
}

static int is_watched(const struct pw_rows *rows, int g)
{
    return g == rows->watched[0] || g == rows->watched[1];
}

static struct pw_rows_sums over_lanes(const struct sums *by_lane, long passes)
{
    struct pw_rows_sums sums = {
        .passes = passes, .mismatch = by_lane->worst.mismatch, .excess = by_lane->worst.excess};
    for (int j = 0; j < LANES; j++) {
        sums.gap2 += by_lane->gap2[j];
        sums.dual2 += by_lane->dual2[j];
        sums.welfare -= by_lane->cost[j];
        sums.price2 += by_lane->price2[j];
    }
    return sums;
}

static int looks_at_ends(const struct pw_rows_spec *spec)
{
    int any = spec->has_fees;
    for (int i = 0; i < PW_ROWS_LIMITS; i++)
        any |= spec->by_end[i];
    return any;
}

/* How this round's numbers come about. */
static struct pw_row_rules open_round(struct pw_rows *rows, int closely)
{
    double factor = fmin(PW_LARGEST_FACTOR, 1.0 + PW_TIGHTENING_ROUNDS / fmax(rows->rounds, 1));
    struct pw_row_rules rules = {looks_at_ends(&rows->spec),
                                 pw_rows_kind(rows, rows->rounds),
                                 closely,
                                 rows->spec.relaxation,
                                 factor,
                                 1.0};
    if (rows->spec.paced) {
        rules.kind = pw_rows_pace_open(rows);
        rules.stiffness = pw_rows_stiffness(rows);
    }
    return rules;
}

struct pw_rows_sums pw_rows_step(struct pw_rows *rows, int closely)
{
    struct sums sums = {{0}, {0}, {0}, {0}, {0.0, 0.0}};
    struct pw_row_digest digest = {{0}, {0}, {0}, {0}, {0}, {0}};
    struct pw_row_answer answer;
    long passes = 0;
    closely |= rows->spec.paced;
    struct pw_row_rules rules = open_round(rows, closely);
    if (rows->rounds == 0)
        pw_rows_find_runs(rows);
    for (int g = 0; g < rows->n_groups; g++) {
        struct pw_row_group group = group_of(rows, g);
        rules.closely = closely || is_watched(rows, g);
        if (rows->rounds > 0) /* the offers of round 0 are nothing */
            rows->kernel->take_in(&group, &rules, rows->prices + (size_t)g * LANES, &digest);
        passes += solve_group(rows, g, &group, &rules, &digest, &answer);
        add_up(rows, g, &digest, &answer, &sums);
        if (!rules.closely)
            continue;
        struct worst worst = look_at(rows, g, &digest, &answer, &sums);
        if (closely)
            watch_worst(rows, g, &worst, &sums.worst);
        sums.worst.mismatch = pw_larger(sums.worst.mismatch, worst.mismatch);
        sums.worst.excess = pw_larger(sums.worst.excess, worst.excess);
    }
    if (rows->spec.paced)
        pw_rows_pace_close(rows);
    double *prices = rows->prices;
    rows->prices = rows->next_prices;
    rows->next_prices = prices;
    rows->rounds++;
    return over_lanes(&sums, passes);
}
