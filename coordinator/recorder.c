#include "coordinator/recorder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

static int order(int x, int y)
{
    return (x > y) - (x < y);
}

static int earlier(const void *x, const void *y)
{
    const struct pw_event *a = x, *b = y;
    if (a->time_s != b->time_s)
        return a->time_s < b->time_s ? -1 : 1;
    if (a->kind != b->kind)
        return order(a->kind, b->kind);
    if (a->agent != b->agent)
        return order(a->agent, b->agent);
    return a->peer != b->peer ? order(a->peer, b->peer) : order(a->round, b->round);
}

/* Keeps the earliest `most`. */
static void keep_first(struct pw_recorder *recorder)
{
    if (recorder->count > 0)
        qsort(recorder->events, recorder->count, sizeof *recorder->events, earlier);
    if (recorder->count > recorder->most)
        recorder->count = recorder->most;
}

static void add(struct pw_recorder *recorder, const struct pw_event *event)
{
    if (recorder->count == 2 * recorder->most)
        keep_first(recorder);
    if (recorder->count == recorder->room) {
        recorder->room = 2 * recorder->room + 1024;
        recorder->events = pw_realloc(recorder->events, recorder->room, sizeof *recorder->events);
    }
    recorder->events[recorder->count++] = *event;
}

static void note(struct pw_recorder *recorder, int64_t now_ns, enum pw_event_kind kind, int agent, int peer,
                 int round)
{
    struct pw_event event = {(double)(now_ns - recorder->start_ns) * 1e-9,
                             pw_market_called(recorder->market, agent),
                             peer < 0 ? peer : pw_market_called(recorder->market, peer), round, kind};
    add(recorder, &event);
}

static void note_fire(void *context, int64_t now_ns, int agent)
{
    note(context, now_ns, PW_EVENT_FIRE, agent, -1, -1);
}

static void note_send(void *context, int64_t now_ns, int agent, int peer, int round)
{
    note(context, now_ns, PW_EVENT_SEND, agent, peer, round);
}

static void note_delivery(void *context, int64_t now_ns, int agent, int peer, int round)
{
    note(context, now_ns, PW_EVENT_DELIVER, agent, peer, round);
}

static void note_loss(void *context, int64_t now_ns, int agent, int peer, int round)
{
    note(context, now_ns, PW_EVENT_LOST, agent, peer, round);
}

static void note_settling(void *context, int64_t now_ns, int agent, int peer, int round)
{
    note(context, now_ns, PW_EVENT_SETTLE, agent, peer, round);
}

static void note_waking(void *context, int64_t now_ns, int agent, int peer, int round)
{
    note(context, now_ns, PW_EVENT_WAKE, agent, peer, round);
}

void pw_recorder_init(struct pw_recorder *recorder, const struct pw_market *market, int64_t start_ns)
{
    *recorder = (struct pw_recorder){.market = market, .start_ns = start_ns, .most = PW_MOST_EVENTS};
    recorder->observer = (struct pw_observer){.context = recorder,
                                              .fired = note_fire,
                                              .sent = note_send,
                                              .delivered = note_delivery,
                                              .settled = note_settling,
                                              .woke = note_waking,
                                              .lost = note_loss};
}

void pw_recorder_finish(struct pw_recorder *recorder)
{
    free(recorder->events);
}

enum pw_code pw_recorder_take_in(struct pw_recorder *recorder, const unsigned char *bytes, size_t size,
                                 struct pw_error *err)
{
    struct pw_event event;
    if (size % sizeof event != 0)
        return pw_fail(err, PW_INTERNAL, "a timeline of %zu bytes, which are not whole events", size);
    for (size_t at = 0; at < size; at += sizeof event) {
        memcpy(&event, bytes + at, sizeof event);
        add(recorder, &event);
    }
    return PW_OK;
}

void pw_recorder_deliver(struct pw_recorder *recorder, struct pw_outcome *outcome)
{
    keep_first(recorder);
    if (recorder->count == recorder->most)
        pw_warn("the timeline holds the first %zu events only", recorder->most);
    outcome->events = recorder->events;
    outcome->n_events = (int)recorder->count;
    recorder->events = NULL;
    recorder->count = recorder->room = 0;
}
