#include "common/study.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/memory.h"
#include "common/number.h"
#include "common/settings.h"
#include "common/study_read.h"
#include "common/suggest.h"
#include "common/sweep_layout.h"

static const long MOST_RUNS = 100000000;

enum pw_code pw_study_fail(const struct pw_study_reader *reader, int line, const char *format, ...)
{
    char text[700];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return pw_fail(reader->err, PW_USAGE, "%s:%d: %s", reader->study->path, line, text);
}

enum pw_code pw_study_check_keys(const struct pw_study_reader *reader, const struct pw_yaml *map,
                                 const char *const *keys, const char *what)
{
    for (int i = 0; i < map->n_children; i++) {
        char hint[100], list[300] = "";
        int count = 0, known = 0;
        for (; keys[count] != NULL; count++) {
            known |= strcmp(map->keys[i], keys[count]) == 0;
            strncat(list, count > 0 ? ", " : "", sizeof list - strlen(list) - 1);
            strncat(list, keys[count], sizeof list - strlen(list) - 1);
        }
        pw_suggest(map->keys[i], keys, count, hint, sizeof hint);
        if (!known)
            return pw_study_fail(reader, map->key_lines[i], "%s%s%.60s: unknown key%s (expected: %s)", what,
                                 what[0] ? "." : "", map->keys[i], hint, list);
    }
    return PW_OK;
}

static void print_scalar(const struct pw_yaml *node, int within, FILE *out)
{
    if (!node->quoted && (!within || strpbrk(node->text, ",[]{}:#&*!|>'\"%@`") == NULL)) {
        fputs(node->text, out);
        return;
    }
    fputc('\'', out);
    for (const char *c = node->text; *c != '\0'; c++)
        fprintf(out, *c == '\'' ? "''" : "%c", *c);
    fputc('\'', out);
}

static void print_flow(const struct pw_yaml *node, int within, FILE *out)
{
    if (node->kind == PW_YAML_SCALAR) {
        print_scalar(node, within, out);
        return;
    }
    fputc(node->kind == PW_YAML_MAP ? '{' : '[', out);
    for (int i = 0; i < node->n_children; i++) {
        fputs(i > 0 ? ", " : "", out);
        if (node->kind == PW_YAML_MAP)
            fprintf(out, "%s: ", node->keys[i]);
        print_flow(node->children[i], 1, out);
    }
    fputc(node->kind == PW_YAML_MAP ? '}' : ']', out);
}

struct pw_assignment pw_study_assign(const char *setting, const struct pw_yaml *value)
{
    struct pw_assignment assignment = {NULL, value->line};
    size_t size;
    FILE *out = open_memstream(&assignment.text, &size);
    if (out == NULL) {
        fputs("peerwatt: out of memory\n", stderr);
        abort();
    }
    fprintf(out, "%s=", setting);
    print_flow(value, 0, out);
    fclose(out);
    return assignment;
}

enum pw_code pw_study_try(const struct pw_study_reader *reader, const struct pw_assignment *assignment)
{
    struct pw_settings settings;
    struct pw_error why;
    pw_settings_default(&settings);
    if (pw_settings_override(&settings, assignment->text, &why) == PW_OK)
        return PW_OK;
    return pw_study_fail(reader, assignment->line, "%s", why.text + (strncmp(why.text, "-s ", 3) ? 0 : 3));
}

const char *pw_study_reserved(const char *setting)
{
    if (strcmp(setting, "run.seed") == 0 || strcmp(setting, "market.generate.seed") == 0)
        return "each replicate draws its own, from the study's `seed`";
    return strcmp(setting, "peerwatt") == 0 ? "is no setting of a run" : NULL;
}

/* Takes over what stands under `path`, a setting or a section, written nested or dotted. */
static enum pw_code read_set(const struct pw_study_reader *reader, const char *path,
                             const struct pw_yaml *node)
{
    struct pw_study *study = reader->study;
    if (node->kind != PW_YAML_MAP || pw_settings_find(path) >= 0) {
        const char *why = pw_study_reserved(path);
        if (why != NULL)
            return pw_study_fail(reader, node->line, "%s: %s", path, why);
        study->set = pw_realloc(study->set, (size_t)study->n_set + 1, sizeof *study->set);
        study->set[study->n_set] = pw_study_assign(path, node);
        return pw_study_try(reader, &study->set[study->n_set++]);
    }
    for (int i = 0; i < node->n_children; i++) {
        char below[200];
        snprintf(below, sizeof below, "%s%s%.60s", path, path[0] ? "." : "", node->keys[i]);
        PW_TRY(read_set(reader, below, node->children[i]));
    }
    return PW_OK;
}

static enum pw_code read_text(const struct pw_study_reader *reader, const struct pw_yaml *root,
                              const char *key, const char *what, char **out)
{
    const struct pw_yaml *node = pw_yaml_get(root, key);
    if (node == NULL)
        return pw_study_fail(reader, root->line, "%s: missing: %s is expected", key, what);
    if (node->kind != PW_YAML_SCALAR || node->text[0] == '\0')
        return pw_study_fail(reader, node->line, "%s: %s is expected", key, what);
    *out = pw_strdup(node->text);
    return PW_OK;
}

static enum pw_code read_whole(const struct pw_study_reader *reader, const struct pw_yaml *root,
                               const char *key, long least, long *out)
{
    const struct pw_yaml *node = pw_yaml_get(root, key);
    *out = 1;
    if (node == NULL)
        return PW_OK;
    if (node->kind != PW_YAML_SCALAR || node->quoted || !pw_parse_integer(node->text, out) || *out < least ||
        *out > MOST_RUNS)
        return pw_study_fail(reader, node->line, "%s: a whole number from %ld to %ld is expected", key, least,
                             MOST_RUNS);
    return PW_OK;
}

static enum pw_code read_record(const struct pw_study_reader *reader, const struct pw_yaml *node)
{
    struct pw_study *study = reader->study;
    int count = pw_sweep_variable_count();
    study->is_recorded = pw_alloc((size_t)count, 1);
    memset(study->is_recorded, node == NULL, (size_t)count);
    if (node != NULL && (node->kind != PW_YAML_LIST || node->n_children == 0))
        return pw_study_fail(reader, node->line, "record: a list of variables is expected");
    for (int i = 0; node != NULL && i < node->n_children; i++) {
        const struct pw_yaml *word = node->children[i];
        char hint[100];
        int k = word->kind == PW_YAML_SCALAR ? pw_sweep_variable_find(word->text, hint, sizeof hint) : -1;
        if (word->kind != PW_YAML_SCALAR)
            return pw_study_fail(reader, word->line, "record: the name of a variable is expected");
        if (k < 0)
            return pw_study_fail(reader, word->line, "record: %.60s: no such variable%s", word->text, hint);
        study->is_recorded[k] = 1;
    }
    return PW_OK;
}

static enum pw_code check_start(const struct pw_study_reader *reader, const struct pw_yaml *root)
{
    static const char *const keys[] = {"peerwatt",   "name", "case",   "set", "axes",
                                       "replicates", "seed", "record", NULL};
    if (root == NULL || root->kind != PW_YAML_MAP)
        return pw_study_fail(reader, 1, "a study starts with `peerwatt: 1`");
    PW_TRY(pw_study_check_keys(reader, root, keys, ""));
    const struct pw_yaml *version = pw_yaml_get(root, "peerwatt");
    if (version == NULL || version->kind != PW_YAML_SCALAR || strcmp(version->text, "1") != 0)
        return pw_study_fail(reader, version != NULL ? version->line : root->line,
                             "peerwatt: 1, the format version, is expected");
    return PW_OK;
}

static enum pw_code count_runs(const struct pw_study_reader *reader, int line)
{
    struct pw_study *study = reader->study;
    study->n_runs = study->replicates;
    for (int i = 0; i < study->n_axes; i++) {
        if (study->n_runs > MOST_RUNS / study->axes[i].n_values)
            return pw_study_fail(reader, line, "more than %ld runs in all", MOST_RUNS);
        study->n_runs *= study->axes[i].n_values;
    }
    return PW_OK;
}

/* What replicate 0 draws from; the others count on. */
static void set_seed(struct pw_study *study, const char *setting, int line)
{
    char text[64];
    snprintf(text, sizeof text, "%s=%ld", setting, study->seed);
    study->set = pw_realloc(study->set, (size_t)study->n_set + 1, sizeof *study->set);
    study->set[study->n_set++] = (struct pw_assignment){pw_strdup(text), line};
}

static enum pw_code read_study(const struct pw_study_reader *reader, const struct pw_yaml *root)
{
    struct pw_study *study = reader->study;
    char *case_path = NULL;
    PW_TRY(check_start(reader, root));
    PW_TRY(read_text(reader, root, "name", "the study's title", &study->name));
    PW_TRY(read_text(reader, root, "case", "the path of a case file", &case_path));
    study->case_path = pw_path_beside(study->path, case_path);
    study->case_line = pw_yaml_get(root, "case")->line;
    free(case_path);
    const struct pw_yaml *set = pw_yaml_get(root, "set"), *axes = pw_yaml_get(root, "axes");
    if (set != NULL && set->kind != PW_YAML_MAP)
        return pw_study_fail(reader, set->line, "set: settings as `section.key: value` are expected");
    if (set != NULL)
        PW_TRY(read_set(reader, "", set));
    if (axes != NULL)
        PW_TRY(pw_study_read_axes(reader, axes));
    PW_TRY(read_whole(reader, root, "replicates", 1, &study->replicates));
    PW_TRY(read_whole(reader, root, "seed", 0, &study->seed));
    set_seed(study, "run.seed", root->line);
    set_seed(study, "market.generate.seed", root->line);
    PW_TRY(read_record(reader, pw_yaml_get(root, "record")));
    return count_runs(reader, axes != NULL ? axes->line : root->line);
}

int pw_study_looks_like_one(const struct pw_yaml *root)
{
    return pw_yaml_get(root, "case") != NULL || pw_yaml_get(root, "set") != NULL ||
           pw_yaml_get(root, "axes") != NULL || pw_yaml_get(root, "replicates") != NULL;
}

enum pw_code pw_study_parse(const char *path, const char *bytes, size_t size, struct pw_study **out,
                            struct pw_error *err)
{
    struct pw_study *study = pw_alloc(1, sizeof *study);
    struct pw_study_reader reader = {study, err};
    struct pw_yaml *root = NULL;
    study->path = pw_strdup(path);
    enum pw_code code = pw_yaml_parse(bytes, size, path, &root, err);
    if (code == PW_OK)
        code = read_study(&reader, root);
    pw_yaml_destroy(root);
    if (code != PW_OK) {
        pw_study_destroy(study);
        study = NULL;
    }
    *out = study;
    return code;
}

void pw_study_destroy(struct pw_study *study)
{
    if (study == NULL)
        return;
    for (int a = 0; a < study->n_axes; a++) {
        for (int i = 0; i < study->axes[a].n_values; i++)
            free(study->axes[a].values[i].assignment.text);
        free(study->axes[a].values);
    }
    for (int i = 0; i < study->n_set; i++)
        free(study->set[i].text);
    free(study->set);
    free(study->is_recorded);
    free(study->path);
    free(study->name);
    free(study->case_path);
    free(study);
}
