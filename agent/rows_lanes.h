/* Numbers side by side for rows_kernel.c, by what the compiler may use there: AVX-512, AVX2, or whatever
 * there is. The same results everywhere. */
#ifndef PW_ROWS_LANES_H
#define PW_ROWS_LANES_H

#include <stdint.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "agent/rows.h"

#define PW_INLINE static inline __attribute__((always_inline))

/* A row is one step or two, whichever fills a vector. */
#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define PW_ROW_IS_A_STEP
enum { STEP = PW_LANES };
#else
enum { STEP = PW_LANES / 2 };
#endif
enum { STEPS = PW_LANES / STEP };

/* One number an end of a step: the compiler makes of these what the machine has. */
typedef double lanes __attribute__((vector_size(STEP * sizeof(double))));
typedef float float_lanes __attribute__((vector_size(STEP * sizeof(float))));
typedef int32_t float_choice __attribute__((vector_size(STEP * sizeof(int32_t))));
typedef lanes stored __attribute__((may_alias, aligned(sizeof(double))));
typedef float_lanes stored_floats __attribute__((may_alias, aligned(sizeof(float))));
typedef int64_t choice __attribute__((vector_size(STEP * sizeof(int64_t)))); /* all bits set: yes */

PW_INLINE lanes pick(choice yes, lanes x, lanes y)
{
    return (lanes)((yes & (choice)x) | (~yes & (choice)y));
}

/* Where the compiler does not see that a comparison and a choice are one instruction, it is told. */
PW_INLINE lanes larger(lanes x, lanes y)
{
#ifdef PW_ROW_IS_A_STEP
    return (lanes)_mm512_max_pd((__m512d)x, (__m512d)y);
#elif defined(__AVX2__)
    return (lanes)_mm256_max_pd((__m256d)x, (__m256d)y);
#else
    return pick(x > y, x, y);
#endif
}

PW_INLINE lanes smaller(lanes x, lanes y)
{
#ifdef PW_ROW_IS_A_STEP
    return (lanes)_mm512_min_pd((__m512d)x, (__m512d)y);
#elif defined(__AVX2__)
    return (lanes)_mm256_min_pd((__m256d)x, (__m256d)y);
#else
    return pick(x < y, x, y);
#endif
}

PW_INLINE lanes all(double x)
{
#ifdef PW_ROW_IS_A_STEP
    return (lanes){x, x, x, x, x, x, x, x};
#else
    return (lanes){x, x, x, x};
#endif
}

PW_INLINE float_lanes all_floats(float x)
{
#ifdef PW_ROW_IS_A_STEP
    return (float_lanes){x, x, x, x, x, x, x, x};
#else
    return (float_lanes){x, x, x, x};
#endif
}

PW_INLINE lanes size_of(lanes x)
{
    const choice sign = (choice)all(-0.0);
    return (lanes)((choice)x & ~sign);
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

/* Bit j: lane j says yes. */
PW_INLINE unsigned bits_of(choice x)
{
#ifdef PW_ROW_IS_A_STEP
    return (unsigned)_mm512_movepi64_mask((__m512i)x);
#elif defined(__AVX2__)
    return (unsigned)_mm256_movemask_pd((__m256d)x);
#else
    return (unsigned)((x[0] & 1) | (x[1] & 2) | (x[2] & 4) | (x[3] & 8));
#endif
}

#endif
