/* Where the virtual clock pairs the offers of both ends of every link: the gap of a round counts from the
 * instant at which both have sent it. */
#ifndef PW_WATCHES_H
#define PW_WATCHES_H

#include <stdint.h>

#include "coordinator/changes.h"
#include "coordinator/host.h"

enum { PW_FLIGHT_NEVER = 0 };

/* An offer on its way: what it says, and what is known of it beforehand. */
struct pw_flight {
    struct pw_offer offer;
    double trade[PW_MOST_PRODUCTS]; /* [n_products] the trade in the offer, as its sender holds it */
    int64_t sent_ns, due_ns;        /* due PW_FLIGHT_NEVER: lost for good */
};

struct pw_watches;

/* Watches the links of `host` (borrowed) whose agent_a lives there; none of them where nothing is paired. */
struct pw_watches *pw_watches_create(const struct pw_host *host, int is_paired);
void pw_watches_destroy(struct pw_watches *watches);

/* Fetch into the cache what noting a flight at an end here, by pw_host_end(), will touch: in two steps, some
 * time apart. */
void pw_watches_fetch_end(const struct pw_watches *watches, int end);
void pw_watches_fetch(const struct pw_watches *watches, int end);

/* An offer leaves one end of the link that ends at `end` here, in the link's direction 0 or 1: adds the gap
 * of the round to the changes once both have sent it. */
void pw_watches_note(struct pw_watches *watches, int end, int direction, const struct pw_flight *flight,
                     struct pw_changes *changes);

#endif
