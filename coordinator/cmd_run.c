/* peerwatt run: a market, or one per time slot, from its case file to its trace. */
#include <stdio.h>
#include <stdlib.h>

#include "common/bills.h"
#include "common/case.h"
#include "common/file_write.h"
#include "common/market_pack.h"
#include "common/memory.h"
#include "common/phases.h"
#include "common/trace.h"
#include "coordinator/bulk.h"
#include "coordinator/checkpoint.h"
#include "coordinator/clock.h"
#include "coordinator/commands.h"
#include "coordinator/horizon.h"
#include "coordinator/log_view.h"
#include "coordinator/parts.h"
#include "coordinator/peers.h"
#include "coordinator/provenance.h"
#include "coordinator/setup.h"
#include "coordinator/signals.h"
#include "coordinator/summary.h"
#include "coordinator/virtual.h"

/* How ranks but 0 come by the market: rank 0 tells all of it, or hands each its part, or they make all of it
 * themselves, or their part. */
enum supply { SHARED, HANDED_OUT, DRAWN, DRAWN_IN_PART };

/* One run as rank 0 sees it; the others have only what they were given. */
struct run {
    const struct pw_options *options;
    struct pw_transport *transport;
    int64_t start_ns;
    struct pw_case *loaded;           /* rank 0 */
    struct pw_settings settings;      /* all ranks */
    struct pw_market *market;         /* all ranks; rank 0's belongs to the case */
    struct pw_net_data *net;          /* likewise */
    int is_announced;                 /* rank 0 has told its settings */
    enum supply supply;               /* all ranks */
    int in_bulk;                      /* rank 0 */
    struct pw_placed placed;          /* all ranks */
    struct pw_horizon horizon;        /* rank 0's is the result */
    struct pw_summary summary;        /* rank 0: of all slots that are done */
    struct pw_checkpoint *checkpoint; /* rank 0; NULL: none is kept */
};

static double seconds_since(int64_t start_ns)
{
    return (double)(pw_clock_ns() - start_ns) * 1e-9;
}

/* On the virtual clock ranks may be ahead of each other, by the time after which they can first hear of each
 * other. */
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
        pw_warn("a lookahead of %g s where a message takes %g s makes many ranks slow: set "
                "network.delay.min_s, or use one rank",
                lookahead_s, mean_s);
}

/* Which way the run is made; run.bulk: yes insists. */
static enum pw_code choose_path(struct run *run, struct pw_error *err)
{
    struct pw_negotiation negotiation = {
        run->market, &run->settings, PW_PROGRESS_NONE, INT64_MAX, run->net, 0, NULL, NULL};
    const char *why = "no message is ever late";
    char text[160];
    int suits = run->in_bulk = pw_bulk_suits(&negotiation, &why);
    if (run->options->verbose && run->settings.clock == PW_CLOCK_WALL)
        fprintf(stderr, "the run is made %s (%s)\n", suits ? "in bulk" : "agent by agent", why);
    if (suits || run->settings.bulk != PW_BULK_YES)
        return PW_OK;
    snprintf(text, sizeof text, "yes, but such a run cannot be made in bulk: %s", why);
    return pw_settings_fail(&run->settings, run->loaded->path, "run.bulk", err, text);
}

static void say_what_is_read(const struct run *run)
{
    say_lookahead(run);
    for (int i = 0; i < run->loaded->n_warnings; i++)
        pw_warn("%s", run->loaded->warnings[i]);
    if (!run->options->verbose)
        return;
    fprintf(stderr, "%d agents, %d links, %d ranks, messages by %s\n", run->loaded->market->n_agents,
            run->loaded->market->n_links, run->transport->size, run->transport->library);
    pw_settings_dump(&run->loaded->settings, stderr);
}

/* What rank 0 tells the others before it makes the market. */
struct announcement {
    enum supply supply;
    struct pw_settings settings;
};

/* Where the settings say what the market is, all ranks make it at the same time: in part if that will do;
 * else whole, unless they share processors. */
static enum supply choose_supply(const struct pw_transport *transport, const struct pw_settings *settings)
{
    if (transport->size == 1 || !pw_case_is_drawn(settings))
        return SHARED;
    if (pw_bulk_draws_parts(settings))
        return DRAWN_IN_PART;
    return transport->crowded ? SHARED : DRAWN;
}

/* Rank 0, once, with the settings; NULL if they are wrong. */
static void announce(void *context, const struct pw_settings *settings)
{
    struct run *run = context;
    struct announcement announcement = {0};
    if (settings != NULL)
        announcement = (struct announcement){choose_supply(run->transport, settings), *settings};
    pw_transport_share(run->transport, &announcement, sizeof announcement);
    run->is_announced = 1;
    run->supply = announcement.supply;
}

static void hear_announcement(struct run *run)
{
    struct announcement announcement = {0};
    pw_transport_share(run->transport, &announcement, sizeof announcement);
    run->supply = announcement.supply;
    struct pw_placement placement = {(int)announcement.settings.generate_agents, run->transport->size, NULL};
    struct pw_block here = pw_placement_block(&placement, run->transport->rank);
    if (run->supply == DRAWN || run->supply == DRAWN_IN_PART)
        run->market = pw_case_draw(&announcement.settings, run->supply == DRAWN ? NULL : &here);
}

/* What is written replaces neither what is read nor the other of the two. */
static enum pw_code spare_inputs(const struct run *run, struct pw_error *err)
{
    const char *out = run->options->out, *bills = run->options->bills;
    if (out != NULL)
        PW_TRY(pw_case_spare_inputs(run->loaded, out, err));
    if (bills != NULL)
        PW_TRY(pw_case_spare_inputs(run->loaded, bills, err));
    if (out != NULL && bills != NULL && pw_file_is_same(out, bills))
        return pw_fail(err, PW_USAGE, "%s: -o and --bills name the same file", bills);
    return PW_OK;
}

/* Rank 0: everything that can go wrong before the start. */
static enum pw_code prepare(struct run *run, struct pw_error *err)
{
    const struct pw_options *options = run->options;
    if (options->out != NULL)
        PW_TRY(pw_trace_check_path(options->out, options->force, err));
    if (options->bills != NULL)
        PW_TRY(pw_file_write_check(options->bills, options->force, err));
    struct pw_case_variant variant = {.path = options->case_path,
                                      .overrides = options->overrides,
                                      .n_overrides = options->n_overrides,
                                      .on_settings = announce,
                                      .context = run};
    PW_TRY(pw_case_load_variant(&variant, &run->loaded, err));
    PW_TRY(spare_inputs(run, err));
    PW_TRY(pw_peers_check(run->loaded, err));
    run->settings = run->loaded->settings;
    run->market = run->loaded->market;
    run->net = run->loaded->net;
    PW_TRY(choose_path(run, err));
    if (run->supply == DRAWN_IN_PART && !run->in_bulk)
        return pw_fail(err, PW_INTERNAL, "the other ranks have parts of a market that is not run in bulk");
    if (run->supply == SHARED && run->in_bulk && pw_bulk_takes_parts(&run->settings))
        run->supply = HANDED_OUT;
    say_what_is_read(run);
    pw_horizon_init(&run->horizon, &run->settings);
    PW_TRY(pw_checkpoint_open(run->loaded, options, &run->horizon, &run->checkpoint, err));
    if (run->horizon.n_done > 0 && !options->quiet)
        fprintf(stderr, "peerwatt: %d of %d slots are done already (%s)\n", run->horizon.n_done,
                run->horizon.count, pw_checkpoint_path(run->checkpoint));
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
    if (run->transport->rank != 0)
        pw_horizon_init(&run->horizon, &run->settings);
    if (run->transport->size == 1)
        return;
    enum pw_phase before = pw_phase_enter(PW_PHASE_SHARE);
    pw_transport_share(run->transport, &run->supply, sizeof run->supply);
    if (run->supply == SHARED)
        share_market(run);
    share_net(run);
    pw_phase_leave(before);
}

/* All ranks: each its part of the market, whose agents rank 0 has placed. */
static void hand_out(struct run *run)
{
    if (run->transport->rank == 0)
        run->placed = pw_placed_choose(run->market, &run->settings, run->in_bulk, run->transport->size);
    int is_placed = 1;
    pw_transport_share(run->transport, &is_placed, sizeof is_placed); /* however long that takes */
    const struct pw_market *whole = run->placed.market != NULL ? run->placed.market : run->market;
    enum pw_phase before = pw_phase_enter(PW_PHASE_SHARE);
    struct pw_market *part = pw_parts_hand_out(whole, run->transport, run->settings.stall_s);
    if (run->transport->rank != 0)
        run->market = part;
    pw_phase_leave(before);
}

/* All ranks: who lives where. */
static void place(struct run *run)
{
    if (run->supply == HANDED_OUT)
        hand_out(run);
    else if (!pw_case_changes_peers(&run->settings))
        run->placed = pw_placed_make(run->market, &run->settings, run->in_bulk, run->transport);
    if (run->transport->rank == 0 && run->transport->size > 1 && run->options->verbose)
        pw_placed_say(&run->placed, run->transport->size);
}

static int64_t deadline(const struct run *run)
{
    double limit_ns = run->options->max_time_s * 1e9;
    return limit_ns > 0.0 && limit_ns < 9e18 ? run->start_ns + (int64_t)limit_ns : INT64_MAX;
}

static enum pw_code keep_slot(void *context, int slot, const struct pw_outcome *outcome, struct pw_error *err)
{
    const struct run *run = context;
    const struct pw_summary *summary = &outcome->summary;
    struct pw_day day = {(int)run->settings.slots_count, run->settings.slots_length_h};
    char time[32];
    if (run->options->verbose && run->horizon.count > 1)
        fprintf(stderr, "slot %d (%s): %s after %.1f local solves per agent, price %.6g\n", slot,
                pw_day_time(&day, slot, time, sizeof time), pw_status_text(summary->status),
                summary->iterations_mean, summary->price_mean);
    return pw_checkpoint_add(run->checkpoint, slot, outcome, err);
}

static enum pw_code negotiate(struct run *run, struct pw_error *err)
{
    struct pw_horizon_spec spec = {.market = run->market,
                                   .settings = &run->settings,
                                   .progress =
                                       run->options->quiet ? PW_PROGRESS_NONE : run->options->progress,
                                   .deadline_ns = deadline(run),
                                   .net = run->net,
                                   .profiles = run->loaded != NULL ? run->loaded->profiles : NULL,
                                   .fees = run->loaded != NULL ? run->loaded->fees : NULL,
                                   .placed = &run->placed,
                                   .transport = run->transport,
                                   .optimum = pw_horizon_optimum,
                                   .done = keep_slot,
                                   .context = run};
    return pw_horizon_run(&spec, &run->horizon, err);
}

static int is_complete(const struct run *run)
{
    return run->horizon.n_done == run->horizon.count;
}

static void sum_up(struct run *run)
{
    run->summary = pw_outcome_sum_up(run->horizon.outcomes, run->horizon.n_done);
    run->summary.total_s = seconds_since(run->start_ns);
}

static enum pw_code write_bills(const struct run *run, const struct pw_bills *bills, struct pw_error *err)
{
    const struct pw_options *options = run->options;
    return options->bills == NULL ? PW_OK
                                  : pw_bills_write(bills, run->market, options->bills, options->force, err);
}

static enum pw_code write_trace(const struct run *run, const struct pw_bills *bills, struct pw_error *err)
{
    struct pw_provenance_list provenance;
    if (run->options->out == NULL)
        return PW_OK;
    pw_provenance_fill(&provenance, run->loaded, run->options, run->transport);
    struct pw_trace trace = {.market = run->market,
                             .summary = &run->summary,
                             .outcomes = run->horizon.outcomes,
                             .n_slots = run->horizon.n_done,
                             .has_slot_axis = run->settings.slots_count > 1,
                             .first_slot = run->horizon.first,
                             .slot_length_h = run->settings.slots_length_h,
                             .bills = bills,
                             .record = (enum pw_record_choice)run->settings.record,
                             .title = run->settings.name,
                             .power_unit = run->settings.power_unit,
                             .money_unit = run->settings.money_unit,
                             .provenance = provenance.entries,
                             .n_provenance = provenance.count};
    enum pw_code code = pw_trace_write(&trace, run->options->out, run->options->force, err);
    pw_provenance_release(&provenance);
    return code;
}

/* The trace and the bills, of a run that is complete. */
static enum pw_code write_files(const struct run *run, struct pw_error *err)
{
    if (run->options->out == NULL && run->options->bills == NULL && run->checkpoint == NULL)
        return PW_OK;
    struct pw_bills *bills = pw_bills_create(run->market, run->horizon.outcomes, run->horizon.n_done,
                                             run->settings.slots_length_h);
    enum pw_code code = write_trace(run, bills, err);
    if (code == PW_OK)
        code = write_bills(run, bills, err);
    if (code == PW_OK)
        pw_checkpoint_remove(run->checkpoint);
    pw_bills_destroy(bills);
    return code;
}

static void print_result(const struct run *run, const char *trace)
{
    const struct pw_summary *summary = &run->summary;
    if (run->options->json)
        pw_summary_json(summary, trace, stdout);
    else if (!run->options->quiet)
        pw_summary_text(summary, &run->settings, trace, stdout);
}

static enum pw_code verdict(const struct run *run, struct pw_error *err)
{
    const struct pw_horizon *horizon = &run->horizon;
    const struct pw_outcome *last = horizon->outcomes[horizon->n_done - 1];
    switch (run->summary.status) {
    case PW_STOPPED:
        return PW_INTERRUPTED;
    case PW_AT_LIMIT:
        if (horizon->count == 1 && last->n_links > 0 && pw_outcome_active_trades(last) == 0)
            return pw_fail(
                err, PW_LIMIT,
                "all trades have settled, but the optimality conditions do not hold to the tolerances: "
                "lower stop.trade_power, stop.trade_price or stop.share");
        return pw_fail(err, PW_LIMIT, "not converged at a limit of %s: raise it or the tolerances",
                       pw_horizon_limit(horizon, &run->settings));
    default:
        return PW_OK;
    }
}

/* A run of several slots that was cut off: nothing is lost, and nothing looks complete. */
static enum pw_code fail_cut(const struct run *run, struct pw_error *err)
{
    enum pw_code code = pw_signals_caught() ? PW_INTERRUPTED : PW_LIMIT;
    const char *path = pw_checkpoint_path(run->checkpoint);
    if (run->options->json)
        pw_summary_json_cut(code == PW_LIMIT ? PW_AT_LIMIT : PW_STOPPED, run->horizon.n_done, stdout);
    if (path[0] == '\0')
        return pw_fail(err, code, "ended after %d of %d slots, which are lost: -o OUT.h5 keeps them",
                       run->horizon.n_done, run->horizon.count);
    return pw_fail(err, code, "ended after %d of %d slots: the same command goes on from %s",
                   run->horizon.n_done, run->horizon.count, path);
}

/* Rank 0: what came out, to the disk and to the user. */
static enum pw_code deliver(struct run *run, struct pw_error *err)
{
    if (!is_complete(run))
        return fail_cut(run, err);
    sum_up(run);
    enum pw_phase before = pw_phase_enter(PW_PHASE_WRITE);
    enum pw_code code = write_files(run, err);
    pw_phase_leave(before);
    run->summary.total_s = seconds_since(run->start_ns);
    print_result(run, code == PW_OK ? run->options->out : NULL);
    return code == PW_OK ? verdict(run, err) : code;
}

/* How often an end of a link was solved for, since so many slots were done. */
static double count_end_solves(const struct run *run, int n_before)
{
    double count = 0.0;
    for (int slot = n_before; slot < run->horizon.n_done; slot++)
        for (int n = 0; n < run->market->n_agents; n++)
            count +=
                (double)run->horizon.outcomes[slot]->iterations[n] * run->horizon.outcomes[slot]->peers[n];
    return count;
}

static enum pw_code execute(struct run *run, struct pw_error *err)
{
    enum pw_code code = PW_OK;
    if (run->transport->rank == 0)
        code = prepare(run, err);
    else
        hear_announcement(run);
    if (run->transport->rank == 0 && !run->is_announced)
        announce(run, NULL);
    if (code == PW_INFEASIBLE && run->options->json)
        pw_summary_json_infeasible(err->text, stdout);
    pw_transport_share(run->transport, &code, sizeof code);
    if (code != PW_OK)
        return code;
    share_case(run);
    place(run);
    int n_before = run->horizon.n_done;
    code = negotiate(run, err);
    if (code != PW_OK)
        return code;
    if (run->transport->rank == 0)
        code = deliver(run, err);
    if (run->options->log_view)
        pw_log_view(run->transport, count_end_solves(run, n_before), stderr);
    return code;
}

static enum pw_code run_case(const struct pw_options *options, struct pw_transport *transport,
                             struct pw_error *err)
{
    struct run run = {.options = options, .transport = transport, .start_ns = pw_clock_ns()};
    if (options->log_view)
        pw_phases_start(pw_clock_ns);
    enum pw_code code = execute(&run, err);
    pw_horizon_release(&run.horizon);
    pw_placed_release(&run.placed);
    pw_checkpoint_close(run.checkpoint);
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
    .help = "negotiate a market until it clears, or one for each time slot",
    .story =
        "Alone it is one process. Under mpirun the agents are spread over the ranks; with one rank more\n"
        "than agents, each has a rank of its own. SIGUSR1 to mpirun, or INT, TERM or USR1 to a lone\n"
        "process, ends the run cleanly, with a trace of what was reached. A run of several time slots\n"
        "keeps those that are done in OUT.h5.journal instead: the same command goes on after them and ends\n"
        "with the same result.",
    .takes_case = 1,
    .options = PW_OPTIONS_CASE | PW_OPTIONS_RESULT | PW_OPTIONS_RUN | PW_OPTIONS_SLOTS,
    .lists_settings = 1,
    .on_all_ranks = 1,
    .run = run_case,
};
