#include "common/outcome_pack.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

struct head {
    int n_agents, n_links, n_products, n_samples, n_events, unused;
    struct pw_summary summary;
};

/* The arrays that are kept, in the order of the bytes. */
struct column {
    void *values;
    size_t size;
};

enum { COLUMNS = 19 };

static void list_columns(const struct pw_outcome *outcome, struct column columns[COLUMNS])
{
    size_t agents = (size_t)outcome->n_agents, links = (size_t)outcome->n_links;
    size_t reals = sizeof(double), products = (size_t)outcome->n_products;
    const struct column all[COLUMNS] = {
        {outcome->power, agents * products * reals},
        {outcome->price, agents * products * reals},
        {outcome->remainder, agents * products * reals},
        {outcome->cost, agents * reals},
        {outcome->fees, agents * reals},
        {outcome->welfare, agents * reals},
        {outcome->wait_s, agents * reals},
        {outcome->compute_s, agents * reals},
        {outcome->peers, agents * sizeof(int)},
        {outcome->iterations, agents * sizeof(long)},
        {outcome->messages_sent, agents * sizeof(long)},
        {outcome->trade, links * products * reals},
        {outcome->price_a, links * products * reals},
        {outcome->price_b, links * products * reals},
        {outcome->penalty, links * reals},
        {outcome->rounds, links * sizeof(int)},
        {outcome->messages, links * sizeof(long)},
        {outcome->settled_time_s, links * reals},
        {outcome->samples, (size_t)outcome->n_samples * sizeof *outcome->samples},
    };
    memcpy(columns, all, sizeof all);
}

static size_t events_size(const struct pw_outcome *outcome)
{
    return (size_t)outcome->n_events * sizeof *outcome->events;
}

size_t pw_outcome_pack_size(const struct pw_outcome *outcome)
{
    struct column columns[COLUMNS];
    size_t size = sizeof(struct head) + events_size(outcome);
    list_columns(outcome, columns);
    for (int i = 0; i < COLUMNS; i++)
        size += columns[i].size;
    return size;
}

void pw_outcome_pack(const struct pw_outcome *outcome, unsigned char *bytes)
{
    struct column columns[COLUMNS];
    struct head head = {outcome->n_agents,  outcome->n_links,  outcome->n_products,
                        outcome->n_samples, outcome->n_events, 0,
                        outcome->summary};
    head.summary.clock = NULL;
    memcpy(bytes, &head, sizeof head);
    bytes += sizeof head;
    list_columns(outcome, columns);
    for (int i = 0; i < COLUMNS; bytes += columns[i++].size)
        if (columns[i].size > 0)
            memcpy(bytes, columns[i].values, columns[i].size);
    if (outcome->n_events > 0)
        memcpy(bytes, outcome->events, events_size(outcome));
}

/* An outcome of these sizes, its arrays zeroed. */
static struct pw_outcome *make(const struct head *head)
{
    struct pw_outcome *outcome = pw_outcome_create(head->n_agents, head->n_links, head->n_products);
    outcome->summary = head->summary;
    outcome->n_samples = head->n_samples;
    outcome->n_events = head->n_events;
    if (head->n_samples > 0)
        outcome->samples = pw_alloc((size_t)head->n_samples, sizeof *outcome->samples);
    if (head->n_events > 0)
        outcome->events = pw_alloc((size_t)head->n_events, sizeof *outcome->events);
    return outcome;
}

/* No count is more than the bytes could hold. */
static int is_plausible(const struct head *head, size_t size)
{
    const int counts[] = {head->n_agents, head->n_links, head->n_samples, head->n_events};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        if (counts[i] < 0 || (size_t)counts[i] > size)
            return 0;
    }
    return head->n_products >= 1 && (size_t)head->n_products <= size;
}

/* What pw_outcome_pack_size() would say, from the head alone; nothing overflows after is_plausible(). */
static size_t size_of(const struct head *head)
{
    struct pw_outcome shape = {.n_agents = head->n_agents,
                               .n_links = head->n_links,
                               .n_products = head->n_products,
                               .n_samples = head->n_samples,
                               .n_events = head->n_events};
    return pw_outcome_pack_size(&shape);
}

struct pw_outcome *pw_outcome_unpack(const unsigned char *bytes, size_t size)
{
    struct column columns[COLUMNS];
    struct head head;
    if (size < sizeof head)
        return NULL;
    memcpy(&head, bytes, sizeof head);
    if (!is_plausible(&head, size) || size_of(&head) != size)
        return NULL;
    bytes += sizeof head;
    struct pw_outcome *outcome = make(&head);
    list_columns(outcome, columns);
    for (int i = 0; i < COLUMNS; bytes += columns[i++].size)
        if (columns[i].size > 0)
            memcpy(columns[i].values, bytes, columns[i].size);
    if (outcome->n_events > 0)
        memcpy(outcome->events, bytes, events_size(outcome));
    return outcome;
}
