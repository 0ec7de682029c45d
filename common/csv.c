#include "common/csv.h"

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

static enum pw_code refuse_unplain(const struct pw_csv *csv, const char *text, int line, struct pw_error *err)
{
    const char *bad = pw_find_unplain(text);
    if (bad == NULL)
        return PW_OK;
    if ((unsigned char)*bad < 0x80)
        return pw_fail(err, PW_USAGE, "%s:%d: a control character (code %d) within the line", csv->name, line,
                       *bad);
    return pw_fail(err, PW_USAGE, "%s:%d: not plain UTF-8 text: save the table as UTF-8", csv->name, line);
}

static enum pw_code cut_row(const struct pw_csv *csv, char *text, struct row *row, struct pw_error *err)
{
    row->n_cells = 0;
    PW_TRY(refuse_unplain(csv, text, row->line, err));
    for (char *c = text;;) {
        if (row->n_cells == MOST_COLUMNS)
            return pw_fail(err, PW_USAGE, "%s:%d: more than %d columns", csv->name, row->line, MOST_COLUMNS);
        char *cell = c = skip_blanks(c);
        if (*c == '"') {
            cell = quoted_cell(&c);
            c = skip_blanks(c);
            if (cell == NULL || (*c != ',' && *c != '\0'))
                return pw_fail(err, PW_USAGE, "%s:%d: a quoted cell must end with \" before the next comma",
                               csv->name, row->line);
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

static int column_index(const struct pw_csv *csv, const char *name)
{
    for (int i = 0; i < csv->n_columns; i++) {
        if (strcmp(csv->columns[i].name, name) == 0)
            return i;
    }
    return -1;
}

static enum pw_code unknown_column(const struct pw_csv *csv, const char *name, int line, struct pw_error *err)
{
    const char *names[MOST_COLUMNS];
    char hint[96], expected[256] = "";
    for (int i = 0; i < csv->n_columns; i++) {
        names[i] = csv->columns[i].name;
        strncat(expected, i > 0 ? "," : "", sizeof expected - strlen(expected) - 1);
        strncat(expected, names[i], sizeof expected - strlen(expected) - 1);
    }
    pw_suggest(name, names, csv->n_columns, hint, sizeof hint);
    return pw_fail(err, PW_USAGE, "%s:%d: unknown column \"%.40s\"%s (columns: %s)", csv->name, line, name,
                   hint, expected);
}

/* Which column of ours each column of the file is. */
static enum pw_code map_header(const struct pw_csv *csv, const struct row *header, int *map,
                               struct pw_error *err)
{
    int seen[MOST_COLUMNS] = {0};
    for (int i = 0; i < header->n_cells; i++) {
        map[i] = column_index(csv, header->cells[i]);
        if (map[i] < 0)
            return unknown_column(csv, header->cells[i], header->line, err);
        if (seen[map[i]]++)
            return pw_fail(err, PW_USAGE, "%s:%d: column \"%s\" given twice", csv->name, header->line,
                           header->cells[i]);
    }
    for (int i = 0; i < csv->n_columns; i++) {
        if (csv->columns[i].required && !seen[i])
            return pw_fail(err, PW_USAGE, "%s:%d: column \"%s\" is missing", csv->name, header->line,
                           csv->columns[i].name);
    }
    return PW_OK;
}

static void keep_row(struct pw_csv *csv, const struct row *row, const int *map, int *room)
{
    if (csv->n_rows == *room) {
        *room = 2 * *room + 64;
        csv->line = pw_realloc(csv->line, (size_t)*room, sizeof *csv->line);
        csv->cells = pw_realloc(csv->cells, (size_t)*room * (size_t)csv->n_columns, sizeof *csv->cells);
    }
    char **cells = csv->cells + (size_t)csv->n_rows * (size_t)csv->n_columns;
    for (int i = 0; i < csv->n_columns; i++)
        cells[i] = NULL;
    for (int i = 0; i < row->n_cells; i++)
        cells[map[i]] = row->cells[i];
    csv->line[csv->n_rows++] = row->line;
}

static enum pw_code read_rows(struct pw_csv *csv, char *rest, struct pw_error *err)
{
    struct row header = {0}, row = {0};
    int map[MOST_COLUMNS], line = 0, room = 0;
    char *text = next_line(&rest, &line);
    if (text == NULL)
        return pw_fail(err, PW_USAGE, "%s:1: the table is empty, a header row is expected", csv->name);
    header.line = line;
    PW_TRY(cut_row(csv, text, &header, err));
    PW_TRY(map_header(csv, &header, map, err));
    while ((text = next_line(&rest, &line)) != NULL) {
        row.line = line;
        PW_TRY(cut_row(csv, text, &row, err));
        if (row.n_cells != header.n_cells)
            return pw_fail(err, PW_USAGE, "%s:%d: %d cells, but the header has %d", csv->name, line,
                           row.n_cells, header.n_cells);
        keep_row(csv, &row, map, &room);
    }
    return PW_OK;
}

enum pw_code pw_csv_parse(const char *bytes, size_t size, const char *name,
                          const struct pw_csv_column *columns, int n_columns, struct pw_csv *out,
                          struct pw_error *err)
{
    static const char mark[] = "\xEF\xBB\xBF";
    *out = (struct pw_csv){.name = name, .columns = columns, .n_columns = n_columns};
    out->storage = pw_alloc(size + 1, 1);
    memcpy(out->storage, bytes, size);
    int nul_line = pw_nul_line(out->storage, size);
    if (nul_line > 0)
        return pw_fail(err, PW_USAGE, "%s:%d: a NUL byte: this is not a text file", name, nul_line);
    return read_rows(out, out->storage + (strncmp(out->storage, mark, 3) == 0 ? 3 : 0), err);
}

void pw_csv_free(struct pw_csv *csv)
{
    for (int i = 0; i < csv->n_columns && csv->reals != NULL; i++) {
        free(csv->reals[i]);
        free(csv->texts[i]);
    }
    free(csv->reals);
    free(csv->texts);
    free(csv->text_size);
    free(csv->line);
    free(csv->cells);
    free(csv->storage);
    *csv = (struct pw_csv){0};
}

int pw_csv_line(const struct pw_csv *csv, int row)
{
    return csv->line != NULL ? csv->line[row] : row;
}

int pw_csv_has(const struct pw_csv *csv, int column)
{
    if (csv->reals != NULL)
        return csv->reals[column] != NULL || csv->texts[column] != NULL;
    return csv->n_rows > 0 && csv->cells[column] != NULL;
}

const char *pw_csv_cell(const struct pw_csv *csv, int row, int column)
{
    if (csv->reals == NULL)
        return csv->cells[(size_t)row * (size_t)csv->n_columns + (size_t)column];
    const char *texts = csv->texts[column];
    return texts != NULL ? texts + (size_t)row * csv->text_size[column] : NULL;
}

int pw_csv_says(const struct pw_csv *csv, int row, int column)
{
    const char *cell = pw_csv_cell(csv, row, column);
    if (csv->reals != NULL && csv->reals[column] != NULL)
        return !isnan(csv->reals[column][row]);
    return cell != NULL && cell[0] != '\0';
}

/* A cell as words for a message. */
static const char *cell_text(const struct pw_csv *csv, int row, int column, char *text, int size)
{
    const char *cell = pw_csv_cell(csv, row, column);
    if (cell != NULL)
        snprintf(text, (size_t)size, "%.40s", cell);
    else
        snprintf(text, (size_t)size, "%.17g", csv->reals[column][row]);
    return text;
}

/* False for what is no number at all. */
static int parse(const struct pw_csv *csv, int row, int column, double *value)
{
    if (csv->reals == NULL)
        return pw_parse_real(pw_csv_cell(csv, row, column), value);
    *value = csv->reals[column][row];
    return !isnan(*value);
}

enum pw_code pw_csv_real(const struct pw_csv *csv, int row, int column, double otherwise, double *value,
                         struct pw_error *err)
{
    char text[48];
    *value = otherwise;
    if (!pw_csv_has(csv, column))
        return PW_OK;
    int is_number = parse(csv, row, column, value);
    if (is_number && fabs(*value) <= PW_LARGEST_NUMBER)
        return PW_OK;
    cell_text(csv, row, column, text, sizeof text);
    if (is_number)
        return pw_fail(err, PW_USAGE, "%s:%d: %s: %s is too large a number: at most %g is expected",
                       csv->name, pw_csv_line(csv, row), csv->columns[column].name, text, PW_LARGEST_NUMBER);
    return pw_fail(err, PW_USAGE,
                   "%s:%d: %s: \"%s\" is not a number (a plain decimal such as 12.5 is expected)", csv->name,
                   pw_csv_line(csv, row), csv->columns[column].name, text);
}

/* A whole number; -1 for anything else. */
static long parse_index(const struct pw_csv *csv, int row, int column)
{
    long parsed = -1;
    if (csv->reals == NULL)
        return pw_parse_integer(pw_csv_cell(csv, row, column), &parsed) ? parsed : -1;
    double value = csv->reals[column][row];
    return value >= 0.0 && value < 9e15 && value == floor(value) ? (long)value : -1;
}

enum pw_code pw_csv_index(const struct pw_csv *csv, int row, int column, long below, int *value,
                          struct pw_error *err)
{
    char text[48];
    long parsed = parse_index(csv, row, column);
    if (parsed < 0 || parsed >= below)
        return pw_fail(err, PW_USAGE,
                       "%s:%d: %s: \"%s\" is not an id (a whole number from 0 to %ld is expected)", csv->name,
                       pw_csv_line(csv, row), csv->columns[column].name,
                       cell_text(csv, row, column, text, sizeof text), below - 1);
    *value = (int)parsed;
    return PW_OK;
}
