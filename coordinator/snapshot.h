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

/* One product of a link, by end, that of agent_a (0) and that of agent_b (1): the trade of the last offer,
 * and its price. */
struct pw_snapshot_trade {
    double mine[2], price[2];
};

/* Where a link's ends stand, each by itself. */
struct pw_snapshot_ends {
    int32_t round[2];    /* of the last offer */
    double settled_s[2]; /* since when the trade is settled, on the run's clock; NaN: it is not */
};

/* Arrays over agents and links (* n_products), products innermost. */
struct pw_snapshot {
    const struct pw_market *market;
    int is_paired;         /* both ends of a link count rounds together */
    double *power, *price; /* of the agents' last solves */
    double *wait_s, *compute_s;
    int64_t *iterations, *sent;
    int64_t *lost, *duplicates; /* of the offers to each agent */
    double *moved2;             /* over the ends of an agent: squares of the last move, */
    double *moved_priced2;      /* and of the move times the penalty */
    double *penalty;            /* of links, as agent_a has it */
    struct pw_snapshot_trade *trades;

    /* NULL in step, where all ends stand at `round` and are settled since `settled_s`. */
    struct pw_snapshot_ends *ends; /* of links */
    double (*before)[2]; /* of links (* n_products), by end: the trade of the offer before the last */
    int round;
    double settled_s;
};

/* Room for the state of a market. */
struct pw_snapshot *pw_snapshot_create(const struct pw_market *market, int is_paired);

/* For ends in step: all have made their last offer in `round`, and their trades are settled since `settled_s`
 * (NaN: they are not). A link takes half of the memory. */
struct pw_snapshot *pw_snapshot_create_in_step(const struct pw_market *market, int round, double settled_s);
void pw_snapshot_destroy(struct pw_snapshot *snapshot);

/* The round of the last offer of an end of link l; and since when it is settled. */
static inline int pw_snapshot_round(const struct pw_snapshot *snapshot, int l, int side)
{
    return snapshot->ends != NULL ? snapshot->ends[l].round[side] : snapshot->round;
}

static inline double pw_snapshot_settled_s(const struct pw_snapshot *snapshot, int l, int side)
{
    return snapshot->ends != NULL ? snapshot->ends[l].settled_s[side] : snapshot->settled_s;
}

/* A part of a snapshot, on the way: all doubles, agent by agent (whole numbers stay exact below 2^53). First
 * of the agent: local solves, offers sent, transmissions to it lost, duplicates, seconds waited and computed,
 * by product power and price, and in step moved2 and moved_priced2. Then by slot: its penalty, by product
 * mine and trade price; and unless in step its round and settled_s, by product before. */
size_t pw_snapshot_agent_size(int n_links, int n_products, int in_step); /* doubles */

/* A host's agents first .. end - 1 as bytes for pw_snapshot_take_in(), in the same machine's format, not in
 * step. */
size_t pw_snapshot_size(const struct pw_host *host, int first, int end);
void pw_snapshot_write(const struct pw_host *host, int first, int end, unsigned char *out);

/* Takes in the part of the agents first .. end - 1. PW_INTERNAL if the size does not fit. */
enum pw_code pw_snapshot_take_in(struct pw_snapshot *snapshot, int first, int end, const unsigned char *bytes,
                                 size_t size, struct pw_error *err);

#endif
