#include "common/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/number.h"
#include "common/plain_text.h"
#include "common/suggest.h"

enum { MOST_COLUMNS = 64 };

/* One line, cut in place. */
struct row {
    int line;
    int n_cells;
    char *cells[MOST_COLUMNS];
};

static char *skip_blanks(char *c)
{
    return c + strspn(c, " \t");
}

static char *trimmed(char *cell)
{
    cell = skip_blanks(cell);
    char *end = cell + strlen(cell);
    while (end > cell && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = '\0';
    return cell;
}

/* Takes a quoted cell apart in place; *c ends behind it. NULL if the quotes do not close. */
static char *quoted_cell(char **c)
{
    char *start = ++*c, *to = start;
    for (;; (*c)++) {
        if (**c == '\0')
            return NULL;
        if (**c == '"' && (*c)[1] != '"')
            break;
        if (**c == '"')
            (*c)++;
        *to++ = **c;
    }
    (*c)++;
    *to = '\0';
    return start;
}

static enum pw_code refuse_unplain(const struct pw_table *table, const char *text, int line,
                                   struct pw_error *err)
{
    const char *bad = pw_find_unplain(text);
    if (bad == NULL)
        return PW_OK;
    if ((unsigned char)*bad < 0x80)
        return pw_fail(err, PW_USAGE, "%s:%d: a control character (code %d) within the line", table->name,
                       line, *bad);
    return pw_fail(err, PW_USAGE, "%s:%d: not plain UTF-8 text: save the table as UTF-8", table->name, line);
}

static enum pw_code cut_row(const struct pw_table *table, char *text, struct row *row, struct pw_error *err)
{
    row->n_cells = 0;
    PW_TRY(refuse_unplain(table, text, row->line, err));
    for (char *c = text;;) {
        if (row->n_cells == MOST_COLUMNS)
            return pw_fail(err, PW_USAGE, "%s:%d: more than %d columns", table->name, row->line,
                           MOST_COLUMNS);
        char *cell = c = skip_blanks(c);
        if (*c == '"') {
            cell = quoted_cell(&c);
            c = skip_blanks(c);
            if (cell == NULL || (*c != ',' && *c != '\0'))
                return pw_fail(err, PW_USAGE, "%s:%d: a quoted cell must end with \" before the next comma",
                               table->name, row->line);
        } else {
            c += strcspn(c, ",");
        }
        int last = *c == '\0';
        *c = '\0';
        row->cells[row->n_cells++] = trimmed(cell);
        if (last)
            return PW_OK;
        c++;
    }
}

/* The next line that is not blank, cut off in place; NULL at the end. *line counts all. */
static char *next_line(char **rest, int *line)
{
    while (**rest != '\0') {
        char *text = *rest, *end = text + strcspn(text, "\n");
        *rest = *end == '\0' ? end : end + 1;
        *end = '\0';
        if (end > text && end[-1] == '\r')
            end[-1] = '\0';
        ++*line;
        if (*skip_blanks(text) != '\0')
            return text;
    }
    return NULL;
}

static int column_index(const struct pw_table *table, const char *name)
{
    for (int i = 0; i < table->n_columns; i++) {
        if (strcmp(table->columns[i].name, name) == 0)
            return i;
    }
    return -1;
}

static enum pw_code unknown_column(const struct pw_table *table, const char *name, int line,
                                   struct pw_error *err)
{
    const char *names[MOST_COLUMNS];
    char hint[96], expected[256] = "";
    for (int i = 0; i < table->n_columns; i++) {
        names[i] = table->columns[i].name;
        strncat(expected, i > 0 ? "," : "", sizeof expected - strlen(expected) - 1);
        strncat(expected, names[i], sizeof expected - strlen(expected) - 1);
    }
    pw_suggest(name, names, table->n_columns, hint, sizeof hint);
    return pw_fail(err, PW_USAGE, "%s:%d: unknown column \"%.40s\"%s (columns: %s)", table->name, line, name,
                   hint, expected);
}

/* Which column of ours each column of the file is. */
static enum pw_code map_header(const struct pw_table *table, const struct row *header, int *map,
                               struct pw_error *err)
{
    int seen[MOST_COLUMNS] = {0};
    for (int i = 0; i < header->n_cells; i++) {
        map[i] = column_index(table, header->cells[i]);
        if (map[i] < 0)
            return unknown_column(table, header->cells[i], header->line, err);
        if (seen[map[i]]++)
            return pw_fail(err, PW_USAGE, "%s:%d: column \"%s\" given twice", table->name, header->line,
                           header->cells[i]);
    }
    for (int i = 0; i < table->n_columns; i++) {
        if (table->columns[i].required && !seen[i])
            return pw_fail(err, PW_USAGE, "%s:%d: column \"%s\" is missing", table->name, header->line,
                           table->columns[i].name);
    }
    return PW_OK;
}

static void keep_row(struct pw_table *table, const struct row *row, const int *map, int *room)
{
    if (table->n_rows == *room) {
        *room = 2 * *room + 64;
        table->line = pw_realloc(table->line, (size_t)*room, sizeof *table->line);
        table->cells =
            pw_realloc(table->cells, (size_t)*room * (size_t)table->n_columns, sizeof *table->cells);
    }
    char **cells = table->cells + (size_t)table->n_rows * (size_t)table->n_columns;
    for (int i = 0; i < table->n_columns; i++)
        cells[i] = NULL;
    for (int i = 0; i < row->n_cells; i++)
        cells[map[i]] = row->cells[i];
    table->line[table->n_rows++] = row->line;
}

static enum pw_code read_rows(struct pw_table *table, char *rest, struct pw_error *err)
{
    struct row header = {0}, row = {0};
    int map[MOST_COLUMNS], line = 0, room = 0;
    char *text = next_line(&rest, &line);
    if (text == NULL)
        return pw_fail(err, PW_USAGE, "%s:1: the table is empty, a header row is expected", table->name);
    header.line = line;
    PW_TRY(cut_row(table, text, &header, err));
    PW_TRY(map_header(table, &header, map, err));
    while ((text = next_line(&rest, &line)) != NULL) {
        row.line = line;
        PW_TRY(cut_row(table, text, &row, err));
        if (row.n_cells != header.n_cells)
            return pw_fail(err, PW_USAGE, "%s:%d: %d cells, but the header has %d", table->name, line,
                           row.n_cells, header.n_cells);
        keep_row(table, &row, map, &room);
    }
    return PW_OK;
}

enum pw_code pw_table_parse_csv(const char *bytes, size_t size, const char *name,
                                const struct pw_table_column *columns, int n_columns, struct pw_table *out,
                                struct pw_error *err)
{
    static const char mark[] = "\xEF\xBB\xBF";
    *out = (struct pw_table){.name = name, .columns = columns, .n_columns = n_columns};
    out->storage = pw_alloc(size + 1, 1);
    memcpy(out->storage, bytes, size);
    int nul_line = pw_nul_line(out->storage, size);
    if (nul_line > 0)
        return pw_fail(err, PW_USAGE, "%s:%d: a NUL byte: this is not a text file", name, nul_line);
    return read_rows(out, out->storage + (strncmp(out->storage, mark, 3) == 0 ? 3 : 0), err);
}

void pw_table_free(struct pw_table *table)
{
    for (int i = 0; i < table->n_columns && table->reals != NULL; i++) {
        free(table->reals[i]);
        free(table->texts[i]);
    }
    free(table->reals);
    free(table->texts);
    free(table->text_size);
    free(table->line);
    free(table->cells);
    free(table->storage);
    *table = (struct pw_table){0};
}

int pw_table_line(const struct pw_table *table, int row)
{
    return table->line != NULL ? table->line[row] : row;
}

int pw_table_has(const struct pw_table *table, int column)
{
    if (table->reals != NULL)
        return table->reals[column] != NULL || table->texts[column] != NULL;
    return table->n_rows > 0 && table->cells[column] != NULL;
}

const char *pw_table_cell(const struct pw_table *table, int row, int column)
{
    if (table->reals == NULL)
        return table->cells[(size_t)row * (size_t)table->n_columns + (size_t)column];
    const char *texts = table->texts[column];
    return texts != NULL ? texts + (size_t)row * table->text_size[column] : NULL;
}

int pw_table_says(const struct pw_table *table, int row, int column)
{
    const char *cell = pw_table_cell(table, row, column);
    if (table->reals != NULL && table->reals[column] != NULL)
        return !isnan(table->reals[column][row]);
    return cell != NULL && cell[0] != '\0';
}

/* A cell as words for a message. */
static const char *cell_text(const struct pw_table *table, int row, int column, char *text, int size)
{
    const char *cell = pw_table_cell(table, row, column);
    if (cell != NULL)
        snprintf(text, (size_t)size, "%.40s", cell);
    else
        snprintf(text, (size_t)size, "%.17g", table->reals[column][row]);
    return text;
}

/* False for what is no number at all. */
static int parse(const struct pw_table *table, int row, int column, double *value)
{
    if (table->reals == NULL)
        return pw_parse_real(pw_table_cell(table, row, column), value);
    *value = table->reals[column][row];
    return !isnan(*value);
}

enum pw_code pw_table_real(const struct pw_table *table, int row, int column, double otherwise, double *value,
                           struct pw_error *err)
{
    char text[48];
    *value = otherwise;
    if (!pw_table_has(table, column))
        return PW_OK;
    int is_number = parse(table, row, column, value);
    if (is_number && fabs(*value) <= PW_LARGEST_NUMBER)
        return PW_OK;
    cell_text(table, row, column, text, sizeof text);
    if (is_number)
        return pw_fail(err, PW_USAGE, "%s:%d: %s: %s is too large a number: at most %g is expected",
                       table->name, pw_table_line(table, row), table->columns[column].name, text,
                       PW_LARGEST_NUMBER);
    return pw_fail(err, PW_USAGE,
                   "%s:%d: %s: \"%s\" is not a number (a plain decimal such as 12.5 is expected)",
                   table->name, pw_table_line(table, row), table->columns[column].name, text);
}

/* A whole number; -1 for anything else. */
static long parse_index(const struct pw_table *table, int row, int column)
{
    long parsed = -1;
    if (table->reals == NULL)
        return pw_parse_integer(pw_table_cell(table, row, column), &parsed) ? parsed : -1;
    double value = table->reals[column][row];
    return value >= 0.0 && value < 9e15 && value == floor(value) ? (long)value : -1;
}

enum pw_code pw_table_index(const struct pw_table *table, int row, int column, long below, int *value,
                            struct pw_error *err)
{
    char text[48];
    long parsed = parse_index(table, row, column);
    if (parsed < 0 || parsed >= below)
        return pw_fail(err, PW_USAGE,
                       "%s:%d: %s: \"%s\" is not an id (a whole number from 0 to %ld is expected)",
                       table->name, pw_table_line(table, row), table->columns[column].name,
                       cell_text(table, row, column, text, sizeof text), below - 1);
    *value = (int)parsed;
    return PW_OK;
}
