/* Ranks of the virtual clock that find their way among themselves: however far each happens to be ahead of
 * the others, within the lookahead, and however late packets come, all agents end as on a lone rank. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/case.h"
#include "common/memory.h"
#include "coordinator/neighbours.h"
#include "coordinator/setup.h"
#include "coordinator/snapshot.h"
#include "coordinator/virtual.h"
#include "tests/unit/clearing.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { MOST_RANKS = 6, MOST_PACKETS = 64 };

/* What one rank has sent another at once. */
struct packet {
    struct pw_flight *flights;
    int count;
    int64_t reached_ns;
};

/* Packets on their way from one rank to another, in order; the last is being filled. */
struct road {
    struct packet packets[MOST_PACKETS];
    int n_packets;
};

struct scene;

struct rank {
    struct scene *scene;
    int number;
    struct pw_host *host;
    struct pw_virtual *clock;
    struct pw_neighbours *neighbours;
};

struct scene {
    struct pw_market *market;
    int block_first[MOST_RANKS + 1];
    struct pw_settings settings;
    struct pw_negotiation negotiation;
    int n_ranks;
    int64_t lookahead_ns, ahead_ns; /* the most that a rank was ahead of another */
    struct rank ranks[MOST_RANKS];
    struct road roads[MOST_RANKS][MOST_RANKS];
};

static void send(void *context, int to, const struct pw_flight *flight)
{
    struct rank *rank = context;
    struct road *road = &rank->scene->roads[rank->number][to];
    struct packet *packet = &road->packets[road->n_packets];
    packet->flights = pw_realloc(packet->flights, (size_t)packet->count + 1, sizeof *packet->flights);
    packet->flights[packet->count++] = *flight;
}

/* Every other market in blocks that are not alike: one agent on each rank but the last. */
static void place(struct scene *scene, uint64_t seed)
{
    for (int r = 0; r < scene->n_ranks; r++)
        scene->block_first[r] = r;
    scene->block_first[scene->n_ranks] = scene->market->n_agents;
    scene->negotiation.block_first = seed % 2 ? scene->block_first : NULL;
}

static void open_scene(struct scene *scene, uint64_t seed, int n_ranks)
{
    *scene = (struct scene){.market = test_any_market(seed), .settings = test_random_settings(seed)};
    struct pw_settings *settings = &scene->settings;
    settings->clock = PW_CLOCK_VIRTUAL;
    settings->criterion = seed % 2 ? PW_CRITERION_GLOBAL : PW_CRITERION_TRADE;
    settings->delta = seed % 3 == 0 ? 1.0 : 0.4;
    settings->ratify = 0;
    strcpy(settings->delay_model, "gaussian");
    settings->delay_mean_s = 1.0;
    settings->delay_std_s = 0.3;
    settings->delay_min_s = seed % 5 == 0 ? 0.001 : 0.4;
    settings->compute_s = 0.1;
    settings->loss = 0.1;
    settings->retransmit_s = 2.0;
    scene->negotiation = (struct pw_negotiation){.market = scene->market, .settings = settings};
    scene->n_ranks = n_ranks < scene->market->n_agents ? n_ranks : 1;
    place(scene, seed);
    struct pw_scales scales = pw_market_scales(scene->market);
    struct pw_network network = pw_setup_network(&scene->negotiation);
    struct pw_pace pace = pw_case_pace(settings);
    scene->lookahead_ns =
        pw_virtual_lookahead(&network, &pace, pw_setup_criterion(settings) != PW_STOP_GLOBAL);
    for (int r = 0; r < scene->n_ranks; r++) {
        struct rank *rank = &scene->ranks[r];
        struct pw_transport transport = {.rank = r, .size = scene->n_ranks};
        *rank = (struct rank){scene, r, pw_setup_host(&scene->negotiation, &transport, &scales), NULL, NULL};
        struct pw_virtual_spec spec = {
            rank->host, network, pace, send, rank, NULL, pw_setup_timeout_ns(&scene->negotiation)};
        rank->clock = pw_virtual_create(&spec);
        rank->neighbours = pw_neighbours_create(rank->host);
    }
}

static void close_scene(struct scene *scene)
{
    for (int r = 0; r < scene->n_ranks; r++) {
        pw_neighbours_destroy(scene->ranks[r].neighbours);
        pw_virtual_destroy(scene->ranks[r].clock);
        pw_host_destroy(scene->ranks[r].host);
    }
    pw_market_destroy(scene->market);
}

/* What the rank has to tell goes off, with how far it has come. */
static void dispatch(struct rank *rank, int64_t reached_ns)
{
    for (int k = 0; k < rank->neighbours->count; k++) {
        struct road *road = &rank->scene->roads[rank->number][rank->neighbours->ranks[k]];
        road->packets[road->n_packets++].reached_ns = reached_ns;
        road->packets[road->n_packets] = (struct packet){NULL, 0, 0};
    }
}

/* The first packet on the road arrives. */
static void deliver(struct scene *scene, int from, int to)
{
    struct road *road = &scene->roads[from][to];
    struct rank *rank = &scene->ranks[to];
    struct pw_error err;
    struct packet packet = road->packets[0];
    memmove(road->packets, road->packets + 1, (size_t)road->n_packets * sizeof packet);
    road->n_packets--;
    ck_assert_int_eq(pw_virtual_receive(rank->clock, packet.flights, packet.count, &err), PW_OK);
    pw_neighbours_hear(rank->neighbours, from, packet.reached_ns);
    free(packet.flights);
}

static int64_t horizon_of(const struct rank *rank, int64_t until_ns)
{
    int64_t slowest_ns = pw_neighbours_slowest(rank->neighbours);
    return slowest_ns < until_ns - rank->scene->lookahead_ns ? slowest_ns + rank->scene->lookahead_ns
                                                             : until_ns;
}

/* Some events of a rank, up to its horizon. Returns how far it has come. */
static int64_t play(struct rank *rank, int64_t until_ns, int most)
{
    struct pw_error err;
    int64_t horizon_ns = horizon_of(rank, until_ns);
    ck_assert_int_eq(pw_virtual_run(rank->clock, horizon_ns, most, &err), PW_OK);
    pw_changes_clear(pw_virtual_changes(rank->clock));
    int64_t next_ns = pw_virtual_next(rank->clock);
    return next_ns < horizon_ns ? next_ns : horizon_ns;
}

/* Its roads can take a packet more each. */
static int has_room(const struct rank *rank)
{
    int most = 0;
    for (int r = 0; r < rank->scene->n_ranks; r++) {
        int n_packets = rank->scene->roads[rank->number][r].n_packets;
        most = n_packets > most ? n_packets : most;
    }
    return most < MOST_PACKETS - 1;
}

static void note_ahead(struct scene *scene, int64_t reached_ns, const int64_t *reached, int n)
{
    for (int r = 0; r < n; r++) {
        int64_t ahead_ns = reached_ns - reached[r];
        scene->ahead_ns = ahead_ns > scene->ahead_ns ? ahead_ns : scene->ahead_ns;
    }
}

/* Until no packet is on its way and every rank has come to `until_ns`. */
static void play_all(struct scene *scene, int64_t until_ns, struct test_rng *rng)
{
    int64_t reached[MOST_RANKS] = {0};
    for (int r = 0; r < scene->n_ranks; r++) {
        pw_virtual_start(scene->ranks[r].clock);
        dispatch(&scene->ranks[r], 0);
    }
    for (int left = 1; left > 0;) {
        int from = test_below(rng, scene->n_ranks), to = test_below(rng, scene->n_ranks);
        struct rank *rank = &scene->ranks[to];
        if (test_below(rng, 2) && scene->roads[from][to].n_packets > 0) {
            deliver(scene, from, to);
        } else if (has_room(rank) && reached[to] < until_ns) {
            int64_t reached_ns = play(rank, until_ns, 1 + test_below(rng, 20));
            note_ahead(scene, reached_ns, reached, scene->n_ranks);
            if (reached_ns > reached[to])
                dispatch(rank, reached_ns);
            reached[to] = reached_ns;
        }
        left = 0;
        for (int r = 0; r < scene->n_ranks; r++) {
            left += reached[r] < until_ns;
            for (int q = 0; q < scene->n_ranks; q++)
                left += scene->roads[r][q].n_packets;
        }
    }
}

static struct pw_snapshot *snapshot_of(struct scene *scene, int64_t until_ns)
{
    struct pw_snapshot *snapshot = pw_snapshot_create(scene->market, 1);
    struct pw_error err;
    for (int r = 0; r < scene->n_ranks; r++) {
        struct rank *rank = &scene->ranks[r];
        int first = rank->host->first, end = rank->host->end;
        size_t size = pw_snapshot_size(rank->host, first, end);
        unsigned char *bytes = pw_alloc(size, 1);
        pw_virtual_count_solves(rank->clock, until_ns);
        pw_snapshot_write(rank->host, first, end, bytes);
        ck_assert_int_eq(pw_snapshot_take_in(snapshot, first, end, bytes, size, &err), PW_OK);
        free(bytes);
    }
    return snapshot;
}

static void expect_same(const struct pw_snapshot *x, const struct pw_snapshot *y)
{
    size_t reals = (size_t)x->market->n_agents * (size_t)x->market->n_products * sizeof(double);
    size_t links = (size_t)x->market->n_links * (size_t)x->market->n_products;
    ck_assert_mem_eq(x->power, y->power, reals);
    ck_assert_mem_eq(x->price, y->price, reals);
    ck_assert_mem_eq(x->trades, y->trades, links * sizeof *x->trades);
    ck_assert_mem_eq(x->iterations, y->iterations, (size_t)x->market->n_agents * sizeof *x->iterations);
    ck_assert_mem_eq(x->sent, y->sent, (size_t)x->market->n_agents * sizeof *x->sent);
}

START_TEST(ranks_ahead_of_each_other_play_the_same)
{
    static struct scene lone, many;
    const int64_t until_ns = INT64_C(30000000000);
    int n_ahead = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct test_rng rng = test_rng(seed);
        open_scene(&lone, seed, 1);
        open_scene(&many, seed, 2 + (int)(seed % (MOST_RANKS - 1)));
        play_all(&lone, until_ns, &rng);
        play_all(&many, until_ns, &rng);
        struct pw_snapshot *x = snapshot_of(&lone, until_ns), *y = snapshot_of(&many, until_ns);
        expect_same(x, y);
        n_ahead += many.ahead_ns > many.lookahead_ns / 2;
        pw_snapshot_destroy(x);
        pw_snapshot_destroy(y);
        close_scene(&lone);
        close_scene(&many);
    }
    ck_assert_int_gt(n_ahead, 20); /* or nothing has been tried */
}
END_TEST

/* Rank 1 of a row of agents, one a rank, hears of both sides. */
START_TEST(the_slowest_counts)
{
    struct pw_settings settings;
    pw_settings_default(&settings);
    struct pw_market *market = test_market(FAMILY_BOTH_SIDES, 8, 1.0, 3);
    struct pw_negotiation negotiation = {.market = market, .settings = &settings};
    struct pw_scales scales = pw_market_scales(market);
    struct pw_transport transport = {.rank = 1, .size = 4};
    struct pw_host *host = pw_setup_host(&negotiation, &transport, &scales);
    struct pw_neighbours *neighbours = pw_neighbours_create(host);
    char text[100];
    ck_assert_int_eq(neighbours->count, 3);
    ck_assert_int_eq(pw_neighbours_slowest(neighbours), -1);
    pw_neighbours_hear(neighbours, 0, 5);
    pw_neighbours_hear(neighbours, 3, 7);
    ck_assert_int_eq(pw_neighbours_slowest(neighbours), -1);
    ck_assert_str_eq(pw_neighbours_missing(neighbours, 7, text, sizeof text), "one of ranks 0, 2");
    pw_neighbours_hear(neighbours, 2, 9);
    pw_neighbours_hear(neighbours, 2, 1); /* nobody goes back */
    ck_assert_int_eq(pw_neighbours_slowest(neighbours), 5);
    ck_assert_str_eq(pw_neighbours_missing(neighbours, 7, text, sizeof text), "rank 0");
    pw_neighbours_skip(neighbours, 8);
    ck_assert_int_eq(pw_neighbours_slowest(neighbours), 8);
    ck_assert_int_eq(neighbours->reached_ns[2], 9);
    pw_neighbours_destroy(neighbours);
    transport = (struct pw_transport){.rank = 0, .size = 1};
    pw_host_destroy(host);
    host = pw_setup_host(&negotiation, &transport, &scales);
    neighbours = pw_neighbours_create(host);
    ck_assert_int_eq(pw_neighbours_slowest(neighbours), INT64_MAX);
    pw_neighbours_destroy(neighbours);
    pw_host_destroy(host);
    pw_market_destroy(market);
}
END_TEST

Suite *neighbours_suite(void)
{
    Suite *suite = suite_create("neighbours");
    TCase *tcase = tcase_create("neighbours");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, the_slowest_counts);
    tcase_add_test(tcase, ranks_ahead_of_each_other_play_the_same);
    suite_add_tcase(suite, tcase);
    return suite;
}
