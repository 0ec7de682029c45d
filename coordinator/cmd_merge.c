/* peerwatt merge: the shards of a sweep to one file of results. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file_write.h"
#include "common/memory.h"
#include "coordinator/clock.h"
#include "coordinator/commands.h"
#include "coordinator/sweep.h"

/* n of the name `OUT.shard-i-of-n`, 0 where it is none. */
static int shards_of(const char *name, const char *out)
{
    int shard, n_shards, end = 0;
    size_t length = strlen(out);
    if (strncmp(name, out, length) != 0 ||
        sscanf(name + length, ".shard-%d-of-%d%n", &shard, &n_shards, &end) != 2 ||
        name[length + (size_t)end])
        return 0;
    return shard >= 0 && shard < n_shards ? n_shards : 0;
}

/* In how many shards the sweep was done, from the files beside OUT. */
static enum pw_code count_shards(const char *out, int *n_shards, struct pw_error *err)
{
    const char *slash = strrchr(out, '/');
    char *folder = pw_strdup(slash != NULL ? out : ".");
    if (slash != NULL)
        folder[slash - out + 1] = '\0';
    DIR *entries = opendir(folder);
    int is_mixed = 0;
    *n_shards = 0;
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        int n = shards_of(entry->d_name, slash != NULL ? slash + 1 : out);
        is_mixed |= n > 0 && *n_shards > 0 && n != *n_shards;
        *n_shards = n > 0 ? n : *n_shards;
    }
    if (entries != NULL)
        closedir(entries);
    free(folder);
    if (is_mixed)
        return pw_fail(err, PW_IO, "%s: there are shards of several divisions (.shard-i-of-n): remove some",
                       out);
    if (*n_shards == 0)
        return pw_fail(err, PW_IO, "%s: there are no shards of it: peerwatt sweep --shard i/n leaves them",
                       out);
    return PW_OK;
}

static enum pw_code read_shard(struct pw_sweep *sweep, int shard, int n_shards, struct pw_error *err)
{
    char *path = pw_sweep_shard_path(sweep->options->out, shard, n_shards);
    sweep->spec.shard = shard;
    sweep->spec.n_shards = n_shards;
    enum pw_code code = pw_journal_read(path, &sweep->spec, pw_sweep_take_record, sweep, err);
    long missing = 0;
    for (int64_t i = shard; code == PW_OK && i < sweep->study->n_runs; i += n_shards)
        missing += !sweep->is_done[i];
    if (missing > 0)
        code = pw_fail(err, PW_IO, "%s: %ld runs are missing: do that shard again", path, missing);
    free(path);
    return code;
}

static enum pw_code merge(struct pw_sweep *sweep, struct pw_error *err)
{
    const struct pw_options *options = sweep->options;
    int n_shards;
    if (options->out == NULL)
        return pw_fail(err, PW_USAGE, "-o OUT.h5 is missing: which sweep is to be merged?");
    PW_TRY(pw_sweep_load(sweep, err));
    PW_TRY(pw_file_write_check(options->out, options->force, err));
    PW_TRY(count_shards(options->out, &n_shards, err));
    for (int i = 0; i < n_shards; i++)
        PW_TRY(read_shard(sweep, i, n_shards, err));
    sweep->n_done = sweep->n_before = sweep->n_wanted;
    PW_TRY(pw_sweep_write_results(sweep, err));
    return pw_sweep_print(sweep, options->out, err);
}

static enum pw_code run_merge(const struct pw_options *options, struct pw_transport *transport,
                              struct pw_error *err)
{
    struct pw_sweep sweep = {.options = options, .transport = transport, .start_ns = pw_clock_ns()};
    enum pw_code code = merge(&sweep, err);
    pw_sweep_release(&sweep);
    return code;
}

const struct pw_command pw_cmd_merge = {
    .name = "merge",
    .usage = "STUDY.yaml -o OUT.h5 [options]",
    .help = "put the shards of a sweep together",
    .story =
        "Reads OUT.h5.shard-0-of-n to the last, which `peerwatt sweep --shard i/n` has left, and writes\n"
        "OUT.h5, the same bytes as one sweep without shards would. Study, case and -s as for the sweep.",
    .takes_case = 1,
    .options = PW_OPTIONS_CASE | PW_OPTIONS_RESULT | PW_OPTIONS_WRITE,
    .run = run_merge,
};
