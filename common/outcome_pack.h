/* An outcome as bytes, for a journal read by the same program on the same kind of machine. */
#ifndef PW_OUTCOME_PACK_H
#define PW_OUTCOME_PACK_H

#include <stddef.h>

#include "common/outcome.h"

/* Number of bytes that pw_outcome_pack() writes. */
size_t pw_outcome_pack_size(const struct pw_outcome *outcome);
void pw_outcome_pack(const struct pw_outcome *outcome, unsigned char *bytes);

/* The outcome in `size` bytes, for pw_outcome_destroy(); NULL if that is not what they are. What is a text of
 * the summary (its clock) is NULL. */
struct pw_outcome *pw_outcome_unpack(const unsigned char *bytes, size_t size);

#endif
