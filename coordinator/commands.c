#include "coordinator/commands.h"

#include <string.h>

#include "common/suggest.h"

const struct pw_command *const pw_commands[] = {
    &pw_cmd_run, &pw_cmd_sweep, &pw_cmd_merge, &pw_cmd_check, &pw_cmd_reference, &pw_cmd_info, NULL};

enum pw_code pw_command_find(const char *name, const struct pw_command **out, struct pw_error *err)
{
    enum { MOST = 16 };
    const char *names[MOST];
    char hint[80];
    int count = 0;
    for (; count < MOST && pw_commands[count] != NULL; count++) {
        names[count] = pw_commands[count]->name;
        *out = pw_commands[count];
        if (strcmp(name, names[count]) == 0)
            return PW_OK;
    }
    pw_suggest(name, names, count, hint, sizeof hint);
    *out = NULL;
    return pw_fail(err, PW_USAGE, "%.60s: no such command%s (peerwatt --help lists them)", name, hint);
}
