#include "coordinator/roll.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/memory.h"

enum { MOST_NAMED = 4 };

const char *pw_ranks_name(const int *ranks, int count, char *text, size_t size)
{
    size_t end = (size_t)snprintf(text, size, count == 1 ? "rank" : "one of ranks");
    for (int k = 0; k < count && k < MOST_NAMED && end < size; k++)
        end += (size_t)snprintf(text + end, size - end, "%s %d", k > 0 ? "," : "", ranks[k]);
    if (count > MOST_NAMED && end < size)
        snprintf(text + end, size - end, " and %d more", count - MOST_NAMED);
    return text;
}

const char *pw_roll_missing(const struct pw_roll *roll, const int *ranks, int count, char *text, size_t size)
{
    int *missing = pw_alloc((size_t)count + 1, sizeof *missing), n_missing = 0;
    for (int k = 0; k < count; k++) {
        int rank = ranks != NULL ? ranks[k] : k;
        if (!roll->here[rank])
            missing[n_missing++] = rank;
    }
    pw_ranks_name(missing, n_missing, text, size);
    free(missing);
    return text;
}
