#include "coordinator/host.h"

#include <stdlib.h>

#include "common/memory.h"

static void make_routes(struct pw_host *host)
{
    const struct pw_market *market = host->market;
    int ends = market->end_first[host->end] - host->first_end;
    host->routes = pw_alloc((size_t)ends, sizeof *host->routes);
    host->settled_ns = pw_alloc((size_t)ends, sizeof *host->settled_ns);
    for (int i = 0; i < ends; i++) {
        host->settled_ns[i] = -1;
        int end = host->first_end + i, twin = market->end_twin[end], link = market->end_link[end];
        int peer = pw_market_end_agent(market, twin);
        host->routes[i] =
            (struct pw_route){peer, twin - market->end_first[peer], link, market->link_a[link] == peer};
    }
}

static void allocate(struct pw_host *host)
{
    size_t count = (size_t)(host->end - host->first);
    host->agents = pw_alloc(count, sizeof *host->agents);
    host->idle_since_ns = pw_alloc(count, sizeof *host->idle_since_ns);
    host->wait_ns = pw_alloc(count, sizeof *host->wait_ns);
    host->compute_ns = pw_alloc(count, sizeof *host->compute_ns);
    host->sent = pw_alloc(count, sizeof *host->sent);
    host->lost = pw_alloc(count, sizeof *host->lost);
}

static size_t most_links(const struct pw_host *host)
{
    int most = 0;
    for (int n = host->first; n < host->end; n++) {
        int links = pw_market_degree(host->market, n);
        most = links > most ? links : most;
    }
    return (size_t)most;
}

struct pw_host *pw_host_create(const struct pw_host_spec *spec)
{
    struct pw_host *host = pw_alloc(1, sizeof *host);
    host->market = spec->market;
    host->placement = spec->placement;
    host->rank = spec->rank;
    host->first = pw_placement_first(&spec->placement, spec->rank);
    host->end = pw_placement_end(&spec->placement, spec->rank);
    host->first_end = spec->market->end_first[host->first];
    allocate(host);
    make_routes(host);
    host->scratch = pw_alloc(3 * most_links(host), sizeof *host->scratch);
    struct pw_agents_spec how = spec->agents;
    how.scratch = host->scratch;
    for (int n = host->first; n < host->end; n++)
        host->agents[n - host->first] = pw_agents_make(spec->market, n, &how);
    return host;
}

void pw_host_destroy(struct pw_host *host)
{
    if (host == NULL)
        return;
    for (int i = 0; i < host->end - host->first; i++)
        pw_agent_destroy(host->agents[i]);
    free(host->agents);
    free(host->scratch);
    free(host->routes);
    free(host->settled_ns);
    free(host->idle_since_ns);
    free(host->wait_ns);
    free(host->compute_ns);
    free(host->sent);
    free(host->lost);
    free(host);
}

struct pw_agent *pw_host_agent(const struct pw_host *host, int n)
{
    return host->agents[n - host->first];
}

int pw_host_has_slot(const struct pw_host *host, int n, int slot)
{
    return pw_host_has(host, n) && slot >= 0 && slot < pw_market_degree(host->market, n);
}

int pw_host_end(const struct pw_host *host, int n, int slot)
{
    return host->market->end_first[n] - host->first_end + slot;
}

const struct pw_route *pw_host_route(const struct pw_host *host, int n, int slot)
{
    return &host->routes[pw_host_end(host, n, slot)];
}

void pw_host_offer(const struct pw_host *host, int n, int slot, struct pw_offer *offer)
{
    const struct pw_route *route = pw_host_route(host, n, slot);
    const struct pw_agent *agent = pw_host_agent(host, n);
    offer->agent = route->peer;
    offer->slot = route->slot;
    offer->round = pw_agent_inbox(agent, slot)->round;
    for (int q = 0; q < agent->n_products; q++)
        offer->r[q] = pw_agent_offer(agent, slot, q);
}

static void note_settled(struct pw_host *host, int n, int slot, int64_t settled_ns)
{
    int64_t *since_ns = &host->settled_ns[pw_host_end(host, n, slot)];
    host->n_settled += (settled_ns >= 0) - (*since_ns >= 0);
    *since_ns = settled_ns;
}

enum pw_code pw_host_deliver(struct pw_host *host, int n, int slot, int round, const double *r, int *answers,
                             struct pw_error *err)
{
    enum pw_delivery delivery = pw_agent_deliver(pw_host_agent(host, n), slot, round, r);
    *answers = delivery == PW_ANSWERED;
    if (*answers) {
        host->sent[n - host->first]++;
        note_settled(host, n, slot, -1);
    }
    if (delivery != PW_OUT_OF_ROUND)
        return PW_OK;
    return pw_fail(err, PW_INTERNAL, "agent %d got round %d from agent %d, more than one ahead", n, round,
                   pw_host_route(host, n, slot)->peer);
}

void pw_host_note_turned(struct pw_host *host, int n, int64_t end_ns, const struct pw_observer *observer,
                         int64_t seen_ns)
{
    const struct pw_agent *agent = pw_host_agent(host, n);
    for (int i = 0; i < agent->n_turned; i++) {
        int slot = agent->turned[i];
        const struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
        note_settled(host, n, slot, inbox->settled ? end_ns : -1);
        if (observer != NULL)
            (inbox->settled ? observer->settled : observer->woke)(
                observer->context, seen_ns, n, pw_host_route(host, n, slot)->peer, inbox->round);
    }
}

void pw_host_fire(struct pw_host *host, int n, int64_t start_ns)
{
    struct pw_agent *agent = pw_host_agent(host, n);
    host->wait_ns[n - host->first] += start_ns - host->idle_since_ns[n - host->first];
    pw_agent_fire(agent);
    host->fires++;
    if (agent->fires > host->most_fires)
        host->most_fires = agent->fires;
}

void pw_host_fired(struct pw_host *host, int n, int64_t start_ns, int64_t end_ns)
{
    int i = n - host->first;
    host->compute_ns[i] += end_ns - start_ns;
    host->idle_since_ns[i] = end_ns;
    host->sent[i] += host->agents[i]->n_out;
}
