/* The passes of rows_kernel.h, for one kind of processor: PW_ROW_KERNEL names the table of functions that
 * this makes. Included by one file for each kind, which has said what the compiler may use. */
#include <float.h>
#include <stddef.h>
#include <math.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "agent/balance.h"
#include "agent/rows_kernel.h"

#ifndef PW_ROW_KERNEL
#define PW_ROW_KERNEL pw_row_kernel_plain
#endif
#define PW_INLINE static inline __attribute__((always_inline))

/* One number a lane: the compiler makes of these what the machine has. */
typedef double lanes __attribute__((vector_size(PW_LANES * sizeof(double))));
typedef float float_lanes __attribute__((vector_size(PW_LANES * sizeof(float))));
typedef int32_t float_choice __attribute__((vector_size(PW_LANES * sizeof(int32_t))));
typedef lanes stored __attribute__((may_alias, aligned(sizeof(double))));
typedef float_lanes stored_floats __attribute__((may_alias, aligned(sizeof(float))));
typedef int64_t choice __attribute__((vector_size(PW_LANES * sizeof(int64_t)))); /* all bits set: yes */

PW_INLINE lanes pick(choice yes, lanes x, lanes y)
{
    return (lanes)((yes & (choice)x) | (~yes & (choice)y));
}

/* Where the compiler does not see that a comparison and a choice are one instruction, it is told. */
PW_INLINE lanes larger(lanes x, lanes y)
{
#if defined(__AVX2__)
    return (lanes)_mm256_max_pd((__m256d)x, (__m256d)y);
#else
    return pick(x > y, x, y);
#endif
}

PW_INLINE lanes smaller(lanes x, lanes y)
{
#if defined(__AVX2__)
    return (lanes)_mm256_min_pd((__m256d)x, (__m256d)y);
#else
    return pick(x < y, x, y);
#endif
}

PW_INLINE lanes all(double x)
{
    return (lanes){x, x, x, x};
}

PW_INLINE lanes size_of(lanes x)
{
    const choice but_the_sign = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
    return (lanes)((choice)x & but_the_sign);
}

PW_INLINE lanes load(const double *from)
{
    return *(const stored *)from;
}

PW_INLINE float_lanes load_floats(const float *from)
{
    return *(const stored_floats *)from;
}

PW_INLINE void store(double *to, lanes x)
{
    *(stored *)to = x;
}

PW_INLINE void store_floats(float *to, float_lanes x)
{
    *(stored_floats *)to = x;
}

PW_INLINE float_lanes to_floats(lanes x)
{
    return __builtin_convertvector(x, float_lanes);
}

PW_INLINE lanes to_lanes(float_lanes x)
{
    return __builtin_convertvector(x, lanes);
}

PW_INLINE lanes soft(lanes wish, lanes dead)
{
    return larger(wish - dead, all(0.0)) + smaller(wish + dead, all(0.0));
}

/* Bounds and fees of the ends in a row. */
struct limits {
    lanes t_min, t_max, fee, peer_fee;
};

/* Those of row k, where they differ by end; else those of all rows, where fees are none. */
PW_INLINE struct limits limits_at(const struct pw_row_group *group, size_t row, int by_end)
{
    size_t at = by_end ? row : 0;
    return (struct limits){load(group->t_min + at), load(group->t_max + at),
                           by_end ? load(group->fee + at) : all(0.0),
                           by_end ? load(group->peer_fee + at) : all(0.0)};
}

/* The trades in a row at a price, and by how much they fall as it rises. */
struct answer {
    lanes trade, slope;
};

PW_INLINE struct answer answer_of(lanes s, lanes slope, lanes m, const struct limits *limits, int by_end)
{
    lanes wish = s - slope * m, dead = limits->fee * slope, free = by_end ? soft(wish, dead) : wish;
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

PW_INLINE lanes peer_prices(const struct pw_row_group *group, int k)
{
    const int32_t *peer = group->peer + (size_t)k * PW_LANES;
    const double *prices = group->prices;
    if (group->shared[k] >= 0)
        return all(prices[group->shared[k]]);
    return (lanes){prices[peer[0]], prices[peer[1]], prices[peer[2]], prices[peer[3]]};
}

/* What the ends in a row hold while offers are taken in. */
struct row {
    lanes mine, theirs, gap, agreed; /* trades of the round */
    lanes s, peer_s, slope;          /* edge variables and slope after it */
};

PW_INLINE float_lanes float_root(float_lanes x)
{
#if defined(__AVX2__)
    return (float_lanes)_mm_sqrt_ps((__m128)x);
#else
    return (float_lanes){sqrtf(x[0]), sqrtf(x[1]), sqrtf(x[2]), sqrtf(x[3])};
#endif
}

PW_INLINE float_lanes float_pick(float_choice yes, float_lanes x, float_lanes y)
{
    return (float_lanes)((yes & (float_choice)x) | (~yes & (float_choice)y));
}

PW_INLINE float_lanes within(float_lanes x, float low, float high)
{
    const float_lanes lows = {low, low, low, low}, highs = {high, high, high, high};
    x = float_pick(x > lows, x, lows);
    return float_pick(x < highs, x, highs);
}

/* pw_balance() in lanes. */
PW_INLINE float_lanes balance(float_lanes gaps, float_lanes moves, float most, float_lanes *ratio)
{
    float_lanes share = within(float_root(float_root(moves / gaps)), 1.0F / most, most);
    float_lanes next = within(*ratio * share, 1.0F / PW_MOST_RISE, PW_MOST_SINK);
    share = next / *ratio;
    *ratio = next;
    return share;
}

/* Counts the row for its balance; `is_due`: balances it. */
PW_INLINE void balance_row(const struct pw_row_group *group, size_t at, float most, int is_due,
                           struct row *row)
{
    lanes move = row->agreed - load(group->agreed + at), gap = row->gap * all(0.5);
    float_lanes gaps = load_floats(group->gap_sum2 + at) + to_floats(gap * gap);
    float_lanes moves = load_floats(group->move_sum2 + at) + to_floats(move * move);
    if (is_due) {
        float_lanes ratio = load_floats(group->ratio + at), was = ratio;
        lanes size = larger(size_of(row->agreed), larger(size_of(row->s), size_of(row->peer_s)));
        choice rests = to_lanes(gaps + moves) <= all(PW_ROUNDING_SHARE * PW_ROUNDING_SHARE) * size * size;
        lanes share = pick(rests, all(1.0), to_lanes(balance(gaps, moves, most, &ratio)));
        store_floats(group->ratio + at, to_floats(pick(rests, to_lanes(was), to_lanes(ratio))));
        row->slope *= share;
        store(group->slope + at, row->slope);
        row->s = row->agreed + share * (row->s - row->agreed);
        row->peer_s = -row->agreed + share * (row->peer_s + row->agreed);
        gaps = moves = (float_lanes){0.0F, 0.0F, 0.0F, 0.0F};
    }
    store_floats(group->gap_sum2 + at, gaps);
    store_floats(group->move_sum2 + at, moves);
}

PW_INLINE void take_in(const struct pw_row_group *group, const struct pw_row_rules *rules,
                       const double *price, struct pw_row_digest *digest, int by_end, int kind, int closely)
{
    lanes m = load(price), alpha = all(rules->relaxation), sum = all(0.0), slopes = all(0.0);
    lanes gap2 = all(0.0), gap_max = all(0.0), apart_max = all(0.0), mismatch_max = all(0.0);
    for (int k = 0; k < group->depth; k++) {
        size_t at = (size_t)k * PW_LANES;
        struct limits limits = limits_at(group, at, by_end);
        lanes s = load(group->s + at), peer_s = load(group->peer_s + at), slope = load(group->slope + at);
        struct row row;
        row.slope = slope;
        row.mine = trade_at(s, slope, m, limits.t_min, limits.t_max, limits.fee, by_end);
        row.theirs = trade_at(peer_s, slope, peer_prices(group, k), -limits.t_max, -limits.t_min,
                              limits.peer_fee, by_end);
        row.gap = row.mine + row.theirs;
        row.agreed = (row.mine - row.theirs) * all(0.5);
        row.s = s - alpha * (s + row.theirs + row.theirs - peer_s);
        row.peer_s = peer_s - alpha * (peer_s + row.mine + row.mine - s);
        gap2 += row.gap * row.gap;
        if (closely) {
            lanes rho = all(1.0) / larger(slope, all(DBL_MIN));
            lanes apart = size_of((row.s - row.mine) - (row.peer_s - row.theirs)) * rho;
            lanes mismatch = size_of((s - row.mine) - (peer_s - row.theirs)) * rho;
            gap_max = larger(gap_max, size_of(row.gap));
            apart_max = larger(apart_max, apart);
            mismatch_max = larger(mismatch_max, pick(row.agreed == all(0.0), all(0.0), mismatch));
        }
        if (kind == PW_ROW_COUNT || kind == PW_ROW_BALANCE)
            balance_row(group, at, (float)rules->largest_factor, kind == PW_ROW_BALANCE, &row);
        if (kind == PW_ROW_KEEP || kind == PW_ROW_COUNT)
            store(group->agreed + at, row.agreed);
        struct answer now = answer_of(row.s, row.slope, m, &limits, by_end);
        sum += now.trade;
        slopes += now.slope;
        store(group->before + at, row.mine);
        store(group->s + at, row.s);
        store(group->peer_s + at, row.peer_s);
    }
    store(digest->gap2, gap2);
    store(digest->sum, sum);
    store(digest->slope, slopes);
    store(digest->gap_max, gap_max);
    store(digest->apart_max, apart_max);
    store(digest->mismatch_max, mismatch_max);
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
    if (rules->by_end && rules->closely)
        take_in_kind(group, rules, price, digest, 1, 1);
    else if (rules->by_end)
        take_in_kind(group, rules, price, digest, 1, 0);
    else if (rules->closely)
        take_in_kind(group, rules, price, digest, 0, 1);
    else
        take_in_kind(group, rules, price, digest, 0, 0);
}

PW_INLINE void answer_at(const struct pw_row_group *group, const double *price, struct pw_row_answer *answer,
                         int by_end, int closely)
{
    lanes m = load(price), none = all(0.0), sum = none, slopes = none, sizes = none, fees = none,
          move2 = none;
    lanes price2 = none, move_max = none, price_max = none;
    for (int k = 0; k < group->depth; k++) {
        size_t at = (size_t)k * PW_LANES;
        struct limits limits = limits_at(group, at, by_end);
        lanes slope = load(group->slope + at);
        struct answer now = answer_of(load(group->s + at), slope, m, &limits, by_end);
        lanes move = now.trade - load(group->before + at), size = size_of(now.trade);
        sum += now.trade;
        slopes += now.slope;
        sizes += size;
        move2 += move * move;
        if (by_end)
            fees += limits.fee * size;
        if (closely) {
            lanes priced = size_of(move) / larger(slope, all(DBL_MIN));
            price2 += priced * priced;
            move_max = larger(move_max, size_of(move));
            price_max = larger(price_max, priced);
        }
    }
    store(answer->sum, sum);
    store(answer->slope, slopes);
    store(answer->size, sizes);
    store(answer->fees, fees);
    store(answer->move2, move2);
    store(answer->price2, price2);
    store(answer->move_max, move_max);
    store(answer->price_max, price_max);
}

static void answer_group(const struct pw_row_group *group, const struct pw_row_rules *rules,
                         const double *price, struct pw_row_answer *answer)
{
    if (rules->by_end && rules->closely)
        answer_at(group, price, answer, 1, 1);
    else if (rules->by_end)
        answer_at(group, price, answer, 1, 0);
    else if (rules->closely)
        answer_at(group, price, answer, 0, 1);
    else
        answer_at(group, price, answer, 0, 0);
}

const struct pw_row_kernel PW_ROW_KERNEL = {take_in_group, answer_group};
