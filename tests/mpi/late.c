#include "tests/mpi/late.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "coordinator/clock.h"
#include "tests/unit/random_market.h"

/* Messages that have come from one source and are not handed over yet. */
struct letter {
    enum pw_tag tag;
    size_t size;
    unsigned char *bytes;
    struct letter *next;
};
struct source {
    struct letter *first, **end;
    int64_t held_until_ns;
};

struct late {
    struct pw_transport *inner;
    struct source *sources; /* [ranks] */
    struct test_rng rng;
    double probability;
    int64_t most_ns;
};

static void keep(void *context, int from, enum pw_tag tag, const unsigned char *bytes, size_t size)
{
    struct late *late = context;
    struct letter *letter = pw_alloc(1, sizeof *letter);
    *letter = (struct letter){tag, size, pw_alloc(size, 1), NULL};
    if (size > 0)
        memcpy(letter->bytes, bytes, size);
    *late->sources[from].end = letter;
    late->sources[from].end = &letter->next;
}

static void hand_over(struct late *late, int from, pw_receive *receive, void *context)
{
    struct source *source = &late->sources[from];
    struct letter *letter = source->first;
    source->first = letter->next;
    if (source->first == NULL)
        source->end = &source->first;
    if (test_uniform(&late->rng, 0, 1) < late->probability)
        source->held_until_ns = pw_clock_ns() + (int64_t)test_uniform(&late->rng, 0, (double)late->most_ns);
    receive(context, from, letter->tag, letter->bytes, letter->size);
    free(letter->bytes);
    free(letter);
}

static int poll_late(struct pw_transport *transport, pw_receive *receive, void *context)
{
    struct late *late = transport->state;
    int count = 0;
    pw_transport_poll(late->inner, keep, late);
    for (int r = 0; r < transport->size; r++) {
        if (late->sources[r].first == NULL || late->sources[r].held_until_ns > pw_clock_ns())
            continue;
        hand_over(late, r, receive, context);
        count++;
    }
    return count;
}

static void send_late(struct pw_transport *transport, int to, enum pw_tag tag, const void *bytes, size_t size)
{
    pw_transport_send(((struct late *)transport->state)->inner, to, tag, bytes, size);
}

static int busy_late(struct pw_transport *transport, int to)
{
    return pw_transport_busy(((struct late *)transport->state)->inner, to);
}

static int sending_late(struct pw_transport *transport)
{
    return pw_transport_sending(((struct late *)transport->state)->inner);
}

static void share_late(struct pw_transport *transport, void *bytes, size_t size)
{
    pw_transport_share(((struct late *)transport->state)->inner, bytes, size);
}

static void abort_late(struct pw_transport *transport, enum pw_code code)
{
    pw_transport_abort(((struct late *)transport->state)->inner, code);
}

struct pw_transport *late_transport(struct pw_transport *inner, double probability, int64_t most_ns)
{
    struct pw_transport *transport = pw_alloc(1, sizeof *transport);
    struct late *late = pw_alloc(1, sizeof *late);
    *late = (struct late){inner, pw_alloc((size_t)inner->size, sizeof *late->sources),
                          test_rng(1000 + (uint64_t)inner->rank), probability, most_ns};
    for (int r = 0; r < inner->size; r++)
        late->sources[r].end = &late->sources[r].first;
    *transport = *inner;
    transport->state = late;
    transport->send = send_late;
    transport->poll = poll_late;
    transport->busy = busy_late;
    transport->sending = sending_late;
    transport->share = share_late;
    transport->abort = abort_late;
    transport->close = NULL; /* the inner one's is the caller's */
    return transport;
}

void late_transport_destroy(struct pw_transport *transport)
{
    struct late *late = transport->state;
    for (int r = 0; r < transport->size; r++) {
        while (late->sources[r].first != NULL) {
            struct letter *letter = late->sources[r].first;
            late->sources[r].first = letter->next;
            free(letter->bytes);
            free(letter);
        }
    }
    free(late->sources);
    free(late);
    free(transport);
}
