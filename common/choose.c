#include "common/choose.h"

#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "common/offer.h"
#include "common/random.h"

enum { BISECTIONS = 100 };
static const double NEGLIGIBLE = 1e-9; /* of a planned power */

/* A choice under way. */
struct chooser {
    const struct pw_market *market;
    const struct pw_links_spec *spec;
    struct pw_offer *offers;
    double fee; /* of both ends */
    int cap;
    int *peers, *degree;      /* [n_agents * cap], [n_agents] */
    int *tree;                /* [n_agents] a parent: agents that links join have the same root */
    double *sold, *bought;    /* [n_agents] what the links so far are meant to carry */
    double *to_sell, *to_buy; /* [n_agents] the plan, where there is one */
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
    struct pw_draw draw = {(uint64_t)chooser->spec->seed,
                           PW_DRAW_LINKS,
                           {(uint32_t)(i < j ? i : j), (uint32_t)(i < j ? j : i), 2}};
    return possible(chooser, i, j) ? pw_random_uniform(&draw, 0) : IMPOSSIBLE;
}

static double by_distance(const struct chooser *chooser, int i, int j)
{
    const struct pw_market *market = chooser->market;
    return possible(chooser, i, j) ? -hypot(market->x[i] - market->x[j], market->y[i] - market->y[j])
                                   : IMPOSSIBLE;
}

/* The gain of a sale of i to j beyond what the links so far cover, and how much that would be. */
static double more_gain(const struct chooser *chooser, int i, int j, double *power)
{
    return pw_offer_gain(&chooser->offers[i].sell, chooser->sold[i], &chooser->offers[j].buy,
                         chooser->bought[j], chooser->fee, power);
}

static double by_more_gain(const struct chooser *chooser, int i, int j)
{
    if (!possible(chooser, i, j))
        return IMPOSSIBLE;
    double more = fmax(more_gain(chooser, i, j, NULL), more_gain(chooser, j, i, NULL));
    return more > 0.0 ? more : IMPOSSIBLE;
}

static double by_more_gain_in_forest(const struct chooser *chooser, int i, int j)
{
    return joins(chooser, i, j) ? by_more_gain(chooser, i, j) : IMPOSSIBLE;
}

static double by_lot_in_forest(const struct chooser *chooser, int i, int j)
{
    return joins(chooser, i, j) ? by_lot(chooser, i, j) : IMPOSSIBLE;
}

/* ---- Links ---- */

static void carry(struct chooser *chooser, int seller, int buyer, double power)
{
    chooser->sold[seller] += power;
    chooser->bought[buyer] += power;
}

/* Notes what a new link is meant to carry: what both gain most by. */
static void cover(struct chooser *chooser, int i, int j)
{
    double forth_power, back_power;
    int back = more_gain(chooser, i, j, &forth_power) < more_gain(chooser, j, i, &back_power);
    carry(chooser, back ? j : i, back ? i : j, back ? back_power : forth_power);
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
    struct favourites best = {pw_alloc((size_t)n_agents, sizeof(int)),
                              pw_alloc((size_t)n_agents, sizeof(double))};
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
        carry(chooser, sells ? neediest : helper, sells ? helper : neediest, power);
        link(chooser, neediest, helper);
    }
}

/* ---- The ways ---- */

/* What everybody sells and buys at one price; returns by how much more is sold. */
static double plan_at(struct chooser *chooser, double price)
{
    double surplus = 0.0;
    for (int n = 0; n < chooser->market->n_agents; n++) {
        const struct pw_offer *offer = &chooser->offers[n];
        chooser->to_sell[n] = pw_offer_power(&offer->sell, price - chooser->fee / 2.0, 0);
        chooser->to_buy[n] = pw_offer_power(&offer->buy, price + chooser->fee / 2.0, 1);
        surplus += chooser->to_sell[n] - chooser->to_buy[n];
    }
    return surplus;
}

static void widen(const struct pw_offer_side *side, double fee, double *low, double *high)
{
    if (side->room <= 0.0)
        return;
    double end = side->price + side->slope * side->room;
    *low = fmin(*low, fmin(side->price, end) - fee);
    *high = fmax(*high, fmax(side->price, end) + fee);
}

/* Plans what the whole market would trade if all could trade with all: at the price that balances the offers.
 */
static void plan(struct chooser *chooser)
{
    double low = INFINITY, high = -INFINITY;
    for (int n = 0; n < chooser->market->n_agents; n++) {
        widen(&chooser->offers[n].sell, chooser->fee, &low, &high);
        widen(&chooser->offers[n].buy, chooser->fee, &low, &high);
    }
    for (int k = 0; k < BISECTIONS && low < high; k++) {
        double price = low + (high - low) / 2.0;
        if (plan_at(chooser, price) > 0.0)
            high = price;
        else
            low = price;
    }
}

/* The agent of whose plan most is left, of those that can still be linked (with i, in a forest, if i >= 0);
 * -1 if nothing is left but rounding. */
static int most_left(const struct chooser *chooser, const double *planned, const double *carried, int i)
{
    int best = -1;
    double most = 0.0;
    for (int n = 0; n < chooser->market->n_agents; n++) {
        double left = planned[n] - carried[n];
        int fits =
            i >= 0 ? possible(chooser, i, n) && joins(chooser, i, n) : chooser->degree[n] < chooser->cap;
        if (!fits || left <= most || left <= NEGLIGIBLE * planned[n])
            continue;
        best = n;
        most = left;
    }
    return best;
}

/* Links that carry the plan: the largest sale left with the largest purchase left, which keeps branches few.
 */
static void link_plan(struct chooser *chooser)
{
    plan(chooser);
    for (;;) {
        int seller = most_left(chooser, chooser->to_sell, chooser->sold, -1);
        int buyer = seller >= 0 ? most_left(chooser, chooser->to_buy, chooser->bought, seller) : -1;
        if (seller < 0)
            return;
        if (buyer < 0) { /* nobody is left for it */
            chooser->to_sell[seller] = 0.0;
            continue;
        }
        link(chooser, seller, buyer);
        carry(chooser, seller, buyer,
              fmin(chooser->to_sell[seller] - chooser->sold[seller],
                   chooser->to_buy[buyer] - chooser->bought[buyer]));
    }
}

static void choose_by(struct chooser *chooser, score_function *score, int must_first)
{
    if (must_first)
        serve_needs(chooser, score);
    link_best(chooser, score);
}

/* Lots at the end: links that gain nothing by themselves serve best where they mix the agents. */
static void choose_by_offers(struct chooser *chooser, int planned, int must_first)
{
    if (must_first)
        serve_needs(chooser, by_more_gain);
    if (planned)
        link_plan(chooser);
    link_best(chooser, by_more_gain_in_forest);
    link_best(chooser, by_lot_in_forest);
    link_best(chooser, by_more_gain);
    link_best(chooser, by_lot);
}

int pw_choose_allowed(const struct pw_market *market, const struct pw_links_spec *spec, int i, int j)
{
    return i != j &&
           (!spec->among_sides ||
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
    chooser.sold = pw_alloc(n_agents, 4 * sizeof(double));
    chooser.bought = chooser.sold + n_agents;
    chooser.to_sell = chooser.bought + n_agents;
    chooser.to_buy = chooser.to_sell + n_agents;
    for (int n = 0; n < market->n_agents; n++)
        chooser.tree[n] = n;
    if (spec->choose == PW_CHOOSE_GREEDY || spec->choose == PW_CHOOSE_PLANNED)
        choose_by_offers(&chooser, spec->choose == PW_CHOOSE_PLANNED, must_first);
    else
        choose_by(&chooser, spec->choose == PW_CHOOSE_NEAREST ? by_distance : by_lot, must_first);
    free(chooser.offers);
    free(chooser.peers);
    free(chooser.degree);
    free(chooser.sold);
    return chooser.n_pairs;
}
