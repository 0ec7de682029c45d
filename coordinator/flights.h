/* Offers that leave for another rank on the virtual clock, as the packets of common/codec.h carry them: with
 * what their network is to make of them, in numbers after r. */
#ifndef PW_FLIGHTS_H
#define PW_FLIGHTS_H

#include "coordinator/mailboxes.h"

/* The numbers of one: r, the trades in it, when it was sent, when it is due. */
static inline int pw_flight_reals(int n_products)
{
    return 2 * n_products + 2;
}

void pw_flight_encode(const struct pw_flight *flight, int n_products, struct pw_offer *offer);

/* The one at `index` of a packet. PW_INTERNAL for one at no possible time, or that is no offer. */
enum pw_code pw_flight_decode(const unsigned char *packet, uint32_t index, int n_products,
                              struct pw_flight *flight, struct pw_error *err);

#endif
