#include <stdlib.h>
#include <string.h>

#include "common/case.h"
#include "common/memory.h"
#include "common/phases.h"
#include "coordinator/flights.h"
#include "coordinator/setup.h"
#include "coordinator/signals.h"
#include "coordinator/simulate_internal.h"

/* So many events, a fraction of a millisecond where each is a fire with ten peers, are played before what has
 * come from other ranks is taken in. */
enum { EVENTS_AT_ONCE = 128 };

/* Bytes of state that go to rank 0 at once. */
enum { PIECE_SIZE = 1 << 18 };

/* A rank that waits tells its neighbours whenever it has come on by this part of the lookahead. */
enum { TELLS_PER_LOOKAHEAD = 4 };

/* All neighbours get what has been sent, and know that this rank has come so far. */
static void tell_neighbours(struct pw_simulation *simulation, int64_t reached_ns)
{
    pw_parcels_send_all(simulation->parcels, simulation->neighbours->ranks, simulation->neighbours->count,
                        (uint64_t)reached_ns);
    simulation->told_ns = reached_ns;
}

static void wait_for_neighbours(struct pw_simulation *simulation, int64_t reached_ns)
{
    pw_simulation_wait(simulation, (struct pw_awaited){.kind = PW_AWAIT_NEIGHBOURS,
                                                       .reached_ns = reached_ns,
                                                       .what = "the offers of other ranks"});
}

/* Afterwards every rank has all offers that leave before the time. */
static void meet(struct pw_simulation *simulation, int64_t reached_ns)
{
    tell_neighbours(simulation, reached_ns);
    wait_for_neighbours(simulation, reached_ns);
    pw_tally_take(simulation->tally, pw_virtual_changes(simulation->clock));
}

/* What was asked for last goes along. */
static struct pw_window end_of_window(const struct pw_simulation *simulation)
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

static void send_window(struct pw_simulation *simulation)
{
    struct pw_window window = end_of_window(simulation);
    size_t size;
    unsigned char *bytes = pw_window_pack(&window, &size);
    pw_transport_send(simulation->transport, 0, PW_TAG_WINDOW_DONE, bytes, size);
    free(bytes);
}

/* Rank 0: hears all ranks and gives them their order. */
static void direct(struct pw_simulation *simulation)
{
    struct pw_window window = end_of_window(simulation);
    pw_window_take(&window, pw_director_course(simulation->director), &simulation->all);
    pw_roll_mark(&simulation->rolls[WINDOWS], 0);
    pw_simulation_wait(simulation, pw_simulation_from_all(simulation, WINDOWS, "the end of the window"));
    simulation->order = pw_director_order(simulation->director, &simulation->all);
    for (int r = 1; r < simulation->transport->size; r++) {
        pw_transport_send(simulation->transport, r, PW_TAG_WINDOW, &simulation->order,
                          sizeof simulation->order);
    }
    simulation->all = PW_NO_RANKS;
}

static void get_order(struct pw_simulation *simulation)
{
    pw_phase_enter(PW_PHASE_JUDGE);
    if (simulation->director != NULL) {
        direct(simulation);
        return;
    }
    send_window(simulation);
    pw_simulation_wait(
        simulation,
        (struct pw_awaited){.roll = &simulation->rolls[ORDERS], .count = 1, .what = "an order of rank 0"});
}

/* Up to when no neighbour can change anything any more. */
static int64_t horizon(const struct pw_simulation *simulation)
{
    int64_t slowest_ns = pw_neighbours_slowest(simulation->neighbours);
    int64_t until_ns = simulation->order.until_ns;
    return slowest_ns < until_ns - simulation->lookahead_ns ? slowest_ns + simulation->lookahead_ns
                                                            : until_ns;
}

/* Plays some events before `until_ns`. */
static void play_some(struct pw_simulation *simulation, int64_t until_ns)
{
    struct pw_error err;
    pw_phase_enter(PW_PHASE_SOLVE);
    if (pw_virtual_run(simulation->clock, until_ns, EVENTS_AT_ONCE, &err) != PW_OK)
        pw_simulation_fail(simulation, &err);
    pw_tally_take(simulation->tally, pw_virtual_changes(simulation->clock));
}

/* How far this rank has come on its way to the horizon. Not to the end of the order: that it has come there
 * is for its last packet to say, so that nobody leaves before that has come, and none is left over for later.
 */
static int64_t reached(const struct pw_simulation *simulation, int64_t horizon_ns)
{
    int64_t next_ns = pw_virtual_next(simulation->clock), before_ns = simulation->order.until_ns - 1;
    int64_t reached_ns = next_ns < horizon_ns ? next_ns : horizon_ns;
    return reached_ns < before_ns ? reached_ns : before_ns;
}

/* Nothing is left to be played before the horizon: waits until a neighbour has come on. */
static void wait_for_horizon(struct pw_simulation *simulation, int64_t horizon_ns)
{
    int64_t reached_ns = reached(simulation, horizon_ns);
    if (reached_ns - simulation->told_ns > simulation->lookahead_ns / TELLS_PER_LOOKAHEAD ||
        pw_parcels_waiting(simulation->parcels))
        tell_neighbours(simulation, reached_ns);
    wait_for_neighbours(simulation, pw_neighbours_slowest(simulation->neighbours) + 1);
}

/* Plays up to the order's time. Each rank is as far ahead of its neighbours as it happens to be, by a
 * lookahead at most. */
static void play(struct pw_simulation *simulation)
{
    int64_t until_ns = simulation->order.until_ns;
    simulation->until_ns = until_ns;
    pw_neighbours_skip(simulation->neighbours, simulation->order.from_ns);
    simulation->told_ns = simulation->order.from_ns;
    for (;;) {
        int64_t horizon_ns = horizon(simulation);
        if (pw_virtual_next(simulation->clock) < horizon_ns) {
            play_some(simulation, horizon_ns);
            pw_phase_enter(PW_PHASE_MESSAGES);
            pw_parcels_flush(simulation->parcels, (uint64_t)reached(simulation, horizon_ns));
            pw_simulation_poll(simulation);
        } else if (horizon_ns < until_ns) {
            wait_for_horizon(simulation, horizon_ns);
        } else {
            break;
        }
    }
    meet(simulation, until_ns);
}

/* Neighbours tell each other; what is found goes along with the end of the window. */
static void glance(struct pw_simulation *simulation)
{
    struct pw_glance *glance = pw_simulation_glance(simulation);
    pw_phase_enter(PW_PHASE_JUDGE);
    pw_glance_note(glance);
    const struct pw_neighbours *neighbours = simulation->neighbours;
    for (int k = 0; k < neighbours->count; k++) {
        size_t size;
        const void *told = pw_glance_told(glance, neighbours->ranks[k], &size);
        pw_transport_send(simulation->transport, neighbours->ranks[k], PW_TAG_GLANCE, told, size);
    }
    pw_simulation_wait(simulation, (struct pw_awaited){.roll = &simulation->rolls[GLANCES],
                                                       .ranks = neighbours->ranks,
                                                       .count = neighbours->count,
                                                       .what = "the prices of other ranks"});
    simulation->prices_excess = pw_glance_excess(glance, &simulation->tolerances);
}

/* The agent after the last one of a piece from `first` on. */
static int end_of_piece(const struct pw_host *host, int first)
{
    int end = first;
    size_t size = 0;
    for (; end < host->end && size < PIECE_SIZE; end++)
        size += pw_snapshot_size(host, end, end + 1);
    return end;
}

/* Writes a piece of this rank's state; returns its size. */
static size_t write_piece(struct pw_simulation *simulation, struct pw_piece piece)
{
    size_t size = sizeof piece + pw_snapshot_size(simulation->host, piece.first, piece.end);
    if (size > simulation->piece_room) {
        simulation->piece = pw_realloc(simulation->piece, size, 1);
        simulation->piece_room = size;
    }
    memcpy(simulation->piece, &piece, sizeof piece);
    pw_snapshot_write(simulation->host, piece.first, piece.end, simulation->piece + sizeof piece);
    return size;
}

/* The state of the agents here goes to rank 0. In pieces, which take little memory, and each is on its way
 * while the next is written. */
static void tell_state(struct pw_simulation *simulation)
{
    const struct pw_awaited sent = {.kind = PW_AWAIT_SENT, .what = "room for the state of its agents"};
    for (int first = simulation->host->first, end;; first = end) {
        end = end_of_piece(simulation->host, first);
        size_t size = write_piece(simulation, (struct pw_piece){first, end});
        if (simulation->director != NULL) {
            pw_simulation_take_piece(simulation, 0, simulation->piece, size);
        } else {
            pw_simulation_wait(simulation, sent);
            pw_transport_send(simulation->transport, 0, PW_TAG_SNAPSHOT, simulation->piece, size);
        }
        if (end == simulation->host->end)
            return;
    }
}

static void take_snapshot(struct pw_simulation *simulation)
{
    struct pw_error err;
    pw_phase_enter(PW_PHASE_JUDGE);
    pw_virtual_count_solves(simulation->clock, simulation->order.until_ns);
    tell_state(simulation);
    if (simulation->director == NULL)
        return;
    pw_simulation_wait(simulation, pw_simulation_from_all(simulation, PARTS, "the state of all agents"));
    if (pw_director_judge(simulation->director, simulation->snapshot, &err) != PW_OK)
        pw_simulation_fail(simulation, &err);
}

/* What is to be told goes along with the end of the window; without an order where that ends the interval. */
static void obey(struct pw_simulation *simulation)
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

/* Checks come as often as a message and a local solve take in the mean. */
static int64_t check_period(const struct pw_network *network, const struct pw_pace *pace)
{
    int64_t period = (int64_t)(pw_network_mean_s(network) * 1e9) + pw_pace_mean_ns(pace);
    return period > 1 ? period : 1;
}

static void make_director(struct pw_simulation *simulation, const struct pw_network *network,
                          const struct pw_pace *pace)
{
    const struct pw_negotiation *negotiation = simulation->negotiation;
    simulation->director = pw_director_create(negotiation, &simulation->tolerances, simulation->lookahead_ns,
                                              check_period(network, pace));
    simulation->snapshot = pw_snapshot_create(
        negotiation->market, pw_exchange_is_paired((enum pw_exchange_kind)negotiation->settings->exchange));
    simulation->all = PW_NO_RANKS;
}

static void set_up(struct pw_simulation *simulation)
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
                                   pw_simulation_send,
                                   simulation,
                                   settings->timeline ? &simulation->recorder.observer : NULL,
                                   pw_setup_timeout_ns(simulation->negotiation)};
    simulation->clock = pw_virtual_create(&spec);
    simulation->tally = pw_tally_create(simulation->negotiation->market);
    simulation->parcels = pw_parcels_create(simulation->transport,
                                            pw_flight_reals(simulation->negotiation->market->n_products));
    simulation->neighbours = pw_neighbours_create(simulation->host);
    simulation->told_ns = -1;
    simulation->lookahead_ns =
        simulation->transport->size == 1
            ? INT64_MAX / 2
            : pw_virtual_lookahead(&network, &pace, pw_setup_criterion(settings) != PW_STOP_GLOBAL);
    for (int i = 0; i < N_ROLLS; i++)
        simulation->rolls[i].here = pw_alloc((size_t)simulation->transport->size, 1);
    if (simulation->transport->rank == 0)
        make_director(simulation, &network, &pace);
    int ready = 1;
    pw_transport_share(simulation->transport, &ready,
                       sizeof ready); /* nobody is in an earlier run any more */
}

/* All ranks' events to rank 0. */
static void gather_timeline(struct pw_simulation *simulation)
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
    pw_simulation_wait(simulation, pw_simulation_from_all(simulation, PARTS, "the parts of the timeline"));
}

static void tear_down(struct pw_simulation *simulation)
{
    pw_director_destroy(simulation->director);
    pw_snapshot_destroy(simulation->snapshot);
    pw_glance_destroy(simulation->glance);
    pw_virtual_destroy(simulation->clock);
    pw_tally_destroy(simulation->tally);
    pw_host_destroy(simulation->host);
    pw_parcels_destroy(simulation->parcels);
    pw_recorder_finish(&simulation->recorder);
    pw_neighbours_destroy(simulation->neighbours);
    for (int i = 0; i < N_ROLLS; i++)
        free(simulation->rolls[i].here);
    free(simulation->piece);
}

void pw_simulate(const struct pw_negotiation *negotiation, struct pw_transport *transport,
                 struct pw_outcome **outcome)
{
    struct pw_simulation simulation = {.negotiation = negotiation, .transport = transport};
    *outcome = NULL;
    enum pw_phase before = pw_phase_enter(PW_PHASE_SETUP);
    set_up(&simulation);
    pw_virtual_start(simulation.clock);
    meet(&simulation, 0);
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
