#include "common/random.h"

#include <Random123/philox.h>

#include "common/random_lanes.h"

void pw_random_uniform2(const struct pw_draw *draw, uint32_t trial, double out[2])
{
    philox4x32_key_t key = {{(uint32_t)draw->seed, (uint32_t)(draw->seed >> 32)}};
    philox4x32_ctr_t counter = {
        {draw->index[0], draw->index[1], draw->index[2], pw_random_word(draw->purpose, trial)}};
    philox4x32_ctr_t r = philox4x32(counter, key);
    out[0] = pw_lane_unit((uint64_t)r.v[0] << 32 | r.v[1]);
    out[1] = pw_lane_unit((uint64_t)r.v[2] << 32 | r.v[3]);
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
    return pw_lane_normal(u[0], u[1]);
}
