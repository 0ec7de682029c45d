/* The finished slots of a run of many, kept in a journal, so that a run that was stopped or killed goes on
 * and ends with the same result. Rank 0 only. */
#ifndef PW_CHECKPOINT_H
#define PW_CHECKPOINT_H

#include "common/case.h"
#include "coordinator/horizon.h"
#include "coordinator/options.h"

struct pw_checkpoint;

/* Opens the journal of the run, `--resume FILE` or else `OUT.journal` where a trace is written, or starts it,
 * and gives the horizon the slots that are in it. *out is for pw_checkpoint_close(), NULL where nothing is
 * kept: a single slot, or no file named. PW_IO if the journal cannot be used, is not there though --resume
 * names it, or is of another run (unless --force); PW_USAGE for --resume with a single slot. */
enum pw_code pw_checkpoint_open(const struct pw_case *loaded, const struct pw_options *options,
                                struct pw_horizon *horizon, struct pw_checkpoint **out, struct pw_error *err);

/* Keeps the outcome of a slot that is done, for good. Takes NULL. */
enum pw_code pw_checkpoint_add(struct pw_checkpoint *checkpoint, int slot, const struct pw_outcome *outcome,
                               struct pw_error *err);

/* The journal's path, "" of NULL. */
const char *pw_checkpoint_path(const struct pw_checkpoint *checkpoint);

/* Removes the journal: the result is where it belongs. Takes NULL. */
void pw_checkpoint_remove(const struct pw_checkpoint *checkpoint);
void pw_checkpoint_close(struct pw_checkpoint *checkpoint);

#endif
