/* Whose results a journal holds. */
#ifndef PW_JOURNAL_KEY_H
#define PW_JOURNAL_KEY_H

#include "common/journal.h"
#include "coordinator/options.h"

/* The digest of all that results depend on: the program, the digests of the input files, [n_inputs] texts,
 * and the settings given by -s. */
void pw_journal_key(const char *const *inputs, int n_inputs, const struct pw_options *options,
                    unsigned char key[PW_JOURNAL_KEY]);

#endif
