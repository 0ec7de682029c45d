#include "coordinator/commands.h"

#include <string.h>

#include "common/suggest.h"

const struct pw_command *const pw_commands[] = {
    &pw_cmd_run, &pw_cmd_sweep, &pw_cmd_merge, &pw_cmd_check, &pw_cmd_reference, &pw_cmd_info, NULL};

enum pw_code pw_command_find(const char *name, const struct pw_command **out, struct pw_error *err)
{
    enum { COMMANDS = sizeof pw_commands / sizeof *pw_commands - 1 };
    const char *names[COMMANDS];
    char hint[80];
    for (int i = 0; i < COMMANDS; i++) {
        names[i] = pw_commands[i]->name;
        *out = pw_commands[i];
        if (strcmp(name, names[i]) == 0)
            return PW_OK;
    }
    pw_suggest(name, names, COMMANDS, hint, sizeof hint);
    *out = NULL;
    return pw_fail(err, PW_USAGE, "%.60s: no such command%s (peerwatt --help lists them)", name, hint);
}
