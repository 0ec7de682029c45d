#include "coordinator/roll.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/memory.h"
#include "coordinator/clock.h"

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

enum pw_code pw_roll_wait(const struct pw_roll *roll, struct pw_transport *transport, pw_receive *receive,
                          void *context, const char *what, double patience_s, struct pw_error *err)
{
    struct pw_idle idle = {.longest_ns = 1000000, .spins_first = transport->crowded ? 0 : 2000};
    int64_t deadline_ns = pw_clock_ns() + (int64_t)fmin(patience_s * 1e9, 9e17);
    char missing[100];
    while (roll->count < transport->size) {
        int64_t now_ns = pw_clock_ns();
        if (pw_transport_poll(transport, receive, context) > 0)
            pw_idle_reset(&idle);
        else if (now_ns > deadline_ns)
            return pw_fail(err, PW_ENVIRONMENT, "waited %g s for %s of %s, which hangs, or its machine does",
                           patience_s, what,
                           pw_roll_missing(roll, NULL, transport->size, missing, sizeof missing));
        else
            pw_idle_turn(&idle, now_ns, deadline_ns);
    }
    return PW_OK;
}
