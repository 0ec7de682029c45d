/* Tables in an HDF5 file: a group for each table, in it a dataset of one dimension for each column. */
#ifndef PW_TABLE_H5_H
#define PW_TABLE_H5_H

#include "common/table.h"

/* True for bytes that start as an HDF5 file does. */
int pw_table_is_h5(const char *bytes, size_t size);

/* Reads the group `group` of the file in `bytes` into the table that pw_table_parse_csv() would make of the
 * same columns as text; numbers stay numbers of 64 bits. PW_USAGE with `name:/group/column: what` for what is
 * unknown or missing, of another kind, shape or length. Free with pw_table_free() in either case. */
enum pw_code pw_table_h5_read(const char *bytes, size_t size, const char *name, const char *group,
                              const struct pw_table_column *columns, int n_columns, struct pw_table *out,
                              struct pw_error *err);

#endif
