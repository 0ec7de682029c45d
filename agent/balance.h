/* When a link's penalty is balanced and by how much: the same numbers for agents one by one (penalty.c) and
 * in rows (rows_kernel.c). Rule and measurements: docs/mathematics.md, docs/penalty.md. */
#ifndef PW_BALANCE_H
#define PW_BALANCE_H

#include <math.h>

/* Balanced every so many rounds of a link, from its own gap and movement in the last of them, when the change
 * before has worn off (residual balancing, with a limit on each factor that tightens as the rounds pass, so
 * that the penalty comes to rest). */
enum { PW_ROUNDS_PER_BALANCE = 8, PW_ROUNDS_THAT_COUNT = 4, PW_LAST_BALANCE = 4096 };

/* A factor lies within 1/L and L, L = min(4, 1 + 64/round). */
#define PW_LARGEST_FACTOR 4.0
#define PW_TIGHTENING_ROUNDS 64.0

/* The penalty stays within these from its start. At a small delta, where agents answer one another one by
 * one, a link moves much more than its gap and its penalty sinks further than is good for the market, which
 * then crawls. */
#define PW_MOST_SINK 1e2F
#define PW_MOST_RISE 1e4F

/* Below this share of the edge variables a gap or a move is rounding, which says nothing about the penalty.
 */
#define PW_ROUNDING_SHARE 1e-10

/* By how much the penalty is divided: the root of the ratio of movement to gap, within limits. `gap_sum2` and
 * `move_sum2` are sums of squares, not both 0; *ratio, by how much it has been divided since the start,
 * follows. In single precision, which is cheap and enough: both ends find the same. */
static inline float pw_balance(float gap_sum2, float move_sum2, int round, float *ratio)
{
    float most = (float)fmin(PW_LARGEST_FACTOR, 1.0 + PW_TIGHTENING_ROUNDS / round);
    float share = sqrtf(sqrtf(move_sum2 / gap_sum2)); /* infinite without a gap */
    share = fminf(fmaxf(share, 1.0F / most), most);
    float next = fminf(fmaxf(*ratio * share, 1.0F / PW_MOST_RISE), PW_MOST_SINK);
    share = next / *ratio;
    *ratio = next;
    return share;
}

#endif
