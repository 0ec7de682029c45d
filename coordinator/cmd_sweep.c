/* peerwatt sweep: all runs of a study, spread over the ranks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file_write.h"
#include "common/memory.h"
#include "coordinator/clock.h"
#include "coordinator/commands.h"
#include "coordinator/sweep.h"
#include "coordinator/sweep_pool.h"

static char *with_ending(const char *path, const char *ending)
{
    size_t size = strlen(path) + strlen(ending) + 1;
    char *text = pw_alloc(size, 1);
    snprintf(text, size, "%s%s", path, ending);
    return text;
}

/* What is left when this command is done: the results, or the file of a shard; for free(). */
static char *final_path(const struct pw_options *options)
{
    return options->n_shards > 0 ? pw_sweep_shard_path(options->out, options->shard, options->n_shards)
                                 : pw_strdup(options->out);
}

/* A shard that is done is its own journal: doing it again finds nothing to do. */
static void choose_journal(struct pw_sweep *sweep)
{
    char *final = final_path(sweep->options);
    if (sweep->options->n_shards > 0 && access(final, F_OK) == 0)
        sweep->journal_path = pw_strdup(final);
    else
        sweep->journal_path = with_ending(final, ".journal");
    free(final);
}

static enum pw_code open_journal(struct pw_sweep *sweep, struct pw_error *err)
{
    int64_t n_dropped;
    choose_journal(sweep);
    PW_TRY(pw_journal_open(sweep->journal_path, &sweep->spec, sweep->options->force, pw_sweep_take_record,
                           sweep, &n_dropped, &sweep->journal, err));
    if (n_dropped > 0)
        pw_warn("%s: the last %lld bytes were no whole record: run again", sweep->journal_path,
                (long long)n_dropped);
    for (int64_t i = 0; i < sweep->study->n_runs; i++)
        sweep->n_before += sweep->is_done[i];
    sweep->n_done = sweep->n_before;
    return PW_OK;
}

/* Rank 0: everything that can go wrong before the start. */
static enum pw_code prepare(struct pw_sweep *sweep, struct pw_error *err)
{
    const struct pw_options *options = sweep->options;
    if (options->out == NULL)
        return pw_fail(err, PW_USAGE, "-o OUT.h5 is missing: where do the results go?");
    PW_TRY(pw_sweep_load(sweep, err));
    PW_TRY(pw_file_write_check(options->out, options->force, err));
    if (sweep->first != NULL)
        PW_TRY(pw_case_spare_inputs(sweep->first, options->out, err));
    if (pw_file_is_same(options->out, options->case_path))
        return pw_fail(err, PW_USAGE, "%s: is the study itself: use another name", options->out);
    if (options->verbose)
        pw_settings_dump(&sweep->first->settings, stderr);
    PW_TRY(open_journal(sweep, err));
    if (sweep->n_before > 0 && !options->quiet)
        fprintf(stderr, "peerwatt: %lld of %lld runs are done already (%s)\n", (long long)sweep->n_before,
                (long long)sweep->n_wanted, sweep->journal_path);
    return PW_OK;
}

/* The journal of a whole sweep becomes the results, that of a shard stays under its final name. */
static enum pw_code finish(struct pw_sweep *sweep, const char *final, struct pw_error *err)
{
    PW_TRY(pw_journal_sync(sweep->journal, err));
    if (sweep->options->n_shards > 0) {
        if (rename(sweep->journal_path, final) != 0)
            return pw_fail(err, PW_IO, "%s: cannot be renamed to %s: %s", sweep->journal_path, final,
                           strerror(errno));
        return PW_OK;
    }
    PW_TRY(pw_sweep_write_results(sweep, err));
    unlink(sweep->journal_path);
    return PW_OK;
}

/* Rank 0: what came out. */
static enum pw_code deliver(struct pw_sweep *sweep, enum pw_code code, struct pw_error *err)
{
    char *final = final_path(sweep->options);
    if (code == PW_OK)
        code = finish(sweep, final, err);
    struct pw_error unprinted;
    int is_said = code == PW_OK || code == PW_INTERRUPTED;
    enum pw_code printed = is_said ? pw_sweep_print(sweep, code == PW_OK ? final : NULL, &unprinted) : PW_OK;
    if (printed != PW_OK)
        *err = unprinted;
    if (code == PW_INTERRUPTED)
        pw_fail(err, code, "interrupted: the same command goes on from %s", sweep->journal_path);
    free(final);
    return printed != PW_OK ? printed : code;
}

static enum pw_code execute(struct pw_sweep *sweep, struct pw_error *err)
{
    enum pw_code code = PW_OK;
    if (sweep->transport->rank == 0)
        code = prepare(sweep, err);
    pw_transport_share(sweep->transport, &code, sizeof code);
    if (code != PW_OK)
        return code;
    pw_sweep_share(sweep);
    code = pw_sweep_work(sweep, err);
    return sweep->transport->rank == 0 ? deliver(sweep, code, err) : PW_OK;
}

static enum pw_code run_sweep(const struct pw_options *options, struct pw_transport *transport,
                              struct pw_error *err)
{
    struct pw_sweep sweep = {.options = options, .transport = transport, .start_ns = pw_clock_ns()};
    enum pw_code code = execute(&sweep, err);
    pw_sweep_release(&sweep);
    return code;
}

const struct pw_command pw_cmd_sweep = {
    .name = "sweep",
    .usage = "STUDY.yaml -o OUT.h5 [options]",
    .help = "run a grid of settings, spread over the ranks",
    .story =
        "Each run is one process' work, on the virtual clock; ranks take runs as they get free. What is "
        "done\n"
        "is kept in OUT.h5.journal: the same command goes on after a kill, or after SIGUSR1 to mpirun, and\n"
        "ends with the same bytes. For job arrays --shard i/n does every n-th run; then `peerwatt merge`.\n"
        "Runs that do not converge are recorded as such and are no error.",
    .takes_case = 1,
    .options = PW_OPTIONS_CASE | PW_OPTIONS_RESULT | PW_OPTIONS_RUN | PW_OPTIONS_SWEEP,
    .lists_settings = 1,
    .on_all_ranks = 1,
    .run = run_sweep,
};
