/* rows_lanes.h where the compiler may use AVX-512: what it does not see to be one instruction, it is told. */
#ifndef PW_ROWS_LANES_AVX512_H
#define PW_ROWS_LANES_AVX512_H

#include <immintrin.h>

typedef unsigned choice;

PW_INLINE choice everybody(void)
{
    return (1U << STEP) - 1;
}

PW_INLINE unsigned bits_of(choice x)
{
    return x & everybody();
}

PW_INLINE lanes all(double x)
{
    return (lanes)_mm512_set1_pd(x);
}

PW_INLINE float_lanes all_floats(float x)
{
    return (float_lanes)_mm256_set1_ps(x);
}

PW_INLINE lanes pick(choice yes, lanes x, lanes y)
{
    return (lanes)_mm512_mask_blend_pd((__mmask8)yes, (__m512d)y, (__m512d)x);
}

PW_INLINE choice above(lanes x, lanes y)
{
    return _mm512_cmp_pd_mask((__m512d)x, (__m512d)y, _CMP_GT_OQ);
}

PW_INLINE choice reaches(lanes x, lanes y)
{
    return _mm512_cmp_pd_mask((__m512d)x, (__m512d)y, _CMP_GE_OQ);
}

PW_INLINE choice equals(lanes x, lanes y)
{
    return _mm512_cmp_pd_mask((__m512d)x, (__m512d)y, _CMP_EQ_OQ);
}

PW_INLINE lanes larger(lanes x, lanes y)
{
    return (lanes)_mm512_max_pd((__m512d)x, (__m512d)y);
}

PW_INLINE lanes smaller(lanes x, lanes y)
{
    return (lanes)_mm512_min_pd((__m512d)x, (__m512d)y);
}

PW_INLINE lanes plus_where(lanes sum, choice yes, lanes x)
{
    return (lanes)_mm512_mask_add_pd((__m512d)sum, (__mmask8)yes, (__m512d)sum, (__m512d)x);
}

PW_INLINE lanes plus_product(lanes c, lanes a, lanes b)
{
    return (lanes)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}

PW_INLINE lanes minus_product(lanes c, lanes a, lanes b)
{
    return (lanes)_mm512_fnmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}

PW_INLINE float_lanes to_floats(lanes x)
{
    return (float_lanes)_mm512_cvtpd_ps((__m512d)x);
}

PW_INLINE lanes to_lanes(float_lanes x)
{
    return (lanes)_mm512_cvtps_pd((__m256)x);
}

PW_INLINE float_lanes float_larger(float_lanes x, float_lanes y)
{
    return (float_lanes)_mm256_max_ps((__m256)x, (__m256)y);
}

PW_INLINE float_lanes float_smaller(float_lanes x, float_lanes y)
{
    return (float_lanes)_mm256_min_ps((__m256)x, (__m256)y);
}

PW_INLINE float_lanes float_root(float_lanes x)
{
    return (float_lanes)_mm256_sqrt_ps((__m256)x);
}

#endif
