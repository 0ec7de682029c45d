#include "common/random.h"

#include <math.h>
#include <Random123/philox.h>

/* The last counter word holds the purpose above the trial. */
enum { PURPOSE_SHIFT = 28 };

static double unit_interval(uint32_t high, uint32_t low)
{
    uint64_t bits = ((uint64_t)high << 32 | low) >> 12; /* 52 bits */
    return ((double)bits + 0.5) / 4503599627370496.0;
}

void pw_random_uniform2(const struct pw_draw *draw, uint32_t trial, double out[2])
{
    philox4x32_key_t key = {{(uint32_t)draw->seed, (uint32_t)(draw->seed >> 32)}};
    philox4x32_ctr_t counter = {
        {draw->index[0], draw->index[1], draw->index[2], (uint32_t)draw->purpose << PURPOSE_SHIFT ^ trial}};
    philox4x32_ctr_t r = philox4x32(counter, key);
    out[0] = unit_interval(r.v[0], r.v[1]);
    out[1] = unit_interval(r.v[2], r.v[3]);
}

double pw_random_uniform(const struct pw_draw *draw, uint32_t trial)
{
    double u[2];
    pw_random_uniform2(draw, trial, u);
    return u[0];
}

double pw_random_normal(const struct pw_draw *draw, uint32_t trial)
{
    double u[2];
    pw_random_uniform2(draw, trial, u);
    return sqrt(-2.0 * log(u[0])) * cos(6.283185307179586 * u[1]);
}
