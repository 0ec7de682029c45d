/* The command line: one table of options, one struct of what was said. */
#ifndef PW_OPTIONS_H
#define PW_OPTIONS_H

#include <stdio.h>

#include "common/error.h"
#include "coordinator/progress.h"

struct pw_command;

/* Which commands take an option. --help is for all. */
enum pw_option_group {
    PW_OPTIONS_CASE = 1,   /* commands that read a case */
    PW_OPTIONS_RESULT = 2, /* commands that print a result */
    PW_OPTIONS_RUN = 4,    /* commands that negotiate */
    PW_OPTIONS_SWEEP = 8,  /* commands that do part of a sweep */
    PW_OPTIONS_WRITE = 16, /* commands that write a file without negotiating */
    PW_OPTIONS_SLOTS = 32  /* commands that run time slots */
};

/* What the command line says. Texts belong to argv. */
struct pw_options {
    const char *case_path; /* NULL: not given */
    const char *out;       /* -o; NULL: not given */
    const char *bills;     /* --bills; NULL: not given */
    const char *resume;    /* --resume; NULL: not given */
    const char **overrides;
    int n_overrides;
    int json, force, quiet, verbose, log_view, help;
    enum pw_progress_mode progress;
    int shard, n_shards; /* --shard i/n; n 0: not given */
    double max_time_s;   /* of the whole command; 0: no limit */
    int argc;
    char **argv;
};

/* Reads the words after the command's name, argv[2] on, in any order. PW_USAGE with what is wrong. For
 * pw_options_release(), also after an error. */
enum pw_code pw_options_read(const struct pw_command *command, int argc, char **argv,
                             struct pw_options *options, struct pw_error *err);
void pw_options_release(struct pw_options *options);

/* Lists the options of a command. */
void pw_options_help(const struct pw_command *command, FILE *out);

#endif
