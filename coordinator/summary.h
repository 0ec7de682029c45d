/* The result of a run on stdout: for people, or one line of JSON for scripts. */
#ifndef PW_SUMMARY_H
#define PW_SUMMARY_H

#include <stdio.h>

#include "common/outcome.h"
#include "common/settings.h"

/* One line of JSON with the fields of docs/summary.md; what is unknown is null. `trace` is the path of the
 * trace, NULL for none. */
void pw_summary_json(const struct pw_summary *summary, const char *trace, FILE *out);

/* The same for a market without a feasible solution: its status and the reason. */
void pw_summary_json_infeasible(const char *reason, FILE *out);

/* A few lines to read. */
void pw_summary_text(const struct pw_summary *summary, const struct pw_settings *settings, const char *trace,
                     FILE *out);

/* The JSON summary of a run of several slots that was cut off after `n_done` of them. */
void pw_summary_json_cut(enum pw_status status, int n_done, FILE *out);

#endif
