/* The survey's inner ADMM: against closed forms, against the exact solver on random local problems, and as
 * the solver of whole markets against the centralised optimum. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "agent/inner_admm.h"
#include "common/outcome.h"
#include "coordinator/transport.h"
#include "tests/unit/clearing.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { MOST_TRADES = 30, MOST_ASSETS = 3 };

static const struct pw_inner_tolerance TIGHT = {1e-11, INFINITY};

struct scene {
    struct pw_local_problem problem;
    double p_min[MOST_ASSETS], p_max[MOST_ASSETS], a[MOST_ASSETS], b[MOST_ASSETS], p[MOST_ASSETS];
    double target[MOST_TRADES], slope[MOST_TRADES], dead[MOST_TRADES];
    double t_min[MOST_TRADES], t_max[MOST_TRADES], t[MOST_TRADES];
};

static void lay_out(struct scene *scene, int n_assets, int n_trades)
{
    memset(scene, 0, sizeof *scene);
    scene->problem = (struct pw_local_problem){
        n_assets,      scene->p_min, scene->p_max, scene->a,     scene->b,     scene->p, n_trades,
        scene->target, scene->slope, scene->dead,  scene->t_min, scene->t_max, scene->t};
}

/* Every draw can balance: assets and trades may all be zero. */
static void draw(struct scene *scene, struct test_rng *rng)
{
    lay_out(scene, 1 + test_below(rng, MOST_ASSETS), 1 + test_below(rng, MOST_TRADES));
    double slope = pow(10, test_uniform(rng, -1, 1));
    for (int i = 0; i < scene->problem.n_assets; i++) {
        scene->p_min[i] = test_uniform(rng, -20, 0);
        scene->p_max[i] = test_uniform(rng, 0, 20);
        scene->a[i] = test_below(rng, 3) == 0 ? 0 : test_uniform(rng, .05, 2);
        scene->b[i] = test_uniform(rng, -10, 10);
    }
    for (int k = 0; k < scene->problem.n_trades; k++) {
        scene->target[k] = test_uniform(rng, -8, 8);
        scene->slope[k] = slope * test_uniform(rng, .5, 2);
        scene->dead[k] = test_below(rng, 2) ? 0 : test_uniform(rng, 0, 2);
        scene->t_min[k] = test_below(rng, 3) == 0 ? 0 : -test_uniform(rng, 1, 9);
        scene->t_max[k] = test_uniform(rng, 1, 9);
    }
}

/* The largest difference between the trades of both solvers. */
static double difference(struct scene *scene, int *passes)
{
    double exact[MOST_TRADES], most = 0;
    pw_local_solve(&scene->problem, 0);
    memcpy(exact, scene->t, sizeof exact);
    memset(scene->t, 0, sizeof scene->t);
    *passes = pw_inner_admm_solve(&scene->problem, 0, &TIGHT).passes;
    for (int k = 0; k < scene->problem.n_trades; k++)
        most = fmax(most, fabs(scene->t[k] - exact[k]));
    return most;
}

START_TEST(matches_the_exact_solver)
{
    struct test_rng rng = test_rng((uint64_t)_i + 100);
    struct scene scene;
    for (int run = 0; run < 1000; run++) {
        int passes;
        draw(&scene, &rng);
        double most = difference(&scene, &passes);
        ck_assert_int_lt(passes, PW_INNER_ADMM_MOST);
        ck_assert_msg(most < 1e-8, "run %d: %g apart after %d iterations", run, most, passes);
    }
}
END_TEST

/* min p^2/4 + p + sum over 3 trades of (t - s)^2, balanced: 2 (s - t) = m = p/2 + 1 with p = sum t, so
 * t = s - m/2, p = sum s - 3m/2 = 6 - 3m/2, m = 3 - 3m/4 + 1: m = 16/7. */
START_TEST(meets_a_closed_form)
{
    struct scene scene;
    lay_out(&scene, 1, 3);
    scene.p_min[0] = -100, scene.p_max[0] = 100, scene.a[0] = .5, scene.b[0] = 1;
    for (int k = 0; k < 3; k++) {
        scene.target[k] = k + 1;
        scene.slope[k] = .5;
        scene.t_min[k] = -50, scene.t_max[k] = 50;
    }
    struct pw_local_solution solution = pw_inner_admm_solve(&scene.problem, 0, &TIGHT);
    ck_assert_double_eq_tol(solution.price, 16. / 7, 1e-9);
    ck_assert_double_eq_tol(scene.p[0], 6 - 24. / 7, 1e-9);
    for (int k = 0; k < 3; k++)
        ck_assert_double_eq_tol(scene.t[k], k + 1 - 8. / 7, 1e-9);
}
END_TEST

/* A generator at its limit of 2 with a fee of 1 (dead zone 1/rho = .5) on one of two trades: with rho = 2
 * both want 3 at price 0, so 3 - m/2 and 3 - .5 - m/2 add up to 2 at m = 3.5. */
START_TEST(meets_a_closed_form_at_a_limit_and_with_a_fee)
{
    struct scene scene;
    lay_out(&scene, 1, 2);
    scene.p_max[0] = 2, scene.a[0] = .1;
    for (int k = 0; k < 2; k++) {
        scene.target[k] = 3;
        scene.slope[k] = .5;
        scene.dead[k] = k * .5;
        scene.t_max[k] = INFINITY;
    }
    struct pw_local_solution solution = pw_inner_admm_solve(&scene.problem, 0, &TIGHT);
    ck_assert_double_eq_tol(solution.price, 3.5, 1e-9);
    ck_assert_double_eq_tol(scene.t[0], 1.25, 1e-9);
    ck_assert_double_eq_tol(scene.t[1], .75, 1e-9);
}
END_TEST

START_TEST(an_agent_without_trades_stays_at_zero)
{
    struct scene scene;
    lay_out(&scene, 1, 0);
    scene.p_min[0] = -5, scene.p_max[0] = 7, scene.a[0] = .5, scene.b[0] = 3;
    ck_assert_double_eq_tol(pw_inner_admm_solve(&scene.problem, 9, &TIGHT).price, 3, 1e-12);
    ck_assert_double_eq_tol(scene.p[0], 0, 1e-12);
}
END_TEST

START_TEST(a_coarse_price_tolerance_ends_earlier)
{
    struct test_rng rng = test_rng(5);
    struct scene scene;
    static const struct pw_inner_tolerance coarse = {1e-2, INFINITY}, in_price = {1e-2, 1e-9};
    for (int run = 0; run < 50; run++) {
        draw(&scene, &rng);
        int few = pw_inner_admm_solve(&scene.problem, 0, &coarse).passes;
        memset(scene.t, 0, sizeof scene.t);
        int more = pw_inner_admm_solve(&scene.problem, 0, &in_price).passes;
        ck_assert_int_le(few, more);
    }
}
END_TEST

START_TEST(whole_markets_clear_at_the_optimum)
{
    for (uint64_t seed = (uint64_t)_i * 100 + 1; seed <= (uint64_t)_i * 100 + 8; seed++) {
        char fault[200];
        struct pw_market *market = test_market((enum test_family)_i, 4 + (int)(seed % 9), .7, seed);
        struct pw_settings settings;
        pw_settings_default(&settings);
        settings.solver = PW_SOLVER_INNER_ADMM;
        settings.delta = seed % 2 ? 1 : .5;
        settings.max_time_s = 60;
        struct pw_transport *transport = pw_transport_loopback();
        struct test_clearing clearing = test_clear(market, &settings, transport);
        test_clearing_fault(&clearing, &settings, 0, fault, sizeof fault);
        ck_assert_msg(fault[0] == '\0', "%s, seed %lu: %s", test_family_name((enum test_family)_i),
                      (unsigned long)seed, fault);
        pw_transport_close(transport);
        pw_market_destroy(market);
    }
}
END_TEST

Suite *inner_admm_suite(void)
{
    Suite *suite = suite_create("inner_admm");
    TCase *tests = tcase_create("inner_admm");
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, matches_the_exact_solver, 0, 5);
    tcase_add_test(tests, meets_a_closed_form);
    tcase_add_test(tests, meets_a_closed_form_at_a_limit_and_with_a_fee);
    tcase_add_test(tests, an_agent_without_trades_stays_at_zero);
    tcase_add_test(tests, a_coarse_price_tolerance_ends_earlier);
    tcase_add_loop_test(tests, whole_markets_clear_at_the_optimum, 0, N_FAMILIES);
    suite_add_tcase(suite, tests);
    return suite;
}
