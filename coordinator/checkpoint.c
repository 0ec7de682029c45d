#include "coordinator/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/journal.h"
#include "common/memory.h"
#include "common/outcome_pack.h"
#include "coordinator/journal_key.h"

struct pw_checkpoint {
    char *path;
    struct pw_journal *journal;
    int first_slot;
};

/* Who takes the slots of a journal over. */
struct taking {
    const struct pw_case *loaded;
    struct pw_horizon *horizon;
};

static int belongs(const struct taking *taking, int64_t number, const struct pw_outcome *outcome)
{
    const struct pw_market *market = taking->loaded->market;
    return outcome != NULL && number == taking->horizon->n_done && outcome->n_agents == market->n_agents &&
           outcome->n_links == market->n_links && outcome->n_products == market->n_products;
}

static int take_slot(void *context, int64_t number, const unsigned char *bytes, size_t size)
{
    struct taking *taking = context;
    struct pw_outcome *outcome = pw_outcome_unpack(bytes, size);
    if (!belongs(taking, number, outcome)) {
        pw_outcome_destroy(outcome);
        return 0;
    }
    outcome->summary.clock = pw_horizon_clock(&taking->loaded->settings);
    taking->horizon->outcomes[taking->horizon->n_done++] = outcome;
    return 1;
}

static char *choose_path(const struct pw_options *options)
{
    if (options->resume != NULL)
        return pw_strdup(options->resume);
    if (options->out == NULL)
        return NULL;
    size_t size = strlen(options->out) + sizeof ".journal";
    char *path = pw_alloc(size, 1);
    snprintf(path, size, "%s.journal", options->out);
    return path;
}

static struct pw_journal_spec spec_of(const struct pw_case *loaded, const struct pw_options *options,
                                      const struct pw_horizon *horizon)
{
    const char *digests[PW_MOST_INPUTS];
    struct pw_journal_spec spec = {.n_pieces = horizon->count, .n_shards = 1};
    for (int i = 0; i < loaded->n_inputs; i++)
        digests[i] = loaded->inputs[i].digest;
    pw_journal_key(digests, loaded->n_inputs, options, spec.key);
    return spec;
}

static enum pw_code open_journal(struct pw_checkpoint *checkpoint, const struct pw_case *loaded,
                                 const struct pw_options *options, struct pw_horizon *horizon,
                                 struct pw_error *err)
{
    struct taking taking = {loaded, horizon};
    struct pw_journal_spec spec = spec_of(loaded, options, horizon);
    int64_t n_dropped;
    if (options->resume != NULL && access(options->resume, F_OK) != 0)
        return pw_fail(err, PW_IO,
                       "%s: is not there: a run of several slots with -o OUT.h5 keeps its finished slots in "
                       "OUT.h5.journal, until it is over",
                       options->resume);
    PW_TRY(pw_journal_open(checkpoint->path, &spec, options->force, take_slot, &taking, &n_dropped,
                           &checkpoint->journal, err));
    if (n_dropped > 0)
        pw_warn("%s: %lld bytes at the end are no whole slot, which is done again", checkpoint->path,
                (long long)n_dropped);
    return PW_OK;
}

enum pw_code pw_checkpoint_open(const struct pw_case *loaded, const struct pw_options *options,
                                struct pw_horizon *horizon, struct pw_checkpoint **out, struct pw_error *err)
{
    *out = NULL;
    if (horizon->count == 1)
        return options->resume == NULL
                   ? PW_OK
                   : pw_fail(err, PW_USAGE,
                             "--resume %s: the case has one time slot (slots.count, slots.first, "
                             "slots.last): there is nothing to go on from",
                             options->resume);
    char *path = choose_path(options);
    if (path == NULL)
        return PW_OK;
    struct pw_checkpoint *checkpoint = pw_alloc(1, sizeof *checkpoint);
    checkpoint->path = path;
    checkpoint->first_slot = horizon->first;
    enum pw_code code = open_journal(checkpoint, loaded, options, horizon, err);
    if (code != PW_OK) {
        pw_checkpoint_close(checkpoint);
        return code;
    }
    *out = checkpoint;
    return PW_OK;
}

enum pw_code pw_checkpoint_add(struct pw_checkpoint *checkpoint, int slot, const struct pw_outcome *outcome,
                               struct pw_error *err)
{
    if (checkpoint == NULL)
        return PW_OK;
    size_t size = pw_outcome_pack_size(outcome);
    unsigned char *bytes = pw_alloc(size, 1);
    pw_outcome_pack(outcome, bytes);
    enum pw_code code = pw_journal_add(checkpoint->journal, slot - checkpoint->first_slot, bytes, size, err);
    free(bytes);
    return code == PW_OK ? pw_journal_sync(checkpoint->journal, err) : code;
}

const char *pw_checkpoint_path(const struct pw_checkpoint *checkpoint)
{
    return checkpoint == NULL ? "" : checkpoint->path;
}

void pw_checkpoint_remove(const struct pw_checkpoint *checkpoint)
{
    if (checkpoint != NULL)
        unlink(checkpoint->path);
}

void pw_checkpoint_close(struct pw_checkpoint *checkpoint)
{
    if (checkpoint == NULL)
        return;
    pw_journal_close(checkpoint->journal);
    free(checkpoint->path);
    free(checkpoint);
}
