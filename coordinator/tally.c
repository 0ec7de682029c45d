#include "coordinator/tally.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "common/prefetch.h"

/* Changes fetched into the cache so far ahead. */
enum { AHEAD = 8 };

/* The latest of an agent. */
struct standing {
    double quantity[PW_QUANTITIES];
    int32_t unsolved, settled;
};

struct pw_tally {
    double *gap2;              /* [links] */
    struct standing *standing; /* [agents] by the numbers in changes */
    struct pw_interval interval;
    int is_told; /* the interval is */
    struct pw_stretch stretches[PW_STRETCHES];
    struct pw_stretch *stretch; /* the latest; its changes are after before_ns and up to last_ns */
    int64_t before_ns, last_ns;
    struct pw_changes moves; /* of the interval, taken in: differences */
    struct pw_changes later; /* after the interval, as they came */
};

void pw_tally_destroy(struct pw_tally *tally)
{
    if (tally == NULL)
        return;
    free(tally->gap2);
    free(tally->standing);
    pw_changes_finish(&tally->moves);
    pw_changes_finish(&tally->later);
    free(tally);
}

const struct pw_changes *pw_tally_moves(const struct pw_tally *tally)
{
    return &tally->moves;
}

int64_t pw_tally_first(const struct pw_tally *tally)
{
    int64_t first_ns = tally->is_told ? INT64_MAX : pw_changes_first(&tally->moves);
    int64_t later_ns = pw_changes_first(&tally->later);
    return first_ns < later_ns ? first_ns : later_ns;
}

const struct pw_stretch *pw_tally_tell(struct pw_tally *tally)
{
    tally->is_told = 1;
    return tally->stretches;
}

/* Turns to the stretch that ends with the first sample that is not before, or is the last. */
static void find_stretch(struct pw_tally *tally, int64_t time_ns)
{
    const struct pw_interval *interval = &tally->interval;
    int64_t samples = (time_ns - interval->from_ns + interval->sample_ns - 1) / interval->sample_ns;
    if (samples < PW_TALLY_SAMPLES) {
        tally->stretch = &tally->stretches[samples];
        tally->last_ns = interval->from_ns + samples * interval->sample_ns;
        tally->before_ns = tally->last_ns - interval->sample_ns;
    } else {
        tally->stretch = &tally->stretches[PW_TALLY_SAMPLES];
        tally->last_ns = INT64_MAX;
        tally->before_ns = interval->from_ns + (PW_TALLY_SAMPLES - 1) * interval->sample_ns;
    }
}

struct pw_tally *pw_tally_create(const struct pw_market *market)
{
    struct pw_tally *tally = pw_alloc(1, sizeof *tally);
    tally->interval = (struct pw_interval){0, 0, 1};
    find_stretch(tally, 0);
    tally->gap2 = pw_alloc((size_t)market->n_links, sizeof *tally->gap2);
    tally->standing = pw_alloc((size_t)market->n_agents, sizeof *tally->standing);
    for (int n = 0; n < market->n_agents; n++)
        tally->standing[pw_market_called(market, n)].unsolved = pw_market_degree(market, n);
    return tally;
}

/* Mostly that of the change before. */
static struct pw_stretch *stretch_of(struct pw_tally *tally, int64_t time_ns)
{
    if (time_ns <= tally->before_ns || time_ns > tally->last_ns)
        find_stretch(tally, time_ns);
    return tally->stretch;
}

/* What has overflowed is very large, what is no number too. */
static double bounded(double value)
{
    return isnan(value) ? DBL_MAX : isinf(value) ? copysign(DBL_MAX, value) : value;
}

/* Replaces what a quantity was by what it is, which becomes the difference. */
static void replace(struct pw_stretch *stretch, enum pw_quantity quantity, double *was, double *is)
{
    double now = bounded(*is), move = now - *was;
    *is = move;
    if (!(fabs(move) > 0.0))
        return;
    pw_exact_add(&stretch->change[quantity], now);
    pw_exact_add(&stretch->change[quantity], -*was);
    stretch->moved[quantity] += fabs(move);
    *was = now;
}

static void replace_count(int64_t *change, int32_t *was, int32_t *is)
{
    int32_t now = *is;
    *is -= *was;
    *was = now;
    *change += *is;
}

static void take_solve(struct standing *standing, struct pw_stretch *stretch, double *gap2,
                       struct pw_solve *solve)
{
    replace(stretch, PW_PRIMAL2, &standing->quantity[PW_PRIMAL2], gap2);
    replace(stretch, PW_DUAL2, &standing->quantity[PW_DUAL2], &solve->dual2);
    replace(stretch, PW_PRICE2, &standing->quantity[PW_PRICE2], &solve->price2);
    replace(stretch, PW_NAIVE2, &standing->quantity[PW_NAIVE2], &solve->naive2);
    replace(stretch, PW_WELFARE, &standing->quantity[PW_WELFARE], &solve->welfare);
    replace_count(&stretch->unsolved, &standing->unsolved, &solve->unsolved);
    replace_count(&stretch->settled, &standing->settled, &solve->settled);
    stretch->sent += solve->sent;
    stretch->lost += solve->lost;
}

/* The change, and its solve, become differences. */
static void take(struct pw_tally *tally, struct pw_change *change, struct pw_solve *solves)
{
    struct pw_stretch *stretch = stretch_of(tally, change->time_ns);
    stretch->n_changes++;
    stretch->last_ns = change->time_ns > stretch->last_ns ? change->time_ns : stretch->last_ns;
    if (change->solve < 0)
        replace(stretch, PW_PRIMAL2, &tally->gap2[change->number], &change->gap2);
    else
        take_solve(&tally->standing[change->number], stretch, &change->gap2, &solves[change->solve]);
}

static void fetch(const struct pw_tally *tally, const struct pw_change *change)
{
    pw_prefetch(change->solve < 0 ? (const void *)&tally->gap2[change->number]
                                  : (const void *)&tally->standing[change->number]);
}

/* The list of what is for later may be taken in itself: what stays goes to its front. */
void pw_tally_take(struct pw_tally *tally, struct pw_changes *changes)
{
    size_t count = changes->count;
    pw_changes_reserve(&tally->moves, count, changes->n_solves);
    if (changes != &tally->later)
        pw_changes_reserve(&tally->later, count, changes->n_solves);
    pw_changes_clear(changes);
    for (size_t i = 0; i < count; i++) {
        struct pw_change change = changes->items[i];
        if (i + AHEAD < count)
            fetch(tally, &changes->items[i + AHEAD]);
        if (change.time_ns >= tally->interval.until_ns) {
            pw_changes_copy(&tally->later, change, changes->solves);
            continue;
        }
        take(tally, &change, changes->solves);
        pw_changes_copy(&tally->moves, change, changes->solves);
    }
}

void pw_tally_turn_to(struct pw_tally *tally, const struct pw_interval *interval)
{
    int goes_on = interval->until_ns > tally->interval.until_ns;
    if (interval->from_ns != tally->interval.from_ns)
        pw_changes_clear(&tally->moves);
    if (interval->from_ns != tally->interval.from_ns || tally->is_told) {
        for (int k = 0; k < PW_STRETCHES; k++)
            pw_stretch_clear(&tally->stretches[k]);
        tally->is_told = 0;
    }
    tally->interval = *interval;
    find_stretch(tally, interval->from_ns);
    if (goes_on)
        pw_tally_take(tally, &tally->later);
}

void pw_stretch_clear(struct pw_stretch *stretch)
{
    if (stretch->n_changes == 0)
        return;
    for (int q = 0; q < PW_QUANTITIES; q++) {
        pw_exact_clear(&stretch->change[q]);
        stretch->moved[q] = 0.0;
    }
    stretch->n_changes = stretch->unsolved = stretch->settled = stretch->sent = stretch->lost = 0;
    stretch->last_ns = 0;
}

void pw_stretch_merge(struct pw_stretch *stretch, const struct pw_stretch *other)
{
    for (int q = 0; q < PW_QUANTITIES; q++) {
        pw_exact_merge(&stretch->change[q], &other->change[q]);
        stretch->moved[q] += other->moved[q];
    }
    stretch->n_changes += other->n_changes;
    stretch->unsolved += other->unsolved;
    stretch->settled += other->settled;
    stretch->sent += other->sent;
    stretch->lost += other->lost;
    stretch->last_ns = other->last_ns > stretch->last_ns ? other->last_ns : stretch->last_ns;
}
