/* A market in rows as ranks would have it, all in one process. */
#ifndef PW_ROWS_PARTS_H
#define PW_ROWS_PARTS_H

#include "common/penalty.h"
#include "coordinator/bulk_rows.h"
#include "tests/unit/rounds.h"

enum { ROWS_MOST_PARTS = 4 };

/* Rounding apart: a penalty has the precision of a float. */
#define ROWS_ROUNDING 2e-5

/* The rows of all ranks, side by side, each made from a market without the links between others. */
struct rows_parts {
    struct pw_placement placement;
    struct pw_market *markets[ROWS_MOST_PARTS];
    struct pw_bulk_rows bulk[ROWS_MOST_PARTS];
};

/* A negotiation of the market with default settings but for the criterion, global. */
struct pw_negotiation rows_parts_negotiation(const struct pw_market *market, struct pw_settings *settings);

void rows_parts_make(struct rows_parts *parts, const struct pw_negotiation *negotiation, int n_parts);
void rows_parts_release(struct rows_parts *parts);

/* A round of all parts, whose prices all neighbours then have. */
void rows_parts_step(struct rows_parts *parts, int closely);

struct pw_rows_trade rows_parts_trade(const struct rows_parts *parts, int n, int slot);
struct pw_rows_moved rows_parts_moved(const struct rows_parts *parts, int n);

/* The worst difference between the parts and the same agents one by one, on the market's scales. */
double rows_parts_difference(const struct rows_parts *parts, const struct rounds *rounds,
                             const struct pw_scales *scales);

#endif
