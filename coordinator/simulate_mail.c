/* A simulation: what other ranks send, and waiting for it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/phases.h"
#include "coordinator/clock.h"
#include "coordinator/flights.h"
#include "coordinator/simulate_internal.h"

void pw_simulation_fail(struct pw_simulation *simulation, const struct pw_error *err)
{
    fprintf(stderr, "peerwatt: rank %d: %s\n", simulation->transport->rank, err->text);
    pw_transport_abort(simulation->transport, err->code);
}

void pw_simulation_send(void *context, int rank, const struct pw_flight *flight)
{
    struct pw_simulation *simulation = context;
    struct pw_offer offer;
    pw_flight_encode(flight, simulation->negotiation->market->n_products, &offer);
    pw_parcels_add(simulation->parcels, rank, &offer);
}

/* An offer comes that left before its sender said to be done with that time: what it changes is played. */
static void refuse_late(struct pw_simulation *simulation, int from, const struct pw_flight *flight)
{
    struct pw_error err;
    pw_fail(&err, PW_INTERNAL,
            "rank %d sent an offer at %.9g s of the run, having said that it was done with %.9g s", from,
            (double)flight->sent_ns * 1e-9, (double)simulation->neighbours->reached_ns[from] * 1e-9);
    pw_simulation_fail(simulation, &err);
}

static void take_packet(struct pw_simulation *simulation, int from, const unsigned char *bytes, size_t size)
{
    struct pw_error err;
    struct pw_packet_header header;
    struct pw_flight flights[PW_VIRTUAL_AT_ONCE];
    int products = simulation->negotiation->market->n_products, some = 0;
    int64_t reached_ns = simulation->neighbours->reached_ns[from];
    if (pw_decode_header(bytes, size, pw_flight_reals(products), &header, &err) != PW_OK)
        pw_simulation_fail(simulation, &err);
    for (uint32_t i = 0; i < header.count; i++) {
        if (pw_flight_decode(bytes, i, products, &flights[some++], &err) != PW_OK)
            pw_simulation_fail(simulation, &err);
        if (flights[some - 1].sent_ns < reached_ns)
            refuse_late(simulation, from, &flights[some - 1]);
        if (some < PW_VIRTUAL_AT_ONCE && i + 1 < header.count)
            continue;
        if (pw_virtual_receive(simulation->clock, flights, some, &err) != PW_OK)
            pw_simulation_fail(simulation, &err);
        some = 0;
    }
    if (header.mark > INT64_MAX) {
        pw_fail(&err, PW_INTERNAL, "rank %d is said to have come to no possible time", from);
        pw_simulation_fail(simulation, &err);
    }
    pw_neighbours_hear(simulation->neighbours, from, (int64_t)header.mark);
}

static void take_window(struct pw_simulation *simulation, int from, const unsigned char *bytes, size_t size)
{
    struct pw_error why, err;
    struct pw_course *course = pw_director_course(simulation->director);
    if (pw_window_unpack(bytes, size, course, &simulation->all, &why) != PW_OK) {
        pw_fail(&err, why.code, "from rank %d: %s", from, why.text);
        pw_simulation_fail(simulation, &err);
    }
    pw_roll_mark(&simulation->rolls[WINDOWS], from);
}

void pw_simulation_take_piece(struct pw_simulation *simulation, int from, const unsigned char *bytes,
                              size_t size)
{
    struct pw_error err;
    struct pw_piece piece = {-1, -1};
    struct pw_block block = pw_placement_block(&simulation->host->placement, from);
    if (size >= sizeof piece)
        memcpy(&piece, bytes, sizeof piece);
    if (piece.first < block.first || piece.end < piece.first || piece.end > block.end) {
        pw_fail(&err, PW_INTERNAL, "the state of agents %d to %d from rank %d", (int)piece.first,
                (int)piece.end - 1, from);
        pw_simulation_fail(simulation, &err);
    }
    if (pw_snapshot_take_in(simulation->snapshot, piece.first, piece.end, bytes + sizeof piece,
                            size - sizeof piece, &err) != PW_OK)
        pw_simulation_fail(simulation, &err);
    if (piece.end == block.end)
        pw_roll_mark(&simulation->rolls[PARTS], from);
}

static void take_timeline(struct pw_simulation *simulation, int from, const unsigned char *bytes, size_t size)
{
    struct pw_error err;
    if (pw_recorder_take_in(&simulation->recorder, bytes, size, &err) != PW_OK)
        pw_simulation_fail(simulation, &err);
    pw_roll_mark(&simulation->rolls[PARTS], from);
}

/* One may come before the order, from a neighbour that has it already. */
struct pw_glance *pw_simulation_glance(struct pw_simulation *simulation)
{
    if (simulation->glance == NULL)
        simulation->glance = pw_glance_create(simulation->host);
    return simulation->glance;
}

static void take_glance(struct pw_simulation *simulation, int from, const unsigned char *bytes, size_t size)
{
    struct pw_error err;
    if (pw_glance_hear(pw_simulation_glance(simulation), from, bytes, size, &err) != PW_OK)
        pw_simulation_fail(simulation, &err);
    pw_roll_mark(&simulation->rolls[GLANCES], from);
}

static void receive(void *context, int from, enum pw_tag tag, const unsigned char *bytes, size_t size)
{
    struct pw_simulation *simulation = context;
    struct pw_error err;
    if (tag == PW_TAG_OFFERS) {
        take_packet(simulation, from, bytes, size);
    } else if (tag == PW_TAG_WINDOW_DONE) {
        take_window(simulation, from, bytes, size);
    } else if (tag == PW_TAG_SNAPSHOT) {
        pw_simulation_take_piece(simulation, from, bytes, size);
    } else if (tag == PW_TAG_GLANCE) {
        take_glance(simulation, from, bytes, size);
    } else if (tag == PW_TAG_TIMELINE) {
        take_timeline(simulation, from, bytes, size);
    } else if (tag == PW_TAG_WINDOW && size == sizeof simulation->order) {
        memcpy(&simulation->order, bytes, size);
        pw_roll_mark(&simulation->rolls[ORDERS], from);
    } else {
        pw_fail(&err, PW_INTERNAL, "a message of kind %d and %zu bytes from rank %d", (int)tag, size, from);
        pw_simulation_fail(simulation, &err);
    }
}

struct pw_awaited pw_simulation_from_all(struct pw_simulation *simulation, int roll, const char *what)
{
    return (struct pw_awaited){
        .roll = &simulation->rolls[roll], .count = simulation->transport->size, .what = what};
}

static int has_come(const struct pw_simulation *simulation, const struct pw_awaited *awaited)
{
    if (awaited->kind == PW_AWAIT_NEIGHBOURS)
        return pw_neighbours_slowest(simulation->neighbours) >= awaited->reached_ns;
    if (awaited->kind == PW_AWAIT_SENT)
        return !pw_transport_busy(simulation->transport, 0);
    return awaited->roll->count >= awaited->count;
}

/* Rank 0 knows who has not ended the window: one of them keeps the others waiting. Elsewhere a neighbour
 * does, or one that it waits for itself. */
static void name_missing(struct pw_simulation *simulation, const struct pw_awaited *awaited, char *text,
                         size_t size)
{
    struct pw_roll *windows = &simulation->rolls[WINDOWS];
    if (awaited->kind == PW_AWAIT_ROLL) {
        pw_roll_missing(awaited->roll, awaited->ranks, awaited->count, text, size);
    } else if (awaited->kind == PW_AWAIT_SENT) {
        snprintf(text, size, "rank 0");
    } else if (simulation->director != NULL) {
        pw_roll_mark(windows, 0);
        pw_roll_missing(windows, NULL, simulation->transport->size, text, size);
    } else {
        pw_neighbours_missing(simulation->neighbours, awaited->reached_ns, text, size);
        size_t end = strlen(text);
        snprintf(text + end, size - end, ", or one that it waits for,");
    }
}

static void give_up(struct pw_simulation *simulation, const struct pw_awaited *awaited)
{
    struct pw_error err;
    char missing[140];
    name_missing(simulation, awaited, missing, sizeof missing);
    pw_fail(&err, PW_ENVIRONMENT, "waited %g s for %s, played up to %g s: %s hangs, or its machine does",
            simulation->negotiation->settings->stall_s, awaited->what, (double)simulation->until_ns * 1e-9,
            missing);
    pw_simulation_fail(simulation, &err);
}

int pw_simulation_poll(struct pw_simulation *simulation)
{
    return pw_transport_poll(simulation->transport, receive, simulation);
}

/* Who hangs keeps its neighbours from answering others: rank 0, which sees most, speaks first. */
void pw_simulation_wait(struct pw_simulation *simulation, struct pw_awaited awaited)
{
    struct pw_idle idle = {.longest_ns = simulation->transport->crowded ? 1000000 : 100000,
                           .busy_first = simulation->transport->crowded ? 0 : 20000,
                           .spins_first = 200};
    int64_t patience_ns = (int64_t)fmin(simulation->negotiation->settings->stall_s * 1e9, 9e17);
    int64_t deadline_ns = pw_clock_ns() + patience_ns * (simulation->director != NULL ? 1 : 2);
    enum pw_phase before = pw_phase_enter(PW_PHASE_WAIT);
    while (!has_come(simulation, &awaited)) {
        int64_t now_ns = pw_clock_ns();
        if (pw_simulation_poll(simulation) > 0)
            pw_idle_reset(&idle);
        else if (now_ns > deadline_ns)
            give_up(simulation, &awaited);
        else
            pw_idle_turn(&idle, now_ns, deadline_ns);
    }
    if (awaited.kind == PW_AWAIT_ROLL)
        pw_roll_clear(awaited.roll, simulation->transport->size);
    pw_phase_leave(before);
}
