/* Which ranks have answered. */
#ifndef PW_ROLL_H
#define PW_ROLL_H

#include <string.h>

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

#endif
