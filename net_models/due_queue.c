#include "net_models/due_queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

struct key {
    int64_t due_ns;
    uint64_t order;
    size_t cell; /* where the payload lies */
};

struct pw_due_queue {
    size_t size, count, room;
    uint64_t order;
    struct key *heap;
    size_t *free_cells;
    char *payloads;
};

static void grow(struct pw_due_queue *queue, size_t room)
{
    queue->heap = pw_realloc(queue->heap, room, sizeof *queue->heap);
    queue->free_cells = pw_realloc(queue->free_cells, room, sizeof *queue->free_cells);
    queue->payloads = pw_realloc(queue->payloads, room, queue->size);
    for (size_t i = queue->room; i < room; i++)
        queue->free_cells[i] = i; /* the free cells are those from index `count` on */
    queue->room = room;
}

struct pw_due_queue *pw_due_queue_create(size_t room, size_t size)
{
    struct pw_due_queue *queue = pw_alloc(1, sizeof *queue);
    queue->size = size;
    grow(queue, room > 0 ? room : 1);
    return queue;
}

void pw_due_queue_destroy(struct pw_due_queue *queue)
{
    if (queue == NULL)
        return;
    free(queue->heap);
    free(queue->free_cells);
    free(queue->payloads);
    free(queue);
}

static int earlier(const struct key *x, const struct key *y)
{
    return x->due_ns < y->due_ns || (x->due_ns == y->due_ns && x->order < y->order);
}

void pw_due_queue_push(struct pw_due_queue *queue, int64_t due_ns, const void *payload)
{
    if (queue->count == queue->room)
        grow(queue, 2 * queue->room);
    struct key key = {due_ns, queue->order++, queue->free_cells[queue->count]};
    memcpy(queue->payloads + key.cell * queue->size, payload, queue->size);
    size_t i = queue->count++;
    for (; i > 0 && earlier(&key, &queue->heap[(i - 1) / 2]); i = (i - 1) / 2)
        queue->heap[i] = queue->heap[(i - 1) / 2];
    queue->heap[i] = key;
}

static void sift_down(struct pw_due_queue *queue, struct key key)
{
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < queue->count; i = child) {
        if (child + 1 < queue->count && earlier(&queue->heap[child + 1], &queue->heap[child]))
            child++;
        if (!earlier(&queue->heap[child], &key))
            break;
        queue->heap[i] = queue->heap[child];
    }
    queue->heap[i] = key;
}

int pw_due_queue_pop(struct pw_due_queue *queue, int64_t now_ns, void *payload)
{
    if (queue->count == 0 || queue->heap[0].due_ns > now_ns)
        return 0;
    size_t cell = queue->heap[0].cell;
    memcpy(payload, queue->payloads + cell * queue->size, queue->size);
    struct key last = queue->heap[--queue->count];
    queue->free_cells[queue->count] = cell;
    if (queue->count > 0)
        sift_down(queue, last);
    return 1;
}

int64_t pw_due_queue_next(const struct pw_due_queue *queue)
{
    return queue->count > 0 ? queue->heap[0].due_ns : INT64_MAX;
}

size_t pw_due_queue_count(const struct pw_due_queue *queue)
{
    return queue->count;
}
