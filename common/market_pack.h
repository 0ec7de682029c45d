/* A market as bytes, to hand it from rank 0 to the others. Names and coordinates do not travel. */
#ifndef PW_MARKET_PACK_H
#define PW_MARKET_PACK_H

#include <stddef.h>

#include "common/market.h"

size_t pw_market_pack_size(const struct pw_market *market);

/* Writes pw_market_pack_size() bytes. They mean the same only on machines of one kind. */
void pw_market_pack(const struct pw_market *market, unsigned char *bytes);

/* The market of such bytes, indexed, for pw_market_destroy(). The bytes must come from pw_market_pack(). */
struct pw_market *pw_market_unpack(const unsigned char *bytes);

#endif
