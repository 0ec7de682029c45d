/* The queue of who rests and of time-outs, against a sorted array. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net_models/due_queue.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

struct item {
    int64_t due_ns;
    int number; /* in order of arrival */
};

/* The same queue as an array, earliest last. */
struct list {
    struct item items[5000];
    int count;
};

static void list_push(struct list *list, struct item item)
{
    int at = list->count++;
    while (at > 0 && list->items[at - 1].due_ns <= item.due_ns) {
        list->items[at] = list->items[at - 1];
        at--;
    }
    list->items[at] = item;
}

/* 100 000 random pushes and pops, many of them due at the same time, the queue growing and shrinking. */
START_TEST(gives_what_a_sorted_array_gives)
{
    struct test_rng rng = test_rng(81);
    static struct list list;
    struct pw_due_queue *queue = pw_due_queue_create(4, sizeof(struct item));
    int wrong = 0, arrivals = 0, popped = 0;
    for (int step = 0; step < 100000; step++) {
        int grows = step / 3000 % 2 == 0;
        if (list.count < 4000 && test_below(&rng, 10) < (grows ? 7 : 4)) {
            struct item item = {test_below(&rng, 500), arrivals++};
            pw_due_queue_push(queue, item.due_ns, &item);
            list_push(&list, item);
        } else {
            int64_t now = test_below(&rng, 600);
            struct item got = {-1, -1}, first = list.count > 0 ? list.items[list.count - 1] : got;
            int due = list.count > 0 && first.due_ns <= now;
            wrong += pw_due_queue_pop(queue, now, &got) != due;
            wrong += due ? got.number != first.number || got.due_ns != first.due_ns : got.number != -1;
            list.count -= due;
            popped += due;
        }
        wrong += pw_due_queue_count(queue) != (size_t)list.count;
        wrong += pw_due_queue_next(queue) != (list.count > 0 ? list.items[list.count - 1].due_ns : INT64_MAX);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_gt(popped, 30000);
    pw_due_queue_destroy(queue);
}
END_TEST

/* All due at once: they come as they went in, also after the queue has grown many times. */
START_TEST(equal_times_come_in_order_of_arrival)
{
    enum { COUNT = 100000 };
    struct pw_due_queue *queue = pw_due_queue_create(0, sizeof(int));
    int wrong = 0, got;
    for (int i = 0; i < COUNT; i++)
        pw_due_queue_push(queue, 7, &i);
    ck_assert(!pw_due_queue_pop(queue, 6, &got));
    for (int i = 0; i < COUNT; i++)
        wrong += !pw_due_queue_pop(queue, 7, &got) || got != i;
    ck_assert_int_eq(wrong, 0);
    ck_assert(!pw_due_queue_pop(queue, INT64_MAX, &got));
    pw_due_queue_destroy(queue);
}
END_TEST

/* Payloads of any size stay as they were, whatever happens to the cells round them. */
START_TEST(payloads_stay_whole)
{
    static const size_t sizes[] = {1, 3, 8, 100};
    for (int s = 0; s < 4; s++) {
        struct test_rng rng = test_rng(82);
        struct pw_due_queue *queue = pw_due_queue_create(2, sizes[s]);
        unsigned char *payload = malloc(sizes[s]);
        int wrong = 0;
        for (int i = 0; i < 20000; i++) {
            int64_t due = test_below(&rng, 256);
            memset(payload, (int)due, sizes[s]);
            pw_due_queue_push(queue, due, payload);
            due = pw_due_queue_next(queue);
            if (test_below(&rng, 3) > 0 && pw_due_queue_pop(queue, 255, payload)) {
                for (size_t k = 0; k < sizes[s]; k++)
                    wrong += payload[k] != due;
            }
        }
        ck_assert_int_eq(wrong, 0);
        free(payload);
        pw_due_queue_destroy(queue);
    }
}
END_TEST

START_TEST(any_time_is_a_time)
{
    static const int64_t times[] = {0, INT64_MAX, INT64_MIN, -1, 1};
    static const int order[] = {2, 3, 0, 4, 1};
    struct pw_due_queue *queue = pw_due_queue_create(1, sizeof(int));
    int got;
    for (int i = 0; i < 5; i++)
        pw_due_queue_push(queue, times[i], &i);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(pw_due_queue_next(queue), times[order[i]]);
        ck_assert(i == 0 || !pw_due_queue_pop(queue, times[order[i]] - 1, &got));
        ck_assert(pw_due_queue_pop(queue, times[order[i]], &got) && got == order[i]);
    }
    ck_assert_uint_eq(pw_due_queue_count(queue), 0);
    pw_due_queue_destroy(queue);
    pw_due_queue_destroy(NULL);
}
END_TEST

Suite *due_queue_suite(void)
{
    Suite *suite = suite_create("due_queue");
    TCase *tests = tcase_create("due_queue");
    tcase_add_test(tests, gives_what_a_sorted_array_gives);
    tcase_add_test(tests, equal_times_come_in_order_of_arrival);
    tcase_add_test(tests, payloads_stay_whole);
    tcase_add_test(tests, any_time_is_a_time);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return suite;
}
