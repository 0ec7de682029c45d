/* Safra's token among ranks that send each other packets at random: it never says "over" while a packet is
 * under way or a rank at work, and always says it in the end. */
#include <check.h>
#include <string.h>

#include "coordinator/quiescence.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { MOST_RANKS = 8, MOST_PACKETS = 4000, LIMIT = 200000 };

/* Packets and the token, under way between ranks; packets overtake each other at will. */
struct ring {
    int size;
    struct pw_quiescence ranks[MOST_RANKS];
    int work[MOST_RANKS]; /* packets that the rank will still send, by its own will */
    int to[MOST_PACKETS], n_packets;
    int token_at; /* rank that the token travels to, -1: it does not */
    struct pw_token token;
};

static void make(struct ring *ring, struct test_rng *rng)
{
    *ring = (struct ring){.size = 1 + test_below(rng, MOST_RANKS), .token_at = -1};
    for (int r = 0; r < ring->size; r++) {
        pw_quiescence_init(&ring->ranks[r], r, ring->size);
        ring->work[r] = test_below(rng, 6);
    }
}

static int is_silent(const struct ring *ring)
{
    int work = ring->n_packets;
    for (int r = 0; r < ring->size; r++)
        work += ring->work[r];
    return work == 0;
}

static void send(struct ring *ring, int from, struct test_rng *rng)
{
    ring->work[from]--;
    if (ring->size == 1) /* a rank sends itself no packets */
        return;
    ck_assert_int_lt(ring->n_packets, MOST_PACKETS);
    ring->to[ring->n_packets++] = (from + 1 + test_below(rng, ring->size - 1)) % ring->size;
    pw_quiescence_sent(&ring->ranks[from], 1);
}

/* A packet arrives, and may bring its receiver new work. */
static void arrive(struct ring *ring, struct test_rng *rng)
{
    int i = test_below(rng, ring->n_packets), to = ring->to[i];
    ring->to[i] = ring->to[--ring->n_packets];
    pw_quiescence_received(&ring->ranks[to]);
    if (test_uniform(rng, 0, 1) < .8)
        ring->work[to] += test_below(rng, 3);
}

/* An idle rank may pass the token on; true if it says that all is over. */
static int idle(struct ring *ring, int r)
{
    struct pw_token token;
    enum pw_quiescence_step step = pw_quiescence_idle(&ring->ranks[r], &token);
    if (step == PW_PASS) {
        ck_assert_int_eq(ring->token_at, -1);
        ring->token = token;
        ring->token_at = (r + 1) % ring->size;
    }
    return step == PW_OVER;
}

static void take_token(struct ring *ring)
{
    pw_quiescence_take(&ring->ranks[ring->token_at], &ring->token);
    ring->token_at = -1;
}

static int step(struct ring *ring, struct test_rng *rng)
{
    int r = test_below(rng, ring->size), what = test_below(rng, 3);
    if (what == 0 && ring->n_packets > 0)
        arrive(ring, rng);
    else if (what == 1 && ring->token_at >= 0)
        take_token(ring);
    else if (ring->work[r] > 0)
        send(ring, r, rng);
    else
        return idle(ring, r);
    return 0;
}

START_TEST(over_is_said_when_it_is_over)
{
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct test_rng rng = test_rng(seed * 31 + 7);
        struct ring ring;
        int steps = 0, over = 0;
        make(&ring, &rng);
        while (!over && steps++ < LIMIT)
            over = step(&ring, &rng);
        ck_assert_msg(over, "seed %d: never over", (int)seed);
        ck_assert_msg(is_silent(&ring), "seed %d: over too early", (int)seed);
    }
}
END_TEST

START_TEST(only_the_first_rank_says_so)
{
    struct pw_quiescence quiescence;
    struct pw_token token = {0, 0};
    pw_quiescence_init(&quiescence, 1, 2);
    ck_assert_int_eq(pw_quiescence_idle(&quiescence, &token), PW_KEEP);
    pw_quiescence_sent(&quiescence, 3);
    pw_quiescence_received(&quiescence);
    pw_quiescence_take(&quiescence, &token);
    ck_assert_int_eq(pw_quiescence_idle(&quiescence, &token), PW_PASS);
    ck_assert_int_eq(token.balance, 2);
    ck_assert_int_eq(token.tainted, 1);
}
END_TEST

Suite *quiescence_suite(void)
{
    Suite *suite = suite_create("quiescence");
    TCase *tests = tcase_create("the token");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, over_is_said_when_it_is_over);
    tcase_add_test(tests, only_the_first_rank_says_so);
    suite_add_tcase(suite, tests);
    return suite;
}
