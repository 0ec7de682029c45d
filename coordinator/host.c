#include "coordinator/host.h"

#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "coordinator/agents.h"
#include "net_models/due_queue.h"

static int64_t now_of(const struct pw_host *host)
{
    return host->spec.now(host->spec.context);
}

static struct pw_agent *agent_of(const struct pw_host *host, int n)
{
    return host->agents[n - host->first];
}

/* The position, in the market's end arrays, of a slot of agent n. */
static int end_of(const struct pw_host *host, int n, int slot)
{
    return host->spec.market->end_first[n] + slot;
}

static int peer_of(const struct pw_host *host, int n, int slot)
{
    const struct pw_market *market = host->spec.market;
    return pw_market_end_agent(market, market->end_twin[end_of(host, n, slot)]);
}

static void allocate(struct pw_host *host)
{
    size_t count = (size_t)(host->end - host->first);
    host->agents = pw_alloc(count, sizeof *host->agents);
    host->welfare = pw_alloc(count, sizeof *host->welfare);
    host->idle_since_ns = pw_alloc(count, sizeof *host->idle_since_ns);
    host->wait_ns = pw_alloc(count, sizeof *host->wait_ns);
    host->compute_ns = pw_alloc(count, sizeof *host->compute_ns);
    host->sent = pw_alloc(count, sizeof *host->sent);
    host->ready = pw_alloc(count, sizeof *host->ready);
    host->queued = pw_alloc(count, 1);
}

struct pw_host *pw_host_create(const struct pw_host_spec *spec)
{
    struct pw_host *host = pw_alloc(1, sizeof *host);
    host->spec = *spec;
    host->first = pw_placement_first(&spec->placement, spec->rank);
    host->end = pw_placement_end(&spec->placement, spec->rank);
    allocate(host);
    size_t slots = 0;
    for (int n = host->first; n < host->end; n++) {
        host->agents[n - host->first] =
            pw_agents_make(spec->market, n, &spec->rules, spec->penalty, spec->delta);
        host->totals.unsolved += pw_market_degree(spec->market, n);
        slots += (size_t)pw_market_degree(spec->market, n);
    }
    /* A slot never has more than two offers under way, so the queue never grows. */
    int instant = pw_network_is_instant(&spec->network);
    host->held = pw_due_queue_create(instant ? 1 : 2 * slots, sizeof(struct pw_offer));
    return host;
}

void pw_host_destroy(struct pw_host *host)
{
    if (host == NULL)
        return;
    for (int i = 0; i < host->end - host->first; i++)
        pw_agent_destroy(host->agents[i]);
    free(host->agents);
    free(host->welfare);
    free(host->idle_since_ns);
    free(host->wait_ns);
    free(host->compute_ns);
    free(host->sent);
    free(host->ready);
    free(host->queued);
    pw_due_queue_destroy(host->held);
    free(host);
}

static void queue_if_ready(struct pw_host *host, int n)
{
    int i = n - host->first, count = host->end - host->first;
    if (host->queued[i] || !pw_agent_ready(host->agents[i]))
        return;
    host->queued[i] = 1;
    host->ready[(host->ready_start + host->n_ready++) % count] = n;
}

static void deliver(struct pw_host *host, const struct pw_offer *offer, int64_t now)
{
    const struct pw_observer *observer = host->spec.observer;
    enum pw_delivery got =
        pw_agent_deliver(agent_of(host, offer->agent), offer->slot, offer->round, offer->r);
    if (got == PW_OUT_OF_ROUND)
        pw_fail(&host->error, PW_INTERNAL, "agent %d got round %d from agent %d, more than one ahead",
                offer->agent, offer->round, peer_of(host, offer->agent, offer->slot));
    host->totals.duplicates += got == PW_DUPLICATE;
    if (observer != NULL && observer->delivered != NULL)
        observer->delivered(observer->context, now, offer->agent, peer_of(host, offer->agent, offer->slot),
                            offer->round);
    queue_if_ready(host, offer->agent);
}

/* Where the network model holds an offer back, at the receiver. */
static void arrive(struct pw_host *host, const struct pw_offer *offer, int64_t now)
{
    const struct pw_network *network = &host->spec.network;
    if (pw_network_is_instant(network)) {
        deliver(host, offer, now);
        return;
    }
    const struct pw_market *market = host->spec.market;
    int l = market->end_link[end_of(host, offer->agent, offer->slot)];
    uint32_t direction = market->link_a[l] == offer->agent; /* towards agent_a is 1 */
    struct pw_passage passage = pw_network_pass(network, (uint32_t)l, direction, (uint32_t)offer->round);
    const struct pw_observer *observer = host->spec.observer;
    host->totals.lost += passage.losses;
    for (uint32_t i = 0; observer != NULL && observer->lost != NULL && i < passage.losses; i++)
        observer->lost(observer->context, now + (int64_t)(i * network->retransmit_s * 1e9),
                       peer_of(host, offer->agent, offer->slot), offer->agent, offer->round);
    pw_due_queue_push(host->held, now + (int64_t)llround(passage.delay_s * 1e9), offer);
}

enum pw_code pw_host_receive(struct pw_host *host, const struct pw_offer *offer)
{
    if (offer->agent < host->first || offer->agent >= host->end ||
        offer->slot >= agent_of(host, offer->agent)->n_links)
        return pw_fail(&host->error, PW_INTERNAL, "an offer for agent %d, slot %d came to rank %d",
                       offer->agent, offer->slot, host->spec.rank);
    arrive(host, offer, now_of(host));
    return PW_OK;
}

static void send_slot(struct pw_host *host, int n, int slot, int64_t now)
{
    const struct pw_market *market = host->spec.market;
    const struct pw_observer *observer = host->spec.observer;
    const struct pw_agent *agent = agent_of(host, n);
    int twin = market->end_twin[end_of(host, n, slot)], peer = pw_market_end_agent(market, twin);
    struct pw_offer offer = {
        .agent = peer, .slot = twin - market->end_first[peer], .round = agent->round[slot]};
    for (int q = 0; q < market->n_products; q++)
        offer.r[q] = pw_agent_offer(agent, slot, q);
    if (observer != NULL && observer->sent != NULL)
        observer->sent(observer->context, now, n, peer, offer.round);
    if (peer >= host->first && peer < host->end)
        arrive(host, &offer, now);
    else
        host->spec.send(host->spec.context, pw_placement_rank(&host->spec.placement, peer), &offer);
}

static void send_outbox(struct pw_host *host, int n, int64_t now)
{
    const struct pw_agent *agent = agent_of(host, n);
    host->sent[n - host->first] += agent->n_out;
    host->totals.sent += agent->n_out;
    for (int i = 0; i < agent->n_out; i++)
        send_slot(host, n, agent->outbox[i], now);
}

/* Takes an agent's contribution to the totals out (sign -1) or puts it in (+1). */
static void account(struct pw_host *host, int n, int sign)
{
    const struct pw_residuals *residuals = &agent_of(host, n)->residuals;
    struct pw_totals *totals = &host->totals;
    pw_exact_add(&totals->primal2, sign * residuals->primal2);
    pw_exact_add(&totals->dual2, sign * residuals->dual2);
    pw_exact_add(&totals->price2, sign * residuals->price2);
    pw_exact_add(&totals->welfare, sign * host->welfare[n - host->first]);
    totals->unsolved += sign * residuals->unsolved;
}

static void renew_welfare(struct pw_host *host, int n)
{
    const struct pw_agent *agent = agent_of(host, n);
    host->welfare[n - host->first] = -(pw_agent_cost(agent) + pw_agent_fees(agent));
}

void pw_host_start(struct pw_host *host)
{
    int64_t now = now_of(host);
    for (int n = host->first; n < host->end; n++) {
        pw_agent_start(agent_of(host, n));
        host->idle_since_ns[n - host->first] = now;
        if (agent_of(host, n)->n_links == 0) {
            renew_welfare(host, n);
            account(host, n, +1);
        }
    }
    for (int n = host->first; n < host->end; n++)
        send_outbox(host, n, now);
}

/* Lets one agent fire; returns the time when it was done. */
static int64_t fire(struct pw_host *host, int n, int64_t start)
{
    const struct pw_observer *observer = host->spec.observer;
    struct pw_agent *agent = agent_of(host, n);
    int i = n - host->first;
    account(host, n, -1);
    pw_agent_fire(agent);
    renew_welfare(host, n);
    account(host, n, +1);
    host->totals.fires++;
    if (agent->fires > host->totals.most_fires)
        host->totals.most_fires = agent->fires;
    int64_t end = now_of(host);
    host->wait_ns[i] += start - host->idle_since_ns[i];
    host->compute_ns[i] += end - start;
    host->idle_since_ns[i] = end;
    if (observer != NULL && observer->fired != NULL)
        observer->fired(observer->context, end, n);
    send_outbox(host, n, end);
    return end;
}

static void deliver_due(struct pw_host *host)
{
    struct pw_offer offer;
    if (pw_due_queue_count(host->held) == 0)
        return;
    int64_t now = now_of(host);
    while (pw_due_queue_pop(host->held, now, &offer))
        deliver(host, &offer, now);
}

int pw_host_step(struct pw_host *host)
{
    deliver_due(host);
    int n_firing = host->n_ready, count = host->end - host->first;
    int64_t now = n_firing > 0 ? now_of(host) : 0;
    for (int k = 0; k < n_firing; k++) {
        int n = host->ready[host->ready_start];
        host->ready_start = (host->ready_start + 1) % count;
        host->n_ready--;
        host->queued[n - host->first] = 0;
        now = fire(host, n, now);
        queue_if_ready(host, n);
    }
    return n_firing;
}

int64_t pw_host_next_due(const struct pw_host *host)
{
    return pw_due_queue_next(host->held);
}

size_t pw_host_held(const struct pw_host *host)
{
    return pw_due_queue_count(host->held);
}
