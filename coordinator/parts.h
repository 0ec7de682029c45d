/* Parts of a market: each rank but 0 holds only what it needs, the links of the agents that it hosts. */
#ifndef PW_PARTS_H
#define PW_PARTS_H

#include "common/market.h"
#include "coordinator/transport.h"

/* Collective: rank 0 cuts its market into parts (pw_market_part()) and hands them out, one rank after the
 * other. Returns the part, for pw_market_destroy(); NULL on rank 0. A rank to whom nothing comes for
 * `stall_s`, and as long for each before it, ends all, as rank 0 does where one does not take a piece. */
struct pw_market *pw_parts_hand_out(const struct pw_market *market, struct pw_transport *transport,
                                    double stall_s);

#endif
