#include "coordinator/virtual.h"

#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "common/prefetch.h"
#include "net_models/event_queue.h"

/* In place of a slot: the end of a local solve; a time-out since the fire whose number stands for the round.
 */
enum { DONE = -1, TIMEOUT = -2 };

/* An event of the queue; an offer's numbers follow it. */
struct event {
    int32_t agent, slot, round;
    double r[PW_MOST_PRODUCTS];
};

struct pw_virtual {
    struct pw_virtual_spec spec;
    struct pw_event_queue *queue;
    size_t event_size;
    int is_paired; /* the exchange pairs rounds */
    int n_products;
    struct pw_watches *watches;
    int64_t *fired_ns, *solved_ns; /* [agents here] start and end of the latest local solve */
    unsigned char *busy, *queued;  /* [agents here] solving; in the list of those that may fire */
    int *ready, *firing, n_ready;
    struct event *instant; /* [instant_room] events of the same time, where their order matters */
    size_t instant_room;
    struct pw_changes changes;
    struct pw_error error; /* code PW_OK unless a peer broke the protocol */
};

static int64_t to_ns(double seconds)
{
    return (int64_t)llround(seconds * 1e9);
}

int64_t pw_virtual_lookahead(const struct pw_network *network, const struct pw_pace *pace, int answers)
{
    int64_t delay_ns = (int64_t)floor(pw_network_least_s(network) * 1e9) - 1;
    return (delay_ns > 1 ? delay_ns : 1) + (answers ? 0 : pw_pace_least_ns(pace));
}

static int lives_here(const struct pw_virtual *clock, int agent)
{
    return agent >= clock->spec.host->first && agent < clock->spec.host->end;
}

/* Fetches what an event that will be due before long touches. */
static void fetch_delivery(void *context, const void *payload)
{
    const struct pw_virtual *clock = context;
    const struct event *event = payload;
    pw_agent_fetch_slot(pw_host_agent(clock->spec.host, event->agent), clock->n_products,
                        event->slot >= 0 ? event->slot : 0);
}

struct pw_virtual *pw_virtual_create(const struct pw_virtual_spec *spec)
{
    struct pw_virtual *clock = pw_alloc(1, sizeof *clock);
    const struct pw_host *host = spec->host;
    const struct pw_market *market = host->market;
    size_t agents = (size_t)(host->end - host->first);
    int ends = market->end_first[host->end] - market->end_first[host->first];
    double span_s = 2.0 * pw_network_mean_s(&spec->network);
    clock->spec = *spec;
    clock->is_paired = host->end == host->first || pw_exchange_is_paired(host->agents[0]->rules.exchange);
    clock->n_products = market->n_products;
    clock->event_size = offsetof(struct event, r) + (size_t)market->n_products * sizeof(double);
    clock->queue =
        pw_event_queue_create(clock->event_size, (size_t)ends, to_ns(span_s) + pw_pace_mean_ns(&spec->pace));
    pw_event_queue_on_fetch(clock->queue, fetch_delivery, clock);
    clock->watches = pw_watches_create(host, clock->is_paired);
    clock->fired_ns = pw_alloc(agents, sizeof *clock->fired_ns);
    clock->solved_ns = pw_alloc(agents, sizeof *clock->solved_ns);
    clock->busy = pw_alloc(agents, 1);
    clock->queued = pw_alloc(agents, 1);
    clock->ready = pw_alloc(agents, sizeof *clock->ready);
    clock->firing = pw_alloc(agents, sizeof *clock->firing);
    return clock;
}

void pw_virtual_destroy(struct pw_virtual *clock)
{
    if (clock == NULL)
        return;
    pw_event_queue_destroy(clock->queue);
    pw_changes_finish(&clock->changes);
    pw_watches_destroy(clock->watches);
    void *arrays[] = {clock->fired_ns, clock->solved_ns, clock->busy,    clock->queued,
                      clock->ready,    clock->firing,    clock->instant, clock};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

struct pw_changes *pw_virtual_changes(struct pw_virtual *clock)
{
    return &clock->changes;
}

static void note_agent(struct pw_virtual *clock, int n, int64_t now, int32_t sent, int32_t lost)
{
    const struct pw_agent *agent = pw_host_agent(clock->spec.host, n);
    const struct pw_residuals *residuals = &agent->residuals;
    struct pw_solve *solve =
        pw_changes_add_solve(&clock->changes, now, pw_market_called(clock->spec.host->market, n),
                             clock->is_paired ? 0.0 : residuals->primal2);
    solve->dual2 = residuals->dual2;
    solve->price2 = residuals->price2;
    solve->naive2 = residuals->naive2;
    solve->welfare = -(pw_agent_cost(agent) + pw_agent_fees(agent));
    solve->turn = (int32_t)agent->fires;
    solve->unsolved = residuals->unsolved;
    solve->settled = agent->n_settled;
    solve->sent = sent;
    solve->lost = lost;
}

static struct event *push(struct pw_virtual *clock, int64_t time_ns, int32_t agent, int32_t slot,
                          int32_t round)
{
    struct event *event = pw_event_queue_push(clock->queue, time_ns);
    event->agent = agent;
    event->slot = slot;
    event->round = round;
    return event;
}

/* An offer will be delivered to an agent that lives here, unless it is lost for good. */
static void take_flight(struct pw_virtual *clock, const struct pw_flight *flight)
{
    const struct pw_offer *offer = &flight->offer;
    if (flight->due_ns == PW_FLIGHT_NEVER)
        return;
    struct event *event = push(clock, flight->due_ns, offer->agent, offer->slot, offer->round);
    pw_copy_reals(event->r, offer->r, (size_t)clock->n_products);
}

static int64_t due(int64_t sent_ns, const struct pw_passage *passage)
{
    int64_t delay_ns = to_ns(passage->delay_s);
    if (passage->lost_for_good)
        return PW_FLIGHT_NEVER;
    return sent_ns + (delay_ns > 1 ? delay_ns : 1);
}

/* As far as is known where it is for: fetches what taking in an offer will touch, step by step. */
static enum pw_code fetch_end(const struct pw_virtual *clock, const struct pw_flight *flight,
                              struct pw_error *err)
{
    const struct pw_host *host = clock->spec.host;
    int n = flight->offer.agent, slot = flight->offer.slot;
    if (!pw_host_has_slot(host, n, slot))
        return pw_fail(err, PW_INTERNAL, "an offer for agent %d, slot %d came to rank %d", n, slot,
                       host->rank);
    pw_watches_fetch_end(clock->watches, pw_host_end(host, n, slot));
    pw_prefetch(pw_host_route(host, n, slot));
    if (flight->due_ns != PW_FLIGHT_NEVER)
        pw_event_queue_fetch(clock->queue, flight->due_ns);
    return PW_OK;
}

/* At most PW_VIRTUAL_AT_ONCE. */
static enum pw_code receive_some(struct pw_virtual *clock, const struct pw_flight *flights, int count,
                                 struct pw_error *err)
{
    int ends[PW_VIRTUAL_AT_ONCE];
    for (int i = 0; i < count; i++) {
        if (fetch_end(clock, &flights[i], err) != PW_OK)
            return err->code;
        ends[i] = pw_host_end(clock->spec.host, flights[i].offer.agent, flights[i].offer.slot);
    }
    for (int i = 0; i < count; i++)
        pw_watches_fetch(clock->watches, ends[i]);
    for (int i = 0; i < count; i++) {
        pw_watches_note(clock->watches, ends[i], !clock->spec.host->routes[ends[i]].direction, &flights[i],
                        &clock->changes);
        take_flight(clock, &flights[i]);
    }
    return PW_OK;
}

enum pw_code pw_virtual_receive(struct pw_virtual *clock, const struct pw_flight *flights, int count,
                                struct pw_error *err)
{
    for (int first = 0; first < count; first += PW_VIRTUAL_AT_ONCE) {
        int some = count - first < PW_VIRTUAL_AT_ONCE ? count - first : PW_VIRTUAL_AT_ONCE;
        if (receive_some(clock, flights + first, some, err) != PW_OK)
            return err->code;
    }
    return PW_OK;
}

static void note_sending(const struct pw_virtual *clock, int n, int peer, int round, uint32_t losses,
                         int64_t now)
{
    const struct pw_observer *observer = clock->spec.observer;
    if (observer == NULL)
        return;
    observer->sent(observer->context, now, n, peer, round);
    for (uint32_t i = 0; i < losses; i++)
        observer->lost(observer->context, now + to_ns(pw_network_wait_s(&clock->spec.network, i)), n, peer,
                       round);
}

/* An offer that leaves an end here, and how often it is lost on its way. */
struct departure {
    struct pw_flight flight;
    int end;
    uint32_t losses;
};

/* So many offers leave at a time, so that their memory is fetched and their passages are drawn at once. */
enum { AT_ONCE = 16 };

static void take_along(const struct pw_virtual *clock, int n, int slot, int64_t now,
                       struct departure *departure)
{
    const struct pw_host *host = clock->spec.host;
    const struct pw_agent *agent = pw_host_agent(host, n);
    struct pw_flight *flight = &departure->flight;
    departure->end = pw_host_end(host, n, slot);
    pw_watches_fetch(clock->watches, departure->end);
    pw_host_offer(host, n, slot, &flight->offer);
    for (int q = 0; q < clock->n_products; q++)
        flight->trade[q] = clock->is_paired ? pw_agent_trade(agent, slot, q) : 0.0;
    flight->sent_ns = now;
}

/* Draws what becomes of them on their way. */
static void pass(struct pw_virtual *clock, struct departure *departures, int count)
{
    struct pw_transmission transmissions[AT_ONCE];
    struct pw_passage passages[AT_ONCE];
    for (int i = 0; i < count; i++) {
        const struct pw_route *route = &clock->spec.host->routes[departures[i].end];
        transmissions[i] = (struct pw_transmission){.link = (uint32_t)route->link,
                                                    .direction = (uint32_t)route->direction,
                                                    .round = (uint32_t)departures[i].flight.offer.round};
    }
    pw_network_pass_many(&clock->spec.network, transmissions, count, passages);
    for (int i = 0; i < count; i++) {
        struct pw_flight *flight = &departures[i].flight;
        departures[i].losses = passages[i].losses;
        flight->due_ns = due(flight->sent_ns, &passages[i]);
        pw_event_queue_fetch(clock->queue, flight->due_ns);
    }
}

static void depart(struct pw_virtual *clock, int n, const struct departure *departure)
{
    const struct pw_host *host = clock->spec.host;
    const struct pw_route *route = &host->routes[departure->end];
    const struct pw_flight *flight = &departure->flight;
    note_sending(clock, n, route->peer, flight->offer.round, departure->losses, flight->sent_ns);
    pw_watches_note(clock->watches, departure->end, route->direction, flight, &clock->changes);
    if (lives_here(clock, route->peer))
        take_flight(clock, flight);
    else
        clock->spec.send(clock->spec.context, pw_placement_rank(&host->placement, route->peer), flight);
}

static void list_if_ready(struct pw_virtual *clock, int n)
{
    int i = n - clock->spec.host->first;
    if (clock->queued[i] || clock->busy[i] || !pw_agent_ready(clock->spec.host->agents[i]))
        return;
    clock->queued[i] = 1;
    clock->ready[clock->n_ready++] = n;
}

/* What a local solve brings about when it ends at `end_ns`: known, and sent on its way, when it starts, so
 * that other ranks hear of it in good time. */
static void foresee(struct pw_virtual *clock, int n, int64_t end_ns)
{
    const struct pw_agent *agent = pw_host_agent(clock->spec.host, n);
    struct departure departures[AT_ONCE];
    int32_t lost = 0;
    for (int first = 0; first < agent->n_out; first += AT_ONCE) {
        int end = first + AT_ONCE < agent->n_out ? first + AT_ONCE : agent->n_out;
        for (int i = first; i < end; i++)
            take_along(clock, n, agent->outbox[i], end_ns, &departures[i - first]);
        pass(clock, departures, end - first);
        for (int i = first; i < end; i++) {
            depart(clock, n, &departures[i - first]);
            lost += (int32_t)departures[i - first].losses;
        }
    }
    note_agent(clock, n, end_ns, agent->n_out, lost);
    pw_host_note_turned(clock->spec.host, n, end_ns, clock->spec.observer, end_ns);
}

/* When an agent answers what comes `now`: at once, or when the local solve under way has ended. */
static int64_t answer_time(const struct pw_virtual *clock, int n, int64_t now)
{
    int i = n - clock->spec.host->first;
    return clock->busy[i] ? clock->solved_ns[i] : now;
}

/* A settled trade that was offered anew answers. */
static void answer(struct pw_virtual *clock, int n, int slot, int64_t when_ns)
{
    struct departure departure;
    take_along(clock, n, slot, when_ns, &departure);
    pass(clock, &departure, 1);
    depart(clock, n, &departure);
    note_agent(clock, n, when_ns, 1, (int32_t)departure.losses);
}

static void set_timeout(struct pw_virtual *clock, int n, int64_t now)
{
    const struct pw_agent *agent = pw_host_agent(clock->spec.host, n);
    if (pw_agent_needs_timeout(agent) && clock->spec.timeout_ns < INT64_MAX - now)
        push(clock, now + clock->spec.timeout_ns, n, TIMEOUT, (int32_t)agent->fires);
}

/* An agent that has not fired since then fires with what it has. */
static void time_out(struct pw_virtual *clock, int n, int32_t fires)
{
    int i = n - clock->spec.host->first;
    if (pw_host_agent(clock->spec.host, n)->fires != fires || clock->busy[i] || clock->queued[i])
        return;
    clock->queued[i] = 1;
    clock->ready[clock->n_ready++] = n;
}

static void end_solve(struct pw_virtual *clock, int n, int64_t now)
{
    int i = n - clock->spec.host->first;
    clock->busy[i] = 0;
    pw_host_fired(clock->spec.host, n, clock->fired_ns[i], now);
    list_if_ready(clock, n);
    set_timeout(clock, n, now);
}

void pw_virtual_start(struct pw_virtual *clock)
{
    struct pw_host *host = clock->spec.host;
    for (int n = host->first; n < host->end; n++)
        pw_agent_start(pw_host_agent(host, n));
    for (int n = host->first; n < host->end; n++) {
        foresee(clock, n, 0);
        end_solve(clock, n, 0);
    }
}

static void start_solve(struct pw_virtual *clock, int n, int64_t now)
{
    const struct pw_observer *observer = clock->spec.observer;
    int i = n - clock->spec.host->first;
    uint32_t number = (uint32_t)pw_market_called(clock->spec.host->market, n);
    int64_t end_ns = pw_pace_finish(&clock->spec.pace, number, now);
    pw_host_fire(clock->spec.host, n, now);
    if (observer != NULL)
        observer->fired(observer->context, now, n);
    foresee(clock, n, end_ns);
    clock->fired_ns[i] = now;
    clock->solved_ns[i] = end_ns;
    clock->busy[i] = 1;
    if (end_ns > now)
        push(clock, end_ns, n, DONE, 0);
    else
        end_solve(clock, n, now);
}

static void note_delivery(const struct pw_virtual *clock, const struct event *event, int answers, int64_t now)
{
    const struct pw_observer *observer = clock->spec.observer;
    if (observer == NULL)
        return;
    int peer = pw_host_route(clock->spec.host, event->agent, event->slot)->peer;
    observer->delivered(observer->context, now, event->agent, peer, event->round);
    if (answers)
        observer->woke(observer->context, answer_time(clock, event->agent, now), event->agent, peer,
                       event->round);
}

static void deliver(struct pw_virtual *clock, const struct event *event, int64_t now)
{
    int answers;
    if (pw_host_deliver(clock->spec.host, event->agent, event->slot, event->round, event->r, &answers,
                        &clock->error) != PW_OK)
        return;
    note_delivery(clock, event, answers, now);
    if (answers)
        answer(clock, event->agent, event->slot, answer_time(clock, event->agent, now));
    list_if_ready(clock, event->agent);
}

/* Fetches what the fire touches that an event due soon is known to bring about. */
static void look_ahead(const struct pw_virtual *clock)
{
    enum { AHEAD = 3 };
    const struct event *soon = pw_event_queue_soon(clock->queue, AHEAD);
    if (soon != NULL && soon->slot >= 0)
        pw_agent_fetch_fire(pw_host_agent(clock->spec.host, soon->agent));
}

static void fire_ready(struct pw_virtual *clock, int64_t now)
{
    while (clock->n_ready > 0) {
        int count = clock->n_ready, *list = clock->ready;
        clock->ready = clock->firing;
        clock->firing = list;
        clock->n_ready = 0;
        for (int k = 0; k < count; k++) {
            clock->queued[list[k] - clock->spec.host->first] = 0;
            start_solve(clock, list[k], now);
        }
    }
}

int64_t pw_virtual_next(const struct pw_virtual *clock)
{
    return pw_event_queue_next(clock->queue);
}

static void handle(struct pw_virtual *clock, const struct event *event, int64_t now)
{
    look_ahead(clock);
    if (event->slot == DONE)
        end_solve(clock, event->agent, now);
    else if (event->slot == TIMEOUT)
        time_out(clock, event->agent, event->round);
    else
        deliver(clock, event, now);
}

static int by_slot_and_round(const void *x, const void *y)
{
    const struct event *a = x, *b = y;
    if (a->agent != b->agent)
        return a->agent < b->agent ? -1 : 1;
    if (a->slot != b->slot)
        return a->slot < b->slot ? -1 : 1;
    return (a->round > b->round) - (a->round < b->round);
}

/* Where nothing is paired an offer that comes after a newer one is a duplicate: those of one instant come in
 * the order of their rounds. `event` is the first of them, and room for others; returns how many there were.
 */
static size_t handle_in_order(struct pw_virtual *clock, struct event *event, int64_t now)
{
    size_t count = 0;
    for (int goes_on = 1; goes_on; count++) {
        if (count == clock->instant_room) {
            clock->instant_room = 2 * count + 16;
            clock->instant = pw_realloc(clock->instant, clock->instant_room, sizeof *clock->instant);
        }
        clock->instant[count] = *event;
        goes_on = pw_event_queue_goes_on(clock->queue, now);
        if (goes_on)
            pw_event_queue_pop(clock->queue, now + 1, event);
    }
    qsort(clock->instant, count, sizeof *clock->instant, by_slot_and_round);
    for (size_t i = 0; i < count; i++)
        handle(clock, &clock->instant[i], now);
    return count;
}

/* Paired rounds may come in any order. */
static size_t handle_instant(struct pw_virtual *clock, struct event *event, int64_t now)
{
    size_t count = 1;
    if (!clock->is_paired)
        return handle_in_order(clock, event, now);
    handle(clock, event, now);
    for (; pw_event_queue_goes_on(clock->queue, now); count++) {
        pw_event_queue_pop(clock->queue, now + 1, event);
        handle(clock, event, now);
    }
    return count;
}

enum pw_code pw_virtual_run(struct pw_virtual *clock, int64_t until_ns, int64_t most, struct pw_error *err)
{
    struct event event;
    for (int64_t played = 0; played < most;) {
        int64_t now = pw_event_queue_pop(clock->queue, until_ns, &event);
        if (now == INT64_MAX)
            return PW_OK;
        played += (int64_t)handle_instant(clock, &event, now);
        fire_ready(clock, now);
        if (clock->error.code != PW_OK) {
            *err = clock->error;
            return err->code;
        }
    }
    return PW_OK;
}
