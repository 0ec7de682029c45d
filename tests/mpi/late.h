/* A transport whose messages come late: each source is held back now and then, so that what two ranks send
 * comes in any order, as between machines; those of one source keep theirs. */
#ifndef PW_TESTS_LATE_H
#define PW_TESTS_LATE_H

#include <stdint.h>

#include "coordinator/transport.h"

/* Round `inner`, which stays the caller's. After a message its source is held back with this probability, for
 * up to `most_ns`. */
struct pw_transport *late_transport(struct pw_transport *inner, double probability, int64_t most_ns);
void late_transport_destroy(struct pw_transport *late);

#endif
