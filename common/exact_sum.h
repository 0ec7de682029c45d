/* Sums of doubles without rounding, so that the order of adding, and the number of ranks, cannot matter. A
 * wide fixed-point integer that covers the whole range of a double; taking a value out again is adding its
 * negative. */
#ifndef PW_EXACT_SUM_H
#define PW_EXACT_SUM_H

#include <stdint.h>

enum { PW_EXACT_LIMBS = 70 };

/* Plain data: may be copied and sent as bytes. Zero it to start. */
struct pw_exact_sum {
    int64_t limb[PW_EXACT_LIMBS]; /* base 2^32, least first, signed and not carried */
    int32_t additions;            /* since the last carry */
    int16_t above, below;         /* limbs PW_EXACT_LIMBS - below .. above - 1 may be other than 0 */
};

/* Adds a finite number. O(1), a few nanoseconds. */
void pw_exact_add(struct pw_exact_sum *sum, double value);

/* Makes it nothing again; quicker than to zero it. */
void pw_exact_clear(struct pw_exact_sum *sum);

/* Adds another sum. */
void pw_exact_merge(struct pw_exact_sum *sum, const struct pw_exact_sum *other);

/* The sum, rounded once to the nearest double. */
double pw_exact_value(const struct pw_exact_sum *sum);

#endif
