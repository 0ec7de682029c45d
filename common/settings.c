#include "common/settings.h"

#include <stdlib.h>
#include <string.h>

#include "common/plain_text.h"
#include "common/setting_value.h"
#include "common/suggest.h"

/* Where a value comes from. */
struct source {
    const char *file; /* NULL: -s */
};

int pw_settings_find(const char *path)
{
    for (int i = 0; i < pw_settings_count; i++) {
        if (strcmp(pw_settings_table[i].path, path) == 0)
            return i;
    }
    return -1;
}

int pw_settings_is_section(const char *path)
{
    size_t length = strlen(path);
    for (int i = 0; i < pw_settings_count; i++) {
        const char *row = pw_settings_table[i].path;
        if (strncmp(row, path, length) == 0 && row[length] == '.')
            return 1;
    }
    return 0;
}

static enum pw_code fail_at(const struct source *source, int line, const char *path, struct pw_error *err,
                            const char *text)
{
    if (source->file == NULL)
        return pw_fail(err, PW_USAGE, "-s %s: %s", path, text);
    if (path[0] == '\0')
        return pw_fail(err, PW_USAGE, "%s:%d: %s", source->file, line, text);
    return pw_fail(err, PW_USAGE, "%s:%d: %s: %s", source->file, line, path, text);
}

/* The words that may stand under a section, each once; returns how many. */
static int keys_under(const char *section, char words[][64], int room)
{
    size_t length = strlen(section);
    int count = 0;
    for (int i = 0; i < pw_settings_count && count < room; i++) {
        const char *rest = pw_settings_table[i].path;
        if (length > 0) {
            if (strncmp(rest, section, length) != 0 || rest[length] != '.')
                continue;
            rest += length + 1;
        }
        snprintf(words[count], 64, "%.*s", (int)strcspn(rest, "."), rest);
        if (count == 0 || strcmp(words[count], words[count - 1]) != 0)
            count++;
    }
    return count;
}

static enum pw_code fail_unknown(const struct source *source, int line, const char *section, const char *key,
                                 struct pw_error *err)
{
    char words[PW_MOST_SETTINGS][64], hint[128], list[400] = "", path[256], text[700];
    const char *names[PW_MOST_SETTINGS];
    int count = keys_under(section, words, PW_MOST_SETTINGS);
    for (int i = 0; i < count; i++) {
        names[i] = words[i];
        strncat(list, i > 0 ? ", " : "", sizeof list - strlen(list) - 1);
        strncat(list, words[i], sizeof list - strlen(list) - 1);
    }
    pw_suggest(key, names, count, hint, sizeof hint);
    snprintf(path, sizeof path, "%s%s%.100s", section, section[0] ? "." : "", key);
    snprintf(text, sizeof text, "unknown key%s (expected: %s)", hint, list);
    return fail_at(source, line, path, err, text);
}

static enum pw_code assign(struct pw_settings *settings, int row, const struct pw_yaml *node,
                           const struct source *source, struct pw_error *err)
{
    struct pw_refusal why;
    const struct pw_setting *setting = &pw_settings_table[row];
    if (!pw_setting_parse(setting, node, settings, &why))
        return fail_at(source, why.line, setting->path, err, why.text);
    settings->given[row] = 1;
    settings->line[row] = source->file == NULL ? 0 : node->line;
    return PW_OK;
}

static enum pw_code read_section(struct pw_settings *settings, const struct pw_yaml *node,
                                 const char *section, const struct source *source, struct pw_error *err);

/* What stands under `path`: a setting or a section of settings. */
static enum pw_code read_entry(struct pw_settings *settings, const struct pw_yaml *node, const char *path,
                               const struct source *source, struct pw_error *err)
{
    int row = pw_settings_find(path);
    if (row >= 0)
        return assign(settings, row, node, source, err);
    return read_section(settings, node, path, source, err);
}

static enum pw_code read_section(struct pw_settings *settings, const struct pw_yaml *node,
                                 const char *section, const struct source *source, struct pw_error *err)
{
    if (node->kind == PW_YAML_SCALAR && node->text[0] == '\0' && !node->quoted)
        return PW_OK; /* a section without entries */
    if (node->kind != PW_YAML_MAP) {
        char text[100];
        snprintf(text, sizeof text, "%s, where settings as `key: value` are expected",
                 pw_yaml_kind_text(node));
        return fail_at(source, node->line, section, err, text);
    }
    for (int i = 0; i < node->n_children; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s%s%.100s", section, section[0] ? "." : "", node->keys[i]);
        if (pw_settings_find(path) < 0 && !pw_settings_is_section(path))
            return fail_unknown(source, node->key_lines[i], section, node->keys[i], err);
        PW_TRY(read_entry(settings, node->children[i], path, source, err));
    }
    return PW_OK;
}

enum pw_code pw_settings_read(struct pw_settings *settings, const struct pw_yaml *root, const char *file,
                              struct pw_error *err)
{
    struct source source = {file};
    const struct pw_yaml *version = pw_yaml_get(root, "peerwatt");
    if (root == NULL || root->kind != PW_YAML_MAP)
        return pw_fail(err, PW_USAGE, "%s:1: a case file starts with `peerwatt: 1`", file);
    if (version == NULL)
        return pw_fail(err, PW_USAGE, "%s:%d: peerwatt: missing: a case file starts with `peerwatt: 1`", file,
                       root->line);
    PW_TRY(assign(settings, pw_settings_find("peerwatt"), version, &source, err));
    return read_section(settings, root, "", &source, err);
}

/* Says which word of an unknown path is the wrong one: the first that its section does not have. */
static enum pw_code fail_override(const char *path, struct pw_error *err)
{
    struct source source = {NULL};
    char section[200] = "", prefix[200], word[200];
    const char *rest = path;
    for (;;) {
        size_t length = strcspn(rest, ".");
        snprintf(word, sizeof word, "%.*s", (int)length, rest);
        snprintf(prefix, sizeof prefix, "%.*s", (int)(rest - path + (long)length), path);
        if (pw_settings_find(prefix) >= 0)
            return fail_at(&source, 0, prefix, err, "a value is expected, it has no settings below it");
        if (rest[length] == '\0' || !pw_settings_is_section(prefix))
            return fail_unknown(&source, 0, section, word, err);
        memcpy(section, prefix, sizeof section);
        rest += length + 1;
    }
}

static enum pw_code override_path(struct pw_settings *settings, const char *path, const struct pw_yaml *node,
                                  struct pw_error *err)
{
    struct source source = {NULL};
    if (pw_settings_find(path) >= 0 || pw_settings_is_section(path))
        return read_entry(settings, node, path, &source, err);
    return fail_override(path, err);
}

enum pw_code pw_settings_override(struct pw_settings *settings, const char *assignment, struct pw_error *err)
{
    const char *equals = strchr(assignment, '=');
    char path[200];
    if (pw_find_unplain(assignment) != NULL)
        return pw_fail(err, PW_USAGE, "-s: section.key=value is expected, in a line of plain text");
    if (equals == NULL || equals == assignment || equals - assignment >= (long)sizeof path)
        return pw_fail(err, PW_USAGE, "-s %.200s: section.key=value is expected", assignment);
    snprintf(path, sizeof path, "%.*s", (int)(equals - assignment), assignment);
    struct pw_yaml *node;
    struct pw_error why;
    if (pw_yaml_parse(equals + 1, strlen(equals + 1), "value", &node, &why) != PW_OK)
        return pw_fail(err, PW_USAGE, "-s %s: %s", path, why.text);
    if (node == NULL)
        return pw_fail(err, PW_USAGE, "-s %s: the value is missing", path);
    enum pw_code code = override_path(settings, path, node, err);
    pw_yaml_destroy(node);
    return code;
}

enum pw_code pw_settings_fail(const struct pw_settings *settings, const char *file, const char *path,
                              struct pw_error *err, const char *text)
{
    int row = pw_settings_find(path), line = row >= 0 ? settings->line[row] : 0;
    struct source source = {row >= 0 && settings->given[row] && line == 0 ? NULL : file};
    return fail_at(&source, line > 0 ? line : 1, path, err, text);
}

void pw_settings_default(struct pw_settings *settings)
{
    *settings = (struct pw_settings){0};
    for (int i = 0; i < pw_settings_count; i++)
        pw_setting_default(&pw_settings_table[i], settings);
}

/* Opens the sections of `path` that the path before it did not have; returns its last word. */
static const char *open_sections(const char *before, const char *path, FILE *out)
{
    int depth = 0;
    const char *word = path;
    for (const char *dot; (dot = strchr(word, '.')) != NULL; word = dot + 1, depth++) {
        size_t prefix = (size_t)(dot - path) + 1;
        if (strncmp(before, path, prefix) != 0)
            fprintf(out, "%*s%.*s:\n", 2 * depth, "", (int)(dot - word), word);
    }
    fprintf(out, "%*s", 2 * depth, "");
    return word;
}

void pw_settings_dump(const struct pw_settings *settings, FILE *out)
{
    const char *before = "";
    for (int i = 0; i < pw_settings_count; i++) {
        const struct pw_setting *setting = &pw_settings_table[i];
        int generated = strncmp(setting->path, "market.generate.", 16) == 0;
        if ((generated && settings->generate_agents == 0) || !pw_setting_has_value(setting, settings))
            continue;
        fprintf(out, "%s: ", open_sections(before, setting->path, out));
        pw_setting_print(setting, settings, out);
        fputc('\n', out);
        before = setting->path;
    }
}

void pw_settings_help(FILE *out)
{
    for (int i = 0; i < pw_settings_count; i++) {
        const struct pw_setting *setting = &pw_settings_table[i];
        int has_default = setting->otherwise != NULL && setting->otherwise[0] != '\0';
        int has_unit = setting->unit[0] != '\0';
        char range[160];
        pw_setting_expects(setting, range, sizeof range);
        const char *gap =
            strlen(setting->path) + strlen(range) > 90 ? ":\n      " : ": "; /* long lines break */
        fprintf(out, "  %s%s%s%s%s\n", setting->path, gap, range, has_default ? "; default " : "",
                has_default ? setting->otherwise : "");
        fprintf(out, "      %s%s%s%s\n", setting->help, has_unit ? " [" : "", setting->unit,
                has_unit ? "]" : "");
    }
}
