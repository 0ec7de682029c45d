/* The local problem against brute force: bisection on the price, with every answer clipped by hand. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "agent/local_problem.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { MOST_ASSETS = 4, MOST_TRADES = 60 };

struct drawn {
    struct pw_local_problem problem;
    double p_min[MOST_ASSETS], p_max[MOST_ASSETS], a[MOST_ASSETS], b[MOST_ASSETS], p[MOST_ASSETS];
    double target[MOST_TRADES], slope[MOST_TRADES], dead[MOST_TRADES], t_min[MOST_TRADES], t_max[MOST_TRADES];
    double t[MOST_TRADES];
};

static void draw_asset(struct drawn *d, int i, struct test_rng *rng)
{
    double x = test_uniform(rng, -20, 20), y = test_uniform(rng, -20, 20);
    d->p_min[i] = fmin(x, y);
    d->p_max[i] = test_below(rng, 5) == 0 ? d->p_min[i] : fmax(x, y);
    d->a[i] = test_below(rng, 3) == 0 ? 0 : test_uniform(rng, .01, 2);
    d->b[i] = test_below(rng, 4) == 0 ? 3 : test_uniform(rng, -10, 10);
}

static void draw_trade(struct drawn *d, int k, struct test_rng *rng)
{
    d->target[k] = test_below(rng, 6) == 0 ? 0 : test_uniform(rng, -8, 8);
    d->slope[k] = pow(10, test_uniform(rng, -3, 2));
    d->dead[k] = test_below(rng, 2) ? 0 : test_uniform(rng, 0, 3);
    double bound = test_uniform(rng, .1, 9);
    int kind = test_below(rng, 6);
    d->t_min[k] = kind == 0   ? -INFINITY
                  : kind == 1 ? 0
                  : kind == 2 ? -bound
                  : kind == 3 ? bound / 2
                              : -INFINITY;
    d->t_max[k] = kind == 4 ? 0 : kind == 0 ? INFINITY : kind == 5 ? bound : bound + 1;
}

static void draw(struct drawn *d, struct test_rng *rng)
{
    int assets = 1 + test_below(rng, MOST_ASSETS), trades = test_below(rng, MOST_TRADES + 1);
    d->problem = (struct pw_local_problem){assets,    d->p_min, d->p_max, d->a,     d->b,     d->p, trades,
                                           d->target, d->slope, d->dead,  d->t_min, d->t_max, d->t};
    for (int i = 0; i < assets; i++)
        draw_asset(d, i, rng);
    for (int k = 0; k < trades; k++)
        draw_trade(d, k, rng);
}

static double brute_supply(const struct drawn *d, double m, int high)
{
    double sum = 0;
    for (int i = 0; i < d->problem.n_assets; i++) {
        if (d->a[i] > 0)
            sum += fmin(fmax((m - d->b[i]) / d->a[i], d->p_min[i]), d->p_max[i]);
        else
            sum += (high ? m >= d->b[i] : m > d->b[i]) ? d->p_max[i] : d->p_min[i];
    }
    return sum;
}

static double brute_trade(const struct drawn *d, int k, double m)
{
    double wish = d->target[k] - d->slope[k] * m;
    double soft = wish > d->dead[k] ? wish - d->dead[k] : wish < -d->dead[k] ? wish + d->dead[k] : 0;
    return fmin(fmax(soft, d->t_min[k]), d->t_max[k]);
}

static double brute_sales(const struct drawn *d, double m)
{
    double sum = 0;
    for (int k = 0; k < d->problem.n_trades; k++)
        sum += brute_trade(d, k, m);
    return sum;
}

/* The balanced price nearest to guess by bisection; NAN where there is none. */
static double brute_price(const struct drawn *d, double guess)
{
    double low = -1e7, high = 1e7, edge[2];
    if (brute_supply(d, low, 0) > brute_sales(d, low) + 1e-9 ||
        brute_supply(d, high, 1) < brute_sales(d, high) - 1e-9)
        return NAN;
    for (int side = 0; side < 2; side++) {
        low = -1e7, high = 1e7;
        for (int i = 0; i < 200; i++) {
            double m = (low + high) / 2;
            double excess = brute_supply(d, m, side == 0) - brute_sales(d, m);
            if (side == 0 ? excess < -1e-10 : excess <= 1e-10)
                low = m;
            else
                high = m;
        }
        edge[side] = (low + high) / 2;
    }
    return fmin(fmax(guess, edge[0]), edge[1]);
}

static void check_against_brute_force(struct drawn *d, double guess)
{
    struct pw_local_solution solution = pw_local_solve(&d->problem, guess);
    double price = brute_price(d, guess), supply = 0, sales = 0, size = 1, slope = 0;
    ck_assert_int_le(solution.passes, 200);
    if (isnan(price) || fabs(price) > 1e6)
        return;
    for (int k = 0; k < d->problem.n_trades; k++) {
        slope += d->slope[k];
        sales += d->t[k];
        size += fabs(d->t[k]);
    }
    /* Where the balance is nearly flat the price is only as sharp as 1e-10 of power, that bisection sees. */
    double blur = 1e-8 * (1 + fabs(price) + fabs(guess));
    ck_assert_msg(fabs(solution.price - price) < blur, "price %.17g, brute force %.17g, guess %g",
                  solution.price, price, guess);
    for (int k = 0; k < d->problem.n_trades; k++)
        ck_assert_double_le(fabs(d->t[k] - brute_trade(d, k, price)), 1e-9 * (size + slope * blur * 10));
    for (int i = 0; i < d->problem.n_assets; i++) {
        ck_assert(d->p[i] >= d->p_min[i] - 1e-9 && d->p[i] <= d->p_max[i] + 1e-9);
        supply += d->p[i];
    }
    ck_assert_double_le(fabs(supply - sales), 1e-9 * size);
}

START_TEST(matches_brute_force)
{
    struct test_rng rng = test_rng((uint64_t)_i + 1);
    struct drawn d;
    for (int run = 0; run < 2000; run++) {
        draw(&d, &rng);
        check_against_brute_force(&d, test_uniform(&rng, -12, 12));
    }
}
END_TEST

static struct pw_local_problem one_asset(const double *p_min, const double *p_max, const double *a,
                                         const double *b, double *p)
{
    return (struct pw_local_problem){.n_assets = 1, .p_min = p_min, .p_max = p_max, .a = a, .b = b, .p = p};
}

START_TEST(agent_without_peers_stays_at_zero)
{
    double p_min = -5, p_max = 7, a = .5, b = 3, p = 99;
    struct pw_local_problem problem = one_asset(&p_min, &p_max, &a, &b, &p);
    ck_assert_double_eq_tol(pw_local_solve(&problem, 100).price, 3, 1e-12);
    ck_assert_double_eq_tol(p, 0, 1e-12);
}
END_TEST

START_TEST(step_gives_the_remainder)
{
    /* One asset of constant price 4 sells to one trade that wants 10 - m: t = 6 at m = 4. */
    double p_min = 0, p_max = 9, a = 0, b = 4, p, target = 10, slope = 1, dead = 0, low = 0, high = 50, t;
    struct pw_local_problem problem = {1,       &p_min, &p_max, &a,   &b,    &p, 1,
                                       &target, &slope, &dead,  &low, &high, &t};
    ck_assert_double_eq(pw_local_solve(&problem, -3).price, 4);
    ck_assert_double_eq(p, 6);
    ck_assert_double_eq(t, 6);
}
END_TEST

START_TEST(interval_takes_the_price_nearest_to_the_guess)
{
    /* A fixed load of 5 buys all it may from one trade at its bound: any price from -inf to -(dead + ...)
     * fits. */
    double p_min = -5, p_max = -5, a = 0, b = 0, p, target = 0, slope = 1, dead = 1, low = -5, high = 0, t;
    struct pw_local_problem problem = {1,       &p_min, &p_max, &a,   &b,    &p, 1,
                                       &target, &slope, &dead,  &low, &high, &t};
    /* The trade reaches -5 at wish -6, price 6: every price from 6 up balances. */
    ck_assert_double_eq_tol(pw_local_solve(&problem, 0).price, 6, 1e-12);
    ck_assert_double_eq_tol(pw_local_solve(&problem, 8).price, 8, 1e-12);
}
END_TEST

/* A trade with a fee and an idle asset: every price from where the trade comes to rest, (s rho - fee), to
 * where the asset starts balances, and no other. That kink is where rounding once led past it, to the guess.
 */
START_TEST(a_kink_is_not_stepped_over)
{
    struct test_rng rng = test_rng(77);
    double p_min = 0, p_max = 7, a = .1, b = 4, p, low = -INFINITY, high = INFINITY, t;
    for (int run = 0; run < 20000; run++) {
        double rho = test_uniform(&rng, .1, 1), rests = test_uniform(&rng, 1, 3.9), fee = .2;
        double target = (rests + fee) / rho, slope = 1 / rho, dead = fee / rho;
        struct pw_local_problem problem = {1,       &p_min, &p_max, &a,   &b,    &p, 1,
                                           &target, &slope, &dead,  &low, &high, &t};
        double guess = test_uniform(&rng, -2, 1), price = pw_local_solve(&problem, guess).price;
        ck_assert_msg(fabs(price - rests) < 1e-12, "from %.17g to %.17g, %.17g was expected", guess, price,
                      rests);
        ck_assert_double_le(fabs(t), 1e-12);
    }
}
END_TEST

START_TEST(impossible_balance_ends)
{
    double p_min = 3, p_max = 4, a = 1, b = 0, p;
    struct pw_local_problem problem = one_asset(&p_min, &p_max, &a, &b, &p);
    ck_assert_int_le(pw_local_solve(&problem, 0).passes, 5);
    ck_assert_double_ge(p, 3);
}
END_TEST

/* An agent that has gone astray must not take the run with it. */
START_TEST(a_guess_that_is_no_number_ends)
{
    static const double guesses[] = {NAN, INFINITY, -INFINITY};
    double p_min = 0, p_max = 9, a = 2, b = 1, p, target = 6, slope = 1, dead = 0, t_min = 0, t_max = 9, t;
    struct pw_local_problem problem = {1,       &p_min, &p_max, &a,     &b,     &p, 1,
                                       &target, &slope, &dead,  &t_min, &t_max, &t};
    double price = pw_local_solve(&problem, guesses[_i]).price;
    ck_assert_double_eq_tol(price, 13.0 / 3.0, 1e-12); /* (m - 1) / 2 = 6 - m */
    ck_assert_double_eq_tol(p, t, 1e-12);
}
END_TEST

Suite *local_problem_suite(void)
{
    Suite *suite = suite_create("local_problem");
    TCase *tests = tcase_create("local_problem");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, matches_brute_force, 0, 10);
    tcase_add_test(tests, agent_without_peers_stays_at_zero);
    tcase_add_test(tests, step_gives_the_remainder);
    tcase_add_test(tests, interval_takes_the_price_nearest_to_the_guess);
    tcase_add_test(tests, a_kink_is_not_stepped_over);
    tcase_add_test(tests, impossible_balance_ends);
    tcase_add_loop_test(tests, a_guess_that_is_no_number_ends, 0, 3);
    suite_add_tcase(suite, tests);
    return suite;
}
