/* `check` of a study. */
#ifndef PW_SWEEP_CHECK_H
#define PW_SWEEP_CHECK_H

#include "coordinator/options.h"
#include "coordinator/transport.h"

/* True if the file can be read and is a study, not a case. */
int pw_is_study(const char *path);

/* Validates the study, does the run in the middle of it, and prints how many there are and how long all may
 * take. */
enum pw_code pw_sweep_check(const struct pw_options *options, struct pw_transport *transport,
                            struct pw_error *err);

#endif
