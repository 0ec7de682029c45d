/* What a rank tells rank 0 now and then, as the bytes of this struct: ranks of one run are of one machine
 * type. */
#ifndef PW_REPORT_H
#define PW_REPORT_H

#include "coordinator/wall.h"

struct pw_report {
    struct pw_totals totals;
    int64_t next_due_in_ns; /* until the earliest held message is due; -1 where none is held */
    int32_t interrupted;    /* a signal asks to end the run */
};

#endif
