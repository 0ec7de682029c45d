/* Tables, read without surprises: every column known by name, every cell checked. From CSV with a header row,
 * or by common/table_h5.h from HDF5. */
#ifndef PW_TABLE_H
#define PW_TABLE_H

#include <stddef.h>

#include "common/error.h"

/* One column that a table may have. */
struct pw_table_column {
    const char *name;
    int required;
    int is_text; /* else numbers */
};

/* A table cut into cells, in the order of the columns asked for. Cells point into `storage`. */
struct pw_table {
    const char *name;                      /* of the file, for messages; borrowed */
    const struct pw_table_column *columns; /* borrowed */
    int n_columns;
    int n_rows;
    char *storage;
    /* From CSV: */
    int *line;    /* [n_rows] */
    char **cells; /* [n_rows * n_columns]; NULL where the table lacks the column */
    /* From HDF5, else NULL; [n_columns], NULL where the table lacks the column or it is of the other kind: */
    double **reals; /* [n_rows] */
    char **texts;   /* [n_rows * text_size] ended by NUL */
    size_t *text_size;
};

/* Parses `size` bytes of CSV: a header row, then data rows; comma separated, cells may be in double quotes
 * (not over several lines), blanks around a cell do not count, CRLF or LF, blank lines skipped, a UTF-8 byte
 * order mark allowed. PW_USAGE with `name:line: what` for unknown, missing or repeated columns, rows of
 * another length and what is not plain text. Free with pw_table_free() in either case. */
enum pw_code pw_table_parse_csv(const char *bytes, size_t size, const char *name,
                                const struct pw_table_column *columns, int n_columns, struct pw_table *out,
                                struct pw_error *err);
void pw_table_free(struct pw_table *table);

/* What a message calls a row: its line in CSV, its number from 0 on in HDF5. */
int pw_table_line(const struct pw_table *table, int row);

/* Whether the cell says something: the column is there, and the text not empty or the number no NaN. */
int pw_table_says(const struct pw_table *table, int row, int column);

/* Whether the table has the column. */
int pw_table_has(const struct pw_table *table, int column);

/* The cell of a row and column as text; NULL where the table lacks the (optional) column, or has numbers in
 * it. */
const char *pw_table_cell(const struct pw_table *table, int row, int column);

/* The cell as a number; `otherwise` where the column is lacking. PW_USAGE with file, line and column for
 * anything that is not a plain decimal number, or larger in size than PW_LARGEST_NUMBER. */
enum pw_code pw_table_real(const struct pw_table *table, int row, int column, double otherwise, double *value,
                           struct pw_error *err);

/* The cell of a required column as a whole number in [0, below). */
enum pw_code pw_table_index(const struct pw_table *table, int row, int column, long below, int *value,
                            struct pw_error *err);

#endif
