/* The course of a run in bounded memory: when the samples get too many, every second one goes and the spacing
 * doubles. */
#ifndef PW_SERIES_H
#define PW_SERIES_H

#include "common/outcome.h"

struct pw_series {
    int count, room;
    double spacing_s; /* least time between two samples */
    struct pw_sample *samples;
};

void pw_series_init(struct pw_series *series, int room);
void pw_series_finish(struct pw_series *series);

/* Keeps the sample unless it comes too soon after the one before; `always` keeps it in any case. */
void pw_series_add(struct pw_series *series, const struct pw_sample *sample, int always);

#endif
