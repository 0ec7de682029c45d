#include "coordinator/virtual.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* What is known of a link whose agent_a lives here: the latest offer that left either end, and when. */
struct watch {
    int64_t sent_ns[2];
    int32_t round[2];
    double trade[]; /* [2 * n_products] in it; of agent_b elsewhere, the offer itself */
};

struct pw_virtual {
    struct pw_virtual_spec spec;
    struct pw_event_queue *queue;
    size_t event_size;
    int is_paired; /* the exchange pairs rounds */
    int n_products;
    unsigned char *watches;       /* [links of agents_a here] by watch_of() */
    size_t watch_size;            /* bytes of one */
    int32_t *watch_number;        /* [ends here] -1: agent_a lives elsewhere, or nothing is paired */
    int64_t *fired_ns;            /* [agents here] start of the latest local solve */
    unsigned char *busy, *queued; /* [agents here] solving; in the list of those that may fire */
    int *ready, *firing, n_ready;
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

/* Numbers the watches in the order of the ends of agents_a, so that those of one agent lie together. */
static void make_watches(struct pw_virtual *clock, int ends)
{
    const struct pw_host *host = clock->spec.host;
    int32_t n_watches = 0;
    clock->watch_number = pw_alloc((size_t)ends, sizeof *clock->watch_number);
    clock->watch_size = sizeof(struct watch) + 2 * (size_t)clock->n_products * sizeof(double);
    for (int end = 0; end < ends; end++)
        clock->watch_number[end] = clock->is_paired && host->routes[end].direction == 0 ? n_watches++ : -1;
    for (int end = 0; end < ends; end++) {
        const struct pw_route *route = &host->routes[end];
        if (clock->is_paired && route->direction == 1 && lives_here(clock, route->peer))
            clock->watch_number[end] = clock->watch_number[pw_host_end(host, route->peer, route->slot)];
    }
    clock->watches = pw_alloc((size_t)n_watches, clock->watch_size);
    for (int32_t w = 0; w < n_watches; w++) {
        struct watch *watch = (struct watch *)(clock->watches + (size_t)w * clock->watch_size);
        watch->round[0] = -1;
        watch->round[1] = -2; /* not the same */
    }
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
    make_watches(clock, ends);
    clock->fired_ns = pw_alloc(agents, sizeof *clock->fired_ns);
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
    void *arrays[] = {clock->watches, clock->watch_number, clock->fired_ns, clock->busy,
                      clock->queued,  clock->ready,        clock->firing,   clock};
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
    struct pw_solve solve = {.dual2 = residuals->dual2,
                             .price2 = residuals->price2,
                             .naive2 = residuals->naive2,
                             .welfare = -(pw_agent_cost(agent) + pw_agent_fees(agent)),
                             .turn = (int32_t)agent->fires,
                             .unsolved = residuals->unsolved,
                             .sent = sent,
                             .settled = agent->n_settled,
                             .lost = lost};
    pw_changes_add_solve(&clock->changes, now, n, clock->is_paired ? 0.0 : residuals->primal2, &solve);
}

static struct watch *watch_of(const struct pw_virtual *clock, int end)
{
    int32_t number = clock->watch_number[end];
    return number < 0 ? NULL : (struct watch *)(clock->watches + (size_t)number * clock->watch_size);
}

/* The gap of a link counts from the instant at which both ends have sent the same round. */
static void note_gap(struct pw_virtual *clock, int link, const struct watch *watch, const double *trade_b)
{
    int64_t both_ns = watch->sent_ns[0] > watch->sent_ns[1] ? watch->sent_ns[0] : watch->sent_ns[1];
    double gap2 = 0.0;
    for (int q = 0; q < clock->n_products; q++) {
        double gap = watch->trade[q] + trade_b[q];
        gap2 += gap * gap;
    }
    pw_changes_add_gap(&clock->changes, both_ns, link, gap2);
}

/* The gap where agent_b lives elsewhere: its trade follows from its offer and what agent_a holds of it, which
 * is the same number bit for bit. */
static void note_gap_apart(struct pw_virtual *clock, int n, int slot, const struct watch *watch)
{
    const struct pw_agent *agent = pw_host_agent(clock->spec.host, n);
    double trade_b[PW_MOST_PRODUCTS];
    for (int q = 0; q < clock->n_products; q++)
        trade_b[q] = pw_agent_peer_trade(agent, slot, q, watch->trade[clock->n_products + q]);
    note_gap(clock, pw_host_route(clock->spec.host, n, slot)->link, watch, trade_b);
}

/* An offer leaves an agent that lives here: whoever sees all sees it now. */
static void note_departure(struct pw_virtual *clock, int n, int slot, const struct pw_offer *offer,
                           int64_t sent_ns)
{
    const struct pw_host *host = clock->spec.host;
    const struct pw_agent *agent = pw_host_agent(host, n);
    const struct pw_route *route = pw_host_route(host, n, slot);
    struct watch *watch = watch_of(clock, pw_host_end(host, n, slot));
    int direction = route->direction;
    if (watch == NULL)
        return;
    watch->sent_ns[direction] = sent_ns;
    watch->round[direction] = offer->round;
    for (int q = 0; q < clock->n_products; q++)
        watch->trade[direction * clock->n_products + q] = pw_agent_trade(agent, slot, q);
    if (watch->round[0] != watch->round[1])
        return;
    if (direction == 0 && !lives_here(clock, route->peer))
        note_gap_apart(clock, n, slot, watch);
    else
        note_gap(clock, route->link, watch, watch->trade + clock->n_products);
}

/* An offer has left agent_b, elsewhere, for agent_a here. */
static void note_arrival(struct pw_virtual *clock, const struct pw_offer *offer, int64_t sent_ns)
{
    struct watch *watch = watch_of(clock, pw_host_end(clock->spec.host, offer->agent, offer->slot));
    if (watch == NULL)
        return;
    watch->sent_ns[1] = sent_ns;
    watch->round[1] = offer->round;
    memcpy(watch->trade + clock->n_products, offer->r, (size_t)clock->n_products * sizeof(double));
    if (watch->round[0] == watch->round[1])
        note_gap_apart(clock, offer->agent, offer->slot, watch);
}

/* An offer will be delivered to an agent that lives here. */
static void take_flight(struct pw_virtual *clock, const struct pw_offer *offer, int64_t due_ns)
{
    struct event event = {.agent = offer->agent, .slot = offer->slot, .round = offer->round};
    for (int q = 0; q < clock->n_products; q++)
        event.r[q] = offer->r[q];
    pw_event_queue_push(clock->queue, due_ns, &event);
}

static int64_t due(int64_t sent_ns, const struct pw_passage *passage)
{
    int64_t delay_ns = to_ns(passage->delay_s);
    return sent_ns + (delay_ns > 1 ? delay_ns : 1);
}

enum pw_code pw_virtual_receive(struct pw_virtual *clock, const struct pw_offer *offer, int64_t sent_ns,
                                struct pw_error *err)
{
    const struct pw_host *host = clock->spec.host;
    if (!pw_host_has_slot(host, offer->agent, offer->slot))
        return pw_fail(err, PW_INTERNAL, "an offer for agent %d, slot %d came to rank %d", offer->agent,
                       offer->slot, host->rank);
    const struct pw_route *back = pw_host_route(host, offer->agent, offer->slot);
    struct pw_passage passage = pw_network_pass(&clock->spec.network, (uint32_t)back->link,
                                                (uint32_t)!back->direction, (uint32_t)offer->round);
    note_arrival(clock, offer, sent_ns);
    if (!passage.lost_for_good)
        take_flight(clock, offer, due(sent_ns, &passage));
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

/* An offer that leaves, and what becomes of it on its way. */
struct departure {
    struct pw_offer offer;
    struct pw_passage passage;
    int64_t due_ns;
};

static void prepare(struct pw_virtual *clock, int n, int slot, int64_t now, struct departure *departure)
{
    const struct pw_host *host = clock->spec.host;
    const struct pw_route *route = pw_host_route(host, n, slot);
    int end = pw_host_end(host, n, slot);
    if (clock->watch_number[end] >= 0)
        pw_prefetch(watch_of(clock, end));
    pw_host_offer(host, n, slot, &departure->offer);
    departure->passage = pw_network_pass(&clock->spec.network, (uint32_t)route->link,
                                         (uint32_t)route->direction, (uint32_t)departure->offer.round);
    departure->due_ns = due(now, &departure->passage);
    pw_event_queue_fetch(clock->queue, departure->due_ns);
}

static void depart(struct pw_virtual *clock, int n, int slot, int64_t now, const struct departure *departure)
{
    const struct pw_host *host = clock->spec.host;
    const struct pw_route *route = pw_host_route(host, n, slot);
    const struct pw_offer *offer = &departure->offer;
    note_sending(clock, n, route->peer, offer->round, departure->passage.losses, now);
    note_departure(clock, n, slot, offer, now);
    if (!lives_here(clock, route->peer))
        clock->spec.send(clock->spec.context, pw_placement_rank(&host->placement, route->peer), offer, now);
    else if (!departure->passage.lost_for_good)
        take_flight(clock, offer, departure->due_ns);
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
 * that other ranks hear of it in good time. A few offers at a time, so that their memory is fetched at once.
 */
static void foresee(struct pw_virtual *clock, int n, int64_t end_ns)
{
    enum { AT_ONCE = 16 };
    const struct pw_agent *agent = pw_host_agent(clock->spec.host, n);
    struct departure departures[AT_ONCE];
    int32_t lost = 0;
    for (int first = 0; first < agent->n_out; first += AT_ONCE) {
        int end = first + AT_ONCE < agent->n_out ? first + AT_ONCE : agent->n_out;
        for (int i = first; i < end; i++)
            prepare(clock, n, agent->outbox[i], end_ns, &departures[i - first]);
        for (int i = first; i < end; i++) {
            depart(clock, n, agent->outbox[i], end_ns, &departures[i - first]);
            lost += (int32_t)departures[i - first].passage.losses;
        }
    }
    note_agent(clock, n, end_ns, agent->n_out, lost);
    pw_host_note_turned(clock->spec.host, n, end_ns, clock->spec.observer, end_ns);
}

/* A settled trade that was offered anew answers at once. */
static void answer(struct pw_virtual *clock, int n, int slot, int64_t now)
{
    struct departure departure;
    prepare(clock, n, slot, now, &departure);
    depart(clock, n, slot, now, &departure);
    note_agent(clock, n, now, 1, (int32_t)departure.passage.losses);
}

static void set_timeout(struct pw_virtual *clock, int n, int64_t now)
{
    const struct pw_agent *agent = pw_host_agent(clock->spec.host, n);
    struct event event = {n, TIMEOUT, (int32_t)agent->fires, {0}};
    if (pw_agent_needs_timeout(agent) && clock->spec.timeout_ns < INT64_MAX - now)
        pw_event_queue_push(clock->queue, now + clock->spec.timeout_ns, &event);
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
    struct event done = {n, DONE, 0, {0}};
    int64_t end_ns = pw_pace_finish(&clock->spec.pace, (uint32_t)n, now);
    pw_host_fire(clock->spec.host, n, now);
    if (observer != NULL)
        observer->fired(observer->context, now, n);
    foresee(clock, n, end_ns);
    clock->fired_ns[i] = now;
    clock->busy[i] = 1;
    if (end_ns > now)
        pw_event_queue_push(clock->queue, end_ns, &done);
    else
        end_solve(clock, n, now);
}

static void deliver(struct pw_virtual *clock, const struct event *event, int64_t now)
{
    const struct pw_observer *observer = clock->spec.observer;
    struct pw_host *host = clock->spec.host;
    int answers, peer = pw_host_route(host, event->agent, event->slot)->peer;
    if (pw_host_deliver(host, event->agent, event->slot, event->round, event->r, &answers, &clock->error) !=
        PW_OK)
        return;
    if (observer != NULL)
        observer->delivered(observer->context, now, event->agent, peer, event->round);
    if (answers && observer != NULL)
        observer->woke(observer->context, now, event->agent, peer, event->round);
    if (answers)
        answer(clock, event->agent, event->slot, now);
    list_if_ready(clock, event->agent);
}

/* Fetches what events that are soon due will touch: first what a delivery does, then, where that is known to
 * make an agent ready, what its fire does. */
static void look_ahead(const struct pw_virtual *clock)
{
    enum { FAR = 12, NEAR = 4 };
    const struct pw_host *host = clock->spec.host;
    const struct event *far_off = pw_event_queue_ahead(clock->queue, FAR),
                       *soon = pw_event_queue_ahead(clock->queue, NEAR);
    if (far_off != NULL)
        pw_agent_fetch_slot(pw_host_agent(host, far_off->agent), clock->n_products,
                            far_off->slot >= 0 ? far_off->slot : 0);
    if (soon != NULL && soon->slot >= 0)
        pw_agent_fetch_fire(pw_host_agent(host, soon->agent));
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

enum pw_code pw_virtual_run(struct pw_virtual *clock, int64_t until_ns, struct pw_error *err)
{
    struct event event;
    for (int64_t now; (now = pw_event_queue_next(clock->queue)) < until_ns;) {
        while (pw_event_queue_next(clock->queue) == now) {
            pw_event_queue_pop(clock->queue, &event);
            look_ahead(clock);
            if (event.slot == DONE)
                end_solve(clock, event.agent, now);
            else if (event.slot == TIMEOUT)
                time_out(clock, event.agent, event.round);
            else
                deliver(clock, &event, now);
        }
        fire_ready(clock, now);
        if (clock->error.code != PW_OK) {
            *err = clock->error;
            return err->code;
        }
    }
    return PW_OK;
}
