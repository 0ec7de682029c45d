#include "common/adapt.h"

#include <math.h>
#include <stdlib.h>

#include "common/choose.h"
#include "common/feasibility.h"
#include "common/links.h"
#include "common/memory.h"
#include "common/offer.h"
#include "common/random.h"

/* A change must gain more than this share of the costs at stake, so that rounding moves nobody. */
static const double WORTHWHILE = 1e-4;

/* The third index of a draw says which one it is. */
enum { DRAW_ORDER = 3, DRAW_STRANGER = 4 };

/* The links of all agents while they change. Place k of agent n is at n * cap + k, for k < degree[n]. */
struct rewiring {
    const struct pw_market *market;
    const struct pw_links_spec *spec;
    struct pw_offer *offers;
    double fee; /* of both ends */
    int cap;
    int *degree, *busy; /* [n_agents] busy: changed in this slot */
    double *power;      /* [n_agents] as the market cleared */
    int *peer;          /* [n_agents * cap] */
    double *given;      /* [n_agents * cap] the trade with that peer, > 0 to it */
};

static size_t place(const struct rewiring *wires, int n, int k)
{
    return (size_t)n * (size_t)wires->cap + (size_t)k;
}

static int find(const struct rewiring *wires, int n, int peer)
{
    for (int k = 0; k < wires->degree[n]; k++) {
        if (wires->peer[place(wires, n, k)] == peer)
            return k;
    }
    return -1;
}

static void add_end(struct rewiring *wires, int n, int peer, double given)
{
    size_t at = place(wires, n, wires->degree[n]++);
    wires->peer[at] = peer;
    wires->given[at] = given;
}

static void drop_end(struct rewiring *wires, int n, int peer)
{
    size_t at = place(wires, n, find(wires, n, peer)), last = place(wires, n, --wires->degree[n]);
    wires->peer[at] = wires->peer[last];
    wires->given[at] = wires->given[last];
}

static void link(struct rewiring *wires, int i, int j, double trade)
{
    add_end(wires, i, j, trade);
    add_end(wires, j, i, -trade);
}

static int may_link(const struct rewiring *wires, int i, int j)
{
    return pw_choose_allowed(wires->market, wires->spec, i, j) && find(wires, i, j) < 0;
}

/* ---- What a change is worth ---- */

static int can_do_both(const struct pw_offer *offer)
{
    return offer->sell.room > 0.0 && offer->buy.room > 0.0;
}

/* Minus the costs of i and j at their best trade, all their others given. */
static double together(const struct rewiring *wires, int i, double power_i, int j, double power_j)
{
    const struct pw_offer *a = &wires->offers[i], *b = &wires->offers[j];
    int one_way = wires->spec->among_sides && !can_do_both(a) && !can_do_both(b);
    double low = one_way && a->sell.room > 0.0 ? 0.0 : -INFINITY;
    double high = one_way && b->sell.room > 0.0 ? 0.0 : INFINITY;
    return pw_offer_together(a, power_i, b, power_j, low, high, wires->fee);
}

/* An agent and the link that it would drop. */
struct leaver {
    int agent, dropped; /* -1: drops nobody */
    double given;       /* to the dropped one */
};

static struct leaver leaver_at(const struct rewiring *wires, int n, int k)
{
    if (k < 0)
        return (struct leaver){n, -1, 0.0};
    return (struct leaver){n, wires->peer[place(wires, n, k)], wires->given[place(wires, n, k)]};
}

struct change {
    double gain;
    struct leaver one, other;
};

static int are_linked_instead(const struct rewiring *wires, const struct change *change)
{
    int h = change->one.dropped, g = change->other.dropped;
    return h >= 0 && g >= 0 && may_link(wires, g, h);
}

/* What those who are dropped have afterwards: each other if they may, else nothing instead. */
static double left_behind(const struct rewiring *wires, const struct change *change)
{
    int h = change->one.dropped, g = change->other.dropped;
    double power_h = h >= 0 ? wires->power[h] + change->one.given : 0.0;
    double power_g = g >= 0 ? wires->power[g] + change->other.given : 0.0;
    if (are_linked_instead(wires, change))
        return together(wires, h, power_h, g, power_g);
    return (h >= 0 ? pw_offer_alone(&wires->offers[h], power_h) : 0.0) +
           (g >= 0 ? pw_offer_alone(&wires->offers[g], power_g) : 0.0);
}

/* Sets the gain, -INFINITY if too small to bother or if the change cannot be. */
static void judge(const struct rewiring *wires, struct change *change)
{
    const struct leaver *one = &change->one, *other = &change->other;
    const int involved[] = {one->agent, other->agent, one->dropped, other->dropped};
    double before = -wires->fee * (fabs(one->given) + fabs(other->given)), stake = 0.0;
    change->gain = -INFINITY;
    if (one->dropped >= 0 && one->dropped == other->dropped)
        return;
    for (int k = 0; k < 4; k++) {
        if (involved[k] < 0)
            continue;
        if (wires->busy[involved[k]])
            return;
        double cost = pw_offer_cost(&wires->offers[involved[k]], wires->power[involved[k]]);
        before -= cost;
        stake += fabs(cost);
    }
    double after = together(wires, one->agent, wires->power[one->agent] - one->given, other->agent,
                            wires->power[other->agent] - other->given) +
                   left_behind(wires, change);
    if (after - before > WORTHWHILE * stake)
        change->gain = after - before;
}

/* The best way for i and j to become peers. */
static struct change best_change(const struct rewiring *wires, int i, int j)
{
    struct change best = {.gain = -INFINITY};
    int first_i = wires->degree[i] < wires->cap ? -1 : 0, first_j = wires->degree[j] < wires->cap ? -1 : 0;
    for (int k = first_i; k < wires->degree[i]; k++) {
        for (int l = first_j; l < wires->degree[j]; l++) {
            struct change change = {0.0, leaver_at(wires, i, k), leaver_at(wires, j, l)};
            judge(wires, &change);
            if (change.gain > best.gain)
                best = change;
        }
    }
    return best;
}

/* ---- A slot ---- */

static void leave(struct rewiring *wires, const struct leaver *leaver)
{
    wires->busy[leaver->agent] = 1;
    if (leaver->dropped < 0)
        return;
    drop_end(wires, leaver->agent, leaver->dropped);
    drop_end(wires, leaver->dropped, leaver->agent);
    wires->busy[leaver->dropped] = 1;
}

static void apply(struct rewiring *wires, const struct change *change)
{
    int instead = are_linked_instead(wires, change);
    leave(wires, &change->one);
    leave(wires, &change->other);
    link(wires, change->one.agent, change->other.agent, 0.0);
    if (instead)
        link(wires, change->one.dropped, change->other.dropped, 0.0);
}

static int draw_below(const struct rewiring *wires, long slot, int n, int what, int bound)
{
    struct pw_draw draw = {
        (uint64_t)wires->spec->seed, PW_DRAW_LINKS, {(uint32_t)slot, (uint32_t)n, (uint32_t)what}};
    return (int)(pw_random_uniform(&draw, 0) * bound);
}

/* An agent that n might be linked with, each as likely, or -1. */
static int draw_stranger(const struct rewiring *wires, long slot, int n)
{
    int count = 0, n_agents = wires->market->n_agents;
    for (int j = 0; j < n_agents; j++)
        count += may_link(wires, n, j);
    int skip = count > 0 ? draw_below(wires, slot, n, DRAW_STRANGER, count) : 0;
    for (int j = 0; count > 0 && j < n_agents; j++) {
        if (may_link(wires, n, j) && skip-- == 0)
            return j;
    }
    return -1;
}

static int *draw_order(const struct rewiring *wires, long slot)
{
    int n_agents = wires->market->n_agents, *order = pw_alloc((size_t)n_agents, sizeof *order);
    for (int k = 0; k < n_agents; k++)
        order[k] = k;
    for (int k = 0; k < n_agents; k++) {
        int pick = k + draw_below(wires, slot, k, DRAW_ORDER, n_agents - k), n = order[k];
        order[k] = order[pick];
        order[pick] = n;
    }
    return order;
}

static int change_peers(struct rewiring *wires, long slot)
{
    int changes = 0, *order = draw_order(wires, slot);
    for (int k = 0; k < wires->market->n_agents; k++) {
        int i = order[k], j = wires->busy[i] ? -1 : draw_stranger(wires, slot, i);
        if (j < 0 || wires->busy[j])
            continue;
        struct change change = best_change(wires, i, j);
        if (change.gain == -INFINITY)
            continue;
        apply(wires, &change);
        changes++;
    }
    free(order);
    return changes;
}

/* ---- From the market and back ---- */

static struct rewiring begin(const struct pw_market *market, const struct pw_links_spec *spec, double fee,
                             const double *trade)
{
    size_t n_agents = (size_t)market->n_agents;
    struct rewiring wires = {.market = market, .spec = spec, .fee = 2.0 * fee};
    wires.cap = spec->count < market->n_agents ? (int)spec->count : market->n_agents;
    wires.offers = pw_offers(market, 0);
    wires.degree = pw_alloc(n_agents, 2 * sizeof(int));
    wires.busy = wires.degree + n_agents;
    wires.power = pw_alloc(n_agents, sizeof(double));
    wires.peer = pw_alloc(n_agents, (size_t)wires.cap * sizeof(int));
    wires.given = pw_alloc(n_agents, (size_t)wires.cap * sizeof(double));
    for (int l = 0; l < market->n_links; l++) {
        double power = trade[l * market->n_products];
        link(&wires, market->link_a[l], market->link_b[l], power);
        wires.power[market->link_a[l]] += power;
        wires.power[market->link_b[l]] -= power;
    }
    return wires;
}

static void end(struct rewiring *wires)
{
    free(wires->offers);
    free(wires->degree);
    free(wires->power);
    free(wires->peer);
    free(wires->given);
}

static int list_pairs(const struct rewiring *wires, struct pw_pair *pairs)
{
    int count = 0;
    for (int i = 0; i < wires->market->n_agents; i++) {
        for (int k = 0; k < wires->degree[i]; k++) {
            if (i < wires->peer[place(wires, i, k)])
                pairs[count++] = (struct pw_pair){i, wires->peer[place(wires, i, k)]};
        }
    }
    return count;
}

int pw_choose_adapt(struct pw_market *market, const struct pw_links_spec *spec, double fee,
                    const double *trade, long slot)
{
    struct rewiring wires = begin(market, spec, fee, trade);
    size_t most = (size_t)market->n_agents * (size_t)wires.cap; /* room for either list */
    struct pw_pair *before = pw_alloc(most, sizeof *before), *after = pw_alloc(most, sizeof *after);
    struct pw_error why = {0};
    int n_before = list_pairs(&wires, before), changes = change_peers(&wires, slot);
    int n_after = list_pairs(&wires, after);
    if (changes > 0)
        pw_links_install(market, after, n_after, spec->among_sides, fee);
    if (changes > 0 && pw_feasibility_check(market, &why) != PW_OK) {
        pw_links_install(market, before, n_before, spec->among_sides, fee);
        changes = 0;
    }
    end(&wires);
    free(before);
    free(after);
    return changes;
}
