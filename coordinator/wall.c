#include "coordinator/wall.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "coordinator/pacer.h"
#include "net_models/due_queue.h"
#include "net_models/event_queue.h"

/* When an agent has to fire unless it has done so since. */
struct timeout {
    int agent;
    long fires;
};

static int64_t now_of(const struct pw_wall *wall)
{
    return wall->spec.now(wall->spec.context);
}

/* Of its bytes those that are used. */
static size_t size_of_offer(const struct pw_host *host)
{
    return offsetof(struct pw_offer, r) + (size_t)host->market->n_products * sizeof(double);
}

struct pw_wall *pw_wall_create(const struct pw_wall_spec *spec, double delta, int64_t timeout_ns)
{
    struct pw_wall *wall = pw_alloc(1, sizeof *wall);
    const struct pw_host *host = spec->host;
    size_t count = (size_t)(host->end - host->first), slots = 0;
    wall->spec = *spec;
    wall->welfare = pw_alloc(count, sizeof *wall->welfare);
    wall->ready = pw_alloc(count, sizeof *wall->ready);
    wall->queued = pw_alloc(count, 1);
    wall->pacer = pw_pacer_create(host, delta);
    wall->timeout_ns = timeout_ns;
    wall->timeouts = pw_due_queue_create(2 * count, sizeof(struct timeout));
    for (int n = host->first; n < host->end; n++)
        slots += (size_t)pw_market_degree(host->market, n);
    wall->totals.unsolved = (int64_t)slots;
    int instant = pw_network_is_instant(&spec->network);
    double span_s = 2.0 * pw_network_mean_s(&spec->network);
    wall->held = pw_event_queue_create(size_of_offer(host), instant ? 1 : slots, (int64_t)(span_s * 1e9));
    return wall;
}

void pw_wall_destroy(struct pw_wall *wall)
{
    if (wall == NULL)
        return;
    free(wall->welfare);
    free(wall->ready);
    free(wall->queued);
    pw_pacer_destroy(wall->pacer);
    pw_event_queue_destroy(wall->held);
    pw_due_queue_destroy(wall->timeouts);
    free(wall);
}

static void queue_agent(struct pw_wall *wall, int n)
{
    const struct pw_host *host = wall->spec.host;
    wall->queued[n - host->first] = 1;
    wall->ready[(wall->ready_start + wall->n_ready++) % (host->end - host->first)] = n;
}

static void queue_if_ready(struct pw_wall *wall, int n, int64_t now)
{
    const struct pw_host *host = wall->spec.host;
    if (wall->queued[n - host->first] || !pw_agent_ready(pw_host_agent(host, n)))
        return;
    if (pw_pacer_may_fire(wall->pacer, n, now))
        queue_agent(wall, n);
}

/* Agents that have rested fire if they still may. */
static void queue_rested(struct pw_wall *wall)
{
    const struct pw_host *host = wall->spec.host;
    if (pw_pacer_next(wall->pacer) == INT64_MAX)
        return;
    int64_t now = now_of(wall);
    for (int n; (n = pw_pacer_rested(wall->pacer, now)) >= 0;) {
        if (!wall->queued[n - host->first] && pw_agent_ready(pw_host_agent(host, n)))
            queue_agent(wall, n);
    }
}

static void set_timeout(struct pw_wall *wall, int n, int64_t now)
{
    const struct pw_agent *agent = pw_host_agent(wall->spec.host, n);
    struct timeout timeout = {n, agent->fires};
    if (pw_agent_needs_timeout(agent))
        pw_due_queue_push(wall->timeouts, now + wall->timeout_ns, &timeout);
}

/* Agents that have not fired for too long fire with what they have. */
static void queue_timed_out(struct pw_wall *wall)
{
    const struct pw_host *host = wall->spec.host;
    struct timeout timeout;
    if (pw_due_queue_count(wall->timeouts) == 0)
        return;
    int64_t now = now_of(wall);
    while (pw_due_queue_pop(wall->timeouts, now, &timeout)) {
        if (pw_host_agent(host, timeout.agent)->fires == timeout.fires &&
            !wall->queued[timeout.agent - host->first])
            queue_agent(wall, timeout.agent);
    }
}

static void send_slots(struct pw_wall *wall, int n, const int *slots, int count, int64_t now);

/* A settled trade that was offered anew answers at once. */
static void answer(struct pw_wall *wall, int n, int slot, int64_t now)
{
    const struct pw_observer *observer = wall->spec.observer;
    if (observer != NULL)
        observer->woke(observer->context, now, n, pw_host_route(wall->spec.host, n, slot)->peer,
                       pw_agent_inbox(pw_host_agent(wall->spec.host, n), slot)->round);
    wall->totals.sent++;
    wall->totals.settled = wall->spec.host->n_settled;
    send_slots(wall, n, &slot, 1, now);
}

static void deliver(struct pw_wall *wall, const struct pw_offer *offer, int64_t now)
{
    struct pw_host *host = wall->spec.host;
    const struct pw_observer *observer = wall->spec.observer;
    int answers;
    if (pw_host_deliver(host, offer->agent, offer->slot, offer->round, offer->r, &answers, &wall->error) !=
        PW_OK)
        return;
    if (observer != NULL && observer->delivered != NULL)
        observer->delivered(observer->context, now, offer->agent,
                            pw_host_route(host, offer->agent, offer->slot)->peer, offer->round);
    if (answers)
        answer(wall, offer->agent, offer->slot, now);
    queue_if_ready(wall, offer->agent, now);
}

static void note_losses(const struct pw_wall *wall, const struct pw_offer *offer, uint32_t losses,
                        int64_t now)
{
    const struct pw_observer *observer = wall->spec.observer;
    if (observer == NULL || observer->lost == NULL)
        return;
    int from = pw_host_route(wall->spec.host, offer->agent, offer->slot)->peer;
    for (uint32_t i = 0; i < losses; i++)
        observer->lost(observer->context, now + (int64_t)(pw_network_wait_s(&wall->spec.network, i) * 1e9),
                       from, offer->agent, offer->round);
}

/* An offer that has come out of the network model at the receiver, which holds it back until it is due; not
 * where that is never. */
static void hold(struct pw_wall *wall, const struct pw_offer *offer, const struct pw_passage *passage,
                 int64_t now, int64_t due_ns)
{
    wall->spec.host->lost[offer->agent - wall->spec.host->first] += passage->losses;
    note_losses(wall, offer, passage->losses, now);
    if (!passage->lost_for_good)
        memcpy(pw_event_queue_push(wall->held, due_ns), offer, size_of_offer(wall->spec.host));
}

/* At most PW_WALL_AT_ONCE offers come to agents here. */
static void arrive(struct pw_wall *wall, const struct pw_offer *offers, int count, int64_t now)
{
    struct pw_transmission transmissions[PW_WALL_AT_ONCE];
    struct pw_passage passages[PW_WALL_AT_ONCE];
    if (pw_network_is_instant(&wall->spec.network)) {
        for (int i = 0; i < count; i++)
            deliver(wall, &offers[i], now);
        return;
    }
    for (int i = 0; i < count; i++) {
        const struct pw_route *back = pw_host_route(wall->spec.host, offers[i].agent, offers[i].slot);
        transmissions[i] = (struct pw_transmission){.link = (uint32_t)back->link,
                                                    .direction = (uint32_t)!back->direction,
                                                    .round = (uint32_t)offers[i].round};
    }
    pw_network_pass_many(&wall->spec.network, transmissions, count, passages);
    int64_t due_ns[PW_WALL_AT_ONCE];
    for (int i = 0; i < count; i++) {
        due_ns[i] = passages[i].lost_for_good ? now : now + (int64_t)llround(passages[i].delay_s * 1e9);
        pw_event_queue_fetch(wall->held, due_ns[i]);
    }
    for (int i = 0; i < count; i++)
        hold(wall, &offers[i], &passages[i], now, due_ns[i]);
}

/* At most PW_WALL_AT_ONCE slots of agent n have an offer to send. */
static void send_slots(struct pw_wall *wall, int n, const int *slots, int count, int64_t now)
{
    const struct pw_host *host = wall->spec.host;
    const struct pw_observer *observer = wall->spec.observer;
    struct pw_offer offers[PW_WALL_AT_ONCE];
    int n_here = 0;
    for (int i = 0; i < count; i++) {
        struct pw_offer *offer = &offers[n_here];
        pw_host_offer(host, n, slots[i], offer);
        if (observer != NULL && observer->sent != NULL)
            observer->sent(observer->context, now, n, offer->agent, offer->round);
        if (!pw_host_has(host, offer->agent)) {
            wall->spec.send(wall->spec.context, pw_placement_rank(&host->placement, offer->agent), offer);
            continue;
        }
        pw_agent_fetch_slot(pw_host_agent(host, offer->agent), host->market->n_products, offer->slot);
        n_here++;
    }
    arrive(wall, offers, n_here, now);
}

enum pw_code pw_wall_receive(struct pw_wall *wall, const struct pw_offer *offers, int count)
{
    const struct pw_host *host = wall->spec.host;
    for (int i = 0; i < count; i++) {
        int n = offers[i].agent, slot = offers[i].slot;
        if (!pw_host_has_slot(host, n, slot))
            return pw_fail(&wall->error, PW_INTERNAL, "an offer for agent %d, slot %d came to rank %d", n,
                           slot, host->rank);
        pw_agent_fetch_slot(pw_host_agent(host, n), host->market->n_products, slot);
    }
    int64_t now = now_of(wall);
    for (int first = 0; first < count; first += PW_WALL_AT_ONCE)
        arrive(wall, offers + first, count - first < PW_WALL_AT_ONCE ? count - first : PW_WALL_AT_ONCE, now);
    return PW_OK;
}

static void send_outbox(struct pw_wall *wall, int n, int64_t now)
{
    const struct pw_agent *agent = pw_host_agent(wall->spec.host, n);
    wall->totals.sent += agent->n_out;
    for (int first = 0; first < agent->n_out; first += PW_WALL_AT_ONCE) {
        int left = agent->n_out - first;
        send_slots(wall, n, agent->outbox + first, left < PW_WALL_AT_ONCE ? left : PW_WALL_AT_ONCE, now);
    }
}

/* Takes an agent's contribution to the totals out (sign -1) or puts it in (+1). */
static void account(struct pw_wall *wall, int n, int sign)
{
    const struct pw_residuals *residuals = &pw_host_agent(wall->spec.host, n)->residuals;
    struct pw_totals *totals = &wall->totals;
    pw_exact_add(&totals->primal2, sign * residuals->primal2);
    pw_exact_add(&totals->dual2, sign * residuals->dual2);
    pw_exact_add(&totals->price2, sign * residuals->price2);
    pw_exact_add(&totals->welfare, sign * wall->welfare[n - wall->spec.host->first]);
    totals->unsolved += sign * residuals->unsolved;
}

static void renew_welfare(struct pw_wall *wall, int n)
{
    const struct pw_agent *agent = pw_host_agent(wall->spec.host, n);
    wall->welfare[n - wall->spec.host->first] = -(pw_agent_cost(agent) + pw_agent_fees(agent));
}

void pw_wall_start(struct pw_wall *wall)
{
    struct pw_host *host = wall->spec.host;
    int64_t now = wall->start_ns = now_of(wall);
    for (int n = host->first; n < host->end; n++) {
        pw_agent_start(pw_host_agent(host, n));
        pw_host_fired(host, n, now, now);
        if (pw_host_agent(host, n)->n_links == 0) {
            renew_welfare(wall, n);
            account(wall, n, +1);
        }
    }
    for (int n = host->first; n < host->end; n++) {
        send_outbox(wall, n, now);
        set_timeout(wall, n, now);
    }
}

/* Lets one agent fire; returns the time when its offers were on their way. */
static int64_t fire(struct pw_wall *wall, int n, int64_t start)
{
    struct pw_host *host = wall->spec.host;
    const struct pw_observer *observer = wall->spec.observer;
    account(wall, n, -1);
    pw_host_fire(host, n, start);
    renew_welfare(wall, n);
    account(wall, n, +1);
    pw_pacer_fired(wall->pacer, n);
    int64_t end = now_of(wall);
    pw_host_fired(host, n, start, end);
    pw_host_note_turned(host, n, end - wall->start_ns, observer, end);
    wall->totals.settled = host->n_settled;
    wall->totals.fires = host->fires;
    wall->totals.most_fires = host->most_fires;
    if (observer != NULL && observer->fired != NULL)
        observer->fired(observer->context, start, n);
    send_outbox(wall, n, end);
    set_timeout(wall, n, end);
    return now_of(wall);
}

/* Some at a time, whose memory is fetched meanwhile. */
static void deliver_due(struct pw_wall *wall)
{
    const struct pw_host *host = wall->spec.host;
    struct pw_offer offers[PW_WALL_AT_ONCE];
    if (pw_event_queue_count(wall->held) == 0)
        return;
    int64_t now = now_of(wall);
    for (int count = PW_WALL_AT_ONCE; count == PW_WALL_AT_ONCE;) {
        for (count = 0; count < PW_WALL_AT_ONCE; count++) {
            if (pw_event_queue_pop(wall->held, now + 1, &offers[count]) == INT64_MAX)
                break;
            pw_agent_fetch_slot(pw_host_agent(host, offers[count].agent), host->market->n_products,
                                offers[count].slot);
        }
        for (int i = 0; i < count; i++)
            deliver(wall, &offers[i], now);
    }
}

int pw_wall_step(struct pw_wall *wall, int most)
{
    deliver_due(wall);
    queue_rested(wall);
    queue_timed_out(wall);
    const struct pw_host *host = wall->spec.host;
    int n_firing = wall->n_ready < most ? wall->n_ready : most;
    int count = host->end - host->first;
    int64_t now = n_firing > 0 ? now_of(wall) : 0;
    for (int k = 0; k < n_firing; k++) {
        int n = wall->ready[wall->ready_start];
        wall->ready_start = (wall->ready_start + 1) % count;
        wall->n_ready--;
        wall->queued[n - host->first] = 0;
        if (k + 1 < n_firing)
            pw_agent_fetch_fire(pw_host_agent(host, wall->ready[wall->ready_start]));
        now = fire(wall, n, now);
        queue_if_ready(wall, n, now);
    }
    return n_firing;
}

int pw_wall_is_passive(const struct pw_wall *wall)
{
    return wall->n_ready == 0 && pw_wall_next_due(wall) == INT64_MAX;
}

int64_t pw_wall_next_due(const struct pw_wall *wall)
{
    int64_t held_ns = pw_event_queue_next(wall->held), rest_ns = pw_pacer_next(wall->pacer);
    int64_t timeout_ns = pw_due_queue_next(wall->timeouts), first_ns = held_ns < rest_ns ? held_ns : rest_ns;
    return first_ns < timeout_ns ? first_ns : timeout_ns;
}
