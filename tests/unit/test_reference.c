/* The centralised optimum against closed forms, a published optimum by both methods, and, on random markets,
 * the absence of a cycle of powers and trades that would lower the cost (Bellman-Ford; no prices of the
 * solver). */
#include <check.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/suites.h"
#include "common/feasibility.h"
#include "coordinator/reference_internal.h"

enum { MOST_AGENTS = 16, MOST_ARCS = 4 * MOST_AGENTS * MOST_AGENTS };

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int pick(uint64_t *state, int low, int high)
{
    return low + (int)(next_random(state) % (uint64_t)(high - low + 1));
}

static double uniform(uint64_t *state, double low, double high)
{
    return low + (high - low) * (double)(next_random(state) >> 11) * 0x1p-53;
}

static struct pw_market *one_asset_each(int n_agents, int n_products, int n_links)
{
    struct pw_market *market = pw_market_create(n_agents, n_products, n_agents, n_links);
    for (int n = 0; n <= n_agents; n++)
        market->asset_first[n] = n;
    return market;
}

static void set_asset(struct pw_market *market, int i, double p_min, double p_max, double a, double b)
{
    market->p_min[i] = p_min;
    market->p_max[i] = p_max;
    market->a[i] = a;
    market->b[i] = b;
}

/* A consumer (agent 0, value 10 - p) and a producer (agent 1, cost 2 + p), with one link. */
static struct pw_market *two_agents(double fee)
{
    struct pw_market *market = one_asset_each(2, 1, 1);
    set_asset(market, 0, -20.0, 0.0, 1.0, 10.0);
    set_asset(market, 1, 0.0, 20.0, 1.0, 2.0);
    market->link_a[0] = 0;
    market->link_b[0] = 1;
    market->fee_a[0] = 0.25 * fee;
    market->fee_b[0] = 0.75 * fee;
    pw_market_index(market);
    return market;
}

static void link_completely(struct pw_market *market)
{
    int l = 0;
    for (int a = 0; a < market->n_agents; a++)
        for (int b = a + 1; b < market->n_agents; b++) {
            market->link_a[l] = a;
            market->link_b[l++] = b;
        }
    pw_market_index(market);
}

static struct pw_reference solve(const struct pw_market *market)
{
    struct pw_reference out;
    struct pw_error err = {PW_OK, ""};
    ck_assert_msg(pw_reference_solve(market, &out, &err) == PW_OK, "%s", err.text);
    ck_assert_double_le(out.kkt_residual, 1e-8);
    return out;
}

static struct pw_reference solve_by_ipm(const struct pw_market *market)
{
    struct pw_reference_solution *solution = pw_reference_solution_create(market);
    struct pw_reference out = {.method = "ipm"};
    for (int q = 0; q < market->n_products; q++)
        pw_reference_ipm(market, q, solution);
    pw_reference_summarise(market, solution, &out);
    pw_reference_solution_destroy(solution);
    return out;
}

static struct pw_market *ieee39(void)
{
    static const double rows[31][4] = {
        {-146.4, 0, 0.067, 64}, {-483, 0, 0.047, 79},   {-750, 0, 0.047, 71},   {-350.7, 0, 0.053, 62},
        {-783, 0, 0.082, 65},   {-9.8, 0, 0.052, 83},   {-12.8, 0, 0.087, 63},  {-480, 0, 0.057, 81},
        {-493.5, 0, 0.05, 73},  {-237, 0, 0.052, 69},   {-1020, 0, 0.071, 62},  {-411, 0, 0.064, 79},
        {-371.3, 0, 0.057, 60}, {-462.9, 0, 0.082, 80}, {-336, 0, 0.069, 78},   {-208.5, 0, 0.069, 70},
        {-421.5, 0, 0.086, 62}, {-309, 0, 0.054, 70},   {-425.3, 0, 0.078, 66}, {-13.8, 0, 0.081, 70},
        {-1656, 0, 0.059, 71},  {0, 1040, 0.089, 18},   {0, 646, 0.067, 21},    {0, 725, 0.055, 37},
        {0, 652, 0.082, 25},    {0, 508, 0.088, 17},    {0, 687, 0.076, 38},    {0, 580, 0.084, 28},
        {0, 564, 0.077, 36},    {0, 865, 0.051, 38},    {0, 1100, 0.087, 19}};
    struct pw_market *market = one_asset_each(31, 1, 31 * 15);
    for (int i = 0; i < 31; i++)
        set_asset(market, i, rows[i][0], rows[i][1], rows[i][2], rows[i][3]);
    link_completely(market);
    return market;
}

START_TEST(ieee39_by_both_methods)
{
    struct pw_market *market = ieee39();
    ck_assert(pw_reference_is_pool(market) && pw_reference_is_cheap(market));
    struct pw_reference out[2] = {solve(market), solve_by_ipm(market)};
    for (int i = 0; i < 2; i++) {
        ck_assert_double_le(out[i].kkt_residual, 1e-8);
        ck_assert_double_eq_tol(out[i].price_mean, 57.2343, 5e-5);
        ck_assert_double_eq_tol(out[i].power_injected, 3893.349, 5e-4);
        ck_assert_double_eq_tol(out[i].social_welfare, 92547.875, 5e-4);
    }
    ck_assert_double_eq_tol(out[0].social_welfare, out[1].social_welfare, 1e-6);
    ck_assert_double_eq_tol(out[0].price_mean, out[1].price_mean, 1e-7);
    pw_market_destroy(market);
}
END_TEST

START_TEST(two_agents_in_closed_form)
{
    /* 10 - t = 2 + t + fee; the last fee eats the gain. */
    static const double rows[][3] = {{0.0, 4.0, 16.0}, {2.0, 3.0, 9.0}, {8.5, 0.0, 0.0}};
    for (int i = 0; i < 3; i++) {
        struct pw_market *market = two_agents(rows[i][0]);
        struct pw_reference out = solve(market);
        ck_assert_double_eq_tol(out.power_injected, rows[i][1], 1e-7);
        ck_assert_double_eq_tol(out.social_welfare, rows[i][2], 1e-7);
        ck_assert(i == 2 || fabs(out.price_mean - 6.0) < 1e-8);
        pw_market_destroy(market);
    }
}
END_TEST

START_TEST(a_bound_separates_the_prices)
{
    struct pw_market *market = two_agents(0.0);
    market->t_min[0] = -1.0; /* agent 1 sells at most 1: prices 9 and 3 */
    ck_assert(!pw_reference_is_pool(market));
    struct pw_reference_solution *solution = pw_reference_solution_create(market);
    ck_assert_double_le(pw_reference_ipm(market, 0, solution), 1e-8);
    ck_assert_double_eq_tol(solution->t[0], -1.0, 1e-8);
    ck_assert_double_eq_tol(solution->price[0], 9.0, 1e-6);
    ck_assert_double_eq_tol(solution->price[1], 3.0, 1e-6);
    pw_reference_solution_destroy(solution);
    pw_market_destroy(market);
}
END_TEST

/* Two producers at the same constant cost share what the first consumers leave, by both methods. */
START_TEST(a_step_sets_the_price)
{
    struct pw_market *market = one_asset_each(4, 1, 6);
    set_asset(market, 0, -20.0, 0.0, 1.0, 10.0);
    set_asset(market, 1, 0.0, 6.0, 0.0, 4.0);
    set_asset(market, 2, 0.0, 3.0, 0.0, 4.0);
    set_asset(market, 3, -1.0, -1.0, 0.0, 0.0);
    link_completely(market);
    struct pw_reference out[2] = {solve(market), solve_by_ipm(market)};
    for (int i = 0; i < 2; i++) {
        ck_assert_double_eq_tol(out[i].price_mean, 4.0, 1e-7);
        ck_assert_double_eq_tol(out[i].power_injected, 7.0, 1e-7);
        ck_assert_double_eq_tol(out[i].social_welfare, 60.0 - 18.0 - 28.0, 1e-6);
        ck_assert_double_le(out[i].kkt_residual, 1e-8);
    }
    pw_market_destroy(market);
}
END_TEST

START_TEST(all_fixed_or_all_idle)
{
    struct pw_market *market = one_asset_each(3, 1, 3);
    set_asset(market, 0, -5.0, -5.0, 0.1, 3.0);
    set_asset(market, 1, 2.0, 2.0, 0.2, 3.0);
    set_asset(market, 2, 3.0, 3.0, 0.0, 3.0);
    link_completely(market);
    struct pw_reference pool = solve(market), ipm = solve_by_ipm(market);
    ck_assert_double_eq_tol(pool.power_injected, 5.0, 1e-9);
    ck_assert_double_eq_tol(pool.social_welfare, -1.65, 1e-9);
    ck_assert_double_eq_tol(ipm.social_welfare, -1.65, 1e-8);
    ck_assert_double_le(ipm.kkt_residual, 1e-8);
    for (int i = 0; i < 3; i++)
        set_asset(market, i, 0.0, 0.0, 0.0, 0.0);
    ck_assert_double_eq_tol(solve(market).social_welfare, 0.0, 1e-12);
    ck_assert_double_le(solve_by_ipm(market).kkt_residual, 1e-8);
    pw_market_destroy(market);
}
END_TEST

/* Two products of the same agents are two markets. */
START_TEST(products_add_up)
{
    struct pw_market *market = one_asset_each(2, 2, 1);
    set_asset(market, 0, -20.0, 0.0, 1.0, 10.0);
    set_asset(market, 1, -20.0, 0.0, 1.0, 10.0);
    set_asset(market, 2, 0.0, 20.0, 1.0, 2.0);
    set_asset(market, 3, 0.0, 20.0, 1.0, 2.0);
    market->link_a[0] = 0;
    market->link_b[0] = 1;
    market->fee_a[1] = 2.0;
    pw_market_index(market);
    struct pw_reference out = solve(market);
    ck_assert_double_eq_tol(out.social_welfare, 16.0 + 9.0, 1e-6);
    ck_assert_double_eq_tol(out.power_injected, 4.0 + 3.0, 1e-7);
    pw_market_destroy(market);
}
END_TEST

START_TEST(knows_a_pool)
{
    struct pw_market *market = one_asset_each(4, 1, 4); /* consumers 0, 1 and producers 2, 3 */
    for (int n = 0; n < 4; n++)
        set_asset(market, n, n < 2 ? -1.0 : 0.0, n < 2 ? 0.0 : 1.0, 0.1, n < 2 ? 5.0 : 1.0);
    for (int l = 0; l < 4; l++) {
        market->link_a[l] = 2 + l / 2;
        market->link_b[l] = l % 2;
        market->t_min[l] = 0.0;
    }
    pw_market_index(market);
    ck_assert(pw_reference_is_pool(market)); /* one-way, but the way that matters */
    ck_assert_double_eq_tol(solve(market).social_welfare, solve_by_ipm(market).social_welfare, 1e-8);
    /* Agent 0 may inject as well and has no link to agent 1; a bound; a fee; a forced trade. */
    double *entries[] = {&market->p_max[0], &market->t_max[3], &market->fee_b[3], &market->t_min[0]};
    for (int i = 0; i < 4; i++) {
        double kept = *entries[i];
        *entries[i] = 0.5;
        ck_assert(!pw_reference_is_pool(market));
        *entries[i] = kept;
    }
    for (int l = 0; l < 3; l++) { /* a chain of free links carries everything, too */
        market->link_a[l] = l;
        market->link_b[l] = l + 1;
        market->t_min[l] = -INFINITY;
    }
    market->link_a[3] = 0;
    market->link_b[3] = 3;
    pw_market_index(market);
    ck_assert(pw_reference_is_pool(market));
    ck_assert_double_eq_tol(solve(market).social_welfare, solve_by_ipm(market).social_welfare, 1e-8);
    pw_market_destroy(market);
}
END_TEST

START_TEST(certificate_detects_what_is_wrong)
{
    struct pw_market *market = two_agents(2.0);
    struct pw_reference_solution *solution = pw_reference_solution_create(market);
    ck_assert_double_gt(pw_reference_kkt(market, 0, solution), 0.1); /* no trade */
    solution->p[0] = -3.0;
    solution->p[1] = 3.0;
    solution->t[0] = -3.0;
    solution->price[0] = 7.0;
    solution->price[1] = 5.0;
    ck_assert_double_le(pw_reference_kkt(market, 0, solution), 1e-15);
    double *entries[] = {&solution->p[0], &solution->p[1], &solution->t[0], &solution->price[0],
                         &solution->price[1]};
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        *entries[i] += 1e-3;
        ck_assert_double_gt(pw_reference_kkt(market, 0, solution), 1e-5);
        *entries[i] -= 1e-3;
    }
    market->t_min[0] = -2.0; /* now out of bounds */
    ck_assert_double_gt(pw_reference_kkt(market, 0, solution), 0.1);
    market->t_min[0] = -INFINITY;
    market->p_max[1] = 2.5;
    ck_assert_double_gt(pw_reference_kkt(market, 0, solution), 0.1);
    pw_reference_solution_destroy(solution);
    pw_market_destroy(market);
}
END_TEST

/* ---- random markets ---- */

static void random_asset(uint64_t *state, struct pw_market *market, int i)
{
    double x = uniform(state, 1.0, 20.0), b = uniform(state, 1.0, 12.0);
    double a = pick(state, 0, 3) == 0 ? 0.0 : uniform(state, 0.02, 0.5);
    switch (pick(state, 0, 6)) {
    case 0:
        set_asset(market, i, -x, -x, a, b); /* fixed load */
        return;
    case 1:
        set_asset(market, i, -1e4, 1e4, 0.001, b); /* grid */
        return;
    case 2:
    case 3:
        set_asset(market, i, -x, pick(state, 0, 1) * -0.3 * x, a, b + 6.0);
        return;
    default:
        set_asset(market, i, 0.0, 2.0 * x, a, pick(state, 0, 1) ? b : floor(b));
    }
}

static void random_link(uint64_t *state, struct pw_market *market, int l)
{
    static const double fees[] = {0.0, 0.0, 0.25, 0.5, 3.0};
    market->fee_a[l] = fees[pick(state, 0, 4)];
    market->fee_b[l] = pick(state, 0, 1) ? market->fee_a[l] : uniform(state, 0.0, 0.5);
    if (pick(state, 0, 2) == 0)
        market->fee_a[l] = market->fee_b[l] = 0.0;
    int kind = pick(state, 0, 9);
    market->t_min[l] = kind < 6 ? -INFINITY : kind == 6 ? 0.0 : -uniform(state, 0.0, 8.0);
    market->t_max[l] = kind < 8 ? INFINITY : uniform(state, 0.0, 8.0);
    if (kind == 9 && pick(state, 0, 3) == 0) /* forced, some to a point */
        market->t_min[l] = market->t_max[l] - pick(state, 0, 1);
}

static struct pw_market *random_market(uint64_t *state)
{
    int n_agents = pick(state, 2, MOST_AGENTS - 1), density = pick(state, 15, 100), l = 0;
    struct pw_market *market = pw_market_create(n_agents, 1, 2 * n_agents, n_agents * (n_agents - 1) / 2);
    for (int n = 0; n < n_agents; n++)
        market->asset_first[n + 1] = market->asset_first[n] + pick(state, pick(state, 0, 1), 2);
    market->n_assets = market->asset_first[n_agents];
    for (int i = 0; i < market->n_assets; i++)
        random_asset(state, market, i);
    for (int a = 0; a < n_agents; a++)
        for (int b = a + 1; b < n_agents; b++) {
            if (pick(state, 1, 100) > density)
                continue;
            market->link_a[l] = a;
            market->link_b[l] = b;
            random_link(state, market, l++);
        }
    market->n_links = l;
    pw_market_index(market);
    return market;
}

/* More flow from one node to another, and what a little of it costs per unit. */
struct arc {
    int from, to;
    double cost;
};

/* Powers and trades as flows; node n_agents stands for the outside that the assets inject from. */
static int residual_arcs(const struct pw_market *market, const struct pw_reference_solution *solution,
                         double room, struct arc *arcs)
{
    int count = 0;
    for (int n = 0; n < market->n_agents; n++)
        for (int i = market->asset_first[n]; i < market->asset_first[n + 1]; i++) {
            double cost = market->a[i] * solution->p[i] + market->b[i];
            if (solution->p[i] < market->p_max[i] - room)
                arcs[count++] = (struct arc){market->n_agents, n, cost};
            if (solution->p[i] > market->p_min[i] + room)
                arcs[count++] = (struct arc){n, market->n_agents, -cost};
        }
    for (int l = 0; l < market->n_links; l++) {
        double fee = market->fee_a[l] + market->fee_b[l], t = solution->t[l];
        if (t < market->t_max[l] - room)
            arcs[count++] = (struct arc){market->link_a[l], market->link_b[l], t < -room ? -fee : fee};
        if (t > market->t_min[l] + room)
            arcs[count++] = (struct arc){market->link_b[l], market->link_a[l], t > room ? -fee : fee};
    }
    return count;
}

/* True if some cycle costs less than -tolerance per arc: flow around it would lower the total cost. */
static int some_cycle_pays(const struct arc *arcs, int count, int n_nodes, double tolerance)
{
    double distance[MOST_AGENTS + 1] = {0.0};
    for (int round = 0; round <= n_nodes; round++) {
        int changed = 0;
        for (int i = 0; i < count; i++) {
            double reached = distance[arcs[i].from] + arcs[i].cost + tolerance;
            if (reached < distance[arcs[i].to] - 1e-12) {
                distance[arcs[i].to] = reached;
                changed = 1;
            }
        }
        if (!changed)
            return 0;
    }
    return 1;
}

static void check_balance(const struct pw_market *market, const struct pw_reference_solution *solution,
                          double eps)
{
    for (int n = 0; n < market->n_agents; n++) {
        double sum = 0.0;
        for (int i = market->asset_first[n]; i < market->asset_first[n + 1]; i++) {
            ck_assert(solution->p[i] >= market->p_min[i] - eps && solution->p[i] <= market->p_max[i] + eps);
            sum += solution->p[i];
        }
        for (int l = 0; l < market->n_links; l++)
            sum -= market->link_a[l] == n ? solution->t[l] : market->link_b[l] == n ? -solution->t[l] : 0.0;
        ck_assert_double_eq_tol(sum, 0.0, eps);
    }
    for (int l = 0; l < market->n_links; l++)
        ck_assert(solution->t[l] >= market->t_min[l] - eps && solution->t[l] <= market->t_max[l] + eps);
}

START_TEST(no_cycle_pays_on_random_markets)
{
    uint64_t state = 88172645463325252u;
    int n_solved = 0;
    struct arc arcs[MOST_ARCS];
    for (int trial = 0; trial < 1500; trial++) {
        struct pw_market *market = random_market(&state);
        struct pw_error err;
        if (pw_feasibility_check(market, &err) == PW_OK) {
            struct pw_reference_solution *solution = pw_reference_solution_create(market);
            double residual = pw_reference_ipm(market, 0, solution);
            ck_assert_msg(residual <= 1e-8, "trial %d: residual %g", trial, residual);
            check_balance(market, solution, 1e-5);
            int count = residual_arcs(market, solution, 1e-4, arcs);
            ck_assert_msg(!some_cycle_pays(arcs, count, market->n_agents + 1, 1e-5), "trial %d", trial);
            n_solved++;
            pw_reference_solution_destroy(solution);
        }
        pw_market_destroy(market);
    }
    ck_assert_int_gt(n_solved, 400);
}
END_TEST

/* The cycle test itself must see a solution that is off. */
START_TEST(a_cycle_pays_where_the_power_is_wrong)
{
    struct pw_market *market = two_agents(2.0);
    struct pw_reference_solution *solution = pw_reference_solution_create(market);
    struct arc arcs[MOST_ARCS];
    for (int i = 0; i < 3; i++) {
        double t = 2.99 + 0.01 * i;
        solution->p[0] = solution->t[0] = -t;
        solution->p[1] = t;
        int count = residual_arcs(market, solution, 1e-4, arcs);
        ck_assert_int_eq(some_cycle_pays(arcs, count, 3, 1e-5), i != 1);
    }
    pw_reference_solution_destroy(solution);
    pw_market_destroy(market);
}
END_TEST

/* Complete graphs, no fee, with steps, fixed loads and several assets: bisection against interior point. */
START_TEST(both_methods_agree_on_random_pools)
{
    uint64_t state = 1234567u;
    int n_solved = 0;
    for (int trial = 0; trial < 300; trial++) {
        struct pw_market *market = random_market(&state);
        double unit = pow(10.0, pick(&state, -3, 3));
        pw_market_set_link_count(market, market->n_agents * (market->n_agents - 1) / 2);
        link_completely(market);
        for (int i = 0; i < market->n_assets; i++) {
            market->p_min[i] *= unit;
            market->p_max[i] *= unit;
            market->a[i] /= unit;
        }
        struct pw_error err;
        if (pw_feasibility_check(market, &err) == PW_OK) {
            struct pw_reference pool = solve(market), ipm = solve_by_ipm(market);
            ck_assert_ptr_nonnull(strstr(pool.method, "pool"));
            ck_assert_msg(ipm.kkt_residual <= 1e-8, "trial %d: residual %g", trial, ipm.kkt_residual);
            ck_assert_double_eq_tol(pool.social_welfare, ipm.social_welfare,
                                    1e-7 * (fabs(pool.social_welfare) + unit));
            n_solved++;
        }
        pw_market_destroy(market);
    }
    ck_assert_int_gt(n_solved, 100);
}
END_TEST

Suite *reference_suite(void)
{
    Suite *suite = suite_create("reference");
    TCase *known = tcase_create("known");
    tcase_add_test(known, ieee39_by_both_methods);
    tcase_add_test(known, two_agents_in_closed_form);
    tcase_add_test(known, a_bound_separates_the_prices);
    tcase_add_test(known, a_step_sets_the_price);
    tcase_add_test(known, all_fixed_or_all_idle);
    tcase_add_test(known, products_add_up);
    tcase_add_test(known, knows_a_pool);
    tcase_add_test(known, certificate_detects_what_is_wrong);
    suite_add_tcase(suite, known);
    TCase *random = tcase_create("random");
    tcase_add_test(random, a_cycle_pays_where_the_power_is_wrong);
    tcase_add_test(random, no_cycle_pays_on_random_markets);
    tcase_add_test(random, both_methods_agree_on_random_pools);
    tcase_set_timeout(random, 60.0);
    suite_add_tcase(suite, random);
    return suite;
}
