#include "coordinator/parcels.h"

#include <stdlib.h>

#include "common/memory.h"

struct parcel {
    unsigned char *bytes; /* header first */
    size_t used, room;
    uint32_t count;
};

struct pw_parcels {
    struct pw_transport *transport;
    int n_reals;
    struct parcel *to;       /* [ranks] */
    int *waiting, n_waiting; /* ranks with offers to send */
};

struct pw_parcels *pw_parcels_create(struct pw_transport *transport, int n_reals)
{
    struct pw_parcels *parcels = pw_alloc(1, sizeof *parcels);
    parcels->transport = transport;
    parcels->n_reals = n_reals;
    parcels->to = pw_alloc((size_t)transport->size, sizeof *parcels->to);
    parcels->waiting = pw_alloc((size_t)transport->size, sizeof *parcels->waiting);
    for (int r = 0; r < transport->size; r++) {
        struct parcel *parcel = &parcels->to[r];
        parcel->room = parcel->used = pw_packet_header_size();
        parcel->bytes = pw_alloc(parcel->room, 1);
    }
    return parcels;
}

void pw_parcels_destroy(struct pw_parcels *parcels)
{
    if (parcels == NULL)
        return;
    for (int r = 0; r < parcels->transport->size; r++)
        free(parcels->to[r].bytes);
    free(parcels->to);
    free(parcels->waiting);
    free(parcels);
}

void pw_parcels_add(struct pw_parcels *parcels, int to, const struct pw_offer *offer)
{
    struct parcel *parcel = &parcels->to[to];
    size_t size = pw_offer_size(parcels->n_reals);
    if (parcel->count == 0)
        parcels->waiting[parcels->n_waiting++] = to;
    if (parcel->used + size > parcel->room) {
        parcel->room = 2 * (parcel->used + size);
        parcel->bytes = pw_realloc(parcel->bytes, parcel->room, 1);
    }
    pw_encode_offer(parcel->bytes + parcel->used, offer, parcels->n_reals);
    parcel->used += size;
    parcel->count++;
}

static void send_parcel(struct pw_parcels *parcels, int to, uint64_t mark)
{
    struct parcel *parcel = &parcels->to[to];
    struct pw_packet_header header = {parcels->n_reals, parcel->count, mark};
    pw_encode_header(parcel->bytes, &header);
    pw_transport_send(parcels->transport, to, PW_TAG_OFFERS, parcel->bytes, parcel->used);
    parcel->count = 0;
    parcel->used = pw_packet_header_size();
}

int pw_parcels_flush(struct pw_parcels *parcels, uint64_t mark)
{
    int kept = 0, n_waiting = parcels->n_waiting;
    for (int i = 0; i < n_waiting; i++) {
        int to = parcels->waiting[i];
        if (pw_transport_busy(parcels->transport, to))
            parcels->waiting[kept++] = to;
        else
            send_parcel(parcels, to, mark);
    }
    parcels->n_waiting = kept;
    return n_waiting - kept;
}

int pw_parcels_waiting(const struct pw_parcels *parcels)
{
    return parcels->n_waiting > 0;
}

void pw_parcels_send_all(struct pw_parcels *parcels, const int *to, int count, uint64_t mark)
{
    for (int i = 0; i < count; i++)
        send_parcel(parcels, to[i], mark);
    parcels->n_waiting = 0;
}
