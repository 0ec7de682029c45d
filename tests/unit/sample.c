#include "tests/unit/sample.h"

#include <math.h>
#include <stdlib.h>

void sample_measure(struct sample *sample)
{
    double sum = 0, squares = 0;
    sample->smallest = INFINITY;
    sample->largest = -INFINITY;
    for (int i = 0; i < sample->count; i++)
        sum += sample->values[i];
    sample->mean = sum / sample->count;
    for (int i = 0; i < sample->count; i++) {
        double off = sample->values[i] - sample->mean;
        squares += off * off;
        sample->smallest = fmin(sample->smallest, sample->values[i]);
        sample->largest = fmax(sample->largest, sample->values[i]);
    }
    sample->variance = squares / sample->count;
}

double sample_correlation(const double *x, const double *y, int count)
{
    double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
    for (int i = 0; i < count; i++) {
        mean_x += x[i] / count;
        mean_y += y[i] / count;
    }
    for (int i = 0; i < count; i++) {
        xx += (x[i] - mean_x) * (x[i] - mean_x);
        yy += (y[i] - mean_y) * (y[i] - mean_y);
        xy += (x[i] - mean_x) * (y[i] - mean_y);
    }
    return xy / sqrt(xx * yy);
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

double sample_distance(struct sample *sample, double (*distribution)(double x, const double *parameters),
                       const double *parameters)
{
    double worst = 0;
    qsort(sample->values, (size_t)sample->count, sizeof(double), ascending);
    for (int i = 0; i < sample->count; i++) {
        double expected = distribution(sample->values[i], parameters);
        worst = fmax(worst, fmax(fabs(expected - (double)i / sample->count),
                                 fabs(expected - (double)(i + 1) / sample->count)));
    }
    return worst * sqrt(sample->count);
}

int sample_repeats(const struct sample *sample)
{
    int repeats = 0;
    for (int i = 1; i < sample->count; i++)
        repeats += !(sample->values[i] > sample->values[i - 1]);
    return repeats;
}
