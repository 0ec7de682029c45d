#include "common/choose.h"

#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "common/offer.h"
#include "common/random.h"

/* A choice under way. */
struct chooser {
    const struct pw_market *market;
    const struct pw_links_spec *spec;
    struct pw_offer *offers;
    double fee; /* of both ends */
    int cap;
    int *peers, *degree;   /* [n_agents * cap], [n_agents] */
    int *tree;             /* [n_agents] a parent: agents that links join have the same root */
    double *sold, *bought; /* [n_agents] what the links so far are meant to carry */
    struct pw_pair *pairs;
    int n_pairs;
};

/* Ranks a pair; IMPOSSIBLE: not to be linked. Never rises while links are added. */
typedef double score_function(const struct chooser *chooser, int i, int j);
#define IMPOSSIBLE (-INFINITY)

static int allowed(const struct chooser *chooser, int i, int j)
{
    const struct pw_offer *a = &chooser->offers[i], *b = &chooser->offers[j];
    return !chooser->spec->among_sides || (a->sell.room > 0.0 && b->buy.room > 0.0) ||
           (b->sell.room > 0.0 && a->buy.room > 0.0);
}

static int linked(const struct chooser *chooser, int i, int j)
{
    for (int k = 0; k < chooser->degree[i]; k++) {
        if (chooser->peers[(size_t)i * (size_t)chooser->cap + (size_t)k] == j)
            return 1;
    }
    return 0;
}

static int possible(const struct chooser *chooser, int i, int j)
{
    return i != j && chooser->degree[i] < chooser->cap && chooser->degree[j] < chooser->cap &&
           allowed(chooser, i, j) && !linked(chooser, i, j);
}

static int root(const struct chooser *chooser, int n)
{
    int *tree = chooser->tree;
    while (tree[n] != n)
        n = tree[n] = tree[tree[n]];
    return n;
}

static int joins(const struct chooser *chooser, int i, int j)
{
    return root(chooser, i) != root(chooser, j);
}

/* ---- Scores ---- */

static double by_lot(const struct chooser *chooser, int i, int j)
{
    struct pw_draw draw = {
        (uint64_t)chooser->spec->seed, PW_DRAW_LINKS, {(uint32_t)(i < j ? i : j), (uint32_t)(i < j ? j : i), 2}};
    return possible(chooser, i, j) ? pw_random_uniform(&draw, 0) : IMPOSSIBLE;
}

static double by_distance(const struct chooser *chooser, int i, int j)
{
    const struct pw_market *market = chooser->market;
    return possible(chooser, i, j) ? -hypot(market->x[i] - market->x[j], market->y[i] - market->y[j])
                                   : IMPOSSIBLE;
}

/* The gain of i and j, whoever sells, beyond what `sold` and `bought` say (NULL: nothing) is covered. */
static double gain(const struct chooser *chooser, int i, int j, const double *sold, const double *bought)
{
    const struct pw_offer *a = &chooser->offers[i], *b = &chooser->offers[j];
    double forth = pw_offer_gain(&a->sell, sold ? sold[i] : 0.0, &b->buy, bought ? bought[j] : 0.0, chooser->fee, NULL);
    double back = pw_offer_gain(&b->sell, sold ? sold[j] : 0.0, &a->buy, bought ? bought[i] : 0.0, chooser->fee, NULL);
    return fmax(forth, back);
}

static double by_more_gain(const struct chooser *chooser, int i, int j)
{
    double more = possible(chooser, i, j) ? gain(chooser, i, j, chooser->sold, chooser->bought) : 0.0;
    return more > 0.0 ? more : IMPOSSIBLE;
}

static double by_more_gain_in_forest(const struct chooser *chooser, int i, int j)
{
    return joins(chooser, i, j) ? by_more_gain(chooser, i, j) : IMPOSSIBLE;
}

static double by_gain_in_forest(const struct chooser *chooser, int i, int j)
{
    return possible(chooser, i, j) && joins(chooser, i, j) ? gain(chooser, i, j, NULL, NULL) : IMPOSSIBLE;
}

static double by_gain(const struct chooser *chooser, int i, int j)
{
    return possible(chooser, i, j) ? gain(chooser, i, j, NULL, NULL) : IMPOSSIBLE;
}

/* ---- Links ---- */

/* Notes what a new link is meant to carry. */
static void cover(struct chooser *chooser, int i, int j)
{
    const struct pw_offer *a = &chooser->offers[i], *b = &chooser->offers[j];
    double *sold = chooser->sold, *bought = chooser->bought, forth_power, back_power;
    double forth = pw_offer_gain(&a->sell, sold[i], &b->buy, bought[j], chooser->fee, &forth_power);
    double back = pw_offer_gain(&b->sell, sold[j], &a->buy, bought[i], chooser->fee, &back_power);
    int seller = forth >= back ? i : j, buyer = forth >= back ? j : i;
    sold[seller] += forth >= back ? forth_power : back_power;
    bought[buyer] += forth >= back ? forth_power : back_power;
}

static void link(struct chooser *chooser, int i, int j)
{
    size_t cap = (size_t)chooser->cap;
    chooser->peers[(size_t)i * cap + (size_t)chooser->degree[i]++] = j;
    chooser->peers[(size_t)j * cap + (size_t)chooser->degree[j]++] = i;
    chooser->tree[root(chooser, i)] = root(chooser, j);
    chooser->pairs[chooser->n_pairs++] = (struct pw_pair){i < j ? i : j, i < j ? j : i};
}

/* The best partner of each agent; an upper bound of what it can still have, as scores only fall. */
struct favourites {
    int *partner;
    double *score;
};

static void find_favourite(const struct chooser *chooser, score_function *score, int i,
                           struct favourites *best)
{
    best->partner[i] = -1;
    best->score[i] = IMPOSSIBLE;
    for (int j = 0; j < chooser->market->n_agents && chooser->degree[i] < chooser->cap; j++) {
        double value = score(chooser, i, j);
        if (value > best->score[i]) {
            best->score[i] = value;
            best->partner[i] = j;
        }
    }
}

/* Links the pair of the best score, again and again, until none is possible. */
static void link_best(struct chooser *chooser, score_function *score)
{
    int n_agents = chooser->market->n_agents;
    struct favourites best = {pw_alloc((size_t)n_agents, sizeof(int)), pw_alloc((size_t)n_agents, sizeof(double))};
    for (int i = 0; i < n_agents; i++)
        find_favourite(chooser, score, i, &best);
    for (;;) {
        int i = 0;
        for (int n = 1; n < n_agents; n++)
            i = best.score[n] > best.score[i] ? n : i;
        if (n_agents == 0 || best.partner[i] < 0)
            break;
        int j = best.partner[i];
        if (score(chooser, i, j) == best.score[i]) {
            link(chooser, i, j);
            cover(chooser, i, j);
        }
        find_favourite(chooser, score, i, &best);
    }
    free(best.partner);
    free(best.score);
}

/* ---- Those who must trade ---- */

static double need(const struct chooser *chooser, int n)
{
    const struct pw_offer *offer = &chooser->offers[n];
    return fmax(offer->sell.must - chooser->sold[n], offer->buy.must - chooser->bought[n]);
}

/* What agent i can have of what n needs. */
static double spare(const struct chooser *chooser, int n, int i)
{
    const struct pw_offer *offer = &chooser->offers[i];
    return chooser->offers[n].sell.must > 0.0 ? offer->buy.room - chooser->bought[i]
                                               : offer->sell.room - chooser->sold[i];
}

/* The partner for all that n needs, by score; or, if nobody has that much, the one who has most. */
static int helper_of(const struct chooser *chooser, score_function *score, int n)
{
    int helper = -1;
    double want = need(chooser, n), most = 0.0, best = IMPOSSIBLE;
    for (int i = 0; i < chooser->market->n_agents; i++) {
        double has = possible(chooser, n, i) ? fmin(spare(chooser, n, i), want) : 0.0;
        double value = has > 0.0 ? score(chooser, n, i) : IMPOSSIBLE;
        if (has > most || (has > 0.0 && has == most && value > best)) {
            helper = i;
            most = has;
            best = value;
        }
    }
    return helper;
}

/* Links agents that must trade, the largest need first, until all have partners enough or nobody is left. */
static void serve_needs(struct chooser *chooser, score_function *score)
{
    for (;;) {
        int neediest = -1, helper = -1;
        for (int n = 0; n < chooser->market->n_agents; n++) {
            if (need(chooser, n) <= 0.0 || (neediest >= 0 && need(chooser, n) <= need(chooser, neediest)))
                continue;
            int found = helper_of(chooser, score, n);
            neediest = found >= 0 ? n : neediest;
            helper = found >= 0 ? found : helper;
        }
        if (neediest < 0)
            return;
        double power = fmin(need(chooser, neediest), spare(chooser, neediest, helper));
        int sells = chooser->offers[neediest].sell.must > 0.0;
        chooser->sold[sells ? neediest : helper] += power;
        chooser->bought[sells ? helper : neediest] += power;
        link(chooser, neediest, helper);
    }
}

/* ---- The ways ---- */

static void choose_by(struct chooser *chooser, score_function *score, int must_first)
{
    if (must_first)
        serve_needs(chooser, score);
    link_best(chooser, score);
}


static double pw(const struct pw_offer_side *s, double price, int buys)
{
    if (s->room <= 0) return 0;
    double d = buys ? s->price - price : price - s->price, sl = fabs(s->slope);
    double x = sl > 0 ? d / sl : d > 0 ? s->room : 0;
    return fmin(fmax(x, s->must), s->room);
}
static void plan(struct chooser *c)
{
    double low = -1e3, high = 1e3;
    int n_agents = c->market->n_agents;
    for (int k = 0; k < 100; k++) {
        double m = (low + high) / 2, sum = 0;
        for (int n = 0; n < n_agents; n++)
            sum += pw(&c->offers[n].sell, m - c->fee / 2, 0) - pw(&c->offers[n].buy, m + c->fee / 2, 1);
        if (sum > 0) high = m; else low = m;
    }
    for (int n = 0; n < n_agents; n++) {
        c->offers[n].sell.room = pw(&c->offers[n].sell, low - c->fee / 2, 0);
        c->offers[n].buy.room = pw(&c->offers[n].buy, low + c->fee / 2, 1);
    }
}
static double by_size(const struct chooser *chooser, int i, int j)
{
    if (!joins(chooser,i,j) || !possible(chooser,i,j)) return IMPOSSIBLE;
    double p = fmax(fmin(chooser->offers[i].sell.room - chooser->sold[i], chooser->offers[j].buy.room - chooser->bought[j]),
     fmin(chooser->offers[j].sell.room - chooser->sold[j], chooser->offers[i].buy.room - chooser->bought[i]));
    return p > 1e-9 ? p : IMPOSSIBLE;
}
static void choose_greedily(struct chooser *chooser, int must_first)
{
    const char *v = getenv("V");
    if (must_first)
        serve_needs(chooser, by_gain);
    for (; *v; v++) {
    struct pw_offer *o = chooser->offers;
    switch (*v) {
    case 'P': plan(chooser); break;
    case 'O': free(o); chooser->offers = pw_offers(chooser->market, 0); break;
    case 's': link_best(chooser, by_size); break;
    case 'f': link_best(chooser, by_more_gain_in_forest);break;
    case 'j': link_best(chooser, by_gain_in_forest);break;
    case 'm': link_best(chooser, by_more_gain); break;
    case 'g': link_best(chooser, by_gain); break;
    case 'l': link_best(chooser, by_lot); break;
    }}
}

int pw_choose_allowed(const struct pw_market *market, const struct pw_links_spec *spec, int i, int j)
{
    return i != j && (!spec->among_sides ||
                      (pw_market_agent_p_max(market, i, 0) > 0.0 && pw_market_agent_p_min(market, j, 0) < 0.0) ||
                      (pw_market_agent_p_max(market, j, 0) > 0.0 && pw_market_agent_p_min(market, i, 0) < 0.0));
}

int pw_choose(const struct pw_market *market, const struct pw_links_spec *spec, double fee, int must_first,
              struct pw_pair *pairs)
{
    size_t n_agents = (size_t)market->n_agents;
    int cap = spec->count < market->n_agents ? (int)spec->count : market->n_agents;
    struct chooser chooser = {.market = market, .spec = spec, .fee = 2.0 * fee, .cap = cap, .pairs = pairs};
    chooser.offers = pw_offers(market, 0);
    chooser.peers = pw_alloc(n_agents, (size_t)cap * sizeof(int));
    chooser.degree = pw_alloc(n_agents, 2 * sizeof(int));
    chooser.tree = chooser.degree + n_agents;
    chooser.sold = pw_alloc(n_agents, 2 * sizeof(double));
    chooser.bought = chooser.sold + n_agents;
    for (int n = 0; n < market->n_agents; n++)
        chooser.tree[n] = n;
    if (spec->choose == PW_CHOOSE_GREEDY)
        choose_greedily(&chooser, must_first);
    else
        choose_by(&chooser, spec->choose == PW_CHOOSE_NEAREST ? by_distance : by_lot, must_first);
    free(chooser.offers);
    free(chooser.peers);
    free(chooser.degree);
    free(chooser.sold);
    return chooser.n_pairs;
}
