/* The agents of a rank as rows (agent/rows.h), and which prices it gives to and takes from other ranks. */
#ifndef PW_BULK_ROWS_H
#define PW_BULK_ROWS_H

#include "agent/rows.h"
#include "coordinator/bulk_terms.h"
#include "coordinator/negotiate.h"
#include "coordinator/placement.h"

/* A rank that agents here have peers on. */
struct pw_bulk_neighbour {
    int rank;
    int first_visitor, n_in; /* its agents are the visitors first_visitor .. + n_in - 1, in their own order */
    int n_out, *out;         /* [n_out] agents here that have a peer there, from 0 */
    long n_ends;             /* links with agents there */
};

struct pw_bulk_rows {
    struct pw_rows *rows;
    int is_paced;   /* ranks do not wait for each other in every round */
    int first, end; /* the agents first .. end - 1 live here */
    long n_ends;
    int n_neighbours;
    struct pw_bulk_neighbour *neighbours;
};

/* Makes the rows of `rank`. Of the market's links those of its own agents are enough. */
void pw_bulk_rows_create(const struct pw_negotiation *negotiation, const struct pw_bulk_terms *terms,
                         const struct pw_placement *placement, int rank, struct pw_bulk_rows *out);
void pw_bulk_rows_release(struct pw_bulk_rows *bulk);

/* How long this rank has computed and waited so far, and since when all trades are settled (NaN: they are
 * not), in seconds of the run's clock. */
struct pw_bulk_times {
    double compute_s, wait_s, settled_s;
};

/* Number of doubles of agent n's part of a snapshot (snapshot.h), in step unless paced; and that part, after
 * a round that was looked at closely. Agents share their rank's computing time by their number of links. */
size_t pw_bulk_rows_part_size(const struct pw_bulk_rows *bulk, const struct pw_market *market, int n);
void pw_bulk_rows_part(const struct pw_bulk_rows *bulk, const struct pw_market *market, int n,
                       const struct pw_bulk_times *times, double *out);

#endif
