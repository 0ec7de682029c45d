#include "coordinator/negotiate.h"

#include <math.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/case.h"
#include "common/memory.h"
#include "common/phases.h"
#include "common/penalty.h"
#include "coordinator/clock.h"
#include "coordinator/parcels.h"
#include "coordinator/quiescence.h"
#include "coordinator/recorder.h"
#include "coordinator/setup.h"
#include "coordinator/signals.h"
#include "coordinator/stall.h"
#include "coordinator/supervisor.h"
#include "coordinator/wall.h"

/* Ranks report this often at the most, and this often at the least. */
static const int64_t REPORT_PER_RANK_NS = 500000, LONGEST_REPORT_NS = 50000000, HEARTBEAT_NS = 500000000;

/* How long the ranks have to say goodbye after the stop. */
static const int64_t FAREWELL_NS = 30000000000;

/* One rank of a run. */
/* Where ranks share a run each lets so many agents fire before it sends what they offer and takes in what has
 * come. */
enum { FIRES_AT_ONCE = 256 };
struct station {
    const struct pw_negotiation *negotiation;
    struct pw_transport *transport;
    struct pw_placement placement;
    struct pw_host *host;
    struct pw_wall *wall;
    struct pw_parcels *parcels;
    struct pw_supervisor *supervisor; /* rank 0, else NULL */
    struct pw_recorder recorder;      /* takes notes if a timeline is wanted */
    unsigned char *snapshot;          /* this rank's part, as bytes */
    size_t snapshot_size;
    uint32_t epoch; /* snapshots taken */
    int settles;    /* the market ends when all trades have fallen silent */
    struct pw_quiescence quiescence;
    int stopped, n_goodbyes;
    int64_t report_period_ns, reported_ns;
    int64_t reported_fires; /* of the last report; -1 before the first */
    int reported_signal;
    int64_t heard_0_ns; /* when rank 0 was last heard of, elsewhere than on it */
    int64_t alive_ns;   /* rank 0: when it last told all ranks that it lives */
};

static void fail_hard(struct station *station, const struct pw_error *err)
{
    fprintf(stderr, "peerwatt: rank %d: %s\n", station->transport->rank, err->text);
    pw_transport_abort(station->transport, err->code);
}

static int64_t clock_of_host(void *context)
{
    (void)context;
    return pw_clock_ns();
}

static void send_offer(void *context, int rank, const struct pw_offer *offer)
{
    struct station *station = context;
    pw_parcels_add(station->parcels, rank, offer);
}

static void take_snapshot(struct station *station, uint32_t epoch)
{
    if (epoch <= station->epoch)
        return;
    station->epoch = epoch;
    pw_snapshot_write(station->host, station->host->first, station->host->end, station->snapshot);
    pw_transport_send(station->transport, 0, PW_TAG_SNAPSHOT, station->snapshot, station->snapshot_size);
}

/* A packet sent after its sender's snapshot must not count in ours: the cut stays consistent. */
static void take_offers(struct station *station, const unsigned char *bytes, size_t size)
{
    struct pw_error err;
    struct pw_packet_header header;
    struct pw_offer offers[PW_WALL_AT_ONCE];
    int n_products = station->negotiation->market->n_products, some = 0;
    if (pw_decode_header(bytes, size, n_products, &header, &err) != PW_OK)
        fail_hard(station, &err);
    take_snapshot(station, (uint32_t)header.mark);
    pw_quiescence_received(&station->quiescence);
    for (uint32_t i = 0; i < header.count; i++) {
        if (pw_decode_offer(bytes, i, n_products, &offers[some++], &err) != PW_OK)
            fail_hard(station, &err);
        if (some < PW_WALL_AT_ONCE && i + 1 < header.count)
            continue;
        if (pw_wall_receive(station->wall, offers, some) != PW_OK)
            fail_hard(station, &station->wall->error);
        some = 0;
    }
}

static void answer_stall(struct station *station)
{
    char text[512];
    pw_stall_describe(station->host, pw_clock_ns(), text, sizeof text);
    pw_transport_send(station->transport, 0, PW_TAG_STALL, text, strlen(text));
}

static void take_timeline(struct station *station, const unsigned char *bytes, size_t size)
{
    struct pw_error err;
    if (pw_recorder_take_in(&station->recorder, bytes, size, &err) != PW_OK)
        fail_hard(station, &err);
}

static void receive(void *context, int from, enum pw_tag tag, const unsigned char *bytes, size_t size)
{
    struct station *station = context;
    struct pw_token token;
    uint32_t epoch;
    station->heard_0_ns = from == 0 ? pw_clock_ns() : station->heard_0_ns;
    switch (tag) {
    case PW_TAG_OFFERS:
        if (!station->stopped)
            take_offers(station, bytes, size);
        return;
    case PW_TAG_SNAPSHOT_ASK:
        memcpy(&epoch, bytes, sizeof epoch);
        take_snapshot(station, epoch);
        return;
    case PW_TAG_STOP:
        station->stopped = 1;
        return;
    case PW_TAG_ALIVE:
        return;
    case PW_TAG_TOKEN:
        memcpy(&token, bytes, sizeof token);
        pw_quiescence_take(&station->quiescence, &token);
        return;
    case PW_TAG_STALL_ASK:
        answer_stall(station);
        return;
    case PW_TAG_TIMELINE:
        take_timeline(station, bytes, size);
        return;
    case PW_TAG_GOODBYE:
        station->n_goodbyes++;
        return;
    case PW_TAG_REPORT:
    case PW_TAG_SNAPSHOT:
    case PW_TAG_STALL:
    case PW_TAG_SWEEP_TASK:
    case PW_TAG_SWEEP_ANSWER:
    case PW_TAG_SPEED:
    case PW_TAG_PART:
    case PW_TAG_WINDOW_DONE:
    case PW_TAG_WINDOW:
    case PW_TAG_GLANCE:
    case PW_TAG_BULK_PRICES:
    case PW_TAG_BULK_WORD:
    case PW_TAG_BULK_VERDICT:
    case PW_TAG_BULK_STATE:
    case PW_TAG_CALLS:
    case PW_TAG_LOG:
        pw_supervisor_receive(station->supervisor, from, tag, bytes, size);
    }
}

static void report(struct station *station, int64_t now_ns)
{
    int64_t due_ns = pw_wall_next_due(station->wall);
    struct pw_report report = {station->wall->totals, due_ns == INT64_MAX ? -1 : due_ns - now_ns,
                               pw_signals_caught()};
    station->reported_ns = now_ns;
    station->reported_fires = station->wall->totals.fires;
    station->reported_signal = report.interrupted;
    pw_transport_send(station->transport, 0, PW_TAG_REPORT, &report, sizeof report);
}

/* A rank that shares its run with others reports when something changed, but not too often; a lone one every
 * sweep. */
static void report_if_due(struct station *station, int64_t now_ns)
{
    int64_t age = now_ns - station->reported_ns;
    int64_t fires = station->wall->totals.fires - station->reported_fires;
    int sweep = fires > 0 && fires >= station->host->end - station->host->first;
    int changed = station->transport->size == 1 ? sweep : fires > 0 && age >= station->report_period_ns;
    int signalled = pw_signals_caught() && !station->reported_signal;
    int last_changes = fires > 0 && age >= LONGEST_REPORT_NS;
    if (changed || last_changes || signalled || age >= HEARTBEAT_NS)
        report(station, now_ns);
}

static void make_host(struct station *station, const struct pw_scales *scales)
{
    const struct pw_settings *settings = station->negotiation->settings;
    station->host = pw_setup_host(station->negotiation, station->transport, scales);
    struct pw_wall_spec wall = {station->host, pw_setup_network(station->negotiation),
                                clock_of_host, send_offer,
                                station,       settings->timeline ? &station->recorder.observer : NULL};
    station->wall = pw_wall_create(&wall, settings->delta, pw_setup_timeout_ns(station->negotiation));
    station->parcels = pw_parcels_create(station->transport, station->negotiation->market->n_products);
    station->snapshot_size = pw_snapshot_size(station->host, station->host->first, station->host->end);
    station->snapshot = pw_alloc(station->snapshot_size, 1);
}

static void make_supervisor(struct station *station, const struct pw_scales *scales, int64_t start_ns)
{
    const struct pw_negotiation *negotiation = station->negotiation;
    const struct pw_settings *settings = negotiation->settings;
    struct pw_supervisor_spec spec = {negotiation->market,
                                      station->placement,
                                      station->transport,
                                      pw_tolerances_of(settings, negotiation->market, scales),
                                      (int64_t)fmin(settings->max_time_s * 1e9, 9e18),
                                      negotiation->deadline_ns,
                                      settings->max_rounds,
                                      (int64_t)fmin(settings->stall_s * 1e9, 9e18),
                                      negotiation->progress,
                                      station->settles,
                                      pw_exchange_is_paired((enum pw_exchange_kind)settings->exchange),
                                      settings->retransmit != PW_RETRANSMIT_NEVER};
    station->supervisor = pw_supervisor_create(&spec, start_ns);
}

static void set_up(struct station *station)
{
    struct pw_scales scales = pw_market_scales(station->negotiation->market);
    int64_t period = REPORT_PER_RANK_NS * station->transport->size;
    station->report_period_ns = period < LONGEST_REPORT_NS ? period : LONGEST_REPORT_NS;
    pw_recorder_init(&station->recorder, station->negotiation->market, 0);
    station->settles = pw_setup_criterion(station->negotiation->settings) != PW_STOP_GLOBAL;
    pw_quiescence_init(&station->quiescence, station->transport->rank, station->transport->size);
    make_host(station, &scales);
    int ready = 1;
    pw_transport_share(station->transport, &ready, sizeof ready); /* start together */
    station->reported_ns = pw_clock_ns();
    station->reported_fires = -1; /* a rank without agents must be heard once, too */
    station->recorder.start_ns = station->heard_0_ns = station->alive_ns = station->reported_ns;
    if (station->transport->rank == 0)
        make_supervisor(station, &scales, station->reported_ns);
}

/* Rank 0 watches the others, and they watch it. */
static void watch_rank_0(struct station *station, int64_t now_ns)
{
    struct pw_error err;
    double silent_s = (double)(now_ns - station->heard_0_ns) * 1e-9;
    double patience_s = fmax(2.0 * station->negotiation->settings->stall_s, 10.0);
    if (station->supervisor != NULL) {
        if (now_ns - station->alive_ns < HEARTBEAT_NS)
            return;
        station->alive_ns = now_ns;
        for (int r = 1; r < station->transport->size; r++)
            pw_transport_send(station->transport, r, PW_TAG_ALIVE, NULL, 0);
    } else if (silent_s > patience_s && silent_s < 2.0 * patience_s) {
        pw_fail(&err, PW_ENVIRONMENT, "rank 0 has been silent for %.1f s: it hangs, or its machine does",
                silent_s);
        fail_hard(station, &err);
    } else if (silent_s >= 2.0 * patience_s) {
        station->heard_0_ns = now_ns; /* this rank was itself away */
    }
}

/* A rank that has nothing to do passes the token on that finds out whether nobody has. */
static void watch_quiescence(struct station *station)
{
    struct pw_token token;
    if (!station->settles || !pw_wall_is_passive(station->wall) || pw_parcels_waiting(station->parcels))
        return;
    enum pw_quiescence_step step = pw_quiescence_idle(&station->quiescence, &token);
    if (step == PW_PASS)
        pw_transport_send(station->transport, (station->transport->rank + 1) % station->transport->size,
                          PW_TAG_TOKEN, &token, sizeof token);
    else if (step == PW_OVER)
        pw_supervisor_quiet(station->supervisor, pw_clock_ns());
}

/* One turn of the loop: what has come, who may fire, what goes out, what rank 0 makes of it. Returns how much
 * happened. */
static int turn(struct station *station)
{
    pw_phase_enter(PW_PHASE_MESSAGES);
    int happened = pw_transport_poll(station->transport, receive, station);
    if (station->stopped)
        return 1;
    /* Agents of one rank can go on among themselves for long, and to no avail, while the rank that they
     * should hear from waits for this very processor. */
    if (happened == 0 && station->transport->size > 1) {
        pw_phase_enter(PW_PHASE_WAIT);
        pw_clock_yield();
    }
    pw_phase_enter(PW_PHASE_SOLVE);
    happened += pw_wall_step(station->wall, station->transport->size > 1 ? FIRES_AT_ONCE : INT_MAX);
    pw_phase_enter(PW_PHASE_MESSAGES);
    if (station->wall->error.code != PW_OK)
        fail_hard(station, &station->wall->error);
    int n_packets = pw_parcels_flush(station->parcels, station->epoch);
    pw_quiescence_sent(&station->quiescence, n_packets);
    happened += n_packets;
    watch_quiescence(station);
    int64_t now_ns = pw_clock_ns();
    report_if_due(station, now_ns);
    watch_rank_0(station, now_ns);
    pw_phase_enter(PW_PHASE_JUDGE);
    if (station->supervisor != NULL)
        pw_supervisor_think(station->supervisor, now_ns);
    return happened;
}

static int64_t wake_time(const struct station *station)
{
    int64_t due_ns = pw_wall_next_due(station->wall), report_ns = station->reported_ns + HEARTBEAT_NS;
    return due_ns < report_ns ? due_ns : report_ns;
}

static void nap(struct station *station, struct pw_idle *idle)
{
    pw_phase_enter(PW_PHASE_WAIT);
    pw_idle_turn(idle, pw_clock_ns(), wake_time(station));
}

static void negotiate(struct station *station)
{
    struct pw_idle idle = {.longest_ns = station->transport->crowded ? 1000000 : 200000,
                           .spins_first = station->transport->crowded ? 0 : 200};
    if (station->transport->size == 1)
        idle = (struct pw_idle){.longest_ns = 10000000};
    pw_wall_start(station->wall);
    while (!station->stopped) {
        if (turn(station) > 0)
            pw_idle_reset(&idle);
        else
            nap(station, &idle);
    }
}

/* Whether two ranks may send each other anything: agents of theirs are linked, the token goes from one to the
 * other, or one is rank 0. */
static void mark_neighbours(const struct station *station, unsigned char *neighbour)
{
    const struct pw_market *market = station->negotiation->market;
    int rank = station->transport->rank, size = station->transport->size;
    for (int r = 0; r < size; r++)
        neighbour[r] = rank == 0 || r == 0 || r == (rank + 1) % size || rank == (r + 1) % size;
    for (int e = market->end_first[station->host->first]; e < market->end_first[station->host->end]; e++)
        neighbour[pw_placement_rank(&station->placement, pw_market_end_agent(market, market->end_twin[e]))] =
            1;
}

/* Rank 0 gets what the others have recorded. */
static void send_timeline(struct station *station)
{
    struct pw_recorder *recorder = &station->recorder;
    if (station->transport->rank != 0 && recorder->count > 0)
        pw_transport_send(station->transport, 0, PW_TAG_TIMELINE, recorder->events,
                          recorder->count * sizeof *recorder->events);
}

static int anything_leaving(struct pw_transport *transport)
{
    for (int r = 0; r < transport->size; r++) {
        if (pw_transport_busy(transport, r))
            return 1;
    }
    return 0;
}

/* Everything sent is received before MPI ends: a goodbye is the last message from a rank, and messages keep
 * their order. */
static void say_goodbye(struct station *station)
{
    int size = station->transport->size, expected = 0;
    unsigned char *neighbour = pw_alloc((size_t)size, 1);
    mark_neighbours(station, neighbour);
    for (int r = 0; r < size; r++) {
        if (neighbour[r])
            pw_transport_send(station->transport, r, PW_TAG_GOODBYE, NULL, 0);
        expected += neighbour[r];
    }
    free(neighbour);
    struct pw_idle idle = {.longest_ns = 1000000, .spins_first = 10};
    int64_t deadline_ns = pw_clock_ns() + FAREWELL_NS;
    while (station->n_goodbyes < expected || anything_leaving(station->transport)) {
        struct pw_error err;
        if (pw_transport_poll(station->transport, receive, station) > 0)
            pw_idle_reset(&idle);
        else
            pw_idle_turn(&idle, pw_clock_ns(), deadline_ns);
        if (pw_clock_ns() > deadline_ns) {
            pw_fail(&err, PW_ENVIRONMENT, "%d of %d ranks did not say goodbye within 30 s",
                    expected - station->n_goodbyes, expected);
            fail_hard(station, &err);
        }
    }
}

static void tear_down(struct station *station)
{
    pw_supervisor_destroy(station->supervisor);
    pw_wall_destroy(station->wall);
    pw_host_destroy(station->host);
    pw_parcels_destroy(station->parcels);
    pw_recorder_finish(&station->recorder);
    free(station->snapshot);
}

void pw_negotiate(const struct pw_negotiation *negotiation, struct pw_transport *transport,
                  struct pw_outcome **outcome)
{
    struct station station = {.negotiation = negotiation, .transport = transport};
    station.placement =
        (struct pw_placement){negotiation->market->n_agents, transport->size, negotiation->block_first};
    enum pw_phase before = pw_phase_enter(PW_PHASE_SETUP);
    set_up(&station);
    negotiate(&station);
    pw_phase_enter(PW_PHASE_RESULT);
    send_timeline(&station);
    say_goodbye(&station);
    *outcome = transport->rank == 0 ? pw_supervisor_outcome(station.supervisor) : NULL;
    if (*outcome != NULL)
        pw_recorder_deliver(&station.recorder, *outcome);
    tear_down(&station);
    pw_phase_leave(before);
}
