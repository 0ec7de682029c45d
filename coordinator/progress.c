#include "coordinator/progress.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

static const double TERMINAL_PERIOD_S = 0.25, PLAIN_PERIOD_S = 2.0, QUIET_PERIOD_S = 10.0;

void pw_progress_init(struct pw_progress *progress, enum pw_progress_mode mode)
{
    *progress = (struct pw_progress){.mode = mode, .mark_excess = NAN, .latest_excess = NAN};
    progress->on_terminal = mode == PW_PROGRESS_AUTO && isatty(STDERR_FILENO);
    progress->next_s = progress->on_terminal ? TERMINAL_PERIOD_S : PLAIN_PERIOD_S;
}

static double period(const struct pw_progress *progress)
{
    if (progress->on_terminal)
        return TERMINAL_PERIOD_S;
    return progress->mode == PW_PROGRESS_PLAIN ? PLAIN_PERIOD_S : QUIET_PERIOD_S;
}

/* By which factor the worst residual exceeds its tolerance, as a logarithm. */
static double excess(const struct pw_standing *standing)
{
    double worst =
        fmax(standing->primal / standing->tolerance_primal,
             fmax(standing->dual / standing->tolerance_dual, standing->price / standing->tolerance_price));
    return log(worst);
}

/* Seconds to go if the residuals keep falling as they did since the mark; NaN where they do not. */
static double remaining_s(struct pw_progress *progress, const struct pw_standing *standing)
{
    double now = excess(standing);
    if (!isfinite(now))
        return NAN;
    int is_first = isnan(progress->latest_excess);
    if (standing->elapsed_s > 2.0 * progress->latest_s || is_first) {
        progress->mark_s = is_first ? standing->elapsed_s : progress->latest_s;
        progress->mark_excess = is_first ? now : progress->latest_excess;
        progress->latest_s = standing->elapsed_s;
        progress->latest_excess = now;
    }
    double speed = (progress->mark_excess - now) / (standing->elapsed_s - progress->mark_s);
    return speed > 0.0 && now > 0.0 ? now / speed : NAN;
}

static void print_remaining(double seconds)
{
    if (isnan(seconds))
        return;
    if (seconds < 90.0)
        fprintf(stderr, "  about %.0f s to go", ceil(seconds));
    else
        fprintf(stderr, "  about %.0f min to go", seconds / 60.0);
}

/* True, once in a while, when a line is due. */
static int is_due(struct pw_progress *progress, double elapsed_s)
{
    if (progress->mode == PW_PROGRESS_NONE || elapsed_s < progress->next_s)
        return 0;
    progress->next_s = elapsed_s + period(progress);
    fprintf(stderr, "%s%6.1f s", progress->on_terminal ? "\r\033[K" : "", elapsed_s);
    return 1;
}

static void end_line(struct pw_progress *progress)
{
    if (progress->on_terminal)
        fflush(stderr);
    else
        fputc('\n', stderr);
    progress->line_open = progress->on_terminal;
}

void pw_progress_show(struct pw_progress *progress, const struct pw_standing *standing)
{
    if (!is_due(progress, standing->elapsed_s))
        return;
    double remaining = remaining_s(progress, standing);
    fprintf(stderr, "  round %lld  %lld messages", (long long)standing->rounds,
            (long long)standing->messages);
    if (!isnan(standing->primal))
        fprintf(stderr, "  residuals/tolerances: primal %.1e dual %.1e price %.1e",
                standing->primal / standing->tolerance_primal, standing->dual / standing->tolerance_dual,
                standing->price / standing->tolerance_price);
    print_remaining(remaining);
    end_line(progress);
}

void pw_progress_count(struct pw_progress *progress, double elapsed_s, int64_t done, int64_t total,
                       int64_t before, const char *things)
{
    if (!is_due(progress, elapsed_s))
        return;
    fprintf(stderr, "  %lld of %lld %s", (long long)done, (long long)total, things);
    print_remaining(done > before ? elapsed_s * (double)(total - done) / (double)(done - before) : NAN);
    end_line(progress);
}

void pw_progress_finish(struct pw_progress *progress)
{
    if (progress->line_open)
        fputs("\r\033[K", stderr);
    progress->line_open = 0;
}
