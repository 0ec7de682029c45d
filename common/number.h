/* Numbers as people write them, and nothing else: no units, no octal, no hexadecimal, no nan, no inf, no plus
 * sign in front. */
#ifndef PW_NUMBER_H
#define PW_NUMBER_H

/* The largest power, price or curvature that a case may hold: squares and sums must stay finite. */
#define PW_LARGEST_NUMBER 1e30

/* Reads a decimal number such as 3, -0.5, .5 or 1e-3 that fills the whole text. False for anything else, also
 * for a leading zero (010) and for what a double cannot hold; *value is then untouched. */
int pw_parse_real(const char *text, double *value);

/* Reads a whole decimal number that fills the whole text and fits. False otherwise. */
int pw_parse_integer(const char *text, long *value);

#endif
