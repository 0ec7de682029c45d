/* A small queue of the wall clock: who rests, and until when; time-outs. A binary heap ordered by (due
 * time, order of arrival). Payloads have one size, fixed at creation. */
#ifndef PW_DUE_QUEUE_H
#define PW_DUE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct pw_due_queue;

/* A queue for up to `room` payloads of `size` bytes; it grows beyond if it must. */
struct pw_due_queue *pw_due_queue_create(size_t room, size_t size);
void pw_due_queue_destroy(struct pw_due_queue *queue);

/* Copies a payload in, due at `due_ns`. O(log n). */
void pw_due_queue_push(struct pw_due_queue *queue, int64_t due_ns, const void *payload);

/* Copies the earliest payload out and removes it if it is due by `now_ns`; 0 if none is. O(log n). */
int pw_due_queue_pop(struct pw_due_queue *queue, int64_t now_ns, void *payload);

/* When the earliest payload is due; INT64_MAX where there is none. */
int64_t pw_due_queue_next(const struct pw_due_queue *queue);

size_t pw_due_queue_count(const struct pw_due_queue *queue);

#endif
