#include "coordinator/bulk_rows.h"

#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "common/penalty.h"
#include "coordinator/setup.h"
#include "coordinator/snapshot.h"

/* What the rows are made from, while they are made. */
struct making {
    const struct pw_negotiation *negotiation;
    const struct pw_placement *placement;
    const struct pw_market *market;
    struct pw_rules rules;
    const struct pw_bulk_terms *terms;
    struct pw_tolerances tolerances;
    int *visitor; /* [agents of the market] number of a visitor; -1: none */
    int n_visitors;
    struct pw_bulk_rows *out;
};

static int is_here(const struct making *making, int n)
{
    return n >= making->out->first && n < making->out->end;
}

/* Whom the end `end` of agent n leads to. */
static int peer_of(const struct pw_market *market, int n, int end)
{
    int l = market->end_link[end];
    return market->link_a[l] == n ? market->link_b[l] : market->link_a[l];
}

/* ---- Who visits ---- */

/* Visitors are numbered as their agents are: so those of a rank come one after the other. */
static void find_visitors(struct making *making)
{
    const struct pw_market *market = making->market;
    making->visitor = pw_alloc((size_t)market->n_agents, sizeof *making->visitor);
    for (int l = 0; l < market->n_links; l++) {
        int a = market->link_a[l], b = market->link_b[l];
        if (is_here(making, a) != is_here(making, b))
            making->visitor[is_here(making, a) ? b : a] = 1;
    }
    for (int n = 0; n < market->n_agents; n++)
        making->visitor[n] = making->visitor[n] ? making->n_visitors++ : -1;
}

static void count_in(struct making *making, int *neighbour_of)
{
    struct pw_bulk_rows *out = making->out;
    for (int n = 0; n < making->market->n_agents; n++) {
        if (making->visitor[n] < 0)
            continue;
        int rank = pw_placement_rank(making->placement, n);
        if (neighbour_of[rank] < 0) {
            neighbour_of[rank] = out->n_neighbours++;
            out->neighbours[neighbour_of[rank]] =
                (struct pw_bulk_neighbour){.rank = rank, .first_visitor = making->visitor[n]};
        }
        out->neighbours[neighbour_of[rank]].n_in++;
    }
}

/* Notes that agent n has a peer on that rank. */
static void note_out(struct pw_bulk_neighbour *there, int n)
{
    if (there->n_out == 0 || there->out[there->n_out - 1] != n)
        there->out[there->n_out++] = n;
}

static void list_out(struct making *making, const int *neighbour_of)
{
    const struct pw_market *market = making->market;
    struct pw_bulk_rows *out = making->out;
    size_t here = (size_t)(out->end - out->first);
    if (out->n_neighbours == 0)
        return;
    for (int i = 0; i < out->n_neighbours; i++)
        out->neighbours[i].out = pw_alloc(here, sizeof(int));
    for (int n = out->first; n < out->end; n++) {
        for (int e = market->end_first[n]; e < market->end_first[n + 1]; e++) {
            int peer = peer_of(market, n, e);
            if (is_here(making, peer))
                continue;
            struct pw_bulk_neighbour *there =
                &out->neighbours[neighbour_of[pw_placement_rank(making->placement, peer)]];
            note_out(there, n - out->first);
            there->n_ends++;
        }
    }
}

static void meet_neighbours(struct making *making)
{
    size_t ranks = (size_t)making->placement->n_ranks;
    int *neighbour_of = pw_alloc(ranks, sizeof *neighbour_of);
    for (size_t r = 0; r < ranks; r++)
        neighbour_of[r] = -1;
    making->out->neighbours = pw_alloc(ranks, sizeof *making->out->neighbours);
    count_in(making, neighbour_of);
    list_out(making, neighbour_of);
    free(neighbour_of);
}

/* ---- The ends ---- */

/* What both ends of a link have alike: the penalty by the case or by the rule, the one reached by now, and
 * the edge variables from which the trade starts. */
struct footing {
    double penalty_start, penalty;
    double s_a, s_b;
};

static struct footing footing_of(const struct making *making, int l)
{
    const struct pw_market *market = making->market;
    const struct pw_start *start = making->negotiation->start;
    const struct pw_bulk_terms *terms = making->terms;
    double fixed = making->negotiation->settings->penalty;
    double by_rule =
        fixed > 0.0 ? fixed
                    : pw_penalty_of(&terms->scales, &terms->shares, market->link_a[l], market->link_b[l]);
    if (start == NULL)
        return (struct footing){by_rule, by_rule, 0.0, 0.0};
    double penalty = making->rules.adapt_penalty ? start->penalty[l] : by_rule;
    double rest = start->trade_price[l] / penalty;
    return (struct footing){by_rule, penalty, start->trade[l] + rest, -start->trade[l] + rest};
}

/* As the end of agent_a, or that of agent_b, sees it; never -0, so that it does not matter how it is kept. */
static double limit_of(const struct pw_market *market, int l, int is_a, enum pw_rows_limit limit)
{
    switch (limit) {
    case PW_ROWS_T_MIN:
        return is_a ? 0.0 + market->t_min[l] : 0.0 - market->t_max[l];
    case PW_ROWS_T_MAX:
        return is_a ? 0.0 + market->t_max[l] : 0.0 - market->t_min[l];
    case PW_ROWS_FEE:
        return is_a ? market->fee_a[l] : market->fee_b[l];
    default:
        return is_a ? market->fee_b[l] : market->fee_a[l];
    }
}

/* An end of link l, that of agent_a or of agent_b. */
static struct pw_rows_end end_of(const struct making *making, int l, const struct footing *footing, int is_a)
{
    const struct pw_market *market = making->market;
    int peer = is_a ? market->link_b[l] : market->link_a[l], here = making->out->end - making->out->first;
    return (struct pw_rows_end){.peer = is_here(making, peer) ? peer - making->out->first
                                                              : here + making->visitor[peer],
                                .penalty = footing->penalty,
                                .penalty_start = footing->penalty_start,
                                .s = is_a ? footing->s_a : footing->s_b,
                                .peer_s = is_a ? footing->s_b : footing->s_a,
                                .limits = {[PW_ROWS_T_MIN] = limit_of(market, l, is_a, PW_ROWS_T_MIN),
                                           [PW_ROWS_T_MAX] = limit_of(market, l, is_a, PW_ROWS_T_MAX),
                                           [PW_ROWS_FEE] = limit_of(market, l, is_a, PW_ROWS_FEE),
                                           [PW_ROWS_PEER_FEE] = limit_of(market, l, is_a, PW_ROWS_PEER_FEE)}};
}

static void look_at_fees(const struct pw_market *market, struct pw_rows_spec *spec)
{
    spec->fees_are_alike = 1;
    for (int l = 0; l < market->n_links; l++) {
        spec->has_fees |= market->fee_a[l] != 0.0 || market->fee_b[l] != 0.0;
        spec->fees_are_alike &= market->fee_a[l] == market->fee_b[l];
    }
}

/* True if an agent here has ends that differ in it, or it forces a trade, which rows without an end must not
 * make. */
static int differs_by_end(const struct making *making, enum pw_rows_limit limit)
{
    const struct pw_market *market = making->market;
    int here = making->out->end - making->out->first, differs = 0;
    double *seen = pw_alloc((size_t)here, sizeof *seen);
    for (int i = 0; i < here; i++)
        seen[i] = NAN; /* no end yet */
    for (int l = 0; l < market->n_links && !differs; l++) {
        for (int is_a = 0; is_a < 2; is_a++) {
            int n = is_a ? market->link_a[l] : market->link_b[l], i = n - making->out->first;
            if (!is_here(making, n))
                continue;
            double value = limit_of(market, l, is_a, limit);
            differs |= (!isnan(seen[i]) && value != seen[i]) || (limit == PW_ROWS_T_MIN && value > 0.0) ||
                       (limit == PW_ROWS_T_MAX && value < 0.0);
            seen[i] = value;
        }
    }
    free(seen);
    return differs;
}

/* How the bounds of trades with agents here lie to each other. */
static enum pw_rows_bounds bounds_of(const struct making *making)
{
    const struct pw_market *market = making->market;
    int one_way = 1, mirrored = 1;
    for (int l = 0; l < market->n_links && (one_way || mirrored); l++) {
        double t_min = market->t_min[l], t_max = market->t_max[l];
        if (!is_here(making, market->link_a[l]) && !is_here(making, market->link_b[l]))
            continue;
        one_way &= t_min == 0.0 || t_max == 0.0;
        mirrored &= t_min == -t_max;
    }
    return one_way ? PW_ROWS_ONE_WAY : mirrored ? PW_ROWS_MIRRORED : PW_ROWS_ANY_BOUNDS;
}

/* Ends in the order of their links, which is that of each agent's ends: what a link has is read once, in a
 * row. `most`: the most links that a peer of an agent here has. */
static void set_ends(const struct making *making, int *most)
{
    const struct pw_market *market = making->market;
    struct pw_bulk_rows *out = making->out;
    int *n_set = pw_alloc((size_t)(out->end - out->first), sizeof *n_set);
    for (int l = 0; l < market->n_links; l++) {
        struct footing footing = footing_of(making, l);
        for (int is_a = 0; is_a < 2; is_a++) {
            int n = is_a ? market->link_a[l] : market->link_b[l], i = n - out->first;
            int of_peer = making->terms->degree[is_a ? market->link_b[l] : market->link_a[l]];
            if (!is_here(making, n))
                continue;
            struct pw_rows_end end = end_of(making, l, &footing, is_a);
            pw_rows_set_end(out->rows, i, n_set[i]++, &end);
            most[i] = of_peer > most[i] ? of_peer : most[i];
        }
    }
    free(n_set);
}

/* Where agents start from, and what trades of each may move by at rest: the least, with the peer of most
 * links. */
static void set_agents(const struct making *making, const int *most)
{
    const struct pw_settings *settings = making->negotiation->settings;
    const struct pw_start *start = making->negotiation->start;
    const struct pw_bulk_terms *terms = making->terms;
    for (int n = making->out->first; n < making->out->end; n++) {
        int i = n - making->out->first;
        double rest_power =
            pw_setup_rest_power(settings, &making->tolerances, terms->n_links, terms->degree[n], most[i]);
        pw_rows_set_agent(making->out->rows, i, start != NULL ? start->price[n] : 0.0,
                          terms->degree[n] > 0 ? rest_power : INFINITY);
    }
}

static void make_rows(struct making *making)
{
    const struct pw_market *market = making->market;
    struct pw_bulk_rows *out = making->out;
    struct pw_rows_spec spec = {.n_agents = out->end - out->first,
                                .end_first = market->end_first + out->first,
                                .n_visitors = making->n_visitors,
                                .asset_first = market->asset_first + out->first,
                                .p_min = market->p_min,
                                .p_max = market->p_max,
                                .a = market->a,
                                .b = market->b,
                                .relaxation = making->rules.relaxation,
                                .adapts_penalty = making->rules.adapt_penalty,
                                .rest_price = making->rules.rest_price,
                                .paced = out->is_paced,
                                .stiffness = making->rules.stiffness};
    int *most = pw_alloc((size_t)spec.n_agents, sizeof *most);
    look_at_fees(market, &spec);
    for (int i = 0; i < (spec.has_fees ? PW_ROWS_LIMITS : PW_ROWS_FEE); i++)
        spec.by_end[i] = differs_by_end(making, (enum pw_rows_limit)i);
    if (spec.by_end[PW_ROWS_T_MIN] && spec.by_end[PW_ROWS_T_MAX])
        spec.bounds = bounds_of(making);
    out->rows = pw_rows_create(&spec);
    set_ends(making, most);
    set_agents(making, most);
    free(most);
}

void pw_bulk_rows_create(const struct pw_negotiation *negotiation, const struct pw_bulk_terms *terms,
                         const struct pw_placement *placement, int rank, struct pw_bulk_rows *out)
{
    const struct pw_market *market = negotiation->market;
    const struct pw_settings *settings = negotiation->settings;
    *out = (struct pw_bulk_rows){.is_paced = placement->n_ranks > 1 && settings->delta < 1.0,
                                 .first = pw_placement_first(placement, rank),
                                 .end = pw_placement_end(placement, rank)};
    out->n_ends = market->end_first[out->end] - market->end_first[out->first];
    struct making making = {.negotiation = negotiation,
                            .placement = placement,
                            .market = market,
                            .terms = terms,
                            .tolerances = pw_tolerances_of(settings, market, &terms->scales),
                            .out = out};
    making.rules = pw_setup_rules(settings, &making.tolerances, &terms->scales, 0.0); /* no inner solver */
    find_visitors(&making);
    meet_neighbours(&making);
    make_rows(&making);
    free(making.visitor);
}

void pw_bulk_rows_release(struct pw_bulk_rows *bulk)
{
    for (int i = 0; i < bulk->n_neighbours; i++)
        free(bulk->neighbours[i].out);
    free(bulk->neighbours);
    pw_rows_destroy(bulk->rows);
}

size_t pw_bulk_rows_part_size(const struct pw_bulk_rows *bulk, const struct pw_market *market, int n)
{
    return pw_snapshot_agent_size(pw_market_degree(market, n), 1, !bulk->is_paced);
}

/* The order is that of pw_snapshot_agent_size(). */
void pw_bulk_rows_part(const struct pw_bulk_rows *bulk, const struct pw_market *market, int n,
                       const struct pw_bulk_times *times, double *out)
{
    int i = n - bulk->first, links = pw_market_degree(market, n);
    double share = (1.0 + links) / (double)(bulk->n_ends + bulk->end - bulk->first), sent = 0.0;
    double *fixed = out;
    out += pw_snapshot_agent_size(0, 1, !bulk->is_paced);
    for (int k = 0; k < links; k++) {
        struct pw_rows_trade trade = pw_rows_trade(bulk->rows, i, k);
        *out++ = trade.penalty;
        *out++ = trade.mine;
        *out++ = trade.price;
        sent += trade.round + 1.0; /* that of round 0 too */
        if (!bulk->is_paced)
            continue;
        *out++ = trade.round;
        *out++ = times->settled_s;
        *out++ = trade.before;
    }
    *fixed++ = pw_rows_rounds(bulk->rows);
    *fixed++ = sent;
    *fixed++ = 0.0; /* nothing is lost, nor comes twice */
    *fixed++ = 0.0;
    *fixed++ = times->wait_s;
    *fixed++ = times->compute_s * share;
    *fixed++ = pw_rows_power(bulk->rows, i);
    *fixed++ = pw_rows_price(bulk->rows, i);
    if (!bulk->is_paced) {
        struct pw_rows_moved moved = pw_rows_moved(bulk->rows, i);
        *fixed++ = moved.power2;
        *fixed++ = moved.price2;
    }
}
