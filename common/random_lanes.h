/* The arithmetic behind random numbers, the same for one draw and for many at a time: basic operations alone,
 * which round alike on every machine, where logarithms and cosines of one library and another differ in the
 * last place. */
#ifndef PW_RANDOM_LANES_H
#define PW_RANDOM_LANES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* A number on (0, 1) from 64 random bits: the middle of one of 2^52 equal parts. */
static inline double pw_lane_unit(uint64_t bits)
{
    const uint64_t one = 0x3ff0000000000000;
    uint64_t from_one = bits >> 12 | one;
    double number;
    memcpy(&number, &from_one, sizeof number);
    return number - 1.0 + 0.5 / 4503599627370496.0;
}

/* The natural logarithm of a number u on (0, 1): u = m 2^e with m from sqrt(1/2) to sqrt(2), and
 * log m = 2 atanh(s), s = (m - 1) / (m + 1), by its series; s^2 is below 0.0295, what is left out of it below
 * 2^-60 of the whole. */
static inline double pw_lane_log(double u)
{
    const uint64_t root_half = 0x3fe6a09e667f3bcd, exponents = 0x4338000000000000;
    const double log_2 = 0.6931471805599453,
                 whole = 6755399441055744.0; /* 1.5 * 2^52, whose bits are above */
    uint64_t bits, exponent;
    memcpy(&bits, &u, sizeof bits);
    exponent = (uint64_t)((int64_t)(bits - root_half) >> 52);
    bits -= exponent << 52;
    exponent += exponents;
    double m, e;
    memcpy(&m, &bits, sizeof m);
    memcpy(&e, &exponent, sizeof e);
    double s = (m - 1.0) / (m + 1.0), z = s * s, sum = 1.0 / 23.0;
    sum = sum * z + 1.0 / 21.0;
    sum = sum * z + 1.0 / 19.0;
    sum = sum * z + 1.0 / 17.0;
    sum = sum * z + 1.0 / 15.0;
    sum = sum * z + 1.0 / 13.0;
    sum = sum * z + 1.0 / 11.0;
    sum = sum * z + 1.0 / 9.0;
    sum = sum * z + 1.0 / 7.0;
    sum = sum * z + 1.0 / 5.0;
    sum = sum * z + 1.0 / 3.0;
    return (e - whole) * log_2 + (2.0 * s + 2.0 * s * z * sum);
}

/* The cosine of 2 pi u, u on (0, 1): it is the sine of 2 pi (|u - 1/2| - 1/4), at most a quarter of a turn,
 * by its series up to the 23rd power. */
static inline double pw_lane_cos_of_turns(double u)
{
    double x = 6.283185307179586 * (fabs(u - 0.5) - 0.25), z = x * x, sum = 1.0 / 25852016738884976640000.0;
    sum = 1.0 / 51090942171709440000.0 - sum * z;
    sum = 1.0 / 121645100408832000.0 - sum * z;
    sum = 1.0 / 355687428096000.0 - sum * z;
    sum = 1.0 / 1307674368000.0 - sum * z;
    sum = 1.0 / 6227020800.0 - sum * z;
    sum = 1.0 / 39916800.0 - sum * z;
    sum = 1.0 / 362880.0 - sum * z;
    sum = 1.0 / 5040.0 - sum * z;
    sum = 1.0 / 120.0 - sum * z;
    sum = 1.0 / 6.0 - sum * z;
    return x - x * z * sum;
}

/* A standard normal number from two uniform ones (Box and Muller, 1958). */
static inline double pw_lane_normal(double u, double v)
{
    return sqrt(-2.0 * pw_lane_log(u)) * pw_lane_cos_of_turns(v);
}

#endif
