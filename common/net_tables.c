#include "common/net_tables.h"

#include <math.h>
#include <stdlib.h>

#include "common/table.h"
#include "common/memory.h"

static const double LONGEST_DELAY_S = 86400.0;

/* Columns of values stand in the order of enum pw_link_value. */
enum { NET_A, NET_B, NET_FIRST_VALUE, N_NET_VALUES = PW_LINK_LOSS + 1, N_NET_COLUMNS = 2 + N_NET_VALUES };
static const struct pw_table_column net_columns[] = {{"agent_a", 1, 0}, {"agent_b", 1, 0}, {"mean_s", 0, 0},
                                                     {"std_s", 0, 0},   {"min_s", 0, 0},   {"loss", 0, 0}};

static const struct pw_table_column delay_columns[] = {{"delay_s", 1, 0}};

/* The link between two agents, -1 if they have none. */
static int link_between(const struct pw_market *market, int a, int b)
{
    int from = pw_market_degree(market, a) <= pw_market_degree(market, b) ? a : b, to = from == a ? b : a;
    for (int end = market->end_first[from]; end < market->end_first[from + 1]; end++) {
        if (pw_market_end_agent(market, market->end_twin[end]) == to)
            return market->end_link[end];
    }
    return -1;
}

/* Finds the row's link; `line` [n_links] notes where each was given. */
static enum pw_code find_link(const struct pw_table *table, int row, const struct pw_market *market,
                              int *line, int *link, struct pw_error *err)
{
    int a, b;
    PW_TRY(pw_table_index(table, row, NET_A, market->n_agents, &a, err));
    PW_TRY(pw_table_index(table, row, NET_B, market->n_agents, &b, err));
    *link = link_between(market, a, b);
    if (*link < 0)
        return pw_fail(err, PW_USAGE, "%s:%d: agents %d and %d have no link in the market", table->name,
                       table->line[row], a, b);
    if (line[*link] > 0)
        return pw_fail(err, PW_USAGE, "%s:%d: agents %d and %d are given twice, first in line %d",
                       table->name, table->line[row], a, b, line[*link]);
    line[*link] = table->line[row];
    return PW_OK;
}

static enum pw_code read_value(const struct pw_table *table, int row, enum pw_link_value value, double *out,
                               struct pw_error *err)
{
    int column = NET_FIRST_VALUE + (int)value;
    const char *cell = pw_table_cell(table, row, column);
    *out = NAN;
    if (cell[0] == '\0')
        return PW_OK;
    PW_TRY(pw_table_real(table, row, column, NAN, out, err));
    int fits = *out >= 0.0 && (value == PW_LINK_LOSS ? *out < 1.0 : *out <= LONGEST_DELAY_S);
    if (fits)
        return PW_OK;
    return pw_fail(err, PW_USAGE, "%s:%d: %s: %s does not fit: a number in %s is expected", table->name,
                   table->line[row], table->columns[column].name, cell,
                   value == PW_LINK_LOSS ? "[0, 1)" : "[0, 86400]");
}

static enum pw_code read_link(const struct pw_table *table, int row, int link,
                              const struct pw_network *network, struct pw_net_data *data,
                              struct pw_error *err)
{
    struct pw_error why;
    for (int v = 0; v < N_NET_VALUES; v++) {
        if (data->of_link[v] != NULL)
            PW_TRY(read_value(table, row, (enum pw_link_value)v, &data->of_link[v][link], err));
    }
    if (pw_network_check_link(network, (uint32_t)link, &why) == PW_OK)
        return PW_OK;
    return pw_fail(err, PW_USAGE, "%s:%d: %.400s", table->name, table->line[row], why.text);
}

static enum pw_code read_links(const struct pw_table *table, const struct pw_market *market,
                               const struct pw_network *network, struct pw_net_data *data,
                               struct pw_error *err)
{
    struct pw_network known = *network;
    int *line = pw_alloc((size_t)market->n_links, sizeof(int)), link = 0;
    enum pw_code code = PW_OK;
    known.data = data;
    for (int v = 0; v < N_NET_VALUES && table->n_rows > 0; v++) {
        if (pw_table_cell(table, 0, NET_FIRST_VALUE + v) != NULL)
            pw_net_data_add(data, (enum pw_link_value)v);
    }
    for (int row = 0; row < table->n_rows && code == PW_OK; row++) {
        code = find_link(table, row, market, line, &link, err);
        if (code == PW_OK)
            code = read_link(table, row, link, &known, data, err);
    }
    free(line);
    return code;
}

enum pw_code pw_table_net_links(const char *bytes, size_t size, const char *name,
                                const struct pw_market *market, const struct pw_network *network,
                                struct pw_net_data *data, struct pw_error *err)
{
    struct pw_table table;
    enum pw_code code = pw_table_parse_csv(bytes, size, name, net_columns, N_NET_COLUMNS, &table, err);
    if (code == PW_OK)
        code = read_links(&table, market, network, data, err);
    pw_table_free(&table);
    return code;
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static enum pw_code read_delays(const struct pw_table *table, struct pw_net_data *data, struct pw_error *err)
{
    if (table->n_rows == 0)
        return pw_fail(err, PW_USAGE, "%s:1: no delay: at least one row is expected below the header",
                       table->name);
    data->n_delays = (size_t)table->n_rows;
    data->delays_s = pw_alloc(data->n_delays, sizeof(double));
    for (int row = 0; row < table->n_rows; row++) {
        double *delay = &data->delays_s[row];
        PW_TRY(pw_table_real(table, row, 0, 0.0, delay, err));
        if (!(*delay >= 0.0 && *delay <= LONGEST_DELAY_S))
            return pw_fail(err, PW_USAGE,
                           "%s:%d: delay_s: %s does not fit: a number in [0, 86400] is expected", table->name,
                           table->line[row], pw_table_cell(table, row, 0));
    }
    qsort(data->delays_s, data->n_delays, sizeof(double), ascending);
    return PW_OK;
}

enum pw_code pw_table_delays(const char *bytes, size_t size, const char *name, struct pw_net_data *data,
                             struct pw_error *err)
{
    struct pw_table table;
    enum pw_code code = pw_table_parse_csv(bytes, size, name, delay_columns, 1, &table, err);
    if (code == PW_OK)
        code = read_delays(&table, data, err);
    pw_table_free(&table);
    return code;
}

void pw_net_distances(const struct pw_market *market, struct pw_net_data *data)
{
    double *distance = pw_net_data_add(data, PW_LINK_DISTANCE);
    for (int l = 0; l < market->n_links; l++) {
        int a = market->link_a[l], b = market->link_b[l];
        distance[l] = hypot(market->x[a] - market->x[b], market->y[a] - market->y[b]);
    }
}
