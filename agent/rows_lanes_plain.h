/* The rest of rows_lanes_vectors.h for a processor of which nothing is known. */
#ifndef PW_ROWS_LANES_PLAIN_H
#define PW_ROWS_LANES_PLAIN_H

typedef int32_t float_bits __attribute__((vector_size(STEP * sizeof(int32_t))));

PW_INLINE lanes larger(lanes x, lanes y)
{
    return pick(x > y, x, y);
}

PW_INLINE lanes smaller(lanes x, lanes y)
{
    return pick(x < y, x, y);
}

/* Slow on a processor that has no instruction for it. */
PW_INLINE lanes plus_product(lanes c, lanes a, lanes b)
{
    return (lanes){fma(a[0], b[0], c[0]), fma(a[1], b[1], c[1]), fma(a[2], b[2], c[2]),
                   fma(a[3], b[3], c[3])};
}

PW_INLINE float_lanes float_pick(float_bits yes, float_lanes x, float_lanes y)
{
    return (float_lanes)((yes & (float_bits)x) | (~yes & (float_bits)y));
}

PW_INLINE float_lanes float_larger(float_lanes x, float_lanes y)
{
    return float_pick(x > y, x, y);
}

PW_INLINE float_lanes float_smaller(float_lanes x, float_lanes y)
{
    return float_pick(x < y, x, y);
}

PW_INLINE float_lanes float_root(float_lanes x)
{
    return (float_lanes){sqrtf(x[0]), sqrtf(x[1]), sqrtf(x[2]), sqrtf(x[3])};
}

#endif
