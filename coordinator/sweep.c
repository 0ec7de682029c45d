#include "coordinator/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "coordinator/clock.h"
#include "coordinator/journal_key.h"

double pw_sweep_elapsed_s(const struct pw_sweep *sweep)
{
    return (double)(pw_clock_ns() - sweep->start_ns) * 1e-9;
}

static enum pw_code load_point(struct pw_sweep *sweep, const int index[PW_MOST_STUDY_AXES], long replicate,
                               struct pw_case **out, struct pw_error *err)
{
    const struct pw_options *options = sweep->options;
    const struct pw_study *study = sweep->study;
    int count;
    const char **overrides =
        pw_study_overrides(study, options->overrides, options->n_overrides, index, &count);
    struct pw_case_variant variant = {.path = study->case_path,
                                      .overrides = overrides,
                                      .n_overrides = count,
                                      .inputs = &sweep->inputs,
                                      .replicate = replicate};
    enum pw_code code = pw_case_load_variant(&variant, out, err);
    free(overrides);
    return code != PW_USAGE ? code
                            : pw_study_place(study, options->overrides, options->n_overrides, index, err);
}

enum pw_code pw_sweep_load_run(struct pw_sweep *sweep, long number, struct pw_case **out,
                               struct pw_error *err)
{
    int index[PW_MOST_STUDY_AXES];
    long replicate = pw_study_point(sweep->study, number, index);
    return load_point(sweep, index, replicate, out, err);
}

/* The first run with a solution; draws may have none. */
static enum pw_code load_first(struct pw_sweep *sweep, struct pw_error *err)
{
    enum { MOST_TRIES = 1000 };
    enum pw_code code = PW_INFEASIBLE;
    for (long i = 0; code == PW_INFEASIBLE && i < sweep->study->n_runs && i < MOST_TRIES; i++)
        code = pw_sweep_load_run(sweep, i, &sweep->first, err);
    return code;
}

/* Tries each value of each axis with the first ones of the others. An infeasible market is a result. */
static enum pw_code try_values(struct pw_sweep *sweep, struct pw_error *err)
{
    const struct pw_study *study = sweep->study;
    int index[PW_MOST_STUDY_AXES] = {0};
    for (int a = 0; a < study->n_axes; a++) {
        for (int i = 0; i < study->axes[a].n_values; i++) {
            struct pw_case *loaded;
            index[a] = i;
            enum pw_code code = load_point(sweep, index, 0, &loaded, err);
            pw_case_destroy(loaded);
            if (code != PW_OK && code != PW_INFEASIBLE)
                return code;
        }
        index[a] = 0;
    }
    return PW_OK;
}

static enum pw_code read_study(struct pw_sweep *sweep, struct pw_error *err)
{
    const char *path = sweep->options->case_path;
    char digest[65];
    struct pw_text text;
    PW_TRY(pw_inputs_read(&sweep->inputs, path, &text, digest, err));
    enum pw_code code = pw_study_parse(path, text.bytes, text.size, &sweep->study, err);
    pw_text_free(&text);
    return code;
}

static void make_key(const struct pw_sweep *sweep, unsigned char key[PW_JOURNAL_KEY])
{
    int count = sweep->inputs.count;
    const char **digests = pw_alloc((size_t)count, sizeof *digests);
    for (int i = 0; i < count; i++)
        digests[i] = sweep->inputs.items[i].digest;
    pw_journal_key(digests, count, sweep->options, key);
    free(digests);
}

static void make_room(struct pw_sweep *sweep)
{
    const struct pw_options *options = sweep->options;
    int n_shards = options->n_shards > 0 ? options->n_shards : 1;
    sweep->spec = (struct pw_journal_spec){
        .n_pieces = sweep->study->n_runs, .shard = options->shard, .n_shards = n_shards};
    make_key(sweep, sweep->spec.key);
    sweep->records = pw_alloc((size_t)sweep->study->n_runs, sizeof *sweep->records);
    sweep->is_done = pw_alloc((size_t)sweep->study->n_runs, 1);
    sweep->n_wanted = (sweep->study->n_runs - options->shard + n_shards - 1) / n_shards;
}

enum pw_code pw_sweep_load(struct pw_sweep *sweep, struct pw_error *err)
{
    const struct pw_options *options = sweep->options;
    PW_TRY(read_study(sweep, err));
    PW_TRY(pw_study_check_given(sweep->study, options->overrides, options->n_overrides, err));
    PW_TRY(try_values(sweep, err));
    PW_TRY(load_first(sweep, err));
    err->text[0] = '\0'; /* of draws without solution, which are no error */
    make_room(sweep);
    return PW_OK;
}

void pw_sweep_share(struct pw_sweep *sweep)
{
    struct pw_transport *transport = sweep->transport;
    size_t size = pw_inputs_pack_size(&sweep->inputs);
    struct pw_error err;
    if (transport->size == 1)
        return;
    pw_transport_share(transport, &size, sizeof size);
    unsigned char *bytes = pw_alloc(size, 1);
    if (transport->rank == 0)
        pw_inputs_pack(&sweep->inputs, bytes);
    pw_transport_share(transport, bytes, size);
    if (transport->rank != 0) {
        sweep->inputs = pw_inputs_unpack(bytes);
        read_study(sweep, &err); /* rank 0 has found no fault in it */
    }
    free(bytes);
}

void pw_sweep_release(struct pw_sweep *sweep)
{
    pw_journal_close(sweep->journal);
    pw_case_destroy(sweep->first);
    pw_study_destroy(sweep->study);
    pw_inputs_release(&sweep->inputs);
    free(sweep->records);
    free(sweep->is_done);
    free(sweep->journal_path);
}

int pw_sweep_take_record(void *context, int64_t number, const unsigned char *bytes, size_t size)
{
    struct pw_sweep *sweep = context;
    if (size != sizeof *sweep->records)
        return 0;
    memcpy(&sweep->records[number], bytes, size);
    sweep->is_done[number] = sweep->records[number].run == number;
    return sweep->is_done[number];
}

char *pw_sweep_shard_path(const char *out, int shard, int n_shards)
{
    size_t size = strlen(out) + 64;
    char *path = pw_alloc(size, 1);
    snprintf(path, size, "%s.shard-%d-of-%d", out, shard, n_shards);
    return path;
}
