/* Offers as bytes: what travels between ranks. A packet is a header and any number of offers, little-endian
 * whatever the machine. No I/O here: bytes in, offers out, nothing trusted. */
#ifndef PW_CODEC_H
#define PW_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum { PW_MOST_PRODUCTS = 16, PW_MOST_REALS = 2 * PW_MOST_PRODUCTS + 2 };

/* One offer: round `round` for a slot of agent `agent`, r [n_products]; on the virtual clock more numbers may
 * follow. */
struct pw_offer {
    int32_t agent, slot, round;
    double r[PW_MOST_REALS];
};

struct pw_packet_header {
    int n_reals;    /* of each offer */
    uint32_t count; /* offers in the packet */
    uint64_t mark;  /* how far its sender had come: snapshots taken; on the virtual clock a time */
};

size_t pw_packet_header_size(void);
size_t pw_offer_size(int n_reals);

/* Writes a header, or one offer, at `to`, which has room for it. */
void pw_encode_header(unsigned char *to, const struct pw_packet_header *header);
void pw_encode_offer(unsigned char *to, const struct pw_offer *offer, int n_reals);

/* Reads and checks the header of a packet of `size` bytes. PW_INTERNAL if it is not a packet of ours, of this
 * version, of `n_reals`, or if its length does not fit its count. */
enum pw_code pw_decode_header(const unsigned char *bytes, size_t size, int n_reals,
                              struct pw_packet_header *out, struct pw_error *err);

/* Reads offer `index` of a checked packet. PW_INTERNAL if an id or round is negative or r is not finite. */
enum pw_code pw_decode_offer(const unsigned char *bytes, uint32_t index, int n_reals, struct pw_offer *out,
                             struct pw_error *err);

#endif
