/* The virtual clock: offers leave. */
#include "coordinator/virtual_internal.h"

/* An offer that leaves an end here, and how often it is lost on its way. */
struct departure {
    struct pw_flight flight;
    int end;
    uint32_t losses;
};

/* So many offers leave at a time, so that their memory is fetched and their passages are drawn at once. */
enum { AT_ONCE = 16 };

static int64_t due(int64_t sent_ns, const struct pw_passage *passage)
{
    int64_t delay_ns = pw_virtual_ns(passage->delay_s);
    if (passage->lost_for_good)
        return PW_FLIGHT_NEVER;
    return sent_ns + (delay_ns > 1 ? delay_ns : 1);
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

static void note_sending(const struct pw_virtual *clock, int n, int peer, int round, uint32_t losses,
                         int64_t now)
{
    const struct pw_observer *observer = clock->spec.observer;
    if (observer == NULL)
        return;
    observer->sent(observer->context, now, n, peer, round);
    for (uint32_t i = 0; i < losses; i++)
        observer->lost(observer->context, now + pw_virtual_ns(pw_network_wait_s(&clock->spec.network, i)), n,
                       peer, round);
}

static void take_along(const struct pw_virtual *clock, int n, int slot, int64_t now,
                       struct departure *departure)
{
    const struct pw_host *host = clock->spec.host;
    const struct pw_agent *agent = pw_host_agent(host, n);
    struct pw_flight *flight = &departure->flight;
    departure->end = pw_host_end(host, n, slot);
    pw_host_offer(host, n, slot, &flight->offer);
    if (pw_host_has(host, flight->offer.agent))
        pw_virtual_fetch_flight(clock, flight);
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
        if (!clock->foretells)
            pw_event_queue_fetch(clock->queue, flight->due_ns);
    }
}

static void depart(struct pw_virtual *clock, int n, const struct departure *departure)
{
    const struct pw_host *host = clock->spec.host;
    const struct pw_flight *flight = &departure->flight;
    int peer = flight->offer.agent;
    note_sending(clock, n, peer, flight->offer.round, departure->losses, flight->sent_ns);
    if (clock->is_paired)
        pw_mailboxes_leave(clock->boxes, pw_mailbox(clock->boxes, departure->end), flight, &clock->changes);
    if (pw_host_has(host, peer))
        pw_virtual_take_flight(clock, flight);
    else
        clock->spec.send(clock->spec.context, pw_placement_rank(&host->placement, peer), flight);
}

void pw_virtual_foresee(struct pw_virtual *clock, int n, int64_t end_ns)
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

void pw_virtual_answer(struct pw_virtual *clock, int n, int slot, int64_t when_ns)
{
    struct departure departure;
    take_along(clock, n, slot, when_ns, &departure);
    pass(clock, &departure, 1);
    depart(clock, n, &departure);
    note_agent(clock, n, when_ns, 1, (int32_t)departure.losses);
}
