/* The paired exchange at one link end: what happens to a slot when its round is applied and when the next one
 * is offered. Private to agent/. */
#ifndef PW_PAIRED_H
#define PW_PAIRED_H

#include "agent/agent.h"

/* Applies the complete round of a slot at both of its shadows: s <- (1 - alpha) s - alpha r, records the gap,
 * and balances the penalty when it is due. */
void pw_paired_apply(struct pw_agent *agent, int slot);

/* Offers the solved trades agent->wish of product q on `slot` as part of the next round. */
void pw_paired_offer(struct pw_agent *agent, int slot, int q, double trade);

/* Ends the slot's round: the next one is complete if the peer's offer has already come. */
void pw_paired_advance(struct pw_agent *agent, int slot);

/* Every few rounds: rescales the penalty of a slot from numbers that both ends hold, bit for bit, so that
 * both change it alike without a message. `agreed` and `gap` have n_products entries. */
void pw_penalty_balance(struct pw_agent *agent, int slot);

#endif
