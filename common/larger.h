/* The larger of two numbers, inline where fmax() is a call and its price shows. */
#ifndef PW_LARGER_H
#define PW_LARGER_H

/* x where y is no number: so a maximum that starts from a number stays one. */
static inline double pw_larger(double x, double y)
{
    return y > x ? y : x;
}

#endif
