/* Snapshots: what is sent is what is judged, in step or each end by itself; residuals by their definition. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/outcome.h"
#include "coordinator/judge.h"
#include "coordinator/snapshot.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { ROUND = 7 };
static const double SETTLED_S = 2.5;

/* What an end says in the tests. */
struct end {
    double penalty, mine, before, price;
    int round;
};

/* Every end of a market says something else, but both have the penalty of their link. */
static struct end *random_ends(const struct pw_market *market, struct test_rng *rng, int may_differ)
{
    struct end *ends = pw_alloc((size_t)market->end_first[market->n_agents], sizeof *ends);
    double *penalty = pw_alloc((size_t)market->n_links, sizeof *penalty);
    for (int l = 0; l < market->n_links; l++)
        penalty[l] = test_uniform(rng, 0.1, 9.0);
    for (int e = 0; e < market->end_first[market->n_agents]; e++) {
        ends[e] = (struct end){penalty[market->end_link[e]], test_uniform(rng, -5.0, 5.0),
                               test_uniform(rng, -5.0, 5.0), test_uniform(rng, 1.0, 9.0),
                               ROUND + (may_differ ? test_below(rng, 2) : 0)};
    }
    free(penalty);
    return ends;
}

/* The part of all agents, as snapshot.h lays it out; `*size` in bytes. */
static double *part_of(const struct pw_market *market, const struct end *ends, int in_step, size_t *size)
{
    size_t count = 0;
    for (int n = 0; n < market->n_agents; n++)
        count += pw_snapshot_agent_size(pw_market_degree(market, n), 1, in_step);
    double *part = pw_alloc(count, sizeof *part), *to = part;
    for (int n = 0; n < market->n_agents; n++) {
        double power2 = 0.0, price2 = 0.0;
        for (int e = market->end_first[n]; e < market->end_first[n + 1]; e++) {
            double move = ends[e].mine - ends[e].before, priced = ends[e].penalty * move;
            power2 += move * move;
            price2 += priced * priced;
        }
        const double agent[] = {ROUND, 100.0 + n, 1.0, 2.0, 0.5, 0.25, n - 1.0, 3.0 + n, power2, price2};
        size_t count_of_agent = sizeof agent / sizeof *agent - (in_step ? 0 : 2); /* moves: only in step */
        pw_copy_reals(to, agent, count_of_agent);
        to += count_of_agent;
        for (int e = market->end_first[n]; e < market->end_first[n + 1]; e++) {
            *to++ = ends[e].penalty;
            *to++ = ends[e].mine;
            *to++ = ends[e].price;
            if (in_step)
                continue;
            *to++ = ends[e].round;
            *to++ = SETTLED_S;
            *to++ = ends[e].before;
        }
    }
    ck_assert(to == part + count);
    *size = count * sizeof *part;
    return part;
}

static struct pw_outcome *judged(struct pw_snapshot *snapshot, const struct end *ends)
{
    static const struct pw_tolerances tolerances = {0.1, 0.1, 0.1, 0.1};
    const struct pw_market *market = snapshot->market;
    struct pw_error err = {0};
    size_t size;
    double *part = part_of(market, ends, snapshot->ends == NULL, &size);
    enum pw_code code = pw_snapshot_take_in(snapshot, 0, market->n_agents, (unsigned char *)part, size, &err);
    ck_assert_msg(code == PW_OK, "%s", err.text);
    struct pw_outcome *outcome = pw_outcome_create(market->n_agents, market->n_links, market->n_products);
    pw_judge(snapshot, &tolerances, outcome);
    free(part);
    pw_snapshot_destroy(snapshot);
    return outcome;
}

#define SAME(field, count) ck_assert_int_eq(memcmp(x->field, y->field, (size_t)(count) * sizeof *x->field), 0)

START_TEST(in_step_is_a_case_of_each_by_itself)
{
    struct test_rng rng = test_rng(100 + (uint64_t)_i);
    struct pw_market *market = test_market((enum test_family)_i, 14, 0.6, 7);
    struct end *ends = random_ends(market, &rng, 0);
    struct pw_outcome *x = judged(pw_snapshot_create(market, 1), ends);
    struct pw_outcome *y = judged(pw_snapshot_create_in_step(market, ROUND, SETTLED_S), ends);
    ck_assert_int_eq(memcmp(&x->summary, &y->summary, sizeof x->summary), 0);
    SAME(trade, market->n_links);
    SAME(price_a, market->n_links);
    SAME(price_b, market->n_links);
    SAME(penalty, market->n_links);
    SAME(rounds, market->n_links);
    SAME(messages, market->n_links);
    SAME(settled_time_s, market->n_links);
    SAME(power, market->n_agents);
    SAME(welfare, market->n_agents);
    SAME(messages_sent, market->n_agents);
    ck_assert_int_eq(x->rounds[0], ROUND);
    ck_assert_double_eq(x->settled_time_s[0], SETTLED_S);
    pw_outcome_destroy(x);
    pw_outcome_destroy(y);
    free(ends);
    pw_market_destroy(market);
}
END_TEST

/* Residuals over the ends as they were written, in another order than the judge's. */
START_TEST(residuals_follow_their_definition)
{
    struct test_rng rng = test_rng(5);
    struct pw_market *market = test_market(FAMILY_BOTH_SIDES, 12, 0.7, 3);
    struct end *ends = random_ends(market, &rng, 1);
    double primal2 = 0.0, dual2 = 0.0, price2 = 0.0;
    int n_ends = market->end_first[market->n_agents], apart = 0;
    for (int e = 0; e < n_ends; e++) {
        double move = ends[e].mine - ends[e].before;
        dual2 += move * move;
        price2 += ends[e].penalty * move * ends[e].penalty * move;
        for (int f = e + 1; f < n_ends; f++) {
            if (market->end_link[e] != market->end_link[f])
                continue;
            int both = ends[e].round < ends[f].round ? ends[e].round : ends[f].round;
            double t = ends[e].round == both ? ends[e].mine : ends[e].before;
            double u = ends[f].round == both ? ends[f].mine : ends[f].before;
            primal2 += (t + u) * (t + u);
            apart += ends[e].round != ends[f].round;
        }
    }
    ck_assert_int_gt(apart, 0);
    struct pw_outcome *outcome = judged(pw_snapshot_create(market, 1), ends);
    ck_assert_double_eq_tol(outcome->summary.primal_residual, sqrt(primal2), 1e-12 * sqrt(primal2));
    ck_assert_double_eq_tol(outcome->summary.dual_residual, sqrt(dual2), 1e-12 * sqrt(dual2));
    ck_assert_double_eq_tol(outcome->summary.price_residual, sqrt(price2 / n_ends), 1e-12 * sqrt(price2));
    pw_outcome_destroy(outcome);
    free(ends);
    pw_market_destroy(market);
}
END_TEST

START_TEST(a_part_of_another_size_is_refused)
{
    struct test_rng rng = test_rng(9);
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 8, 1.0, 1);
    struct end *ends = random_ends(market, &rng, 0);
    struct pw_snapshot *snapshot = pw_snapshot_create_in_step(market, ROUND, NAN);
    struct pw_error err = {0};
    size_t size;
    double *part = part_of(market, ends, 0, &size);
    ck_assert_int_eq(pw_snapshot_take_in(snapshot, 0, market->n_agents, (unsigned char *)part, size, &err),
                     PW_INTERNAL);
    free(part);
    part = part_of(market, ends, 1, &size);
    ck_assert_int_eq(
        pw_snapshot_take_in(snapshot, 0, market->n_agents, (unsigned char *)part, size - sizeof *part, &err),
        PW_INTERNAL);
    ck_assert_int_eq(pw_snapshot_take_in(snapshot, 0, market->n_agents, (unsigned char *)part, size, &err),
                     PW_OK);
    free(part);
    free(ends);
    pw_snapshot_destroy(snapshot);
    pw_market_destroy(market);
}
END_TEST

Suite *snapshot_suite(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *tests = tcase_create("snapshot");
    tcase_add_loop_test(tests, in_step_is_a_case_of_each_by_itself, 0, N_FAMILIES);
    tcase_add_test(tests, residuals_follow_their_definition);
    tcase_add_test(tests, a_part_of_another_size_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
