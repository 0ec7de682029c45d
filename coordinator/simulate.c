#include "coordinator/simulate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/case.h"
#include "common/memory.h"
#include "common/phases.h"
#include "coordinator/clock.h"
#include "coordinator/director.h"
#include "coordinator/flights.h"
#include "coordinator/glance.h"
#include "coordinator/parcels.h"
#include "coordinator/recorder.h"
#include "coordinator/roll.h"
#include "coordinator/setup.h"
#include "coordinator/signals.h"
#include "coordinator/stall.h"
#include "coordinator/virtual.h"
#include "coordinator/window.h"

/* So many events, a fraction of a millisecond where each is a fire with ten peers, are played before what has
 * come from other ranks is taken in. */
enum { EVENTS_AT_ONCE = 128 };

/* In a packet's epoch, which is twice the window's number: no more offers of that window will come from its
 * sender. */
enum { LAST = 1 };

/* Who has sent what a rank waits for. */
enum {
    EVEN_PACKETS, /* the last offers of a window, by its parity: a neighbour may be a window ahead */
    ODD_PACKETS,
    GLANCES,
    ORDERS,  /* of rank 0 */
    WINDOWS, /* to rank 0: the end of one */
    PARTS,   /* to rank 0: of the state, or of the timeline */
    N_ROLLS
};

/* One rank of a simulation. */
struct simulation {
    const struct pw_negotiation *negotiation;
    struct pw_transport *transport;
    struct pw_host *host;
    struct pw_virtual *clock;
    struct pw_tally *tally;
    const struct pw_stretch *told; /* what rank 0 is to hear of an interval; else NULL */
    struct pw_parcels *parcels;
    struct pw_recorder recorder;
    struct pw_director *director; /* rank 0, else NULL */
    struct pw_snapshot *snapshot; /* rank 0, else NULL */
    struct pw_glance *glance;     /* NULL before the first */
    double prices_excess;         /* what the last one found */
    struct pw_tolerances tolerances;
    unsigned char *bytes; /* room for this rank's part of a snapshot */
    size_t n_bytes;

    int *neighbours, n_neighbours; /* other ranks whose agents are linked with ours */
    uint32_t window;
    struct pw_order order;

    struct pw_roll rolls[N_ROLLS];
    struct pw_ranks all; /* rank 0: how those stand that have ended the window */
};

static void fail_hard(struct simulation *simulation, const struct pw_error *err)
{
    fprintf(stderr, "peerwatt: rank %d: %s\n", simulation->transport->rank, err->text);
    pw_transport_abort(simulation->transport, err->code);
}

static void send_offer(void *context, int rank, const struct pw_flight *flight)
{
    struct simulation *simulation = context;
    struct pw_offer offer;
    pw_flight_encode(flight, simulation->negotiation->market->n_products, &offer);
    pw_parcels_add(simulation->parcels, rank, &offer);
}

static void take_packet(struct simulation *simulation, int from, const unsigned char *bytes, size_t size)
{
    struct pw_error err;
    struct pw_packet_header header;
    struct pw_flight flights[PW_VIRTUAL_AT_ONCE];
    int products = simulation->negotiation->market->n_products, some = 0;
    if (pw_decode_header(bytes, size, pw_flight_reals(products), &header, &err) != PW_OK)
        fail_hard(simulation, &err);
    for (uint32_t i = 0; i < header.count; i++) {
        if (pw_flight_decode(bytes, i, products, &flights[some++], &err) != PW_OK)
            fail_hard(simulation, &err);
        if (some < PW_VIRTUAL_AT_ONCE && i + 1 < header.count)
            continue;
        if (pw_virtual_receive(simulation->clock, flights, some, &err) != PW_OK)
            fail_hard(simulation, &err);
        some = 0;
    }
    if (header.epoch & LAST)
        pw_roll_mark(&simulation->rolls[header.epoch / 2 & 1 ? ODD_PACKETS : EVEN_PACKETS], from);
}

static void take_window(struct simulation *simulation, int from, const unsigned char *bytes, size_t size)
{
    struct pw_error why, err;
    struct pw_course *course = pw_director_course(simulation->director);
    if (pw_window_unpack(bytes, size, course, &simulation->all, &why) != PW_OK) {
        pw_fail(&err, why.code, "from rank %d: %s", from, why.text);
        fail_hard(simulation, &err);
    }
    pw_roll_mark(&simulation->rolls[WINDOWS], from);
}

static void take_snapshot_part(struct simulation *simulation, int from, const unsigned char *bytes,
                               size_t size)
{
    struct pw_error err;
    const struct pw_placement *placement = &simulation->host->placement;
    if (pw_snapshot_take_in(simulation->snapshot, pw_placement_first(placement, from),
                            pw_placement_end(placement, from), bytes, size, &err) != PW_OK)
        fail_hard(simulation, &err);
    pw_roll_mark(&simulation->rolls[PARTS], from);
}

static void take_timeline(struct simulation *simulation, int from, const unsigned char *bytes, size_t size)
{
    struct pw_error err;
    if (pw_recorder_take_in(&simulation->recorder, bytes, size, &err) != PW_OK)
        fail_hard(simulation, &err);
    pw_roll_mark(&simulation->rolls[PARTS], from);
}

/* One may come before the order, from a neighbour that has it already. */
static struct pw_glance *glance_of(struct simulation *simulation)
{
    if (simulation->glance == NULL)
        simulation->glance = pw_glance_create(simulation->host);
    return simulation->glance;
}

static void take_glance(struct simulation *simulation, int from, const unsigned char *bytes, size_t size)
{
    struct pw_error err;
    if (pw_glance_hear(glance_of(simulation), from, bytes, size, &err) != PW_OK)
        fail_hard(simulation, &err);
    pw_roll_mark(&simulation->rolls[GLANCES], from);
}

static void receive(void *context, int from, enum pw_tag tag, const unsigned char *bytes, size_t size)
{
    struct simulation *simulation = context;
    struct pw_error err;
    if (tag == PW_TAG_OFFERS) {
        take_packet(simulation, from, bytes, size);
    } else if (tag == PW_TAG_WINDOW_DONE) {
        take_window(simulation, from, bytes, size);
    } else if (tag == PW_TAG_SNAPSHOT) {
        take_snapshot_part(simulation, from, bytes, size);
    } else if (tag == PW_TAG_GLANCE) {
        take_glance(simulation, from, bytes, size);
    } else if (tag == PW_TAG_TIMELINE) {
        take_timeline(simulation, from, bytes, size);
    } else if (tag == PW_TAG_WINDOW && size == sizeof simulation->order) {
        memcpy(&simulation->order, bytes, size);
        pw_roll_mark(&simulation->rolls[ORDERS], from);
    } else {
        pw_fail(&err, PW_INTERNAL, "a message of kind %d and %zu bytes from rank %d", (int)tag, size, from);
        fail_hard(simulation, &err);
    }
}

/* What is waited for: a word from each of some ranks. */
struct awaited {
    struct pw_roll *roll;
    const int *ranks; /* [count]; NULL: all below */
    int count;
    const char *what;
};

static struct awaited from_neighbours(struct simulation *simulation, int roll, const char *what)
{
    return (struct awaited){&simulation->rolls[roll], simulation->neighbours, simulation->n_neighbours, what};
}

static struct awaited from_all(struct simulation *simulation, int roll, const char *what)
{
    return (struct awaited){&simulation->rolls[roll], NULL, simulation->transport->size, what};
}

static void give_up(struct simulation *simulation, const struct awaited *awaited)
{
    struct pw_error err;
    char missing[100];
    pw_roll_missing(awaited->roll, awaited->ranks, awaited->count, missing, sizeof missing);
    pw_fail(&err, PW_ENVIRONMENT, "waited %g s for %s in window %u: %s hangs, or its machine does",
            simulation->negotiation->settings->stall_s, awaited->what, (unsigned)simulation->window, missing);
    fail_hard(simulation, &err);
}

/* Waits, sleeping, until all have sent theirs, and clears the roll; not for ever. Who hangs keeps its
 * neighbours from answering others: rank 0, which sees most, speaks first. */
static void wait_for(struct simulation *simulation, struct awaited awaited)
{
    struct pw_idle idle = {.longest_ns = simulation->transport->crowded ? 1000000 : 100000,
                           .busy_first = simulation->transport->crowded ? 0 : 20000,
                           .spins_first = 200};
    int64_t patience_ns = (int64_t)fmin(simulation->negotiation->settings->stall_s * 1e9, 9e17);
    int64_t deadline_ns = pw_clock_ns() + patience_ns * (simulation->director != NULL ? 1 : 2);
    enum pw_phase before = pw_phase_enter(PW_PHASE_WAIT);
    while (awaited.roll->count < awaited.count) {
        int64_t now_ns = pw_clock_ns();
        if (pw_transport_poll(simulation->transport, receive, simulation) > 0)
            pw_idle_reset(&idle);
        else if (now_ns > deadline_ns)
            give_up(simulation, &awaited);
        else
            pw_idle_turn(&idle, now_ns, deadline_ns);
    }
    pw_roll_clear(awaited.roll, simulation->transport->size);
    pw_phase_leave(before);
}

/* Offers change ranks; afterwards every rank has all that were sent in the window. */
static void exchange(struct simulation *simulation)
{
    pw_parcels_send_all(simulation->parcels, simulation->neighbours, simulation->n_neighbours,
                        2 * simulation->window + LAST);
    wait_for(simulation, from_neighbours(simulation, simulation->window & 1 ? ODD_PACKETS : EVEN_PACKETS,
                                         "the offers of neighbouring ranks"));
    simulation->window++;
    pw_tally_take(simulation->tally, pw_virtual_changes(simulation->clock));
}

/* What was asked for last goes along. */
static struct pw_window end_of_window(const struct simulation *simulation)
{
    int shows = simulation->order.kind == PW_ORDER_MOVES;
    return (struct pw_window){.standing = {.next_ns = pw_virtual_next(simulation->clock),
                                           .first_change_ns = pw_tally_first(simulation->tally),
                                           .rounds = simulation->host->most_fires,
                                           .prices_excess = simulation->prices_excess,
                                           .interrupted = pw_signals_caught()},
                              .stretches = simulation->told,
                              .moves = shows ? pw_tally_moves(simulation->tally) : NULL};
}

static void send_window(struct simulation *simulation)
{
    struct pw_window window = end_of_window(simulation);
    size_t size;
    unsigned char *bytes = pw_window_pack(&window, &size);
    pw_transport_send(simulation->transport, 0, PW_TAG_WINDOW_DONE, bytes, size);
    free(bytes);
}

/* Rank 0: hears all ranks and gives them their order. */
static void direct(struct simulation *simulation)
{
    struct pw_window window = end_of_window(simulation);
    pw_window_take(&window, pw_director_course(simulation->director), &simulation->all);
    pw_roll_mark(&simulation->rolls[WINDOWS], 0);
    wait_for(simulation, from_all(simulation, WINDOWS, "the end of the window"));
    simulation->order = pw_director_order(simulation->director, &simulation->all);
    for (int r = 1; r < simulation->transport->size; r++) {
        pw_transport_send(simulation->transport, r, PW_TAG_WINDOW, &simulation->order,
                          sizeof simulation->order);
    }
    simulation->all = PW_NO_RANKS;
}

static void get_order(struct simulation *simulation)
{
    pw_phase_enter(PW_PHASE_JUDGE);
    if (simulation->director != NULL) {
        direct(simulation);
        return;
    }
    send_window(simulation);
    wait_for(simulation, (struct awaited){&simulation->rolls[ORDERS], NULL, 1, "an order of rank 0"});
}

/* Plays a window. Offers change ranks meanwhile: none is due before the window's end. */
static void play(struct simulation *simulation)
{
    struct pw_error err;
    int64_t until_ns = simulation->order.until_ns;
    while (pw_virtual_next(simulation->clock) < until_ns) {
        pw_phase_enter(PW_PHASE_SOLVE);
        if (pw_virtual_run(simulation->clock, until_ns, EVENTS_AT_ONCE, &err) != PW_OK)
            fail_hard(simulation, &err);
        pw_tally_take(simulation->tally, pw_virtual_changes(simulation->clock));
        pw_phase_enter(PW_PHASE_MESSAGES);
        pw_parcels_flush(simulation->parcels, 2 * simulation->window);
        pw_transport_poll(simulation->transport, receive, simulation);
    }
    exchange(simulation);
}

/* Neighbours tell each other; what is found goes along with the end of the window. */
static void glance(struct simulation *simulation)
{
    struct pw_glance *glance = glance_of(simulation);
    pw_phase_enter(PW_PHASE_JUDGE);
    pw_glance_note(glance);
    for (int k = 0; k < simulation->n_neighbours; k++) {
        size_t size;
        const void *told = pw_glance_told(glance, simulation->neighbours[k], &size);
        pw_transport_send(simulation->transport, simulation->neighbours[k], PW_TAG_GLANCE, told, size);
    }
    wait_for(simulation, from_neighbours(simulation, GLANCES, "the prices of neighbouring ranks"));
    simulation->prices_excess = pw_glance_excess(glance, &simulation->tolerances);
}

static void take_snapshot(struct simulation *simulation)
{
    struct pw_error err;
    pw_phase_enter(PW_PHASE_JUDGE);
    pw_virtual_count_solves(simulation->clock, simulation->order.until_ns);
    pw_snapshot_write(simulation->host, simulation->bytes);
    if (simulation->director == NULL) {
        pw_transport_send(simulation->transport, 0, PW_TAG_SNAPSHOT, simulation->bytes, simulation->n_bytes);
        return;
    }
    take_snapshot_part(simulation, 0, simulation->bytes, simulation->n_bytes);
    wait_for(simulation, from_all(simulation, PARTS, "the parts of a snapshot"));
    if (pw_director_judge(simulation->director, simulation->snapshot, &err) != PW_OK)
        fail_hard(simulation, &err);
}

/* What is to be told goes along with the end of the window; without an order where that ends the interval. */
static void obey(struct simulation *simulation)
{
    const struct pw_order *order = &simulation->order;
    int plays = order->kind == PW_ORDER_PLAY, ends = plays && order->until_ns == order->interval.until_ns;
    if (plays || order->kind == PW_ORDER_TELL)
        pw_tally_turn_to(simulation->tally, &order->interval);
    if (plays)
        play(simulation);
    else if (order->kind == PW_ORDER_GLANCE)
        glance(simulation);
    else if (order->kind == PW_ORDER_SNAPSHOT)
        take_snapshot(simulation);
    simulation->told = ends || order->kind == PW_ORDER_TELL ? pw_tally_tell(simulation->tally) : NULL;
}

static void list_neighbours(struct simulation *simulation)
{
    const struct pw_market *market = simulation->negotiation->market;
    const struct pw_host *host = simulation->host;
    int size = simulation->transport->size;
    unsigned char *linked = pw_alloc((size_t)size, 1);
    for (int e = market->end_first[host->first]; e < market->end_first[host->end]; e++)
        linked[pw_placement_rank(&host->placement, pw_market_end_agent(market, market->end_twin[e]))] = 1;
    simulation->neighbours = pw_alloc((size_t)size, sizeof(int));
    for (int r = 0; r < size; r++) {
        if (linked[r] && r != host->rank)
            simulation->neighbours[simulation->n_neighbours++] = r;
    }
    free(linked);
}

/* Checks come as often as a message and a local solve take in the mean. */
static int64_t check_period(const struct pw_network *network, const struct pw_pace *pace)
{
    int64_t period = (int64_t)(pw_network_mean_s(network) * 1e9) + pw_pace_mean_ns(pace);
    return period > 1 ? period : 1;
}

static void make_director(struct simulation *simulation, const struct pw_network *network,
                          const struct pw_pace *pace)
{
    const struct pw_negotiation *negotiation = simulation->negotiation;
    int64_t lookahead_ns =
        simulation->transport->size == 1
            ? INT64_MAX / 2
            : pw_virtual_lookahead(network, pace,
                                   pw_setup_criterion(negotiation->settings) != PW_STOP_GLOBAL);
    simulation->director =
        pw_director_create(negotiation, &simulation->tolerances, lookahead_ns, check_period(network, pace));
    simulation->snapshot = pw_snapshot_create(
        negotiation->market, pw_exchange_is_paired((enum pw_exchange_kind)negotiation->settings->exchange));
    simulation->all = PW_NO_RANKS;
}

static void set_up(struct simulation *simulation)
{
    const struct pw_settings *settings = simulation->negotiation->settings;
    struct pw_scales scales = pw_market_scales(simulation->negotiation->market);
    struct pw_network network = pw_setup_network(simulation->negotiation);
    struct pw_pace pace = pw_case_pace(settings);
    simulation->tolerances = pw_tolerances_of(settings, simulation->negotiation->market, &scales);
    simulation->host = pw_setup_host(simulation->negotiation, simulation->transport, &scales);
    pw_recorder_init(&simulation->recorder, simulation->negotiation->market, 0);
    struct pw_virtual_spec spec = {simulation->host,
                                   network,
                                   pace,
                                   send_offer,
                                   simulation,
                                   settings->timeline ? &simulation->recorder.observer : NULL,
                                   pw_setup_timeout_ns(simulation->negotiation)};
    simulation->clock = pw_virtual_create(&spec);
    simulation->tally = pw_tally_create(simulation->negotiation->market);
    simulation->parcels = pw_parcels_create(simulation->transport,
                                            pw_flight_reals(simulation->negotiation->market->n_products));
    simulation->n_bytes = pw_snapshot_size(simulation->host);
    simulation->bytes = pw_alloc(simulation->n_bytes, 1);
    list_neighbours(simulation);
    for (int i = 0; i < N_ROLLS; i++)
        simulation->rolls[i].here = pw_alloc((size_t)simulation->transport->size, 1);
    if (simulation->transport->rank == 0)
        make_director(simulation, &network, &pace);
    int ready = 1;
    pw_transport_share(simulation->transport, &ready,
                       sizeof ready); /* nobody is in an earlier run any more */
}

/* All ranks' events to rank 0. */
static void gather_timeline(struct simulation *simulation)
{
    struct pw_recorder *recorder = &simulation->recorder;
    if (!simulation->negotiation->settings->timeline || simulation->transport->size == 1)
        return;
    if (simulation->director == NULL) {
        pw_transport_send(simulation->transport, 0, PW_TAG_TIMELINE, recorder->events,
                          recorder->count * sizeof *recorder->events);
        return;
    }
    pw_roll_mark(&simulation->rolls[PARTS], 0);
    wait_for(simulation, from_all(simulation, PARTS, "the parts of the timeline"));
}

static void tear_down(struct simulation *simulation)
{
    pw_director_destroy(simulation->director);
    pw_snapshot_destroy(simulation->snapshot);
    pw_glance_destroy(simulation->glance);
    pw_virtual_destroy(simulation->clock);
    pw_tally_destroy(simulation->tally);
    pw_host_destroy(simulation->host);
    pw_parcels_destroy(simulation->parcels);
    pw_recorder_finish(&simulation->recorder);
    free(simulation->neighbours);
    for (int i = 0; i < N_ROLLS; i++)
        free(simulation->rolls[i].here);
    free(simulation->bytes);
}

void pw_simulate(const struct pw_negotiation *negotiation, struct pw_transport *transport,
                 struct pw_outcome **outcome)
{
    struct simulation simulation = {.negotiation = negotiation, .transport = transport};
    *outcome = NULL;
    enum pw_phase before = pw_phase_enter(PW_PHASE_SETUP);
    set_up(&simulation);
    pw_virtual_start(simulation.clock);
    exchange(&simulation);
    for (get_order(&simulation); simulation.order.kind != PW_ORDER_STOP; get_order(&simulation)) {
        obey(&simulation);
    }
    pw_phase_enter(PW_PHASE_RESULT);
    gather_timeline(&simulation);
    if (simulation.director != NULL) {
        *outcome = pw_director_outcome(simulation.director);
        pw_recorder_deliver(&simulation.recorder, *outcome);
    }
    tear_down(&simulation);
    pw_phase_leave(before);
}
