/* How assets change over a day of time slots: limits and costs by slot. */
#ifndef PW_PROFILES_H
#define PW_PROFILES_H

#include <stddef.h>

#include "common/error.h"
#include "common/market.h"

/* The grid of time: slots 0 .. count-1, each `length_h` hours long, from 00:00 on. */
struct pw_day {
    int count;
    double length_h;
};

/* What an asset is from a slot on, until its next row. */
struct pw_profile_row {
    int slot, asset; /* asset of the market */
    double p_min, p_max, a, b;
    int line; /* of the table */
};

struct pw_profiles {
    int n_rows;
    struct pw_profile_row *rows; /* by slot, then asset */
    int n_assets;
    double *p_min, *p_max, *a, *b; /* [n_assets] what the asset table says */
};

/* time,agent,asset and any of p_min,p_max,a,b: what changes in a market of one product. A time is HH:MM, the
 * start of a slot; a column that is lacking, or an empty cell, means what the asset table says. *out is for
 * pw_profiles_destroy(), NULL on failure. PW_USAGE with file and line for times off the grid, unknown agents
 * and assets, rows given twice, p_min > p_max, a < 0. `name` is the file's. */
enum pw_code pw_table_profiles(const char *bytes, size_t size, const char *name, const struct pw_day *day,
                               const struct pw_market *market, struct pw_profiles **out,
                               struct pw_error *err);
void pw_profiles_destroy(struct pw_profiles *profiles);

/* Sets the market's assets to what they are in `slot`. Takes NULL profiles: nothing changes. */
void pw_profiles_apply(const struct pw_profiles *profiles, int slot, struct pw_market *market);

/* "HH:MM", the start of a slot, into text [size]; seconds are dropped. Returns text. */
const char *pw_day_time(const struct pw_day *day, int slot, char *text, size_t size);

#endif
