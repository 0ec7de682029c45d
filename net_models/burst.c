#include "net_models/burst.h"

#include <math.h>

#include "common/random.h"

/* The chain: the share of bad transmissions, and how likely a bad spell ends or begins after each. */
struct chain {
    double bad, leave, enter;
};

static struct chain chain_of(const struct pw_burst *burst)
{
    double bad = burst->loss / burst->bad_loss, leave = 1.0 / burst->length;
    return (struct chain){bad, leave, leave * bad / (1.0 - bad)};
}

enum pw_code pw_burst_check(const struct pw_burst *burst, struct pw_error *err)
{
    double bad = burst->loss / burst->bad_loss;
    if (!(bad < 1.0))
        return pw_fail(err, PW_USAGE, "a loss of %g cannot come from spells that lose %g: raise burst_loss",
                       burst->loss, burst->bad_loss);
    if (burst->length < 1.0 / (1.0 - bad))
        return pw_fail(err, PW_USAGE,
                       "bad spells of %g transmissions are shorter than those of independent losses: at "
                       "least %g is expected, or 0 for independent losses",
                       burst->length, 1.0 / (1.0 - bad));
    return PW_OK;
}

/* The state at place `index` of a stationary chain of two states that keeps its state with probability `keep`
 * and else draws a new one, bad with probability `bad`. Looks back for the latest place with a new state. */
static int state_at(double keep, double bad, uint64_t seed, uint32_t way, uint32_t index)
{
    for (uint32_t i = index;; i--) {
        double u[2];
        struct pw_draw key = {seed, PW_DRAW_BURST, {way, i, 0}};
        pw_random_uniform2(&key, 0, u);
        if (i == 0 || u[0] >= keep)
            return u[1] < bad;
    }
}

/* The states at the first transmissions of the rounds are a chain of their own. An offer whose first
 * transmission meets a good state is not lost. One that meets a bad state stays there for a geometric number
 * of losses, and then either gets through or is lost once more and gets through in the good state: which of
 * the two depends on the state that the next round begins with, and is drawn given it. */
uint32_t pw_burst_losses(const struct pw_burst *burst, uint64_t seed, uint32_t way, uint32_t round)
{
    struct chain chain = chain_of(burst);
    double stay = burst->bad_loss * (1.0 - chain.leave), pass = 1.0 - burst->bad_loss;
    /* A round begins badly after one that began well, badly. */
    double after_good = chain.enter;
    double after_bad =
        (pass * (1.0 - chain.leave) + burst->bad_loss * chain.leave * chain.enter) / (1.0 - stay);
    double keep = after_bad - after_good, bad = after_good / (1.0 - keep);
    if (!state_at(keep, bad, seed, way, round))
        return 0;
    int next = state_at(keep, bad, seed, way, round + 1);
    double now = pass * (next ? 1.0 - chain.leave : chain.leave);
    double later = burst->bad_loss * chain.leave * (next ? after_good : 1.0 - after_good);
    double u[2];
    struct pw_draw key = {seed, PW_DRAW_BURST, {way, round, 1}};
    pw_random_uniform2(&key, 0, u);
    return (uint32_t)(log(u[0]) / log(stay)) + (u[1] * (now + later) >= now);
}

int pw_burst_is_lost(const struct pw_burst *burst, uint64_t seed, uint32_t way, uint32_t round)
{
    struct chain chain = chain_of(burst);
    struct pw_draw key = {seed, PW_DRAW_BURST, {way, round, 1}};
    return state_at(1.0 - chain.leave - chain.enter, chain.bad, seed, way, round) &&
           pw_random_uniform(&key, 0) < burst->bad_loss;
}
