/* The table that --log-view asks for: where all ranks have spent their time. */
#ifndef PW_LOG_VIEW_H
#define PW_LOG_VIEW_H

#include <stdio.h>

#include "coordinator/transport.h"

/* Collective, at the end of a run, where pw_phases_start() was called on all ranks: rank 0 prints the table;
 * waits no more than a minute for the others, and says so if one does not answer. `end_solves`, rank 0: how
 * many link ends have been solved, once for each local solve of their agent; 0 where that is unknown. */
void pw_log_view(struct pw_transport *transport, double end_solves, FILE *out);

#endif
