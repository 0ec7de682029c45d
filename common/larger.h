/* The larger and the smaller of two numbers, inline where fmax() and fmin() are calls and their price shows.
 */
#ifndef PW_LARGER_H
#define PW_LARGER_H

/* x where y is no number: so a maximum that starts from a number stays one. */
static inline double pw_larger(double x, double y)
{
    return y > x ? y : x;
}

static inline double pw_smaller(double x, double y)
{
    return y < x ? y : x;
}

#endif
