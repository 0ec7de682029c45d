/* Timing for the benchmarks: medians over repetitions on one core. */
#ifndef PW_BENCH_H
#define PW_BENCH_H

/* Median over `repetitions` of the nanoseconds that work(context) takes, after one unmeasured call. */
double bench_median_ns(void (*work)(void *context), void *context, int repetitions);

#endif
