#include "coordinator/bulk_chair.h"

#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "coordinator/judge.h"
#include "coordinator/progress.h"
#include "coordinator/series.h"
#include "coordinator/setup.h"

enum { MOST_SAMPLES = 4096 };

/* The next round is looked at closely if this one, as far as it was looked at, is within so many times of
 * what ends the run, or if it will be within by the fall from the round before: one that swings is there only
 * for a round or two. */
static const double NEAR = 1.25;

/* A round within this share of what ends the run is always judged: at their own pace ranks' words can be
 * older than what is judged, and say nothing of how far it misses. */
static const double LEAST_WANTED = 1e-3;

enum reason { NONE, CANDIDATE, LIMIT, DEADLINE, INTERRUPT };

struct pw_bulk_chair {
    const struct pw_market *market;
    struct pw_tolerances tolerances;
    int by_trade;  /* ends when all trades are at rest; else by residuals and mismatch */
    int settles;   /* then all trades count as settled */
    int in_step;   /* all ranks make each round together */
    int continues; /* starts from results, where the first round that can end it may */
    int64_t start_ns, max_time_ns, deadline_ns;
    long max_rounds;

    enum reason reason;
    double end_s;  /* of the round that may be the last */
    int end_round; /* which one that is */
    double excess; /* of that round over what ends the run: 1 and less is within */
    double before; /* of the round before; NaN: there is none */
    double wanted; /* excess at which the run may end */
    long messages;
    struct pw_snapshot *snapshot; /* while it is taken */
    struct pw_outcome *outcome;
    struct pw_series series;
    struct pw_progress progress;
};

struct pw_bulk_chair *pw_bulk_chair_create(const struct pw_negotiation *negotiation,
                                           const struct pw_scales *scales, int in_step, int64_t start_ns)
{
    const struct pw_settings *settings = negotiation->settings;
    struct pw_bulk_chair *chair = pw_alloc(1, sizeof *chair);
    chair->market = negotiation->market;
    chair->tolerances = pw_tolerances_of(settings, negotiation->market, scales);
    chair->by_trade = settings->criterion == PW_CRITERION_TRADE;
    chair->settles = pw_setup_criterion(settings) == PW_STOP_TRADE;
    chair->in_step = in_step;
    chair->continues = negotiation->start != NULL;
    chair->start_ns = start_ns;
    chair->max_time_ns = (int64_t)fmin(settings->max_time_s * 1e9, 9e18);
    chair->deadline_ns = negotiation->deadline_ns;
    chair->max_rounds = settings->max_rounds;
    chair->before = NAN;
    chair->wanted = 1.0;
    pw_series_init(&chair->series, MOST_SAMPLES);
    pw_progress_init(&chair->progress, negotiation->progress);
    return chair;
}

void pw_bulk_chair_destroy(struct pw_bulk_chair *chair)
{
    if (chair == NULL)
        return;
    pw_snapshot_destroy(chair->snapshot);
    pw_outcome_destroy(chair->outcome);
    pw_series_finish(&chair->series);
    free(chair);
}

/* Residuals of the whole market after a round; NaN before there are any. */
struct norms {
    double primal, dual, price;
};

static struct norms norms_of(const struct pw_bulk_chair *chair, const struct pw_bulk_round *round)
{
    double ends = fmax(1.0, 2.0 * chair->market->n_links);
    if (round->rounds < 2)
        return (struct norms){NAN, NAN, NAN};
    return (struct norms){sqrt(round->sums.gap2 / 2.0), sqrt(round->sums.dual2),
                          round->closely ? sqrt(round->sums.price2 / ends) : NAN};
}

static void show(struct pw_bulk_chair *chair, const struct norms *norms, const struct pw_bulk_round *round,
                 double now_s)
{
    const struct pw_tolerances *tolerances = &chair->tolerances;
    struct pw_standing standing = {now_s,
                                   norms->primal,
                                   norms->dual,
                                   norms->price,
                                   tolerances->primal,
                                   tolerances->dual,
                                   tolerances->price,
                                   round->rounds,
                                   chair->messages};
    struct pw_sample sample = {
        now_s,           norms->primal,         norms->dual, norms->price, round->sums.welfare,
        chair->messages, chair->market->n_links};
    pw_progress_show(&chair->progress, &standing);
    if (!isnan(norms->primal))
        pw_series_add(&chair->series, &sample, 0);
}

/* Why the run may end here. A deadline once passed stays the reason: the next round would be looked at
 * closely only for its sake. */
static enum reason look(const struct pw_bulk_chair *chair, const struct pw_bulk_round *round, int64_t now_ns)
{
    if (round->interrupted)
        return INTERRUPT;
    if (now_ns > chair->deadline_ns)
        return DEADLINE;
    if (now_ns - chair->start_ns > chair->max_time_ns || round->rounds >= chair->max_rounds)
        return LIMIT;
    return chair->excess <= chair->wanted ? CANDIDATE : NONE;
}

/* By how much a round misses the end, or, where it was not looked at closely, by how much at least. By trade
 * the residuals only say when to look. */
static double excess_of(const struct pw_bulk_chair *chair, const struct norms *norms,
                        const struct pw_bulk_round *round)
{
    double power = fmax(norms->primal / chair->tolerances.primal, norms->dual / chair->tolerances.dual);
    double price = fmax(norms->price, round->sums.mismatch) / chair->tolerances.price;
    if (round->rounds < 2 || isnan(norms->primal + norms->dual))
        return INFINITY;
    if (!chair->by_trade)
        return fmax(power, price);
    return round->closely || power <= NEAR ? round->sums.excess : INFINITY;
}

/* Whether the next round may be the last. */
static int is_near(const struct pw_bulk_chair *chair, const struct pw_bulk_round *round)
{
    double next = 2.0 * chair->excess - chair->before;
    return fmin(chair->excess / NEAR, next) <= chair->wanted || round->rounds + 1 >= chair->max_rounds ||
           (chair->continues && round->rounds == 1);
}

enum pw_bulk_verdict pw_bulk_chair_round(struct pw_bulk_chair *chair, const struct pw_bulk_round *round,
                                         int64_t now_ns)
{
    struct norms norms = norms_of(chair, round);
    double now_s = (double)(now_ns - chair->start_ns) * 1e-9;
    chair->messages = 2L * chair->market->n_links * (round->rounds + 1L);
    chair->excess = excess_of(chair, &norms, round);
    show(chair, &norms, round, now_s);
    chair->reason = look(chair, round, now_ns);
    chair->end_s = now_s;
    if (chair->reason != NONE && round->closely) {
        chair->end_round = round->rounds;
        return PW_BULK_SHOW;
    }
    int closely = chair->reason != NONE || is_near(chair, round);
    chair->before = isfinite(chair->excess) ? chair->excess : NAN;
    return closely ? PW_BULK_CLOSELY : PW_BULK_GO_ON;
}

double pw_bulk_chair_settled_s(const struct pw_bulk_chair *chair)
{
    return chair->settles && chair->reason == CANDIDATE ? chair->end_s : NAN;
}

enum pw_code pw_bulk_chair_take(struct pw_bulk_chair *chair, int first, int end, const unsigned char *bytes,
                                size_t size, struct pw_error *err)
{
    if (chair->snapshot == NULL)
        chair->snapshot = chair->in_step ? pw_snapshot_create_in_step(chair->market, chair->end_round,
                                                                      pw_bulk_chair_settled_s(chair))
                                         : pw_snapshot_create(chair->market, 1);
    return pw_snapshot_take_in(chair->snapshot, first, end, bytes, size, err);
}

static void fill_summary(struct pw_bulk_chair *chair, int accepted)
{
    struct pw_summary *summary = &chair->outcome->summary;
    chair->outcome->is_cut = chair->reason == INTERRUPT || chair->reason == DEADLINE;
    summary->status = chair->reason == INTERRUPT ? PW_STOPPED : accepted ? PW_CONVERGED : PW_AT_LIMIT;
    summary->convergence_time_s = accepted ? chair->end_s : NAN;
    summary->end_time_s = summary->wall_s = chair->end_s;
    summary->naive_time_s = NAN;
}

static void end_series(struct pw_bulk_chair *chair)
{
    struct pw_outcome *outcome = chair->outcome;
    const struct pw_summary *summary = &outcome->summary;
    struct pw_sample last = {chair->end_s,
                             summary->primal_residual,
                             summary->dual_residual,
                             summary->price_residual,
                             summary->social_welfare,
                             chair->messages,
                             pw_outcome_active_trades(outcome)};
    pw_series_add(&chair->series, &last, 1);
    outcome->samples = chair->series.samples;
    outcome->n_samples = chair->series.count;
    chair->series.samples = NULL;
}

enum pw_bulk_verdict pw_bulk_chair_conclude(struct pw_bulk_chair *chair)
{
    const struct pw_market *market = chair->market;
    struct pw_outcome *outcome = pw_outcome_create(market->n_agents, market->n_links, market->n_products);
    pw_judge(chair->snapshot, &chair->tolerances, outcome);
    pw_snapshot_destroy(chair->snapshot);
    chair->snapshot = NULL;
    double missed_by = pw_judge_excess(outcome);
    if (missed_by > 1.0 && chair->reason == CANDIDATE) {
        pw_outcome_destroy(outcome);
        if (isfinite(missed_by)) /* else some trade has not been solved for yet */
            chair->wanted = fmax(fmin(chair->excess, 1.0) / missed_by, LEAST_WANTED);
        return PW_BULK_CLOSELY;
    }
    chair->outcome = outcome;
    fill_summary(chair, missed_by <= 1.0);
    end_series(chair);
    pw_progress_finish(&chair->progress);
    return PW_BULK_OVER;
}

struct pw_outcome *pw_bulk_chair_outcome(struct pw_bulk_chair *chair)
{
    struct pw_outcome *outcome = chair->outcome;
    chair->outcome = NULL;
    return outcome;
}
