#include "coordinator/flights.h"

#include <string.h>

void pw_flight_encode(const struct pw_flight *flight, int n_products, struct pw_offer *offer)
{
    offer->agent = flight->offer.agent;
    offer->slot = flight->offer.slot;
    offer->round = flight->offer.round;
    for (int q = 0; q < n_products; q++) {
        offer->r[q] = flight->offer.r[q];
        offer->r[n_products + q] = flight->trade[q];
    }
    memcpy(&offer->r[2 * n_products], &flight->sent_ns, sizeof flight->sent_ns);
    memcpy(&offer->r[2 * n_products + 1], &flight->due_ns, sizeof flight->due_ns);
}

enum pw_code pw_flight_decode(const unsigned char *packet, uint32_t index, int n_products,
                              struct pw_flight *flight, struct pw_error *err)
{
    struct pw_offer *offer = &flight->offer;
    if (pw_decode_offer(packet, index, pw_flight_reals(n_products), offer, err) != PW_OK)
        return err->code;
    for (int q = 0; q < n_products; q++)
        flight->trade[q] = offer->r[n_products + q];
    memcpy(&flight->sent_ns, &offer->r[2 * n_products], sizeof flight->sent_ns);
    memcpy(&flight->due_ns, &offer->r[2 * n_products + 1], sizeof flight->due_ns);
    if (flight->sent_ns < 0 || (flight->due_ns <= flight->sent_ns && flight->due_ns != PW_FLIGHT_NEVER))
        return pw_fail(err, PW_INTERNAL, "an offer to agent %d at no possible time", offer->agent);
    return PW_OK;
}
