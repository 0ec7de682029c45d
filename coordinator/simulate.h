/* One market on the virtual clock, from the first offer to the last: the main loop of every rank. */
#ifndef PW_SIMULATE_H
#define PW_SIMULATE_H

#include "coordinator/negotiate.h"

/* Collective; pw_negotiate() on the virtual clock, with the same result. No rank is ahead of its
 * neighbours by more than the lookahead. What happens does not depend on the number of ranks. */
void pw_simulate(const struct pw_negotiation *negotiation, struct pw_transport *transport,
                 struct pw_outcome **outcome);

#endif
