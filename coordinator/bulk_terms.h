/* What the rows of a rank need to know of the whole market, beside the links of their own agents: from it
 * follow the penalty of each link and what a trade at rest may move by. Rank 0 works it out for all. */
#ifndef PW_BULK_TERMS_H
#define PW_BULK_TERMS_H

#include "common/market.h"
#include "common/penalty.h"
#include "coordinator/transport.h"

struct pw_bulk_terms {
    int n_links;
    struct pw_scales scales;
    int *degree; /* [n_agents] number of links of each agent */
    struct pw_shares shares;
};

/* Those of a whole market, for pw_bulk_terms_release(). O(links). */
struct pw_bulk_terms pw_bulk_terms_of(const struct pw_market *market);
void pw_bulk_terms_release(struct pw_bulk_terms *terms);

/* Collective: those of rank 0's market, which is whole, to all; 20 bytes an agent. */
struct pw_bulk_terms pw_bulk_terms_share(const struct pw_market *market, struct pw_transport *transport);

#endif
