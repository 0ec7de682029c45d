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

/* What `by_place` says of the peers in row k. */
PW_INLINE lanes of_peers(const struct pw_row_group *group, int k, const double *by_place)
{
    const int32_t *peer = group->peer + (size_t)k * PW_LANES;
    if (group->shared[k] >= 0)
        return all(by_place[group->shared[k]]);
    return (lanes){by_place[peer[0]], by_place[peer[1]], by_place[peer[2]], by_place[peer[3]]};
}

/* What the ends in a row hold while offers are taken in. */
struct row {
    choice heard;                    /* lanes whose peer's offer is taken in */
    lanes mine, theirs, gap, agreed; /* trades of the round */
    lanes s, peer_s, slope;          /* edge variables and slope after it */
};

/* How the penalties in a row are balanced: lanes whose round counts, those that are due, and the most that a
 * penalty may change by. */
struct balancing {
    choice counts, due;
    float_lanes most;
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

PW_INLINE float_lanes all_floats(float x)
{
    return (float_lanes){x, x, x, x};
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

/* All trades of the round of a row, and what follows from them. `sent`: the price of the own offer. */
PW_INLINE struct row meet(const struct pw_row_group *group, int k, const struct limits *limits, lanes sent,
                          lanes alpha, choice heard, int by_end)
{
    size_t at = (size_t)k * PW_LANES;
    lanes s = load(group->s + at), peer_s = load(group->peer_s + at), slope = load(group->slope + at);
    struct row row = {.heard = heard, .slope = slope};
    row.mine = trade_at(s, slope, sent, limits->t_min, limits->t_max, limits->fee, by_end);
    row.theirs = trade_at(peer_s, slope, of_peers(group, k, group->prices), -limits->t_max, -limits->t_min,
                          limits->peer_fee, by_end);
    row.gap = pick(heard, row.mine + row.theirs, all(0.0));
    row.agreed = (row.mine - row.theirs) * all(0.5);
    row.s = pick(heard, s - alpha * (s + row.theirs + row.theirs - peer_s), s);
    row.peer_s = pick(heard, peer_s - alpha * (peer_s + row.mine + row.mine - s), peer_s);
    return row;
}

/* How far apart the ends in a row are. */
struct distance {
    lanes gap_max, apart_max, mismatch_max;
};

PW_INLINE void look_at(const struct pw_row_group *group, size_t at, const struct row *row,
                       struct distance *most)
{
    lanes s = load(group->s + at), peer_s = load(group->peer_s + at);
    lanes rho = pick(row->heard, all(1.0) / larger(load(group->slope + at), all(DBL_MIN)), all(0.0));
    lanes apart = size_of((row->s - row->mine) - (row->peer_s - row->theirs)) * rho;
    lanes mismatch = size_of((s - row->mine) - (peer_s - row->theirs)) * rho;
    most->gap_max = larger(most->gap_max, size_of(row->gap));
    most->apart_max = larger(most->apart_max, apart);
    most->mismatch_max = larger(most->mismatch_max, pick(row->agreed == all(0.0), all(0.0), mismatch));
}

PW_INLINE void finish(struct pw_row_digest *digest, lanes gap2, lanes sum, lanes slopes,
                      const struct distance *most)
{
    store(digest->gap2, gap2);
    store(digest->sum, sum);
    store(digest->slope, slopes);
    store(digest->gap_max, most->gap_max);
    store(digest->apart_max, most->apart_max);
    store(digest->mismatch_max, most->mismatch_max);
}

PW_INLINE void take_in(const struct pw_row_group *group, const struct pw_row_rules *rules,
                       const double *price, struct pw_row_digest *digest, int by_end, int kind, int closely)
{
    const choice yes = {-1, -1, -1, -1};
    struct balancing balancing = {yes, yes, all_floats((float)rules->largest_factor)};
    struct distance most = {all(0.0), all(0.0), all(0.0)};
    lanes m = load(price), gap2 = all(0.0), sum = all(0.0), slopes = all(0.0);
    for (int k = 0; k < group->depth; k++) {
        size_t at = (size_t)k * PW_LANES;
        struct limits limits = limits_at(group, at, by_end);
        struct row row = meet(group, k, &limits, m, all(rules->relaxation), yes, by_end);
        gap2 += row.gap * row.gap;
        if (closely)
            look_at(group, at, &row, &most);
        if (kind == PW_ROW_COUNT || kind == PW_ROW_BALANCE)
            balance_row(group, at, &balancing, kind == PW_ROW_BALANCE, &row);
        if (kind == PW_ROW_KEEP || kind == PW_ROW_COUNT)
            store(group->agreed + at, row.agreed);
        struct answer now = answer_of(row.s, row.slope, limits.fee * row.slope, m, &limits, by_end);
        sum += now.trade;
        slopes += now.slope;
        store(group->before + at, row.mine);
        store(group->s + at, row.s);
        store(group->peer_s + at, row.peer_s);
    }
    finish(digest, gap2, sum, slopes, &most);
}

/* How the trades in a row answer a price: those whose offer waits for its answer reluctantly, from the price
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

/* take_in() where visitors keep their own pace; closely. `kind` is the most that any row needs. */
PW_INLINE void take_in_paced(const struct pw_row_group *group, const struct pw_row_rules *rules,
                             const double *price, struct pw_row_digest *digest, int by_end, int kind)
{
    const struct pw_row_pace *pace = group->pace;
    const lanes none = all(0.0);
    struct distance most = {none, none, none};
    lanes m = load(price), gap2 = none, sum = none, slopes = none;
    for (int k = 0; k < group->depth; k++) {
        size_t at = (size_t)k * PW_LANES;
        struct limits limits = limits_at(group, at, by_end);
        lanes sent = pick(of_peers(group, k, pace->answered) > none, m, load(group->sent + at));
        choice heard = of_peers(group, k, pace->heard) > none;
        struct row row = meet(group, k, &limits, sent, all(rules->relaxation), heard, by_end);
        gap2 += row.gap * row.gap;
        look_at(group, at, &row, &most);
        if (kind == PW_ROW_BALANCE) {
            struct balancing balancing = {of_peers(group, k, pace->counts) > none,
                                          of_peers(group, k, pace->due) > none,
                                          to_floats(of_peers(group, k, pace->largest_factor))};
            balance_row(group, at, &balancing, 1, &row);
        }
        if (kind != PW_ROW_PLAIN)
            store(group->agreed + at, pick(heard, row.agreed, load(group->agreed + at)));
        pose(group, at, &row, &limits, sent, rules->stiffness);
        struct answer now = answer_of(load(group->target + at), load(group->answers + at),
                                      load(group->dead + at), m, &limits, by_end);
        sum += now.trade;
        slopes += now.slope;
        store(group->sent + at, sent);
        store(group->before + at, pick(heard, row.mine, load(group->before + at)));
        store(group->s + at, row.s);
        store(group->peer_s + at, row.peer_s);
    }
    finish(digest, gap2, sum, slopes, &most);
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

PW_INLINE void answer_at(const struct pw_row_group *group, const double *price, struct pw_row_answer *answer,
                         int by_end, int closely, int paced)
{
    lanes m = load(price), none = all(0.0), sum = none, slopes = none, sizes = none, fees = none,
          move2 = none;
    lanes price2 = none, move_max = none, price_max = none;
    for (int k = 0; k < group->depth; k++) {
        size_t at = (size_t)k * PW_LANES;
        struct limits limits = limits_at(group, at, by_end);
        lanes s = load((paced ? group->target : group->s) + at);
        lanes slope = load((paced ? group->answers : group->slope) + at);
        lanes dead = paced ? load(group->dead + at) : limits.fee * slope;
        struct answer now = answer_of(s, slope, dead, m, &limits, by_end);
        lanes move = now.trade - load(group->before + at), size = size_of(now.trade);
        if (paced)
            move = pick(load(group->free + at) > none, move, none);
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

const struct pw_row_kernel PW_ROW_KERNEL = {take_in_group, answer_group};
