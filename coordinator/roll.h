/* Which ranks have answered. */
#ifndef PW_ROLL_H
#define PW_ROLL_H

#include <stddef.h>
#include <string.h>

#include "common/error.h"
#include "coordinator/transport.h"

struct pw_roll {
    unsigned char *here; /* [ranks] */
    int count;
};

static inline void pw_roll_mark(struct pw_roll *roll, int rank)
{
    roll->count += !roll->here[rank];
    roll->here[rank] = 1;
}

static inline void pw_roll_clear(struct pw_roll *roll, int size)
{
    memset(roll->here, 0, (size_t)size);
    roll->count = 0;
}

/* These ranks, for people who look for one of them: "rank 3" or "one of ranks 1, 2, 5, 6 and 12 more", into
 * text. Returns text. */
const char *pw_ranks_name(const int *ranks, int count, char *text, size_t size);

/* Who of `ranks` [count] (NULL: all below `count`) has not answered, by name, into text. Returns text. */
const char *pw_roll_missing(const struct pw_roll *roll, const int *ranks, int count, char *text, size_t size);

/* Waits, handing `receive` what comes, until it has marked all ranks of the transport. PW_ENVIRONMENT if that
 * takes more than patience_s, naming `what` is missing and of whom. */
enum pw_code pw_roll_wait(const struct pw_roll *roll, struct pw_transport *transport, pw_receive *receive,
                          void *context, const char *what, double patience_s, struct pw_error *err);

#endif
