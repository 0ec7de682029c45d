/* The points of a study as settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/study.h"
#include "common/study_read.h"

long pw_study_point(const struct pw_study *study, long number, int index[PW_MOST_STUDY_AXES])
{
    long replicate = number % study->replicates, rest = number / study->replicates;
    for (int a = study->n_axes - 1; a >= 0; a--) {
        index[a] = (int)(rest % study->axes[a].n_values);
        rest /= study->axes[a].n_values;
    }
    return replicate;
}

const char **pw_study_overrides(const struct pw_study *study, const char *const *given, int n_given,
                                const int index[PW_MOST_STUDY_AXES], int *count)
{
    size_t room = (size_t)(study->n_set + n_given + study->n_axes) + 1;
    const char **texts = pw_alloc(room, sizeof *texts);
    int n = 0;
    texts[n++] = "run.clock=virtual";
    for (int i = 0; i < study->n_set; i++)
        texts[n++] = study->set[i].text;
    for (int i = 0; i < n_given; i++)
        texts[n++] = given[i];
    for (int a = 0; a < study->n_axes; a++)
        texts[n++] = study->axes[a].values[index[a]].assignment.text;
    *count = n;
    return texts;
}

int pw_study_is_within(const char *path, const char *section)
{
    size_t length = strlen(section);
    return strncmp(path, section, length) == 0 && (path[length] == '\0' || path[length] == '.');
}

/* The length of the path in `section.key=value`. */
static size_t path_length(const char *assignment)
{
    return strcspn(assignment, "=");
}

enum pw_code pw_study_check_given(const struct pw_study *study, const char *const *given, int n_given,
                                  struct pw_error *err)
{
    for (int i = 0; i < n_given; i++) {
        char path[200];
        snprintf(path, sizeof path, "%.*s", (int)path_length(given[i]), given[i]);
        if (pw_study_reserved(path) != NULL)
            return pw_fail(err, PW_USAGE, "-s %s: %s", path, pw_study_reserved(path));
        for (int a = 0; a < study->n_axes; a++) {
            if (pw_study_is_within(path, study->axes[a].setting))
                return pw_fail(err, PW_USAGE, "-s %s: the study varies it (%s)", path, study->axes[a].name);
        }
    }
    return PW_OK;
}

/* True if the assignment gives the setting, or its section, that the message `path: ...` is about. */
static int is_about(const char *assignment, const char *message)
{
    size_t length = path_length(assignment);
    return strncmp(assignment, message, length) == 0 && strchr(":.", message[length]) != NULL;
}

enum pw_code pw_study_place(const struct pw_study *study, const char *const *given, int n_given,
                            const int index[PW_MOST_STUDY_AXES], struct pw_error *err)
{
    char message[sizeof err->text];
    int line = study->case_line;
    if (strncmp(err->text, "-s ", 3) != 0)
        return err->code;
    snprintf(message, sizeof message, "%s", err->text + 3);
    for (int i = 0; i < study->n_set; i++) {
        if (is_about(study->set[i].text, message))
            line = study->set[i].line;
    }
    for (int i = 0; i < n_given; i++) {
        if (is_about(given[i], message))
            return err->code;
    }
    for (int a = 0; a < study->n_axes; a++) {
        const struct pw_assignment *assignment = &study->axes[a].values[index[a]].assignment;
        if (is_about(assignment->text, message))
            line = assignment->line;
    }
    return pw_fail(err, err->code, "%s:%d: %s", study->path, line, message);
}
