/* The event queue against a sorted list, under the loads of a simulation: near and far delays, equal times.
 */
#include <check.h>
#include <stdlib.h>

#include "net_models/event_queue.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { EVENTS = 3000, STEPS = 60000 };

/* The events that should be in the queue, unsorted; slow and plain. */
struct list {
    int64_t time[EVENTS];
    int id[EVENTS];
    int count;
};

static int earliest(const struct list *list)
{
    int best = 0;
    for (int i = 1; i < list->count; i++)
        best = list->time[i] < list->time[best] ? i : best;
    return best;
}

/* Removes event `id`, which must be there at `time`. */
static void remove_event(struct list *list, int64_t time, int id)
{
    for (int i = 0; i < list->count; i++) {
        if (list->id[i] != id)
            continue;
        ck_assert_int_eq(list->time[i], time);
        list->count--;
        list->time[i] = list->time[list->count];
        list->id[i] = list->id[list->count];
        return;
    }
    ck_abort_msg("an event that nobody put in");
}

/* Delays of many scales: equal, none at all, and now and then far beyond the ring. */
static int64_t draw_delay(struct test_rng *rng, int law, int64_t span)
{
    if (law == 0)
        return span;
    if (law == 1)
        return test_below(rng, 3) == 0 ? 0 : (int64_t)test_uniform(rng, 0, (double)span);
    if (law == 3) /* about the length of the ring */
        return (int64_t)test_uniform(rng, 0, 4.0 * (double)span);
    return test_below(rng, 20) == 0 ? 1000 * span : (int64_t)test_uniform(rng, 0, 2.0 * (double)span);
}

/* What is known of the event after `ahead` others is so: as many are earlier, or at the same time. Returns
 * whether it is known. */
static int check_soon(const struct pw_event_queue *queue, const struct list *list, int ahead)
{
    int64_t time = -1, id = -1;
    int earlier = 0, not_later = 0, is_there = 0;
    const int64_t *payload = pw_event_queue_soon(queue, (size_t)ahead, &time);
    if (payload == NULL)
        return 0;
    id = *payload;
    for (int i = 0; i < list->count; i++) {
        earlier += list->time[i] < time;
        not_later += list->time[i] <= time;
        is_there |= list->id[i] == id && list->time[i] == time;
    }
    ck_assert(is_there && earlier <= ahead && not_later > ahead);
    return 1;
}

/* Returns how often something was known beforehand. */
static int play(struct pw_event_queue *queue, struct test_rng *rng, int law, int64_t span)
{
    struct list *list = calloc(1, sizeof *list);
    int64_t now = 0;
    int known = 0;
    for (int step = 0, id = 0; step < STEPS / 10; step++) {
        int grow = list->count == 0 || (list->count < 100 + 300 * law && test_below(rng, 3) > 0);
        if (grow) {
            int64_t time = now + draw_delay(rng, law, span);
            *(int64_t *)pw_event_queue_push(queue, time) = id;
            list->time[list->count] = time;
            list->id[list->count++] = id++;
        } else {
            int64_t got;
            ck_assert_int_eq(pw_event_queue_next(queue), list->time[earliest(list)]);
            now = list->time[earliest(list)];
            ck_assert(pw_event_queue_pop(queue, now, &got) == INT64_MAX);
            ck_assert(pw_event_queue_pop(queue, test_below(rng, 2) ? now + 1 : INT64_MAX, &got) == now);
            remove_event(list, now, (int)got);
            ck_assert_int_eq(pw_event_queue_goes_on(queue, now),
                             list->count > 0 && list->time[earliest(list)] == now);
            known += check_soon(queue, list, step % 4);
        }
        ck_assert_uint_eq(pw_event_queue_count(queue), (size_t)list->count);
    }
    free(list);
    return known;
}

START_TEST(events_come_out_in_time)
{
    static const int64_t spans[] = {1, 1000, 50000000, 3600000000000};
    int known = 0;
    for (int s = 0; s < 4; s++) {
        struct test_rng rng = test_rng((uint64_t)(10 * _i + s + 1));
        size_t hint = s % 2 ? 5000 : 1; /* hints may be wrong */
        struct pw_event_queue *queue =
            pw_event_queue_create(sizeof(int64_t), hint, spans[_i == 3 ? s : (s + 1) % 4]);
        known += play(queue, &rng, _i, spans[s]);
        pw_event_queue_destroy(queue);
    }
    ck_assert_int_gt(known, 100);
}
END_TEST

START_TEST(an_empty_queue_has_no_next)
{
    struct pw_event_queue *queue = pw_event_queue_create(sizeof(int64_t), 10, 100);
    int64_t id = 5;
    ck_assert(pw_event_queue_next(queue) == INT64_MAX);
    *(int64_t *)pw_event_queue_push(queue, INT64_MAX / 2) = id;
    ck_assert(pw_event_queue_next(queue) == INT64_MAX / 2);
    ck_assert(pw_event_queue_pop(queue, INT64_MAX, &id) == INT64_MAX / 2);
    ck_assert(pw_event_queue_pop(queue, INT64_MAX, &id) == INT64_MAX);
    ck_assert(pw_event_queue_next(queue) == INT64_MAX);
    pw_event_queue_destroy(queue);
}
END_TEST

Suite *event_queue_suite(void)
{
    Suite *suite = suite_create("event_queue");
    TCase *tests = tcase_create("event queue");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, events_come_out_in_time, 0, 4);
    tcase_add_test(tests, an_empty_queue_has_no_next);
    suite_add_tcase(suite, tests);
    return suite;
}
