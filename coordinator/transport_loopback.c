/* A lone process: what it sends itself waits in memory for the next poll. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/memory.h"
#include "coordinator/transport.h"

struct letter {
    enum pw_tag tag;
    size_t start, size;
};

/* Two post bags in turn: one is emptied while the other fills. */
struct bag {
    struct letter *letters;
    unsigned char *bytes;
    size_t n_letters, letter_room, n_bytes, byte_room;
};

struct loopback {
    char host[256];
    struct bag bags[2];
    int filling;
};

static void send_letter(struct pw_transport *transport, int to, enum pw_tag tag, const void *bytes,
                        size_t size)
{
    struct loopback *loopback = transport->state;
    struct bag *bag = &loopback->bags[loopback->filling];
    (void)to;
    if (bag->n_letters == bag->letter_room) {
        bag->letter_room = 2 * bag->letter_room + 16;
        bag->letters = pw_realloc(bag->letters, bag->letter_room, sizeof *bag->letters);
    }
    if (bag->n_bytes + size > bag->byte_room) {
        bag->byte_room = 2 * (bag->n_bytes + size);
        bag->bytes = pw_realloc(bag->bytes, bag->byte_room, 1);
    }
    bag->letters[bag->n_letters++] = (struct letter){tag, bag->n_bytes, size};
    if (size > 0)
        memcpy(bag->bytes + bag->n_bytes, bytes, size);
    bag->n_bytes += size;
}

static int poll_letters(struct pw_transport *transport, pw_receive *receive, void *context)
{
    struct loopback *loopback = transport->state;
    struct bag *bag = &loopback->bags[loopback->filling];
    int count = (int)bag->n_letters;
    loopback->filling = !loopback->filling;
    for (int i = 0; i < count; i++)
        receive(context, 0, bag->letters[i].tag, bag->bytes + bag->letters[i].start, bag->letters[i].size);
    bag->n_letters = bag->n_bytes = 0;
    return count;
}

static int never_busy(struct pw_transport *transport, int to)
{
    (void)transport;
    (void)to;
    return 0;
}

static int never_sending(struct pw_transport *transport)
{
    (void)transport;
    return 0;
}

static void share_alone(struct pw_transport *transport, void *bytes, size_t size)
{
    (void)transport;
    (void)bytes;
    (void)size;
}

static void abort_alone(struct pw_transport *transport, enum pw_code code)
{
    (void)transport;
    exit((int)code);
}

static void close_alone(struct pw_transport *transport)
{
    struct loopback *loopback = transport->state;
    for (int i = 0; i < 2; i++) {
        free(loopback->bags[i].letters);
        free(loopback->bags[i].bytes);
    }
    free(loopback);
    free(transport);
}

struct pw_transport *pw_transport_loopback(void)
{
    struct pw_transport *transport = pw_alloc(1, sizeof *transport);
    struct loopback *loopback = pw_alloc(1, sizeof *loopback);
    gethostname(loopback->host, sizeof loopback->host - 1);
    *transport = (struct pw_transport){.rank = 0,
                                       .size = 1,
                                       .library = "memory (one process)",
                                       .hosts = loopback->host,
                                       .state = loopback,
                                       .send = send_letter,
                                       .poll = poll_letters,
                                       .busy = never_busy,
                                       .sending = never_sending,
                                       .share = share_alone,
                                       .abort = abort_alone,
                                       .close = close_alone};
    return transport;
}
