#include "coordinator/director.h"

#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "coordinator/clock.h"
#include "coordinator/setup.h"
#include "net_models/network.h"

/* After a snapshot that missed its tests the next one waits for at most so many checks. */
enum { MOST_CHECKS_SKIPPED = 8 };

/* Where nothing happens for longer than so many periods, checks are further apart. */
enum { CHECKS_OF_A_GAP = 4096 };

/* Ranks play by themselves through so many lookaheads. */
enum { MOST_LOOKAHEADS = 4 };

/* No run lasts longer, some 126 years: the latest times of messages sent by then still fit. */
static const double LONGEST_NS = 4e18;

enum reason { CANDIDATE, LIMIT, DEADLINE, INTERRUPT, QUIET };

struct pw_director {
    const struct pw_negotiation *negotiation;
    struct pw_tolerances tolerances;
    struct pw_course course;
    struct pw_progress progress;
    int64_t lookahead_ns;
    int64_t period_ns, check_ns, max_time_ns; /* of the checks; the next one; limit of the run's time */
    int64_t played_ns;                        /* up to which the course is known */
    int64_t started_ns;                       /* on pw_clock_ns() */
    int64_t rounds;
    enum reason reason; /* of the snapshot under way */
    int glances;        /* a glance was asked for before that */
    int settles;        /* the market ends when nothing is left to happen */
    double wanted;      /* excess at which the next snapshot is worth its while */
    int skipped;        /* checks since the last one */
    int over;
    struct pw_outcome *outcome;
};

struct pw_director *pw_director_create(const struct pw_negotiation *negotiation,
                                       const struct pw_tolerances *tolerances, int64_t lookahead_ns,
                                       int64_t check_ns)
{
    struct pw_director *director = pw_alloc(1, sizeof *director);
    int64_t sample_ns = check_ns > PW_TALLY_SAMPLES ? check_ns / PW_TALLY_SAMPLES : 1;
    director->negotiation = negotiation;
    director->tolerances = *tolerances;
    director->lookahead_ns = lookahead_ns;
    director->period_ns = sample_ns * PW_TALLY_SAMPLES;
    director->max_time_ns = (int64_t)fmin(negotiation->settings->max_time_s * 1e9, LONGEST_NS);
    director->check_ns =
        director->period_ns < director->max_time_ns ? director->period_ns : director->max_time_ns;
    director->started_ns = pw_clock_ns();
    director->settles = pw_setup_criterion(negotiation->settings) != PW_STOP_GLOBAL;
    director->wanted = INFINITY;
    pw_course_init(&director->course, negotiation->market, tolerances, sample_ns);
    pw_progress_init(&director->progress, negotiation->progress);
    return director;
}

void pw_director_destroy(struct pw_director *director)
{
    if (director == NULL)
        return;
    pw_course_finish(&director->course);
    pw_outcome_destroy(director->outcome);
    free(director);
}

struct pw_course *pw_director_course(struct pw_director *director)
{
    return &director->course;
}

static void show_progress(struct pw_director *director)
{
    const struct pw_course *course = &director->course;
    const struct pw_tolerances *tolerances = &director->tolerances;
    struct pw_residual_norms now = pw_course_residuals(course);
    struct pw_standing standing = {(double)(pw_clock_ns() - director->started_ns) * 1e-9,
                                   now.primal,
                                   now.dual,
                                   now.price,
                                   tolerances->primal,
                                   tolerances->dual,
                                   tolerances->price,
                                   director->rounds,
                                   course->sent};
    pw_progress_show(&director->progress, &standing);
}

/* Is it worth while to look whether this is the end? Depends on the course alone. */
static int looks_over(struct pw_director *director)
{
    if (director->settles || !director->course.holds)
        return 0;
    director->skipped++;
    return pw_course_excess(&director->course) <= director->wanted || director->skipped > MOST_CHECKS_SKIPPED;
}

static int at_limit(const struct pw_director *director)
{
    return director->check_ns >= director->max_time_ns ||
           director->rounds >= director->negotiation->settings->max_rounds;
}

/* One check, at its time; true if the market may be over. */
static int check(struct pw_director *director, int interrupted)
{
    show_progress(director);
    if (interrupted)
        director->reason = INTERRUPT;
    else if (at_limit(director))
        director->reason = LIMIT;
    else if (pw_clock_ns() > director->negotiation->deadline_ns)
        director->reason = DEADLINE;
    else if (looks_over(director))
        director->reason = CANDIDATE;
    else
        return 0;
    return 1;
}

/* The longer nothing has changed, the later: so that it depends on the course alone. */
static void next_check(struct pw_director *director)
{
    int64_t since_ns = director->check_ns - director->course.now_ns;
    director->check_ns += director->period_ns * (1 + since_ns / director->period_ns / CHECKS_OF_A_GAP);
    if (director->check_ns > director->max_time_ns)
        director->check_ns = director->max_time_ns;
}

/* The time up to the next check, or the rest of it if nothing is left to happen. */
static struct pw_interval next_interval(const struct pw_director *director, int64_t next_ns)
{
    return (struct pw_interval){director->played_ns, next_ns < INT64_MAX ? director->check_ns : INT64_MAX,
                                director->course.sample_ns};
}

/* What ranks have to tell before the interval can be played; PW_ORDER_PLAY if that is all here. */
static enum pw_order_kind is_missing(struct pw_director *director, const struct pw_interval *interval,
                                     int64_t first_change_ns)
{
    if (first_change_ns < interval->until_ns)
        return PW_ORDER_TELL;
    if (!pw_course_wants_moves(&director->course, interval))
        return PW_ORDER_PLAY;
    director->course.has_moves = 1;
    return PW_ORDER_MOVES;
}

/* All events up to the next check, through which ranks find their way among themselves, a lookahead at a
 * time; or as many as nobody's can reach, where most of many lookaheads might be empty. */
static struct pw_order play(const struct pw_director *director, int64_t next_ns)
{
    int64_t until_ns = director->check_ns;
    if ((until_ns - next_ns) / director->lookahead_ns >= MOST_LOOKAHEADS)
        until_ns = next_ns + director->lookahead_ns;
    return (struct pw_order){.kind = PW_ORDER_PLAY,
                             .from_ns = next_ns,
                             .until_ns = until_ns,
                             .interval = next_interval(director, next_ns)};
}

/* It was not the end, by that factor. */
static void miss(struct pw_director *director, double excess)
{
    director->wanted = pw_course_excess(&director->course) / excess;
    director->skipped = 0;
    next_check(director);
}

/* Prices across links come right last: where they are off, nobody need look at the rest. */
static enum pw_order_kind look(struct pw_director *director)
{
    director->glances = director->reason == CANDIDATE;
    return director->glances ? PW_ORDER_GLANCE : PW_ORDER_SNAPSHOT;
}

/* After a glance: true if a snapshot is to follow. */
static int has_passed(struct pw_director *director, double prices_excess)
{
    director->glances = 0;
    if (prices_excess > 1.0)
        miss(director, prices_excess);
    return prices_excess <= 1.0;
}

struct pw_order pw_director_order(struct pw_director *director, const struct pw_ranks *ranks)
{
    director->rounds = ranks->rounds;
    if (director->over)
        return (struct pw_order){.kind = PW_ORDER_STOP};
    if (director->glances && has_passed(director, ranks->prices_excess))
        return (struct pw_order){.kind = PW_ORDER_SNAPSHOT, .until_ns = director->check_ns};
    while (ranks->next_ns >= director->check_ns || ranks->next_ns == INT64_MAX) {
        struct pw_interval interval = next_interval(director, ranks->next_ns);
        enum pw_order_kind missing = is_missing(director, &interval, ranks->first_change_ns);
        if (missing != PW_ORDER_PLAY)
            return (struct pw_order){.kind = missing, .interval = interval};
        pw_course_play(&director->course, &interval);
        director->played_ns = interval.until_ns;
        if (interval.until_ns == INT64_MAX)
            director->reason = QUIET;
        if (interval.until_ns == INT64_MAX || check(director, ranks->interrupted))
            return (struct pw_order){.kind = look(director), .until_ns = interval.until_ns};
        next_check(director);
    }
    return play(director, ranks->next_ns);
}

static void fill_summary(const struct pw_director *director, struct pw_outcome *outcome, int accepted)
{
    const struct pw_course *course = &director->course;
    struct pw_summary *summary = &outcome->summary;
    double end_s = (double)(director->reason == QUIET ? course->now_ns : director->check_ns) * 1e-9;
    int quiet = director->settles && director->reason == QUIET;
    double held_s = quiet ? pw_outcome_last_settled_s(outcome) : (double)course->holds_since_ns * 1e-9;
    outcome->is_cut = director->reason == INTERRUPT || director->reason == DEADLINE;
    summary->status = director->reason == INTERRUPT ? PW_STOPPED : accepted ? PW_CONVERGED : PW_AT_LIMIT;
    summary->convergence_time_s = accepted ? (quiet || course->holds ? held_s : end_s) : NAN;
    summary->end_time_s = end_s;
    summary->naive_time_s = course->naive_ns >= 0 ? (double)course->naive_ns * 1e-9 : NAN;
    summary->naive_false_stops = course->naive_false_stops;
    summary->messages_lost = (long)course->lost;
    summary->messages_retransmitted =
        director->negotiation->settings->retransmit == PW_RETRANSMIT_NEVER ? 0 : summary->messages_lost;
    summary->wall_s = (double)(pw_clock_ns() - director->started_ns) * 1e-9;
}

static void end_series(struct pw_director *director, struct pw_outcome *outcome)
{
    const struct pw_summary *summary = &outcome->summary;
    struct pw_series *series = &director->course.series;
    struct pw_sample last = {summary->end_time_s,
                             summary->primal_residual,
                             summary->dual_residual,
                             summary->price_residual,
                             summary->social_welfare,
                             summary->messages_sent,
                             pw_outcome_active_trades(outcome)};
    pw_series_add(series, &last, 1);
    outcome->samples = series->samples;
    outcome->n_samples = series->count;
    series->samples = NULL;
}

enum pw_code pw_director_judge(struct pw_director *director, const struct pw_snapshot *snapshot,
                               struct pw_error *err)
{
    const struct pw_market *market = director->negotiation->market;
    struct pw_outcome *outcome = pw_outcome_create(market->n_agents, market->n_links, market->n_products);
    pw_judge(snapshot, &director->tolerances, outcome);
    double excess = pw_judge_excess(outcome);
    if (excess > 1.0 && director->reason == CANDIDATE) {
        pw_outcome_destroy(outcome);
        miss(director, excess);
        return PW_OK;
    }
    if (excess > 1.0 && director->reason == QUIET && !director->settles) {
        pw_outcome_destroy(outcome);
        return pw_fail(err, PW_INTERNAL, "the negotiation stands still at %g s although nothing is under way",
                       (double)director->course.now_ns * 1e-9);
    }
    director->over = 1;
    director->outcome = outcome;
    fill_summary(director, outcome, excess <= 1.0);
    end_series(director, outcome);
    pw_progress_finish(&director->progress);
    return PW_OK;
}

struct pw_outcome *pw_director_outcome(struct pw_director *director)
{
    struct pw_outcome *outcome = director->outcome;
    director->outcome = NULL;
    return outcome;
}
