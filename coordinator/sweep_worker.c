#include "coordinator/sweep_worker.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/market_pack.h"
#include "common/memory.h"
#include "coordinator/clock.h"
#include "coordinator/horizon.h"
#include "coordinator/reference.h"
#include "coordinator/signals.h"

enum { DIGEST = 16, SLOTS = 1 << 14 };

/* The optimum of a market met before: all points of a study see the same draws. */
struct slot {
    unsigned char digest[DIGEST];
    int is_used;
    double welfare;
};

struct pw_sweep_worker {
    struct pw_sweep *sweep;
    struct slot *slots; /* [SLOTS], by the first bytes of the digest; a newer market takes the place */
};

struct pw_sweep_worker *pw_sweep_worker_create(struct pw_sweep *sweep)
{
    struct pw_sweep_worker *worker = pw_alloc(1, sizeof *worker);
    worker->sweep = sweep;
    worker->slots = pw_alloc(SLOTS, sizeof *worker->slots);
    return worker;
}

void pw_sweep_worker_destroy(struct pw_sweep_worker *worker)
{
    free(worker->slots);
    free(worker);
}

static void digest_of(const struct pw_market *market, unsigned char digest[DIGEST])
{
    size_t size = pw_market_pack_size(market);
    unsigned char *bytes = pw_alloc(size, 1);
    pw_market_pack(market, bytes);
    crypto_generichash(digest, DIGEST, bytes, size, NULL, 0);
    free(bytes);
}

static double solve(const struct pw_market *market)
{
    struct pw_reference reference;
    struct pw_error why;
    return pw_reference_solve(market, &reference, &why) == PW_OK ? reference.social_welfare : NAN;
}

/* The optimum of a market, maybe met before; see pw_horizon_spec. */
static double optimum(void *context, const struct pw_market *market)
{
    struct pw_sweep_worker *worker = context;
    unsigned char digest[DIGEST];
    uint16_t place;
    digest_of(market, digest);
    memcpy(&place, digest, sizeof place);
    struct slot *slot = &worker->slots[place % SLOTS];
    if (!slot->is_used || memcmp(slot->digest, digest, DIGEST) != 0) {
        slot->welfare = solve(market);
        slot->is_used = 1;
        memcpy(slot->digest, digest, DIGEST);
    }
    return slot->welfare;
}

static int64_t deadline(const struct pw_sweep *sweep)
{
    double limit_ns = sweep->options->max_time_s * 1e9;
    return limit_ns > 0.0 && limit_ns < 9e18 ? sweep->start_ns + (int64_t)limit_ns : INT64_MAX;
}

int pw_sweep_must_end(const struct pw_sweep *sweep)
{
    return pw_signals_caught() || pw_clock_ns() >= deadline(sweep);
}

/* All slots of the case, in this process. PW_INFEASIBLE if one has no peers with which it could balance. */
static enum pw_code negotiate(struct pw_sweep_worker *worker, const struct pw_case *loaded,
                              struct pw_horizon *horizon, struct pw_error *err)
{
    struct pw_transport *alone = pw_transport_loopback();
    struct pw_horizon_spec spec = {.market = loaded->market,
                                   .settings = &loaded->settings,
                                   .progress = PW_PROGRESS_NONE,
                                   .deadline_ns = deadline(worker->sweep),
                                   .net = loaded->net,
                                   .profiles = loaded->profiles,
                                   .fees = loaded->fees,
                                   .transport = alone,
                                   .optimum = optimum,
                                   .context = worker};
    pw_horizon_init(horizon, &loaded->settings);
    enum pw_code code = pw_horizon_run(&spec, horizon, err);
    pw_transport_close(alone);
    return code;
}

static double mean(const double *values, int count)
{
    double sum = 0.0;
    for (int i = 0; i < count; i++)
        sum += values[i];
    return sum / count;
}

static struct pw_sweep_record extract(int64_t number, const struct pw_horizon *horizon)
{
    struct pw_summary sum = pw_outcome_sum_up(horizon->outcomes, horizon->n_done), *summary = &sum;
    double wait_s = 0.0, compute_s = 0.0;
    for (int i = 0; i < horizon->n_done; i++) {
        wait_s += mean(horizon->outcomes[i]->wait_s, sum.agents);
        compute_s += mean(horizon->outcomes[i]->compute_s, sum.agents);
    }
    return (struct pw_sweep_record){
        .run = number,
        .status = summary->status,
        .agents = summary->agents,
        .trades = summary->trades,
        .messages = summary->messages_sent,
        .messages_lost = summary->messages_lost,
        .naive_false_stops = summary->naive_false_stops,
        .convergence_time_s = summary->convergence_time_s,
        .end_time_s = summary->end_time_s,
        .naive_time_s = summary->naive_time_s,
        .iterations = summary->iterations_mean,
        .primal_residual = summary->primal_residual,
        .dual_residual = summary->dual_residual,
        .price_residual = summary->price_residual,
        .social_welfare = summary->social_welfare,
        .welfare_gap = summary->welfare_gap,
        .price_mean = summary->price_mean,
        .power_injected = summary->power_injected,
        .fees_collected = summary->fees_collected,
        .imbalance = summary->imbalance,
        .wait_s = wait_s,
        .compute_s = compute_s,
    };
}

/* A market without solution: nothing else is known. */
static struct pw_sweep_record infeasible(int64_t number)
{
    return (struct pw_sweep_record){.run = number,
                                    .status = PW_INFEASIBLE_MARKET,
                                    .convergence_time_s = NAN,
                                    .end_time_s = NAN,
                                    .naive_time_s = NAN,
                                    .iterations = NAN,
                                    .primal_residual = NAN,
                                    .dual_residual = NAN,
                                    .price_residual = NAN,
                                    .social_welfare = NAN,
                                    .welfare_gap = NAN,
                                    .price_mean = NAN,
                                    .power_injected = NAN,
                                    .fees_collected = NAN,
                                    .imbalance = NAN,
                                    .wait_s = NAN,
                                    .compute_s = NAN};
}

/* The run of a case that has been loaded. */
static enum pw_code run(struct pw_sweep_worker *worker, int64_t number, const struct pw_case *loaded,
                        struct pw_sweep_record *record, struct pw_error *err)
{
    struct pw_horizon horizon;
    enum pw_code code = negotiate(worker, loaded, &horizon, err);
    if (code == PW_OK && horizon.is_cut)
        code = PW_INTERRUPTED;
    if (code == PW_OK)
        *record = extract(number, &horizon);
    pw_horizon_release(&horizon);
    return code;
}

enum pw_code pw_sweep_worker_run(struct pw_sweep_worker *worker, int64_t number,
                                 struct pw_sweep_record *record, struct pw_error *err)
{
    struct pw_case *loaded;
    enum pw_code code = pw_sweep_load_run(worker->sweep, number, &loaded, err);
    if (code == PW_OK) {
        code = run(worker, number, loaded, record, err);
        pw_case_destroy(loaded);
    }
    if (code != PW_INFEASIBLE)
        return code;
    *record = infeasible(number);
    err->text[0] = '\0';
    return PW_OK;
}
