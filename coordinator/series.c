#include "coordinator/series.h"

#include <stdlib.h>

#include "common/memory.h"

void pw_series_init(struct pw_series *series, int room)
{
    *series = (struct pw_series){0, room, 0.0, pw_alloc((size_t)room, sizeof *series->samples)};
}

void pw_series_finish(struct pw_series *series)
{
    free(series->samples);
    series->samples = NULL;
}

static void thin_out(struct pw_series *series)
{
    int kept = 0;
    for (int i = 0; i < series->count; i += 2)
        series->samples[kept++] = series->samples[i];
    series->count = kept;
    double span = series->samples[kept - 1].time_s - series->samples[0].time_s;
    series->spacing_s = span / kept;
}

void pw_series_add(struct pw_series *series, const struct pw_sample *sample, int always)
{
    double before = series->count > 0 ? series->samples[series->count - 1].time_s : -1.0;
    if (!always && series->count > 0 && sample->time_s - before < series->spacing_s)
        return;
    if (series->count > 0 && !(sample->time_s > before))
        series->count--; /* the same instant: the newer one counts, so that the time axis rises */
    if (series->count == series->room)
        thin_out(series);
    series->samples[series->count++] = *sample;
}
