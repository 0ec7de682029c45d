#include "coordinator/horizon.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/case.h"
#include "common/market_order.h"
#include "common/memory.h"
#include "common/phases.h"
#include "coordinator/bulk.h"
#include "coordinator/clock.h"
#include "coordinator/opening.h"
#include "coordinator/peers.h"
#include "coordinator/reference.h"
#include "coordinator/setup.h"
#include "coordinator/signals.h"
#include "coordinator/simulate.h"

void pw_horizon_init(struct pw_horizon *horizon, const struct pw_settings *settings)
{
    int first = pw_case_first_slot(settings), count = pw_case_last_slot(settings) - first + 1;
    *horizon = (struct pw_horizon){.first = first, .count = count};
    horizon->outcomes = pw_alloc((size_t)count, sizeof *horizon->outcomes);
}

void pw_horizon_release(struct pw_horizon *horizon)
{
    for (int i = 0; i < horizon->n_done; i++)
        pw_outcome_destroy(horizon->outcomes[i]);
    free(horizon->outcomes);
}

static int is_reordered(const struct pw_horizon_spec *spec)
{
    return spec->placed != NULL && spec->placed->order != NULL;
}

/* Collective: the assets of the slot, from rank 0 to all. */
static void enter_slot(const struct pw_horizon_spec *spec, int slot)
{
    struct pw_market *market = spec->market;
    size_t size = (size_t)market->n_assets * (size_t)market->n_products * sizeof(double);
    int changes = spec->profiles != NULL;
    pw_profiles_apply(spec->profiles, slot, market);
    pw_transport_share(spec->transport, &changes, sizeof changes);
    if (!changes)
        return;
    pw_transport_share(spec->transport, market->p_min, size);
    pw_transport_share(spec->transport, market->p_max, size);
    pw_transport_share(spec->transport, market->a, size);
    pw_transport_share(spec->transport, market->b, size);
    if (is_reordered(spec))
        pw_market_reorder_assets(market, spec->placed->order, spec->placed->market);
}

/* Beyond this misfit a start from nothing takes fewer rounds: what stands in the way of a new price is all at
 * the old one (docs/slots.md). */
static const double MOST_MISFIT = 0.4;

/* Collective: where the slot starts from, from rank 0 to all; NULL: from nothing. */
static struct pw_start *find_start(const struct pw_horizon_spec *spec, const struct pw_horizon *horizon,
                                   int calls_suit)
{
    struct pw_start *start = NULL;
    if (spec->settings->warm_start == PW_WARM_NO || horizon->count == 1)
        return NULL;
    if (spec->transport->rank == 0 && horizon->n_done > 0)
        start = pw_start_from(horizon->outcomes[horizon->n_done - 1]);
    if (start != NULL && !calls_suit && pw_start_misfit(start, spec->market) > MOST_MISFIT) {
        pw_start_destroy(start);
        start = NULL;
    }
    return pw_start_share(start, spec->market, spec->transport);
}

/* Price calls are answered at once: they are for runs whose messages are. */
static int calls_suit(const struct pw_negotiation *negotiation)
{
    const struct pw_settings *settings = negotiation->settings;
    struct pw_network network = pw_setup_network(negotiation);
    return settings->warm_start == PW_WARM_YES && settings->clock == PW_CLOCK_WALL &&
           settings->exchange == PW_EXCHANGE_PAIRED && pw_network_is_instant(&network) &&
           pw_opening_suits(negotiation->market);
}

static struct pw_outcome *negotiate(const struct pw_horizon_spec *spec,
                                    const struct pw_negotiation *negotiation)
{
    struct pw_outcome *outcome;
    const char *why;
    if (spec->settings->clock == PW_CLOCK_VIRTUAL)
        pw_simulate(negotiation, spec->transport, &outcome);
    else if (pw_bulk_suits(negotiation, &why))
        pw_bulk_negotiate(negotiation, spec->transport, &outcome);
    else
        pw_negotiate(negotiation, spec->transport, &outcome);
    return outcome;
}

double pw_horizon_optimum(void *context, const struct pw_market *market)
{
    struct pw_reference reference;
    struct pw_error why;
    (void)context;
    if (pw_reference_solve(market, &reference, &why) == PW_OK)
        return reference.social_welfare;
    pw_warn("no reference: %s", why.text);
    return NAN;
}

/* More of the optimum than this, and than a hundred tolerances, should not be missed by a market that
 * cleared. */
static const double FAR = 0.01, MOST_TOLERANCES = 100.0;

static void warn_if_far(const struct pw_summary *summary, double tolerance)
{
    if (summary->status == PW_CONVERGED &&
        fabs(summary->welfare_gap) > fmax(FAR, MOST_TOLERANCES * tolerance))
        pw_warn("the market cleared to its tolerances, but misses the optimum by %.2g of it: tolerances go "
                "by the "
                "largest limits and costs; lower those that cannot come about, or stop.tolerance",
                fabs(summary->welfare_gap));
}

/* The centralised optimum beside, if the case asks for it, and how far from it we ended. Who sends a signal
 * does not want to wait for it: then the outcome lacks what it would have had. */
static void compare_with_optimum(const struct pw_horizon_spec *spec, const struct pw_market *market,
                                 struct pw_outcome *outcome)
{
    int choice = spec->settings->reference;
    int is_wanted =
        choice == PW_REFERENCE_YES || (choice == PW_REFERENCE_AUTO && pw_reference_is_cheap(market));
    int is_skipped = is_wanted && pw_signals_caught();
    enum pw_phase before = pw_phase_enter(PW_PHASE_REFERENCE);
    outcome->is_cut |= is_skipped;
    pw_summary_compare(&outcome->summary,
                       is_wanted && !is_skipped ? spec->optimum(spec->context, market) : NAN);
    warn_if_far(&outcome->summary, spec->settings->tolerance);
    pw_phase_leave(before);
}

/* Collective: rank 0's links of the slot, to all; none where peers do not change. Not PW_OK, on rank 0: there
 * are none that can balance; then nobody goes on. */
static enum pw_code find_peers(const struct pw_horizon_spec *spec, const struct pw_horizon *horizon,
                               struct pw_peers *peers, struct pw_error *err)
{
    enum pw_code code = PW_OK;
    *peers = (struct pw_peers){0, NULL};
    if (!pw_case_changes_peers(spec->settings))
        return PW_OK;
    struct pw_error why;
    int slot = horizon->first + horizon->n_done;
    if (spec->transport->rank == 0 && horizon->n_done == 0)
        code = pw_peers_first(spec->market, spec->settings, peers, &why);
    else if (spec->transport->rank == 0)
        code = pw_peers_next(spec->market, spec->settings, horizon->outcomes[horizon->n_done - 1], slot - 1,
                             peers, &why);
    if (code != PW_OK)
        pw_fail(err, code, "no peers found with which slot %d could balance: %.400s", slot, why.text);
    pw_transport_share(spec->transport, &code, sizeof code);
    if (code != PW_OK)
        return code;
    pw_transport_share(spec->transport, &peers->count, sizeof peers->count);
    if (spec->transport->rank != 0)
        peers->links = pw_alloc((size_t)peers->count, sizeof *peers->links);
    pw_transport_share(spec->transport, peers->links, (size_t)peers->count * sizeof *peers->links);
    return PW_OK;
}

/* The start, on the links of the slot. */
static void cut_start(const struct pw_horizon_spec *spec, const struct pw_market *market,
                      const struct pw_peers *peers, struct pw_start *start)
{
    struct pw_scales scales = pw_market_scales(market);
    double *penalty = pw_setup_penalties(spec->settings, market, &scales);
    pw_peers_cut_start(start, spec->market, peers, penalty);
    free(penalty);
}

/* A slot's market: the case's own, or in another order, or of some links only. */
static const struct pw_market *choose_market(const struct pw_horizon_spec *spec, struct pw_market *of_peers,
                                             const struct pw_peers *peers, struct pw_start *start)
{
    if (of_peers != NULL) {
        if (start != NULL)
            cut_start(spec, of_peers, peers, start);
        return of_peers;
    }
    if (!is_reordered(spec))
        return spec->market;
    if (start != NULL)
        pw_start_reorder(start, spec->placed->order, spec->market);
    return spec->placed->market;
}

/* Collective: a slot from its start to its outcome, which is on rank 0. */
static struct pw_outcome *run_slot(const struct pw_horizon_spec *spec, const struct pw_horizon *horizon,
                                   const struct pw_peers *peers, int slot)
{
    struct pw_market *of_peers = peers->links != NULL ? pw_peers_market(spec->market, peers) : NULL;
    struct pw_negotiation negotiation = {of_peers != NULL ? of_peers : spec->market,
                                         spec->settings,
                                         spec->progress,
                                         spec->deadline_ns,
                                         spec->net,
                                         slot,
                                         NULL,
                                         spec->placed != NULL ? spec->placed->block_first : NULL};
    int calls = 0, do_suit = of_peers == NULL && calls_suit(&negotiation);
    struct pw_start *start = find_start(spec, horizon, do_suit);
    if (start != NULL && do_suit)
        calls = pw_opening_make(&negotiation, spec->transport, start);
    negotiation.market = choose_market(spec, of_peers, peers, start);
    negotiation.start = start;
    struct pw_outcome *outcome = negotiate(spec, &negotiation);
    if (outcome != NULL && is_reordered(spec))
        pw_outcome_restore_order(outcome, spec->placed->order);
    if (outcome != NULL) {
        pw_opening_count(outcome, calls);
        compare_with_optimum(spec, of_peers != NULL ? of_peers : spec->market, outcome);
    }
    if (outcome != NULL && of_peers != NULL)
        pw_peers_widen_outcome(outcome, spec->market, peers);
    pw_start_destroy(start);
    pw_market_destroy(of_peers);
    return outcome;
}

const char *pw_horizon_limit(const struct pw_horizon *horizon, const struct pw_settings *settings)
{
    for (int k = 0; k < horizon->n_done; k++) {
        const struct pw_outcome *outcome = horizon->outcomes[k];
        for (int n = 0; outcome->summary.status == PW_AT_LIMIT && n < outcome->n_agents; n++) {
            if (outcome->iterations[n] >= settings->max_rounds)
                return "rounds (stop.max_rounds)";
        }
    }
    return "time (stop.max_time_s, --max-time)";
}

const char *pw_horizon_clock(const struct pw_settings *settings)
{
    return settings->clock == PW_CLOCK_VIRTUAL ? "virtual" : "wall";
}

static void describe(const struct pw_horizon_spec *spec, struct pw_outcome *outcome)
{
    const struct pw_settings *settings = spec->settings;
    struct pw_summary *summary = &outcome->summary;
    summary->clock = pw_horizon_clock(settings);
    summary->ranks = spec->transport->size;
    summary->delta = settings->delta;
    summary->loss = settings->loss;
    summary->seed = settings->seed;
    if (spec->fees != NULL)
        pw_fees_collect(spec->fees, spec->market, outcome->trade, summary->fees_by_kind);
}

/* Rank 0: what becomes of a slot's outcome. */
static enum pw_code keep(const struct pw_horizon_spec *spec, struct pw_horizon *horizon,
                         struct pw_outcome *outcome, struct pw_error *err)
{
    horizon->is_cut = outcome->is_cut;
    if (horizon->is_cut && horizon->count > 1) {
        pw_outcome_destroy(outcome);
        return PW_OK;
    }
    describe(spec, outcome);
    horizon->outcomes[horizon->n_done++] = outcome;
    int slot = horizon->first + horizon->n_done - 1;
    return spec->done == NULL ? PW_OK : spec->done(spec->context, slot, outcome, err);
}

/* Collective: whether there is another slot to run. */
static int goes_on(const struct pw_horizon_spec *spec, const struct pw_horizon *horizon, enum pw_code code,
                   int *slot)
{
    int more = code == PW_OK && !horizon->is_cut && horizon->n_done < horizon->count;
    *slot = horizon->first + horizon->n_done;
    pw_transport_share(spec->transport, &more, sizeof more);
    pw_transport_share(spec->transport, slot, sizeof *slot);
    return more;
}

enum pw_code pw_horizon_run(const struct pw_horizon_spec *spec, struct pw_horizon *horizon,
                            struct pw_error *err)
{
    enum pw_code code = PW_OK;
    struct pw_progress progress;
    int64_t start_ns = pw_clock_ns();
    int slot, n_before = horizon->n_done;
    pw_progress_init(&progress, horizon->count > 1 ? spec->progress : PW_PROGRESS_NONE);
    while (goes_on(spec, horizon, code, &slot)) {
        struct pw_peers peers;
        enter_slot(spec, slot);
        code = find_peers(spec, horizon, &peers, err);
        struct pw_outcome *outcome = code == PW_OK ? run_slot(spec, horizon, &peers, slot) : NULL;
        pw_progress_finish(&progress);
        if (outcome != NULL) {
            code = keep(spec, horizon, outcome, err);
            pw_progress_count(&progress, (double)(pw_clock_ns() - start_ns) * 1e-9, horizon->n_done,
                              horizon->count, n_before, "slots");
        }
        free(peers.links);
    }
    pw_progress_finish(&progress);
    pw_transport_share(spec->transport, &code, sizeof code);
    return code;
}
