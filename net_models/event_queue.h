/* The virtual clock's queue: events by their time in nanoseconds, none earlier than the last one taken out.
 * A ring of buckets, each a short span of time, so that the cost of an event does not grow with their number.
 * Events of the same time come out in no particular order: the virtual clock makes sure that it cannot
 * matter. */
#ifndef PW_EVENT_QUEUE_H
#define PW_EVENT_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct pw_event_queue;

/* A queue of payloads of `size` bytes, kept at addresses that are a multiple of 4. Hints, which only speed
 * depends on: about `room` events will be pending at once, most of them within `span_ns` of the earliest. */
struct pw_event_queue *pw_event_queue_create(size_t size, size_t room, int64_t span_ns);
void pw_event_queue_destroy(struct pw_event_queue *queue);

/* Copies a payload in, due at `time_ns`, which is not before the last event taken out. */
void pw_event_queue_push(struct pw_event_queue *queue, int64_t time_ns, const void *payload);

/* Time of the earliest event; INT64_MAX where there is none. */
int64_t pw_event_queue_next(struct pw_event_queue *queue);

/* Copies the earliest payload out, removes it, and returns its time. The queue must not be empty. */
int64_t pw_event_queue_pop(struct pw_event_queue *queue, void *payload);

/* The payload of an event that will be due soon, so many buckets of the ring ahead, if there is one, else
 * NULL: for the user to fetch what it will need. Valid until the next push or pop. At most 24 buckets. */
const void *pw_event_queue_ahead(const struct pw_event_queue *queue, int buckets);

/* Fetches into the cache what a push at `time_ns` will touch. */
void pw_event_queue_fetch(const struct pw_event_queue *queue, int64_t time_ns);

size_t pw_event_queue_count(const struct pw_event_queue *queue);

#endif
