/* Where a trace comes from: what it takes to make it again. */
#ifndef PW_PROVENANCE_H
#define PW_PROVENANCE_H

#include "common/case.h"
#include "common/trace.h"
#include "coordinator/options.h"
#include "coordinator/transport.h"

enum { PW_PROVENANCE_ENTRIES = 10 };

/* The attributes of /provenance and their texts. */
struct pw_provenance_list {
    int count;
    struct pw_provenance entries[PW_PROVENANCE_ENTRIES];
    char *texts[PW_PROVENANCE_ENTRIES];
};

/* Lists the effective case, the digests of its inputs, versions, revision and seed, and, on the wall clock,
 * the command line, the ranks and the machines. For pw_provenance_release(). */
void pw_provenance_fill(struct pw_provenance_list *list, const struct pw_case *loaded,
                        const struct pw_options *options, const struct pw_transport *transport);

/* The same for a sweep: `loaded` is the case of its first run; with the study's text and -s. */
void pw_provenance_fill_sweep(struct pw_provenance_list *list, const struct pw_case *loaded,
                              const char *study, const struct pw_options *options,
                              const struct pw_transport *transport);
void pw_provenance_release(struct pw_provenance_list *list);

#endif
