/* Bursts of losses: the model of Gilbert and Elliott. The transmissions of one direction of a link, one after
 * the other in the order in which they leave, run through a Markov chain of two states: in the good state
 * nothing is lost, in the bad one each transmission with probability `bad_loss`; a bad spell lasts `length`
 * transmissions in the mean. The chain is stationary and the mean loss is `loss`. */
#ifndef PW_BURST_H
#define PW_BURST_H

#include <stdint.h>

#include "common/error.h"

struct pw_burst {
    double loss;     /* mean over all transmissions, [0, 1) */
    double length;   /* mean number of transmissions of a bad spell */
    double bad_loss; /* probability of a loss in the bad state, (0, 1] */
};

/* PW_USAGE with a text where no chain has these figures, or one with shorter spells than chance makes. */
enum pw_code pw_burst_check(const struct pw_burst *burst, struct pw_error *err);

/* How many transmissions are lost before offer `round` of direction `way` gets through, where every lost one
 * is repeated. Pure; about `length` draws at most, in the mean. The law is exactly that of the chain over
 * the whole sequence of transmissions: rounds 0, 1, 2 .., each with its repetitions. */
uint32_t pw_burst_losses(const struct pw_burst *burst, uint64_t seed, uint32_t way, uint32_t round);

/* Whether the only transmission of offer `round` is lost, where none is repeated. Pure; cost as above. */
int pw_burst_is_lost(const struct pw_burst *burst, uint64_t seed, uint32_t way, uint32_t round);

#endif
