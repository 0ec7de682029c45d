/* Offers to other ranks, packed: what goes to one rank travels together, and gathers while an earlier packet
 * to it is still under way. Memory is bounded by the links between ranks, since a slot has at most two offers
 * under way. */
#ifndef PW_PARCELS_H
#define PW_PARCELS_H

#include "common/codec.h"
#include "coordinator/transport.h"

struct pw_parcels;

/* For offers of `n_reals` numbers each. */
struct pw_parcels *pw_parcels_create(struct pw_transport *transport, int n_reals);
void pw_parcels_destroy(struct pw_parcels *parcels);

/* Adds an offer for an agent on rank `to`. */
void pw_parcels_add(struct pw_parcels *parcels, int to, const struct pw_offer *offer);

/* Sends every packet whose rank is not busy, marked with `mark`; returns how many it sent. */
int pw_parcels_flush(struct pw_parcels *parcels, uint64_t mark);

/* True if offers wait for a busy rank. */
int pw_parcels_waiting(const struct pw_parcels *parcels);

/* Sends every rank in `to` [count] one packet, empty or not, at once. */
void pw_parcels_send_all(struct pw_parcels *parcels, const int *to, int count, uint64_t mark);

#endif
