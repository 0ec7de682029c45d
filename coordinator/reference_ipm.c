/* A primal-dual interior-point method (Mehrotra's predictor and corrector) for one product of a market.
 *
 * Variables x: the power of each asset, the trade of each link without fee, and of a link with a fee its two
 * directions; those that are fixed go to the right-hand side. Each has a cost curve/2 x^2 + slope x, bounds
 * (an infinite one is replaced by one that no optimum needs), adds to the balance of agent `gain` and takes
 * from that of agent `loss`. The balances A x = rhs have the prices as duals. Newton's equations, everything
 * but the prices eliminated, are (A D^-1 A') dy = ..., a weighted Laplacian of the market's graph plus the
 * assets' weights on its diagonal, which CHOLMOD factors.
 *
 * All is computed in units of a typical power and a typical spread of marginal costs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cholmod.h>

#include "common/memory.h"
#include "coordinator/reference_internal.h"

enum { MAX_ITERATIONS = 200, MAX_WORSE = 6, REFINEMENTS = 2, MAX_HALVINGS = 4 };

static const double PROXIMAL = 1e-8; /* curvature added to each variable's step: bounds the weights */
static const double LIFT = 1e-14; /* relative, on the diagonal: keeps it definite where no asset can move */
static const double MOST_LIFT = 1e-7;   /* what is tried at most */
static const double LIFT_EMPTY = 1e-10; /* absolute, for agents with neither assets nor links that can move */
static const double BACK_OFF = 0.995;   /* of the step to the nearest bound */
static const double SHORT_STEP = 0.1;   /* a step below it is better aimed at the centre, */
static const double PROGRESS = 0.9;     /* as is one that leaves more than this of the mean product; */
static const double CENTRE = 0.5;       /* of the mean product: that aim */
static const double WORTH_LOOKING = 1e-6; /* complementarity at which candidates are looked at */
static const double GOOD_ENOUGH = 1e-11;  /* residual that ends the iteration */

struct variables {
    int n;
    int *gain, *loss;  /* agents; loss -1 for assets */
    int *entry;        /* position of (gain, loss) in the matrix */
    int *source;       /* asset, or n_assets + link */
    signed char *sign; /* of x in what the source does */
    double *curve, *slope, *low, *high;
    double *s_low, *s_high, *z_low, *z_high; /* distances to the bounds and their duals */
    double *dx, *dz_low, *dz_high;
    double *stiffness, *pull; /* D and the right-hand side of x in Newton's equations */
    double *c_low, *c_high;   /* by how much a step shall change the products s z at either bound */
};

struct ipm {
    const struct pw_market *market;
    int q;
    double power_unit, price_unit;
    double unlimited; /* stands for infinite bounds, in power units */
    struct variables v;
    double *base;       /* [n_assets + n_links] the part of powers and trades that is fixed */
    double *y, *dy;     /* [n_agents] prices */
    double *rhs, *rest; /* [n_agents] right-hand side; what is missing to it */
    cholmod_common common;
    cholmod_sparse *matrix;
    cholmod_factor *factor;
    cholmod_dense *right;
    int *diagonal; /* [n_agents] position of the diagonal entries */
    struct pw_reference_solution *candidate;
};

/* ---- units ---- */

static void set_power_unit(struct ipm *ipm)
{
    const struct pw_market *market = ipm->market;
    double sum = 0.0, forced = 0.0;
    for (int i = 0; i < market->n_assets; i++) {
        size_t k = pw_reference_at(market, i, ipm->q);
        sum += fmax(fabs(market->p_min[k]), fabs(market->p_max[k]));
    }
    for (int l = 0; l < market->n_links; l++) {
        size_t k = pw_reference_at(market, l, ipm->q);
        forced += fmax(0.0, fmax(market->t_min[k], -market->t_max[k]));
    }
    ipm->power_unit = sum + forced > 0.0 ? (sum + forced) / fmax(1.0, market->n_assets) : 1.0;
    ipm->unlimited = sum + forced > 0.0 ? 2.0 * (sum + forced) / ipm->power_unit : 1.0;
}

/* The span of the marginal costs of all assets that are not fixed. */
static void set_price_unit(struct ipm *ipm)
{
    const struct pw_market *market = ipm->market;
    double low = INFINITY, high = -INFINITY, fee = pw_reference_largest_fee(market, ipm->q);
    for (int i = 0; i < market->n_assets; i++) {
        size_t k = pw_reference_at(market, i, ipm->q);
        if (market->p_min[k] >= market->p_max[k])
            continue;
        low = fmin(low, market->b[k] + market->a[k] * market->p_min[k]);
        high = fmax(high, market->b[k] + market->a[k] * market->p_max[k]);
    }
    double unit = low <= high ? fmax(high - low, 0.01 * fmax(fabs(low), fabs(high))) : 0.0;
    ipm->price_unit = unit > 0.0 ? unit : fee > 0.0 ? fee : 1.0;
}

/* ---- variables ---- */

static void create_variables(struct variables *v, int most)
{
    size_t count = (size_t)most;
    int **whole[] = {&v->gain, &v->loss, &v->entry, &v->source};
    double **real[] = {&v->curve,   &v->slope,     &v->low,    &v->high,  &v->s_low,
                       &v->s_high,  &v->z_low,     &v->z_high, &v->dx,    &v->dz_low,
                       &v->dz_high, &v->stiffness, &v->pull,   &v->c_low, &v->c_high};
    size_t n_whole = sizeof whole / sizeof *whole, n_real = sizeof real / sizeof *real;
    int *integers = pw_alloc(count, n_whole * sizeof(int));
    double *reals = pw_alloc(count, n_real * sizeof(double));
    for (size_t i = 0; i < n_whole; i++)
        *whole[i] = integers + i * count;
    for (size_t i = 0; i < n_real; i++)
        *real[i] = reals + i * count;
    v->sign = pw_alloc(count, 1);
}

static void destroy_variables(struct variables *v)
{
    free(v->gain);
    free(v->curve);
    free(v->sign);
}

/* The variable that comes next, in market units but for its position; fixed ones go into base and rhs. */
static void add_variable(struct ipm *ipm, int gain, int loss, int source, int sign, double low, double high)
{
    struct variables *v = &ipm->v;
    int j = v->n;
    v->gain[j] = gain;
    v->loss[j] = loss;
    v->source[j] = source;
    v->sign[j] = (signed char)sign;
    v->low[j] = fmax(low / ipm->power_unit, -ipm->unlimited);
    v->high[j] = fmin(high / ipm->power_unit, ipm->unlimited);
    v->curve[j] = v->slope[j] = 0.0;
    if (v->high[j] - v->low[j] > 1e-12 * (1.0 + fabs(v->low[j]))) {
        v->n++;
        return;
    }
    ipm->base[source] += sign * low;
    ipm->rhs[gain] -= low / ipm->power_unit;
    if (loss >= 0)
        ipm->rhs[loss] += low / ipm->power_unit;
}

static void add_assets(struct ipm *ipm)
{
    const struct pw_market *market = ipm->market;
    for (int n = 0; n < market->n_agents; n++)
        for (int i = market->asset_first[n]; i < market->asset_first[n + 1]; i++) {
            size_t k = pw_reference_at(market, i, ipm->q);
            int j = ipm->v.n;
            add_variable(ipm, n, -1, i, 1, market->p_min[k], market->p_max[k]);
            if (ipm->v.n == j)
                continue;
            ipm->v.curve[j] = market->a[k] * ipm->power_unit / ipm->price_unit;
            ipm->v.slope[j] = market->b[k] / ipm->price_unit;
        }
}

static void add_links(struct ipm *ipm)
{
    const struct pw_market *market = ipm->market;
    for (int l = 0; l < market->n_links; l++) {
        size_t k = pw_reference_at(market, l, ipm->q);
        double t_min = market->t_min[k], t_max = market->t_max[k];
        double fee = market->fee_a[k] + market->fee_b[k];
        int a = market->link_a[l], b = market->link_b[l], source = market->n_assets + l, j = ipm->v.n;
        if (fee == 0.0) {
            add_variable(ipm, b, a, source, 1, t_min, t_max);
            continue;
        }
        if (t_max > 0.0 || t_min >= 0.0)
            add_variable(ipm, b, a, source, 1, fmax(t_min, 0.0), t_max);
        if (t_min < 0.0)
            add_variable(ipm, a, b, source, -1, fmax(-t_max, 0.0), -t_min);
        for (; j < ipm->v.n; j++)
            ipm->v.slope[j] = fee / ipm->price_unit;
    }
}

static double price_gap(const struct ipm *ipm, const double *y, int j)
{
    return y[ipm->v.gain[j]] - (ipm->v.loss[j] >= 0 ? y[ipm->v.loss[j]] : 0.0);
}

static double value(const struct variables *v, int j)
{
    return v->s_low[j] < v->s_high[j] ? v->low[j] + v->s_low[j] : v->high[j] - v->s_high[j];
}

/* Prices of the pool, powers in the middle, trades not far from their lower bounds; duals that fit. */
static void set_start(struct ipm *ipm)
{
    struct variables *v = &ipm->v;
    double price = pw_reference_pool_price(ipm->market, ipm->q, ipm->candidate->p) / ipm->price_unit;
    for (int n = 0; n < ipm->market->n_agents; n++)
        ipm->y[n] = price;
    for (int j = 0; j < v->n; j++) {
        double width = v->high[j] - v->low[j];
        v->s_low[j] = v->loss[j] < 0 || v->slope[j] == 0.0 ? 0.5 * width : fmin(0.5 * width, 0.1);
        v->s_high[j] = width - v->s_low[j];
        double slope = v->curve[j] * value(v, j) + v->slope[j] - price_gap(ipm, ipm->y, j);
        v->z_low[j] = fmax(slope, 0.0) + 0.1;
        v->z_high[j] = v->z_low[j] - slope;
    }
}

/* ---- linear algebra ---- */

/* The pattern of the lower triangle: for each agent its diagonal and the links to agents of higher number. */
static void create_matrix(struct ipm *ipm)
{
    const struct pw_market *market = ipm->market;
    struct variables *v = &ipm->v;
    int n_agents = market->n_agents;
    size_t order = (size_t)n_agents;
    ipm->matrix = cholmod_allocate_sparse(order, order, order + (size_t)market->n_links, 0, 1, -1,
                                          CHOLMOD_REAL, &ipm->common);
    int *first = ipm->matrix->p, *row = ipm->matrix->i;
    int *next = pw_alloc(order + 1, sizeof *next), *entry = pw_alloc((size_t)market->n_links, sizeof *entry);
    for (int l = 0; l < market->n_links; l++)
        next[market->link_a[l] < market->link_b[l] ? market->link_a[l] : market->link_b[l]]++;
    first[0] = 0;
    for (int n = 0; n < n_agents; n++) {
        first[n + 1] = first[n] + 1 + next[n];
        next[n] = first[n];
        row[next[n]] = n;
        ipm->diagonal[n] = next[n]++;
    }
    for (int l = 0; l < market->n_links; l++) {
        int a = market->link_a[l], b = market->link_b[l];
        entry[l] = next[a < b ? a : b]++;
        row[entry[l]] = a < b ? b : a;
    }
    for (int j = 0; j < v->n; j++)
        v->entry[j] = v->loss[j] >= 0 ? entry[v->source[j] - market->n_assets] : -1;
    free(next);
    free(entry);
    ipm->factor = cholmod_analyze(ipm->matrix, &ipm->common);
}

static void set_weights(struct ipm *ipm)
{
    struct variables *v = &ipm->v;
    double *weight = ipm->matrix->x;
    memset(weight, 0, ipm->matrix->nzmax * sizeof *weight);
    for (int j = 0; j < v->n; j++) {
        v->stiffness[j] = v->curve[j] + v->z_low[j] / v->s_low[j] + v->z_high[j] / v->s_high[j] + PROXIMAL;
        double w = 1.0 / v->stiffness[j];
        weight[ipm->diagonal[v->gain[j]]] += w;
        if (v->loss[j] < 0)
            continue;
        weight[ipm->diagonal[v->loss[j]]] += w;
        weight[v->entry[j]] -= w;
    }
}

/* Lifts the diagonal until the matrix is definite: seldom more than once. True if it came out. */
static int factorise(struct ipm *ipm)
{
    set_weights(ipm);
    double *weight = ipm->matrix->x;
    for (double lift = LIFT; lift < MOST_LIFT; lift *= 100.0) {
        for (int n = 0; n < ipm->market->n_agents; n++)
            weight[ipm->diagonal[n]] += lift * weight[ipm->diagonal[n]] + LIFT_EMPTY;
        cholmod_factorize(ipm->matrix, ipm->factor, &ipm->common);
        if (ipm->common.status == CHOLMOD_OK)
            return 1;
    }
    return 0;
}

/* What misses in the balances if the powers and trades are x + dx, or x alone; the largest of it. */
static double find_rest(struct ipm *ipm, const double *dx)
{
    const struct variables *v = &ipm->v;
    memcpy(ipm->rest, ipm->rhs, (size_t)ipm->market->n_agents * sizeof(double));
    for (int j = 0; j < v->n; j++) {
        double x = value(v, j) + (dx != NULL ? dx[j] : 0.0);
        ipm->rest[v->gain[j]] -= x;
        if (v->loss[j] >= 0)
            ipm->rest[v->loss[j]] += x;
    }
    double worst = 0.0;
    for (int n = 0; n < ipm->market->n_agents; n++)
        worst = fmax(worst, fabs(ipm->rest[n]));
    return worst;
}

/* Adds the solution for the balances' rest to dy. */
static void solve_for_prices(struct ipm *ipm)
{
    size_t n_agents = (size_t)ipm->market->n_agents;
    memcpy(ipm->right->x, ipm->rest, n_agents * sizeof(double));
    cholmod_dense *found = cholmod_solve(CHOLMOD_A, ipm->factor, ipm->right, &ipm->common);
    const double *change = found->x;
    for (size_t n = 0; n < n_agents; n++)
        ipm->dy[n] += change[n];
    cholmod_free_dense(&found, &ipm->common);
}

/* Newton's direction: changes the products s z by c_low and c_high (but for second order), and makes up for
 * what is missing to the balances and to the stationarity of each variable. */
static void find_direction(struct ipm *ipm)
{
    struct variables *v = &ipm->v;
    for (int j = 0; j < v->n; j++) {
        double slope = v->curve[j] * value(v, j) + v->slope[j] - price_gap(ipm, ipm->y, j);
        v->pull[j] =
            -slope + v->z_low[j] - v->z_high[j] + v->c_low[j] / v->s_low[j] - v->c_high[j] / v->s_high[j];
    }
    memset(ipm->dy, 0, (size_t)ipm->market->n_agents * sizeof(double));
    for (int round = 0; round <= REFINEMENTS; round++) {
        for (int j = 0; j < v->n; j++)
            v->dx[j] = (v->pull[j] + price_gap(ipm, ipm->dy, j)) / v->stiffness[j];
        find_rest(ipm, v->dx);
        solve_for_prices(ipm);
    }
    for (int j = 0; j < v->n; j++) {
        v->dx[j] = (v->pull[j] + price_gap(ipm, ipm->dy, j)) / v->stiffness[j];
        v->dz_low[j] = (v->c_low[j] - v->z_low[j] * v->dx[j]) / v->s_low[j];
        v->dz_high[j] = (v->c_high[j] + v->z_high[j] * v->dx[j]) / v->s_high[j];
    }
}

/* ---- iteration ---- */

static double complementarity(const struct variables *v, double step)
{
    double sum = 0.0;
    for (int j = 0; j < v->n; j++)
        sum += (v->s_low[j] + step * v->dx[j]) * (v->z_low[j] + step * v->dz_low[j]) +
               (v->s_high[j] - step * v->dx[j]) * (v->z_high[j] + step * v->dz_high[j]);
    return sum / (2.0 * fmax(1.0, v->n));
}

/* The step, at most 1 / back_off, at which the first distance or dual comes to zero. */
static double step_to_bound(const struct variables *v, double back_off)
{
    double inverse = back_off;
    for (int j = 0; j < v->n; j++) {
        inverse = fmax(inverse, fmax(-v->dx[j] / v->s_low[j], v->dx[j] / v->s_high[j]));
        inverse = fmax(inverse, fmax(-v->dz_low[j] / v->z_low[j], -v->dz_high[j] / v->z_high[j]));
    }
    return 1.0 / inverse;
}

/* The direction towards products s z of `aim` less `corrections` times what the last direction adds to them.
 */
static void aim_at(struct ipm *ipm, double aim, double corrections)
{
    struct variables *v = &ipm->v;
    for (int j = 0; j < v->n; j++) {
        double added = corrections > 0.0 ? corrections * v->dx[j] : 0.0;
        v->c_low[j] = aim - v->s_low[j] * v->z_low[j] - added * v->dz_low[j];
        v->c_high[j] = aim - v->s_high[j] * v->z_high[j] + added * v->dz_high[j];
    }
    find_direction(ipm);
}

static double safe_step(const struct variables *v)
{
    return BACK_OFF * step_to_bound(v, BACK_OFF);
}

/* Predicts how far the products can fall, aims a little higher and corrects for what the prediction neglects.
 * Where that does not get on (short steps, or large ones to and fro: some products are far below the others),
 * aims at equal ones, and stops where the mean no longer falls. Returns the step. */
static double choose_step(struct ipm *ipm, double mu)
{
    struct variables *v = &ipm->v;
    aim_at(ipm, 0.0, 0.0);
    double step = step_to_bound(v, 1.0);
    aim_at(ipm, mu * pow(complementarity(v, step) / mu, 3.0), step * step);
    step = safe_step(v);
    if (step >= SHORT_STEP && complementarity(v, step) < PROGRESS * mu)
        return step;
    aim_at(ipm, CENTRE * mu, 0.0);
    step = safe_step(v);
    for (int k = 0; k < MAX_HALVINGS && complementarity(v, step) > mu; k++)
        step *= 0.5;
    return step;
}

static void advance(struct ipm *ipm, double step)
{
    struct variables *v = &ipm->v;
    for (int j = 0; j < v->n; j++) {
        v->s_low[j] += step * v->dx[j];
        v->s_high[j] -= step * v->dx[j];
        v->z_low[j] += step * v->dz_low[j];
        v->z_high[j] += step * v->dz_high[j];
    }
    for (int n = 0; n < ipm->market->n_agents; n++)
        ipm->y[n] += step * ipm->dy[n];
}

/* Powers, trades and prices of the current point, in the market's units. */
static void write_candidate(struct ipm *ipm)
{
    const struct pw_market *market = ipm->market;
    const struct variables *v = &ipm->v;
    struct pw_reference_solution *to = ipm->candidate;
    for (int i = 0; i < market->n_assets; i++)
        to->p[pw_reference_at(market, i, ipm->q)] = ipm->base[i];
    for (int l = 0; l < market->n_links; l++)
        to->t[pw_reference_at(market, l, ipm->q)] = ipm->base[market->n_assets + l];
    for (int j = 0; j < v->n; j++) {
        int l = v->source[j] - market->n_assets;
        double *target = l < 0 ? &to->p[pw_reference_at(market, v->source[j], ipm->q)]
                               : &to->t[pw_reference_at(market, l, ipm->q)];
        *target += v->sign[j] * value(v, j) * ipm->power_unit;
    }
    for (int n = 0; n < market->n_agents; n++)
        to->price[pw_reference_at(market, n, ipm->q)] = ipm->y[n] * ipm->price_unit;
}

/* Looks at the current point: keeps it if it is the best so far. Returns its residual. */
static double look(struct ipm *ipm, double best, struct pw_reference_solution *solution)
{
    write_candidate(ipm);
    double residual = pw_reference_kkt(ipm->market, ipm->q, ipm->candidate);
    if (residual < best)
        pw_reference_solution_copy(ipm->market, ipm->q, ipm->candidate, solution);
    return residual;
}

static double iterate(struct ipm *ipm, struct pw_reference_solution *solution)
{
    memset(ipm->v.dx, 0, (size_t)ipm->v.n * sizeof(double));
    double best = look(ipm, INFINITY, solution);
    int worse = 0;
    for (int k = 0; k < MAX_ITERATIONS && ipm->v.n > 0 && worse < MAX_WORSE; k++) {
        double mu = complementarity(&ipm->v, 0.0);
        if (mu < WORTH_LOOKING) {
            double residual = look(ipm, best, solution);
            worse = residual < best ? 0 : worse + 1;
            best = fmin(best, residual);
        }
        if (best <= GOOD_ENOUGH || !(mu > 0.0) || !factorise(ipm))
            break;
        advance(ipm, choose_step(ipm, mu));
    }
    return best;
}

static void create(struct ipm *ipm)
{
    const struct pw_market *market = ipm->market;
    size_t n_agents = (size_t)market->n_agents;
    ipm->base = pw_alloc((size_t)market->n_assets + (size_t)market->n_links, sizeof(double));
    ipm->y = pw_alloc(n_agents, sizeof(double));
    ipm->dy = pw_alloc(n_agents, sizeof(double));
    ipm->rhs = pw_alloc(n_agents, sizeof(double));
    ipm->rest = pw_alloc(n_agents, sizeof(double));
    ipm->diagonal = pw_alloc(n_agents, sizeof(int));
    ipm->candidate = pw_reference_solution_create(market);
    set_power_unit(ipm);
    set_price_unit(ipm);
    create_variables(&ipm->v, market->n_assets + 2 * market->n_links);
    add_assets(ipm);
    add_links(ipm);
    set_start(ipm);
    cholmod_start(&ipm->common);
    ipm->common.print = 0;
    create_matrix(ipm);
    ipm->right = cholmod_zeros(n_agents, 1, CHOLMOD_REAL, &ipm->common);
}

static void destroy(struct ipm *ipm)
{
    cholmod_free_dense(&ipm->right, &ipm->common);
    cholmod_free_factor(&ipm->factor, &ipm->common);
    cholmod_free_sparse(&ipm->matrix, &ipm->common);
    cholmod_finish(&ipm->common);
    destroy_variables(&ipm->v);
    pw_reference_solution_destroy(ipm->candidate);
    free(ipm->base);
    free(ipm->y);
    free(ipm->dy);
    free(ipm->rhs);
    free(ipm->rest);
    free(ipm->diagonal);
}

double pw_reference_ipm(const struct pw_market *market, int q, struct pw_reference_solution *solution)
{
    struct ipm *ipm = pw_alloc(1, sizeof *ipm);
    ipm->market = market;
    ipm->q = q;
    create(ipm);
    double residual = iterate(ipm, solution);
    destroy(ipm);
    free(ipm);
    return residual;
}
