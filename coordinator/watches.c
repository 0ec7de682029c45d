#include "coordinator/watches.h"

#include <stdlib.h>

#include "common/memory.h"
#include "common/prefetch.h"

/* What is known of a link: the latest offer that left either end, and when. */
struct watch {
    int64_t sent_ns[2];
    int32_t round[2];
    double trade[]; /* [2 * n_products] in it */
};

struct pw_watches {
    const struct pw_host *host;
    int n_products;
    unsigned char *all; /* [links of agents_a here] by watch_of() */
    size_t size;        /* bytes of one */
    int32_t *number;    /* [ends here] -1: agent_a lives elsewhere, or nothing is paired */
};

static struct watch *watch_of(const struct pw_watches *watches, int end)
{
    int32_t number = watches->number[end];
    return number < 0 ? NULL : (struct watch *)(watches->all + (size_t)number * watches->size);
}

/* Numbers the watches in the order of the ends of agents_a, so that those of one agent lie together. */
static int32_t number_ends(struct pw_watches *watches, int ends)
{
    const struct pw_host *host = watches->host;
    int32_t count = 0;
    for (int end = 0; end < ends; end++)
        watches->number[end] = host->routes[end].direction == 0 ? count++ : -1;
    for (int end = 0; end < ends; end++) {
        const struct pw_route *route = &host->routes[end];
        if (route->direction == 1 && route->peer >= host->first && route->peer < host->end)
            watches->number[end] = watches->number[pw_host_end(host, route->peer, route->slot)];
    }
    return count;
}

struct pw_watches *pw_watches_create(const struct pw_host *host, int is_paired)
{
    const struct pw_market *market = host->market;
    struct pw_watches *watches = pw_alloc(1, sizeof *watches);
    int ends = market->end_first[host->end] - market->end_first[host->first];
    watches->host = host;
    watches->n_products = market->n_products;
    watches->number = pw_alloc((size_t)ends, sizeof *watches->number);
    watches->size = sizeof(struct watch) + 2 * (size_t)market->n_products * sizeof(double);
    for (int end = 0; end < ends; end++)
        watches->number[end] = -1;
    int32_t count = is_paired ? number_ends(watches, ends) : 0;
    watches->all = pw_alloc((size_t)count, watches->size);
    for (int end = 0; end < ends; end++) {
        struct watch *watch = watch_of(watches, end);
        if (watch == NULL)
            continue;
        watch->round[0] = -1;
        watch->round[1] = -2; /* not the same */
    }
    return watches;
}

void pw_watches_destroy(struct pw_watches *watches)
{
    if (watches == NULL)
        return;
    free(watches->all);
    free(watches->number);
    free(watches);
}

void pw_watches_fetch_end(const struct pw_watches *watches, int end)
{
    pw_prefetch(&watches->number[end]);
}

void pw_watches_fetch(const struct pw_watches *watches, int end)
{
    if (watches->number[end] >= 0)
        pw_prefetch(watch_of(watches, end));
}

static void note_gap(const struct pw_watches *watches, int link, const struct watch *watch,
                     struct pw_changes *changes)
{
    int64_t both_ns = watch->sent_ns[0] > watch->sent_ns[1] ? watch->sent_ns[0] : watch->sent_ns[1];
    double gap2 = 0.0;
    for (int q = 0; q < watches->n_products; q++) {
        double gap = watch->trade[q] + watch->trade[watches->n_products + q];
        gap2 += gap * gap;
    }
    pw_changes_add_gap(changes, both_ns, link, gap2);
}

void pw_watches_note(struct pw_watches *watches, int end, int direction, const struct pw_flight *flight,
                     struct pw_changes *changes)
{
    struct watch *watch = watch_of(watches, end);
    if (watch == NULL)
        return;
    watch->sent_ns[direction] = flight->sent_ns;
    watch->round[direction] = flight->offer.round;
    pw_copy_reals(watch->trade + direction * watches->n_products, flight->trade, (size_t)watches->n_products);
    if (watch->round[0] == watch->round[1])
        note_gap(watches, watches->host->routes[end].link, watch, changes);
}
