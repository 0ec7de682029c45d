#include "coordinator/reference.h"

#include <math.h>
#include <stdlib.h>

#include "common/larger.h"
#include "common/limits.h"
#include "common/memory.h"
#include "coordinator/reference_internal.h"

/* Measured for about two seconds on one core: dense factors grow with the square of the agents, the method's
 * vectors with the links; a sparse market allows more agents. */
enum { CHEAP_AGENTS = 500, CHEAP_SPARSE_AGENTS = 1500, SPARSE_DEGREE = 12, CHEAP_LINKS = 200000 };

static const double MOST_LIMIT = 1e9; /* of an ordinary one */
static const double NEAR = 0.5;       /* of a limit */
static const double FLOOR = 1e-4;     /* of limits, for scales that are relative to the solution */

size_t pw_reference_at(const struct pw_market *market, int i, int q)
{
    return (size_t)i * (size_t)market->n_products + (size_t)q;
}

struct pw_reference_solution *pw_reference_solution_create(const struct pw_market *market)
{
    struct pw_reference_solution *solution = pw_alloc(1, sizeof *solution);
    solution->p = pw_alloc(pw_reference_at(market, market->n_assets, 0), sizeof(double));
    solution->t = pw_alloc(pw_reference_at(market, market->n_links, 0), sizeof(double));
    solution->price = pw_alloc(pw_reference_at(market, market->n_agents, 0), sizeof(double));
    return solution;
}

void pw_reference_solution_destroy(struct pw_reference_solution *solution)
{
    if (solution == NULL)
        return;
    free(solution->p);
    free(solution->t);
    free(solution->price);
    free(solution);
}

void pw_reference_solution_copy(const struct pw_market *market, int q,
                                const struct pw_reference_solution *from, struct pw_reference_solution *to)
{
    for (int i = 0; i < market->n_assets; i++)
        to->p[pw_reference_at(market, i, q)] = from->p[pw_reference_at(market, i, q)];
    for (int l = 0; l < market->n_links; l++)
        to->t[pw_reference_at(market, l, q)] = from->t[pw_reference_at(market, l, q)];
    for (int n = 0; n < market->n_agents; n++)
        to->price[pw_reference_at(market, n, q)] = from->price[pw_reference_at(market, n, q)];
}

double pw_reference_largest_fee(const struct pw_market *market, int q)
{
    double fee = 0.0;
    for (int l = 0; l < market->n_links; l++) {
        size_t k = pw_reference_at(market, l, q);
        fee = pw_larger(fee, market->fee_a[k] + market->fee_b[k]);
    }
    return fee;
}

/* How far x is from the point its price pulls it to: cost a/2 x^2 + b x + fee |x| - price x in [low, high],
 * one proximal step of size `step` (power per price). Zero exactly at the optimum. */
static double pull(double x, double slope, double fee, double low, double high, double step)
{
    double target = x - step * slope;
    target = target > step * fee ? target - step * fee : target < -step * fee ? target + step * fee : 0.0;
    return fabs(x - pw_larger(low, pw_smaller(high, target)));
}

/* The largest power, but not less than a little of the largest limit: nothing is relative to a rounding
 * error. */
static double power_scale(const struct pw_market *market, int q, const struct pw_reference_solution *solution)
{
    double power = 0.0, limit = 0.0;
    for (int i = 0; i < market->n_assets; i++) {
        size_t k = pw_reference_at(market, i, q);
        power = fmax(power, fabs(solution->p[k]));
        limit = fmax(limit, fmax(fabs(market->p_min[k]), fabs(market->p_max[k])));
    }
    double scale = fmax(power, FLOOR * limit);
    return scale > 0.0 ? scale : 1.0;
}

/* The largest marginal cost of an asset that is not fixed, likewise; of fees if there is no cost. */
static double price_scale(const struct pw_market *market, int q, const struct pw_reference_solution *solution)
{
    double cost = 0.0, limit = 0.0, fee = pw_reference_largest_fee(market, q);
    for (int i = 0; i < market->n_assets; i++) {
        size_t k = pw_reference_at(market, i, q);
        if (market->p_min[k] >= market->p_max[k])
            continue;
        cost = fmax(cost, fabs(market->a[k] * solution->p[k] + market->b[k]));
        limit = fmax(limit, fabs(market->a[k] * market->p_min[k] + market->b[k]));
        limit = fmax(limit, fabs(market->a[k] * market->p_max[k] + market->b[k]));
    }
    double scale = fmax(cost, FLOOR * limit);
    return scale > 0.0 ? scale : fee > 0.0 ? fee : 1.0;
}

/* Largest violation over the assets and links, in power; a price difference counts `step` times. */
static double worst_pull(const struct pw_market *market, int q, const struct pw_reference_solution *solution,
                         double step)
{
    double worst = 0.0;
    for (int n = 0; n < market->n_agents; n++)
        for (int i = market->asset_first[n]; i < market->asset_first[n + 1]; i++) {
            size_t k = pw_reference_at(market, i, q);
            double slope =
                market->a[k] * solution->p[k] + market->b[k] - solution->price[pw_reference_at(market, n, q)];
            worst =
                pw_larger(worst, pull(solution->p[k], slope, 0.0, market->p_min[k], market->p_max[k], step));
        }
    for (int l = 0; l < market->n_links; l++) {
        size_t k = pw_reference_at(market, l, q);
        double slope = solution->price[pw_reference_at(market, market->link_a[l], q)] -
                       solution->price[pw_reference_at(market, market->link_b[l], q)];
        double fee = market->fee_a[k] + market->fee_b[k];
        worst = pw_larger(worst, pull(solution->t[k], slope, fee, market->t_min[k], market->t_max[k], step));
    }
    return worst;
}

/* What each agent's assets inject beyond its trades [n_agents], for the caller to free. */
static double *imbalances(const struct pw_market *market, int q, const struct pw_reference_solution *solution)
{
    double *rest = pw_alloc((size_t)market->n_agents, sizeof *rest);
    for (int n = 0; n < market->n_agents; n++)
        for (int i = market->asset_first[n]; i < market->asset_first[n + 1]; i++)
            rest[n] += solution->p[pw_reference_at(market, i, q)];
    for (int l = 0; l < market->n_links; l++) {
        rest[market->link_a[l]] -= solution->t[pw_reference_at(market, l, q)];
        rest[market->link_b[l]] += solution->t[pw_reference_at(market, l, q)];
    }
    return rest;
}

double pw_reference_kkt(const struct pw_market *market, int q, const struct pw_reference_solution *solution)
{
    double power = power_scale(market, q, solution), price = price_scale(market, q, solution);
    double worst = worst_pull(market, q, solution, power / price);
    double *rest = imbalances(market, q, solution);
    for (int n = 0; n < market->n_agents; n++)
        worst = fmax(worst, fabs(rest[n]));
    free(rest);
    return worst / power;
}

static double welfare(const struct pw_market *market, const struct pw_reference_solution *solution)
{
    double cost = 0.0;
    for (size_t k = 0; k < pw_reference_at(market, market->n_assets, 0); k++)
        cost += (0.5 * market->a[k] * solution->p[k] + market->b[k]) * solution->p[k];
    for (size_t k = 0; k < pw_reference_at(market, market->n_links, 0); k++)
        cost += (market->fee_a[k] + market->fee_b[k]) * fabs(solution->t[k]);
    return -cost;
}

/* Mean of the prices at both ends of each trade, weighted by it; of all prices where nothing is traded. */
static double mean_price(const struct pw_market *market, const struct pw_reference_solution *solution)
{
    double sum = 0.0, weight = 0.0;
    for (int l = 0; l < market->n_links; l++)
        for (int q = 0; q < market->n_products; q++) {
            double t = fabs(solution->t[pw_reference_at(market, l, q)]);
            sum += t * 0.5 *
                   (solution->price[pw_reference_at(market, market->link_a[l], q)] +
                    solution->price[pw_reference_at(market, market->link_b[l], q)]);
            weight += t;
        }
    if (weight > 0.0)
        return sum / weight;
    size_t count = pw_reference_at(market, market->n_agents, 0);
    for (size_t k = 0; k < count; k++)
        sum += solution->price[k];
    return count > 0 ? sum / (double)count : 0.0;
}

static double injected(const struct pw_market *market, const struct pw_reference_solution *solution)
{
    double sum = 0.0;
    for (int q = 0; q < market->n_products; q++)
        for (int n = 0; n < market->n_agents; n++) {
            double net = 0.0;
            for (int i = market->asset_first[n]; i < market->asset_first[n + 1]; i++)
                net += solution->p[pw_reference_at(market, i, q)];
            sum += fmax(net, 0.0);
        }
    return sum;
}

void pw_reference_summarise(const struct pw_market *market, const struct pw_reference_solution *solution,
                            struct pw_reference *out)
{
    out->social_welfare = welfare(market, solution);
    out->price_mean = mean_price(market, solution);
    out->power_injected = injected(market, solution);
    out->kkt_residual = 0.0;
    for (int q = 0; q < market->n_products; q++)
        out->kkt_residual = fmax(out->kkt_residual, pw_reference_kkt(market, q, solution));
}

int pw_reference_is_pool(const struct pw_market *market)
{
    for (int q = 0; q < market->n_products; q++)
        if (!pw_reference_pool_fits(market, q))
            return 0;
    return 1;
}

int pw_reference_is_cheap(const struct pw_market *market)
{
    int sparse = market->n_links <= market->n_agents * (SPARSE_DEGREE / 2);
    if (market->n_agents <= (sparse ? CHEAP_SPARSE_AGENTS : CHEAP_AGENTS) / market->n_products &&
        market->n_links <= CHEAP_LINKS / market->n_products)
        return 1;
    return pw_reference_is_pool(market);
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* A quarter of all limits but those of 0 are not above this. */
static double ordinary_limit(double *sizes, int count)
{
    qsort(sizes, (size_t)count, sizeof *sizes, ascending);
    return sizes[count / 4];
}

/* Digits are relative to the largest limits: beside too large ones nothing is left of the others. */
static enum pw_code check_digits(const struct pw_market *market, struct pw_error *err)
{
    size_t assets = pw_reference_at(market, market->n_assets, 0);
    double *sizes = pw_alloc(assets, sizeof *sizes), least = INFINITY, most = 0.0;
    int count = 0;
    for (size_t k = 0; k < assets; k++) {
        double size = pw_larger(fabs(market->p_min[k]), fabs(market->p_max[k]));
        if (!(size > 0.0))
            continue;
        sizes[count++] = size;
        least = pw_smaller(least, size);
        most = pw_larger(most, size);
    }
    double ordinary = most > MOST_LIMIT * least ? ordinary_limit(sizes, count) : most;
    free(sizes);
    if (most <= MOST_LIMIT * ordinary)
        return PW_OK;
    return pw_fail(
        err, PW_USAGE,
        "several assets have limits of up to %.3g, where others have %.3g: beside them no digits are "
        "left of the rest; lower them to what can come about",
        most, ordinary);
}

static enum pw_code solve(const struct pw_market *market, struct pw_reference_solution *solution,
                          struct pw_reference *out, struct pw_error *err)
{
    PW_TRY(check_digits(market, err));
    int is_pool = pw_reference_is_pool(market);
    for (int q = 0; q < market->n_products; q++) {
        if (is_pool)
            pw_reference_pool(market, q, solution);
        else
            pw_reference_ipm(market, q, solution);
    }
    out->method = is_pool ? "bisection on the pool's price" : "interior point";
    pw_reference_summarise(market, solution, out);
    if (out->kkt_residual <= 1e-6)
        return PW_OK;
    return pw_fail(
        err, PW_INTERNAL,
        "the centralised optimum misses its optimality conditions by %.3g (relative); at most 1e-6 is "
        "accepted",
        out->kkt_residual);
}

/* True if no power lies near a limit that was cut: the problem is convex, so its optimum is that of the
 * market too. */
static int is_inside(const struct pw_market *market, const struct pw_market *within,
                     const struct pw_reference_solution *solution)
{
    for (size_t k = 0; k < pw_reference_at(market, market->n_assets, 0); k++) {
        if ((within->p_min[k] > market->p_min[k] && solution->p[k] < NEAR * within->p_min[k]) ||
            (within->p_max[k] < market->p_max[k] && solution->p[k] > NEAR * within->p_max[k]))
            return 0;
    }
    return 1;
}

enum pw_code pw_reference_solve(const struct pw_market *market, struct pw_reference *out,
                                struct pw_error *err)
{
    struct pw_limits limits = pw_limits_make(market);
    struct pw_market within = *market;
    struct pw_reference_solution *solution = pw_reference_solution_create(market);
    within.p_min = limits.p_min;
    within.p_max = limits.p_max;
    enum pw_code code = solve(&within, solution, out, err);
    if (limits.are_several && (code != PW_OK || !is_inside(market, &within, solution)))
        code = solve(market, solution, out, err);
    pw_reference_solution_destroy(solution);
    pw_limits_release(&limits);
    return code;
}
