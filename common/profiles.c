#include "common/profiles.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/table.h"
#include "common/memory.h"
#include "common/number.h"
#include "common/suggest.h"

enum { TIME, AGENT, ASSET, P_MIN, P_MAX, A, B, N_COLUMNS };
static const struct pw_table_column columns[] = {{"time", 1, 1},  {"agent", 1, 1}, {"asset", 1, 1},
                                                 {"p_min", 0, 0}, {"p_max", 0, 0}, {"a", 0, 0},
                                                 {"b", 0, 0}};

const char *pw_day_time(const struct pw_day *day, int slot, char *text, size_t size)
{
    long minutes = lround(floor(slot * day->length_h * 60.0 + 1e-6));
    snprintf(text, size, "%02ld:%02ld", minutes / 60, minutes % 60);
    return text;
}

/* Digits alone, up to four. */
static int parse_digits(const char *text, size_t length, int *value)
{
    *value = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        *value = 10 * *value + (text[i] - '0');
    }
    return length >= 1 && length <= 4;
}

/* HH:MM in minutes; hours may go beyond 24. */
static int parse_time(const char *text, int *minutes)
{
    const char *colon = strchr(text, ':');
    int hours, rest;
    if (colon == NULL || strlen(colon + 1) != 2 || !parse_digits(text, (size_t)(colon - text), &hours) ||
        !parse_digits(colon + 1, 2, &rest) || rest >= 60)
        return 0;
    *minutes = 60 * hours + rest;
    return 1;
}

static enum pw_code read_slot(const struct pw_table *table, int row, const struct pw_day *day, int *slot,
                              struct pw_error *err)
{
    const char *cell = pw_table_cell(table, row, TIME);
    char last[32];
    int minutes;
    if (!parse_time(cell, &minutes))
        return pw_fail(err, PW_USAGE, "%s:%d: time: \"%.40s\" is no time of the day: HH:MM is expected",
                       table->name, table->line[row], cell);
    double place = minutes / (60.0 * day->length_h);
    if (fabs(place - round(place)) > 1e-6)
        return pw_fail(err, PW_USAGE, "%s:%d: time: no slot starts at %s: slots are %g h long", table->name,
                       table->line[row], cell, day->length_h);
    if (place > day->count - 0.5)
        return pw_fail(err, PW_USAGE, "%s:%d: time: %s is after the last slot (slots.count), %s", table->name,
                       table->line[row], cell, pw_day_time(day, day->count - 1, last, sizeof last));
    *slot = (int)lround(place);
    return PW_OK;
}

static enum pw_code fail_asset(const struct pw_table *table, int row, const struct pw_market *market,
                               int agent, struct pw_error *err)
{
    const char *cell = pw_table_cell(table, row, ASSET);
    int first = market->asset_first[agent], count = market->asset_first[agent + 1] - first;
    char hint[100];
    return pw_fail(
        err, PW_USAGE, "%s:%d: asset: agent %d has no asset \"%.40s\"%s", table->name, table->line[row],
        agent, cell,
        pw_suggest(cell, (const char *const *)market->asset_name + first, count, hint, sizeof hint));
}

static enum pw_code find_asset(const struct pw_table *table, int row, const struct pw_market *market,
                               int *asset, struct pw_error *err)
{
    int agent;
    *asset = -1;
    PW_TRY(pw_table_index(table, row, AGENT, market->n_agents, &agent, err));
    for (int i = market->asset_first[agent]; i < market->asset_first[agent + 1]; i++) {
        if (strcmp(market->asset_name[i], pw_table_cell(table, row, ASSET)) != 0)
            continue;
        if (*asset >= 0)
            return pw_fail(err, PW_USAGE,
                           "%s:%d: asset: agent %d has two assets \"%.40s\" in the asset table: give them "
                           "names of their own",
                           table->name, table->line[row], agent, market->asset_name[i]);
        *asset = i;
    }
    return *asset < 0 ? fail_asset(table, row, market, agent, err) : PW_OK;
}

/* A number, or what the asset table says where the column is lacking or the cell empty. */
static enum pw_code read_real(const struct pw_table *table, int row, int column, double otherwise,
                              double *value, struct pw_error *err)
{
    const char *cell = pw_table_cell(table, row, column);
    *value = otherwise;
    return cell == NULL || cell[0] == '\0' ? PW_OK : pw_table_real(table, row, column, otherwise, value, err);
}

static enum pw_code read_row(const struct pw_table *table, int row, const struct pw_day *day,
                             const struct pw_market *market, struct pw_profile_row *out, struct pw_error *err)
{
    out->line = table->line[row];
    PW_TRY(read_slot(table, row, day, &out->slot, err));
    PW_TRY(find_asset(table, row, market, &out->asset, err));
    PW_TRY(read_real(table, row, P_MIN, market->p_min[out->asset], &out->p_min, err));
    PW_TRY(read_real(table, row, P_MAX, market->p_max[out->asset], &out->p_max, err));
    PW_TRY(read_real(table, row, A, market->a[out->asset], &out->a, err));
    PW_TRY(read_real(table, row, B, market->b[out->asset], &out->b, err));
    if (out->p_min > out->p_max)
        return pw_fail(err, PW_USAGE, "%s:%d: p_min %g is above p_max %g", table->name, out->line, out->p_min,
                       out->p_max);
    if (out->a < 0.0)
        return pw_fail(err, PW_USAGE,
                       "%s:%d: a: %g is negative: the cost a/2 p^2 + b p must be convex, a >= 0", table->name,
                       out->line, out->a);
    return PW_OK;
}

static int by_slot(const void *x, const void *y)
{
    const struct pw_profile_row *a = x, *b = y;
    if (a->slot != b->slot)
        return a->slot < b->slot ? -1 : 1;
    if (a->asset != b->asset)
        return a->asset < b->asset ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

static enum pw_code refuse_twice(const struct pw_table *table, const struct pw_profiles *profiles,
                                 struct pw_error *err)
{
    for (int i = 1; i < profiles->n_rows; i++) {
        const struct pw_profile_row *before = &profiles->rows[i - 1], *row = &profiles->rows[i];
        if (row->slot == before->slot && row->asset == before->asset)
            return pw_fail(err, PW_USAGE, "%s:%d: this asset at this time is given twice, first in line %d",
                           table->name, row->line, before->line);
    }
    return PW_OK;
}

static double *copy(const double *values, int count)
{
    double *kept = pw_alloc((size_t)count, sizeof *kept);
    return memcpy(kept, values, (size_t)count * sizeof *kept);
}

static struct pw_profiles *create(const struct pw_market *market, int n_rows)
{
    struct pw_profiles *profiles = pw_alloc(1, sizeof *profiles);
    profiles->n_rows = n_rows;
    profiles->rows = pw_alloc((size_t)n_rows, sizeof *profiles->rows);
    profiles->n_assets = market->n_assets;
    profiles->p_min = copy(market->p_min, market->n_assets);
    profiles->p_max = copy(market->p_max, market->n_assets);
    profiles->a = copy(market->a, market->n_assets);
    profiles->b = copy(market->b, market->n_assets);
    return profiles;
}

static enum pw_code read_rows(const struct pw_table *table, const struct pw_day *day,
                              const struct pw_market *market, struct pw_profiles *profiles,
                              struct pw_error *err)
{
    for (int row = 0; row < table->n_rows; row++)
        PW_TRY(read_row(table, row, day, market, &profiles->rows[row], err));
    if (table->n_rows > 0)
        qsort(profiles->rows, (size_t)table->n_rows, sizeof *profiles->rows, by_slot);
    return refuse_twice(table, profiles, err);
}

enum pw_code pw_table_profiles(const char *bytes, size_t size, const char *name, const struct pw_day *day,
                               const struct pw_market *market, struct pw_profiles **out, struct pw_error *err)
{
    struct pw_table table;
    *out = NULL;
    enum pw_code code = pw_table_parse_csv(bytes, size, name, columns, N_COLUMNS, &table, err);
    if (code == PW_OK) {
        *out = create(market, table.n_rows);
        code = read_rows(&table, day, market, *out, err);
    }
    if (code != PW_OK) {
        pw_profiles_destroy(*out);
        *out = NULL;
    }
    pw_table_free(&table);
    return code;
}

void pw_profiles_destroy(struct pw_profiles *profiles)
{
    if (profiles == NULL)
        return;
    free(profiles->rows);
    free(profiles->p_min);
    free(profiles->p_max);
    free(profiles->a);
    free(profiles->b);
    free(profiles);
}

void pw_profiles_apply(const struct pw_profiles *profiles, int slot, struct pw_market *market)
{
    if (profiles == NULL)
        return;
    size_t size = (size_t)profiles->n_assets * sizeof(double);
    memcpy(market->p_min, profiles->p_min, size);
    memcpy(market->p_max, profiles->p_max, size);
    memcpy(market->a, profiles->a, size);
    memcpy(market->b, profiles->b, size);
    for (int i = 0; i < profiles->n_rows && profiles->rows[i].slot <= slot; i++) {
        const struct pw_profile_row *row = &profiles->rows[i];
        market->p_min[row->asset] = row->p_min;
        market->p_max[row->asset] = row->p_max;
        market->a[row->asset] = row->a;
        market->b[row->asset] = row->b;
    }
}
