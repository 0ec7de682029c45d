#include "agent/local_problem.h"

#include <float.h>
#include <math.h>

/* Row sums use this many lanes on every machine, so that they round alike everywhere. */
enum { LANES = 8 };

/* After so many Newton steps, every second one halves the bracket instead. */
enum { PURE_NEWTON_STEPS = 24, MAX_STEPS = 4000 };

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) &&     \
    !defined(__SANITIZE_THREAD__)
#define PW_VECTOR __attribute__((target_clones("avx2", "default")))
#else
#define PW_VECTOR
#endif

/* Supply and sales at one price. */
struct balance {
    double low, high; /* supply minus sales, with the steps at this price at their p_min and p_max */
    double slope;     /* derivative of the same */
    double rounding;  /* below this a difference is rounding */
};

struct trade_sums {
    double sum, slope, size;
};

static inline double clip(double x, double low, double high)
{
    double y = x > low ? x : low;
    return y < high ? y : high;
}

/* Fills t with the answers of all trades to price m and sums them, their slopes and their sizes. */
PW_VECTOR
static struct trade_sums answer_trades(int n, const double *restrict target, const double *restrict slope,
                                       const double *restrict dead, const double *restrict t_min,
                                       const double *restrict t_max, double *restrict t, double m)
{
    double sum[LANES] = {0}, slopes[LANES] = {0}, size[LANES] = {0};
    int whole = n - n % LANES;
    for (int i = 0; i < n; i += LANES) {
        int lanes = i < whole ? LANES : n - whole;
        for (int j = 0; j < lanes; j++) {
            int k = i + j;
            double wish = target[k] - slope[k] * m;
            double above = wish - dead[k] > 0.0 ? wish - dead[k] : 0.0;
            double below = wish + dead[k] < 0.0 ? wish + dead[k] : 0.0;
            double soft = above + below;
            double answer = soft > t_min[k] ? soft : t_min[k];
            answer = answer < t_max[k] ? answer : t_max[k];
            double moves = fabs(wish) >= dead[k] ? slope[k] : 0.0;
            t[k] = answer;
            sum[j] += answer;
            slopes[j] += answer == soft ? moves : 0.0;
            size[j] += fabs(answer);
        }
    }
    struct trade_sums sums = {0.0, 0.0, 0.0};
    for (int j = 0; j < LANES; j++) {
        sums.sum += sum[j];
        sums.slope += slopes[j];
        sums.size += size[j];
    }
    return sums;
}

static struct balance balance_at(const struct pw_local_problem *problem, double m)
{
    struct trade_sums trades = answer_trades(problem->n_trades, problem->target, problem->slope,
                                             problem->dead, problem->t_min, problem->t_max, problem->t, m);
    double low = 0.0, high = 0.0, size = trades.size, slope = trades.slope;
    for (int i = 0; i < problem->n_assets; i++) {
        double p_min = problem->p_min[i], p_max = problem->p_max[i], a = problem->a[i], b = problem->b[i];
        double at_low = a > 0.0 ? clip((m - b) / a, p_min, p_max) : (m > b ? p_max : p_min);
        double at_high = a > 0.0 ? at_low : (m >= b ? p_max : p_min);
        if (a > 0.0 && at_low > p_min && at_low < p_max)
            slope += 1.0 / a;
        problem->p[i] = at_low;
        low += at_low;
        high += at_high;
        size += fabs(at_low) + fabs(at_high);
    }
    double rounding = DBL_EPSILON * (4.0 * size + 2.0 * fabs(m) * slope);
    return (struct balance){low - trades.sum, high - trades.sum, slope, rounding};
}

/* Where the balance starts to move again beyond a price at which everything is at a limit. */
struct kink {
    double price; /* infinite: nowhere */
    double slope; /* of the balance just beyond */
};

static void consider(struct kink *kink, double candidate, double slope, double m, int up)
{
    double ahead = up ? candidate - m : m - candidate;
    double best = up ? kink->price - m : m - kink->price;
    if (!(ahead > 0.0) || ahead > best)
        return;
    kink->slope = candidate == kink->price ? kink->slope + slope : slope;
    kink->price = candidate;
}

/* The first kink above (up) or below m at which an asset or a trade leaves a limit or its dead zone. */
static struct kink next_kink(const struct pw_local_problem *problem, double m, int up)
{
    struct kink kink = {up ? INFINITY : -INFINITY, 0.0};
    for (int i = 0; i < problem->n_assets; i++) {
        double a = problem->a[i], leaves = up ? problem->p_min[i] : problem->p_max[i];
        if (a > 0.0 && problem->p_min[i] < problem->p_max[i])
            consider(&kink, problem->b[i] + a * leaves, 1.0 / a, m, up);
    }
    for (int k = 0; k < problem->n_trades; k++) {
        double t_min = problem->t_min[k], t_max = problem->t_max[k], dead = problem->dead[k];
        double slope = problem->slope[k], sign = up ? 1.0 : -1.0;
        double leaves = up ? t_max : t_min, other = up ? t_min : t_max;
        if (!(t_min < t_max))
            continue;
        /* The wish at which the trade comes off `leaves`, then the one at which it comes off zero. */
        double side = leaves * sign > 0.0 ? sign : -sign;
        if (isfinite(leaves))
            consider(&kink, (problem->target[k] - (leaves + side * dead)) / slope, slope, m, up);
        if (leaves * sign > 0.0 && other * sign < 0.0)
            consider(&kink, (problem->target[k] + sign * dead) / slope, slope, m, up);
    }
    return kink;
}

/* The nearest step (a = 0) strictly beyond m, not beyond `limit`; `limit` if there is none. */
static double stop_at_step(const struct pw_local_problem *problem, double m, double limit, int up)
{
    for (int i = 0; i < problem->n_assets; i++) {
        double b = problem->b[i];
        if (problem->a[i] > 0.0 || !(problem->p_min[i] < problem->p_max[i]))
            continue;
        if (up ? b > m && b < limit : b < m && b > limit)
            limit = b;
    }
    return limit;
}

/* The steps at price m share what is missing to the balance. */
static void share_steps(const struct pw_local_problem *problem, double m, double missing)
{
    for (int i = 0; i < problem->n_assets && missing > 0.0; i++) {
        if (problem->a[i] > 0.0 || problem->b[i] != m)
            continue;
        double room = problem->p_max[i] - problem->p_min[i];
        double taken = missing < room ? missing : room;
        problem->p[i] = problem->p_min[i] + taken;
        missing -= taken;
    }
}

/* Newton's next price; over a flat stretch it starts from the stretch's end. */
static double newton(const struct pw_local_problem *problem, double m, const struct balance *now, int up)
{
    double miss = up ? now->high : now->low;
    double next = m - miss / now->slope;
    if (!(now->slope > 0.0)) {
        struct kink kink = next_kink(problem, m, up);
        next = isfinite(kink.price) ? kink.price - miss / kink.slope : kink.price;
    }
    return stop_at_step(problem, m, next, up);
}

/* The end of a balanced interval that is nearest to the guess. */
static double nearest_balanced(const struct pw_local_problem *problem, double m, double guess,
                               const struct balance *now)
{
    int up = guess > m;
    double miss = up ? now->high : now->low;
    if (now->slope > 0.0 || m == guess || fabs(miss) > now->rounding)
        return m;
    double end = stop_at_step(problem, m, next_kink(problem, m, up).price, up);
    return (up ? end < guess : end > guess) ? end : guess;
}

struct pw_local_solution pw_local_solve(const struct pw_local_problem *problem, double guess)
{
    if (!isfinite(guess))
        guess = 0.0; /* of an agent that has gone astray: else nothing below would ever be true */
    double below = -INFINITY, above = INFINITY, found = NAN, m = guess;
    for (int step = 1;; step++) {
        struct balance now = balance_at(problem, m);
        int up = now.high<-now.rounding, down = now.low> now.rounding;
        if (!up && !down) {
            double nearest = isnan(found) ? nearest_balanced(problem, m, guess, &now) : m;
            if (nearest == m) {
                share_steps(problem, m, -now.low);
                return (struct pw_local_solution){m, step};
            }
            found = m; /* a look at the nearest one: if m is on a kink, rounding may have led past it */
            m = nearest;
            continue;
        }
        if (!isnan(found)) {
            m = found;
            continue;
        }
        if (up)
            below = m;
        else
            above = m;
        double next = newton(problem, m, &now, up);
        int halve = step > PURE_NEWTON_STEPS && step % 2 == 0 && isfinite(below) && isfinite(above);
        if (halve || !(next > below && next < above))
            next = isfinite(below) && isfinite(above) ? below + (above - below) / 2.0 : next;
        if (!isfinite(next) || next == m || next <= below || next >= above || step == MAX_STEPS) {
            share_steps(problem, m, -now.low);
            return (struct pw_local_solution){m, step};
        }
        m = next;
    }
}
