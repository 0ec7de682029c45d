/* What is under way: events by their time in nanoseconds, none earlier than the last one taken out.
 * A ring of buckets, each a short span of time, so that the cost of an event does not grow with their number.
 * A bucket's events lie side by side, so that putting one in waits for no memory, and what will be due soon
 * is known some events ahead, so that their user can fetch what they need. Events of the same time come out
 * in no particular order: their user makes sure that it cannot matter. */
#ifndef PW_EVENT_QUEUE_H
#define PW_EVENT_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct pw_event_queue;

/* A queue of payloads of `size` bytes. Hints, which only speed depends on: about `room` events will be
 * pending at once, most of them within `span_ns` of the earliest. */
struct pw_event_queue *pw_event_queue_create(size_t size, size_t room, int64_t span_ns);
void pw_event_queue_destroy(struct pw_event_queue *queue);

/* From now on calls `fetch` with the payload, aligned to 8 bytes, of events that will be due in some ten or
 * twenty events' time, in no particular order; of most events, not of all. It must leave the queue alone. */
void pw_event_queue_on_fetch(struct pw_event_queue *queue, void (*fetch)(void *context, const void *payload),
                             void *context);

/* A new event, due at `time_ns`, which is not before the last event taken out. Returns where its payload is
 * to be written, aligned to 8 bytes, before anything else is done with the queue. (There, and not copied: to
 * read back at once in large pieces what was written in small ones makes a processor wait for all it has
 * written.)
 */
void *pw_event_queue_push(struct pw_event_queue *queue, int64_t time_ns);

/* Time of the earliest event; INT64_MAX where there is none. */
int64_t pw_event_queue_next(const struct pw_event_queue *queue);

/* Copies the earliest payload out, removes it, and returns its time, if that is before `until_ns`; else
 * returns INT64_MAX and does nothing. */
int64_t pw_event_queue_pop(struct pw_event_queue *queue, int64_t until_ns, void *payload);

/* True if an event is left of the time `time_ns` that the last pop returned: the next pop takes it out. */
int pw_event_queue_goes_on(const struct pw_event_queue *queue, int64_t time_ns);

/* The payload, aligned to 8 bytes, of the event that will be due after `ahead` others, and its time, if that
 * is known, else NULL. Valid until the next push or pop. */
const void *pw_event_queue_soon(const struct pw_event_queue *queue, size_t ahead, int64_t *time_ns);

/* Fetches into the cache what a push at `time_ns` will touch. */
void pw_event_queue_fetch(const struct pw_event_queue *queue, int64_t time_ns);

size_t pw_event_queue_count(const struct pw_event_queue *queue);

#endif
