/* Draws of random.h for many keys at a time. */
#include <Random123/philox.h>

#include "common/random.h"
#include "common/random_lanes.h"

enum { LANES = PW_RANDOM_LANES };

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define PW_HAS_AVX2
#include <immintrin.h>
#endif
#if defined(PW_HAS_AVX2) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PW_VECTOR __attribute__((target_clones("avx2", "default")))
#else
#define PW_VECTOR
#endif

/* Counters of the generator by word and lane, 32 bits of each; then what it makes of them, two words in one.
 */
struct counters {
    uint64_t word[4][LANES];
};
struct generated {
    uint64_t bits[2][LANES];
};

static void generate_one_by_one(uint64_t seed, const struct counters *counters, struct generated *out)
{
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    for (int i = 0; i < LANES; i++) {
        philox4x32_ctr_t counter;
        for (int k = 0; k < 4; k++)
            counter.v[k] = (uint32_t)counters->word[k][i];
        philox4x32_ctr_t r = philox4x32(counter, key);
        out->bits[0][i] = (uint64_t)r.v[0] << 32 | r.v[1];
        out->bits[1][i] = (uint64_t)r.v[2] << 32 | r.v[3];
    }
}

#ifdef PW_HAS_AVX2

typedef uint64_t vector __attribute__((vector_size(32)));
enum { VECTORS = LANES / 4, ROUNDS = 10 };

/* The product of the lower 32 bits of each. */
__attribute__((target("avx2"))) static inline vector product(vector x, uint32_t y)
{
    return (vector)_mm256_mul_epu32((__m256i)x, _mm256_set1_epi64x(y));
}

/* Ten rounds of Philox 4x32 (random.h); constants of the paper's section 4.3. What stands above the 32 bits
 * of a word is of no account until the end. */
__attribute__((target("avx2"))) static void generate_in_lanes(uint64_t seed, const struct counters *counters,
                                                              struct generated *out)
{
    const vector none = {0};
    vector x[4][VECTORS];
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    memcpy(x, counters, sizeof x);
    for (int round = 0; round < ROUNDS; round++) {
        for (int v = 0; v < VECTORS; v++) {
            vector p = product(x[0][v], 0xD2511F53), q = product(x[2][v], 0xCD9E8D57);
            x[0][v] = (q >> 32) ^ x[1][v] ^ (none + key[0]);
            x[2][v] = (p >> 32) ^ x[3][v] ^ (none + key[1]);
            x[1][v] = q;
            x[3][v] = p;
        }
        key[0] += 0x9E3779B9;
        key[1] += 0xBB67AE85;
    }
    for (int v = 0; v < VECTORS; v++) {
        for (int k = 0; k < 2; k++) {
            vector bits = x[2 * k][v] << 32 | (x[2 * k + 1][v] & (none + UINT32_MAX));
            memcpy(&out->bits[k][4 * v], &bits, sizeof bits);
        }
    }
}

_Static_assert(LANES % 4 == 0, "lanes fill vectors of four");

static void generate(uint64_t seed, const struct counters *counters, struct generated *out)
{
    if (__builtin_cpu_supports("avx2"))
        generate_in_lanes(seed, counters, out);
    else
        generate_one_by_one(seed, counters, out);
}

#else

static void generate(uint64_t seed, const struct counters *counters, struct generated *out)
{
    generate_one_by_one(seed, counters, out);
}

#endif

/* Counters take the keys' numbers as they are. */
static void generate_first(const struct pw_draws *draws, struct generated *out)
{
    struct counters counters;
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < LANES; i++)
            counters.word[k][i] = draws->index[k][i];
    }
    for (int i = 0; i < LANES; i++)
        counters.word[3][i] = pw_random_word(draws->purpose, 0);
    generate(draws->seed, &counters, out);
}

void pw_random_uniforms(const struct pw_draws *draws, double out[PW_RANDOM_LANES])
{
    struct generated generated;
    generate_first(draws, &generated);
    for (int i = 0; i < LANES; i++)
        out[i] = pw_lane_unit(generated.bits[0][i]);
}

PW_VECTOR static void make_normal(const struct generated *generated, double *restrict out)
{
    for (int i = 0; i < LANES; i++)
        out[i] = pw_lane_normal(pw_lane_unit(generated->bits[0][i]), pw_lane_unit(generated->bits[1][i]));
}

void pw_random_normals(const struct pw_draws *draws, double out[PW_RANDOM_LANES])
{
    struct generated generated;
    generate_first(draws, &generated);
    make_normal(&generated, out);
}
