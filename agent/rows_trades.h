/* What trades of a row come to at a price: for rows_kernel.c, whatever the compiler may use there. */
#ifndef PW_ROWS_TRADES_H
#define PW_ROWS_TRADES_H

#include <stddef.h>

#include "agent/rows_kernel.h"
#include "agent/rows_lanes.h"

/* What `by_place` says of the peers of a step: of the one in `place`, or where it is -1 of those of its ends.
 */
PW_INLINE lanes of_peers(const struct pw_row_group *group, size_t at, int32_t place, const double *by_place)
{
    const int32_t *peer = group->peer + at;
    if (place >= 0)
        return all(by_place[place]);
#ifdef PW_ROW_IS_A_STEP
    return (lanes){by_place[peer[0]], by_place[peer[1]], by_place[peer[2]], by_place[peer[3]],
                   by_place[peer[4]], by_place[peer[5]], by_place[peer[6]], by_place[peer[7]]};
#else
    return (lanes){by_place[peer[0]], by_place[peer[1]], by_place[peer[2]], by_place[peer[3]]};
#endif
}

PW_INLINE lanes soft(lanes wish, lanes dead)
{
    return wish - smaller(larger(wish, -dead), dead);
}

/* Bounds and fees of the ends of a step. */
struct limits {
    lanes t_min, t_max, fee, peer_fee;
};

PW_INLINE lanes limit_at(const struct pw_row_group *group, enum pw_rows_limit limit, int row, int lane)
{
    return load(group->limits[limit].of + row * group->limits[limit].step + lane);
}

/* Where they do not differ by end, those of all rows, from `lane` on; fees are none. */
PW_INLINE struct limits limits_of(const struct pw_row_group *group, int lane)
{
    return (struct limits){limit_at(group, PW_ROWS_T_MIN, 0, lane), limit_at(group, PW_ROWS_T_MAX, 0, lane),
                           all(0.0), all(0.0)};
}

/* Where one of them may. */
PW_INLINE struct limits limits_at(const struct pw_row_group *group, int row, int lane)
{
    lanes t_min = limit_at(group, PW_ROWS_T_MIN, row, lane) * all(group->t_min_sign);
    return (struct limits){smaller(t_min, all(group->t_min_most)),
                           larger(limit_at(group, PW_ROWS_T_MAX, row, lane), all(group->t_max_least)),
                           limit_at(group, PW_ROWS_FEE, row, lane),
                           limit_at(group, PW_ROWS_PEER_FEE, row, lane)};
}

/* The trades of a step at a price, and which of them fall, by their slope, as it rises. */
struct answer {
    lanes trade;
    choice moves;
};

PW_INLINE struct answer answer_of(lanes s, lanes slope, lanes dead, lanes m, const struct limits *limits,
                                  int by_end)
{
    lanes wish = minus_product(s, slope, m), free = by_end ? soft(wish, dead) : wish;
    lanes trade = smaller(larger(free, limits->t_min), limits->t_max);
    choice moves = equals(trade, free);
    return (struct answer){trade, by_end ? moves & reaches(size_of(wish), dead) : moves};
}

/* The trade that an edge variable stands for at price m. */
PW_INLINE lanes trade_at(lanes s, lanes slope, lanes m, lanes t_min, lanes t_max, lanes fee, int by_end)
{
    lanes wish = minus_product(s, slope, m);
    return smaller(larger(by_end ? soft(wish, fee * slope) : wish, t_min), t_max);
}

#endif
