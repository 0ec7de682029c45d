#include "tests/bench/bench.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/memory.h"
#include "coordinator/clock.h"

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

double bench_median_ns(void (*work)(void *context), void *context, int repetitions)
{
    double *times = pw_alloc((size_t)repetitions, sizeof *times);
    work(context);
    for (int i = 0; i < repetitions; i++) {
        int64_t start = pw_clock_ns();
        work(context);
        times[i] = (double)(pw_clock_ns() - start);
    }
    qsort(times, (size_t)repetitions, sizeof *times, ascending);
    double median = times[repetitions / 2];
    free(times);
    return median;
}
