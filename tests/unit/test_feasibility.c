/* Feasibility against every cut of small random markets, against flows that are known to exist, and the texts
 * of simple cases. */
#include <check.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/suites.h"
#include "common/feasibility.h"
#include "common/first_balance.h"
#include "common/memory.h"

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* A whole number in [low, high]. */
static int pick(uint64_t *state, int low, int high)
{
    return low + (int)(next_random(state) % (uint64_t)(high - low + 1));
}

/* One asset per agent, all limits zero, links yet to be set. */
static struct pw_market *one_asset_each(int n_agents, int n_products, int n_links)
{
    struct pw_market *market = pw_market_create(n_agents, n_products, n_agents, n_links);
    for (int n = 0; n <= n_agents; n++)
        market->asset_first[n] = n;
    return market;
}

static void set_limits(struct pw_market *market, int i, double p_min, double p_max)
{
    market->p_min[i] = p_min;
    market->p_max[i] = p_max;
}

static void set_link(struct pw_market *market, int l, int a, int b, double t_min, double t_max)
{
    market->link_a[l] = a;
    market->link_b[l] = b;
    market->t_min[l] = t_min;
    market->t_max[l] = t_max;
}

static enum pw_code check_and_destroy(struct pw_market *market, struct pw_error *err)
{
    memset(err, 0, sizeof *err);
    pw_market_index(market);
    enum pw_code code = pw_feasibility_check(market, err);
    pw_market_destroy(market);
    return code;
}

/* Random whole-number limits and bounds, some infinite, some fixed, some one-way. */
static struct pw_market *random_market(uint64_t *state)
{
    int n_agents = pick(state, 1, 8), density = pick(state, 20, 100), shift = pick(state, 0, 3), l = 0;
    struct pw_market *market = one_asset_each(n_agents, 1, n_agents * (n_agents - 1) / 2);
    for (int n = 0; n < n_agents; n++) {
        int low = pick(state, -6, 5), width = pick(state, 0, 5);
        set_limits(market, n, low - (low > 0 ? shift : 0), low + width);
    }
    for (int a = 0; a < n_agents; a++)
        for (int b = a + 1; b < n_agents; b++) {
            if (pick(state, 1, 100) > density)
                continue;
            int kind = pick(state, 0, 5);
            double low = pick(state, -4, 2);
            double t_min = kind <= 1 ? -INFINITY : kind == 2 ? 0.0 : low;
            double t_max = kind == 0 || kind == 2 ? INFINITY : low + pick(state, 0, 5);
            set_link(market, l++, a, b, t_min, t_max);
        }
    market->n_links = l;
    pw_market_index(market);
    return market;
}

/* Hoffman's condition, for each of the sets of agents. */
static int every_cut_holds(const struct pw_market *market)
{
    for (unsigned set = 1; set < 1u << market->n_agents; set++) {
        double low = 0.0, high = 0.0, out_low = 0.0, out_high = 0.0;
        for (int n = 0; n < market->n_agents; n++) {
            low += set >> n & 1u ? market->p_min[n] : 0.0;
            high += set >> n & 1u ? market->p_max[n] : 0.0;
        }
        for (int l = 0; l < market->n_links; l++) {
            unsigned from = set >> market->link_a[l] & 1u, to = set >> market->link_b[l] & 1u;
            if (from == to)
                continue;
            out_low += from ? market->t_min[l] : -market->t_max[l];
            out_high += from ? market->t_max[l] : -market->t_min[l];
        }
        if (low > out_high || high < out_low)
            return 0;
    }
    return 1;
}

START_TEST(agrees_with_all_cuts_on_random_markets)
{
    uint64_t state = 88172645463325252u;
    int n_feasible = 0;
    for (int trial = 0; trial < 3000; trial++) {
        struct pw_market *market = random_market(&state);
        struct pw_error err = {PW_OK, ""};
        int expected = every_cut_holds(market);
        enum pw_code code = pw_feasibility_check(market, &err);
        ck_assert_msg((code == PW_OK) == expected, "trial %d: %s", trial, err.text);
        ck_assert(expected || (code == PW_INFEASIBLE && strstr(err.text, "must") != NULL));
        n_feasible += expected;
        pw_market_destroy(market);
    }
    ck_assert_int_gt(n_feasible, 600);
    ck_assert_int_lt(n_feasible, 2400);
}
END_TEST

/* Limits and bounds closed to a point around random real flows: feasible, but for rounding. */
START_TEST(rounding_makes_nothing_infeasible)
{
    uint64_t state = 123456789u;
    for (int trial = 0; trial < 200; trial++) {
        int n_agents = pick(&state, 2, 30), n_links = 3 * n_agents;
        struct pw_market *market = one_asset_each(n_agents, 1, n_links);
        for (int l = 0; l < n_links; l++) {
            double t = pow(10.0, pick(&state, -6, 6)) * pick(&state, -1000, 1000) / 3.0;
            int a = pick(&state, 0, n_agents - 1), b = (a + pick(&state, 1, n_agents - 1)) % n_agents;
            double free_way = pick(&state, 0, 2) == 0 ? INFINITY : 0.0;
            set_link(market, l, a, b, t, t + free_way);
            set_limits(market, a, market->p_min[a] + t, market->p_max[a] + t);
            set_limits(market, b, market->p_min[b] - t, market->p_max[b] - t);
        }
        struct pw_error err;
        ck_assert_msg(check_and_destroy(market, &err) == PW_OK, "trial %d: %s", trial, err.text);
    }
}
END_TEST

START_TEST(names_the_load_that_cannot_be_met)
{
    struct pw_market *market = one_asset_each(2, 1, 1);
    set_limits(market, 0, -8.0, -8.0);
    set_limits(market, 1, 0.0, 5.0);
    set_link(market, 0, 1, 0, -INFINITY, INFINITY);
    market->agent_name[0] = pw_strdup("load-1");
    struct pw_error err;
    ck_assert_int_eq(check_and_destroy(market, &err), PW_INFEASIBLE);
    ck_assert_str_eq(err.text,
                     "the market has no feasible solution: agent 0 (load-1) must consume at least 8 "
                     "but at most 5 can reach them");
}
END_TEST

START_TEST(names_what_cannot_be_delivered)
{
    struct pw_market *market = one_asset_each(3, 1, 2);
    set_limits(market, 0, 7.0, 9.0);
    set_limits(market, 1, -1.0, 0.0);
    set_limits(market, 2, -50.0, 0.0);
    set_link(market, 0, 0, 1, 0.0, INFINITY);
    set_link(market, 1, 0, 2, 0.0, 2.5);
    struct pw_error err;
    ck_assert_int_eq(check_and_destroy(market, &err), PW_INFEASIBLE);
    ck_assert_ptr_nonnull(strstr(err.text, "agent 0 must inject at least 7 but at most 3.5 can leave them"));
}
END_TEST

START_TEST(names_forced_trades)
{
    struct pw_market *market = one_asset_each(2, 1, 1);
    set_limits(market, 0, 0.0, 3.0);
    set_limits(market, 1, -9.0, 0.0);
    set_link(market, 0, 0, 1, 5.0, INFINITY);
    struct pw_error err;
    ck_assert_int_eq(check_and_destroy(market, &err), PW_INFEASIBLE);
    ck_assert_ptr_nonnull(
        strstr(err.text, "agent 0 must deliver at least 5 over their links but can inject at most 3"));
}
END_TEST

START_TEST(judges_agents_without_links)
{
    struct pw_market *market = one_asset_each(2, 1, 0);
    set_limits(market, 0, -5.0, 5.0);
    struct pw_error err;
    ck_assert_int_eq(check_and_destroy(market, &err), PW_OK);
    market = one_asset_each(2, 1, 0);
    set_limits(market, 1, -5.0, -2.0);
    ck_assert_int_eq(check_and_destroy(market, &err), PW_INFEASIBLE);
    ck_assert_ptr_nonnull(strstr(err.text, "agent 1 must consume at least 2 but at most 0 can reach them"));
}
END_TEST

START_TEST(looks_at_every_product)
{
    struct pw_market *market = one_asset_each(2, 2, 1);
    set_limits(market, 0, -3.0, -3.0); /* product 0 of agent 0 */
    set_limits(market, 2, 0.0, 4.0);   /* product 0 of agent 1 */
    set_limits(market, 1, -3.0, -3.0); /* product 1 of agent 0 */
    market->link_a[0] = 0;
    market->link_b[0] = 1;
    struct pw_error err;
    ck_assert_int_eq(check_and_destroy(market, &err), PW_INFEASIBLE);
    ck_assert_ptr_nonnull(strstr(err.text, "(product 1)"));
}
END_TEST

START_TEST(lists_no_more_than_eight)
{
    struct pw_market *market = one_asset_each(21, 1, 20);
    for (int n = 0; n < 20; n++) {
        set_limits(market, n, -1.0, -1.0);
        set_link(market, n, 20, n, -INFINITY, INFINITY);
    }
    set_limits(market, 20, 0.0, 19.0);
    struct pw_error err;
    ck_assert_int_eq(check_and_destroy(market, &err), PW_INFEASIBLE);
    ck_assert_ptr_nonnull(strstr(err.text, "agents 0, 1, 2, 3, 4, 5, 6, 7 and 12 more must consume"));
}
END_TEST

START_TEST(refuses_crossed_limits_and_bounds)
{
    struct pw_market *market = one_asset_each(1, 1, 0);
    set_limits(market, 0, 1.0, -1.0);
    struct pw_error err;
    ck_assert_int_eq(check_and_destroy(market, &err), PW_INFEASIBLE);
    market = one_asset_each(2, 1, 1);
    set_link(market, 0, 0, 1, 1.0, -1.0);
    ck_assert_int_eq(check_and_destroy(market, &err), PW_INFEASIBLE);
}
END_TEST

/* A chain 100 000 agents deep whose last agent feeds all: no recursion, no quadratic time. */
START_TEST(follows_a_deep_chain)
{
    int n_agents = 100000;
    for (int missing = 0; missing < 2; missing++) {
        struct pw_market *market = one_asset_each(n_agents, 1, n_agents - 1);
        for (int n = 0; n < n_agents - 1; n++) {
            set_limits(market, n, -1.0, -1.0);
            set_link(market, n, n + 1, n, 0.0, 1e6);
        }
        set_limits(market, n_agents - 1, 0.0, n_agents - 1 - missing);
        struct pw_error err;
        ck_assert_int_eq(check_and_destroy(market, &err), missing ? PW_INFEASIBLE : PW_OK);
    }
}
END_TEST

/* Producers, consumers with fixed loads, one-way links between all of them. */
START_TEST(manages_two_sides)
{
    int n_side = 200, l = 0;
    struct pw_market *market = one_asset_each(2 * n_side, 1, n_side * n_side);
    for (int n = 0; n < n_side; n++) {
        set_limits(market, n, -1.0 - n % 3, -1.0 - n % 3);
        set_limits(market, n_side + n, 0.0, 2.0);
        for (int m = 0; m < n_side; m++)
            set_link(market, l++, n_side + m, n, 0.0, n % 2 == 0 ? INFINITY : 0.02);
    }
    struct pw_error err;
    ck_assert_msg(check_and_destroy(market, &err) == PW_OK, "%s", err.text);
}
END_TEST

/* What the quick look calls balanced is: its trades keep to the bounds and its agents to their limits. */
START_TEST(a_first_balance_is_one)
{
    uint64_t state = 88172645463325252u;
    int n_found = 0, n_feasible = 0;
    for (int trial = 0; trial < 6000; trial++) {
        struct pw_market *market = random_market(&state);
        double trade[28], net[8] = {0.0};
        int found = pw_first_balance(market, 0, trade), feasible = every_cut_holds(market);
        ck_assert_int_eq(found, pw_first_balance(market, 0, NULL));
        for (int l = 0; found && l < market->n_links; l++) {
            ck_assert(trade[l] >= market->t_min[l] && trade[l] <= market->t_max[l]);
            net[market->link_a[l]] += trade[l];
            net[market->link_b[l]] -= trade[l];
        }
        for (int n = 0; found && n < market->n_agents; n++)
            ck_assert(net[n] >= market->p_min[n] && net[n] <= market->p_max[n]); /* whole numbers: exact */
        ck_assert(!found || feasible);
        n_found += found;
        n_feasible += feasible;
        pw_market_destroy(market);
    }
    ck_assert_int_gt(n_found, 400);
    ck_assert_int_lt(n_found, n_feasible);
}
END_TEST

Suite *feasibility_suite(void)
{
    Suite *suite = suite_create("feasibility");
    TCase *texts = tcase_create("texts");
    tcase_add_test(texts, names_the_load_that_cannot_be_met);
    tcase_add_test(texts, names_what_cannot_be_delivered);
    tcase_add_test(texts, names_forced_trades);
    tcase_add_test(texts, judges_agents_without_links);
    tcase_add_test(texts, looks_at_every_product);
    tcase_add_test(texts, lists_no_more_than_eight);
    tcase_add_test(texts, refuses_crossed_limits_and_bounds);
    suite_add_tcase(suite, texts);
    TCase *verdicts = tcase_create("verdicts");
    tcase_add_test(verdicts, agrees_with_all_cuts_on_random_markets);
    tcase_add_test(verdicts, a_first_balance_is_one);
    tcase_add_test(verdicts, rounding_makes_nothing_infeasible);
    tcase_add_test(verdicts, follows_a_deep_chain);
    tcase_add_test(verdicts, manages_two_sides);
    tcase_set_timeout(verdicts, 60.0);
    suite_add_tcase(suite, verdicts);
    return suite;
}
