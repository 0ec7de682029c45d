/* Sums of doubles without rounding, so that the order of adding, and the number of ranks, cannot matter. A
 * wide fixed-point integer that covers the whole range of a double; taking a value out again is adding its
 * negative. */
#ifndef PW_EXACT_SUM_H
#define PW_EXACT_SUM_H

#include <stddef.h>
#include <stdint.h>

enum { PW_EXACT_LIMBS = 70 };

/* Plain data: may be copied and sent as bytes, fewer of them by pw_exact_pack(). Zero it to start. */
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

/* Writes the sum as bytes, of which there is room for sizeof *sum; returns how many they are. */
size_t pw_exact_pack(const struct pw_exact_sum *sum, unsigned char *bytes);

/* Reads such bytes, of which there are `size`, into a sum that is nothing yet. Returns how many they were, 0
 * if they are none of a sum's. */
size_t pw_exact_unpack(struct pw_exact_sum *sum, const unsigned char *bytes, size_t size);

/* The sum, rounded once to the nearest double. */
double pw_exact_value(const struct pw_exact_sum *sum);

#endif
