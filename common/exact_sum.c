#include "common/exact_sum.h"

#include <math.h>
#include <string.h>

/* A limb takes this many additions of less than 2^53 before it must be carried. */
enum { MOST_ADDITIONS = 512 };

/* Bit 0 of limb 0 weighs 2^-1074, the smallest double. */
enum { LOWEST_EXPONENT = -1074, MANTISSA_BITS = 52 };

/* Brings all limbs but the top one into [0, 2^32). */
static void carry(int64_t *limb, int count)
{
    for (int i = 0; i + 1 < count; i++) {
        int64_t low = limb[i] & 0xFFFFFFFF;
        limb[i + 1] += (limb[i] - low) / ((int64_t)1 << 32);
        limb[i] = low;
    }
}

/* Limbs in use. */
static int first_of(const struct pw_exact_sum *sum)
{
    return PW_EXACT_LIMBS - sum->below;
}

static void widen(struct pw_exact_sum *sum, int first, int end)
{
    if (end > sum->above)
        sum->above = (int16_t)(end < PW_EXACT_LIMBS ? end : PW_EXACT_LIMBS);
    if (first < first_of(sum))
        sum->below = (int16_t)(PW_EXACT_LIMBS - first);
}

/* Of an empty sum nothing is in use afterwards either, nor above the top limb that is not 0. */
static void carry_all(struct pw_exact_sum *sum)
{
    sum->additions = 0;
    if (sum->above == 0)
        return;
    widen(sum, first_of(sum), sum->above + 2);
    carry(sum->limb + first_of(sum), sum->above - first_of(sum));
    while (sum->above > first_of(sum) + 1 && sum->limb[sum->above - 1] == 0)
        sum->above--;
}

void pw_exact_clear(struct pw_exact_sum *sum)
{
    for (int i = first_of(sum); i < sum->above; i++)
        sum->limb[i] = 0;
    sum->additions = sum->above = sum->below = 0;
}

void pw_exact_add(struct pw_exact_sum *sum, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (bits << 1 == 0) /* 0, which would widen what is in use */
        return;
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
    widen(sum, first, first + 2);
    if (++sum->additions >= MOST_ADDITIONS)
        carry_all(sum);
}

void pw_exact_merge(struct pw_exact_sum *sum, const struct pw_exact_sum *other)
{
    struct pw_exact_sum carried;
    if (sum->additions + other->additions + 1 >= MOST_ADDITIONS) {
        carried = *other;
        carry_all(&carried);
        carry_all(sum);
        other = &carried;
    }
    for (int i = first_of(other); i < other->above; i++)
        sum->limb[i] += other->limb[i];
    widen(sum, first_of(other), other->above);
    sum->additions += other->additions + 1;
}

/* The limbs of a sum that are not 0, carried, with empty ones below and above. */
struct span {
    int64_t limb[PW_EXACT_LIMBS + 4];
    int count;
    int exponent; /* of bit 0 of limb 0 */
};
enum { BELOW = 2, ABOVE = 2 };

static void find_span(const struct pw_exact_sum *sum, struct span *span)
{
    int first = first_of(sum), end = sum->above;
    while (end > first + 1 && sum->limb[end - 1] == 0)
        end--;
    while (first + 1 < end && sum->limb[first] == 0)
        first++;
    int used = end - first;
    span->count = BELOW + used + ABOVE;
    span->exponent = LOWEST_EXPONENT + 32 * (first - BELOW);
    memset(span->limb, 0, BELOW * sizeof *span->limb);
    memcpy(span->limb + BELOW, sum->limb + first, (size_t)used * sizeof *span->limb);
    memset(span->limb + BELOW + used, 0, ABOVE * sizeof *span->limb);
    carry(span->limb, span->count);
}

/* The sum with a sign apart: makes all limbs non-negative. Returns the sign. */
static int make_positive(struct span *span)
{
    if (span->limb[span->count - 1] >= 0)
        return 1;
    for (int i = 0; i < span->count; i++)
        span->limb[i] = -span->limb[i];
    carry(span->limb, span->count);
    return -1;
}

/* The 64 bits from the leading one on, the last one set if anything below is; *exponent is that of the last.
 */
static uint64_t leading_bits(const struct span *span, int top, int *exponent)
{
    uint64_t head = (uint64_t)span->limb[top] << 32 | (uint64_t)span->limb[top - 1];
    uint64_t tail = (uint64_t)span->limb[top - 2], sticky = 0;
    int spare = 0;
    for (int step = 16; step > 0; step /= 2) {
        if (head >> (64 - step) != 0)
            continue;
        head = head << step | tail >> (32 - step);
        tail = tail << step & 0xFFFFFFFF;
        spare += step;
    }
    for (int i = 0; i < top - 2; i++)
        sticky |= (uint64_t)span->limb[i];
    *exponent = span->exponent + (top - 1) * 32 - spare;
    return head | (sticky != 0 || tail != 0);
}

double pw_exact_value(const struct pw_exact_sum *sum)
{
    struct span span;
    int exponent;
    if (sum->above == 0)
        return 0.0;
    find_span(sum, &span);
    int sign = make_positive(&span), top = span.count - 1;
    while (top > BELOW && span.limb[top] == 0)
        top--;
    if (span.limb[top] == 0)
        return 0.0;
    uint64_t bits = leading_bits(&span, top, &exponent);
    return sign * ldexp((double)bits, exponent);
}

/* The front of a packed sum; the limbs in use follow. */
struct packed {
    int32_t additions;
    int16_t above, below;
};

size_t pw_exact_pack(const struct pw_exact_sum *sum, unsigned char *bytes)
{
    struct packed packed = {sum->additions, sum->above, sum->below};
    size_t limbs = sum->above > 0 ? (size_t)(sum->above - first_of(sum)) * sizeof *sum->limb : 0;
    memcpy(bytes, &packed, sizeof packed);
    if (limbs > 0)
        memcpy(bytes + sizeof packed, sum->limb + first_of(sum), limbs);
    return sizeof packed + limbs;
}

static int is_possible(const struct packed *packed)
{
    if (packed->additions < 0 || packed->additions >= MOST_ADDITIONS)
        return 0;
    if (packed->above == 0)
        return packed->below == 0;
    return packed->above > 0 && packed->above <= PW_EXACT_LIMBS &&
           packed->below > PW_EXACT_LIMBS - packed->above && packed->below <= PW_EXACT_LIMBS;
}

size_t pw_exact_unpack(struct pw_exact_sum *sum, const unsigned char *bytes, size_t size)
{
    static const int64_t MOST = (int64_t)1 << 62;
    struct packed packed;
    if (size < sizeof packed)
        return 0;
    memcpy(&packed, bytes, sizeof packed);
    if (!is_possible(&packed))
        return 0;
    sum->additions = packed.additions;
    sum->above = packed.above;
    sum->below = packed.below;
    size_t limbs = packed.above > 0 ? (size_t)(packed.above - first_of(sum)) * sizeof *sum->limb : 0;
    if (size - sizeof packed < limbs)
        return 0;
    if (limbs > 0)
        memcpy(sum->limb + first_of(sum), bytes + sizeof packed, limbs);
    for (int i = first_of(sum); i < sum->above; i++) {
        if (sum->limb[i] > MOST || sum->limb[i] < -MOST)
            return 0;
    }
    return sizeof packed + limbs;
}
