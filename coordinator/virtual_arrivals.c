/* The virtual clock: offers come to their agents.
 *
 * In a synchronous market an agent fires once it has an offer on every link, so that nothing looks at one of
 * them before the last is there. So an offer that is on its way is handed to an agent that waits for it at
 * once, and one event stands for all of them, at the time of the last arrival. One for the agent's next round
 * lies in its mailbox until the agent has fired. By an event of its own comes what an agent does not wait for
 * so: an offer to a settled trade, which answers; and all offers where agents fire on a part of their links,
 * where rounds are not paired, and where somebody watches. */
#include "common/memory.h"
#include "coordinator/virtual_internal.h"

static void announce(struct pw_virtual *clock, int64_t due_ns, int n, int slot, int round, const double *r)
{
    struct pw_virtual_event *event = pw_virtual_push(clock, due_ns, n, slot, round);
    pw_copy_reals(event->r, r, (size_t)clock->n_products);
}

/* Hands an offer that arrives at `due_ns` to an agent that does not fire before. */
static void hand_over(struct pw_virtual *clock, int n, int slot, int round, const double *r, int64_t due_ns)
{
    int64_t *all_here_ns = &clock->all_here_ns[n - clock->spec.host->first];
    int answers;
    if (pw_host_deliver(clock->spec.host, n, slot, round, r, &answers, &clock->error) != PW_OK)
        return;
    *all_here_ns = due_ns > *all_here_ns ? due_ns : *all_here_ns;
}

/* Hands the offer over, or lays it into its mailbox; false where it has to come at its time. */
static int foretell(struct pw_virtual *clock, const struct pw_flight *flight)
{
    const struct pw_host *host = clock->spec.host;
    const struct pw_offer *offer = &flight->offer;
    int n = offer->agent, slot = offer->slot, i = n - host->first;
    const struct pw_agent *agent = host->agents[i];
    const struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
    if (inbox->settled || inbox->has_next)
        return 0;
    if (offer->round == inbox->round && !inbox->complete) {
        hand_over(clock, n, slot, offer->round, offer->r, flight->due_ns);
        if (!clock->busy[i] && pw_agent_ready(agent))
            pw_virtual_push(clock, clock->all_here_ns[i], n, PW_VIRTUAL_ALL_HERE, 0);
        return 1;
    }
    int end = pw_host_end(host, n, slot);
    if (offer->round != inbox->round + 1 || pw_mailbox(clock->boxes, end)->due_ns != PW_FLIGHT_NEVER)
        return 0;
    pw_mailboxes_keep(clock->boxes, end, flight);
    return 1;
}

void pw_virtual_take_flight(struct pw_virtual *clock, const struct pw_flight *flight)
{
    const struct pw_offer *offer = &flight->offer;
    int end = pw_host_end(clock->spec.host, offer->agent, offer->slot);
    if (clock->is_paired)
        pw_mailboxes_come(clock->boxes, end, flight, &clock->changes);
    if (flight->due_ns == PW_FLIGHT_NEVER || (clock->foretells && foretell(clock, flight)))
        return;
    announce(clock, flight->due_ns, offer->agent, offer->slot, offer->round, offer->r);
}

void pw_virtual_fetch_flight(const struct pw_virtual *clock, const struct pw_flight *flight)
{
    const struct pw_host *host = clock->spec.host;
    const struct pw_offer *offer = &flight->offer;
    if (clock->is_paired)
        pw_mailboxes_fetch(clock->boxes, pw_host_end(host, offer->agent, offer->slot));
    if (clock->foretells)
        pw_agent_fetch_slot(pw_host_agent(host, offer->agent), clock->n_products, offer->slot);
}

void pw_virtual_open_mail(struct pw_virtual *clock, int n, int64_t now)
{
    int first = pw_host_end(clock->spec.host, n, 0), links = pw_host_agent(clock->spec.host, n)->n_links;
    for (int slot = 0; slot < links; slot++) {
        struct pw_mailbox *box = pw_mailbox(clock->boxes, first + slot);
        if (box->due_ns == PW_FLIGHT_NEVER || box->due_ns > now)
            continue;
        hand_over(clock, n, slot, box->round[1], pw_mailboxes_kept(clock->boxes, box), box->due_ns);
        box->due_ns = PW_FLIGHT_NEVER;
    }
}

void pw_virtual_open_next_mail(struct pw_virtual *clock, int n)
{
    const struct pw_agent *agent = pw_host_agent(clock->spec.host, n);
    int first = pw_host_end(clock->spec.host, n, 0);
    for (int slot = 0; slot < agent->n_links; slot++) {
        struct pw_mailbox *box = pw_mailbox(clock->boxes, first + slot);
        if (box->due_ns == PW_FLIGHT_NEVER)
            continue;
        const double *r = pw_mailboxes_kept(clock->boxes, box);
        if (pw_agent_inbox(agent, slot)->settled)
            announce(clock, box->due_ns, n, slot, box->round[1], r);
        else
            hand_over(clock, n, slot, box->round[1], r, box->due_ns);
        box->due_ns = PW_FLIGHT_NEVER;
    }
}

enum pw_code pw_virtual_receive(struct pw_virtual *clock, const struct pw_flight *flights, int count,
                                struct pw_error *err)
{
    const struct pw_host *host = clock->spec.host;
    for (int i = 0; i < count; i++) {
        const struct pw_offer *offer = &flights[i].offer;
        if (!pw_host_has_slot(host, offer->agent, offer->slot))
            return pw_fail(err, PW_INTERNAL, "an offer for agent %d, slot %d came to rank %d", offer->agent,
                           offer->slot, host->rank);
        pw_virtual_fetch_flight(clock, &flights[i]);
    }
    for (int i = 0; i < count; i++)
        pw_virtual_take_flight(clock, &flights[i]);
    return PW_OK;
}

/* When an agent answers what comes `now`: at once, or when the local solve under way has ended. */
static int64_t answer_time(const struct pw_virtual *clock, int n, int64_t now)
{
    int i = n - clock->spec.host->first;
    return clock->busy[i] ? clock->solved_ns[i] : now;
}

static void note_arrival(const struct pw_virtual *clock, const struct pw_virtual_event *event, int answers,
                         int64_t now)
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

void pw_virtual_arrive(struct pw_virtual *clock, const struct pw_virtual_event *event, int64_t now)
{
    int answers;
    if (pw_host_deliver(clock->spec.host, event->agent, event->slot, event->round, event->r, &answers,
                        &clock->error) != PW_OK)
        return;
    note_arrival(clock, event, answers, now);
    if (answers)
        pw_virtual_answer(clock, event->agent, event->slot, answer_time(clock, event->agent, now));
    pw_virtual_list_if_ready(clock, event->agent, now);
}
