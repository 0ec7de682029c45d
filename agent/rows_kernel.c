/* The passes of rows_kernel.h, for one kind of processor: PW_ROW_KERNEL names the table of functions that
 * this makes. Included by one file for each kind, which has said what the compiler may use. */
#include <float.h>
#include <stddef.h>
#include <math.h>

#include "agent/balance.h"
#include "agent/rows_kernel.h"
#include "agent/rows_lanes.h"
#include "agent/rows_newton.h"
#include "agent/rows_trades.h"

#ifndef PW_ROW_KERNEL
#define PW_ROW_KERNEL pw_row_kernel_plain
#endif

/* What the ends of a step hold while offers are taken in. */
struct row {
    choice heard;                    /* lanes whose peer's offer is taken in */
    lanes mine, theirs, gap, agreed; /* trades of the round */
    lanes s, peer_s, slope;          /* edge variables and slope after it */
};

/* How the penalties of a step are balanced: lanes whose round counts, those that are due, and the most that a
 * penalty may change by. */
struct balancing {
    choice counts, due;
    float_lanes most, least; /* 1 / most */
};

PW_INLINE float_lanes within(float_lanes x, float_lanes low, float_lanes high)
{
    return float_smaller(float_larger(x, low), high);
}

/* pw_balance() in lanes. */
PW_INLINE float_lanes balance(float_lanes gaps, float_lanes moves, const struct balancing *balancing,
                              float_lanes *ratio)
{
    float_lanes share = within(float_root(float_root(moves / gaps)), balancing->least, balancing->most);
    float_lanes next = within(*ratio * share, all_floats(1.0F / PW_MOST_RISE), all_floats(PW_MOST_SINK));
    share = next / *ratio;
    *ratio = next;
    return share;
}

/* Counts the row for its balance; `is_due`: balances it. */
PW_INLINE void balance_row(const struct pw_row_group *group, size_t at, const struct balancing *balancing,
                           int is_due, struct row *row)
{
    const lanes none = all(0.0);
    lanes move = row->agreed - load(group->agreed + at), gap = row->gap * all(0.5);
    float_lanes gaps = load_floats(group->gap_sum2 + at), moves = load_floats(group->move_sum2 + at);
    gaps += to_floats(pick(balancing->counts, gap * gap, none));
    moves += to_floats(pick(balancing->counts, move * move, none));
    if (is_due) {
        float_lanes ratio = load_floats(group->ratio + at), was = ratio;
        lanes size = larger(size_of(row->agreed), larger(size_of(row->s), size_of(row->peer_s)));
        choice rests =
            reaches(all(PW_ROUNDING_SHARE * PW_ROUNDING_SHARE) * size * size, to_lanes(gaps + moves));
        choice stays = rests | ~balancing->due;
        lanes share = pick(stays, all(1.0), to_lanes(balance(gaps, moves, balancing, &ratio)));
        store_floats(group->ratio + at, to_floats(pick(stays, to_lanes(was), to_lanes(ratio))));
        row->slope *= share;
        store(group->slope + at, row->slope);
        row->s = row->agreed + share * (row->s - row->agreed);
        row->peer_s = -row->agreed + share * (row->peer_s + row->agreed);
        gaps = to_floats(pick(balancing->due, none, to_lanes(gaps)));
        moves = to_floats(pick(balancing->due, none, to_lanes(moves)));
    }
    store_floats(group->gap_sum2 + at, gaps);
    store_floats(group->move_sum2 + at, moves);
}

/* All trades of the round of a step, and what follows from them. `sent` and `theirs`: the prices of the own
 * offers and of the peers'. */
PW_INLINE struct row meet(const struct pw_row_group *group, size_t at, lanes theirs,
                          const struct limits *limits, lanes sent, lanes alpha, choice heard, int by_end)
{
    lanes s = load(group->s + at), peer_s = load(group->peer_s + at), slope = load(group->slope + at);
    struct row row = {.heard = heard, .slope = slope};
    row.mine = trade_at(s, slope, sent, limits->t_min, limits->t_max, limits->fee, by_end);
    row.theirs = trade_at(peer_s, slope, theirs, -limits->t_max, -limits->t_min, limits->peer_fee, by_end);
    row.gap = pick(heard, row.mine + row.theirs, all(0.0));
    row.agreed = (row.mine - row.theirs) * all(0.5);
    lanes apart = s - peer_s, twice = all(2.0);
    row.s = pick(heard, minus_product(s, alpha, plus_product(apart, twice, row.theirs)), s);
    row.peer_s = pick(heard, plus_product(peer_s, alpha, minus_product(apart, twice, row.mine)), peer_s);
    return row;
}

/* What the rows have come to while offers are taken in. */
struct taken {
    lanes gap2, sum, slopes, gap_max, apart_max, mismatch_max;
};

PW_INLINE void look_at(const struct pw_row_group *group, size_t at, const struct row *row,
                       struct taken *taken)
{
    lanes s = load(group->s + at), peer_s = load(group->peer_s + at);
    lanes rho = pick(row->heard, all(1.0) / larger(load(group->slope + at), all(DBL_MIN)), all(0.0));
    lanes apart = size_of((row->s - row->mine) - (row->peer_s - row->theirs)) * rho;
    lanes mismatch = size_of((s - row->mine) - (peer_s - row->theirs)) * rho;
    taken->gap_max = larger(taken->gap_max, size_of(row->gap));
    taken->apart_max = larger(taken->apart_max, apart);
    taken->mismatch_max =
        larger(taken->mismatch_max, pick(equals(row->agreed, all(0.0)), all(0.0), mismatch));
}

/* `slope`: that of the trades now. */
PW_INLINE void count(struct taken *taken, const struct row *row, const struct answer *now, lanes slope)
{
    taken->gap2 = plus_product(taken->gap2, row->gap, row->gap);
    taken->sum += now->trade;
    taken->slopes = plus_where(taken->slopes, now->moves, slope);
}

/* From `lane` on. */
PW_INLINE void store_digest(struct pw_row_digest *digest, const struct taken *taken, int lane, int closely)
{
    store(digest->gap2 + lane, taken->gap2);
    store(digest->sum + lane, taken->sum);
    store(digest->slope + lane, taken->slopes);
    if (!closely)
        return;
    store(digest->gap_max + lane, taken->gap_max);
    store(digest->apart_max + lane, taken->apart_max);
    store(digest->mismatch_max + lane, taken->mismatch_max);
}

/* Ends so far ahead are fetched while others are taken in, those of the next groups too: without it the
 * processor computes and waits for memory in turn. What lies behind the last end is fetched for nothing. */
enum { AHEAD = 256 };

PW_INLINE void fetch_ahead(const struct pw_row_group *group, size_t at, int kind)
{
    const size_t floats_per_line = 16;
    __builtin_prefetch(group->s + at + AHEAD, 1);
    __builtin_prefetch(group->peer_s + at + AHEAD, 1);
    __builtin_prefetch(group->slope + at + AHEAD);
    if (kind != PW_ROW_PLAIN)
        __builtin_prefetch(group->agreed + at + AHEAD, 1);
    if ((kind == PW_ROW_COUNT || kind == PW_ROW_BALANCE) && at % floats_per_line == 0) {
        __builtin_prefetch(group->gap_sum2 + at + AHEAD, 1);
        __builtin_prefetch(group->move_sum2 + at + AHEAD, 1);
    }
}

/* What all rows of a step have in common where nobody waits. */
struct common {
    lanes m, alpha; /* the price before */
    struct limits limits;
    struct balancing balancing;
};

PW_INLINE struct common common_of(const struct pw_row_group *group, const struct pw_row_rules *rules,
                                  const double *price, int lane)
{
    float_lanes most = all_floats((float)rules->largest_factor);
    return (struct common){load(price + lane),
                           all(rules->relaxation),
                           limits_of(group, lane),
                           {everybody(), everybody(), most, all_floats(1.0F) / most}};
}

PW_INLINE void take_in_step(const struct pw_row_group *group, int row_at, int32_t place, int lane,
                            const struct common *common, struct taken *taken, int by_end, int kind,
                            int closely)
{
    size_t at = (size_t)row_at * PW_LANES + (size_t)lane;
    struct limits limits = by_end ? limits_at(group, row_at, lane) : common->limits;
    if (lane == 0)
        fetch_ahead(group, at, kind);
    struct row row = meet(group, at, of_peers(group, at, place, group->prices), &limits, common->m,
                          common->alpha, everybody(), by_end);
    if (closely)
        look_at(group, at, &row, taken);
    if (kind == PW_ROW_COUNT || kind == PW_ROW_BALANCE)
        balance_row(group, at, &common->balancing, kind == PW_ROW_BALANCE, &row);
    if (kind == PW_ROW_KEEP || kind == PW_ROW_COUNT)
        store(group->agreed + at, row.agreed);
    struct answer now = answer_of(row.s, row.slope, limits.fee * row.slope, common->m, &limits, by_end);
    count(taken, &row, &now, row.slope);
    store(group->before + at, row.mine);
    store(group->s + at, row.s);
    store(group->peer_s + at, row.peer_s);
}

PW_INLINE void take_in(const struct pw_row_group *group, const struct pw_row_rules *rules,
                       const double *price, struct pw_row_digest *digest, int by_end, int kind, int closely)
{
    struct taken taken[STEPS] = {0};
    struct common common[STEPS];
    for (int i = 0; i < STEPS; i++)
        common[i] = common_of(group, rules, price, i * STEP);
    int row = 0; /* whether peers are shared is asked once for a run */
    for (const struct pw_row_run *run = group->runs; row < group->depth; run++) {
        for (int32_t place = run->place; place >= 0 && row < run->end; row++, place++)
            for (int i = 0; i < STEPS; i++)
                take_in_step(group, row, place, i * STEP, &common[i], &taken[i], by_end, kind, closely);
        for (; row < run->end; row++)
            for (int i = 0; i < STEPS; i++)
                take_in_step(group, row, -1, i * STEP, &common[i], &taken[i], by_end, kind, closely);
    }
    for (int i = 0; i < STEPS; i++)
        store_digest(digest, &taken[i], i * STEP, closely);
}

/* How the trades of a step answer a price: those whose offer waits for its answer reluctantly, from the price
 * at which it was made, as in agent.c. */
PW_INLINE void pose(const struct pw_row_group *group, size_t at, const struct row *row,
                    const struct limits *limits, lanes sent, double stiffness)
{
    lanes stiff = row->slope / all(stiffness);
    store(group->target + at, pick(row->heard, row->s, row->s - (row->slope - stiff) * sent));
    store(group->answers + at, pick(row->heard, row->slope, stiff));
    store(group->dead + at, limits->fee * row->slope);
    store(group->free + at, pick(row->heard, all(1.0), all(0.0)));
}

/* Where visitors keep their own pace; closely. `kind` is the most that any row needs. */
PW_INLINE void take_in_paced_step(const struct pw_row_group *group, const struct pw_row_rules *rules,
                                  int row_at, int32_t place, int lane, lanes m, const struct limits *fixed,
                                  struct taken *taken, int by_end, int kind)
{
    const struct pw_row_pace *pace = group->pace;
    const lanes none = all(0.0);
    size_t at = (size_t)row_at * PW_LANES + (size_t)lane;
    struct limits limits = by_end ? limits_at(group, row_at, lane) : *fixed;
    lanes sent = pick(above(of_peers(group, at, place, pace->answered), none), m, load(group->sent + at));
    choice heard = above(of_peers(group, at, place, pace->heard), none);
    struct row row = meet(group, at, of_peers(group, at, place, group->prices), &limits, sent,
                          all(rules->relaxation), heard, by_end);
    look_at(group, at, &row, taken);
    if (kind == PW_ROW_BALANCE) {
        float_lanes most = to_floats(of_peers(group, at, place, pace->largest_factor));
        struct balancing balancing = {above(of_peers(group, at, place, pace->counts), none),
                                      above(of_peers(group, at, place, pace->due), none), most,
                                      all_floats(1.0F) / most};
        balance_row(group, at, &balancing, 1, &row);
    }
    if (kind != PW_ROW_PLAIN)
        store(group->agreed + at, pick(heard, row.agreed, load(group->agreed + at)));
    pose(group, at, &row, &limits, sent, rules->stiffness);
    lanes slope = load(group->answers + at);
    struct answer now =
        answer_of(load(group->target + at), slope, load(group->dead + at), m, &limits, by_end);
    count(taken, &row, &now, slope);
    store(group->sent + at, sent);
    store(group->before + at, pick(heard, row.mine, load(group->before + at)));
    store(group->s + at, row.s);
    store(group->peer_s + at, row.peer_s);
}

PW_INLINE void take_in_paced(const struct pw_row_group *group, const struct pw_row_rules *rules,
                             const double *price, struct pw_row_digest *digest, int by_end, int kind)
{
    struct taken taken[STEPS] = {0};
    struct limits fixed[STEPS];
    lanes m[STEPS];
    for (int i = 0; i < STEPS; i++) {
        fixed[i] = limits_of(group, i * STEP);
        m[i] = load(price + i * STEP);
    }
    const struct pw_row_run *run = group->runs;
    for (int row = 0; row < group->depth; run++)
        for (int32_t place = run->place; row < run->end; row++, place += place >= 0)
            for (int i = 0; i < STEPS; i++)
                take_in_paced_step(group, rules, row, place, i * STEP, m[i], &fixed[i], &taken[i], by_end,
                                   kind);
    for (int i = 0; i < STEPS; i++)
        store_digest(digest, &taken[i], i * STEP, 1);
}

PW_INLINE void take_in_paced_kind(const struct pw_row_group *group, const struct pw_row_rules *rules,
                                  const double *price, struct pw_row_digest *digest, int by_end)
{
    switch (rules->kind) {
    case PW_ROW_PLAIN:
        take_in_paced(group, rules, price, digest, by_end, PW_ROW_PLAIN);
        return;
    case PW_ROW_KEEP:
        take_in_paced(group, rules, price, digest, by_end, PW_ROW_KEEP);
        return;
    case PW_ROW_COUNT:
    case PW_ROW_BALANCE:
        take_in_paced(group, rules, price, digest, by_end, PW_ROW_BALANCE);
    }
}

PW_INLINE void take_in_kind(const struct pw_row_group *group, const struct pw_row_rules *rules,
                            const double *price, struct pw_row_digest *digest, int by_end, int closely)
{
    switch (rules->kind) {
    case PW_ROW_PLAIN:
        take_in(group, rules, price, digest, by_end, PW_ROW_PLAIN, closely);
        return;
    case PW_ROW_KEEP:
        take_in(group, rules, price, digest, by_end, PW_ROW_KEEP, closely);
        return;
    case PW_ROW_COUNT:
        take_in(group, rules, price, digest, by_end, PW_ROW_COUNT, closely);
        return;
    case PW_ROW_BALANCE:
        take_in(group, rules, price, digest, by_end, PW_ROW_BALANCE, closely);
    }
}

/* On a copy of the group, which no store into its rows can change: else its pointers are read again at each
 * row. */
static void take_in_group(const struct pw_row_group *given, const struct pw_row_rules *rules,
                          const double *price, struct pw_row_digest *digest)
{
    const struct pw_row_group own = *given, *group = &own;
    if (group->pace != NULL && rules->by_end)
        take_in_paced_kind(group, rules, price, digest, 1);
    else if (group->pace != NULL)
        take_in_paced_kind(group, rules, price, digest, 0);
    else if (rules->by_end && rules->closely)
        take_in_kind(group, rules, price, digest, 1, 1);
    else if (rules->by_end)
        take_in_kind(group, rules, price, digest, 1, 0);
    else if (rules->closely)
        take_in_kind(group, rules, price, digest, 0, 1);
    else
        take_in_kind(group, rules, price, digest, 0, 0);
}

PW_INLINE void answer_step(const struct pw_row_group *group, int row_at, int lane, lanes m,
                           const struct limits *fixed, struct answered *answered, int by_end, int closely,
                           int paced)
{
    size_t at = (size_t)row_at * PW_LANES + (size_t)lane;
    struct limits limits = by_end ? limits_at(group, row_at, lane) : *fixed;
    lanes s = load((paced ? group->target : group->s) + at);
    lanes slope = load((paced ? group->answers : group->slope) + at);
    lanes dead = paced ? load(group->dead + at) : limits.fee * slope;
    struct answer now = answer_of(s, slope, dead, m, &limits, by_end);
    lanes move = now.trade - load(group->before + at), size = size_of(now.trade);
    if (paced)
        move = pick(above(load(group->free + at), all(0.0)), move, all(0.0));
    answered->sum += now.trade;
    answered->slopes = plus_where(answered->slopes, now.moves, slope);
    answered->sizes += size;
    answered->move2 = plus_product(answered->move2, move, move);
    if (by_end)
        answered->fees += limits.fee * size;
    if (closely) {
        lanes priced = size_of(move) / larger(slope, all(DBL_MIN));
        answered->price2 += priced * priced;
        answered->move_max = larger(answered->move_max, size_of(move));
        answered->price_max = larger(answered->price_max, priced);
    }
}

/* The trades at the price of each step, or of those before, and how they differ from those before. Meanwhile
 * the slopes of the next group are fetched, so that memory does not rest. */
PW_INLINE void answer_at(const struct pw_row_group *group, const struct limits fixed[STEPS],
                         const lanes m[STEPS], struct answered answered[STEPS], int by_end, int closely,
                         int paced)
{
    for (int i = 0; i < STEPS; i++)
        answered[i] =
            (struct answered){all(0.0), all(0.0), all(0.0), all(0.0), all(0.0), all(0.0), all(0.0), all(0.0)};
    enum { OUTSIDE_FIRST_CACHE = 2 };
    for (int row = 0; row < group->depth; row++) {
        __builtin_prefetch(group->slope + (size_t)(group->depth + row) * PW_LANES, 0, OUTSIDE_FIRST_CACHE);
        for (int i = 0; i < STEPS; i++)
            answer_step(group, row, i * STEP, m[i], &fixed[i], &answered[i], by_end, closely, paced);
    }
}

PW_INLINE void store_answer(struct pw_row_answer *answer, const struct answered answered[STEPS], int closely)
{
    for (int i = 0, lane = 0; i < STEPS; i++, lane += STEP) {
        store(answer->fees + lane, answered[i].fees);
        store(answer->move2 + lane, answered[i].move2);
        if (!closely)
            continue;
        store(answer->price2 + lane, answered[i].price2);
        store(answer->move_max + lane, answered[i].move_max);
        store(answer->price_max + lane, answered[i].price_max);
    }
}

PW_INLINE struct pw_row_solution solve(const struct pw_row_group *group, const struct pw_row_digest *digest,
                                       const struct pw_row_agents *agents, const double *before,
                                       double *price, struct pw_row_answer *answer, int by_end, int closely,
                                       int paced)
{
    struct pw_row_solution solution = {0, 0};
    struct newton newton[STEPS];
    struct limits fixed[STEPS];
    struct answered answered[STEPS] = {0};
    for (int i = 0; i < STEPS; i++) {
        newton[i] = begin(digest, agents, before, i * STEP);
        fixed[i] = limits_of(group, i * STEP);
    }
    while (any_open(newton) != 0 && solution.passes < MOST_PASSES) {
        lanes m[STEPS];
        for (int i = 0; i < STEPS; i++)
            m[i] = newton[i].m;
        answer_at(group, fixed, m, answered, by_end, closely, paced);
        for (int i = 0; i < STEPS; i++) {
            struct supplied supplied = supply_at(&agents->assets, i * STEP, m[i]);
            advance(&newton[i], &supplied, &answered[i]);
        }
        solution.passes++;
    }
    for (int i = 0, lane = 0; i < STEPS; i++, lane += STEP) {
        store(price + lane, newton[i].m);
        store(agents->power + lane, newton[i].power);
        store(agents->cost + lane, newton[i].cost);
        store(agents->supply + lane, newton[i].supply);
        solution.left |= bits_of(newton[i].left | newton[i].open) << lane;
    }
    store_answer(answer, answered, closely);
    return solution;
}

/* On a copy likewise. */
static struct pw_row_solution solve_group(const struct pw_row_group *given, const struct pw_row_rules *rules,
                                          const struct pw_row_digest *digest,
                                          const struct pw_row_agents *agents, const double *before,
                                          double *price, struct pw_row_answer *answer)
{
    const struct pw_row_group own = *given, *group = &own;
    if (group->pace != NULL && rules->by_end)
        return solve(group, digest, agents, before, price, answer, 1, 1, 1);
    if (group->pace != NULL)
        return solve(group, digest, agents, before, price, answer, 0, 1, 1);
    if (rules->by_end && rules->closely)
        return solve(group, digest, agents, before, price, answer, 1, 1, 0);
    if (rules->by_end)
        return solve(group, digest, agents, before, price, answer, 1, 0, 0);
    if (rules->closely)
        return solve(group, digest, agents, before, price, answer, 0, 1, 0);
    return solve(group, digest, agents, before, price, answer, 0, 0, 0);
}

/* Rare, so that what rows do not need is not left out. */
static void answer_group(const struct pw_row_group *group, const struct pw_row_rules *rules,
                         const double *price, struct pw_row_answer *answer)
{
    struct answered answered[STEPS];
    struct limits fixed[STEPS];
    lanes m[STEPS];
    for (int i = 0; i < STEPS; i++) {
        fixed[i] = limits_of(group, i * STEP);
        m[i] = load(price + i * STEP);
    }
    answer_at(group, fixed, m, answered, rules->by_end, 1, group->pace != NULL);
    store_answer(answer, answered, 1);
}

const struct pw_row_kernel PW_ROW_KERNEL = {take_in_group, solve_group, answer_group};
