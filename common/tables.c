#include "common/tables.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/table.h"
#include "common/memory.h"
#include "common/number.h"
#include "common/table_h5.h"

enum { ASSET_AGENT, ASSET_NAME, ASSET_P_MIN, ASSET_P_MAX, ASSET_A, ASSET_B, N_ASSET_COLUMNS };
static const struct pw_table_column asset_columns[] = {{"agent", 1, 0}, {"asset", 1, 1}, {"p_min", 1, 0},
                                                       {"p_max", 1, 0}, {"a", 1, 0},     {"b", 1, 0}};

enum {
    AGENT_ID,
    AGENT_NAME,
    AGENT_X,
    AGENT_Y,
    AGENT_BUS,
    AGENT_ZONE,
    AGENT_COMMUNITY,
    AGENT_CLASS,
    N_AGENT_COLUMNS
};
static const struct pw_table_column agent_columns[] = {{"agent", 1, 0},     {"name", 1, 1}, {"x", 0, 0},
                                                       {"y", 0, 0},         {"bus", 0, 0},  {"zone", 0, 1},
                                                       {"community", 0, 1}, {"class", 0, 1}};

enum { LINK_A, LINK_B, LINK_T_MIN, LINK_T_MAX, LINK_FEE_A, LINK_FEE_B, N_LINK_COLUMNS };
static const struct pw_table_column link_columns[] = {{"agent_a", 1, 0}, {"agent_b", 1, 0}, {"t_min", 0, 0},
                                                      {"t_max", 0, 0},   {"fee_a", 0, 0},   {"fee_b", 0, 0}};

/* One row of the asset table. */
struct asset_row {
    int agent, row;
    double p_min, p_max, a, b;
};

static enum pw_code read_asset(const struct pw_table *table, int row, struct asset_row *out,
                               struct pw_error *err)
{
    out->row = row;
    PW_TRY(pw_table_index(table, row, ASSET_AGENT, INT_MAX, &out->agent, err));
    PW_TRY(pw_table_real(table, row, ASSET_P_MIN, 0, &out->p_min, err));
    PW_TRY(pw_table_real(table, row, ASSET_P_MAX, 0, &out->p_max, err));
    PW_TRY(pw_table_real(table, row, ASSET_A, 0, &out->a, err));
    PW_TRY(pw_table_real(table, row, ASSET_B, 0, &out->b, err));
    if (out->p_min > out->p_max)
        return pw_fail(err, PW_USAGE, "%s:%d: p_min %g is above p_max %g", table->name,
                       pw_table_line(table, row), out->p_min, out->p_max);
    if (out->a < 0.0)
        return pw_fail(err, PW_USAGE,
                       "%s:%d: a: %g is negative: the cost a/2 p^2 + b p must be convex, a >= 0", table->name,
                       pw_table_line(table, row), out->a);
    return PW_OK;
}

static int by_agent(const void *x, const void *y)
{
    const struct asset_row *a = x, *b = y;
    return a->agent != b->agent ? (a->agent > b->agent) - (a->agent < b->agent)
                                : (a->row > b->row) - (a->row < b->row);
}

static enum pw_code refuse_gaps(const struct pw_table *table, const struct asset_row *rows,
                                struct pw_error *err)
{
    for (int i = 0, expected = 0; i < table->n_rows; i++) {
        if (rows[i].agent > expected)
            return pw_fail(err, PW_USAGE, "%s:%d: agent: %d follows %d, but ids must run from 0 without gaps",
                           table->name, pw_table_line(table, rows[i].row), rows[i].agent, expected - 1);
        expected = rows[i].agent + 1;
    }
    return PW_OK;
}

static struct pw_market *market_of_assets(const struct pw_table *table, const struct asset_row *rows)
{
    int n_assets = table->n_rows, n_agents = rows[n_assets - 1].agent + 1;
    struct pw_market *market = pw_market_create(n_agents, 1, n_assets, 0);
    for (int i = 0; i < n_assets; i++) {
        market->p_min[i] = rows[i].p_min;
        market->p_max[i] = rows[i].p_max;
        market->a[i] = rows[i].a;
        market->b[i] = rows[i].b;
        market->asset_name[i] = pw_strdup(pw_table_cell(table, rows[i].row, ASSET_NAME));
        market->asset_first[rows[i].agent + 1] = i + 1;
    }
    pw_market_index(market);
    return market;
}

static enum pw_code read_assets(const struct pw_table *table, struct pw_market **out, struct pw_error *err)
{
    if (table->n_rows == 0)
        return pw_fail(err, PW_USAGE, "%s:1: no asset: at least one row is expected below the header",
                       table->name);
    struct asset_row *rows = pw_alloc((size_t)table->n_rows, sizeof *rows);
    enum pw_code code = PW_OK;
    for (int i = 0; i < table->n_rows && code == PW_OK; i++)
        code = read_asset(table, i, &rows[i], err);
    if (code == PW_OK) {
        qsort(rows, (size_t)table->n_rows, sizeof *rows, by_agent);
        code = refuse_gaps(table, rows, err);
    }
    if (code == PW_OK)
        *out = market_of_assets(table, rows);
    free(rows);
    return code;
}

/* A table as text or, of an HDF5 file, its group of that name. */
static enum pw_code open_table(const char *bytes, size_t size, const char *name, const char *group,
                               const struct pw_table_column *columns, int n_columns, struct pw_table *out,
                               struct pw_error *err)
{
    if (pw_table_is_h5(bytes, size))
        return pw_table_h5_read(bytes, size, name, group, columns, n_columns, out, err);
    return pw_table_parse_csv(bytes, size, name, columns, n_columns, out, err);
}

enum pw_code pw_table_assets(const char *bytes, size_t size, const char *name, struct pw_market **out,
                             struct pw_error *err)
{
    struct pw_table table;
    *out = NULL;
    enum pw_code code = open_table(bytes, size, name, "assets", asset_columns, N_ASSET_COLUMNS, &table, err);
    if (code == PW_OK)
        code = read_assets(&table, out, err);
    pw_table_free(&table);
    return code;
}

static enum pw_code check_bus(const struct pw_table *table, int row, struct pw_error *err)
{
    const char *cell = pw_table_cell(table, row, AGENT_BUS);
    long bus;
    if (cell == NULL || cell[0] == '\0' || pw_parse_integer(cell, &bus))
        return PW_OK;
    return pw_fail(err, PW_USAGE, "%s:%d: bus: \"%.40s\" is not a whole number", table->name,
                   pw_table_line(table, row), cell);
}

/* Longer texts in messages and pictures would help nobody. */
enum { LONGEST_LABEL = 40 };

static enum pw_code read_label(const struct pw_table *table, int row, enum pw_label label, int n,
                               struct pw_market *market, struct pw_error *err)
{
    static const int columns[PW_N_LABELS] = {AGENT_ZONE, AGENT_COMMUNITY, AGENT_CLASS};
    const char *cell = pw_table_cell(table, row, columns[label]);
    if (cell == NULL)
        return PW_OK;
    if (strlen(cell) > LONGEST_LABEL)
        return pw_fail(err, PW_USAGE, "%s:%d: %s: a text of up to %d bytes is expected", table->name,
                       pw_table_line(table, row), table->columns[columns[label]].name, LONGEST_LABEL);
    if (market->label[label] == NULL)
        market->label[label] = pw_alloc((size_t)market->n_agents, sizeof(char *));
    market->label[label][n] = pw_strdup(cell);
    return PW_OK;
}

static enum pw_code read_agent(const struct pw_table *table, int row, struct pw_market *market,
                               struct pw_error *err)
{
    int n;
    PW_TRY(pw_table_index(table, row, AGENT_ID, market->n_agents, &n, err));
    if (market->agent_name[n] != NULL)
        return pw_fail(err, PW_USAGE, "%s:%d: agent: %d is given twice", table->name,
                       pw_table_line(table, row), n);
    market->agent_name[n] = pw_strdup(pw_table_cell(table, row, AGENT_NAME));
    if (market->x != NULL) {
        PW_TRY(pw_table_real(table, row, AGENT_X, 0, &market->x[n], err));
        PW_TRY(pw_table_real(table, row, AGENT_Y, 0, &market->y[n], err));
    }
    for (int label = 0; label < PW_N_LABELS; label++)
        PW_TRY(read_label(table, row, (enum pw_label)label, n, market, err));
    return check_bus(table, row, err);
}

static enum pw_code read_agents(const struct pw_table *table, struct pw_market *market, struct pw_error *err)
{
    if (table->n_rows != market->n_agents)
        return pw_fail(err, PW_USAGE,
                       "%s:1: %d rows, but the asset table has %d agents: one row each is expected",
                       table->name, table->n_rows, market->n_agents);
    int has_x = pw_table_has(table, AGENT_X), has_y = pw_table_has(table, AGENT_Y);
    if (has_x != has_y)
        return pw_fail(err, PW_USAGE, "%s:1: columns x and y go together", table->name);
    if (has_x) {
        market->x = pw_alloc((size_t)market->n_agents, sizeof(double));
        market->y = pw_alloc((size_t)market->n_agents, sizeof(double));
    }
    for (int row = 0; row < table->n_rows; row++)
        PW_TRY(read_agent(table, row, market, err));
    return PW_OK;
}

enum pw_code pw_table_agents(const char *bytes, size_t size, const char *name, struct pw_market *market,
                             struct pw_error *err)
{
    struct pw_table table;
    enum pw_code code = open_table(bytes, size, name, "agents", agent_columns, N_AGENT_COLUMNS, &table, err);
    if (code == PW_OK)
        code = read_agents(&table, market, err);
    pw_table_free(&table);
    return code;
}

/* A number, or the default where the column is lacking or the cell empty. */
static enum pw_code optional_real(const struct pw_table *table, int row, int column, double otherwise,
                                  double *value, struct pw_error *err)
{
    *value = otherwise;
    return pw_table_says(table, row, column) ? pw_table_real(table, row, column, otherwise, value, err)
                                             : PW_OK;
}

static enum pw_code read_link(const struct pw_table *table, int row, double fee, struct pw_market *market,
                              struct pw_error *err)
{
    int line = pw_table_line(table, row);
    PW_TRY(pw_table_index(table, row, LINK_A, market->n_agents, &market->link_a[row], err));
    PW_TRY(pw_table_index(table, row, LINK_B, market->n_agents, &market->link_b[row], err));
    PW_TRY(optional_real(table, row, LINK_T_MIN, -INFINITY, &market->t_min[row], err));
    PW_TRY(optional_real(table, row, LINK_T_MAX, INFINITY, &market->t_max[row], err));
    PW_TRY(optional_real(table, row, LINK_FEE_A, fee, &market->fee_a[row], err));
    PW_TRY(optional_real(table, row, LINK_FEE_B, fee, &market->fee_b[row], err));
    if (market->link_a[row] == market->link_b[row])
        return pw_fail(err, PW_USAGE, "%s:%d: a link from agent %d to itself", table->name, line,
                       market->link_a[row]);
    if (market->t_min[row] > market->t_max[row])
        return pw_fail(err, PW_USAGE, "%s:%d: t_min %g is above t_max %g", table->name, line,
                       market->t_min[row], market->t_max[row]);
    if (market->fee_a[row] < 0.0 || market->fee_b[row] < 0.0)
        return pw_fail(err, PW_USAGE, "%s:%d: a fee is negative: fees are paid on |t|, at least 0",
                       table->name, line);
    return PW_OK;
}

struct pair {
    int low, high, row;
};

static int by_ends(const void *x, const void *y)
{
    const struct pair *a = x, *b = y;
    if (a->low != b->low)
        return a->low < b->low ? -1 : 1;
    if (a->high != b->high)
        return a->high < b->high ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static enum pw_code refuse_twice(const struct pw_table *table, const struct pw_market *market,
                                 struct pw_error *err)
{
    struct pair *pairs = pw_alloc((size_t)table->n_rows, sizeof *pairs);
    enum pw_code code = PW_OK;
    for (int row = 0; row < table->n_rows; row++) {
        int a = market->link_a[row], b = market->link_b[row];
        pairs[row] = (struct pair){a < b ? a : b, a < b ? b : a, row};
    }
    qsort(pairs, (size_t)table->n_rows, sizeof *pairs, by_ends);
    for (int i = 1; i < table->n_rows && code == PW_OK; i++) {
        const struct pair *x = &pairs[i - 1], *y = &pairs[i];
        if (x->low == y->low && x->high == y->high)
            code = pw_fail(err, PW_USAGE, "%s:%d: agents %d and %d are linked twice, first in line %d",
                           table->name, pw_table_line(table, y->row), x->low, x->high,
                           pw_table_line(table, x->row));
    }
    free(pairs);
    return code;
}

enum pw_code pw_table_links(const char *bytes, size_t size, const char *name, double fee,
                            struct pw_market *market, struct pw_error *err)
{
    struct pw_table table;
    enum pw_code code = open_table(bytes, size, name, "links", link_columns, N_LINK_COLUMNS, &table, err);
    if (code == PW_OK) {
        pw_market_set_link_count(market, table.n_rows);
        for (int row = 0; row < table.n_rows && code == PW_OK; row++)
            code = read_link(&table, row, fee, market, err);
        if (code == PW_OK)
            code = refuse_twice(&table, market, err);
        if (code != PW_OK)
            pw_market_set_link_count(market, 0);
    }
    pw_table_free(&table);
    if (code == PW_OK)
        pw_market_index(market);
    return code;
}
