#include "coordinator/parts.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/market_pack.h"
#include "common/memory.h"
#include "coordinator/clock.h"
#include "coordinator/placement.h"

/* A part goes as its size in bytes, then in pieces of so many. */
enum { PIECE = 1 << 23 };

/* What a rank has of its part. */
struct delivery {
    struct pw_transport *transport;
    unsigned char *bytes; /* NULL: not even its size is known */
    size_t size, received;
};

static void fail_hard(struct pw_transport *transport, const struct pw_error *err)
{
    fprintf(stderr, "peerwatt: rank %d: %s\n", transport->rank, err->text);
    pw_transport_abort(transport, err->code);
}

static void receive(void *context, int from, enum pw_tag tag, const unsigned char *bytes, size_t size)
{
    struct delivery *delivery = context;
    struct pw_error err;
    if (tag == PW_TAG_PART && delivery->bytes == NULL && size == sizeof delivery->size) {
        memcpy(&delivery->size, bytes, size);
        delivery->bytes = pw_alloc(delivery->size, 1);
        return;
    }
    if (tag != PW_TAG_PART || size > delivery->size - delivery->received) {
        pw_fail(&err, PW_INTERNAL,
                "a message with tag %d of %zu bytes from rank %d, a part of a market was expected", (int)tag,
                size, from);
        fail_hard(delivery->transport, &err);
    }
    memcpy(delivery->bytes + delivery->received, bytes, size);
    delivery->received += size;
}

static int is_here(const struct delivery *delivery)
{
    return delivery->bytes != NULL && delivery->received == delivery->size;
}

static int has_left(const struct delivery *delivery)
{
    return !pw_transport_sending(delivery->transport);
}

/* Waits, sleeping, until `is_done` says so; for `patience_s` at most until something comes. */
static void wait_for(struct delivery *delivery, int (*is_done)(const struct delivery *), double patience_s,
                     int rank)
{
    struct pw_transport *transport = delivery->transport;
    struct pw_idle idle = {.longest_ns = 1000000, .spins_first = transport->crowded ? 0 : 2000};
    int64_t since_ns = pw_clock_ns(), now_ns;
    struct pw_error err;
    while (!is_done(delivery)) {
        now_ns = pw_clock_ns();
        double waited_s = (double)(now_ns - since_ns) * 1e-9;
        if (waited_s > patience_s) {
            pw_fail(&err, PW_ENVIRONMENT, "has waited %.1f s for rank %d to %s a part of the market",
                    waited_s, rank, rank == 0 ? "hand out" : "take");
            fail_hard(transport, &err);
        }
        int has_come = pw_transport_poll(transport, receive, delivery) > 0;
        since_ns = has_come ? now_ns : since_ns;
        if (has_come || pw_transport_sending(transport))
            pw_idle_reset(&idle);
        pw_idle_turn(&idle, 0, INT64_MAX);
    }
}

static void send_part(const struct pw_market *market, struct pw_block block, int to, double stall_s,
                      struct pw_transport *transport)
{
    struct delivery delivery = {.transport = transport};
    struct pw_market *part = pw_market_part(market, block);
    size_t size = pw_market_pack_size(part);
    unsigned char *bytes = pw_alloc(size, 1);
    pw_market_pack(part, bytes);
    pw_market_destroy(part);
    pw_transport_send(transport, to, PW_TAG_PART, &size, sizeof size);
    for (size_t start = 0; start < size; start += PIECE) {
        pw_transport_send(transport, to, PW_TAG_PART, bytes + start,
                          size - start < PIECE ? size - start : PIECE);
        wait_for(&delivery, has_left, stall_s, to);
    }
    free(bytes);
}

struct pw_market *pw_parts_hand_out(const struct pw_market *market, struct pw_transport *transport,
                                    double stall_s)
{
    struct delivery delivery = {.transport = transport};
    if (transport->rank == 0) {
        struct pw_placement placement = {market->n_agents, transport->size, NULL};
        for (int r = 1; r < transport->size; r++)
            send_part(market, pw_placement_block(&placement, r), r, stall_s, transport);
        return NULL;
    }
    wait_for(&delivery, is_here, stall_s * (transport->rank + 1.0), 0);
    struct pw_market *part = pw_market_unpack(delivery.bytes);
    free(delivery.bytes);
    return part;
}
