/* What the virtual clock knows of each link end, where both ends pair their rounds: the latest offer that
 * left it, the latest that is on its way there, and, if the agent is not to see that one yet, the offer
 * itself. The gap of a round counts from the instant at which both ends have sent it. */
#ifndef PW_MAILBOXES_H
#define PW_MAILBOXES_H

#include <stddef.h>
#include <stdint.h>

#include "common/prefetch.h"
#include "coordinator/changes.h"
#include "coordinator/host.h"

enum { PW_FLIGHT_NEVER = 0 };

/* An offer on its way: what it says, and what is known of it beforehand. */
struct pw_flight {
    struct pw_offer offer;
    double trade[PW_MOST_PRODUCTS]; /* [n_products] the trade in the offer, as its sender holds it */
    int64_t sent_ns, due_ns;        /* due PW_FLIGHT_NEVER: lost for good */
};

/* Of one product, a line of the cache. [0] is this end's, [1] the other's. */
struct pw_mailbox {
    int64_t due_ns;     /* when the offer that lies here arrives; PW_FLIGHT_NEVER: none does */
    int64_t sent_ns[2]; /* when the latest offer left */
    int32_t round[2];   /* which that was */
    int32_t link;
    unsigned char tells[2]; /* 1: this end tells of the gap if its own (the other's) offer makes the pair */
    double numbers[];       /* [3 * n_products] the trades in both offers, then r of the one that lies here */
};

struct pw_mailboxes {
    int n_products;
    unsigned char *all; /* [ends here] by pw_mailbox() */
    size_t size;        /* bytes of one */
};

/* For the ends of `host`; they need no more of it. */
struct pw_mailboxes *pw_mailboxes_create(const struct pw_host *host);
void pw_mailboxes_destroy(struct pw_mailboxes *boxes);

/* The mailbox of an end by pw_host_end(). */
static inline struct pw_mailbox *pw_mailbox(const struct pw_mailboxes *boxes, int end)
{
    return (struct pw_mailbox *)(boxes->all + (size_t)end * boxes->size);
}

/* Fetches it into the cache. */
static inline void pw_mailboxes_fetch(const struct pw_mailboxes *boxes, int end)
{
    pw_prefetch(pw_mailbox(boxes, end));
}

/* An offer leaves an end here; one for an end here leaves its peer. Once both have sent the round the gap of
 * it is added to the changes: at one end of the link, once. */
void pw_mailboxes_leave(struct pw_mailboxes *boxes, int end, const struct pw_flight *flight,
                        struct pw_changes *changes);
void pw_mailboxes_come(struct pw_mailboxes *boxes, int end, const struct pw_flight *flight,
                       struct pw_changes *changes);

/* Lays the offer that came last into its mailbox, which is empty; where its r lies then. Whoever takes it out
 * sets due_ns to PW_FLIGHT_NEVER. */
void pw_mailboxes_keep(struct pw_mailboxes *boxes, int end, const struct pw_flight *flight);
const double *pw_mailboxes_kept(const struct pw_mailboxes *boxes, const struct pw_mailbox *box);

#endif
