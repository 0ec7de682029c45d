#include "coordinator/roll.h"

#include <stdio.h>

enum { MOST_NAMED = 4 };

const char *pw_roll_missing(const struct pw_roll *roll, const int *ranks, int count, char *text, size_t size)
{
    int missing[MOST_NAMED], n_missing = 0;
    for (int k = 0; k < count; k++) {
        int rank = ranks != NULL ? ranks[k] : k;
        if (roll->here[rank])
            continue;
        if (n_missing < MOST_NAMED)
            missing[n_missing] = rank;
        n_missing++;
    }
    size_t end = (size_t)snprintf(text, size, n_missing == 1 ? "rank" : "one of ranks");
    for (int k = 0; k < n_missing && k < MOST_NAMED && end < size; k++)
        end += (size_t)snprintf(text + end, size - end, "%s %d", k > 0 ? "," : "", missing[k]);
    if (n_missing > MOST_NAMED && end < size)
        snprintf(text + end, size - end, " and %d more", n_missing - MOST_NAMED);
    return text;
}
