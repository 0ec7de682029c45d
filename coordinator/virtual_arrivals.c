/* The virtual clock: offers come to their agents.
 *
 * In a synchronous market an agent fires once it has an offer on every link, so that nothing looks at one of
 * them before the last is there. So an offer on its way lies in a mailbox until the agent fires, and one
 * event stands for all of them, at the time of the last arrival. By an event of its own comes what an agent
 * does not wait for so: an offer to a settled trade, which answers; and all offers where agents fire on a
 * part of their links, where rounds are not paired, and where somebody watches. */
#include "common/memory.h"
#include "common/prefetch.h"
#include "coordinator/virtual_internal.h"

static void announce(struct pw_virtual *clock, int64_t due_ns, int n, int slot, int round, const double *r)
{
    struct pw_virtual_event *event = pw_virtual_push(clock, due_ns, n, slot, round);
    pw_copy_reals(event->r, r, (size_t)clock->n_products);
}

static void note_arrival_of_all(struct pw_waiting *waiting, int64_t due_ns)
{
    waiting->all_here_ns = due_ns > waiting->all_here_ns ? due_ns : waiting->all_here_ns;
}

/* Lays the offer into the mailbox; false where it has to come at its time. */
static int lay_by(struct pw_virtual *clock, struct pw_mailbox *box, const struct pw_flight *flight)
{
    const struct pw_offer *offer = &flight->offer;
    int64_t *due_ns = &box->due_ns[offer->round & 1];
    int ahead = offer->round - box->round;
    if (box->settled || ahead < 0 || ahead > 1 || *due_ns != PW_FLIGHT_NEVER)
        return 0;
    *due_ns = flight->due_ns;
    pw_copy_reals(pw_mailbox_r(clock->boxes, box, offer->round), offer->r, (size_t)clock->n_products);
    if (ahead > 0)
        return 1;
    struct pw_waiting *waiting = pw_virtual_waiting(clock, offer->agent);
    if (waiting->missing == 0) {
        pw_fail(&clock->error, PW_INTERNAL, "agent %d got round %d on slot %d twice", offer->agent,
                offer->round, offer->slot);
        return 1;
    }
    note_arrival_of_all(waiting, flight->due_ns);
    if (--waiting->missing == 0)
        pw_virtual_expect(clock, offer->agent);
    return 1;
}

static struct pw_mailbox *box_for(const struct pw_virtual *clock, const struct pw_offer *offer)
{
    return pw_mailbox(clock->boxes, pw_host_end(clock->spec.host, offer->agent, offer->slot));
}

void pw_virtual_take_flight(struct pw_virtual *clock, const struct pw_flight *flight)
{
    const struct pw_offer *offer = &flight->offer;
    struct pw_mailbox *box = clock->is_paired ? box_for(clock, offer) : NULL;
    if (box != NULL)
        pw_mailboxes_come(clock->boxes, box, flight, &clock->changes);
    if (flight->due_ns == PW_FLIGHT_NEVER || (clock->foretells && lay_by(clock, box, flight)))
        return;
    announce(clock, flight->due_ns, offer->agent, offer->slot, offer->round, offer->r);
}

void pw_virtual_fetch_flight(const struct pw_virtual *clock, const struct pw_flight *flight)
{
    if (clock->is_paired)
        pw_prefetch(box_for(clock, &flight->offer));
}

/* Gives the agent the offer of `round` that lies in the slot's mailbox, if it is there by now. */
static void hand_over(struct pw_virtual *clock, int n, int slot, struct pw_mailbox *box, int round,
                      int64_t now)
{
    int64_t *due_ns = &box->due_ns[round & 1];
    int answers;
    if (*due_ns == PW_FLIGHT_NEVER || *due_ns > now)
        return;
    pw_host_deliver(clock->spec.host, n, slot, round, pw_mailbox_r(clock->boxes, box, round), &answers,
                    &clock->error);
    *due_ns = PW_FLIGHT_NEVER;
}

void pw_virtual_open_mail(struct pw_virtual *clock, int n, int64_t now)
{
    int first = pw_host_end(clock->spec.host, n, 0), links = pw_host_agent(clock->spec.host, n)->n_links;
    for (int slot = 0; slot < links; slot++) {
        struct pw_mailbox *box = pw_mailbox(clock->boxes, first + slot);
        int round = box->round;
        hand_over(clock, n, slot, box, round, now);
        hand_over(clock, n, slot, box, round + 1, now);
    }
}

/* The trade has settled: the peer's offer of the next round comes at its time. */
static void bring_by_event(struct pw_virtual *clock, int n, int slot, struct pw_mailbox *box)
{
    int round = box->round + 1;
    int64_t *due_ns = &box->due_ns[round & 1];
    if (*due_ns != PW_FLIGHT_NEVER)
        announce(clock, *due_ns, n, slot, round, pw_mailbox_r(clock->boxes, box, round));
    *due_ns = PW_FLIGHT_NEVER;
}

/* An offer that the agent was given as the next round's is not missing either. */
void pw_virtual_await(struct pw_virtual *clock, int n)
{
    const struct pw_agent *agent = pw_host_agent(clock->spec.host, n);
    struct pw_waiting *waiting = pw_virtual_waiting(clock, n);
    int first = pw_host_end(clock->spec.host, n, 0);
    waiting->missing = 0;
    for (int slot = 0; slot < agent->n_links; slot++) {
        struct pw_mailbox *box = pw_mailbox(clock->boxes, first + slot);
        const struct pw_inbox *inbox = pw_agent_inbox(agent, slot);
        box->settled = inbox->settled;
        if (box->settled)
            bring_by_event(clock, n, slot, box);
        else if (box->due_ns[box->round & 1] != PW_FLIGHT_NEVER)
            note_arrival_of_all(waiting, box->due_ns[box->round & 1]);
        else
            waiting->missing += !inbox->complete;
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
    int64_t solved_ns = clock->solved_ns[n - clock->spec.host->first];
    return solved_ns > now ? solved_ns : now;
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

/* The slot's trade was settled when the offer left its sender; it may have woken since, and have waited for
 * it. */
static void note_in_mailbox(struct pw_virtual *clock, const struct pw_virtual_event *event, int answers,
                            int completes)
{
    int end = pw_host_end(clock->spec.host, event->agent, event->slot);
    if (answers)
        pw_mailbox(clock->boxes, end)->settled = 0;
    else if (completes)
        pw_virtual_waiting(clock, event->agent)->missing--;
}

void pw_virtual_arrive(struct pw_virtual *clock, const struct pw_virtual_event *event, int64_t now)
{
    const struct pw_inbox *inbox = pw_agent_inbox(pw_host_agent(clock->spec.host, event->agent), event->slot);
    int was_complete = inbox->complete, answers;
    if (pw_host_deliver(clock->spec.host, event->agent, event->slot, event->round, event->r, &answers,
                        &clock->error) != PW_OK)
        return;
    note_arrival(clock, event, answers, now);
    if (clock->foretells)
        note_in_mailbox(clock, event, answers, inbox->complete && !was_complete);
    if (answers)
        pw_virtual_answer(clock, event->agent, event->slot, answer_time(clock, event->agent, now));
    pw_virtual_list_if_ready(clock, event->agent, now);
}
