/* The transport and whole runs over MPI, in one launch on any number of ranks: `mpirun -n 3 mpi [MARKETS]`.
 * No forks; every rank learns the verdict before it asserts, so that none waits for one that has left. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/market_pack.h"
#include "common/market_part.h"
#include "common/memory.h"
#include "common/outcome.h"
#include "coordinator/clock.h"
#include "coordinator/parts.h"
#include "coordinator/placement.h"
#include "coordinator/simulate.h"
#include "coordinator/transport.h"
#include "tests/mpi/late.h"
#include "tests/unit/clearing.h"
#include "tests/unit/random_market.h"

/* Check hands no context to tests. */
static struct pw_transport *transport;
static int n_markets = 40;

/* Fails on every rank if `fault` on rank 0 is not empty. */
static void assert_together(char *fault, size_t size)
{
    pw_transport_share(transport, fault, size);
    ck_assert_msg(fault[0] == '\0', "%s", fault);
}

struct mailbox {
    int n_received, next[64]; /* [from] the number expected */
    int wrong;
};

static void note(void *context, int from, enum pw_tag tag, const unsigned char *bytes, size_t size)
{
    struct mailbox *box = context;
    int number = -1;
    if (tag != PW_TAG_OFFERS || size < sizeof number || from >= 64) {
        box->wrong++;
        return;
    }
    memcpy(&number, bytes, sizeof number);
    box->wrong += number != box->next[from] || size != sizeof number + (size_t)number * 37 % 9000;
    box->next[from] = number + 1;
    box->n_received++;
}

/* Every rank sends every rank 300 messages of 4 bytes to 9 kB, itself included. */
START_TEST(messages_arrive_in_order)
{
    enum { EACH = 300 };
    struct mailbox box = {0};
    unsigned char *bytes = pw_alloc(9100, 1);
    for (int i = 0; i < EACH; i++) {
        memcpy(bytes, &i, sizeof i);
        for (int to = 0; to < transport->size; to++)
            pw_transport_send(transport, to, PW_TAG_OFFERS, bytes, sizeof i + (size_t)i * 37 % 9000);
        pw_transport_poll(transport, note, &box);
    }
    int64_t deadline = pw_clock_ns() + 20000000000;
    struct pw_idle idle = {.longest_ns = 1000000};
    while (box.n_received + box.wrong < EACH * transport->size && pw_clock_ns() < deadline) {
        if (pw_transport_poll(transport, note, &box) > 0)
            pw_idle_reset(&idle);
        else
            pw_idle_turn(&idle, pw_clock_ns(), deadline);
    }
    free(bytes);
    ck_assert_int_eq(box.wrong, 0);
    ck_assert_int_eq(box.n_received, EACH * transport->size);
}
END_TEST

START_TEST(bytes_are_shared)
{
    size_t size = 3000000;
    unsigned char *bytes = pw_alloc(size, 1);
    for (size_t i = 0; i < size && transport->rank == 0; i++)
        bytes[i] = (unsigned char)(i * 7 % 251);
    pw_transport_share(transport, bytes, size);
    size_t wrong = 0;
    for (size_t i = 0; i < size; i++)
        wrong += bytes[i] != i * 7 % 251;
    free(bytes);
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* What rank 0 packs is the market that the others unpack. */
START_TEST(a_market_travels)
{
    struct pw_market *market = test_any_market(5);
    size_t size = pw_market_pack_size(market);
    unsigned char *bytes = pw_alloc(size, 1), *again = pw_alloc(size, 1);
    pw_market_pack(market, bytes);
    struct pw_market *copy = pw_market_unpack(bytes);
    pw_market_pack(copy, again);
    int same = pw_market_pack_size(copy) == size && memcmp(bytes, again, size) == 0;
    same = same && memcmp(market->end_twin, copy->end_twin, 2 * (size_t)market->n_links * sizeof(int)) == 0;
    pw_market_destroy(copy);
    pw_market_destroy(market);
    free(bytes);
    free(again);
    ck_assert(same);
}
END_TEST

/* A market of many links whose numbers all differ: parts of several pieces. */
static struct pw_market *large_market(void)
{
    enum { AGENTS = 1000, LINKS = 400000 };
    struct pw_market *market = pw_market_create(AGENTS, 1, AGENTS, LINKS);
    struct test_rng rng = test_rng(5);
    for (int n = 0; n < AGENTS; n++) {
        market->asset_first[n + 1] = n + 1;
        market->p_max[n] = test_uniform(&rng, 1, 2);
    }
    for (int l = 0; l < LINKS; l++) {
        market->link_a[l] = test_below(&rng, AGENTS - 1);
        market->link_b[l] = market->link_a[l] + 1 + test_below(&rng, AGENTS - 1 - market->link_a[l]);
        market->t_min[l] = -test_uniform(&rng, 0, 1);
        market->t_max[l] = test_uniform(&rng, 0, 1);
        market->fee_a[l] = test_uniform(&rng, 0, 1);
        market->fee_b[l] = test_uniform(&rng, 0, 1);
    }
    pw_market_index(market);
    return market;
}

static int is_same(const struct pw_market *one, const struct pw_market *other)
{
    size_t size = pw_market_pack_size(one);
    unsigned char *bytes = pw_alloc(size, 1), *others = pw_alloc(size, 1);
    int same = pw_market_pack_size(other) == size;
    pw_market_pack(one, bytes);
    if (same)
        pw_market_pack(other, others);
    same = same && memcmp(bytes, others, size) == 0;
    free(bytes);
    free(others);
    return same;
}

START_TEST(each_rank_gets_its_part)
{
    struct pw_market *market = large_market();
    struct pw_placement placement = {market->n_agents, transport->size, NULL};
    struct pw_market *own = pw_market_part(market, pw_placement_block(&placement, transport->rank));
    struct pw_market *part = pw_parts_hand_out(transport->rank == 0 ? market : NULL, transport, 30.0);
    ck_assert_int_eq(part == NULL, transport->rank == 0);
    ck_assert(part == NULL || is_same(part, own));
    pw_market_destroy(part);
    pw_market_destroy(own);
    pw_market_destroy(market);
}
END_TEST

/* Negotiates the market of `seed`; every rank learns what rank 0 found wrong. */
static void clear_and_check(uint64_t seed)
{
    char fault[300] = "", what[200];
    struct pw_market *market = test_any_market(seed);
    struct pw_settings settings = test_random_settings(seed);
    struct test_clearing clearing = test_clear(market, &settings, transport);
    if (transport->rank == 0 && test_clearing_fault(&clearing, &settings, 0, what, sizeof what)[0] != '\0')
        snprintf(fault, sizeof fault, "seed %lu, %d agents, delta %g, %d ranks: %s", (unsigned long)seed,
                 market->n_agents, settings.delta, transport->size, what);
    pw_market_destroy(market);
    assert_together(fault, sizeof fault);
}

START_TEST(random_markets_clear_at_the_optimum)
{
    for (int i = 0; i < n_markets; i++)
        clear_and_check((uint64_t)(100000 * transport->size + i));
}
END_TEST

/* A small sparse market, again and again: no offer of one run may reach a rank that is still in the run
 * before, though ranks that are not neighbours leave it at different times. */
START_TEST(runs_follow_each_other)
{
    for (int i = 0; i < 2 * n_markets; i++)
        clear_and_check(500000);
}
END_TEST

/* A simulated market; blocks that are alike where `block_first` is NULL. On rank 0, for pw_outcome_destroy().
 */
static struct pw_outcome *simulate(const struct pw_market *market, uint64_t seed, const int *block_first,
                                   struct pw_transport *ranks)
{
    struct pw_settings settings = test_random_settings(seed);
    struct pw_outcome *outcome = NULL;
    settings.clock = PW_CLOCK_VIRTUAL;
    settings.criterion = seed % 2 ? PW_CRITERION_GLOBAL : PW_CRITERION_TRADE;
    snprintf(settings.delay_model, sizeof settings.delay_model, "gaussian");
    settings.delay_mean_s = 1.0;
    settings.delay_std_s = 0.3;
    settings.delay_min_s = seed % 3 ? 0.4 : 0.01;
    settings.max_rounds = 60;
    struct pw_negotiation negotiation = {
        .market = market, .settings = &settings, .deadline_ns = INT64_MAX, .block_first = block_first};
    pw_simulate(&negotiation, ranks, &outcome);
    return outcome;
}

/* Simulates on all ranks and on rank 0 alone; what differs, on rank 0. */
static void compare_with_lone(const struct pw_market *market, uint64_t seed, const int *block_first,
                              struct pw_transport *ranks, char *fault, size_t size)
{
    struct pw_outcome *outcome = simulate(market, seed, block_first, ranks);
    if (outcome == NULL)
        return;
    struct pw_transport *alone = pw_transport_loopback();
    struct pw_outcome *lone = simulate(market, seed, NULL, alone);
    if (memcmp(lone->power, outcome->power, (size_t)market->n_agents * sizeof *lone->power) != 0 ||
        lone->summary.messages_sent != outcome->summary.messages_sent ||
        lone->summary.end_time_s != outcome->summary.end_time_s)
        snprintf(fault, size, "seed %lu: %ld offers, %ld of a lone rank", (unsigned long)seed,
                 outcome->summary.messages_sent, lone->summary.messages_sent);
    pw_outcome_destroy(lone);
    pw_outcome_destroy(outcome);
    pw_transport_close(alone);
}

/* Ranks that host many agents beside such that host one: the outcome of a lone rank, to the bit. */
START_TEST(blocks_of_any_size_come_to_the_same)
{
    char fault[160] = "";
    int *first = pw_alloc((size_t)transport->size + 1, sizeof *first);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct pw_market *market = test_market((enum test_family)(seed % N_FAMILIES), 40, 0.3, seed);
        for (int r = 0; r < transport->size; r++)
            first[r] = seed % 2 ? r : r == 0 ? 0 : market->n_agents - transport->size + r;
        first[transport->size] = market->n_agents;
        compare_with_lone(market, seed, first, transport, fault, sizeof fault);
        pw_market_destroy(market);
    }
    free(first);
    assert_together(fault, sizeof fault);
}
END_TEST

/* Simulations, one after the other, with messages that come late: none of one may count in the next. */
START_TEST(simulations_follow_each_other)
{
    enum { RUNS = 25 };
    char fault[160] = "";
    struct pw_transport *late = late_transport(transport, 0.05, 3000000);
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct pw_market *market = test_market(FAMILY_SPARSE_FEE, 12, 0.2, seed);
        compare_with_lone(market, seed, NULL, late, fault, sizeof fault);
        pw_market_destroy(market);
    }
    late_transport_destroy(late);
    assert_together(fault, sizeof fault);
}
END_TEST

static Suite *mpi_suite(void)
{
    Suite *suite = suite_create("mpi");
    TCase *tests = tcase_create("over MPI");
    tcase_add_test(tests, messages_arrive_in_order);
    tcase_add_test(tests, bytes_are_shared);
    tcase_add_test(tests, a_market_travels);
    tcase_add_test(tests, each_rank_gets_its_part);
    tcase_add_test(tests, random_markets_clear_at_the_optimum);
    tcase_add_test(tests, runs_follow_each_other);
    tcase_add_test(tests, blocks_of_any_size_come_to_the_same);
    tcase_add_test(tests, simulations_follow_each_other);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(int argc, char **argv)
{
    struct pw_error err;
    if (pw_transport_mpi(&transport, &err) != PW_OK) {
        fprintf(stderr, "%s\n", err.text);
        return PW_ENVIRONMENT;
    }
    if (argc > 1)
        n_markets = atoi(argv[1]);
    SRunner *runner = srunner_create(mpi_suite());
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, transport->rank == 0 ? CK_NORMAL : CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    pw_transport_close(transport);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
