/* Price calls, with which a slot may open. Where every agent may trade with every other, at one fee, there is
 * one price. Before the first round agents then call out, a few times, what they would give or take at the
 * last price, and how that answers a price: each can work out the next price from what it has heard, by
 * Newton's method, and in the end the trades from which the negotiation starts. docs/slots.md says what that
 * saves, and why not elsewhere. */
#ifndef PW_OPENING_H
#define PW_OPENING_H

#include "common/market.h"
#include "coordinator/negotiate.h"
#include "coordinator/start.h"
#include "coordinator/transport.h"

/* True if all agents of the market are linked, at one fee a product. O(links). */
int pw_opening_suits(const struct pw_market *market);

/* What an agent calls out. */
struct pw_call {
    double power; /* what it gives (sells) at the trade price, its fee taken off; negative: takes */
    double slope; /* by how much that rises with the price */
};

/* The call of agent n for product q at a trade price; the slope is a chord over the price give or take
 * `width`. */
struct pw_call pw_opening_call(const struct pw_market *market, int n, int q, double price, double width);

/* Collective: calls until the market is balanced at a price within its tolerance, six times at most for each
 * product; then sets the trades and prices of `start`, which all ranks hold. Returns the number of calls.
 * Each is a message from every agent to every other. */
int pw_opening_make(const struct pw_negotiation *negotiation, struct pw_transport *transport,
                    struct pw_start *start);

/* Adds the calls to rounds and messages of what a negotiation has found. */
void pw_opening_count(struct pw_outcome *outcome, int calls);

#endif
