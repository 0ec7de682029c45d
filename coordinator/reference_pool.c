/* Markets that equal a pool: one price balances all assets. */
#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "coordinator/reference_internal.h"

static int injects(const struct pw_market *market, int n, int q)
{
    return pw_market_agent_p_max(market, n, q) > 0.0;
}

static int consumes(const struct pw_market *market, int n, int q)
{
    return pw_market_agent_p_min(market, n, q) < 0.0;
}

static int links_cost_and_force_nothing(const struct pw_market *market, int q)
{
    for (int l = 0; l < market->n_links; l++) {
        size_t k = pw_reference_at(market, l, q);
        if (market->fee_a[k] != 0.0 || market->fee_b[k] != 0.0 || market->t_min[k] > 0.0 ||
            market->t_max[k] < 0.0)
            return 0;
    }
    return 1;
}

/* Counts pairs instead of looking for them: no link occurs twice. */
static int each_pair_is_linked(const struct pw_market *market, int q)
{
    double injectors = 0.0, consumers = 0.0, both = 0.0, linked = 0.0;
    char *role = pw_alloc((size_t)market->n_agents, 1); /* bit 0: injects, bit 1: consumes */
    for (int n = 0; n < market->n_agents; n++) {
        role[n] = (char)(injects(market, n, q) + 2 * consumes(market, n, q));
        injectors += role[n] & 1;
        consumers += role[n] >> 1;
        both += role[n] == 3;
    }
    for (int l = 0; l < market->n_links; l++) {
        size_t k = pw_reference_at(market, l, q);
        int a = role[market->link_a[l]], b = role[market->link_b[l]];
        linked += isinf(market->t_max[k]) && (a & 1) && (b & 2);
        linked += isinf(market->t_min[k]) && (b & 1) && (a & 2);
    }
    free(role);
    return linked == injectors * consumers - both;
}

/* A tree of links without bounds. */
struct tree {
    int n_reached;
    int *order; /* [n_agents] those reached, the root first */
    int *up;    /* [n_agents] the link towards the root, -1 at it, -2 not reached */
};

static void grow_tree(const struct pw_market *market, int q, int root, struct tree *tree)
{
    tree->n_reached = 1;
    tree->order = pw_alloc((size_t)market->n_agents, sizeof(int));
    tree->up = pw_alloc((size_t)market->n_agents, sizeof(int));
    for (int n = 0; n < market->n_agents; n++)
        tree->up[n] = -2;
    tree->up[root] = -1;
    tree->order[0] = root;
    for (int done = 0; done < tree->n_reached; done++) {
        int n = tree->order[done];
        for (int end = market->end_first[n]; end < market->end_first[n + 1]; end++) {
            int l = market->end_link[end];
            int m = market->link_a[l] == n ? market->link_b[l] : market->link_a[l];
            size_t k = pw_reference_at(market, l, q);
            if (tree->up[m] != -2 || !isinf(market->t_min[k]) || !isinf(market->t_max[k]))
                continue;
            tree->up[m] = l;
            tree->order[tree->n_reached++] = m;
        }
    }
}

static void free_tree(struct tree *tree)
{
    free(tree->order);
    free(tree->up);
}

/* A tree that reaches all agents with any power; without nodes (and nothing to free) if there is none. */
static struct tree spanning_tree(const struct pw_market *market, int q)
{
    struct tree tree = {0, NULL, NULL};
    int root = 0;
    while (root < market->n_agents - 1 && !injects(market, root, q) && !consumes(market, root, q))
        root++;
    if (market->n_agents > 0)
        grow_tree(market, q, root, &tree);
    for (int n = 0; n < market->n_agents; n++)
        if (tree.up[n] == -2 && (injects(market, n, q) || consumes(market, n, q))) {
            free_tree(&tree);
            return (struct tree){0, NULL, NULL};
        }
    return tree;
}

int pw_reference_pool_fits(const struct pw_market *market, int q)
{
    if (!links_cost_and_force_nothing(market, q))
        return 0;
    if (each_pair_is_linked(market, q))
        return 1;
    struct tree tree = spanning_tree(market, q);
    int fits = tree.n_reached > 0;
    free_tree(&tree);
    return fits;
}

/* What asset k answers to a price; at the step of a linear cost, its lowest or highest power. */
static double answer(const struct pw_market *market, size_t k, double price, int highest)
{
    if (market->p_min[k] >= market->p_max[k])
        return market->p_min[k];
    if (market->b[k] + market->a[k] * market->p_min[k] > price)
        return market->p_min[k];
    if (market->b[k] + market->a[k] * market->p_max[k] < price)
        return market->p_max[k];
    if (market->a[k] == 0.0)
        return highest ? market->p_max[k] : market->p_min[k];
    return fmax(market->p_min[k], fmin(market->p_max[k], (price - market->b[k]) / market->a[k]));
}

static double sum_answers(const struct pw_market *market, int q, double price, int highest)
{
    double sum = 0.0;
    for (int i = 0; i < market->n_assets; i++)
        sum += answer(market, pw_reference_at(market, i, q), price, highest);
    return sum;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The prices at which an asset starts or stops to respond, in ascending order, for the caller to free. */
static double *breakpoints(const struct pw_market *market, int q, int *count)
{
    double *at = pw_alloc((size_t)market->n_assets, 2 * sizeof *at);
    *count = 0;
    for (int i = 0; i < market->n_assets; i++) {
        size_t k = pw_reference_at(market, i, q);
        if (market->p_min[k] >= market->p_max[k])
            continue;
        at[(*count)++] = market->b[k] + market->a[k] * market->p_min[k];
        at[(*count)++] = market->b[k] + market->a[k] * market->p_max[k];
    }
    qsort(at, (size_t)*count, sizeof *at, compare_doubles);
    return at;
}

/* Bisection over the breakpoints; between two of them the sum of all answers is a straight line. */
static double find_price(const struct pw_market *market, int q, double rounding)
{
    int count, low = -1, high;
    double *at = breakpoints(market, q, &count);
    for (high = count; high - low > 1;) {
        int middle = low + (high - low) / 2;
        if (sum_answers(market, q, at[middle], 1) >= -rounding)
            high = middle;
        else
            low = middle;
    }
    double price = count == 0 ? 0.0 : at[high < count ? high : count - 1];
    if (high < count && fabs(sum_answers(market, q, price, 1)) <= rounding) {
        while (high + 1 < count && at[high + 1] == price)
            high++;
        if (high + 1 < count && fabs(sum_answers(market, q, at[high + 1], 0)) <= rounding)
            price = 0.5 * (price + at[high + 1]);
    } else if (high > 0 && high < count) {
        double below = sum_answers(market, q, at[high - 1], 1), above = sum_answers(market, q, price, 0);
        if (above > 0.0)
            price = at[high - 1] + (price - at[high - 1]) * (below / (below - above));
    }
    free(at);
    return price;
}

double pw_reference_pool_price(const struct pw_market *market, int q, double *p)
{
    double magnitude = 0.0;
    for (int i = 0; i < market->n_assets; i++) {
        size_t k = pw_reference_at(market, i, q);
        magnitude += fmax(fabs(market->p_min[k]), fabs(market->p_max[k]));
    }
    double price = find_price(market, q, 1e-14 * magnitude);
    double low = sum_answers(market, q, price, 0), high = sum_answers(market, q, price, 1);
    double share = high > low ? fmax(0.0, fmin(1.0, -low / (high - low))) : 0.0; /* of each step */
    for (int i = 0; i < market->n_assets; i++) {
        size_t k = pw_reference_at(market, i, q);
        double least = answer(market, k, price, 0);
        p[k] = least + share * (answer(market, k, price, 1) - least);
    }
    return price;
}

/* Each agent passes on towards the root what its assets and those behind it inject. */
static void route_on_tree(const struct pw_market *market, int q, const struct tree *tree, double *net,
                          double *t)
{
    for (int i = tree->n_reached - 1; i > 0; i--) {
        int n = tree->order[i], l = tree->up[n];
        int is_a = market->link_a[l] == n;
        t[pw_reference_at(market, l, q)] = is_a ? net[n] : -net[n];
        net[is_a ? market->link_b[l] : market->link_a[l]] += net[n];
    }
}

static int find_link(const struct pw_market *market, int n, int m)
{
    int owner = pw_market_degree(market, n) < pw_market_degree(market, m) ? n : m;
    for (int end = market->end_first[owner]; end < market->end_first[owner + 1]; end++) {
        int l = market->end_link[end];
        if (market->link_a[l] + market->link_b[l] == n + m)
            return l;
    }
    return -1;
}

/* Fills one consumer after the other from one injector after the other. */
static void route_in_pairs(const struct pw_market *market, int q, double *net, double *t)
{
    int from = 0, to = 0;
    for (;;) {
        while (from < market->n_agents && net[from] <= 0.0)
            from++;
        while (to < market->n_agents && net[to] >= 0.0)
            to++;
        if (from == market->n_agents || to == market->n_agents)
            return;
        int l = find_link(market, from, to);
        double amount = fmin(net[from], -net[to]);
        if (l >= 0)
            t[pw_reference_at(market, l, q)] += market->link_a[l] == from ? amount : -amount;
        net[from] -= amount;
        net[to] += amount;
    }
}

void pw_reference_pool(const struct pw_market *market, int q, struct pw_reference_solution *solution)
{
    double price = pw_reference_pool_price(market, q, solution->p);
    double *net = pw_alloc((size_t)market->n_agents, sizeof *net);
    for (int n = 0; n < market->n_agents; n++) {
        solution->price[pw_reference_at(market, n, q)] = price;
        for (int i = market->asset_first[n]; i < market->asset_first[n + 1]; i++)
            net[n] += solution->p[pw_reference_at(market, i, q)];
    }
    struct tree tree = spanning_tree(market, q);
    if (tree.n_reached > 0)
        route_on_tree(market, q, &tree, net, solution->t);
    else
        route_in_pairs(market, q, net, solution->t);
    free_tree(&tree);
    free(net);
}
