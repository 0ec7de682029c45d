/* Samples of a law, and how far they may lie from it. */
#ifndef PW_TEST_SAMPLE_H
#define PW_TEST_SAMPLE_H

struct sample {
    int count;
    double *values; /* for free() */
    double mean, variance, smallest, largest;
};

/* Fills mean, variance, smallest and largest from the values. */
void sample_measure(struct sample *sample);

/* The correlation of `count` pairs. Independent numbers stay below 5 / sqrt(count). */
double sample_correlation(const double *x, const double *y, int count);

/* The largest distance between the sample and the law with this distribution function, times sqrt(count);
 * beyond 2.3 once in 20 000 samples of the law. Sorts the values. */
double sample_distance(struct sample *sample, double (*distribution)(double x, const double *parameters),
                       const double *parameters);

/* How many values of a sorted sample equal the one before. */
int sample_repeats(const struct sample *sample);

#endif
