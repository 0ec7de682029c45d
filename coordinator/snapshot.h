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

/* A link but for its trades; of its ends that of agent_a (0) and of agent_b (1). */
struct pw_snapshot_link {
    int32_t round[2]; /* of the last offer */
    double penalty[2];
    double settled_s[2]; /* since when the trade is settled, on the run's clock; NaN: it is not */
};

/* One product of a link, by end: the trades of the last two offers, and the price of the last one. */
struct pw_snapshot_trade {
    double mine[2], before[2], price[2];
};

/* Arrays over agents [n_agents (* n_products)], products innermost. */
struct pw_snapshot {
    const struct pw_market *market;
    int is_paired;         /* both ends of a link count rounds together */
    double *power, *price; /* of the agents' last solves */
    double *wait_s, *compute_s;
    int64_t *iterations, *sent;
    int64_t *lost, *duplicates; /* of the offers to each agent */
    double *links;              /* of each link, its pw_snapshot_link and its trades */
};

/* Doubles of a link. */
static inline size_t pw_snapshot_link_size(int n_products)
{
    return (sizeof(struct pw_snapshot_link) + (size_t)n_products * sizeof(struct pw_snapshot_trade)) /
           sizeof(double);
}

/* Link l, and product q of its trades. */
static inline struct pw_snapshot_link *pw_snapshot_link(const struct pw_snapshot *snapshot, int l)
{
    double *at = snapshot->links + (size_t)l * pw_snapshot_link_size(snapshot->market->n_products);
    return (struct pw_snapshot_link *)(void *)at;
}

static inline struct pw_snapshot_trade *pw_snapshot_trade(const struct pw_snapshot *snapshot, int l, int q)
{
    return (struct pw_snapshot_trade *)(void *)(pw_snapshot_link(snapshot, l) + 1) + q;
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
