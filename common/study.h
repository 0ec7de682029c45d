/* A study: a case, the settings that vary and over what values, and how often each point is drawn anew. Its
 * file is described in docs/sweeps.md. */
#ifndef PW_STUDY_H
#define PW_STUDY_H

#include <stddef.h>

#include "common/error.h"
#include "common/yaml_tree.h"

enum { PW_MOST_STUDY_AXES = 6, PW_STUDY_NAME_ROOM = 64 };

/* One `section.key=value` and the line of the study that says it. */
struct pw_assignment {
    char *text;
    int line;
};

/* One value of an axis. */
struct pw_study_value {
    struct pw_assignment assignment;
    const char *text; /* the value in it */
    double number;    /* if the axis is numeric */
};

struct pw_study_axis {
    char name[PW_STUDY_NAME_ROOM], setting[PW_STUDY_NAME_ROOM]; /* or a section of settings */
    int is_numeric;                                             /* all values are numbers */
    int n_values;
    struct pw_study_value *values;
};

struct pw_study {
    char *path; /* of the study */
    char *name;
    char *case_path; /* seen from where the program runs */
    int case_line;
    int n_set;
    struct pw_assignment *set; /* in the order in which they apply */
    int n_axes;
    struct pw_study_axis axes[PW_MOST_STUDY_AXES];
    long replicates, seed;
    long n_runs;                /* product of all axes and the replicates */
    unsigned char *is_recorded; /* [pw_sweep_variable_count()] */
};

/* True if the tree of a file looks like a study and not like a case. */
int pw_study_looks_like_one(const struct pw_yaml *root);

/* Reads a study's text; `path` stands in messages and says what the case's path is relative to. Every value
 * is tried on its setting. PW_USAGE with file and line. *out is for pw_study_destroy(), NULL on failure. */
enum pw_code pw_study_parse(const char *path, const char *bytes, size_t size, struct pw_study **out,
                            struct pw_error *err);
void pw_study_destroy(struct pw_study *study);

/* The place of run `number` on each axis, into index[n_axes]; returns its replicate. */
long pw_study_point(const struct pw_study *study, long number, int index[PW_MOST_STUDY_AXES]);

/* The settings of the point index[n_axes], with `given` (of the command line) between those that the study
 * sets and its axes: an array of `section.key=value` for free(), whose texts belong to the study and to
 * `given`. Seeds are those of replicate 0. */
const char **pw_study_overrides(const struct pw_study *study, const char *const *given, int n_given,
                                const int index[PW_MOST_STUDY_AXES], int *count);

/* Refuses settings of the command line that the study varies or draws. */
enum pw_code pw_study_check_given(const struct pw_study *study, const char *const *given, int n_given,
                                  struct pw_error *err);

/* Rewrites an error about `-s section.key` that the study, not the command line, has given, so that it names
 * the line of the study. index: the point that was tried. Returns its code. */
enum pw_code pw_study_place(const struct pw_study *study, const char *const *given, int n_given,
                            const int index[PW_MOST_STUDY_AXES], struct pw_error *err);

#endif
