/* The state of all agents at one consistent cut of the run, gathered on rank 0. A link's two ends may stand
 * one round apart in it; both are there, with the trades of their last two offers, so that the same round can
 * be compared. */
#ifndef PW_SNAPSHOT_H
#define PW_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/market.h"
#include "coordinator/host.h"

/* One product of a link end: its trades of the last two offers, and the price of the trade at the last one.
 */
struct pw_snapshot_trade {
    double mine, before, price;
};

/* A link end but for its trades. */
struct pw_snapshot_end {
    double round; /* of its last offer */
    double penalty;
    double settled_s; /* since when its trade is settled, on the run's clock; NaN: it is not */
};

/* Arrays over agents [n_agents (* n_products)], products innermost. */
struct pw_snapshot {
    const struct pw_market *market;
    int is_paired;         /* both ends of a link count rounds together */
    double *power, *price; /* of the agents' last solves */
    double *wait_s, *compute_s;
    int64_t *iterations, *sent;
    int64_t *lost, *duplicates; /* of the offers to each agent */
    double *ends; /* of each link end, in the order of the market's end arrays, its pw_snapshot_end and its
                     trades */
};

/* Doubles of a link end. */
static inline size_t pw_snapshot_end_size(int n_products)
{
    return (sizeof(struct pw_snapshot_end) + (size_t)n_products * sizeof(struct pw_snapshot_trade)) /
           sizeof(double);
}

/* Link end `end`, and product q of its trades. */
static inline const struct pw_snapshot_end *pw_snapshot_end(const struct pw_snapshot *snapshot, int end)
{
    const double *at = snapshot->ends + (size_t)end * pw_snapshot_end_size(snapshot->market->n_products);
    return (const struct pw_snapshot_end *)(const void *)at;
}

static inline const struct pw_snapshot_trade *pw_snapshot_trade(const struct pw_snapshot *snapshot, int end,
                                                                int q)
{
    return (const struct pw_snapshot_trade *)(const void *)(pw_snapshot_end(snapshot, end) + 1) + q;
}

struct pw_snapshot *pw_snapshot_create(const struct pw_market *market, int is_paired);
void pw_snapshot_destroy(struct pw_snapshot *snapshot);

/* A host's part as bytes for pw_snapshot_take_in(), in the same machine's format: doubles, agent by agent:
 * local solves, offers sent, transmissions to it lost, duplicates, seconds waited and computed, by product
 * power and price; then by slot its round, penalty, settled_s, and by product mine, before and trade price.
 */
size_t pw_snapshot_size(const struct pw_host *host);
void pw_snapshot_write(const struct pw_host *host, unsigned char *out);

/* Takes in the part of the agents first .. end - 1. PW_INTERNAL if the size does not fit. */
enum pw_code pw_snapshot_take_in(struct pw_snapshot *snapshot, int first, int end, const unsigned char *bytes,
                                 size_t size, struct pw_error *err);

#endif
