/* The bulk path: a run on the wall clock whose messages are never late or lost, in rounds that all agents of
 * a rank make together. Same market, same rounds, same numbers (to rounding) as pw_negotiate() at delta = 1;
 * below, a rank does not wait for slower ones. Agents of a rank lie in rows (agent/rows.h), and ranks tell
 * each other prices, one message a round. */
#ifndef PW_BULK_H
#define PW_BULK_H

#include "coordinator/negotiate.h"

/* True if this can and may be run in bulk (run.bulk); otherwise *why, a static string, names what stands
 * against it. */
int pw_bulk_suits(const struct pw_negotiation *negotiation, const char **why);

/* True if a run in bulk needs no more of the market on a rank but 0 than the links of its own agents: there
 * is one slot, that of the case. And if ranks can make these themselves: the settings alone say that the run
 * is made in bulk, on agents in blocks and links that can be made in part. */
int pw_bulk_takes_parts(const struct pw_settings *settings);
int pw_bulk_draws_parts(const struct pw_settings *settings);

/* Collective; as pw_negotiate(). */
void pw_bulk_negotiate(const struct pw_negotiation *negotiation, struct pw_transport *transport,
                       struct pw_outcome **outcome);

#endif
