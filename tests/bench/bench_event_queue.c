/* The bucket ring of what is under way beside a heap: nanoseconds for taking an event out and
 * putting one in, at several numbers of pending events. */
#include <stdio.h>

#include "common/memory.h"
#include "net_models/due_queue.h"
#include "net_models/event_queue.h"
#include "tests/bench/bench.h"
#include "tests/unit/random_market.h"

enum { TURNS = 1000000, MEAN_NS = 50000000 };

struct payload {
    int agent, slot, round;
    double r;
};

struct setting {
    struct pw_event_queue *ring;
    struct pw_due_queue *heap;
    struct test_rng rng;
};

static int64_t delay(struct test_rng *rng)
{
    return (int64_t)test_uniform(rng, .5 * MEAN_NS, 1.5 * MEAN_NS);
}

static void turn_ring(void *context)
{
    struct setting *setting = context;
    struct payload payload;
    for (int i = 0; i < TURNS; i++) {
        int64_t now = pw_event_queue_pop(setting->ring, INT64_MAX, &payload);
        *(struct payload *)pw_event_queue_push(setting->ring, now + delay(&setting->rng)) = payload;
    }
}

static void turn_heap(void *context)
{
    struct setting *setting = context;
    struct payload payload;
    for (int i = 0; i < TURNS; i++) {
        int64_t now = pw_due_queue_next(setting->heap);
        pw_due_queue_pop(setting->heap, now, &payload);
        pw_due_queue_push(setting->heap, now + delay(&setting->rng), &payload);
    }
}

int main(void)
{
    pw_memory_keep();
    static const int sizes[] = {600, 10000, 100000, 1000000};
    printf("event queues, ns per event, median of 5:\n%9s %10s %10s %8s\n", "pending", "ring", "heap",
           "ratio");
    for (int i = 0; i < 4; i++) {
        struct payload payload = {0};
        struct setting setting = {.rng = test_rng(1)};
        setting.ring = pw_event_queue_create(sizeof payload, (size_t)sizes[i], 2 * MEAN_NS);
        setting.heap = pw_due_queue_create((size_t)sizes[i], sizeof payload);
        for (int k = 0; k < sizes[i]; k++) {
            *(struct payload *)pw_event_queue_push(setting.ring, delay(&setting.rng)) = payload;
            pw_due_queue_push(setting.heap, delay(&setting.rng), &payload);
        }
        double ring = bench_median_ns(turn_ring, &setting, 5) / TURNS;
        double heap = bench_median_ns(turn_heap, &setting, 5) / TURNS;
        printf("%9d %10.1f %10.1f %8.1f\n", sizes[i], ring, heap, heap / ring);
        pw_event_queue_destroy(setting.ring);
        pw_due_queue_destroy(setting.heap);
    }
    return 0;
}
