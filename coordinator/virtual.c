#include "coordinator/virtual.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "net_models/event_queue.h"

/* In place of a slot: the end of a local solve; a time-out since the fire whose number stands for the round.
 */
enum { DONE = -1, TIMEOUT = -2 };

/* An event of the queue; an offer's numbers follow it. */
struct event {
    int32_t agent, slot, round;
    double r[PW_MOST_PRODUCTS];
};

/* What is known of a link end besides its agent: what has left it, and what has left the peer towards it. */
struct flight {
    int64_t sent_ns, their_ns;       /* when our latest offer leaves; when the peer's does */
    int32_t sent_round, their_round; /* of these offers */
};

struct pw_virtual {
    struct pw_virtual_spec spec;
    struct pw_event_queue *queue;
    size_t event_size;
    int is_paired;                /* the exchange pairs rounds */
    int first_end;                /* position of this host's first link end in the market's arrays */
    struct flight *flights;       /* [ends here] */
    double *theirs;               /* [ends here * n_products] the offer of their_round */
    int64_t *fired_ns;            /* [agents here] start of the latest local solve */
    unsigned char *busy, *queued; /* [agents here] solving; in the list of those that may fire */
    int *ready, *firing, n_ready;
    struct pw_change *changes;
    size_t n_changes, room;
    struct pw_error error; /* code PW_OK unless a peer broke the protocol */
};

static int64_t to_ns(double seconds)
{
    return (int64_t)llround(seconds * 1e9);
}

int64_t pw_virtual_lookahead(const struct pw_network *network, const struct pw_pace *pace)
{
    int64_t delay_ns = (int64_t)floor(pw_network_least_s(network) * 1e9) - 1;
    return (delay_ns > 1 ? delay_ns : 1) + pw_pace_least_ns(pace);
}

struct pw_virtual *pw_virtual_create(const struct pw_virtual_spec *spec)
{
    struct pw_virtual *clock = pw_alloc(1, sizeof *clock);
    const struct pw_host *host = spec->host;
    const struct pw_market *market = host->market;
    size_t agents = (size_t)(host->end - host->first), products = (size_t)market->n_products;
    size_t ends = (size_t)(market->end_first[host->end] - market->end_first[host->first]);
    double span_s = 2.0 * pw_network_mean_s(&spec->network);
    clock->spec = *spec;
    clock->is_paired = host->end == host->first || pw_exchange_is_paired(host->agents[0]->rules.exchange);
    clock->event_size = offsetof(struct event, r) + products * sizeof(double);
    clock->first_end = market->end_first[host->first];
    clock->queue =
        pw_event_queue_create(clock->event_size, ends, to_ns(span_s) + pw_pace_mean_ns(&spec->pace));
    clock->flights = pw_alloc(ends, sizeof *clock->flights);
    clock->theirs = pw_alloc(ends * products, sizeof(double));
    clock->fired_ns = pw_alloc(agents, sizeof *clock->fired_ns);
    clock->busy = pw_alloc(agents, 1);
    clock->queued = pw_alloc(agents, 1);
    clock->ready = pw_alloc(agents, sizeof *clock->ready);
    clock->firing = pw_alloc(agents, sizeof *clock->firing);
    for (size_t e = 0; e < ends; e++)
        clock->flights[e] = (struct flight){0, 0, -1, -1};
    return clock;
}

void pw_virtual_destroy(struct pw_virtual *clock)
{
    if (clock == NULL)
        return;
    pw_event_queue_destroy(clock->queue);
    void *arrays[] = {clock->flights, clock->theirs, clock->fired_ns, clock->busy, clock->queued,
                      clock->ready,   clock->firing, clock->changes,  clock};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

static struct pw_change *add_change(struct pw_virtual *clock)
{
    if (clock->n_changes == clock->room) {
        clock->room = 2 * clock->room + 256;
        clock->changes = pw_realloc(clock->changes, clock->room, sizeof *clock->changes);
    }
    return &clock->changes[clock->n_changes++];
}

const struct pw_change *pw_virtual_changes(struct pw_virtual *clock, size_t *count)
{
    *count = clock->n_changes;
    clock->n_changes = 0;
    return clock->changes;
}

static void note_agent(struct pw_virtual *clock, int n, int64_t now, int32_t lost)
{
    const struct pw_agent *agent = pw_host_agent(clock->spec.host, n);
    const struct pw_residuals *residuals = &agent->residuals;
    *add_change(clock) = (struct pw_change){.time_ns = now,
                                            .kind = PW_CHANGE_AGENT,
                                            .number = n,
                                            .turn = (int32_t)agent->fires,
                                            .gap2 = clock->is_paired ? 0.0 : residuals->primal2,
                                            .dual2 = residuals->dual2,
                                            .price2 = residuals->price2,
                                            .naive2 = residuals->naive2,
                                            .welfare = -(pw_agent_cost(agent) + pw_agent_fees(agent)),
                                            .unsolved = residuals->unsolved,
                                            .sent = agent->n_out,
                                            .lost = lost};
}

/* The gap of a link counts from the instant at which both ends have sent the same round: both trades follow
 * from the offers and the edge variables. */
static void note_gap(struct pw_virtual *clock, int n, int slot)
{
    const struct pw_host *host = clock->spec.host;
    const struct pw_agent *agent = pw_host_agent(host, n);
    int end = pw_host_end(host, n, slot) - clock->first_end, away, products = agent->n_products;
    const struct flight *flight = &clock->flights[end];
    double gap2 = 0.0;
    if (!clock->is_paired || !agent->counts[slot] || flight->sent_round != flight->their_round)
        return;
    for (int q = 0; q < products; q++) {
        size_t i = (size_t)q * (size_t)agent->n_links + (size_t)slot;
        double theirs = (clock->theirs[end * products + q] + agent->peer_s[i]) / 2.0;
        double gap = agent->mine[i] + theirs;
        gap2 += gap * gap;
    }
    int64_t both_ns = flight->sent_ns > flight->their_ns ? flight->sent_ns : flight->their_ns;
    *add_change(clock) = (struct pw_change){.time_ns = both_ns,
                                            .kind = PW_CHANGE_LINK,
                                            .number = pw_host_link(host, n, slot, &away),
                                            .turn = flight->sent_round,
                                            .gap2 = gap2};
}

/* An offer has left its sender for an agent that lives here: it will be delivered, and whoever sees all sees
 * it now. */
static void take_flight(struct pw_virtual *clock, const struct pw_offer *offer, int64_t sent_ns,
                        int64_t due_ns)
{
    const struct pw_host *host = clock->spec.host;
    int products = host->market->n_products;
    int end = pw_host_end(host, offer->agent, offer->slot) - clock->first_end;
    struct flight *flight = &clock->flights[end];
    struct event event = {offer->agent, offer->slot, offer->round, {0}};
    memcpy(event.r, offer->r, (size_t)products * sizeof(double));
    pw_event_queue_push(clock->queue, due_ns, &event);
    flight->their_ns = sent_ns;
    flight->their_round = offer->round;
    memcpy(clock->theirs + (size_t)end * (size_t)products, offer->r, (size_t)products * sizeof(double));
    note_gap(clock, offer->agent, offer->slot);
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
    int away;
    if (!pw_host_has_slot(host, offer->agent, offer->slot))
        return pw_fail(err, PW_INTERNAL, "an offer for agent %d, slot %d came to rank %d", offer->agent,
                       offer->slot, host->rank);
    int link = pw_host_link(host, offer->agent, offer->slot, &away);
    struct pw_passage passage =
        pw_network_pass(&clock->spec.network, (uint32_t)link, (uint32_t)!away, (uint32_t)offer->round);
    if (!passage.lost_for_good)
        take_flight(clock, offer, sent_ns, due(sent_ns, &passage));
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

/* Sends the offer of one slot; returns how often it will be lost. */
static int32_t send_slot(struct pw_virtual *clock, int n, int slot, int64_t now)
{
    const struct pw_host *host = clock->spec.host;
    struct flight *flight = &clock->flights[pw_host_end(host, n, slot) - clock->first_end];
    struct pw_offer offer;
    int direction, peer = pw_host_offer(host, n, slot, &offer),
                   link = pw_host_link(host, n, slot, &direction);
    struct pw_passage passage =
        pw_network_pass(&clock->spec.network, (uint32_t)link, (uint32_t)direction, (uint32_t)offer.round);
    note_sending(clock, n, peer, offer.round, passage.losses, now);
    flight->sent_ns = now;
    flight->sent_round = offer.round;
    note_gap(clock, n, slot);
    if (peer < host->first || peer >= host->end)
        clock->spec.send(clock->spec.context, pw_placement_rank(&host->placement, peer), &offer, now);
    else if (!passage.lost_for_good)
        take_flight(clock, &offer, now, due(now, &passage));
    return (int32_t)passage.losses;
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
    int32_t lost = 0;
    for (int i = 0; i < agent->n_out; i++)
        lost += send_slot(clock, n, agent->outbox[i], end_ns);
    note_agent(clock, n, end_ns, lost);
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
    struct pw_offer offer = {.agent = event->agent, .slot = event->slot, .round = event->round};
    memcpy(offer.r, event->r, (size_t)clock->spec.host->market->n_products * sizeof(double));
    if (pw_host_deliver(clock->spec.host, &offer, &clock->error) != PW_OK)
        return;
    if (observer != NULL)
        observer->delivered(observer->context, now, offer.agent,
                            pw_host_peer(clock->spec.host, offer.agent, offer.slot), offer.round);
    list_if_ready(clock, offer.agent);
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
