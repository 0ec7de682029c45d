/* Changing peers while a market repeats. */
#ifndef PW_ADAPT_H
#define PW_ADAPT_H

#include "common/market.h"
#include "common/settings.h"

/* Rewires the market, whose links pw_links_build() made of `spec` (PW_LINKS_CHOSEN) with `fee` at each end,
 * after it has cleared with trade [n_links * n_products] from link_a to link_b; product 0 counts. Each agent,
 * in an order drawn for the slot, asks one agent drawn among those that it might be linked with. They
 * become peers if that gains, where each of them drops a peer that it has, or, if it has room for one more,
 * does not; of all such changes the one that gains most is made. Two that are both dropped are linked with
 * each other, if they may be. Gains are those of the two to four agents together, by their offers, all their
 * other trades as they were. No agent takes part in two changes of a slot.
 * So no agent ever has more than spec->count peers, and if the market repeats unchanged its optimal welfare
 * never falls (where offers are exact: one asset an agent).
 *
 * Links may come in another order and number; where nothing changes the market stays as it is, also where it
 * could not balance otherwise. Deterministic in spec->seed and slot (0, 1, ...), the same on every rank that
 * has the same trades. Returns the number of changes. Time O(agents^2) at worst. */
int pw_choose_adapt(struct pw_market *market, const struct pw_links_spec *spec, double fee,
                    const double *trade, long slot);

#endif
