/* The table of all variables that a trace may have: adding one is adding a row. Private to the trace's
 * layout. */
#ifndef PW_TRACE_ROWS_H
#define PW_TRACE_ROWS_H

#include <stddef.h>

#include "common/trace_layout.h"

enum pw_trace_axes {
    SCALAR,
    AGENT,
    AGENT_PRODUCT,
    AGENT_NAME,
    NAME,
    TRADE,
    TRADE_PRODUCT,
    TIME,
    EVENT,
    PRODUCT,
    SLOT
};

/* What the numbers are, which gives their units; flags have words. */
enum pw_trace_meaning {
    PURE,
    POWER,
    PRICE,
    PRICE_PER_POWER,
    RATE,
    MONEY,
    ENERGY,
    HOURS,
    SECONDS,
    STATUS,
    CLOCK,
    EVENT_KIND
};

/* Outcomes have a value, or a row of them, for each slot, as summaries do FROM_SLOTS. Samples and events of
 * all slots follow one another, their times go on. A word of the summary is stored as its place among the
 * meanings of its flag. */
enum pw_trace_source {
    FROM_SUMMARY,
    FROM_SUMMARY_WORD,
    FROM_OUTCOME,
    FROM_MARKET,
    FROM_SAMPLES,
    FROM_EVENTS,
    FROM_BILLS,
    FROM_SLOTS,
    SLOT_NUMBER, /* of the slot, the sample, or the event */
    SLOT_START,
    COUNTED
};

struct pw_trace_row {
    const char *group, *name;
    enum pw_trace_type type;
    enum pw_trace_axes axes;
    enum pw_trace_meaning meaning;
    const char *long_name;
    enum pw_trace_source source;
    size_t offset; /* of the number, or of the pointer to the array, in the structure it comes from */
};

extern const struct pw_trace_row pw_trace_rows[];
extern const int pw_trace_row_count;

#endif
