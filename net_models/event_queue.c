#include "net_models/event_queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/prefetch.h"

enum { NONE = -1, FEWEST_BUCKETS = 64, MOST_BUCKETS = 1 << 21, WIDEST_SHIFT = 40 };

/* Events of a chunk; of a bucket, as far as the hints are right. With fewer events ready than these the next
 * bucket is opened before its time, but not so many buckets before. */
enum { PER_CHUNK = 16, PER_BUCKET = 8, LEAST_READY = 8, MOST_AHEAD = 16 };

/* An event, followed by its payload. All events have the same size, a multiple of 8 bytes. */
struct event {
    int64_t time_ns;
    unsigned char payload[];
};

/* For sorting: where an event is, counted from the first of the first chunk. */
struct timed {
    int64_t time_ns;
    int32_t place;
};

/* Events in no order: those of the newest chunk, and of those before it, which are full. */
struct bucket {
    int32_t chunk; /* NONE: empty */
    int32_t used;  /* events in it */
};

/* Events side by side, by at(). */
struct row {
    unsigned char *bytes;
    size_t first, end, room;
};

/* The bucket `now` is the next to be opened and starts at `start_ns`. Events before that lie in `ready`,
 * earliest first; those of the ring in buckets; those beyond it in `later`. */
struct pw_event_queue {
    size_t payload_size, event_size, count;

    struct bucket *buckets; /* [n_buckets] */
    uint64_t *occupied;     /* [n_buckets / 64] a bit for each bucket that is not empty */
    int n_buckets, shift;   /* width = 1 << shift nanoseconds */
    int now;
    int64_t start_ns;
    size_t in_ring; /* events in the buckets */

    unsigned char *chunks; /* [n_chunks] PER_CHUNK events each */
    int32_t *before;       /* [n_chunks] the chunk before in its bucket, or in the list of free ones */
    int32_t n_chunks, free_chunk;

    struct row ready, later;
    struct timed *sorted; /* [sorted_room] for sorting a bucket */
    size_t sorted_room;
    int64_t later_ns; /* earliest of them */

    void (*fetch)(void *context, const void *payload);
    void *context;
};

static struct event *at(const struct pw_event_queue *queue, const struct row *row, size_t i)
{
    return (struct event *)(row->bytes + i * queue->event_size);
}

static struct event *in_chunk(const struct pw_event_queue *queue, int32_t chunk, int32_t i)
{
    return (struct event *)(queue->chunks + ((size_t)chunk * PER_CHUNK + (size_t)i) * queue->event_size);
}

static struct bucket *bucket_ahead(const struct pw_event_queue *queue, int64_t ahead)
{
    return &queue->buckets[(queue->now + (int)(ahead & (MOST_BUCKETS - 1))) & (queue->n_buckets - 1)];
}

static int log2_above(int64_t value)
{
    int shift = 0;
    while (shift < 62 && ((int64_t)1 << shift) < value)
        shift++;
    return shift;
}

static void add_chunks(struct pw_event_queue *queue, int32_t count)
{
    int32_t old = queue->n_chunks;
    queue->n_chunks = old + count;
    unsigned char *chunks = pw_alloc_lines((size_t)queue->n_chunks * PER_CHUNK * queue->event_size);
    if (old > 0)
        memcpy(chunks, queue->chunks, (size_t)old * PER_CHUNK * queue->event_size);
    free(queue->chunks);
    queue->chunks = chunks;
    queue->before = pw_realloc(queue->before, (size_t)queue->n_chunks, sizeof *queue->before);
    for (int32_t i = old; i < queue->n_chunks; i++)
        queue->before[i] = i + 1 < queue->n_chunks ? i + 1 : queue->free_chunk;
    queue->free_chunk = old;
}

struct pw_event_queue *pw_event_queue_create(size_t size, size_t room, int64_t span_ns)
{
    struct pw_event_queue *queue = pw_alloc(1, sizeof *queue);
    queue->n_buckets = FEWEST_BUCKETS;
    while (queue->n_buckets < MOST_BUCKETS && (size_t)queue->n_buckets < room / PER_BUCKET)
        queue->n_buckets *= 2;
    queue->shift = log2_above(span_ns / queue->n_buckets + 1);
    queue->shift = queue->shift < WIDEST_SHIFT ? queue->shift : WIDEST_SHIFT;
    queue->buckets = pw_alloc((size_t)queue->n_buckets, sizeof *queue->buckets);
    for (int i = 0; i < queue->n_buckets; i++)
        queue->buckets[i].chunk = NONE;
    queue->occupied = pw_alloc((size_t)queue->n_buckets / 64, sizeof *queue->occupied);
    queue->payload_size = size;
    queue->event_size = sizeof(struct event) + (size + 7) / 8 * 8;
    queue->free_chunk = NONE;
    queue->later_ns = INT64_MAX;
    add_chunks(queue, FEWEST_BUCKETS);
    return queue;
}

void pw_event_queue_destroy(struct pw_event_queue *queue)
{
    if (queue == NULL)
        return;
    free(queue->buckets);
    free(queue->occupied);
    free(queue->chunks);
    free(queue->before);
    free(queue->ready.bytes);
    free(queue->later.bytes);
    free(queue->sorted);
    free(queue);
}

void pw_event_queue_on_fetch(struct pw_event_queue *queue, void (*fetch)(void *context, const void *payload),
                             void *context)
{
    queue->fetch = fetch;
    queue->context = context;
}

size_t pw_event_queue_count(const struct pw_event_queue *queue)
{
    return queue->count;
}

static void make_room(struct pw_event_queue *queue, struct row *row, size_t count)
{
    if (row->first > 0 && row->end + count > row->room) {
        memmove(row->bytes, at(queue, row, row->first), (row->end - row->first) * queue->event_size);
        row->end -= row->first;
        row->first = 0;
    }
    if (row->end + count <= row->room)
        return;
    row->room = 2 * (row->end + count) + 64;
    row->bytes = pw_realloc(row->bytes, row->room, queue->event_size);
}

static void *at_time(struct event *event, int64_t time_ns)
{
    event->time_ns = time_ns;
    return event->payload;
}

/* In `ready`, behind everything that is not later. */
static void *insert_ready(struct pw_event_queue *queue, int64_t time_ns)
{
    struct row *ready = &queue->ready;
    make_room(queue, ready, 1);
    size_t i = ready->end++;
    while (i > ready->first && at(queue, ready, i - 1)->time_ns > time_ns)
        i--;
    memmove(at(queue, ready, i + 1), at(queue, ready, i), (ready->end - 1 - i) * queue->event_size);
    return at_time(at(queue, ready, i), time_ns);
}

/* In a bucket of the ring. */
static void *append(struct pw_event_queue *queue, struct bucket *bucket, int64_t time_ns)
{
    if (bucket->chunk == NONE || bucket->used == PER_CHUNK) {
        if (queue->free_chunk == NONE)
            add_chunks(queue, queue->n_chunks);
        int32_t chunk = queue->free_chunk;
        queue->free_chunk = queue->before[chunk];
        queue->before[chunk] = bucket->chunk;
        *bucket = (struct bucket){chunk, 0};
        size_t i = (size_t)(bucket - queue->buckets);
        queue->occupied[i / 64] |= (uint64_t)1 << i % 64;
    }
    queue->in_ring++;
    return at_time(in_chunk(queue, bucket->chunk, bucket->used++), time_ns);
}

static void *place(struct pw_event_queue *queue, int64_t time_ns)
{
    int64_t ahead = (time_ns - queue->start_ns) >> queue->shift;
    if (time_ns < queue->start_ns)
        return insert_ready(queue, time_ns);
    if (ahead < queue->n_buckets)
        return append(queue, bucket_ahead(queue, ahead), time_ns);
    make_room(queue, &queue->later, 1);
    queue->later_ns = time_ns < queue->later_ns ? time_ns : queue->later_ns;
    return at_time(at(queue, &queue->later, queue->later.end++), time_ns);
}

void *pw_event_queue_push(struct pw_event_queue *queue, int64_t time_ns)
{
    queue->count++;
    return place(queue, time_ns);
}

/* Those beyond the ring that are within it by now. */
static void bring_in_later(struct pw_event_queue *queue)
{
    struct row old = queue->later;
    queue->later = (struct row){0};
    queue->later_ns = INT64_MAX;
    for (size_t i = 0; i < old.end; i++)
        memcpy(place(queue, at(queue, &old, i)->time_ns), at(queue, &old, i)->payload, queue->payload_size);
    free(old.bytes);
}

static size_t events_in(const struct pw_event_queue *queue, const struct bucket *bucket)
{
    size_t count = bucket->chunk == NONE ? 0 : (size_t)bucket->used;
    for (int32_t chunk = bucket->chunk; chunk != NONE && queue->before[chunk] != NONE;
         chunk = queue->before[chunk])
        count += PER_CHUNK;
    return count;
}

static void sort_few(struct timed *events, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct timed event = events[i];
        size_t j = i;
        for (; j > 0 && events[j - 1].time_ns > event.time_ns; j--)
            events[j] = events[j - 1];
        events[j] = event;
    }
}

static int earlier_first(const void *x, const void *y)
{
    int64_t a = ((const struct timed *)x)->time_ns, b = ((const struct timed *)y)->time_ns;
    return (a > b) - (a < b);
}

/* Many may be of the same time: with a constant delay a whole round shares a bucket. */
static void sort_many(struct timed *events, size_t count)
{
    int in_order = 1;
    for (size_t i = 1; i < count; i++)
        in_order &= events[i - 1].time_ns <= events[i].time_ns;
    if (!in_order)
        qsort(events, count, sizeof *events, earlier_first);
}

/* Lists a bucket's events, and gives its chunks back: what they hold stays as it is until the next append. */
static void list_events(struct pw_event_queue *queue, struct bucket *bucket)
{
    size_t count = 0;
    int32_t used = bucket->used;
    for (int32_t chunk = bucket->chunk; chunk != NONE; used = PER_CHUNK) {
        int32_t before = queue->before[chunk];
        for (int32_t i = 0; i < used; i++)
            queue->sorted[count++] =
                (struct timed){in_chunk(queue, chunk, i)->time_ns, chunk * PER_CHUNK + i};
        queue->before[chunk] = queue->free_chunk;
        queue->free_chunk = chunk;
        chunk = before;
    }
    *bucket = (struct bucket){NONE, 0};
    size_t i = (size_t)(bucket - queue->buckets);
    queue->occupied[i / 64] &= ~((uint64_t)1 << i % 64);
}

/* A bucket's events go to `ready`, behind all that are there. */
static void empty_bucket(struct pw_event_queue *queue, struct bucket *bucket)
{
    struct row *ready = &queue->ready;
    size_t count = events_in(queue, bucket);
    make_room(queue, ready, count);
    if (count > queue->sorted_room) {
        queue->sorted_room = 2 * count;
        queue->sorted = pw_realloc(queue->sorted, queue->sorted_room, sizeof *queue->sorted);
    }
    list_events(queue, bucket);
    (count <= PER_CHUNK ? sort_few : sort_many)(queue->sorted, count);
    for (size_t i = 0; i < count; i++)
        memcpy(at(queue, ready, ready->end++), in_chunk(queue, 0, queue->sorted[i].place), queue->event_size);
    queue->in_ring -= count;
}

/* Tells of the events in a bucket's newest chunk. */
static void announce(const struct pw_event_queue *queue, const struct bucket *bucket)
{
    if (bucket->chunk == NONE || queue->fetch == NULL)
        return;
    for (int32_t i = 0; i < bucket->used; i++)
        queue->fetch(queue->context, in_chunk(queue, bucket->chunk, i)->payload);
}

static void fetch_chunk(const struct pw_event_queue *queue, const struct bucket *bucket)
{
    if (bucket->chunk == NONE)
        return;
    const unsigned char *first = (const unsigned char *)in_chunk(queue, bucket->chunk, 0);
    for (size_t i = 0; i < (size_t)bucket->used * queue->event_size; i += PW_CACHE_LINE)
        pw_prefetch(first + i);
}

static void open_bucket(struct pw_event_queue *queue)
{
    empty_bucket(queue, bucket_ahead(queue, 0));
    queue->now = (queue->now + 1) & (queue->n_buckets - 1);
    queue->start_ns += (int64_t)1 << queue->shift;
    announce(queue, bucket_ahead(queue, 0));
    fetch_chunk(queue, bucket_ahead(queue, 1));
}

/* Opens the next bucket; brings in what is beyond the ring in good time. */
static void step(struct pw_event_queue *queue)
{
    open_bucket(queue);
    if (queue->later_ns < queue->start_ns + ((int64_t)queue->n_buckets << queue->shift) / 2)
        bring_in_later(queue);
}

static int lowest_bit(uint64_t word)
{
    int bit = 0;
    while (!(word >> bit & 1))
        bit++;
    return bit;
}

/* How many empty buckets come before the first that is not, of a ring that is not empty. */
static int64_t empty_ahead(const struct pw_event_queue *queue)
{
    int words = queue->n_buckets / 64, first = queue->now / 64;
    uint64_t word = queue->occupied[first] >> queue->now % 64;
    if (word != 0)
        return lowest_bit(word);
    for (int i = 1; i <= words; i++) {
        word = queue->occupied[(first + i) & (words - 1)];
        if (word != 0)
            return (int64_t)i * 64 - queue->now % 64 + lowest_bit(word);
    }
    return 0;
}

static int64_t least(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

/* Goes on to the next events before `until_ns`, or as far as that. */
static void advance(struct pw_event_queue *queue, int64_t until_ns)
{
    if (queue->in_ring == 0) { /* nothing in between */
        queue->start_ns += (queue->later_ns - queue->start_ns) >> queue->shift << queue->shift;
        bring_in_later(queue);
        return;
    }
    int64_t limit_ns = least(queue->later_ns, until_ns - 1);
    int64_t skipped = least(empty_ahead(queue), (limit_ns - queue->start_ns) >> queue->shift);
    queue->now = (queue->now + (int)skipped) & (queue->n_buckets - 1);
    queue->start_ns += skipped << queue->shift;
    if (queue->later_ns < queue->start_ns + ((int64_t)1 << queue->shift))
        bring_in_later(queue);
    step(queue);
}

/* Is it worth while to open one more bucket? Few events are ready, and those put in before it will be few. */
static int looks_ahead(const struct pw_event_queue *queue)
{
    const struct row *ready = &queue->ready;
    return ready->end - ready->first < LEAST_READY && queue->in_ring > 0 &&
           queue->start_ns - at(queue, ready, ready->first)->time_ns < (int64_t)MOST_AHEAD << queue->shift;
}

/* Opens buckets until an event is ready, or none can be before `until_ns`. */
static void make_ready(struct pw_event_queue *queue, int64_t until_ns)
{
    const struct row *ready = &queue->ready;
    while (ready->first == ready->end && queue->count > 0 && queue->start_ns < until_ns &&
           (queue->in_ring > 0 || queue->later_ns < until_ns))
        advance(queue, until_ns);
}

int64_t pw_event_queue_pop(struct pw_event_queue *queue, int64_t until_ns, void *payload)
{
    struct row *ready = &queue->ready;
    make_ready(queue, until_ns);
    if (ready->first == ready->end || at(queue, ready, ready->first)->time_ns >= until_ns)
        return INT64_MAX;
    const struct event *event = at(queue, ready, ready->first++);
    int64_t time_ns = event->time_ns;
    memcpy(payload, event->payload, queue->payload_size);
    queue->count--;
    if (ready->first == ready->end)
        ready->first = ready->end = 0;
    else if (looks_ahead(queue))
        step(queue);
    return time_ns;
}

/* All events of a time whose bucket has been opened are ready. */
int pw_event_queue_goes_on(const struct pw_event_queue *queue, int64_t time_ns)
{
    const struct row *ready = &queue->ready;
    return ready->first < ready->end && at(queue, ready, ready->first)->time_ns == time_ns;
}

static int64_t earliest_in(const struct pw_event_queue *queue, const struct bucket *bucket)
{
    int64_t earliest_ns = INT64_MAX;
    int32_t used = bucket->used;
    for (int32_t chunk = bucket->chunk; chunk != NONE; chunk = queue->before[chunk], used = PER_CHUNK) {
        for (int32_t i = 0; i < used; i++) {
            int64_t time_ns = in_chunk(queue, chunk, i)->time_ns;
            earliest_ns = time_ns < earliest_ns ? time_ns : earliest_ns;
        }
    }
    return earliest_ns;
}

int64_t pw_event_queue_next(const struct pw_event_queue *queue)
{
    const struct row *ready = &queue->ready;
    if (ready->first < ready->end)
        return at(queue, ready, ready->first)->time_ns;
    if (queue->in_ring == 0)
        return queue->later_ns;
    return least(earliest_in(queue, bucket_ahead(queue, empty_ahead(queue))), queue->later_ns);
}

const void *pw_event_queue_soon(const struct pw_event_queue *queue, size_t ahead, int64_t *time_ns)
{
    const struct row *ready = &queue->ready;
    if (ready->first + ahead >= ready->end)
        return NULL;
    *time_ns = at(queue, ready, ready->first + ahead)->time_ns;
    return at(queue, ready, ready->first + ahead)->payload;
}

void pw_event_queue_fetch(const struct pw_event_queue *queue, int64_t time_ns)
{
    pw_prefetch(bucket_ahead(queue, (time_ns - queue->start_ns) >> queue->shift));
}
