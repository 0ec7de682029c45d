#include "coordinator/supervisor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "coordinator/clock.h"
#include "coordinator/stall.h"

enum { MOST_SAMPLES = 4096 };

/* After a snapshot that did not convince the next one waits until the totals have fallen by as much as it
 * missed the worst of its tests, for at least and at most this many times its duration. */
enum { SHORTEST_PAUSE = 1, LONGEST_PAUSE = 20 };

enum phase {
    RUNNING,
    GATHERING, /* a snapshot is under way */
    STOPPED,
};

/* Why a snapshot is taken. */
enum reason { CANDIDATE, LIMIT, DEADLINE, INTERRUPT, QUIET };

struct pw_supervisor {
    struct pw_supervisor_spec spec;
    int64_t start_ns;
    enum phase phase;
    enum reason reason;

    struct pw_report *reports; /* [ranks] the latest of each */
    unsigned char *heard;      /* [ranks] has reported */
    int n_heard, news;         /* a report came since the last thought */
    struct pw_totals totals;   /* over all ranks */
    double primal, dual, price;

    double excess;                      /* of the totals over their tolerances: 1 and less is within */
    int64_t holds_since;                /* when it came within, for good so far */
    double wanted;                      /* excess at which the next snapshot is worth its while */
    int64_t no_look_before, look_after; /* in any case */

    uint32_t epoch;
    int n_parts;
    int64_t asked_ns;
    struct pw_snapshot *snapshot;
    struct pw_outcome *outcome;

    struct pw_series series;
    struct pw_progress progress;
    struct pw_stall stall;
};

struct pw_supervisor *pw_supervisor_create(const struct pw_supervisor_spec *spec, int64_t start_ns)
{
    size_t ranks = (size_t)spec->transport->size;
    struct pw_supervisor *supervisor = pw_alloc(1, sizeof *supervisor);
    supervisor->spec = *spec;
    supervisor->start_ns = start_ns;
    supervisor->reports = pw_alloc(ranks, sizeof *supervisor->reports);
    supervisor->heard = pw_alloc(ranks, 1);
    supervisor->snapshot = pw_snapshot_create(spec->market, spec->is_paired);
    supervisor->primal = supervisor->dual = supervisor->price = NAN;
    supervisor->excess = supervisor->wanted = INFINITY;
    pw_series_init(&supervisor->series, MOST_SAMPLES);
    pw_progress_init(&supervisor->progress, spec->progress);
    pw_stall_init(&supervisor->stall, spec->transport, spec->stall_ns, start_ns);
    return supervisor;
}

void pw_supervisor_destroy(struct pw_supervisor *supervisor)
{
    if (supervisor == NULL)
        return;
    pw_snapshot_destroy(supervisor->snapshot);
    pw_outcome_destroy(supervisor->outcome);
    pw_series_finish(&supervisor->series);
    pw_stall_finish(&supervisor->stall);
    free(supervisor->reports);
    free(supervisor->heard);
    free(supervisor);
}

static void tell_all(struct pw_supervisor *supervisor, enum pw_tag tag, const void *bytes, size_t size)
{
    for (int r = 0; r < supervisor->spec.transport->size; r++)
        pw_transport_send(supervisor->spec.transport, r, tag, bytes, size);
}

static void fail_hard(struct pw_supervisor *supervisor, const struct pw_error *err)
{
    pw_progress_finish(&supervisor->progress);
    fprintf(stderr, "peerwatt: %s\n", err->text);
    pw_transport_abort(supervisor->spec.transport, err->code);
}

static void take_report(struct pw_supervisor *supervisor, int from, const unsigned char *bytes, size_t size)
{
    struct pw_error err;
    if (size != sizeof(struct pw_report)) {
        pw_fail(&err, PW_INTERNAL, "a report of %zu bytes from rank %d", size, from);
        fail_hard(supervisor, &err);
    }
    memcpy(&supervisor->reports[from], bytes, size);
    supervisor->n_heard += !supervisor->heard[from];
    supervisor->heard[from] = 1;
    supervisor->news = 1;
}

static void take_part(struct pw_supervisor *supervisor, int from, const unsigned char *bytes, size_t size)
{
    struct pw_error err;
    const struct pw_placement *placement = &supervisor->spec.placement;
    int first = pw_placement_first(placement, from), end = pw_placement_end(placement, from);
    if (pw_snapshot_take_in(supervisor->snapshot, first, end, bytes, size, &err) != PW_OK)
        fail_hard(supervisor, &err);
    supervisor->n_parts++;
}

void pw_supervisor_receive(struct pw_supervisor *supervisor, int from, enum pw_tag tag,
                           const unsigned char *bytes, size_t size)
{
    pw_stall_heard(&supervisor->stall, from);
    if (tag == PW_TAG_REPORT)
        take_report(supervisor, from, bytes, size);
    else if (tag == PW_TAG_SNAPSHOT)
        take_part(supervisor, from, bytes, size);
    else
        pw_stall_answer(&supervisor->stall, from, (const char *)bytes, size);
}

static void merge(struct pw_totals *sum, const struct pw_totals *part)
{
    pw_exact_merge(&sum->primal2, &part->primal2);
    pw_exact_merge(&sum->dual2, &part->dual2);
    pw_exact_merge(&sum->price2, &part->price2);
    pw_exact_merge(&sum->welfare, &part->welfare);
    sum->unsolved += part->unsolved;
    sum->settled += part->settled;
    sum->fires += part->fires;
    sum->most_fires = part->most_fires > sum->most_fires ? part->most_fires : sum->most_fires;
    sum->sent += part->sent;
}

static void add_up(struct pw_supervisor *supervisor)
{
    int ends = 2 * supervisor->spec.market->n_links;
    supervisor->totals = (struct pw_totals){0};
    for (int r = 0; r < supervisor->spec.transport->size; r++)
        merge(&supervisor->totals, &supervisor->reports[r].totals);
    int solved = supervisor->n_heard == supervisor->spec.transport->size && supervisor->totals.unsolved == 0;
    supervisor->primal = solved ? sqrt(pw_exact_value(&supervisor->totals.primal2)) : NAN;
    supervisor->dual = solved ? sqrt(pw_exact_value(&supervisor->totals.dual2)) : NAN;
    supervisor->price =
        solved ? sqrt(pw_exact_value(&supervisor->totals.price2) / (ends > 0 ? ends : 1)) : NAN;
}

static double seconds_since(const struct pw_supervisor *supervisor, int64_t now_ns)
{
    return (double)(now_ns - supervisor->start_ns) * 1e-9;
}

static void sample(struct pw_supervisor *supervisor, int64_t now_ns)
{
    struct pw_sample sample = {seconds_since(supervisor, now_ns),
                               supervisor->primal,
                               supervisor->dual,
                               supervisor->price,
                               pw_exact_value(&supervisor->totals.welfare),
                               (long)supervisor->totals.sent,
                               supervisor->spec.market->n_links - (int)(supervisor->totals.settled / 2)};
    if (!isnan(supervisor->primal))
        pw_series_add(&supervisor->series, &sample, 0);
}

static void watch_criterion(struct pw_supervisor *supervisor, int64_t now_ns)
{
    const struct pw_tolerances *tolerances = &supervisor->spec.tolerances;
    double excess = fmax(fmax(supervisor->primal / tolerances->primal, supervisor->dual / tolerances->dual),
                         supervisor->price / tolerances->price);
    if (isnan(excess))
        excess = INFINITY;
    if (excess <= 1.0 && !(supervisor->excess <= 1.0))
        supervisor->holds_since = now_ns;
    supervisor->excess = excess;
}

/* Is it worth while to take a snapshot of what may be the end? */
static int looks_over(const struct pw_supervisor *supervisor, int64_t now_ns)
{
    return !supervisor->spec.settles && supervisor->excess <= 1.0 && now_ns >= supervisor->no_look_before &&
           (supervisor->excess <= supervisor->wanted || now_ns >= supervisor->look_after);
}

/* A snapshot was taken and missed its tests by a factor. */
static void look_later(struct pw_supervisor *supervisor, double missed_by, int64_t now_ns)
{
    int64_t took = pw_clock_ns() - supervisor->asked_ns;
    supervisor->wanted = supervisor->excess / missed_by;
    supervisor->no_look_before = now_ns + SHORTEST_PAUSE * took;
    supervisor->look_after = now_ns + LONGEST_PAUSE * took;
}

static void show_progress(struct pw_supervisor *supervisor, int64_t now_ns)
{
    const struct pw_tolerances *tolerances = &supervisor->spec.tolerances;
    struct pw_standing standing = {seconds_since(supervisor, now_ns),
                                   supervisor->primal,
                                   supervisor->dual,
                                   supervisor->price,
                                   tolerances->primal,
                                   tolerances->dual,
                                   tolerances->price,
                                   supervisor->totals.most_fires,
                                   supervisor->totals.sent};
    pw_progress_show(&supervisor->progress, &standing);
}

static void gather(struct pw_supervisor *supervisor, enum reason reason, int64_t now_ns)
{
    supervisor->phase = GATHERING;
    supervisor->reason = reason;
    supervisor->n_parts = 0;
    supervisor->asked_ns = now_ns;
    supervisor->epoch++;
    tell_all(supervisor, PW_TAG_SNAPSHOT_ASK, &supervisor->epoch, sizeof supervisor->epoch);
}

static int interrupted(const struct pw_supervisor *supervisor)
{
    for (int r = 0; r < supervisor->spec.transport->size; r++) {
        if (supervisor->reports[r].interrupted)
            return 1;
    }
    return 0;
}

/* Asks for a snapshot where there is a reason to. */
static void look_for_an_end(struct pw_supervisor *supervisor, int64_t now_ns)
{
    const struct pw_supervisor_spec *spec = &supervisor->spec;
    if (interrupted(supervisor))
        gather(supervisor, INTERRUPT, now_ns);
    else if (now_ns - supervisor->start_ns > spec->max_time_ns ||
             supervisor->totals.most_fires >= spec->max_rounds)
        gather(supervisor, LIMIT, now_ns);
    else if (now_ns > spec->deadline_ns)
        gather(supervisor, DEADLINE, now_ns);
    else if (looks_over(supervisor, now_ns))
        gather(supervisor, CANDIDATE, now_ns);
}

void pw_supervisor_quiet(struct pw_supervisor *supervisor, int64_t now_ns)
{
    if (supervisor->phase == RUNNING)
        gather(supervisor, QUIET, now_ns);
}

static void fill_summary(struct pw_supervisor *supervisor, int64_t now_ns, int accepted)
{
    struct pw_summary *summary = &supervisor->outcome->summary;
    double end_s = seconds_since(supervisor, now_ns),
           held_s = supervisor->reason == QUIET ? pw_outcome_last_settled_s(supervisor->outcome)
                                                : seconds_since(supervisor, supervisor->holds_since);
    supervisor->outcome->is_cut = supervisor->reason == INTERRUPT || supervisor->reason == DEADLINE;
    summary->status = supervisor->reason == INTERRUPT ? PW_STOPPED : accepted ? PW_CONVERGED : PW_AT_LIMIT;
    int held = supervisor->reason == QUIET || supervisor->excess <= 1.0;
    summary->convergence_time_s = accepted ? (held ? fmin(held_s, end_s) : end_s) : NAN;
    summary->end_time_s = end_s;
    summary->messages_retransmitted = supervisor->spec.repeats_losses ? summary->messages_lost : 0;
    summary->naive_time_s = NAN;
    summary->wall_s = end_s;
}

static void end_series(struct pw_supervisor *supervisor)
{
    struct pw_outcome *outcome = supervisor->outcome;
    const struct pw_summary *summary = &outcome->summary;
    struct pw_sample last = {summary->end_time_s,
                             summary->primal_residual,
                             summary->dual_residual,
                             summary->price_residual,
                             summary->social_welfare,
                             (long)supervisor->totals.sent,
                             pw_outcome_active_trades(outcome)};
    pw_series_add(&supervisor->series, &last, 1);
    outcome->samples = supervisor->series.samples;
    outcome->n_samples = supervisor->series.count;
    supervisor->series.samples = NULL;
}

/* All parts of the snapshot are here: is it the end? */
static void conclude(struct pw_supervisor *supervisor, int64_t now_ns)
{
    const struct pw_market *market = supervisor->spec.market;
    struct pw_outcome *outcome = pw_outcome_create(market->n_agents, market->n_links, market->n_products);
    pw_judge(supervisor->snapshot, &supervisor->spec.tolerances, outcome);
    double excess = pw_judge_excess(outcome);
    int accepted = excess <= 1.0;
    if (!accepted && supervisor->reason == CANDIDATE) {
        pw_outcome_destroy(outcome);
        supervisor->phase = RUNNING;
        look_later(supervisor, excess, now_ns);
        return;
    }
    supervisor->outcome = outcome;
    fill_summary(supervisor, now_ns, accepted);
    end_series(supervisor);
    supervisor->phase = STOPPED;
    pw_progress_finish(&supervisor->progress);
    tell_all(supervisor, PW_TAG_STOP, NULL, 0);
}

static void watch_for_stalls(struct pw_supervisor *supervisor, int64_t now_ns)
{
    int64_t next_due_in_ns = -1;
    for (int r = 0; r < supervisor->spec.transport->size; r++) {
        if (supervisor->reports[r].next_due_in_ns > next_due_in_ns)
            next_due_in_ns = supervisor->reports[r].next_due_in_ns;
    }
    struct pw_error err;
    if (pw_stall_watch(&supervisor->stall, now_ns, supervisor->totals.fires, next_due_in_ns, &err) != PW_OK)
        fail_hard(supervisor, &err);
}

void pw_supervisor_think(struct pw_supervisor *supervisor, int64_t now_ns)
{
    if (supervisor->phase == STOPPED)
        return;
    if (supervisor->news) {
        supervisor->news = 0;
        add_up(supervisor);
        sample(supervisor, now_ns);
        watch_criterion(supervisor, now_ns);
    }
    show_progress(supervisor, now_ns);
    if (supervisor->phase == GATHERING && supervisor->n_parts == supervisor->spec.transport->size)
        conclude(supervisor, now_ns);
    else if (supervisor->phase == RUNNING)
        look_for_an_end(supervisor, now_ns);
    if (supervisor->phase != STOPPED)
        watch_for_stalls(supervisor, now_ns);
}

struct pw_outcome *pw_supervisor_outcome(struct pw_supervisor *supervisor)
{
    struct pw_outcome *outcome = supervisor->outcome;
    supervisor->outcome = NULL;
    return outcome;
}
