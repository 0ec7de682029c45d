/* Many agents that negotiate in step, in rows: the exchange `paired` between agents that all answer all in
 * every round. Both ends of a link hold both edge variables and the penalty; what an end offers follows from
 * them and from its agent's price. So agents tell each other their prices, and each end works out what the
 * other offers: the numbers are those of the offers, and memory is read in order. Agents lie in groups of
 * PW_LANES, end k of all agents of a group side by side. Pure: knows neither ranks nor clocks. */
#ifndef PW_ROWS_H
#define PW_ROWS_H

#include <stdint.h>

enum { PW_LANES = 8 };

/* What the trade of an end is limited by: its bounds, its fee and that at the other end. */
enum pw_rows_limit { PW_ROWS_T_MIN, PW_ROWS_T_MAX, PW_ROWS_FEE, PW_ROWS_PEER_FEE, PW_ROWS_LIMITS };

/* How the bounds of a trade lie to each other, of all ends here: anyhow; one of them is 0; one is minus the
 * other. */
enum pw_rows_bounds { PW_ROWS_ANY_BOUNDS, PW_ROWS_ONE_WAY, PW_ROWS_MIRRORED };

/* What rows are made of; the assets are not owned and stay where they are. */
struct pw_rows_spec {
    int n_agents;
    const int *end_first; /* [n_agents + 1] agent i has end_first[i+1] - end_first[i] links */
    int n_visitors;       /* agents elsewhere that agents here are linked with */

    const int *asset_first;              /* [n_agents + 1] the assets of agent i */
    const double *p_min, *p_max, *a, *b; /* by asset */

    int has_fees;
    int by_end[PW_ROWS_LIMITS]; /* true: differs between the ends of an agent, or forces a trade */
    int fees_are_alike;         /* both ends of every link have the same fee: it is kept once */
    enum pw_rows_bounds bounds; /* not any: both are by end, and of each end one number is kept */
    double relaxation;          /* alpha in (0, 1) */
    int adapts_penalty;         /* true: penalties are balanced (agent/balance.h) */
    double rest_price;          /* a trade is at rest if it moves by no more than this in price */
    int paced;                  /* true: visitors keep their own pace; see pw_rows_hear() */
    double stiffness; /* then: kappa of a trade that waits for its answer (agent/rules.h); 0: auto */
};

/* One end of a link. The peer is an agent here (0 .. n_agents - 1) or a visitor (n_agents + its number). */
struct pw_rows_end {
    int peer;
    double penalty, penalty_start; /* rho now, and where its balance may not lead too far from */
    double s, peer_s;              /* edge variables of this end and of the other; 0: from nothing */
    double limits[PW_ROWS_LIMITS]; /* as seen from this end */
};

/* What a round has come to, over the agents here. The sums over ends count each link twice. */
struct pw_rows_sums {
    double gap2, dual2; /* squares of gaps of the round before, and of this round's moves */
    double welfare;     /* minus cost and fees of the last solves */
    double price2;      /* squares of moves times penalty; only of a round looked at closely */
    /* Of a round looked at closely; else where such a round found the worst, which all exceed or match. */
    double mismatch; /* the most that both ends of a link that trades differed in price */
    double excess;   /* the worst trade over what a trade at rest may move by */
    long passes;     /* of the local solves, in groups */
};

struct pw_rows;

struct pw_rows *pw_rows_create(const struct pw_rows_spec *spec);
void pw_rows_destroy(struct pw_rows *rows);

/* Sets end k of agent i, once, before the first round. A limit that is not by end is that of end 0 for all
 * ends of the agent. */
void pw_rows_set_end(struct pw_rows *rows, int i, int k, const struct pw_rows_end *end);

/* The price that agent i starts from, and what a trade of it at rest may move by, in power. */
void pw_rows_set_agent(struct pw_rows *rows, int i, double price, double rest_power);

/* One round of all agents here, with their peers' prices of the round before. `closely`: also price2,
 * mismatch and excess of all; where visitors keep their own pace it always is. O(ends). */
struct pw_rows_sums pw_rows_step(struct pw_rows *rows, int closely);

/* Rounds so far, which are local solves of each agent. */
int pw_rows_rounds(const struct pw_rows *rows);

/* The price of agent i after the last round; and where a visitor's price goes before the next one. */
double pw_rows_price(const struct pw_rows *rows, int i);
void pw_rows_visit(struct pw_rows *rows, int visitor, double price);

/* Where visitors keep their own pace: the prices of the visitors first .. first + count - 1 are those of
 * `round` of the links with them, which the next round takes in. The trades with visitors of whom this is not
 * said wait: they stay as offered, and their part in the next local problems is stiff, as in agent.c. In the
 * first round nobody waits. What agents here are to tell a visitor is their price after a round that has
 * heard it, or the first. */
void pw_rows_hear(struct pw_rows *rows, int first, int count, int round);

/* Net power of agent i's assets, at its last solve. */
double pw_rows_power(const struct pw_rows *rows, int i);

/* By how much the trades of agent i have moved in the last round: sums of squares over its ends, in power,
 * and of the move times the penalty (if the round was looked at closely). */
struct pw_rows_moved {
    double power2, price2;
};
struct pw_rows_moved pw_rows_moved(const struct pw_rows *rows, int i);

/* End k of agent i after the last round: the round of its last offer, the trade of it, the one before (where
 * visitors keep their own pace; else NaN), its price at this end, and the penalty. */
struct pw_rows_trade {
    int round;
    double mine, before, price, penalty;
};
struct pw_rows_trade pw_rows_trade(const struct pw_rows *rows, int i, int k);

/* Bytes of the state of all ends here, padding included. */
double pw_rows_bytes(const struct pw_rows *rows);

#endif
