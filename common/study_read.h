/* Parts of reading a study. Private to study.c and study_axes.c. */
#ifndef PW_STUDY_READ_H
#define PW_STUDY_READ_H

#include "common/study.h"

struct pw_study_reader {
    struct pw_study *study;
    struct pw_error *err;
};

/* Fails with PW_USAGE at a line of the study. */
enum pw_code pw_study_fail(const struct pw_study_reader *reader, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Refuses a map with other keys than these, ended by NULL; `what` names the map, "" for the whole file. */
enum pw_code pw_study_check_keys(const struct pw_study_reader *reader, const struct pw_yaml *map,
                                 const char *const *keys, const char *what);

/* `setting=value` with the value as YAML of one line, and where it stands. */
struct pw_assignment pw_study_assign(const char *setting, const struct pw_yaml *value);

/* Tries an assignment on its setting. */
enum pw_code pw_study_try(const struct pw_study_reader *reader, const struct pw_assignment *assignment);

/* Why a study can neither set nor vary this setting itself, NULL if it can. */
const char *pw_study_reserved(const char *setting);

/* True if `path` is `section` or a setting or section under it. */
int pw_study_is_within(const char *path, const char *section);

/* Reads all axes: a list of mappings, or a mapping from names to mappings or lists. */
enum pw_code pw_study_read_axes(const struct pw_study_reader *reader, const struct pw_yaml *node);

#endif
