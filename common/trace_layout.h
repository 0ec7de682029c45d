/* What a file of results consists of, and, for the trace of a run, one table of its variables. Knows no HDF5:
 * trace_h5.c writes what this says. */
#ifndef PW_TRACE_LAYOUT_H
#define PW_TRACE_LAYOUT_H

#include <stddef.h>

#include "common/trace.h"

/* The type in the file, and the C type of the values in memory. */
enum pw_trace_type {
    PW_TRACE_FLAG,    /* int8 that stands for a word; int */
    PW_TRACE_INT32,   /* int */
    PW_TRACE_INT64,   /* long */
    PW_TRACE_FLOAT64, /* double */
    PW_TRACE_BYTE     /* one byte of a UTF-8 text that lies along the last axis, filled up with NULs; char */
};

enum { PW_MOST_TRACE_AXES = 8 };

struct pw_trace_axis {
    const char *name; /* also the name of its scale, in the variable's group */
    size_t size;
};

/* One variable of one file. Texts belong to others, values are owned. */
struct pw_trace_variable {
    const char *group; /* "" for the root */
    const char *name, *long_name;
    const char *meanings; /* of a flag's values 0, 1, ...: words separated by blanks; NULL for other types */
    char units[64];
    enum pw_trace_type type;
    int is_scale;        /* the variable is its axis' scale; scales come before what lies on them */
    int is_only_a_scale; /* and no coordinate: nobody looks anything up by it */
    int rank;
    struct pw_trace_axis axis[PW_MOST_TRACE_AXES];
    size_t element_size; /* in memory */
    void *values;        /* all elements, the last axis innermost */
};

/* A file of results as its parts. Nothing is owned. */
struct pw_trace_content {
    const char *conventions, *title, *history;
    const struct pw_provenance *provenance;
    int n_provenance;
    int n_variables;
    const void *context; /* for `get`, which is as pw_trace_variable_get() */
    int (*get)(const void *context, int index, struct pw_trace_variable *out);
};

/* pw_trace_write() for any content. */
enum pw_code pw_trace_content_write(const struct pw_trace_content *content, const char *path, int force,
                                    struct pw_error *err);

/* Number of variables that a trace may have, in the order of the file. */
int pw_trace_variable_count(void);

/* Fills *out with variable `index` of the trace, for pw_trace_variable_free(). Returns 0, with nothing to
 * free, when this trace does not have it (a timeline nobody asked for, the axis of a single product). */
int pw_trace_variable_get(const struct pw_trace *trace, int index, struct pw_trace_variable *out);
void pw_trace_variable_free(struct pw_trace_variable *variable);

#endif
