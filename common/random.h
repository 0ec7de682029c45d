/* Random numbers as a pure function of what they are for: the same draw whatever the order of calls, the rank
 * or the machine. Philox 4x32-10 (Salmon et al., SC 2011), by the Random123 library. */
#ifndef PW_RANDOM_H
#define PW_RANDOM_H

#include <stdint.h>

/* What a draw is for: keeps the streams apart. */
enum pw_purpose {
    PW_DRAW_LOSS = 1,
    PW_DRAW_DELAY = 2,
    PW_DRAW_MARKET = 3,
    PW_DRAW_LINKS = 4,
    PW_DRAW_BURST = 5,
    PW_DRAW_PACE = 6,
    PW_DRAW_PAUSE = 7,
};

/* The key of one draw: `seed`, the purpose, and up to three numbers that say which one it is. */
struct pw_draw {
    uint64_t seed;
    enum pw_purpose purpose;
    uint32_t index[3];
};

/* Two independent numbers, uniform on the open interval (0, 1); `trial` numbers the draws under one key. */
void pw_random_uniform2(const struct pw_draw *draw, uint32_t trial, double out[2]);

/* One number uniform on (0, 1). */
double pw_random_uniform(const struct pw_draw *draw, uint32_t trial);

/* One standard normal number. */
double pw_random_normal(const struct pw_draw *draw, uint32_t trial);

/* The keys of so many draws side by side. */
enum { PW_RANDOM_LANES = 8 };
struct pw_draws {
    uint64_t seed;
    enum pw_purpose purpose;
    uint32_t index[3][PW_RANDOM_LANES];
};

/* The uniform, or normal, numbers of trial 0 of all keys: the same to the bit as those of one key each, at a
 * fraction of their cost. */
void pw_random_uniforms(const struct pw_draws *draws, double out[PW_RANDOM_LANES]);
void pw_random_normals(const struct pw_draws *draws, double out[PW_RANDOM_LANES]);

/* The last word of the generator's counter: the purpose above the trial. */
static inline uint32_t pw_random_word(enum pw_purpose purpose, uint32_t trial)
{
    enum { PURPOSE_SHIFT = 28 };
    return (uint32_t)purpose << PURPOSE_SHIFT ^ trial;
}

#endif
