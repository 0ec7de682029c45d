/* Any bytes as a packet: refused, or offers that make sense and are written again as the same bytes. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check_offer(const uint8_t *data, uint32_t index, int n_products)
{
    struct pw_offer offer;
    struct pw_error err = {0};
    unsigned char bytes[1024];
    size_t size = pw_offer_size(n_products);
    if (pw_decode_offer(data, index, n_products, &offer, &err) != PW_OK) {
        require(err.code == PW_INTERNAL && err.text[0] != '\0');
        return;
    }
    require(offer.agent >= 0 && offer.slot >= 0 && offer.round >= 0);
    for (int q = 0; q < n_products; q++)
        require(isfinite(offer.r[q]));
    pw_encode_offer(bytes, &offer, n_products);
    require(memcmp(bytes, data + pw_packet_header_size() + index * size, size) == 0);
}

static void try_packet(const uint8_t *data, size_t size, int n_products)
{
    struct pw_packet_header header;
    struct pw_error err = {0};
    unsigned char bytes[64];
    if (pw_decode_header(data, size, n_products, &header, &err) != PW_OK) {
        require(err.code == PW_INTERNAL && err.text[0] != '\0');
        return;
    }
    require(size == pw_packet_header_size() + header.count * pw_offer_size(n_products));
    pw_encode_header(bytes, &header);
    require(memcmp(bytes, data, pw_packet_header_size()) == 0);
    for (uint32_t i = 0; i < header.count; i++)
        check_offer(data, i, n_products);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int n_products = 1; n_products <= PW_MOST_PRODUCTS; n_products++)
        try_packet(data, size, n_products);
    return 0;
}
