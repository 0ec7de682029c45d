#include "common/codec.h"

#include <math.h>
#include <string.h>

/* Header: magic, version, n_reals, count, 4 bytes each, mark, 8 bytes. Offer: agent, slot, round, r. */
enum { HEADER_SIZE = 24, OFFER_FIXED_SIZE = 12, VERSION = 2 };
static const uint32_t MAGIC = 0x54415750; /* "PWAT" */

static void put32(unsigned char *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(value >> 8 * i);
}

static uint32_t get32(const unsigned char *from)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value |= (uint32_t)from[i] << 8 * i;
    return value;
}

static void put64(unsigned char *to, uint64_t value)
{
    put32(to, (uint32_t)value);
    put32(to + 4, (uint32_t)(value >> 32));
}

static uint64_t get64(const unsigned char *from)
{
    return get32(from) | (uint64_t)get32(from + 4) << 32;
}

static void put_real(unsigned char *to, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put64(to, bits);
}

static double get_real(const unsigned char *from)
{
    uint64_t bits = get64(from);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

size_t pw_packet_header_size(void)
{
    return HEADER_SIZE;
}

size_t pw_offer_size(int n_reals)
{
    return OFFER_FIXED_SIZE + 8 * (size_t)n_reals;
}

void pw_encode_header(unsigned char *to, const struct pw_packet_header *header)
{
    put32(to, MAGIC);
    put32(to + 4, VERSION);
    put32(to + 8, (uint32_t)header->n_reals);
    put32(to + 12, header->count);
    put64(to + 16, header->mark);
}

void pw_encode_offer(unsigned char *to, const struct pw_offer *offer, int n_reals)
{
    put32(to, (uint32_t)offer->agent);
    put32(to + 4, (uint32_t)offer->slot);
    put32(to + 8, (uint32_t)offer->round);
    for (int q = 0; q < n_reals; q++)
        put_real(to + OFFER_FIXED_SIZE + 8 * q, offer->r[q]);
}

enum pw_code pw_decode_header(const unsigned char *bytes, size_t size, int n_reals,
                              struct pw_packet_header *out, struct pw_error *err)
{
    if (size < HEADER_SIZE || get32(bytes) != MAGIC)
        return pw_fail(err, PW_INTERNAL, "a packet of %zu bytes is not one of peerwatt's", size);
    if (get32(bytes + 4) != VERSION)
        return pw_fail(err, PW_INTERNAL, "a packet of version %u: all ranks must run the same program",
                       (unsigned)get32(bytes + 4));
    *out = (struct pw_packet_header){(int)get32(bytes + 8), get32(bytes + 12), get64(bytes + 16)};
    if (out->n_reals != n_reals)
        return pw_fail(err, PW_INTERNAL, "a packet of %d numbers an offer where %d are wanted", out->n_reals,
                       n_reals);
    if ((size - HEADER_SIZE) / pw_offer_size(n_reals) != out->count ||
        (size - HEADER_SIZE) % pw_offer_size(n_reals) != 0)
        return pw_fail(err, PW_INTERNAL, "a packet of %zu bytes cannot hold its %u offers", size,
                       (unsigned)out->count);
    return PW_OK;
}

enum pw_code pw_decode_offer(const unsigned char *bytes, uint32_t index, int n_reals, struct pw_offer *out,
                             struct pw_error *err)
{
    const unsigned char *from = bytes + HEADER_SIZE + index * pw_offer_size(n_reals);
    out->agent = (int32_t)get32(from);
    out->slot = (int32_t)get32(from + 4);
    out->round = (int32_t)get32(from + 8);
    if (out->agent < 0 || out->slot < 0 || out->round < 0)
        return pw_fail(err, PW_INTERNAL, "an offer to agent %d, slot %d, round %d", out->agent, out->slot,
                       out->round);
    for (int q = 0; q < n_reals; q++) {
        out->r[q] = get_real(from + OFFER_FIXED_SIZE + 8 * q);
        if (!isfinite(out->r[q]))
            return pw_fail(err, PW_INTERNAL, "an offer to agent %d that is not a number", out->agent);
    }
    return PW_OK;
}
