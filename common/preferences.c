#include "common/preferences.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/table.h"
#include "common/memory.h"
#include "common/number.h"
#include "common/suggest.h"

enum { AGENT, PEER, FEE, N_COLUMNS };
static const struct pw_table_column columns[] = {{"agent", 1, 1}, {"peer", 1, 1}, {"fee", 1, 0}};

static const char *const label_names[PW_N_LABELS] = {"zone", "community", "class"};

/* Whom a cell speaks of, the least particular first: that is their rank. */
enum selector_kind { EVERYBODY, BY_LABEL, BY_RELATION, BY_NUMBER };

struct selector {
    enum selector_kind kind;
    int number;          /* BY_NUMBER */
    enum pw_label label; /* BY_LABEL, BY_RELATION */
    int is_not;          /* BY_LABEL: those without the text; BY_RELATION: of the other ones */
    char *text;          /* BY_LABEL */
};

struct preference {
    struct selector agent, peer;
    double fee;
    int line, is_used;
};

struct pw_preferences {
    char *name; /* of the file */
    int count;
    struct preference *rows;
};

/* ---- Reading ---- */

/* A cell that is being read. */
struct cell {
    const struct pw_table *table;
    const struct pw_market *market;
    int row, column;
    const char *text;
};

static enum pw_code refuse(const struct cell *cell, const char *what, struct pw_error *err)
{
    return pw_fail(err, PW_USAGE, "%s:%d: %s: %s", cell->table->name, cell->table->line[cell->row],
                   columns[cell->column].name, what);
}

static int find_label(const char *text, size_t length)
{
    for (int label = 0; label < PW_N_LABELS; label++) {
        if (strlen(label_names[label]) == length && memcmp(text, label_names[label], length) == 0)
            return label;
    }
    return -1;
}

static int is_label_of_somebody(const struct pw_market *market, enum pw_label label, const char *text)
{
    for (int n = 0; n < market->n_agents; n++) {
        if (strcmp(pw_market_label(market, label, n), text) == 0)
            return 1;
    }
    return 0;
}

/* A text that nobody has is a slip of the pen, perhaps a near one. */
static enum pw_code refuse_text(const struct cell *cell, enum pw_label label, const char *text,
                                struct pw_error *err)
{
    enum { MOST = 64 };
    const char *known[MOST];
    int count = 0;
    char hint[100] = "", what[256];
    for (int n = 0; n < cell->market->n_agents && count < MOST; n++) {
        if (pw_market_label(cell->market, label, n)[0] != '\0')
            known[count++] = pw_market_label(cell->market, label, n);
    }
    pw_suggest(text, known, count, hint, sizeof hint);
    snprintf(what, sizeof what, "no agent has %s \"%.40s\" in the agents table%s", label_names[label], text,
             hint);
    return refuse(cell, what, err);
}

/* LABEL:TEXT or !LABEL:TEXT. */
static enum pw_code read_by_label(const struct cell *cell, struct selector *out, struct pw_error *err)
{
    const char *text = cell->text;
    out->kind = BY_LABEL;
    out->is_not = text[0] == '!';
    text += out->is_not;
    const char *colon = strchr(text, ':');
    int label = colon == NULL ? -1 : find_label(text, (size_t)(colon - text));
    if (label < 0 || colon[1] == '\0')
        return refuse(
            cell,
            cell->column == AGENT
                ? "*, a number, or zone:, community: or class: and a text is expected, as class:home"
                : "*, a number, zone:, community: or class: and a text, as !class:green, or \"same zone\" "
                  "or \"other zone\" is expected",
            err);
    out->label = (enum pw_label)label;
    if (!is_label_of_somebody(cell->market, out->label, colon + 1))
        return refuse_text(cell, out->label, colon + 1, err);
    out->text = pw_strdup(colon + 1);
    return PW_OK;
}

static enum pw_code read_by_number(const struct cell *cell, struct selector *out, struct pw_error *err)
{
    out->kind = BY_NUMBER;
    return pw_table_index(cell->table, cell->row, cell->column, cell->market->n_agents, &out->number, err);
}

/* `same zone`, `other community`: of a peer only. */
static int read_relation(const struct cell *cell, struct selector *out)
{
    const char *blank = strchr(cell->text, ' ');
    if (cell->column != PEER || blank == NULL)
        return 0;
    size_t length = (size_t)(blank - cell->text);
    int label = find_label(blank + 1, strlen(blank + 1));
    int same = length == 4 && memcmp(cell->text, "same", length) == 0;
    int other = length == 5 && memcmp(cell->text, "other", length) == 0;
    if (label < 0 || !(same || other))
        return 0;
    *out = (struct selector){.kind = BY_RELATION, .label = (enum pw_label)label, .is_not = other};
    return 1;
}

static enum pw_code read_selector(const struct pw_table *table, const struct pw_market *market, int row,
                                  int column, struct selector *out, struct pw_error *err)
{
    struct cell cell = {table, market, row, column, pw_table_cell(table, row, column)};
    *out = (struct selector){.kind = EVERYBODY};
    if (strcmp(cell.text, "*") == 0)
        return PW_OK;
    if (cell.text[0] >= '0' && cell.text[0] <= '9')
        return read_by_number(&cell, out, err);
    if (read_relation(&cell, out)) {
        if (market->label[out->label] == NULL)
            return refuse(&cell, "the agents table (market.agents) has no such column", err);
        return PW_OK;
    }
    return read_by_label(&cell, out, err);
}

static enum pw_code read_row(const struct pw_table *table, const struct pw_market *market, int row,
                             struct preference *out, struct pw_error *err)
{
    out->line = table->line[row];
    PW_TRY(read_selector(table, market, row, AGENT, &out->agent, err));
    PW_TRY(read_selector(table, market, row, PEER, &out->peer, err));
    PW_TRY(pw_table_real(table, row, FEE, 0.0, &out->fee, err));
    if (out->fee < 0.0)
        return pw_fail(err, PW_USAGE,
                       "%s:%d: fee: %g is negative: to prefer somebody, let trades with the others cost more",
                       table->name, table->line[row], out->fee);
    return PW_OK;
}

enum pw_code pw_table_preferences(const char *bytes, size_t size, const char *name,
                                  const struct pw_market *market, struct pw_preferences **out,
                                  struct pw_error *err)
{
    struct pw_table table;
    struct pw_preferences *preferences = pw_alloc(1, sizeof *preferences);
    enum pw_code code = pw_table_parse_csv(bytes, size, name, columns, N_COLUMNS, &table, err);
    if (code == PW_OK) {
        preferences->name = pw_strdup(name);
        preferences->rows = pw_alloc((size_t)table.n_rows, sizeof *preferences->rows);
        preferences->count = table.n_rows;
        for (int row = 0; row < table.n_rows && code == PW_OK; row++)
            code = read_row(&table, market, row, &preferences->rows[row], err);
    }
    pw_table_free(&table);
    if (code != PW_OK) {
        pw_preferences_destroy(preferences);
        preferences = NULL;
    }
    *out = preferences;
    return code;
}

void pw_preferences_destroy(struct pw_preferences *preferences)
{
    if (preferences == NULL)
        return;
    for (int i = 0; i < preferences->count; i++) {
        free(preferences->rows[i].agent.text);
        free(preferences->rows[i].peer.text);
    }
    free(preferences->rows);
    free(preferences->name);
    free(preferences);
}

/* ---- Which row counts ---- */

/* True if the selector speaks of agent n, as a peer of `from`. */
static int speaks_of(const struct selector *selector, const struct pw_market *market, int n, int from)
{
    const char *label = pw_market_label(market, selector->label, n);
    switch (selector->kind) {
    case EVERYBODY:
        return 1;
    case BY_NUMBER:
        return selector->number == n;
    case BY_LABEL:
        return (strcmp(label, selector->text) == 0) != selector->is_not;
    default:
        return (strcmp(label, pw_market_label(market, selector->label, from)) == 0) != selector->is_not;
    }
}

/* Labels and relations go before `*` alike, numbers before both. */
static int rank_of(const struct selector *selector)
{
    return selector->kind == BY_NUMBER ? 2 : selector->kind == EVERYBODY ? 0 : 1;
}

static int rank_of_row(const struct preference *row)
{
    return 3 * rank_of(&row->agent) + rank_of(&row->peer);
}

enum pw_code pw_preferences_fee(struct pw_preferences *preferences, const struct pw_market *market, int n,
                                int peer, double *fee, struct pw_error *err)
{
    struct preference *first = NULL;
    const struct preference *rival = NULL;
    *fee = 0.0;
    for (int i = 0; i < preferences->count; i++) {
        struct preference *row = &preferences->rows[i];
        if (!speaks_of(&row->agent, market, n, n) || !speaks_of(&row->peer, market, peer, n))
            continue;
        row->is_used = 1;
        if (first == NULL || rank_of_row(row) > rank_of_row(first)) {
            first = row;
            rival = NULL;
        } else if (rank_of_row(row) == rank_of_row(first)) {
            rival = row;
        }
    }
    if (rival != NULL)
        return pw_fail(
            err, PW_USAGE,
            "%s:%d: agent %d and peer %d are also meant in line %d: let one row name them more closely",
            preferences->name, rival->line, n, peer, first->line);
    *fee = first == NULL ? 0.0 : first->fee;
    return PW_OK;
}

int pw_preferences_unused(const struct pw_preferences *preferences)
{
    for (int i = 0; i < preferences->count; i++) {
        if (!preferences->rows[i].is_used)
            return preferences->rows[i].line;
    }
    return 0;
}
