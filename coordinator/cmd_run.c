/* peerwatt run: one market from its case file to its trace. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/case.h"
#include "common/market_pack.h"
#include "common/memory.h"
#include "common/trace.h"
#include "coordinator/clock.h"
#include "coordinator/commands.h"
#include "coordinator/negotiate.h"
#include "coordinator/provenance.h"
#include "coordinator/reference.h"
#include "coordinator/signals.h"
#include "coordinator/simulate.h"
#include "coordinator/summary.h"
#include "coordinator/setup.h"
#include "coordinator/virtual.h"

/* One run as rank 0 sees it; the others have only what they were given. */
struct run {
    const struct pw_options *options;
    struct pw_transport *transport;
    int64_t start_ns;
    struct pw_case *loaded;      /* rank 0 */
    struct pw_settings settings; /* all ranks */
    struct pw_market *market;    /* all ranks; rank 0's belongs to the case */
    struct pw_net_data *net;     /* likewise */
    struct pw_outcome *outcome;  /* rank 0 */
};

static double seconds_since(int64_t start_ns)
{
    return (double)(pw_clock_ns() - start_ns) * 1e-9;
}

/* On the virtual clock ranks advance together, by the time after which they can first hear of each other. */
static void say_lookahead(const struct run *run)
{
    const struct pw_settings *settings = &run->loaded->settings;
    struct pw_network network = pw_case_network(settings, run->loaded->net);
    struct pw_pace pace = pw_case_pace(settings);
    double mean_s = pw_network_mean_s(&network) + settings->compute_s;
    double lookahead_s =
        (double)pw_virtual_lookahead(&network, &pace, pw_setup_criterion(settings) != PW_STOP_GLOBAL) * 1e-9;
    if (settings->clock != PW_CLOCK_VIRTUAL)
        return;
    if (run->options->verbose)
        fprintf(stderr, "the lookahead of the virtual clock is %g s\n", lookahead_s);
    if (run->transport->size > 1 && lookahead_s < 1e-3 * mean_s)
        fprintf(
            stderr,
            "peerwatt: warning: a lookahead of %g s where a message takes %g s makes many ranks slow: set "
            "network.delay.min_s, or use one rank\n",
            lookahead_s, mean_s);
}

static void say_what_is_read(const struct run *run)
{
    say_lookahead(run);
    for (int i = 0; i < run->loaded->n_warnings; i++)
        fprintf(stderr, "peerwatt: warning: %s\n", run->loaded->warnings[i]);
    if (!run->options->verbose)
        return;
    fprintf(stderr, "%d agents, %d links, %d ranks, messages by %s\n", run->loaded->market->n_agents,
            run->loaded->market->n_links, run->transport->size, run->transport->library);
    pw_settings_dump(&run->loaded->settings, stderr);
}

/* Rank 0: everything that can go wrong before the start. */
static enum pw_code prepare(struct run *run, struct pw_error *err)
{
    const struct pw_options *options = run->options;
    if (options->out != NULL)
        PW_TRY(pw_trace_check_path(options->out, options->force, err));
    PW_TRY(pw_case_load(options->case_path, options->overrides, options->n_overrides, &run->loaded, err));
    run->settings = run->loaded->settings;
    run->market = run->loaded->market;
    run->net = run->loaded->net;
    say_what_is_read(run);
    return PW_OK;
}

/* Collective: `size` bytes of rank 0 to all; the caller frees them. */
static unsigned char *share_bytes(struct pw_transport *transport, unsigned char *bytes, size_t size)
{
    pw_transport_share(transport, &size, sizeof size);
    if (bytes == NULL)
        bytes = pw_alloc(size, 1);
    pw_transport_share(transport, bytes, size);
    return bytes;
}

static void share_market(struct run *run)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    if (run->loaded != NULL) {
        size = pw_market_pack_size(run->market);
        bytes = pw_alloc(size, 1);
        pw_market_pack(run->market, bytes);
    }
    bytes = share_bytes(run->transport, bytes, size);
    if (run->loaded == NULL)
        run->market = pw_market_unpack(bytes);
    free(bytes);
}

static void share_net(struct run *run)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    if (run->loaded != NULL) {
        size = pw_net_data_pack_size(run->net);
        bytes = pw_alloc(size, 1);
        pw_net_data_pack(run->net, bytes);
    }
    bytes = share_bytes(run->transport, bytes, size);
    if (run->loaded == NULL)
        run->net = pw_net_data_unpack(bytes);
    free(bytes);
}

/* All ranks: settings, market and what the network knows, from rank 0. */
static void share_case(struct run *run)
{
    pw_transport_share(run->transport, &run->settings, sizeof run->settings);
    if (run->transport->size == 1)
        return;
    share_market(run);
    share_net(run);
}

static int64_t deadline(const struct run *run)
{
    double limit_ns = run->options->max_time_s * 1e9;
    return limit_ns > 0.0 && limit_ns < 9e18 ? run->start_ns + (int64_t)limit_ns : INT64_MAX;
}

static void negotiate(struct run *run)
{
    struct pw_negotiation negotiation = {run->market, &run->settings,
                                         run->options->quiet ? PW_PROGRESS_NONE : run->options->progress,
                                         deadline(run), run->net};
    if (run->settings.clock == PW_CLOCK_VIRTUAL)
        pw_simulate(&negotiation, run->transport, &run->outcome);
    else
        pw_negotiate(&negotiation, run->transport, &run->outcome);
}

/* Computes the centralised optimum beside, if the case asks for it, and how far from it we ended. */
static void compare_with_optimum(const struct run *run)
{
    struct pw_summary *summary = &run->outcome->summary;
    struct pw_reference reference;
    struct pw_error why;
    int choice = run->settings.reference;
    summary->reference_welfare = summary->welfare_gap = NAN;
    if (choice == PW_REFERENCE_NO || pw_signals_caught() ||
        (choice == PW_REFERENCE_AUTO && !pw_reference_is_cheap(run->market)))
        return;
    if (pw_reference_solve(run->market, &reference, &why) != PW_OK) {
        fprintf(stderr, "peerwatt: warning: no reference: %s\n", why.text);
        return;
    }
    summary->reference_welfare = reference.social_welfare;
    double gap = reference.social_welfare - summary->social_welfare;
    summary->welfare_gap = gap == 0.0 ? 0.0 : gap / fabs(reference.social_welfare);
}

static void complete_summary(const struct run *run)
{
    struct pw_summary *summary = &run->outcome->summary;
    summary->clock = run->settings.clock == PW_CLOCK_VIRTUAL ? "virtual" : "wall";
    summary->ranks = run->transport->size;
    summary->delta = run->settings.delta;
    summary->loss = run->settings.loss;
    summary->seed = run->settings.seed;
    compare_with_optimum(run);
    summary->total_s = seconds_since(run->start_ns);
}

static enum pw_code write_trace(const struct run *run, struct pw_error *err)
{
    struct pw_provenance_list provenance;
    if (run->options->out == NULL)
        return PW_OK;
    pw_provenance_fill(&provenance, run->loaded, run->options, run->transport);
    struct pw_trace trace = {run->market,
                             run->outcome,
                             run->settings.name,
                             run->settings.power_unit,
                             run->settings.money_unit,
                             provenance.entries,
                             provenance.count};
    enum pw_code code = pw_trace_write(&trace, run->options->out, run->options->force, err);
    pw_provenance_release(&provenance);
    return code;
}

static enum pw_code print_result(const struct run *run, const char *trace, struct pw_error *err)
{
    const struct pw_summary *summary = &run->outcome->summary;
    if (run->options->json)
        pw_summary_json(summary, trace, stdout);
    else if (!run->options->quiet)
        pw_summary_text(summary, &run->settings, trace, stdout);
    if (fflush(stdout) != 0 || ferror(stdout))
        return pw_fail(err, PW_IO, "the result cannot be printed: standard output takes no more");
    return PW_OK;
}

static enum pw_code verdict(const struct run *run, struct pw_error *err)
{
    switch (run->outcome->summary.status) {
    case PW_STOPPED:
        return PW_INTERRUPTED;
    case PW_AT_LIMIT:
        if (run->outcome->n_links > 0 && pw_outcome_active_trades(run->outcome) == 0)
            return pw_fail(
                err, PW_LIMIT,
                "all trades have settled, but the optimality conditions do not hold to the tolerances: "
                "lower stop.trade_power, stop.trade_price or stop.share");
        return pw_fail(err, PW_LIMIT,
                       "not converged at a limit of time or rounds (stop.max_time_s, stop.max_rounds, "
                       "--max-time): raise it or the tolerances");
    default:
        return PW_OK;
    }
}

/* Rank 0: what came out, to the disk and to the user. */
static enum pw_code deliver(const struct run *run, struct pw_error *err)
{
    complete_summary(run);
    struct pw_error unprinted;
    enum pw_code code = write_trace(run, err);
    enum pw_code printed = print_result(run, code == PW_OK ? run->options->out : NULL, &unprinted);
    if (code != PW_OK)
        return code;
    if (printed != PW_OK)
        *err = unprinted;
    return printed == PW_OK ? verdict(run, err) : printed;
}

static enum pw_code execute(struct run *run, struct pw_error *err)
{
    enum pw_code code = PW_OK;
    if (run->transport->rank == 0)
        code = prepare(run, err);
    if (code == PW_INFEASIBLE && run->options->json)
        pw_summary_json_infeasible(err->text, stdout);
    pw_transport_share(run->transport, &code, sizeof code);
    if (code != PW_OK)
        return code;
    share_case(run);
    negotiate(run);
    return run->transport->rank == 0 ? deliver(run, err) : PW_OK;
}

static enum pw_code run_case(const struct pw_options *options, struct pw_transport *transport,
                             struct pw_error *err)
{
    struct run run = {.options = options, .transport = transport, .start_ns = pw_clock_ns()};
    enum pw_code code = execute(&run, err);
    pw_outcome_destroy(run.outcome);
    if (run.loaded == NULL) {
        pw_market_destroy(run.market);
        pw_net_data_destroy(run.net);
    }
    pw_case_destroy(run.loaded);
    return code;
}

const struct pw_command pw_cmd_run = {
    .name = "run",
    .usage = "CASE.yaml [-o TRACE.h5] [options]",
    .help = "negotiate one market until it clears",
    .story =
        "Alone it is one process. Under mpirun the agents are spread over the ranks; with one rank more\n"
        "than agents, each has a rank of its own. SIGUSR1 to mpirun, or INT, TERM or USR1 to a lone\n"
        "process, ends the run cleanly, with a trace of what was reached.",
    .takes_case = 1,
    .options = PW_OPTIONS_CASE | PW_OPTIONS_RESULT | PW_OPTIONS_RUN,
    .lists_settings = 1,
    .on_all_ranks = 1,
    .run = run_case,
};
