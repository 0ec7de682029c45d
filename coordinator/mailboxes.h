/* What the virtual clock knows of each link end, where both ends pair their rounds: the latest offer that
 * left it, and the offers that are on their way there, which the agent sees when they have arrived. The gap
 * of a round counts from the instant at which both ends have sent it. */
#ifndef PW_MAILBOXES_H
#define PW_MAILBOXES_H

#include <stddef.h>
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

/* Of one product, a line of the cache. */
struct pw_mailbox {
    int64_t due_ns[2]; /* when the offers of even and of odd rounds that lie here arrive; else
                          PW_FLIGHT_NEVER */
    int64_t sent_ns;   /* when the latest offer left this end */
    int32_t round;     /* which that was */
    int32_t link;
    int32_t afar;           /* where what the other end sent last is kept; -1: that end is here too */
    unsigned char is_first; /* agent_a's end */
    unsigned char settled;  /* the trade is; for the clock to say */
    double numbers[];       /* [3 * n_products] the trades in the latest offer, then r of both offers */
};

struct pw_mailboxes {
    int n_products;
    unsigned char *all, *afar; /* [ends here] by pw_mailbox(); the other ends elsewhere */
    size_t size, afar_size;    /* bytes of one */
};

/* For the ends of `host`; they need no more of it. */
struct pw_mailboxes *pw_mailboxes_create(const struct pw_host *host);
void pw_mailboxes_destroy(struct pw_mailboxes *boxes);

/* The mailbox of an end by pw_host_end(). */
static inline struct pw_mailbox *pw_mailbox(const struct pw_mailboxes *boxes, int end)
{
    return (struct pw_mailbox *)(boxes->all + (size_t)end * boxes->size);
}

/* An offer leaves this end; or one for it leaves the other. Once both have sent the round the gap of it is
 * added to the changes: at one end of the link, once. */
void pw_mailboxes_leave(struct pw_mailboxes *boxes, struct pw_mailbox *box, const struct pw_flight *flight,
                        struct pw_changes *changes);
void pw_mailboxes_come(struct pw_mailboxes *boxes, struct pw_mailbox *box, const struct pw_flight *flight,
                       struct pw_changes *changes);

/* r of the offer of that round that lies here, or may be laid here. */
static inline double *pw_mailbox_r(const struct pw_mailboxes *boxes, struct pw_mailbox *box, int round)
{
    return box->numbers + (size_t)(1 + (round & 1)) * (size_t)boxes->n_products;
}

#endif
