#include "common/structure.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

/* What is to be built. Agents below n_own are those of the tables; managers and operator follow. */
struct plan {
    enum pw_inside inside;
    enum pw_between between;
    int n_own, n_communities;
    int *community;   /* [n_own] -1: none */
    int *size;        /* [n_own] by community */
    int has_managers; /* manager of community c: agent n_own + c */
    int operator_id;  /* -1: none */
};

/* ---- Who belongs together ---- */

struct entry {
    const char *label;
    int agent;
};

static int by_label(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    int order = strcmp(a->label, b->label);
    return order != 0 ? order : (a->agent > b->agent) - (a->agent < b->agent);
}

/* For each agent the first one with the same label [n_agents], for the caller to free. */
static int *first_of_label(const struct pw_market *market, enum pw_label label)
{
    struct entry *entries = pw_alloc((size_t)market->n_agents, sizeof *entries);
    int *first = pw_alloc((size_t)market->n_agents, sizeof *first);
    for (int n = 0; n < market->n_agents; n++)
        entries[n] = (struct entry){pw_market_label(market, label, n), n};
    qsort(entries, (size_t)market->n_agents, sizeof *entries, by_label);
    for (int i = 0; i < market->n_agents; i++) {
        int same = i > 0 && strcmp(entries[i].label, entries[i - 1].label) == 0;
        first[entries[i].agent] = same ? first[entries[i - 1].agent] : entries[i].agent;
    }
    free(entries);
    return first;
}

/* Numbers the communities in the order in which they first occur. */
static void number_communities(const struct pw_market *market, struct plan *plan)
{
    int *first = first_of_label(market, PW_LABEL_COMMUNITY);
    for (int n = 0; n < plan->n_own; n++) {
        if (pw_market_label(market, PW_LABEL_COMMUNITY, n)[0] == '\0')
            plan->community[n] = -1;
        else
            plan->community[n] = first[n] == n ? plan->n_communities++ : plan->community[first[n]];
        if (plan->community[n] >= 0)
            plan->size[plan->community[n]]++;
    }
    free(first);
}

static struct plan make_plan(const struct pw_market *market, const struct pw_links_spec *spec)
{
    struct plan plan = {.inside = spec->inside, .between = spec->between, .n_own = market->n_agents};
    int is_pool = spec->kind == PW_LINKS_POOL;
    plan.community = pw_alloc((size_t)plan.n_own, sizeof(int));
    plan.size = pw_alloc((size_t)plan.n_own, sizeof(int));
    if (is_pool)
        plan.between = PW_BETWEEN_POOL;
    for (int n = 0; is_pool && n < plan.n_own; n++)
        plan.community[n] = -1;
    if (!is_pool)
        number_communities(market, &plan);
    plan.has_managers = !is_pool && (plan.inside == PW_INSIDE_MANAGER || plan.between != PW_BETWEEN_MEMBERS);
    plan.operator_id =
        plan.between == PW_BETWEEN_POOL ? plan.n_own + (plan.has_managers ? plan.n_communities : 0) : -1;
    return plan;
}

static void free_plan(struct plan *plan)
{
    free(plan->community);
    free(plan->size);
}

/* ---- The agents ---- */

/* The agent that stands for n: its manager (or the operator, where `highest`), -1 where there is none. */
static int who_serves(const struct plan *plan, int n, int highest)
{
    if (highest)
        return plan->operator_id;
    return plan->has_managers && plan->community[n] >= 0 ? plan->n_own + plan->community[n] : -1;
}

/* Where those that it serves are in the mean. */
static void place_added(struct pw_market *market, const struct plan *plan)
{
    int *count = pw_alloc((size_t)market->n_agents, sizeof *count);
    for (int n = 0; n < plan->n_own; n++) {
        for (int highest = 0; highest < 2; highest++) {
            int added = who_serves(plan, n, highest);
            if (added < 0)
                continue;
            count[added]++;
            market->x[added] += (market->x[n] - market->x[added]) / count[added];
            market->y[added] += (market->y[n] - market->y[added]) / count[added];
        }
    }
    free(count);
}

static void relabel(char **label, const char *text)
{
    char *copy = pw_strdup(text);
    free(*label);
    *label = copy;
}

/* The label that all have that it serves, "" where they differ. */
static void label_added(struct pw_market *market, const struct plan *plan, char **label)
{
    unsigned char *known = pw_alloc((size_t)market->n_agents, 1);
    for (int n = 0; n < plan->n_own; n++) {
        for (int highest = 0; highest < 2; highest++) {
            int added = who_serves(plan, n, highest);
            if (added < 0)
                continue;
            if (!known[added])
                relabel(&label[added], label[n]);
            else if (strcmp(label[added], label[n]) != 0)
                relabel(&label[added], "");
            known[added] = 1;
        }
    }
    free(known);
}

static void add_agents(struct pw_market *market, const struct plan *plan)
{
    int n_managers = plan->has_managers ? plan->n_communities : 0;
    int count = n_managers + (plan->operator_id >= 0);
    char **names = pw_alloc((size_t)count, sizeof *names);
    char text[80];
    for (int n = 0; n < plan->n_own && n_managers > 0; n++) {
        int c = plan->community[n];
        if (c < 0 || names[c] != NULL)
            continue;
        snprintf(text, sizeof text, "manager-%s", pw_market_label(market, PW_LABEL_COMMUNITY, n));
        names[c] = pw_strdup(text);
    }
    if (plan->operator_id >= 0)
        names[n_managers] = pw_strdup("operator");
    pw_market_add_agents(market, names, count);
    free(names);
    if (market->x != NULL)
        place_added(market, plan);
    if (market->label[PW_LABEL_ZONE] != NULL)
        label_added(market, plan, market->label[PW_LABEL_ZONE]);
    if (market->label[PW_LABEL_COMMUNITY] != NULL)
        label_added(market, plan, market->label[PW_LABEL_COMMUNITY]);
}

/* ---- The links ---- */

static double pairs(double count)
{
    return count * (count - 1.0) / 2.0;
}

/* How many links there will be. */
static double count_links(const struct plan *plan)
{
    double members = 0.0, inside = 0.0;
    for (int c = 0; c < plan->n_communities; c++) {
        members += plan->size[c];
        inside += pairs(plan->size[c]);
    }
    double top = plan->n_communities + (plan->n_own - members), links = 0.0;
    if (plan->inside == PW_INSIDE_MESH)
        links += inside;
    if (plan->has_managers)
        links += members;
    if (plan->between == PW_BETWEEN_MEMBERS)
        return links + pairs(plan->n_own) - inside;
    return links + (plan->between == PW_BETWEEN_POOL ? top : pairs(top));
}

static void link(struct pw_market *market, int *count, int a, int b)
{
    market->link_a[*count] = a;
    market->link_b[(*count)++] = b;
}

/* Every two agents of one community, or of different ones: agents without one are alone in theirs. */
static void link_members(struct pw_market *market, const struct plan *plan, int *count)
{
    int inside = plan->inside == PW_INSIDE_MESH, between = plan->between == PW_BETWEEN_MEMBERS;
    for (int i = 0; (inside || between) && i < plan->n_own; i++) {
        for (int j = i + 1; j < plan->n_own; j++) {
            int together = plan->community[i] >= 0 && plan->community[i] == plan->community[j];
            if (together ? inside : between)
                link(market, count, i, j);
        }
    }
}

/* Managers, and agents that stand beside them: with each other or with the operator. */
static void link_top(struct pw_market *market, const struct plan *plan, int *count)
{
    int *top = pw_alloc((size_t)(plan->n_own + plan->n_communities), sizeof *top), n_top = 0;
    for (int n = 0; n < plan->n_own; n++)
        if (plan->community[n] < 0)
            top[n_top++] = n;
    for (int c = 0; c < plan->n_communities; c++)
        top[n_top++] = plan->n_own + c;
    for (int i = 0; i < n_top; i++) {
        if (plan->between == PW_BETWEEN_POOL)
            link(market, count, top[i], plan->operator_id);
        for (int j = i + 1; plan->between == PW_BETWEEN_MESH && j < n_top; j++)
            link(market, count, top[i], top[j]);
    }
    free(top);
}

static void install(struct pw_market *market, const struct plan *plan, int n_links, double fee)
{
    int count = 0;
    pw_market_set_link_count(market, n_links);
    for (int i = 0; i < n_links * market->n_products; i++)
        market->fee_a[i] = market->fee_b[i] = fee;
    link_members(market, plan, &count);
    for (int n = 0; plan->has_managers && n < plan->n_own; n++)
        if (plan->community[n] >= 0)
            link(market, &count, n, plan->n_own + plan->community[n]);
    if (plan->between != PW_BETWEEN_MEMBERS)
        link_top(market, plan, &count);
    pw_market_index(market);
}

static enum pw_code build(struct pw_market *market, const struct plan *plan, double fee, struct pw_error *err)
{
    static const double MOST_LINKS = INT_MAX / 2 - 1;
    double n_links = count_links(plan);
    if (n_links > MOST_LINKS)
        return pw_fail(err, PW_USAGE, "%.3g links, but %.0f are the most", n_links, MOST_LINKS);
    add_agents(market, plan);
    install(market, plan, (int)n_links, fee);
    return PW_OK;
}

enum pw_code pw_structure_build(struct pw_market *market, const struct pw_links_spec *spec, double fee,
                                struct pw_error *err)
{
    struct plan plan = make_plan(market, spec);
    enum pw_code code;
    if (spec->kind == PW_LINKS_COMMUNITIES && plan.n_communities == 0)
        code = pw_fail(err, PW_USAGE,
                       market->label[PW_LABEL_COMMUNITY] != NULL
                           ? "no agent has a community: the column community of the agents table is empty"
                           : "communities needs the column community in the agents table "
                             "(market.agents), or market.generate.communities");
    else
        code = build(market, &plan, fee, err);
    free_plan(&plan);
    return code;
}
