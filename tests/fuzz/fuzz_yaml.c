/* Any bytes as a case file: refused with a message of one line that names a line, or settings whose dump
 * reads back as the same dump. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/plain_text.h"
#include "common/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static enum pw_code read_case(const char *bytes, size_t size, struct pw_settings *settings,
                              struct pw_error *err)
{
    struct pw_yaml *root;
    enum pw_code code = pw_yaml_parse(bytes, size, "case", &root, err);
    pw_settings_default(settings);
    if (code == PW_OK)
        code = pw_settings_read(settings, root, "case", err);
    pw_yaml_destroy(root);
    return code;
}

/* The settings as text, for free(). */
static char *dump(const struct pw_settings *settings)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    require(out != NULL);
    pw_settings_dump(settings, out);
    fclose(out);
    return text;
}

static void check_message(const struct pw_error *err)
{
    int line = 0;
    require(sscanf(err->text, "case:%d: ", &line) == 1 && line >= 1);
    require(pw_find_unplain(err->text) == NULL);
}

/* The same bytes as an assignment of -s. */
static void check_override(const uint8_t *data, size_t size)
{
    struct pw_settings settings;
    struct pw_error err = {0};
    char *assignment = pw_alloc(size + 1, 1);
    if (size > 0)
        memcpy(assignment, data, size);
    pw_settings_default(&settings);
    if (pw_settings_override(&settings, assignment, &err) != PW_OK)
        require(strncmp(err.text, "-s", 2) == 0 && pw_find_unplain(err.text) == NULL);
    free(assignment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_settings settings, back;
    struct pw_error err = {0};
    check_override(data, size);
    if (read_case((const char *)data, size, &settings, &err) != PW_OK) {
        check_message(&err);
        return 0;
    }
    char *once = dump(&settings);
    require(read_case(once, strlen(once), &back, &err) == PW_OK);
    char *twice = dump(&back);
    require(strcmp(once, twice) == 0);
    free(once);
    free(twice);
    return 0;
}
