/* rows_lanes.h where the compiler may use AVX2, or nothing that is known: then what is one instruction there
 * is spelt out, with the same results. */
#ifndef PW_ROWS_LANES_VECTORS_H
#define PW_ROWS_LANES_VECTORS_H

#ifdef PW_HAS_AVX2
#include <immintrin.h>
#else
#include <math.h>
#endif

typedef bits choice;

PW_INLINE choice everybody(void)
{
    return ~(choice){0};
}

PW_INLINE unsigned bits_of(choice x)
{
#ifdef PW_HAS_AVX2
    return (unsigned)_mm256_movemask_pd((__m256d)x);
#else
    return (unsigned)((x[0] & 1) | (x[1] & 2) | (x[2] & 4) | (x[3] & 8));
#endif
}

PW_INLINE lanes all(double x)
{
    return (lanes){x, x, x, x};
}

PW_INLINE float_lanes all_floats(float x)
{
    return (float_lanes){x, x, x, x};
}

PW_INLINE lanes pick(choice yes, lanes x, lanes y)
{
    return (lanes)((yes & (bits)x) | (~yes & (bits)y));
}

PW_INLINE choice above(lanes x, lanes y)
{
    return x > y;
}

PW_INLINE choice reaches(lanes x, lanes y)
{
    return x >= y;
}

PW_INLINE choice equals(lanes x, lanes y)
{
    return x == y;
}

PW_INLINE lanes plus_where(lanes sum, choice yes, lanes x)
{
    return sum + pick(yes, x, all(0.0));
}

PW_INLINE float_lanes to_floats(lanes x)
{
    return __builtin_convertvector(x, float_lanes);
}

PW_INLINE lanes to_lanes(float_lanes x)
{
    return __builtin_convertvector(x, lanes);
}

#ifdef PW_HAS_AVX2

PW_INLINE lanes larger(lanes x, lanes y)
{
    return (lanes)_mm256_max_pd((__m256d)x, (__m256d)y);
}

PW_INLINE lanes smaller(lanes x, lanes y)
{
    return (lanes)_mm256_min_pd((__m256d)x, (__m256d)y);
}

PW_INLINE lanes plus_product(lanes c, lanes a, lanes b)
{
    return (lanes)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}

PW_INLINE float_lanes float_larger(float_lanes x, float_lanes y)
{
    return (float_lanes)_mm_max_ps((__m128)x, (__m128)y);
}

PW_INLINE float_lanes float_smaller(float_lanes x, float_lanes y)
{
    return (float_lanes)_mm_min_ps((__m128)x, (__m128)y);
}

PW_INLINE float_lanes float_root(float_lanes x)
{
    return (float_lanes)_mm_sqrt_ps((__m128)x);
}

#else
#include "agent/rows_lanes_plain.h"
#endif

PW_INLINE lanes minus_product(lanes c, lanes a, lanes b)
{
    return plus_product(c, -a, b);
}

#endif
