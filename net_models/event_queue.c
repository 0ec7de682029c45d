#include "net_models/event_queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/prefetch.h"

enum { NONE = -1, FEWEST_BUCKETS = 64, MOST_BUCKETS = 1 << 21, WIDEST_SHIFT = 40 };

/* So many buckets ahead of the current one the first event is fetched into the cache. */
enum { FETCH_AHEAD = 24 };

/* An event in a list of its bucket, followed by its payload. */
struct node {
    int64_t time_ns;
    int32_t next;
    unsigned char payload[];
};

/* For sorting. */
struct timed {
    int64_t time_ns;
    int32_t node;
};

/* The bucket `now` covers [start_ns, start_ns + width); its events lie in `current`, latest first. Those of
 * the buckets after it are in lists, those beyond the ring in `later`. */
struct pw_event_queue {
    size_t size, count;
    unsigned char *nodes; /* by node_at() */
    size_t node_size;
    int32_t n_nodes, free_node;

    int32_t *heads;       /* [n_buckets] */
    int n_buckets, shift; /* width = 1 << shift nanoseconds */
    int now;
    int64_t start_ns;
    size_t in_ring; /* events in the lists */

    int32_t *current;
    struct timed *scratch; /* for sorting it */
    size_t n_current, current_room;

    int32_t later;
    int64_t later_ns; /* earliest of them */
};

static struct node *node_at(const struct pw_event_queue *queue, int32_t node)
{
    return (struct node *)(queue->nodes + (size_t)node * queue->node_size);
}

static int log2_above(int64_t value)
{
    int shift = 0;
    while (shift < 62 && ((int64_t)1 << shift) < value)
        shift++;
    return shift;
}

static void add_nodes(struct pw_event_queue *queue, int32_t count)
{
    int32_t old = queue->n_nodes;
    queue->n_nodes = old + count;
    queue->nodes = pw_realloc(queue->nodes, (size_t)queue->n_nodes, queue->node_size);
    for (int32_t i = old; i < queue->n_nodes; i++)
        node_at(queue, i)->next = i + 1 < queue->n_nodes ? i + 1 : queue->free_node;
    queue->free_node = old;
}

struct pw_event_queue *pw_event_queue_create(size_t size, size_t room, int64_t span_ns)
{
    struct pw_event_queue *queue = pw_alloc(1, sizeof *queue);
    queue->n_buckets = FEWEST_BUCKETS;
    while (queue->n_buckets < MOST_BUCKETS && (size_t)queue->n_buckets < 2 * room)
        queue->n_buckets *= 2;
    queue->shift = log2_above(span_ns / queue->n_buckets + 1);
    queue->shift = queue->shift < WIDEST_SHIFT ? queue->shift : WIDEST_SHIFT;
    queue->heads = pw_alloc((size_t)queue->n_buckets, sizeof *queue->heads);
    for (int i = 0; i < queue->n_buckets; i++)
        queue->heads[i] = NONE;
    queue->size = size;
    queue->node_size = (offsetof(struct node, payload) + size + 7) / 8 * 8;
    queue->free_node = queue->later = NONE;
    queue->later_ns = INT64_MAX;
    add_nodes(queue, (int32_t)(room < 64 ? 64 : room));
    return queue;
}

void pw_event_queue_destroy(struct pw_event_queue *queue)
{
    if (queue == NULL)
        return;
    free(queue->nodes);
    free(queue->heads);
    free(queue->current);
    free(queue->scratch);
    free(queue);
}

size_t pw_event_queue_count(const struct pw_event_queue *queue)
{
    return queue->count;
}

static void make_room(struct pw_event_queue *queue, size_t count)
{
    if (count <= queue->current_room)
        return;
    queue->current_room = 2 * count + 64;
    queue->current = pw_realloc(queue->current, queue->current_room, sizeof *queue->current);
    queue->scratch = pw_realloc(queue->scratch, queue->current_room, sizeof *queue->scratch);
}

/* Into the current bucket, behind everything later. */
static void insert_current(struct pw_event_queue *queue, int32_t node)
{
    make_room(queue, queue->n_current + 1);
    size_t i = queue->n_current++;
    for (; i > 0 && node_at(queue, queue->current[i - 1])->time_ns < node_at(queue, node)->time_ns; i--)
        queue->current[i] = queue->current[i - 1];
    queue->current[i] = node;
}

static void place(struct pw_event_queue *queue, int32_t node)
{
    int64_t time_ns = node_at(queue, node)->time_ns;
    int64_t bucket = (time_ns - queue->start_ns) >> queue->shift;
    if (bucket <= 0) {
        insert_current(queue, node);
    } else if (bucket < queue->n_buckets) {
        int i = (queue->now + (int)bucket) & (queue->n_buckets - 1);
        node_at(queue, node)->next = queue->heads[i];
        queue->heads[i] = node;
        queue->in_ring++;
    } else {
        node_at(queue, node)->next = queue->later;
        queue->later = node;
        queue->later_ns = time_ns < queue->later_ns ? time_ns : queue->later_ns;
    }
}

void pw_event_queue_push(struct pw_event_queue *queue, int64_t time_ns, const void *payload)
{
    if (queue->free_node == NONE)
        add_nodes(queue, queue->n_nodes);
    int32_t node = queue->free_node;
    queue->free_node = node_at(queue, node)->next;
    if (queue->free_node != NONE)
        pw_prefetch(node_at(queue, queue->free_node));
    node_at(queue, node)->time_ns = time_ns;
    memcpy(node_at(queue, node)->payload, payload, queue->size);
    queue->count++;
    place(queue, node);
}

/* Those beyond the ring that are within it by now. */
static void bring_in_later(struct pw_event_queue *queue)
{
    int32_t node = queue->later;
    queue->later = NONE;
    queue->later_ns = INT64_MAX;
    while (node != NONE) {
        int32_t next = node_at(queue, node)->next;
        place(queue, node);
        node = next;
    }
}

static int later_first(const void *x, const void *y)
{
    int64_t a = ((const struct timed *)x)->time_ns, b = ((const struct timed *)y)->time_ns;
    return (a < b) - (a > b);
}

/* Sorts a large bucket: with a constant delay a whole round may share one. */
static void sort_current(struct pw_event_queue *queue, size_t count)
{
    struct timed *sorted = queue->scratch;
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct timed){node_at(queue, queue->current[i])->time_ns, queue->current[i]};
    qsort(sorted, count, sizeof *sorted, later_first);
    for (size_t i = 0; i < count; i++)
        queue->current[i] = sorted[i].node;
}

/* Empties the list of the bucket `now` into the sorted `current`. */
static void open_bucket(struct pw_event_queue *queue)
{
    enum { FEW = 16 };
    int32_t node = queue->heads[queue->now];
    size_t count = 0;
    int in_order = 1;
    queue->heads[queue->now] = NONE;
    for (int32_t n = node; n != NONE; n = node_at(queue, n)->next)
        count++;
    queue->in_ring -= count;
    make_room(queue, count);
    if (count <= FEW) {
        for (int32_t next; node != NONE; node = next) {
            next = node_at(queue, node)->next;
            insert_current(queue, node);
        }
        return;
    }
    for (size_t i = 0; i < count; i++, node = node_at(queue, node)->next) {
        queue->current[i] = node;
        in_order &= i == 0 || node_at(queue, queue->current[i - 1])->time_ns >= node_at(queue, node)->time_ns;
    }
    queue->n_current = count;
    if (!in_order)
        sort_current(queue, count);
}

static void advance(struct pw_event_queue *queue)
{
    int64_t width = (int64_t)1 << queue->shift;
    if (queue->in_ring == 0 && queue->later != NONE) { /* nothing in between */
        queue->start_ns += (queue->later_ns - queue->start_ns) >> queue->shift << queue->shift;
        bring_in_later(queue);
        return;
    }
    queue->now = (queue->now + 1) & (queue->n_buckets - 1);
    queue->start_ns += width;
    int32_t soon = queue->heads[(queue->now + FETCH_AHEAD) & (queue->n_buckets - 1)];
    if (soon != NONE)
        pw_prefetch(node_at(queue, soon));
    open_bucket(queue);
    if (queue->later_ns < queue->start_ns + width * queue->n_buckets / 2)
        bring_in_later(queue);
}

int64_t pw_event_queue_next(struct pw_event_queue *queue)
{
    if (queue->count == 0)
        return INT64_MAX;
    while (queue->n_current == 0)
        advance(queue);
    return node_at(queue, queue->current[queue->n_current - 1])->time_ns;
}

const void *pw_event_queue_ahead(const struct pw_event_queue *queue, int buckets)
{
    int32_t node = queue->heads[(queue->now + buckets) & (queue->n_buckets - 1)];
    return node == NONE ? NULL : node_at(queue, node)->payload;
}

void pw_event_queue_fetch(const struct pw_event_queue *queue, int64_t time_ns)
{
    int64_t bucket = (time_ns - queue->start_ns) >> queue->shift;
    pw_prefetch(&queue->heads[(queue->now + (int)(bucket & (MOST_BUCKETS - 1))) & (queue->n_buckets - 1)]);
}

int64_t pw_event_queue_pop(struct pw_event_queue *queue, void *payload)
{
    int64_t time_ns = pw_event_queue_next(queue);
    int32_t node = queue->current[--queue->n_current];
    memcpy(payload, node_at(queue, node)->payload, queue->size);
    node_at(queue, node)->next = queue->free_node;
    queue->free_node = node;
    queue->count--;
    return time_ns;
}
