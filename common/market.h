/* The market: who owns which assets, who may trade with whom. Plain arrays, read-only once built, the same on
 * every rank; only in bulk may ranks but 0 have no links other than those of the agents that live there
 * (market_part.h). Powers in the case's power unit (injection > 0), costs in money per hour, fees in money
 * per unit of energy. Every per-asset and per-link quantity has one entry per product, products innermost. */
#ifndef PW_MARKET_H
#define PW_MARKET_H

#include "common/error.h"

/* Texts that tell agents apart: where they are, whom they belong to, what they make of. */
enum pw_label { PW_LABEL_ZONE, PW_LABEL_COMMUNITY, PW_LABEL_CLASS, PW_N_LABELS };

struct pw_market {
    int n_agents;
    int n_products; /* >= 1; cases read from files have 1 */
    int n_assets;
    int n_links;

    /* Assets, sorted by agent: those of agent n are asset_first[n] .. asset_first[n+1]-1.
     * Cost a/2 p^2 + b p, a >= 0, p in [p_min, p_max]; [n_assets * n_products]. */
    int *asset_first; /* [n_agents + 1] */
    double *p_min, *p_max, *a, *b;
    char **asset_name; /* [n_assets] */

    /* Links; a trade t counts from agent link_a to agent link_b (t > 0: a sells). Bounds may be infinite;
     * [n_links * n_products]. */
    int *link_a, *link_b; /* [n_links] */
    double *t_min, *t_max;
    double *fee_a, *fee_b;

    /* Link ends by agent, made by pw_market_index(): the ends of agent n are the slots
     * end_first[n] .. end_first[n+1]-1, ordered by link. */
    int *end_first; /* [n_agents + 1] */
    int *end_link;  /* [2 * n_links] the link of this end */
    int *end_twin;  /* [2 * n_links] the position, in these arrays, of the other end of the link */

    char **agent_name; /* [n_agents] */
    int *called;       /* [n_agents] the number that people know an agent by; NULL: its own */
    int *known_as;     /* [n_agents] the agent that people know by a number; NULL: of that number */
    double *x, *y;     /* [n_agents] coordinates, NULL where the case has none */
    /* [n_agents], "" where an agent has none; NULL where the case has no such labels. Rank 0 only, as names
     * and coordinates are. */
    char **label[PW_N_LABELS];
};

/* A market with all arrays allocated and zeroed, t_min/t_max at -/+ infinity, names NULL. */
struct pw_market *pw_market_create(int n_agents, int n_products, int n_assets, int n_links);

/* Frees the market and all it owns; takes NULL. */
void pw_market_destroy(struct pw_market *market);

/* Gives the market room for `n_links` links (unbounded, no fee, ends -1) in place of those it has. */
void pw_market_set_link_count(struct pw_market *market, int n_links);

/* Adds agents without assets, labels and links after the last one; their names are taken over (from
 * pw_alloc()), their coordinates are 0. Links must be set anew, and indexed, afterwards. */
void pw_market_add_agents(struct pw_market *market, char *const *names, int count);

/* The label of agent n, "" where it has none. */
const char *pw_market_label(const struct pw_market *market, enum pw_label label, int n);

/* Fills end_first, end_link and end_twin from link_a and link_b. Call it once the links are complete. */
void pw_market_index(struct pw_market *market);

/* The agent that owns position `end` of the end arrays: link_a or link_b of its link. */
int pw_market_end_agent(const struct pw_market *market, int end);

/* Number of links of agent n. */
int pw_market_degree(const struct pw_market *market, int n);

/* What the assets of agent n give together for product q at a price; the most of it where a price leaves it
 * open. */
double pw_market_supply(const struct pw_market *market, int n, int q, double price);

/* Sum of p_min (p_max) over the assets of agent n for product q. */
double pw_market_agent_p_min(const struct pw_market *market, int n, int q);
double pw_market_agent_p_max(const struct pw_market *market, int n, int q);

/* The number that people know agent n by; and the agent that they know by a number. */
int pw_market_called(const struct pw_market *market, int n);
int pw_market_known_as(const struct pw_market *market, int number);

/* "12 (house-4)" or "12" where the agent has no name, into text. Returns text. */
const char *pw_market_agent_label(const struct pw_market *market, int n, char *text, int size);

#endif
