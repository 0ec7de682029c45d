/* The passes of rows_kernel.h, for one kind of processor: PW_ROW_KERNEL names the table of functions that
 * this makes. Included by one file for each kind, which has said what the compiler may use. */
#include <float.h>
#include <stddef.h>
#include <math.h>

#include "agent/balance.h"
#include "agent/rows_kernel.h"
#include "agent/rows_lanes.h"

#ifndef PW_ROW_KERNEL
#define PW_ROW_KERNEL pw_row_kernel_plain
#endif

/* What `by_place` says of the peers in the rows of a step, the first of which is `row`. */
PW_INLINE lanes of_peers(const struct pw_row_group *group, int row, const double *by_place)
{
    const int32_t *peer = group->peer + (size_t)row * PW_LANES, *shared = group->shared + row;
#ifdef PW_PAIR_IS_A_STEP
    if ((shared[0] | shared[1]) >= 0) {
        double x = by_place[shared[0]], y = by_place[shared[1]];
        return (lanes){x, x, x, x, y, y, y, y};
    }
    return (lanes){by_place[peer[0]], by_place[peer[1]], by_place[peer[2]], by_place[peer[3]],
                   by_place[peer[4]], by_place[peer[5]], by_place[peer[6]], by_place[peer[7]]};
#else
    if (shared[0] >= 0)
        return all(by_place[shared[0]]);
    return (lanes){by_place[peer[0]], by_place[peer[1]], by_place[peer[2]], by_place[peer[3]]};
#endif
}

PW_INLINE lanes soft(lanes wish, lanes dead)
{
    return larger(wish - dead, all(0.0)) + smaller(wish + dead, all(0.0));
}

/* Bounds and fees of the ends of a step. */
struct limits {
    lanes t_min, t_max, fee, peer_fee;
};

/* Where they do not differ by end, those of all rows; fees are none. */
PW_INLINE struct limits limits_of(const struct pw_row_group *group)
{
    return (struct limits){by_lane(group->t_min), by_lane(group->t_max), all(0.0), all(0.0)};
}

/* Where they do. */
PW_INLINE struct limits limits_at(const struct pw_row_group *group, size_t at)
{
    return (struct limits){load(group->t_min + at), load(group->t_max + at), load(group->fee + at),
                           load(group->peer_fee + at)};
}

/* The trades of a step at a price, and by how much they fall as it rises. */
struct answer {
    lanes trade, slope;
};

PW_INLINE struct answer answer_of(lanes s, lanes slope, lanes dead, lanes m, const struct limits *limits,
                                  int by_end)
{
    lanes wish = s - slope * m, free = by_end ? soft(wish, dead) : wish;
    lanes trade = smaller(larger(free, limits->t_min), limits->t_max);
    lanes moves = by_end ? pick(size_of(wish) >= dead, slope, all(0.0)) : slope;
    return (struct answer){trade, pick(trade == free, moves, all(0.0))};
}

/* The trade that an edge variable stands for at price m. */
PW_INLINE lanes trade_at(lanes s, lanes slope, lanes m, lanes t_min, lanes t_max, lanes fee, int by_end)
{
    lanes wish = s - slope * m;
    return smaller(larger(by_end ? soft(wish, fee * slope) : wish, t_min), t_max);
}

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
    float_lanes most;
};

PW_INLINE float_lanes float_root(float_lanes x)
{
#ifdef PW_PAIR_IS_A_STEP
    return (float_lanes)_mm256_sqrt_ps((__m256)x);
#elif defined(__AVX2__)
    return (float_lanes)_mm_sqrt_ps((__m128)x);
#else
    return (float_lanes){sqrtf(x[0]), sqrtf(x[1]), sqrtf(x[2]), sqrtf(x[3])};
#endif
}

PW_INLINE float_lanes float_pick(float_choice yes, float_lanes x, float_lanes y)
{
    return (float_lanes)((yes & (float_choice)x) | (~yes & (float_choice)y));
}

PW_INLINE float_lanes within(float_lanes x, float_lanes low, float_lanes high)
{
    x = float_pick(x > low, x, low);
    return float_pick(x < high, x, high);
}

/* pw_balance() in lanes. */
PW_INLINE float_lanes balance(float_lanes gaps, float_lanes moves, float_lanes most, float_lanes *ratio)
{
    float_lanes share = within(float_root(float_root(moves / gaps)), all_floats(1.0F) / most, most);
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
        choice rests = to_lanes(gaps + moves) <= all(PW_ROUNDING_SHARE * PW_ROUNDING_SHARE) * size * size;
        choice stays = rests | ~balancing->due;
        lanes share = pick(stays, all(1.0), to_lanes(balance(gaps, moves, balancing->most, &ratio)));
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
    row.s = pick(heard, s - alpha * (s + row.theirs + row.theirs - peer_s), s);
    row.peer_s = pick(heard, peer_s - alpha * (peer_s + row.mine + row.mine - s), peer_s);
    return row;
}

/* What one step of all pairs has come to while offers are taken in. */
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
    taken->mismatch_max = larger(taken->mismatch_max, pick(row->agreed == all(0.0), all(0.0), mismatch));
}

PW_INLINE void count(struct taken *taken, const struct row *row, const struct answer *now)
{
    taken->gap2 += row->gap * row->gap;
    taken->sum += now->trade;
    taken->slopes += now->slope;
}

PW_INLINE void store_digest(struct pw_row_digest *digest, const struct taken taken[STEPS], int closely)
{
    const struct taken *first = &taken[0], *last = &taken[STEPS - 1];
    store_sum(digest->gap2, first->gap2, last->gap2);
    store_sum(digest->sum, first->sum, last->sum);
    store_sum(digest->slope, first->slopes, last->slopes);
    if (!closely)
        return;
    store_larger(digest->gap_max, first->gap_max, last->gap_max);
    store_larger(digest->apart_max, first->apart_max, last->apart_max);
    store_larger(digest->mismatch_max, first->mismatch_max, last->mismatch_max);
}

/* Ends so far ahead are fetched while others are taken in, those of the next groups too: without it the
 * processor computes and waits for memory in turn. What lies behind the last end is fetched for nothing. */
enum { AHEAD = 512 };

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

PW_INLINE void take_in_step(const struct pw_row_group *group, const struct pw_row_rules *rules, int row_at,
                            lanes m, const struct limits *fixed, struct taken *taken, int by_end, int kind,
                            int closely)
{
    const choice yes = all(0.0) == all(0.0);
    size_t at = (size_t)row_at * PW_LANES;
    struct limits limits = by_end ? limits_at(group, at) : *fixed;
    fetch_ahead(group, at, kind);
    struct row row = meet(group, at, of_peers(group, row_at, group->prices), &limits, m,
                          all(rules->relaxation), yes, by_end);
    if (closely)
        look_at(group, at, &row, taken);
    if (kind == PW_ROW_COUNT || kind == PW_ROW_BALANCE) {
        struct balancing balancing = {yes, yes, all_floats((float)rules->largest_factor)};
        balance_row(group, at, &balancing, kind == PW_ROW_BALANCE, &row);
    }
    if (kind == PW_ROW_KEEP || kind == PW_ROW_COUNT)
        store(group->agreed + at, row.agreed);
    struct answer now = answer_of(row.s, row.slope, limits.fee * row.slope, m, &limits, by_end);
    count(taken, &row, &now);
    store(group->before + at, row.mine);
    store(group->s + at, row.s);
    store(group->peer_s + at, row.peer_s);
}

PW_INLINE void take_in(const struct pw_row_group *group, const struct pw_row_rules *rules,
                       const double *price, struct pw_row_digest *digest, int by_end, int kind, int closely)
{
    struct taken taken[STEPS] = {0};
    struct limits fixed = limits_of(group);
    lanes m = by_lane(price);
    for (int row = 0; row < group->depth; row += 2)
        for (int step = 0; step < STEPS; step++)
            take_in_step(group, rules, row + step, m, &fixed, &taken[step], by_end, kind, closely);
    store_digest(digest, taken, closely);
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
                                  int row_at, lanes m, const struct limits *fixed, struct taken *taken,
                                  int by_end, int kind)
{
    const struct pw_row_pace *pace = group->pace;
    const lanes none = all(0.0);
    size_t at = (size_t)row_at * PW_LANES;
    struct limits limits = by_end ? limits_at(group, at) : *fixed;
    lanes sent = pick(of_peers(group, row_at, pace->answered) > none, m, load(group->sent + at));
    choice heard = of_peers(group, row_at, pace->heard) > none;
    struct row row = meet(group, at, of_peers(group, row_at, group->prices), &limits, sent,
                          all(rules->relaxation), heard, by_end);
    look_at(group, at, &row, taken);
    if (kind == PW_ROW_BALANCE) {
        struct balancing balancing = {of_peers(group, row_at, pace->counts) > none,
                                      of_peers(group, row_at, pace->due) > none,
                                      to_floats(of_peers(group, row_at, pace->largest_factor))};
        balance_row(group, at, &balancing, 1, &row);
    }
    if (kind != PW_ROW_PLAIN)
        store(group->agreed + at, pick(heard, row.agreed, load(group->agreed + at)));
    pose(group, at, &row, &limits, sent, rules->stiffness);
    struct answer now = answer_of(load(group->target + at), load(group->answers + at), load(group->dead + at),
                                  m, &limits, by_end);
    count(taken, &row, &now);
    store(group->sent + at, sent);
    store(group->before + at, pick(heard, row.mine, load(group->before + at)));
    store(group->s + at, row.s);
    store(group->peer_s + at, row.peer_s);
}

PW_INLINE void take_in_paced(const struct pw_row_group *group, const struct pw_row_rules *rules,
                             const double *price, struct pw_row_digest *digest, int by_end, int kind)
{
    struct taken taken[STEPS] = {0};
    struct limits fixed = limits_of(group);
    lanes m = by_lane(price);
    for (int row = 0; row < group->depth; row += 2)
        for (int step = 0; step < STEPS; step++)
            take_in_paced_step(group, rules, row + step, m, &fixed, &taken[step], by_end, kind);
    store_digest(digest, taken, 1);
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

static void take_in_group(const struct pw_row_group *group, const struct pw_row_rules *rules,
                          const double *price, struct pw_row_digest *digest)
{
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

/* What one step of all pairs answers. */
struct answered {
    lanes sum, slopes, sizes, fees, move2, price2, move_max, price_max;
};

PW_INLINE void answer_step(const struct pw_row_group *group, size_t at, lanes m, const struct limits *fixed,
                           struct answered *answered, int by_end, int closely, int paced)
{
    struct limits limits = by_end ? limits_at(group, at) : *fixed;
    lanes s = load((paced ? group->target : group->s) + at);
    lanes slope = load((paced ? group->answers : group->slope) + at);
    lanes dead = paced ? load(group->dead + at) : limits.fee * slope;
    struct answer now = answer_of(s, slope, dead, m, &limits, by_end);
    lanes move = now.trade - load(group->before + at), size = size_of(now.trade);
    if (paced)
        move = pick(load(group->free + at) > all(0.0), move, all(0.0));
    answered->sum += now.trade;
    answered->slopes += now.slope;
    answered->sizes += size;
    answered->move2 += move * move;
    if (by_end)
        answered->fees += limits.fee * size;
    if (closely) {
        lanes priced = size_of(move) / larger(slope, all(DBL_MIN));
        answered->price2 += priced * priced;
        answered->move_max = larger(answered->move_max, size_of(move));
        answered->price_max = larger(answered->price_max, priced);
    }
}

PW_INLINE void answer_at(const struct pw_row_group *group, const double *price, struct pw_row_answer *answer,
                         int by_end, int closely, int paced)
{
    struct answered answered[STEPS] = {0};
    struct limits fixed = limits_of(group);
    lanes m = by_lane(price);
    for (int row = 0; row < group->depth; row += 2)
        for (int step = 0; step < STEPS; step++)
            answer_step(group, (size_t)(row + step) * PW_LANES, m, &fixed, &answered[step], by_end, closely,
                        paced);
    const struct answered *first = &answered[0], *last = &answered[STEPS - 1];
    store_sum(answer->sum, first->sum, last->sum);
    store_sum(answer->slope, first->slopes, last->slopes);
    store_sum(answer->size, first->sizes, last->sizes);
    store_sum(answer->fees, first->fees, last->fees);
    store_sum(answer->move2, first->move2, last->move2);
    if (!closely)
        return;
    store_sum(answer->price2, first->price2, last->price2);
    store_larger(answer->move_max, first->move_max, last->move_max);
    store_larger(answer->price_max, first->price_max, last->price_max);
}

static void answer_group(const struct pw_row_group *group, const struct pw_row_rules *rules,
                         const double *price, struct pw_row_answer *answer)
{
    if (group->pace != NULL && rules->by_end)
        answer_at(group, price, answer, 1, 1, 1);
    else if (group->pace != NULL)
        answer_at(group, price, answer, 0, 1, 1);
    else if (rules->by_end && rules->closely)
        answer_at(group, price, answer, 1, 1, 0);
    else if (rules->by_end)
        answer_at(group, price, answer, 1, 0, 0);
    else if (rules->closely)
        answer_at(group, price, answer, 0, 1, 0);
    else
        answer_at(group, price, answer, 0, 0, 0);
}

/* What one step of all pairs of assets gives. */
struct supplied {
    lanes power, cost, size, slope;
};

PW_INLINE void supply_step(const struct pw_row_assets *assets, size_t at, lanes m, struct supplied *supplied)
{
    lanes a = load(assets->a + at), b = load(assets->b + at);
    lanes p_min = load(assets->p_min + at), p_max = load(assets->p_max + at);
    lanes p = smaller(larger((m - b) / a, p_min), p_max); /* where a = 0 both limits are the same */
    supplied->power += p;
    supplied->cost += (a * all(0.5) * p + b) * p;
    supplied->size += size_of(p);
    supplied->slope += pick((p > p_min) & (p < p_max), load(assets->answer + at), all(0.0));
}

static void supply_group(const struct pw_row_assets *assets, const double *price,
                         struct pw_row_supply *supply)
{
    struct supplied supplied[STEPS] = {0};
    lanes m = by_lane(price);
    for (int row = 0; row < assets->count; row += 2)
        for (int step = 0; step < STEPS; step++)
            supply_step(assets, (size_t)(row + step) * PW_LANES, m, &supplied[step]);
    const struct supplied *first = &supplied[0], *last = &supplied[STEPS - 1];
    store_sum(supply->power, first->power, last->power);
    store_sum(supply->cost, first->cost, last->cost);
    store_sum(supply->size, first->size, last->size);
    store_sum(supply->slope, first->slope, last->slope);
}

const struct pw_row_kernel PW_ROW_KERNEL = {take_in_group, answer_group, supply_group};
