/* Peers that change from slot to slot of a run. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "common/links.h"
#include "common/memory.h"
#include "coordinator/horizon.h"
#include "coordinator/peers.h"
#include "tests/unit/random_market.h"
#include "tests/unit/run_slots.h"
#include "tests/unit/suites.h"

enum { AGENTS = 16, SLOTS = 12, CAP = 2 };

/* Half sell, half buy, one asset each, all links between them. */
static struct pw_market *market_of_sides(uint64_t seed)
{
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, AGENTS, 1.0, seed);
    struct pw_links_spec all = {.kind = PW_LINKS_SIDES};
    struct pw_error err;
    ck_assert_int_eq(pw_links_build(market, &all, 0.0, &err), PW_OK);
    return market;
}

static struct pw_settings settings_of(uint64_t seed)
{
    struct pw_settings settings;
    pw_settings_default(&settings);
    settings.slots_count = SLOTS;
    settings.links = (struct pw_links_spec){.kind = PW_LINKS_CHOSEN,
                                            .choose = PW_CHOOSE_ADAPTIVE,
                                            .among_sides = 1,
                                            .count = CAP,
                                            .seed = (long)seed};
    return settings;
}

static int is_peer(const struct pw_outcome *outcome, int l)
{
    return !isnan(outcome->penalty[l]);
}

/* Nobody has more peers than the cap; who is none has neither traded nor sent. */
static void check_links(const struct pw_market *market, const struct pw_outcome *outcome)
{
    int *peers = pw_alloc((size_t)market->n_agents, sizeof *peers);
    ck_assert_int_eq(outcome->n_links, market->n_links);
    for (int l = 0; l < market->n_links; l++) {
        peers[market->link_a[l]] += is_peer(outcome, l);
        peers[market->link_b[l]] += is_peer(outcome, l);
        ck_assert(is_peer(outcome, l) == (outcome->messages[l] > 0));
        ck_assert(is_peer(outcome, l) || (outcome->trade[l] == 0.0 && outcome->rounds[l] == 0));
    }
    for (int n = 0; n < market->n_agents; n++) {
        ck_assert_int_le(peers[n], CAP);
        ck_assert_int_eq(peers[n], outcome->peers[n]);
    }
    free(peers);
}

/* The optimum on the links of each slot, computed centrally, never falls where the market repeats unchanged;
 * every slot ends at its own. Returns by what share of the first one it has risen. */
static double rise_of(struct pw_market *market, const struct pw_settings *settings)
{
    struct pw_horizon horizon = test_run_slots(market, settings, NULL);
    double first = horizon.outcomes[0]->summary.reference_welfare, before = -INFINITY;
    for (int slot = 0; slot < SLOTS; slot++) {
        const struct pw_summary *summary = &horizon.outcomes[slot]->summary;
        check_links(market, horizon.outcomes[slot]);
        ck_assert_int_eq(summary->status, PW_CONVERGED);
        ck_assert_double_le(fabs(summary->welfare_gap), 1e-3);
        ck_assert_double_ge(summary->reference_welfare, before - 1e-3 * fabs(before));
        before = summary->reference_welfare;
    }
    pw_horizon_release(&horizon);
    return (before - first) / fabs(first);
}

START_TEST(a_market_that_repeats_finds_better_peers)
{
    enum { MARKETS = 8 };
    int n_risen = 0;
    for (uint64_t seed = 0; seed < MARKETS; seed++) {
        struct pw_market *market = market_of_sides(8000 + seed);
        struct pw_settings settings = settings_of(seed);
        n_risen += rise_of(market, &settings) > 0.01;
        pw_market_destroy(market);
    }
    ck_assert_int_ge(n_risen, MARKETS / 2);
}
END_TEST

/* What a slot's peers follow from is its predecessor's outcome alone: so does a run that goes on. */
START_TEST(peers_follow_from_the_outcome_before)
{
    struct pw_market *market = market_of_sides(8100);
    struct pw_settings settings = settings_of(3);
    struct pw_horizon horizon = test_run_slots(market, &settings, NULL);
    struct pw_error err;
    for (int slot = 1; slot < SLOTS; slot++) {
        struct pw_peers peers;
        ck_assert_int_eq(pw_peers_next(market, &settings, horizon.outcomes[slot - 1], slot - 1, &peers, &err),
                         PW_OK);
        for (int l = 0, k = 0; l < market->n_links; l++) {
            int is_here = k < peers.count && peers.links[k] == l;
            ck_assert_int_eq(is_peer(horizon.outcomes[slot], l), is_here);
            k += is_here;
        }
        free(peers.links);
    }
    pw_horizon_release(&horizon);
    pw_market_destroy(market);
}
END_TEST

/* A peer that is new has neither trade nor penalty of before. */
START_TEST(a_new_peer_starts_without_a_trade)
{
    struct pw_market *market = market_of_sides(8200);
    struct pw_start start = {pw_alloc((size_t)market->n_links, sizeof(double)),
                             pw_alloc((size_t)market->n_links, sizeof(double)),
                             pw_alloc((size_t)market->n_links, sizeof(double)),
                             pw_alloc((size_t)market->n_agents, sizeof(double))};
    int links[] = {1, 4};
    double penalty[] = {7.0, 8.0};
    struct pw_peers peers = {2, links};
    start.trade[1] = 5.0;
    start.trade_price[1] = 3.0;
    start.penalty[1] = 0.5;
    start.trade_price[4] = 100.0;
    start.penalty[4] = NAN;
    start.price[market->link_a[4]] = 2.0;
    start.price[market->link_b[4]] = 4.0;
    pw_peers_cut_start(&start, market, &peers, penalty);
    ck_assert(start.trade[0] == 5.0 && start.trade_price[0] == 3.0 && start.penalty[0] == 0.5);
    ck_assert(start.trade[1] == 0.0 && start.trade_price[1] == 3.0 && start.penalty[1] == 8.0);
    free(start.trade);
    free(start.trade_price);
    free(start.penalty);
    free(start.price);
    pw_market_destroy(market);
}
END_TEST

Suite *peers_suite(void)
{
    Suite *suite = suite_create("peers");
    TCase *tcase = tcase_create("peers");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_market_that_repeats_finds_better_peers);
    tcase_add_test(tcase, peers_follow_from_the_outcome_before);
    tcase_add_test(tcase, a_new_peer_starts_without_a_trade);
    suite_add_tcase(suite, tcase);
    return suite;
}
