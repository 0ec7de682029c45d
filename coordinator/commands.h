/* The program's commands: one file each (cmd_NAME.c), one row each in commands.c. */
#ifndef PW_COMMANDS_H
#define PW_COMMANDS_H

#include "common/error.h"
#include "coordinator/options.h"
#include "coordinator/transport.h"

struct pw_command {
    const char *name;
    const char *usage;  /* what follows the name on the command line */
    const char *help;   /* one line */
    const char *story;  /* more lines for --help, or "" */
    int takes_case;     /* needs a case file */
    int options;        /* which it takes: a sum of enum pw_option_group */
    int lists_settings; /* its help lists all settings */
    int on_all_ranks;   /* else rank 0 runs it and the others wait asleep */
    /* Returns the exit code, with a text for people in *err unless that is "". The code of rank 0 counts. */
    enum pw_code (*run)(const struct pw_options *options, struct pw_transport *transport,
                        struct pw_error *err);
};

/* All commands, ended by a row without name. */
extern const struct pw_command *const pw_commands[];

extern const struct pw_command pw_cmd_run, pw_cmd_sweep, pw_cmd_merge, pw_cmd_check, pw_cmd_reference,
    pw_cmd_info;

/* The command of a name. PW_USAGE, with a near miss suggested, if there is none. */
enum pw_code pw_command_find(const char *name, const struct pw_command **out, struct pw_error *err);

#endif
