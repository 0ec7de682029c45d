/* A glance at a simulated market: how far the prices across its links are from their tolerances, found by the
 * ranks that host the agents. Of what the judge looks at, this is what comes right last; while it is not,
 * rank 0 need not be sent the state of all agents. */
#ifndef PW_GLANCE_H
#define PW_GLANCE_H

#include <stddef.h>

#include "coordinator/host.h"
#include "coordinator/judge.h"

struct pw_glance;

/* Of the links of the agents that live here. */
struct pw_glance *pw_glance_create(const struct pw_host *host);
void pw_glance_destroy(struct pw_glance *glance);

/* Notes how the ends here stand. */
void pw_glance_note(struct pw_glance *glance);

/* Of that, what `rank` has to hear, `*size` bytes; none where none of our links is for it to look at. Valid
 * until the next note. */
const void *pw_glance_told(const struct pw_glance *glance, int rank, size_t *size);

/* Takes what another rank told. PW_INTERNAL if it is not as much as our links with it need. */
enum pw_code pw_glance_hear(struct pw_glance *glance, int rank, const void *bytes, size_t size,
                            struct pw_error *err);

/* By which factor the worst of our links misses the tolerance of the spread or of the mismatch of prices, as
 * pw_judge_excess() counts them; infinite where an end has not solved. The largest over all ranks is the
 * market's. O(links). */
double pw_glance_excess(const struct pw_glance *glance, const struct pw_tolerances *tolerances);

#endif
