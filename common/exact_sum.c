#include "common/exact_sum.h"

#include <math.h>
#include <string.h>

/* A limb takes this many additions of less than 2^53 before it must be carried. */
enum { MOST_ADDITIONS = 512 };

/* Bit 0 of limb 0 weighs 2^-1074, the smallest double. */
enum { LOWEST_EXPONENT = -1074, MANTISSA_BITS = 52 };

/* Brings all limbs but the top one into [0, 2^32). */
static void carry(struct pw_exact_sum *sum)
{
    for (int i = 0; i + 1 < PW_EXACT_LIMBS; i++) {
        int64_t low = sum->limb[i] & 0xFFFFFFFF;
        sum->limb[i + 1] += (sum->limb[i] - low) / ((int64_t)1 << 32);
        sum->limb[i] = low;
    }
    sum->additions = 0;
}

void pw_exact_add(struct pw_exact_sum *sum, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int exponent = (int)(bits >> MANTISSA_BITS & 0x7FF);
    uint64_t mantissa = bits & (((uint64_t)1 << MANTISSA_BITS) - 1);
    if (exponent > 0) {
        mantissa |= (uint64_t)1 << MANTISSA_BITS;
        exponent--;
    }
    int first = exponent >> 5, shift = exponent & 31;
    uint64_t low = (mantissa & 0xFFFFFFFF) << shift, high = (mantissa >> 32) << shift;
    int64_t sign = bits >> 63 ? -1 : 1;
    sum->limb[first] += sign * (int64_t)(low & 0xFFFFFFFF);
    sum->limb[first + 1] += sign * (int64_t)((low >> 32) + high);
    if (++sum->additions >= MOST_ADDITIONS)
        carry(sum);
}

void pw_exact_merge(struct pw_exact_sum *sum, const struct pw_exact_sum *other)
{
    struct pw_exact_sum carried = *other;
    if (sum->additions + carried.additions >= MOST_ADDITIONS) {
        carry(&carried);
        carry(sum);
    }
    for (int i = 0; i < PW_EXACT_LIMBS; i++)
        sum->limb[i] += carried.limb[i];
    sum->additions += carried.additions + 1;
}

/* The sum with a sign apart: makes all limbs of a carried sum non-negative. Returns the sign. */
static int make_positive(struct pw_exact_sum *sum)
{
    if (sum->limb[PW_EXACT_LIMBS - 1] >= 0)
        return 1;
    for (int i = 0; i < PW_EXACT_LIMBS; i++)
        sum->limb[i] = -sum->limb[i];
    carry(sum);
    return -1;
}

/* The 64 bits from the leading one on, the last one set if anything below is; *exponent is that of the last.
 */
static uint64_t leading_bits(const struct pw_exact_sum *sum, int top, int *exponent)
{
    uint64_t head = (uint64_t)sum->limb[top] << 32 | (top > 0 ? (uint64_t)sum->limb[top - 1] : 0);
    uint64_t tail = top > 1 ? (uint64_t)sum->limb[top - 2] : 0, sticky = 0;
    int spare = 0;
    while (!(head >> 63)) {
        head = head << 1 | (tail >> 31 & 1);
        tail = tail << 1 & 0xFFFFFFFF;
        spare++;
    }
    for (int i = 0; i < top - 2; i++)
        sticky |= (uint64_t)sum->limb[i];
    *exponent = (top - 1) * 32 - spare + LOWEST_EXPONENT;
    return head | (sticky != 0 || tail != 0);
}

double pw_exact_value(const struct pw_exact_sum *sum)
{
    struct pw_exact_sum positive = *sum;
    carry(&positive);
    int sign = make_positive(&positive), top = PW_EXACT_LIMBS - 1, exponent;
    while (top > 0 && positive.limb[top] == 0)
        top--;
    if (positive.limb[top] == 0)
        return 0.0;
    uint64_t bits = leading_bits(&positive, top, &exponent);
    return sign * ldexp((double)bits, exponent);
}
