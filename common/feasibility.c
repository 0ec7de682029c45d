/* A first balance proves that a market is feasible (first_balance.h). Else feasibility is a circulation: a
 * node for each group of agents (joined by links without bounds), one for all assets, which feeds each group
 * within the sum of its limits, and an arc for each bounded link, at first at the flow closest to zero; what
 * then does not balance is carried off, along a spanning tree, then by Dinic's maximum flow, or a minimum cut
 * is named. */
#include "common/feasibility.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/first_balance.h"
#include "common/memory.h"

enum { LABEL_SIZE = 80, AGENTS_NAMED = 8, LIST_SIZE = AGENTS_NAMED * LABEL_SIZE + 40 };

/* Nodes 0 .. n_groups - 1 are the groups, then come the assets' node, the source and the sink. Edge e has the
 * arcs 2 e and, the other way, 2 e + 1. The edges from the assets to group g, from the source to node v and
 * from node v to the sink are g, n_groups + v and 2 n_groups + 1 + v, with v up to the assets' node; the
 * links follow. */
struct network {
    int n_groups, n_nodes, n_edges;
    double *excess; /* [n_nodes] what flows into a node and not out of it */
    int *first;     /* [n_nodes] an arc that leaves the node; owns the four below */
    int *following; /* [2 n_edges] the next arc that leaves the same node, -1 after the last */
    int *to;        /* [2 n_edges] */
    double *room;   /* [2 n_edges] how much more may flow */
    int *level, *next, *order, *via; /* [n_nodes] work space of the searches */
    double negligible;               /* room that counts as none */
};

/* One product of the market. */
struct product {
    const struct pw_market *market;
    int q;
    int n_groups;
    int *group;       /* [n_agents] */
    double total;     /* all power that limits and bounds force to flow: no arc needs to carry more */
    double tolerance; /* imbalance that counts as rounding */
};

static double t_min(const struct product *product, int l)
{
    return product->market->t_min[(size_t)l * (size_t)product->market->n_products + (size_t)product->q];
}

static double t_max(const struct product *product, int l)
{
    return product->market->t_max[(size_t)l * (size_t)product->market->n_products + (size_t)product->q];
}

/* The point of [low, high] closest to zero. */
static double closest_to_zero(double low, double high)
{
    return low > 0.0 ? low : high < 0.0 ? high : 0.0;
}

static int root_of(int *parent, int n)
{
    while (parent[n] != n)
        n = parent[n] = parent[parent[n]];
    return n;
}

static void join(int *parent, int n, int m)
{
    int a = root_of(parent, n), b = root_of(parent, m);
    parent[a > b ? a : b] = a > b ? b : a;
}

static int *singletons(int count)
{
    int *parent = pw_alloc((size_t)count, sizeof *parent);
    for (int n = 0; n < count; n++)
        parent[n] = n;
    return parent;
}

/* Numbers the groups of agents that links without any bound join. */
static void group_agents(struct product *product)
{
    const struct pw_market *market = product->market;
    int *parent = singletons(market->n_agents);
    for (int l = 0; l < market->n_links; l++)
        if (t_min(product, l) == -INFINITY && t_max(product, l) == INFINITY)
            join(parent, market->link_a[l], market->link_b[l]);
    product->group = pw_alloc((size_t)market->n_agents, sizeof(int));
    for (int n = 0; n < market->n_agents; n++) {
        int root = root_of(parent, n); /* never above n: numbered already, or n itself */
        product->group[n] = root == n ? product->n_groups++ : product->group[root];
    }
    free(parent);
}

static void measure(struct product *product)
{
    const struct pw_market *market = product->market;
    double magnitude = 0.0;
    for (int n = 0; n < market->n_agents; n++) {
        double low = pw_market_agent_p_min(market, n, product->q);
        double high = pw_market_agent_p_max(market, n, product->q);
        product->total += fabs(closest_to_zero(low, high));
        magnitude += (isinf(low) ? 0.0 : fabs(low)) + (isinf(high) ? 0.0 : fabs(high));
    }
    for (int l = 0; l < market->n_links; l++)
        product->total += fabs(closest_to_zero(t_min(product, l), t_max(product, l)));
    product->tolerance = 1e-9 * product->total + 1e-12 * magnitude;
}

/* Adds an edge with flow in [low, high], at the flow closest to zero. */
static void add_edge(struct network *net, int from, int to, double low, double high, double total)
{
    double flow = closest_to_zero(low, high);
    int arc = 2 * net->n_edges++;
    net->to[arc] = to;
    net->to[arc + 1] = from;
    net->room[arc] = fmax(fmin(high, total) - flow, 0.0);
    net->room[arc + 1] = fmax(flow - fmax(low, -total), 0.0);
    net->following[arc] = net->first[from];
    net->first[from] = arc;
    net->following[arc + 1] = net->first[to];
    net->first[to] = arc + 1;
    net->excess[to] += flow;
    net->excess[from] -= flow;
}

static void add_group_edges(struct network *net, const struct product *product)
{
    const struct pw_market *market = product->market;
    int assets = net->n_groups;
    double *low = pw_alloc((size_t)assets, 2 * sizeof *low), *high = low + assets;
    for (int n = 0; n < market->n_agents; n++) {
        low[product->group[n]] += pw_market_agent_p_min(market, n, product->q);
        high[product->group[n]] += pw_market_agent_p_max(market, n, product->q);
    }
    for (int g = 0; g < assets; g++)
        add_edge(net, assets, g, low[g], fmax(low[g], high[g]), product->total);
    for (int v = 0; v <= assets; v++) /* room comes once the first flow is there */
        add_edge(net, assets + 1, v, 0.0, 0.0, 0.0);
    for (int v = 0; v <= assets; v++)
        add_edge(net, v, assets + 2, 0.0, 0.0, 0.0);
    free(low);
}

/* Room for an edge per link, though links within a group need none: memory never touched costs nothing. */
static struct network *create_network(const struct product *product)
{
    const struct pw_market *market = product->market;
    struct network *net = pw_alloc(1, sizeof *net);
    net->n_groups = product->n_groups;
    net->n_nodes = product->n_groups + 3;
    size_t n_nodes = (size_t)net->n_nodes, n_edges = 3 * n_nodes + (size_t)market->n_links;
    net->excess = pw_alloc(n_nodes, sizeof(double));
    net->following = pw_alloc(n_edges, 2 * sizeof(int));
    net->to = pw_alloc(n_edges, 2 * sizeof(int));
    net->room = pw_alloc(n_edges, 2 * sizeof(double));
    net->first = pw_alloc(n_nodes, 5 * sizeof(int));
    net->level = net->first + n_nodes;
    net->next = net->level + n_nodes;
    net->order = net->next + n_nodes;
    net->via = net->order + n_nodes;
    for (int v = 0; v < net->n_nodes; v++)
        net->first[v] = -1;
    add_group_edges(net, product);
    for (int l = 0; l < market->n_links; l++) {
        int from = product->group[market->link_a[l]], to = product->group[market->link_b[l]];
        if (from != to)
            add_edge(net, from, to, t_min(product, l), t_max(product, l), product->total);
    }
    net->negligible = product->tolerance / (2.0 * net->n_edges);
    return net;
}

static void destroy_network(struct network *net)
{
    free(net->excess);
    free(net->following);
    free(net->to);
    free(net->room);
    free(net->first);
    free(net);
}

/* Sends up to `amount` through an arc; returns what went. */
static double push(struct network *net, int arc, double amount)
{
    double sent = fmin(amount, net->room[arc]);
    net->room[arc] -= sent;
    net->room[arc ^ 1] += sent;
    return sent;
}

/* Moves what is in excess (or missing) at node v through one of its arcs. */
static void relieve(struct network *net, int v, int arc)
{
    double excess = net->excess[v];
    double sent = excess >= 0.0 ? push(net, arc, excess) : -push(net, arc ^ 1, -excess);
    net->excess[v] -= sent;
    net->excess[net->to[arc]] += sent;
}

/* Breadth-first search from `root`: appends the nodes not seen before (level -1) to net->order and sets their
 * level and, in net->via, the arc back. By arcs with room, or (along_links) by all arcs between groups.
 * Returns the new length of the order. */
static int search(struct network *net, int root, int length, int along_links)
{
    int done = length;
    net->level[root] = 0;
    net->via[root] = -1;
    net->order[length++] = root;
    for (; done < length; done++) {
        int v = net->order[done];
        for (int arc = net->first[v]; arc >= 0; arc = net->following[arc]) {
            int w = net->to[arc];
            if (net->level[w] >= 0 || (along_links ? w >= net->n_groups : net->room[arc] <= net->negligible))
                continue;
            net->level[w] = net->level[v] + 1;
            net->via[w] = arc ^ 1;
            net->order[length++] = w;
        }
    }
    return length;
}

static void forget_levels(struct network *net)
{
    for (int v = 0; v < net->n_nodes; v++)
        net->level[v] = -1;
    memcpy(net->next, net->first, (size_t)net->n_nodes * sizeof(int));
}

/* True if there is a way from the source to the sink; sets the levels, -1 out of reach of the source. */
static int reaches(struct network *net, int source, int sink)
{
    forget_levels(net);
    search(net, source, 0, 0);
    return net->level[sink] >= 0;
}

static double slack(const struct network *net, int g)
{
    return net->room[2 * g] + net->room[2 * g + 1];
}

/* A first flow: every group balances with its own assets as far as they go and passes the rest on towards the
 * root of its tree. On trees and rings little or nothing is left for the maximum flow. */
static void route_on_trees(struct network *net)
{
    int *best = singletons(net->n_groups); /* in each component, the group with most slack is the root */
    for (int e = 3 * net->n_groups + 2; e < net->n_edges; e++) {
        int from = root_of(best, net->to[2 * e + 1]), to = root_of(best, net->to[2 * e]);
        best[from] = best[to] = slack(net, from) < slack(net, to) ? to : from;
    }
    forget_levels(net);
    int length = 0;
    for (int g = 0; g < net->n_groups; g++)
        if (best[g] == g)
            length = search(net, g, length, 1);
    while (length-- > 0) {
        int v = net->order[length];
        relieve(net, v, 2 * v + 1);
        if (net->via[v] >= 0)
            relieve(net, v, net->via[v]);
    }
    free(best);
}

/* The next arc out of v that leads one level on, or -1. */
static int next_arc(struct network *net, int v)
{
    int arc = net->next[v];
    while (arc >= 0 && (net->room[arc] <= net->negligible || net->level[net->to[arc]] != net->level[v] + 1))
        arc = net->following[arc];
    return net->next[v] = arc;
}

/* Sends as much as fits along a path of arcs; returns how many of them stay before the first one filled. */
static int augment(struct network *net, const int *path, int length)
{
    double amount = INFINITY;
    for (int i = 0; i < length; i++)
        amount = fmin(amount, net->room[path[i]]);
    int keep = length;
    for (int i = length - 1; i >= 0; i--) {
        push(net, path[i], amount);
        if (net->room[path[i]] <= net->negligible)
            keep = i;
    }
    return keep;
}

/* Fills every path that leads one level on at each arc, without recursion. */
static void block_flow(struct network *net, int source, int sink)
{
    int *path = net->via;
    int length = 0, v = source;
    for (;;) {
        int arc = v == sink ? -1 : next_arc(net, v);
        if (arc >= 0) {
            path[length++] = arc;
        } else if (v == sink) {
            length = augment(net, path, length);
        } else if (v == source) {
            return;
        } else {
            net->level[v] = -1;
            length--;
        }
        v = length > 0 ? net->to[path[length - 1]] : source;
    }
}

/* Maximum flow from the nodes in excess to those that lack. Returns what is left; the levels then tell the
 * minimum cut. */
static double carry_off(struct network *net)
{
    int source = net->n_groups + 1, sink = net->n_groups + 2;
    for (int v = 0; v < source; v++) {
        net->room[2 * (source - 1 + v)] = fmax(net->excess[v], 0.0);
        net->room[2 * (2 * source - 1 + v)] = fmax(-net->excess[v], 0.0);
    }
    while (reaches(net, source, sink))
        block_flow(net, source, sink);
    double left = 0.0;
    for (int v = 0; v < source; v++)
        left += net->room[2 * (source - 1 + v)];
    return left;
}

/* What a set of agents may inject, and what its links may carry out of it. */
struct side {
    double p_low, p_high, out_low, out_high;
};

static double shortfall(const struct side *side)
{
    return fmax(side->p_low - side->out_high, side->out_low - side->p_high);
}

/* Splits the agents marked inside[] into the sets that links among them join: set[n] is the set's number, the
 * number of one of its agents, -1 outside. Returns the sums of each set [n_agents], for the caller to free.
 */
static struct side *sum_sides(const struct product *product, const char *inside, int *set)
{
    const struct pw_market *market = product->market;
    struct side *sides = pw_alloc((size_t)market->n_agents, sizeof *sides);
    int *parent = singletons(market->n_agents);
    for (int l = 0; l < market->n_links; l++)
        if (inside[market->link_a[l]] && inside[market->link_b[l]])
            join(parent, market->link_a[l], market->link_b[l]);
    for (int n = 0; n < market->n_agents; n++) {
        set[n] = inside[n] ? root_of(parent, n) : -1;
        if (set[n] < 0)
            continue;
        sides[set[n]].p_low += pw_market_agent_p_min(market, n, product->q);
        sides[set[n]].p_high += pw_market_agent_p_max(market, n, product->q);
    }
    for (int l = 0; l < market->n_links; l++) {
        int from = set[market->link_a[l]], to = set[market->link_b[l]];
        if (from == to || (from >= 0 && to >= 0))
            continue;
        struct side *side = &sides[from >= 0 ? from : to];
        side->out_low += from >= 0 ? t_min(product, l) : -t_max(product, l);
        side->out_high += from >= 0 ? t_max(product, l) : -t_min(product, l);
    }
    free(parent);
    return sides;
}

/* "agents 0 (load-1), 3 (house) and 12 more": the agents with set[n] == which. */
static const char *list_agents(const struct pw_market *market, const int *set, int which,
                               char text[LIST_SIZE])
{
    int count = 0, length = 0;
    for (int n = 0; n < market->n_agents; n++)
        count += set[n] == which;
    length += snprintf(text, LIST_SIZE, count == 1 ? "agent" : "agents");
    int named = 0;
    for (int n = 0; n < market->n_agents && named < AGENTS_NAMED; n++) {
        char label[LABEL_SIZE - 2];
        if (set[n] == which)
            length += snprintf(text + length, (size_t)(LIST_SIZE - length), "%s %s", named++ > 0 ? "," : "",
                               pw_market_agent_label(market, n, label, sizeof label));
    }
    if (count > named)
        snprintf(text + length, (size_t)(LIST_SIZE - length), " and %d more", count - named);
    return text;
}

/* What agent n must consume (sign 1) or inject (sign -1) at least. */
static double need_of(const struct product *product, int n, int sign)
{
    return fmax(0.0, sign > 0 ? -pw_market_agent_p_max(product->market, n, product->q)
                              : pw_market_agent_p_min(product->market, n, product->q));
}

/* Says why the agents with set[n] == which cannot balance. `links` is what their links force out of them
 * (sign 1) or into them (sign -1), `able` what they can inject (consume) in all; links > able. Names only
 * those that must consume (inject), if that tells the story. Overwrites set. */
static enum pw_code explain(const struct product *product, int *set, int which, int sign, double links,
                            double able, struct pw_error *err)
{
    const struct pw_market *market = product->market;
    char list[LIST_SIZE], suffix[32] = "";
    double need = 0.0;
    if (market->n_products > 1)
        snprintf(suffix, sizeof suffix, " (product %d)", product->q);
    for (int n = 0; n < market->n_agents; n++)
        need += set[n] == which ? need_of(product, n, sign) : 0.0;
    double reach = able + need - links; /* what the rest of the set and the links leave for the needy */
    if (need <= 0.0 || reach < 0.0)
        return pw_fail(err, PW_INFEASIBLE,
                       "the market has no feasible solution%s: %s must %s at least %.10g "
                       "over their links but can %s at most %.10g",
                       suffix, list_agents(market, set, which, list), sign > 0 ? "deliver" : "take", links,
                       sign > 0 ? "inject" : "consume", able);
    for (int n = 0; n < market->n_agents; n++)
        set[n] = need_of(product, n, sign) > 0.0 ? set[n] : -1;
    return pw_fail(err, PW_INFEASIBLE,
                   "the market has no feasible solution%s: %s must %s at least %.10g but at "
                   "most %.10g can %s",
                   suffix, list_agents(market, set, which, list), sign > 0 ? "consume" : "inject", need,
                   reach, sign > 0 ? "reach them" : "leave them");
}

/* Names the part of the minimum cut that falls short most. */
static enum pw_code explain_cut(const struct product *product, const struct network *net,
                                struct pw_error *err)
{
    int n_agents = product->market->n_agents;
    char *inside = pw_alloc((size_t)n_agents, 1);
    int *set = pw_alloc((size_t)n_agents, sizeof *set);
    int assets_reached = net->level[net->n_groups] >= 0;
    for (int n = 0; n < n_agents; n++)
        inside[n] = (net->level[product->group[n]] >= 0) != assets_reached;
    struct side *sides = sum_sides(product, inside, set);
    int worst = -1;
    for (int n = 0; n < n_agents; n++)
        if (set[n] == n && (worst < 0 || shortfall(&sides[n]) > shortfall(&sides[worst])))
            worst = n;
    enum pw_code code = PW_OK;
    if (worst >= 0 && shortfall(&sides[worst]) > 0.0) {
        struct side side = sides[worst];
        code = side.out_low - side.p_high >= side.p_low - side.out_high
                   ? explain(product, set, worst, 1, side.out_low, side.p_high, err)
                   : explain(product, set, worst, -1, -side.out_high, -side.p_low, err);
    }
    free(sides);
    free(set);
    free(inside);
    return code;
}

/* Limits and bounds that leave nothing by themselves. */
static enum pw_code check_ranges(const struct product *product, struct pw_error *err)
{
    const struct pw_market *market = product->market;
    char a[LABEL_SIZE], b[LABEL_SIZE];
    for (int i = 0; i < market->n_assets; i++)
        if (market->p_min[i * market->n_products + product->q] >
            market->p_max[i * market->n_products + product->q])
            return pw_fail(err, PW_INFEASIBLE,
                           "the market has no feasible solution: asset %d has its p_min above its p_max", i);
    for (int l = 0; l < market->n_links; l++)
        if (t_min(product, l) > t_max(product, l))
            return pw_fail(err, PW_INFEASIBLE,
                           "the market has no feasible solution: the link from agent %s to "
                           "agent %s has its t_min above its t_max",
                           pw_market_agent_label(market, market->link_a[l], a, sizeof a),
                           pw_market_agent_label(market, market->link_b[l], b, sizeof b));
    return PW_OK;
}

static enum pw_code check_product(const struct pw_market *market, int q, struct pw_error *err)
{
    struct product product = {.market = market, .q = q};
    PW_TRY(check_ranges(&product, err));
    measure(&product);
    if (product.total == 0.0 || pw_first_balance(market, q, NULL)) /* nothing has to flow, or it just does */
        return PW_OK;
    group_agents(&product);
    struct network *net = create_network(&product);
    route_on_trees(net);
    enum pw_code code = PW_OK;
    if (carry_off(net) > 2.0 * product.tolerance)
        code = explain_cut(&product, net, err);
    destroy_network(net);
    free(product.group);
    return code;
}

enum pw_code pw_feasibility_check(const struct pw_market *market, struct pw_error *err)
{
    for (int q = 0; q < market->n_products; q++)
        PW_TRY(check_product(market, q, err));
    return PW_OK;
}
