#include "common/table_h5.h"

#include <hdf5.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/plain_text.h"
#include "common/suggest.h"

enum { MOST_COLUMNS = 64, LONGEST_TEXT = 4096 };

/* A table while it is read. */
struct reading {
    struct pw_table *out;
    hid_t group;
    struct pw_error *err;
};

int pw_table_is_h5(const char *bytes, size_t size)
{
    static const char signature[] = "\211HDF\r\n\032\n";
    return size >= 8 && memcmp(bytes, signature, 8) == 0;
}

static enum pw_code fail(const struct reading *reading, const char *column, const char *what)
{
    return pw_fail(reading->err, PW_USAGE, "%s/%.40s: %s", reading->out->name, column, what);
}

static int is_known(const struct pw_table *table, const char *name)
{
    for (int i = 0; i < table->n_columns; i++) {
        if (strcmp(table->columns[i].name, name) == 0)
            return 1;
    }
    return 0;
}

static enum pw_code refuse_unknown(const struct reading *reading)
{
    const struct pw_table *table = reading->out;
    const char *names[MOST_COLUMNS];
    H5G_info_t info;
    if (H5Gget_info(reading->group, &info) < 0)
        return pw_fail(reading->err, PW_USAGE, "%s: is no group that can be read", table->name);
    for (int i = 0; i < table->n_columns; i++)
        names[i] = table->columns[i].name;
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[64] = "", hint[96], what[128];
        if (H5Lget_name_by_idx(reading->group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                               H5P_DEFAULT) < 0)
            return pw_fail(reading->err, PW_USAGE, "%s: is no group that can be read", table->name);
        if (is_known(table, name))
            continue;
        pw_suggest(name, names, table->n_columns, hint, sizeof hint);
        snprintf(what, sizeof what, "such a column is not known%s", hint);
        return fail(reading, name, what);
    }
    return PW_OK;
}

/* One dimension, as long as the columns before it. */
static enum pw_code check_shape(struct reading *reading, hid_t data, const char *column)
{
    struct pw_table *table = reading->out;
    hid_t space = H5Dget_space(data);
    hsize_t rows = 0;
    int is_row = space >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
                 H5Sget_simple_extent_dims(space, &rows, NULL) == 1;
    char what[128];
    if (space >= 0)
        H5Sclose(space);
    if (!is_row)
        return fail(reading, column, "an array of one dimension is expected");
    if (rows > INT_MAX / 2)
        return fail(reading, column, "more rows than a table can have");
    if (table->n_rows < 0)
        table->n_rows = (int)rows;
    if (table->n_rows == (int)rows)
        return PW_OK;
    snprintf(what, sizeof what, "%llu rows, but other columns have %d", (unsigned long long)rows,
             table->n_rows);
    return fail(reading, column, what);
}

static enum pw_code read_numbers(struct reading *reading, hid_t data, H5T_class_t kind, int column)
{
    struct pw_table *table = reading->out;
    if (kind != H5T_INTEGER && kind != H5T_FLOAT)
        return fail(reading, table->columns[column].name, "whole or real numbers are expected");
    table->reals[column] = pw_alloc((size_t)table->n_rows, sizeof(double));
    if (H5Dread(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, table->reals[column]) < 0)
        return fail(reading, table->columns[column].name, "cannot be read: the file is broken");
    return PW_OK;
}

/* Texts of one size each, in a block with a NUL after each; the caller frees it. NULL: cannot be read. */
static char *read_fixed(hid_t data, hid_t type, size_t size, int rows)
{
    char *block = pw_alloc((size_t)rows, size + 1);
    hid_t memory = H5Tcopy(type);
    int failed = H5Tset_size(memory, size + 1) < 0 || H5Tset_strpad(memory, H5T_STR_NULLTERM) < 0 ||
                 H5Dread(data, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, block) < 0;
    H5Tclose(memory);
    if (failed) {
        free(block);
        return NULL;
    }
    return block;
}

/* The same of texts of any size: all as long as the longest. */
static char *read_variable(hid_t data, hid_t type, size_t *size, int rows)
{
    char **texts = pw_alloc((size_t)rows, sizeof *texts), *block = NULL;
    hid_t space = H5Dget_space(data);
    if (H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) >= 0) {
        *size = 1;
        for (int row = 0; row < rows; row++)
            *size = texts[row] != NULL && strlen(texts[row]) > *size ? strlen(texts[row]) : *size;
        *size = *size < LONGEST_TEXT ? *size : LONGEST_TEXT;
        block = pw_alloc((size_t)rows, *size + 1);
        for (int row = 0; row < rows; row++)
            snprintf(block + (size_t)row * (*size + 1), *size + 1, "%s",
                     texts[row] != NULL ? texts[row] : "");
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts);
    }
    H5Sclose(space);
    free(texts);
    return block;
}

static enum pw_code read_texts(struct reading *reading, hid_t data, hid_t type, int column)
{
    struct pw_table *table = reading->out;
    const char *name = table->columns[column].name;
    size_t size = H5Tget_size(type);
    if (H5Tget_class(type) != H5T_STRING)
        return fail(reading, name, "texts are expected");
    int is_variable = H5Tis_variable_str(type) > 0;
    if (!is_variable && size > LONGEST_TEXT)
        return fail(reading, name, "texts of over 4096 bytes");
    char *block = is_variable ? read_variable(data, type, &size, table->n_rows)
                              : read_fixed(data, type, size, table->n_rows);
    if (block == NULL)
        return fail(reading, name, "cannot be read: the file is broken");
    table->texts[column] = block;
    table->text_size[column] = size + 1;
    for (int row = 0; row < table->n_rows; row++) {
        if (pw_find_unplain(block + (size_t)row * (size + 1)) != NULL)
            return pw_fail(reading->err, PW_USAGE, "%s:%d: %s: not plain UTF-8 text", table->name, row, name);
    }
    return PW_OK;
}

static enum pw_code read_dataset(struct reading *reading, hid_t data, int column)
{
    hid_t type = H5Dget_type(data);
    enum pw_code code = check_shape(reading, data, reading->out->columns[column].name);
    if (code == PW_OK)
        code = reading->out->columns[column].is_text
                   ? read_texts(reading, data, type, column)
                   : read_numbers(reading, data, H5Tget_class(type), column);
    H5Tclose(type);
    return code;
}

static enum pw_code read_column(struct reading *reading, int column)
{
    const struct pw_table_column *wanted = &reading->out->columns[column];
    if (H5Lexists(reading->group, wanted->name, H5P_DEFAULT) <= 0)
        return wanted->required ? fail(reading, wanted->name, "the column is missing") : PW_OK;
    hid_t data = H5Dopen2(reading->group, wanted->name, H5P_DEFAULT);
    if (data < 0)
        return fail(reading, wanted->name, "is no dataset");
    enum pw_code code = read_dataset(reading, data, column);
    H5Dclose(data);
    return code;
}

static enum pw_code read_group(struct reading *reading)
{
    PW_TRY(refuse_unknown(reading));
    for (int column = 0; column < reading->out->n_columns; column++)
        PW_TRY(read_column(reading, column));
    return PW_OK;
}

/* Opens the bytes as a file; negative: they are none. HDF5 makes a copy of them. */
static hid_t open_image(const char *bytes, size_t size)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), file = -1;
    if (H5Pset_fapl_core(access, 1 << 20, 0) >= 0 &&
        H5Pset_file_image(access, (void *)(uintptr_t)bytes, size) >= 0)
        file = H5Fopen("table", H5F_ACC_RDONLY, access);
    H5Pclose(access);
    return file;
}

static enum pw_code read_file(struct reading *reading, const char *bytes, size_t size, const char *group)
{
    hid_t file = open_image(bytes, size);
    enum pw_code code;
    if (file < 0)
        return pw_fail(reading->err, PW_USAGE, "%s: the HDF5 file is broken", reading->out->name);
    reading->group = H5Lexists(file, group, H5P_DEFAULT) > 0 ? H5Gopen2(file, group, H5P_DEFAULT) : -1;
    if (reading->group < 0) {
        code = pw_fail(reading->err, PW_USAGE, "%s: the file has no such group", reading->out->name);
    } else {
        code = read_group(reading);
        H5Gclose(reading->group);
    }
    H5Fclose(file);
    return code;
}

enum pw_code pw_table_h5_read(const char *bytes, size_t size, const char *name, const char *group,
                              const struct pw_table_column *columns, int n_columns, struct pw_table *out,
                              struct pw_error *err)
{
    size_t length = strlen(name) + strlen(group) + 3;
    *out = (struct pw_table){.columns = columns, .n_columns = n_columns, .n_rows = -1};
    out->storage = pw_alloc(length, 1);
    snprintf(out->storage, length, "%s:/%s", name, group);
    out->name = out->storage;
    out->reals = pw_alloc((size_t)n_columns, sizeof *out->reals);
    out->texts = pw_alloc((size_t)n_columns, sizeof *out->texts);
    out->text_size = pw_alloc((size_t)n_columns, sizeof *out->text_size);
    struct reading reading = {out, -1, err};
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* its stack of errors says nothing to a user */
    enum pw_code code = read_file(&reading, bytes, size, group);
    out->n_rows = out->n_rows < 0 ? 0 : out->n_rows;
    return code;
}
