/* Whom agents would rather trade with: a table of what trades with others cost them beside the price. */
#ifndef PW_PREFERENCES_H
#define PW_PREFERENCES_H

#include <stddef.h>

#include "common/error.h"
#include "common/market.h"

struct pw_preferences;

/* agent,peer,fee: the end of `agent` on a link with `peer` pays `fee` >= 0 on |t|. Both are `*` (everybody),
 * an agent's number, or `LABEL:TEXT` or `!LABEL:TEXT` with a label zone, community or class; a peer can also
 * be `same LABEL` or `other LABEL`. A row for a number goes before one for a label, that before `*`; the
 * agent counts first, then the peer. PW_USAGE with file and line for what is none of these, or names an agent
 * or a text that the market lacks. For pw_preferences_destroy(). */
enum pw_code pw_table_preferences(const char *bytes, size_t size, const char *name,
                                  const struct pw_market *market, struct pw_preferences **out,
                                  struct pw_error *err);
void pw_preferences_destroy(struct pw_preferences *preferences);

/* What agent n pays on a trade with `peer` by the row that goes before all others; 0 where none speaks of
 * them. Notes that the row is used. PW_USAGE, with both lines, where two rows have the same right. */
enum pw_code pw_preferences_fee(struct pw_preferences *preferences, const struct pw_market *market, int n,
                                int peer, double *fee, struct pw_error *err);

/* The line of the first row that no pair of agents asked for has used; 0: all are. */
int pw_preferences_unused(const struct pw_preferences *preferences);

#endif
