/* The inside of rows: rows.c lays it out, rows_step.c makes the rounds. */
#ifndef PW_ROWS_INTERNAL_H
#define PW_ROWS_INTERNAL_H

#include <stddef.h>

#include "agent/rows.h"
#include "agent/rows_kernel.h"

enum { LANES = PW_LANES };

/* Where one agent's local problem is laid out that the lanes do not solve. */
struct pw_rows_bench {
    double *target, *slope, *dead, *t_min, *t_max, *t; /* [depth of the deepest group] */
    double *p;                                         /* [assets of the agent with most] */
};

struct pw_rows {
    struct pw_rows_spec spec;
    const struct pw_row_kernel *kernel;
    int n_groups, depth_max, rounds;
    int watched[2];               /* groups looked at closely in all rounds, or -1 */
    long *group_first;            /* [n_groups + 1] in rows of LANES ends */
    int *agent;                   /* [n_groups * LANES] by seat; -1: nobody */
    int *seat;                    /* [n_agents] */
    int *degree;                  /* [n_agents] */
    long n_links;                 /* of all agents here, those between two of them twice */
    double *prices, *next_prices; /* [places: seats, then visitors] of the round before; of this one */
    double *power, *cost, *supply, *rest_power; /* [seats] */
    double *apart; /* [seats] 1: has an asset that jumps at a price, and is solved by itself */

    double *s, *peer_s, *slope, *agreed; /* [ends], as pw_row_group has them */
    float *gap_sum2, *move_sum2, *ratio;
    int32_t *peer;
    struct pw_row_run *runs; /* of all groups, which share a peer in rows; found by the first round */
    long *run_first;         /* [n_groups + 1] */
    int *assets_first;       /* [n_groups + 1] in rows of LANES assets */
    double *p_min, *p_max, *a, *b, *asset_answer; /* [assets] as pw_row_assets has them */
    double *limits[PW_ROWS_LIMITS];               /* [ends], or [seats] where not by end */
    double *before;           /* [ends of the deepest group], or [ends] where visitors keep their own pace */
    double *moved2, *priced2; /* [seats] as pw_rows_moved() has them */
    struct pw_rows_bench bench;

    struct pw_row_pace pace;                /* [places]; where visitors keep their own pace, else NULL */
    int *visitor_round, *visitor_ends;      /* [n_visitors] the round of the links with each; how many */
    double *sent;                           /* [ends] */
    double *target, *answers, *dead, *free; /* [ends of the deepest group] */
};

/* Elements of all groups together. */
size_t pw_rows_n_ends(const struct pw_rows *rows);

/* What the trade of an end is limited by, and its fee. */
struct pw_rows_limits {
    double t_min, t_max, fee;
};
struct pw_rows_limits pw_rows_limits_at(const struct pw_rows *rows, int seat, size_t e);

/* Finds the runs of rows that share a peer, whose price is then read once for all. */
void pw_rows_find_runs(struct pw_rows *rows);

/* Which round of the penalties' balance comes in, of links whose offers of `round` do. */
enum pw_row_kind pw_rows_kind(const struct pw_rows *rows, int round);

/* Where visitors keep their own pace (rows_pace.c): before a round, how its links are balanced, and the most
 * that comes in for any of them; after it, who has been answered. */
enum pw_row_kind pw_rows_pace_open(struct pw_rows *rows);
void pw_rows_pace_close(struct pw_rows *rows);
void pw_rows_pace_create(struct pw_rows *rows);
void pw_rows_pace_destroy(struct pw_rows *rows);

/* The stiffness of trades that wait, given how many ends do. */
double pw_rows_stiffness(const struct pw_rows *rows);

/* Zeroed, and on a line of the cache. */
double *pw_rows_reals(size_t count);

#endif
