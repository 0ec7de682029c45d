/* Numbers side by side for rows_kernel.c, by what the compiler may use there: AVX-512, AVX2, or whatever
 * there is. The same results everywhere. */
#ifndef PW_ROWS_LANES_H
#define PW_ROWS_LANES_H

#include <stdint.h>

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
typedef int64_t bits __attribute__((vector_size(STEP * sizeof(int64_t))));
typedef lanes stored __attribute__((may_alias, aligned(sizeof(double))));
typedef float_lanes stored_floats __attribute__((may_alias, aligned(sizeof(float))));

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

#if defined(__AVX2__) && defined(__FMA__)
#define PW_HAS_AVX2
#endif

/* Each of these has the same functions:
 *   choice                            yes or no for each lane, to be joined by &, | and ~
 *   everybody(), bits_of(x)           yes in all lanes; bit j: lane j says yes
 *   all(x), all_floats(x)             the same number in all lanes
 *   pick(yes, x, y)                   x where yes, else y
 *   above, reaches, equals (x, y)     x > y, x >= y, x == y
 *   larger, smaller (x, y)            y where one of them is no number
 *   plus_where(sum, yes, x)           sum + x where yes, else sum
 *   plus_product(c, a, b)             c + a b, rounded once
 *   minus_product(c, a, b)            c - a b, rounded once
 *   to_floats(x), to_lanes(x)         to the other precision
 *   float_larger, float_smaller, float_root */
#ifdef PW_ROW_IS_A_STEP
#include "agent/rows_lanes_avx512.h"
#else
#include "agent/rows_lanes_vectors.h"
#endif

PW_INLINE lanes size_of(lanes x)
{
    const bits sign = (bits)all(-0.0);
    return (lanes)((bits)x & ~sign);
}

#endif
