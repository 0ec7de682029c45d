#include "coordinator/partition.h"

#include <metis.h>
#include <stdlib.h>

#include "common/memory.h"
#include "coordinator/placement.h"

/* Beyond these looking for an order takes seconds; below this blocks are good enough; and an order must cut
 * so much less than blocks to be taken. */
static const double MOST_LINKS = 5e6, MOST_PEERS = 64.0, LITTLE_CUT = 0.02, WORTH = 0.8;

static double cut_of(const struct pw_market *market, const struct pw_placement *placement, const int *place)
{
    double cut = 0.0;
    for (int l = 0; l < market->n_links; l++) {
        int a = market->link_a[l], b = market->link_b[l];
        cut += pw_placement_rank(placement, place != NULL ? place[a] : a) !=
               pw_placement_rank(placement, place != NULL ? place[b] : b);
    }
    return market->n_links > 0 ? cut / market->n_links : 0.0;
}

/* The market's graph as METIS wants it: each agent's peers, one after the other. */
static idx_t *list_peers(const struct pw_market *market, idx_t *first)
{
    idx_t *peers = pw_alloc((size_t)market->n_links + 1, 2 * sizeof *peers);
    for (int n = 0; n < market->n_agents; n++) {
        first[n + 1] = market->end_first[n + 1];
        for (int e = market->end_first[n]; e < market->end_first[n + 1]; e++) {
            int l = market->end_link[e];
            peers[e] = market->link_a[l] == n ? market->link_b[l] : market->link_a[l];
        }
    }
    return peers;
}

/* The share of the agents that each rank is to host, for free(); NULL: all alike. */
static real_t *list_shares(const struct pw_placement *placement)
{
    if (placement->first == NULL)
        return NULL;
    real_t *shares = pw_alloc((size_t)placement->n_ranks, sizeof *shares);
    for (int r = 0; r < placement->n_ranks; r++)
        shares[r] = (real_t)(placement->first[r + 1] - placement->first[r]) / (real_t)placement->n_agents;
    return shares;
}

/* The part of each agent; 0 where METIS gives up. */
static int find_parts(const struct pw_market *market, const struct pw_placement *placement, idx_t *part)
{
    idx_t n_agents = market->n_agents, n_weights = 1, n_parts = placement->n_ranks, n_cut;
    idx_t options[METIS_NOPTIONS];
    idx_t *first = pw_alloc((size_t)market->n_agents + 1, sizeof *first), *peers = list_peers(market, first);
    real_t *shares = list_shares(placement);
    METIS_SetDefaultOptions(options);
    options[METIS_OPTION_SEED] = 1;
    options[METIS_OPTION_UFACTOR] = 1; /* parts differ by a thousandth: blocks do not differ at all */
    int code = METIS_PartGraphKway(&n_agents, &n_weights, first, peers, NULL, NULL, NULL, &n_parts, shares,
                                   NULL, options, &n_cut, part);
    free(first);
    free(peers);
    free(shares);
    return code == METIS_OK;
}

/* Agents by their part, within it by their number. */
static int *order_by_part(const idx_t *part, int n_agents, int n_parts)
{
    int *order = pw_alloc((size_t)n_agents, sizeof *order);
    int *next = pw_alloc((size_t)n_parts + 1, sizeof *next);
    for (int n = 0; n < n_agents; n++)
        next[part[n] + 1]++;
    for (int p = 0; p < n_parts; p++)
        next[p + 1] += next[p];
    for (int n = 0; n < n_agents; n++)
        order[next[part[n]]++] = n;
    free(next);
    return order;
}

int *pw_partition_order(const struct pw_market *market, const struct pw_placement *placement, double *cut)
{
    idx_t *part = pw_alloc((size_t)market->n_agents, sizeof *part);
    int *order = NULL;
    if (find_parts(market, placement, part)) {
        int *place = pw_alloc((size_t)market->n_agents, sizeof *place);
        order = order_by_part(part, market->n_agents, placement->n_ranks);
        for (int k = 0; k < market->n_agents; k++)
            place[order[k]] = k;
        *cut = cut_of(market, placement, place);
        free(place);
    }
    free(part);
    return order;
}

static int may_pay(const struct pw_market *market, double cut_of_blocks)
{
    return market->n_links <= MOST_LINKS && 2.0 * market->n_links <= MOST_PEERS * market->n_agents &&
           cut_of_blocks > LITTLE_CUT;
}

int *pw_partition_choose(const struct pw_market *market, const struct pw_settings *settings, int in_bulk,
                         const struct pw_placement *placement, double *cut)
{
    double better = 0.0;
    *cut = cut_of(market, placement, NULL);
    int is_possible = placement->n_ranks > 1 && placement->n_ranks < market->n_agents;
    int is_wanted = settings->placement == PW_PLACE_GRAPH ||
                    (settings->placement == PW_PLACE_AUTO && !in_bulk && may_pay(market, *cut));
    if (!is_possible || !is_wanted)
        return NULL;
    int *order = pw_partition_order(market, placement, &better);
    if (order == NULL || (settings->placement == PW_PLACE_AUTO && better > WORTH * *cut)) {
        free(order);
        return NULL;
    }
    *cut = better;
    return order;
}
