/* The prices that a rank of a bulk run tells its neighbours and hears of them. Links between two ranks have a
 * round of their own, complete on a rank once it has sent its prices of the round and has those of the
 * neighbour; so a neighbour is a round ahead at most. */
#ifndef PW_BULK_MAIL_H
#define PW_BULK_MAIL_H

#include "common/error.h"
#include "coordinator/bulk_rows.h"
#include "coordinator/transport.h"

/* What a neighbour has sent: prices of the two rounds that can be under way. */
struct pw_bulk_inbox {
    int sent;     /* the last round that this rank has sent, 0: none yet */
    int is_heard; /* the prices of that round have been read */
    int round[2]; /* 0: nothing yet */
    double *prices[2];
};

struct pw_bulk_mail {
    const struct pw_bulk_rows *bulk;
    struct pw_transport *transport;
    long needed;                   /* so many link ends here must be complete for a round */
    struct pw_bulk_inbox *inboxes; /* [neighbours] */
    int *neighbour_of;             /* [ranks] -1: none */
    unsigned char *parcel;         /* a message */
};

/* For agents that go on when a share `delta` of their links is complete. `bulk` and `transport` are kept. */
void pw_bulk_mail_create(struct pw_bulk_mail *mail, const struct pw_bulk_rows *bulk, double delta,
                         struct pw_transport *transport);
void pw_bulk_mail_release(struct pw_bulk_mail *mail);

/* After a round: to all neighbours that it has heard; after the first to all. */
void pw_bulk_mail_send(struct pw_bulk_mail *mail);

/* Keeps a message. PW_INTERNAL if it is none of a neighbour, of another size, or more than a round ahead. */
enum pw_code pw_bulk_mail_take(struct pw_bulk_mail *mail, int from, const unsigned char *bytes, size_t size,
                               struct pw_error *err);

/* A neighbour whose answer has not come; NULL: all have. And how many have come. */
const struct pw_bulk_neighbour *pw_bulk_mail_lacks(const struct pw_bulk_mail *mail);
int pw_bulk_mail_count(const struct pw_bulk_mail *mail);

/* True if as many links are complete as a round needs, those within the rank always; or, where ranks
 * keep their own pace, if there are as many messages as links (docs/protocol.md, rule (ii)). */
int pw_bulk_mail_is_enough(const struct pw_bulk_mail *mail);

/* Before a round: all that is complete, to the rows. */
void pw_bulk_mail_read(struct pw_bulk_mail *mail);

#endif
