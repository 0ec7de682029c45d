#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/number.h"
#include "common/settings.h"
#include "common/study_read.h"
#include "common/sweep_layout.h"

enum { MOST_VALUES = 100000 };

static int is_identifier(const char *name)
{
    if (!isalpha((unsigned char)name[0]) || strlen(name) >= PW_STUDY_NAME_ROOM)
        return 0;
    for (const char *c = name; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && *c != '_')
            return 0;
    }
    return 1;
}

/* A name is that of a dimension of the results. */
static enum pw_code take_name(const struct pw_study_reader *reader, struct pw_study_axis *axis,
                              const char *name, int line)
{
    char hint[100];
    if (!is_identifier(name))
        return pw_study_fail(reader, line, "axes: %.80s: a name of letters, digits and _ is expected", name);
    if (strcmp(name, "replicate") == 0 || strcmp(name, "provenance") == 0 ||
        pw_sweep_variable_find(name, hint, sizeof hint) >= 0)
        return pw_study_fail(reader, line, "axes: %s: the results have something of that name", name);
    for (int i = 0; i < reader->study->n_axes; i++) {
        if (strcmp(reader->study->axes[i].name, name) == 0)
            return pw_study_fail(reader, line, "axes: %s: two axes of that name", name);
    }
    snprintf(axis->name, sizeof axis->name, "%s", name);
    return PW_OK;
}

static enum pw_code take_setting(const struct pw_study_reader *reader, struct pw_study_axis *axis,
                                 const char *setting, int line)
{
    const char *why = pw_study_reserved(setting);
    if (why != NULL)
        return pw_study_fail(reader, line, "axes: %s: %s", setting, why);
    for (int i = 0; i < reader->study->n_axes; i++) {
        const char *other = reader->study->axes[i].setting;
        if (pw_study_is_within(setting, other) || pw_study_is_within(other, setting))
            return pw_study_fail(reader, line, "axes: %s: varied twice", setting);
    }
    if (pw_settings_find(setting) < 0 &&
        !pw_settings_is_section(setting)) { /* the override says which word is wrong */
        struct pw_assignment none = {pw_alloc(strlen(setting) + 3, 1), line};
        sprintf(none.text, "%s=x", setting);
        enum pw_code code = pw_study_try(reader, &none);
        free(none.text);
        return code != PW_OK ? code : pw_study_fail(reader, line, "axes: %.80s: no setting", setting);
    }
    snprintf(axis->setting, sizeof axis->setting, "%s", setting);
    return PW_OK;
}

/* The value of a section may hold no setting that the study gives itself. */
static enum pw_code check_value(const struct pw_study_reader *reader, const char *path,
                                const struct pw_yaml *node)
{
    const char *why = pw_study_reserved(path);
    if (why != NULL)
        return pw_study_fail(reader, node->line, "axes: %s: %s", path, why);
    for (int i = 0; pw_settings_is_section(path) && node->kind == PW_YAML_MAP && i < node->n_children; i++) {
        char below[200];
        snprintf(below, sizeof below, "%s.%.60s", path, node->keys[i]);
        PW_TRY(check_value(reader, below, node->children[i]));
    }
    return PW_OK;
}

static enum pw_code add_value(const struct pw_study_reader *reader, struct pw_study_axis *axis,
                              const struct pw_yaml *node)
{
    struct pw_study_value value = {pw_study_assign(axis->setting, node), NULL, NAN};
    value.text = value.assignment.text + strlen(axis->setting) + 1;
    int is_number = pw_parse_real(value.text, &value.number), twice = 0;
    for (int i = 0; i < axis->n_values; i++)
        twice |= strcmp(axis->values[i].text, value.text) == 0 ||
                 (is_number && axis->values[i].number == value.number);
    axis->values = pw_realloc(axis->values, (size_t)axis->n_values + 1, sizeof *axis->values);
    axis->values[axis->n_values++] = value;
    axis->is_numeric = axis->is_numeric && is_number;
    PW_TRY(pw_study_try(reader, &value.assignment));
    PW_TRY(check_value(reader, axis->setting, node));
    return twice ? pw_study_fail(reader, node->line, "axes: %s: %.60s: given twice", axis->name, value.text)
                 : PW_OK;
}

static enum pw_code take_list(const struct pw_study_reader *reader, struct pw_study_axis *axis,
                              const struct pw_yaml *list)
{
    if (list->kind != PW_YAML_LIST || list->n_children == 0)
        return pw_study_fail(reader, list->line, "axes: %s: a list of values is expected", axis->name);
    if (list->n_children > MOST_VALUES)
        return pw_study_fail(reader, list->line, "axes: %s: more than %d values", axis->name,
                             (int)MOST_VALUES);
    for (int i = 0; i < list->n_children; i++)
        PW_TRY(add_value(reader, axis, list->children[i]));
    return PW_OK;
}

static enum pw_code read_number(const struct pw_study_reader *reader, const struct pw_yaml *map,
                                const char *key, const char *name, double *out)
{
    const struct pw_yaml *node = pw_yaml_get(map, key);
    if (node == NULL)
        return pw_study_fail(reader, map->line,
                             "axes: %s: `values`, or `from`, `to` and `steps`, are expected", name);
    if (node->kind != PW_YAML_SCALAR || !pw_parse_real(node->text, out))
        return pw_study_fail(reader, node->line, "axes: %s.%s: a number is expected", name, key);
    return PW_OK;
}

/* The range's values, evenly spaced or, for spacing: log, in even ratios. */
static double range_value(double from, double to, int is_log, double share)
{
    return is_log ? from * pow(to / from, share) : from + (to - from) * share;
}

static enum pw_code take_range(const struct pw_study_reader *reader, struct pw_study_axis *axis,
                               const struct pw_yaml *map)
{
    double from, to, steps;
    const struct pw_yaml *spacing = pw_yaml_get(map, "spacing");
    PW_TRY(read_number(reader, map, "from", axis->name, &from));
    PW_TRY(read_number(reader, map, "to", axis->name, &to));
    PW_TRY(read_number(reader, map, "steps", axis->name, &steps));
    int line = pw_yaml_get(map, "steps")->line, is_log = 0;
    if (!(steps >= 2) || steps > MOST_VALUES || steps != floor(steps))
        return pw_study_fail(reader, line, "axes: %s.steps: a whole number from 2 to %d is expected",
                             axis->name, (int)MOST_VALUES);
    if (spacing != NULL) {
        is_log = spacing->kind == PW_YAML_SCALAR && strcmp(spacing->text, "log") == 0;
        if (!is_log && (spacing->kind != PW_YAML_SCALAR || strcmp(spacing->text, "linear") != 0))
            return pw_study_fail(reader, spacing->line, "axes: %s.spacing: linear or log is expected",
                                 axis->name);
    }
    if (is_log && !(from > 0.0 && to > 0.0))
        return pw_study_fail(reader, line, "axes: %s: on a log range both ends must be > 0", axis->name);
    for (int i = 0; i < (int)steps; i++) {
        char text[40];
        snprintf(text, sizeof text, "%.10g", range_value(from, to, is_log, i / (steps - 1)));
        struct pw_yaml node = {.kind = PW_YAML_SCALAR, .line = line, .text = text};
        PW_TRY(add_value(reader, axis, &node));
    }
    return PW_OK;
}

/* {name: ..., setting: ..., values: ... or a range}; the name may also stand before it, as `key`. */
static enum pw_code read_spec(const struct pw_study_reader *reader, struct pw_study_axis *axis,
                              const char *key, const struct pw_yaml *map)
{
    static const char *const with_name[] = {"name", "setting", "values",  "from",
                                            "to",   "steps",   "spacing", NULL};
    const struct pw_yaml *name = pw_yaml_get(map, "name"), *setting = pw_yaml_get(map, "setting");
    PW_TRY(pw_study_check_keys(reader, map, key == NULL ? with_name : with_name + 1, "axes"));
    if (setting == NULL || setting->kind != PW_YAML_SCALAR)
        return pw_study_fail(reader, map->line, "axes: `setting: section.key` is expected");
    const char *last = strrchr(setting->text, '.');
    const char *title = key != NULL ? key : last != NULL ? last + 1 : setting->text;
    if (name != NULL && name->kind != PW_YAML_SCALAR)
        return pw_study_fail(reader, name->line, "axes: name: a word is expected");
    PW_TRY(take_setting(reader, axis, setting->text, setting->line));
    PW_TRY(take_name(reader, axis, name != NULL ? name->text : title, name != NULL ? name->line : map->line));
    const struct pw_yaml *values = pw_yaml_get(map, "values");
    if (values == NULL)
        return take_range(reader, axis, map);
    if (map->n_children > 2 + (name != NULL))
        return pw_study_fail(reader, map->line, "axes: %s: either values or a range", axis->name);
    return take_list(reader, axis, values);
}

/* `section.key: [...]`, named after the key. */
static enum pw_code read_short(const struct pw_study_reader *reader, struct pw_study_axis *axis,
                               const char *setting, const struct pw_yaml *list, int line)
{
    const char *last = strrchr(setting, '.');
    PW_TRY(take_setting(reader, axis, setting, line));
    PW_TRY(take_name(reader, axis, last != NULL ? last + 1 : setting, line));
    return take_list(reader, axis, list);
}

static enum pw_code read_axis(const struct pw_study_reader *reader, const struct pw_yaml *node, int i)
{
    struct pw_study *study = reader->study;
    const struct pw_yaml *child = node->children[i];
    if (study->n_axes == PW_MOST_STUDY_AXES)
        return pw_study_fail(reader, child->line, "axes: more than %d", (int)PW_MOST_STUDY_AXES);
    struct pw_study_axis axis = {.is_numeric = 1};
    enum pw_code code;
    if (child->kind == PW_YAML_MAP)
        code = read_spec(reader, &axis, node->kind == PW_YAML_MAP ? node->keys[i] : NULL, child);
    else if (node->kind == PW_YAML_MAP)
        code = read_short(reader, &axis, node->keys[i], child, node->key_lines[i]);
    else
        code = pw_study_fail(reader, child->line, "axes: a mapping with setting and values is expected");
    study->axes[study->n_axes++] = axis;
    return code;
}

enum pw_code pw_study_read_axes(const struct pw_study_reader *reader, const struct pw_yaml *node)
{
    if (node->kind == PW_YAML_SCALAR)
        return pw_study_fail(reader, node->line, "axes: a list or mapping of axes is expected");
    for (int i = 0; i < node->n_children; i++)
        PW_TRY(read_axis(reader, node, i));
    return PW_OK;
}
