/* The passes over one group of rows: arithmetic only, vectorised by the compiler, the same results on every
 * machine (each agent is a lane of its own: no sum is split). */
#ifndef PW_ROWS_KERNEL_H
#define PW_ROWS_KERNEL_H

#include <stdint.h>

#include "agent/rows.h"

/* What a round does with what the penalties' balance needs. */
enum pw_row_kind {
    PW_ROW_PLAIN,   /* nothing */
    PW_ROW_KEEP,    /* agreed trades are kept, to tell the next move from */
    PW_ROW_COUNT,   /* gap and move count */
    PW_ROW_BALANCE, /* they count, and the penalty is balanced */
};

/* Where visitors keep their own pace: by place of a peer, 1 or 0, whether its offer is taken in by this
 * round, whether the last round made it one, whether the round counts for the balance of penalties, and
 * whether that is due; and the largest factor of it. */
struct pw_row_pace {
    double *heard, *answered, *counts, *due, *largest_factor;
};

/* A limit of all ends of a group: that of end k of the agent in a lane is of[k * step + lane]. */
struct pw_row_limit {
    const double *of;
    int step; /* PW_LANES where it is by end; 0: one number a lane */
};

/* Rows up to `end` in which all lanes have the same peer: that of the first in place `place`, that of each
 * next one in the place after; or, where it is -1, any peers. */
struct pw_row_run {
    int end;
    int32_t place;
};

/* A group of PW_LANES agents. Element k * PW_LANES + lane is end k of the agent in that lane; what is `by
 * end` lies likewise, or holds one number a lane. */
struct pw_row_group {
    int depth;          /* rows */
    double *s, *peer_s; /* edge variables of this end and of the other */
    double *slope;      /* 1 / penalty; 0: no such end */
    double *agreed;     /* trade agreed a round ago */
    float *gap_sum2, *move_sum2;
    float *ratio;                  /* slope over that of the start */
    const int32_t *peer;           /* place of the peer's price */
    const struct pw_row_run *runs; /* of all rows */
    const double *prices;          /* by place, of the round before */
    struct pw_row_limit limits[PW_ROWS_LIMITS];
    /* Where both bounds are read from one array: t_min is its number times t_min_sign, but at most
     * t_min_most, t_max its number, but at least t_max_least. Else 1 and infinite. */
    double t_min_sign, t_min_most, t_max_least;
    double *before; /* the trades of the round before, filled by the digest */

    const struct pw_row_pace *pace; /* NULL: all keep step, and there is nothing of the rest */
    double *sent;                   /* by end: the price at which the trade was offered last */
    double *target, *answers,
        *dead;    /* by end, filled by the digest: the trade is soft(target - answers m, dead) */
    double *free; /* by end, filled by the digest: 0 where the last offer waits, else 1 */
};

/* The assets of a group: asset i of the agent in a lane is element i * PW_LANES + lane; where it has none,
 * one that gives nothing. */
struct pw_row_assets {
    int count; /* of the agent with most */
    const double *p_min, *p_max, *a, *b;
    const double *answer; /* 1 / a, which counts between the limits */
};

/* What the agents of a group know of themselves, by lane, [PW_LANES] each. Power and cost are those of the
 * assets at the last price, supply is by how much power rises with it. */
struct pw_row_agents {
    struct pw_row_assets assets;
    const double *apart; /* 1: not to be solved here; 0 */
    double *power, *cost, *supply;
};

/* How a round's numbers come about. */
struct pw_row_rules {
    int by_end; /* limits are looked up at each end; else bounds are a lane's, and fees none */
    enum pw_row_kind kind;
    int closely;
    double relaxation;
    double largest_factor; /* of a balance */
    double stiffness;      /* kappa of a trade that waits, where visitors keep their own pace */
};

/* By lane: what has come in, and the trades at one price each. */
struct pw_row_digest {
    double gap2[PW_LANES];
    double sum[PW_LANES], slope[PW_LANES]; /* of trades with the new edge variables at the price before */
    /* Closely: the largest gap; by how much in price ends differ after it; and did, where they trade. */
    double gap_max[PW_LANES], apart_max[PW_LANES], mismatch_max[PW_LANES];
};
struct pw_row_answer {
    double fees[PW_LANES];                          /* by end: fees on the trades */
    double move2[PW_LANES];                         /* squares of what trades moved by */
    double price2[PW_LANES];                        /* closely: the same in price */
    double move_max[PW_LANES], price_max[PW_LANES]; /* closely: largest move in power and in price */
};

/* How the local problems of a group have been solved: passes over the rows, and bit j where the agent in lane
 * j is left to be solved by itself. */
struct pw_row_solution {
    int passes;
    unsigned left;
};

/* The passes, for one kind of processor. */
struct pw_row_kernel {
    /* Takes in the offers of the round before, which follow from `price` [PW_LANES], the agents' own of that
     * round, and their peers': new edge variables, balanced penalties. */
    void (*take_in)(const struct pw_row_group *group, const struct pw_row_rules *rules, const double *price,
                    struct pw_row_digest *digest);

    /* Solves the local problems from the prices of the round before, with what taking in offers has found
     * there (NULL: there were none), by Newton's method in all lanes at once: prices, powers, costs, and how
     * the trades differ from those before. */
    struct pw_row_solution (*solve)(const struct pw_row_group *group, const struct pw_row_rules *rules,
                                    const struct pw_row_digest *digest, const struct pw_row_agents *agents,
                                    const double *before, double *price, struct pw_row_answer *answer);

    /* The trades at `price` [PW_LANES] and how they differ from those before. */
    void (*answer)(const struct pw_row_group *group, const struct pw_row_rules *rules, const double *price,
                   struct pw_row_answer *answer);
};

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define PW_HAS_VECTOR_KERNELS
extern const struct pw_row_kernel pw_row_kernel_avx2, pw_row_kernel_avx512;
#endif
extern const struct pw_row_kernel pw_row_kernel_plain;

#endif
