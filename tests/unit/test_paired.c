/* The paired exchange under random schedules: no deadlock, both ends agree, the limit is the optimum. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "agent/agent.h"
#include "tests/unit/random_market.h"
#include "tests/unit/schedule.h"
#include "tests/unit/suites.h"

static struct schedule_options random_schedule(uint64_t seed, struct test_rng *rng)
{
    static const double deltas[] = {1, .9, .75, .6, .5, .34, .2, .1, .01};
    static const double stiffnesses[] = {1, 4, 16, 0}; /* 0: auto */
    static const double relaxations[] = {.7, .6, .6, .5};
    struct schedule_options options = schedule_defaults(seed);
    options.delta_high = deltas[test_below(rng, 9)];
    options.delta_low = test_below(rng, 3) == 0 ? .01 : options.delta_high;
    options.stiffness = stiffnesses[test_below(rng, 4)];
    options.relaxation = relaxations[test_below(rng, 4)];
    options.loss = test_below(rng, 2) ? test_uniform(rng, 0, .6) : 0;
    options.duplicates = test_below(rng, 3) == 0 ? .3 : 0;
    options.delay_low = test_below(rng, 3) == 0 ? 0 : .8;
    options.delay_high = test_below(rng, 4) == 0 ? 20 : 1.2;
    options.slowest = test_below(rng, 3) == 0 ? 100 : 1;
    return options;
}

static void check_run(uint64_t seed)
{
    struct test_rng rng = test_rng(seed);
    enum test_family family = (enum test_family)test_below(&rng, N_FAMILIES);
    int agents = test_below(&rng, 8) == 0 ? 20 + test_below(&rng, 21) : 2 + test_below(&rng, 9);
    struct pw_market *market = test_market(family, agents, test_uniform(&rng, .1, 1), seed);
    struct schedule_options options = random_schedule(seed, &rng);
    struct schedule_result result = schedule_run(market, &options);
    ck_assert_msg(!result.deadlocked, "seed %lu: deadlock", (unsigned long)seed);
    ck_assert_msg(!result.out_of_round, "seed %lu: a message out of round", (unsigned long)seed);
    ck_assert_msg(result.disagreement == 0, "seed %lu: ends differ by %g", (unsigned long)seed,
                  result.disagreement);
    ck_assert_msg(result.converged, "seed %lu (%s, %d agents): price off by %g, power by %g",
                  (unsigned long)seed, test_family_name(family), agents, result.price, result.power);
    if (options.duplicates > 0)
        ck_assert_int_gt(result.duplicates, 0);
    pw_market_destroy(market);
}

enum { SCHEDULES_PER_TEST = 500 };

START_TEST(random_schedules_reach_the_optimum)
{
    const char *rounds = getenv("PEERWATT_SCHEDULES"); /* soak: many times as many */
    int count = rounds == NULL ? SCHEDULES_PER_TEST : atoi(rounds);
    for (int run = 0; run < count; run++)
        check_run((uint64_t)(_i * 1000000 + run + 1));
}
END_TEST

START_TEST(two_agents_meet_at_the_closed_form)
{
    /* 0.1 p + 2 = 10 - 0.3 q with p = q = 20: the load values the first unit at 10, price 4. */
    const double rows[][5] = {{0, -50, 0, .3, 10}, {1, 0, 50, .1, 2}};
    struct pw_market *market = test_market_of(2, 2, rows);
    test_link_all(market);
    struct schedule_options options = schedule_defaults(1);
    options.price_tolerance = options.power_tolerance = 1e-10;
    struct schedule_result result = schedule_run(market, &options);
    ck_assert(result.converged);
    ck_assert_double_eq_tol(result.welfare, 10 * 20 - .15 * 400 - (2 * 20 + .05 * 400), 1e-6);
    pw_market_destroy(market);
}
END_TEST

START_TEST(two_products_clear_as_two_markets)
{
    struct schedule_options options = schedule_defaults(5);
    options.delta_low = options.delta_high = .4;
    options.price_tolerance = options.power_tolerance = 1e-7;
    struct pw_market *x = test_market(FAMILY_TWO_SIDED, 8, 1, 1), *y = test_market(FAMILY_TWO_SIDED, 8, 1, 2);
    test_link_all(x);
    test_link_all(y);
    struct pw_market *both = test_stack_markets(x, y);
    double apart = schedule_run(x, &options).welfare + schedule_run(y, &options).welfare;
    struct schedule_result result = schedule_run(both, &options);
    ck_assert(result.converged);
    ck_assert_double_eq_tol(result.welfare, apart, 1e-4);
    pw_market_destroy(x);
    pw_market_destroy(y);
    pw_market_destroy(both);
}
END_TEST

START_TEST(any_penalty_by_hand_keeps_both_ends_together)
{
    double factor = pow(10, _i - 3);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct pw_market *market = test_market(FAMILY_TWO_SIDED, 10, .6, seed);
        struct schedule_options options = schedule_defaults(seed);
        options.penalty_factor = factor;
        options.adapt_penalty = 0;
        options.delta_low = options.delta_high = .5;
        options.max_messages_per_slot = 300;
        struct schedule_result result = schedule_run(market, &options);
        ck_assert(!result.deadlocked && !result.out_of_round);
        ck_assert(result.disagreement == 0);
        pw_market_destroy(market);
    }
}
END_TEST

/* The offer of an agent with n links of which the first two answer its first offers, the second with r. */
static double answer_after_two(int n, double stiffness)
{
    enum { MOST = 12 };
    double low[MOST], high[MOST], fee[MOST] = {0}, penalty[MOST], bounds[] = {-50, 0}, cost[] = {.3, 10};
    unsigned char counts[MOST] = {0};
    for (int slot = 0; slot < n; slot++) {
        low[slot] = -INFINITY;
        high[slot] = INFINITY;
        penalty[slot] = .2;
    }
    struct pw_agent_spec spec = {.n_products = 1,
                                 .n_assets = 1,
                                 .p_min = bounds,
                                 .p_max = bounds + 1,
                                 .a = cost,
                                 .b = cost + 1,
                                 .n_links = n,
                                 .t_min = low,
                                 .t_max = high,
                                 .fee = fee,
                                 .penalty = penalty,
                                 .counts = counts,
                                 .delta = 2.0 / n};
    struct pw_rules rules = {.exchange = PW_PAIRED, .relaxation = .5, .stiffness = stiffness};
    struct pw_agent *agent = pw_agent_create(&spec, &rules);
    double answers[] = {1, -3};
    pw_agent_start(agent);
    for (int slot = 0; slot < 2; slot++)
        pw_agent_deliver(agent, slot, 0, answers + slot);
    ck_assert(pw_agent_ready(agent));
    pw_agent_fire(agent);
    double offer = pw_agent_offer(agent, 0, 0);
    pw_agent_destroy(agent);
    return offer;
}

/* Two of n links answered: 1 + 2 min(1, (n - 1)/8) n / (n - 2), by hand. */
START_TEST(automatic_stiffness_follows_its_rule)
{
    static const struct {
        int links;
        double kappa;
    } known[] = {{3, 2.5}, {4, 2.5}, {7, 3.1}, {12, 3.4}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double automatic = answer_after_two(known[i].links, 0);
        ck_assert_double_eq_tol(automatic, answer_after_two(known[i].links, known[i].kappa), 1e-12);
        ck_assert_double_ge(fabs(automatic - answer_after_two(known[i].links, known[i].kappa + .1)), 1e-4);
    }
}
END_TEST

Suite *paired_suite(void)
{
    Suite *suite = suite_create("paired");
    TCase *tests = tcase_create("paired");
    tcase_set_timeout(tests, 3600);
    tcase_add_loop_test(tests, random_schedules_reach_the_optimum, 0, 40);
    tcase_add_test(tests, two_agents_meet_at_the_closed_form);
    tcase_add_test(tests, two_products_clear_as_two_markets);
    tcase_add_test(tests, automatic_stiffness_follows_its_rule);
    tcase_add_loop_test(tests, any_penalty_by_hand_keeps_both_ends_together, 0, 7);
    suite_add_tcase(suite, tests);
    return suite;
}
