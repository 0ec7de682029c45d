#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "common/prefetch.h"
#include "coordinator/virtual_internal.h"

/* In place of the start of a solve. */
enum { COUNTED = -1 };

/* Agents that fire so much later are fetched into the cache. */
enum { AHEAD = 3 };

int64_t pw_virtual_lookahead(const struct pw_network *network, const struct pw_pace *pace, int answers)
{
    int64_t delay_ns = (int64_t)floor(pw_network_least_s(network) * 1e9) - 1;
    return (delay_ns > 1 ? delay_ns : 1) + (answers ? 0 : pw_pace_least_ns(pace));
}

/* Fetches what an event that will be due before long touches. */
static void fetch_event(void *context, const void *payload)
{
    const struct pw_virtual *clock = context;
    const struct pw_virtual_event *event = payload;
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
    if (agents > 0) {
        clock->is_paired = pw_exchange_is_paired(host->agents[0]->rules.exchange);
        clock->foretells = pw_agent_awaits_all(host->agents[0]) && spec->observer == NULL;
    }
    clock->n_products = market->n_products;
    clock->event_size = offsetof(struct pw_virtual_event, r) + (size_t)market->n_products * sizeof(double);
    clock->queue = pw_event_queue_create(clock->event_size, clock->foretells ? agents : (size_t)ends,
                                         pw_virtual_ns(span_s) + pw_pace_mean_ns(&spec->pace));
    pw_event_queue_on_fetch(clock->queue, fetch_event, clock);
    clock->boxes = clock->is_paired ? pw_mailboxes_create(host) : NULL;
    clock->fired_ns = pw_alloc(agents, sizeof *clock->fired_ns);
    clock->solved_ns = pw_alloc(agents, sizeof *clock->solved_ns);
    clock->waiting = pw_alloc(agents, sizeof *clock->waiting);
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
    pw_mailboxes_destroy(clock->boxes);
    void *arrays[] = {clock->fired_ns, clock->solved_ns, clock->waiting, clock->ready,
                      clock->firing,   clock->instant,   clock};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

struct pw_changes *pw_virtual_changes(struct pw_virtual *clock)
{
    return &clock->changes;
}

static void list(struct pw_virtual *clock, int n)
{
    pw_virtual_waiting(clock, n)->queued = 1;
    clock->ready[clock->n_ready++] = n;
}

/* Where offers wait in mailboxes: ready when all is here, for all of it has left. */
static int is_ready(const struct pw_virtual *clock, int n)
{
    const struct pw_agent *agent = pw_host_agent(clock->spec.host, n);
    if (clock->foretells)
        return pw_virtual_waiting(clock, n)->missing == 0 && agent->n_settled < agent->n_links;
    return pw_agent_ready(agent);
}

/* Once all is here the agent may fire. */
void pw_virtual_expect(struct pw_virtual *clock, int n)
{
    struct pw_waiting *waiting = pw_virtual_waiting(clock, n);
    if (!waiting->expected)
        pw_virtual_push(clock, waiting->all_here_ns, n, PW_VIRTUAL_ALL_HERE, 0);
    waiting->expected = 1;
}

void pw_virtual_list_if_ready(struct pw_virtual *clock, int n, int64_t now)
{
    const struct pw_waiting *waiting = pw_virtual_waiting(clock, n);
    if (waiting->queued || !is_ready(clock, n))
        return;
    if (waiting->all_here_ns > now)
        pw_virtual_expect(clock, n);
    else
        list(clock, n);
}

static void set_timeout(struct pw_virtual *clock, int n, int64_t end_ns)
{
    const struct pw_agent *agent = pw_host_agent(clock->spec.host, n);
    if (pw_agent_needs_timeout(agent) && clock->spec.timeout_ns < INT64_MAX - end_ns)
        pw_virtual_push(clock, end_ns + clock->spec.timeout_ns, n, PW_VIRTUAL_TIMEOUT, (int32_t)agent->fires);
}

/* An agent that has not fired since then fires with what it has. */
static void time_out(struct pw_virtual *clock, int n, int32_t fires)
{
    if (pw_host_agent(clock->spec.host, n)->fires == fires && !pw_virtual_waiting(clock, n)->queued)
        list(clock, n);
}

/* The agent's latest solve counts, once, if it has ended before `until_ns`. */
static void count_solve(struct pw_virtual *clock, int n, int64_t until_ns)
{
    int i = n - clock->spec.host->first;
    if (clock->fired_ns[i] == COUNTED || clock->solved_ns[i] >= until_ns)
        return;
    pw_host_fired(clock->spec.host, n, clock->fired_ns[i], clock->solved_ns[i]);
    clock->fired_ns[i] = COUNTED;
}

void pw_virtual_count_solves(struct pw_virtual *clock, int64_t until_ns)
{
    for (int n = clock->spec.host->first; n < clock->spec.host->end; n++)
        count_solve(clock, n, until_ns);
}

/* The offers of a local solve leave when it ends, and the agent waits for what answers them. If it waits for
 * nothing, so that nothing may be left to happen, the end is an event of its own. */
static void send(struct pw_virtual *clock, int n, int64_t now, int64_t end_ns)
{
    const struct pw_agent *agent = pw_host_agent(clock->spec.host, n);
    int i = n - clock->spec.host->first;
    clock->fired_ns[i] = now;
    clock->solved_ns[i] = end_ns;
    clock->waiting[i].all_here_ns = end_ns;
    pw_virtual_foresee(clock, n, end_ns);
    if (clock->foretells)
        pw_virtual_await(clock, n);
    if (agent->n_settled == agent->n_links && end_ns > now)
        pw_virtual_expect(clock, n);
    else
        pw_virtual_list_if_ready(clock, n, now);
    set_timeout(clock, n, end_ns);
}

void pw_virtual_start(struct pw_virtual *clock)
{
    struct pw_host *host = clock->spec.host;
    for (int n = host->first; n < host->end; n++)
        pw_agent_start(pw_host_agent(host, n));
    for (int n = host->first; n < host->end; n++)
        send(clock, n, 0, 0);
}

/* Where agents fire on a part of their links: fetches what the offers touch that will leave. */
static void fetch_part(const struct pw_virtual *clock, int n)
{
    const struct pw_host *host = clock->spec.host;
    const struct pw_agent *agent = pw_host_agent(host, n);
    int first = pw_host_end(host, n, 0);
    for (int slot = 0; slot < agent->n_links; slot++) {
        const struct pw_route *route = &host->routes[first + slot];
        if (!pw_agent_inbox(agent, slot)->complete)
            continue;
        pw_prefetch(pw_mailbox(clock->boxes, first + slot));
        if (pw_host_has(host, route->peer))
            pw_prefetch(pw_mailbox(clock->boxes, pw_host_end(host, route->peer, route->slot)));
    }
}

static void start_solve(struct pw_virtual *clock, int n, int64_t now)
{
    const struct pw_observer *observer = clock->spec.observer;
    uint32_t number = (uint32_t)pw_market_called(clock->spec.host->market, n);
    count_solve(clock, n, INT64_MAX);
    if (clock->foretells)
        pw_virtual_open_mail(clock, n, now);
    else if (clock->is_paired)
        fetch_part(clock, n);
    pw_host_fire(clock->spec.host, n, now);
    if (observer != NULL)
        observer->fired(observer->context, now, n);
    send(clock, n, now, pw_pace_finish(&clock->spec.pace, number, now));
}

/* Fetches agent n, the mailboxes from which it is given offers, and the routes on which it sends them. */
static void fetch_own(const struct pw_virtual *clock, int n)
{
    const struct pw_agent *agent = pw_host_agent(clock->spec.host, n);
    int first = pw_host_end(clock->spec.host, n, 0), end = first + agent->n_links;
    pw_agent_fetch_fire(agent);
    for (int i = first; i < end; i += PW_CACHE_LINE / (int)sizeof(struct pw_route))
        pw_prefetch(&clock->spec.host->routes[i]);
    for (int i = first; i < end && clock->foretells; i++)
        pw_prefetch(pw_mailbox(clock->boxes, i));
}

/* Fetches the mailboxes into which agent n, which is in the cache, will lay offers. */
static void fetch_peers(const struct pw_virtual *clock, int n)
{
    const struct pw_host *host = clock->spec.host;
    int first = pw_host_end(host, n, 0), end = first + pw_host_agent(host, n)->n_links;
    for (int i = first; i < end; i++) {
        const struct pw_route *route = &host->routes[i];
        if (pw_host_has(host, route->peer))
            pw_prefetch(pw_mailbox(clock->boxes, pw_host_end(host, route->peer, route->slot)));
    }
}

/* Is the event known to let its agent fire? */
static int lets_fire(const struct pw_virtual *clock, const struct pw_virtual_event *event)
{
    const struct pw_agent *agent = pw_host_agent(clock->spec.host, event->agent);
    if (event->slot >= 0)
        return agent->n_complete + 1 >= agent->needed;
    return event->slot == PW_VIRTUAL_ALL_HERE;
}

/* Fetches what the fires touch that the next events are known to bring about: first what says what else.
 * Those of this instant fire after all of its events. */
static void look_ahead(const struct pw_virtual *clock, int64_t now)
{
    int64_t time_ns = now;
    const struct pw_virtual_event *soon = pw_event_queue_soon(clock->queue, AHEAD, &time_ns);
    if (soon != NULL && time_ns > now && lets_fire(clock, soon))
        fetch_own(clock, soon->agent);
    const struct pw_virtual_event *next = pw_event_queue_soon(clock->queue, 0, &time_ns);
    if (next != NULL && time_ns > now && next->slot == PW_VIRTUAL_ALL_HERE && clock->foretells)
        fetch_peers(clock, next->agent);
}

/* Of many agents that fire at once, those that come after the k-th. */
static void look_along(const struct pw_virtual *clock, const int *list, int k, int count)
{
    if (k + AHEAD < count)
        fetch_own(clock, list[k + AHEAD]);
    if (k + 1 < count && clock->foretells)
        fetch_peers(clock, list[k + 1]);
}

static void fire_ready(struct pw_virtual *clock, int64_t now)
{
    while (clock->n_ready > 0) {
        int count = clock->n_ready, *list = clock->ready;
        clock->ready = clock->firing;
        clock->firing = list;
        clock->n_ready = 0;
        for (int k = 0; k < count; k++) {
            look_along(clock, list, k, count);
            pw_virtual_waiting(clock, list[k])->queued = 0;
            start_solve(clock, list[k], now);
        }
    }
}

int64_t pw_virtual_next(const struct pw_virtual *clock)
{
    return pw_event_queue_next(clock->queue);
}

static void all_is_here(struct pw_virtual *clock, int n, int64_t now)
{
    pw_virtual_waiting(clock, n)->expected = 0;
    pw_virtual_list_if_ready(clock, n, now);
}

static void handle(struct pw_virtual *clock, const struct pw_virtual_event *event, int64_t now)
{
    look_ahead(clock, now);
    if (event->slot == PW_VIRTUAL_ALL_HERE)
        all_is_here(clock, event->agent, now);
    else if (event->slot == PW_VIRTUAL_TIMEOUT)
        time_out(clock, event->agent, event->round);
    else
        pw_virtual_arrive(clock, event, now);
}

static int by_slot_and_round(const void *x, const void *y)
{
    const struct pw_virtual_event *a = x, *b = y;
    if (a->agent != b->agent)
        return a->agent < b->agent ? -1 : 1;
    if (a->slot != b->slot)
        return a->slot < b->slot ? -1 : 1;
    return (a->round > b->round) - (a->round < b->round);
}

/* Where nothing is paired an offer that comes after a newer one is a duplicate: those of one instant come in
 * the order of their rounds. `event` is the first of them, and room for others; returns how many there were.
 */
static size_t handle_in_order(struct pw_virtual *clock, struct pw_virtual_event *event, int64_t now)
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
static size_t handle_instant(struct pw_virtual *clock, struct pw_virtual_event *event, int64_t now)
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
    struct pw_virtual_event event;
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
