/* peerwatt: the program's start. Finds the command, starts what carries messages between ranks, and ends
 * every rank with the same exit code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/settings.h"
#include "coordinator/build_info.h"
#include "coordinator/commands.h"
#include "coordinator/signals.h"
#include "coordinator/transport.h"

static void print_overview(FILE *out)
{
    fputs(
        "usage: peerwatt COMMAND ...\n\nPeer-to-peer electricity markets, negotiated between processes.\n\n",
        out);
    for (int i = 0; pw_commands[i] != NULL; i++)
        fprintf(out, "  %-10s %s\n", pw_commands[i]->name, pw_commands[i]->help);
    fputs("\npeerwatt COMMAND --help says more about each. Many ranks:\n"
          "  mpirun -n 32 peerwatt run CASE.yaml -o TRACE.h5\n",
          out);
}

static void print_help(const struct pw_command *command, FILE *out)
{
    fprintf(out, "usage: peerwatt %s %s\n\n%s.\n", command->name, command->usage, command->help);
    if (command->story[0] != '\0')
        fprintf(out, "\n%s\n", command->story);
    fputs("\nOptions:\n", out);
    pw_options_help(command, out);
    if (command->lists_settings) {
        fputs("\nSettings, in the case file or by -s section.key=value:\n", out);
        pw_settings_help(out);
    }
    fputs("\nExit codes:\n", out);
#define PRINT_CODE(name, exit_code, meaning) fprintf(out, "  %2d %s\n", exit_code, meaning);
    PW_CODES(PRINT_CODE)
#undef PRINT_CODE
}

static enum pw_code open_transport(struct pw_transport **transport, struct pw_error *err)
{
    if (pw_transport_launched())
        return pw_transport_mpi(transport, err);
    *transport = pw_transport_loopback();
    return PW_OK;
}

static void complain(const struct pw_error *err)
{
    fflush(stdout);
    if (err->text[0] != '\0')
        fprintf(stderr, "peerwatt: %s\n", err->text);
}

/* What was printed has arrived, or else the error says that it has not. */
static enum pw_code check_printed(enum pw_code code, struct pw_error *err)
{
    if ((fflush(stdout) == 0 && !ferror(stdout)) || code != PW_OK)
        return code;
    return pw_fail(err, PW_IO, "the result cannot be printed: standard output takes no more");
}

/* Runs the command; its verdict on rank 0 becomes everybody's. */
static enum pw_code run(const struct pw_command *command, const struct pw_options *options, enum pw_code code,
                        struct pw_error *err)
{
    struct pw_transport *transport = NULL;
    if (command->on_all_ranks)
        pw_signals_listen();
    if (open_transport(&transport, err) != PW_OK) {
        complain(err);
        return err->code;
    }
    if (code == PW_OK && (command->on_all_ranks || transport->rank == 0))
        code = check_printed(command->run(options, transport, err), err);
    if (transport->rank == 0)
        complain(err);
    pw_transport_share(transport, &code, sizeof code);
    pw_transport_close(transport);
    return code;
}

static enum pw_code end_printing(void)
{
    struct pw_error err = {.text = ""};
    enum pw_code code = check_printed(PW_OK, &err);
    complain(&err);
    return code;
}

/* Of a command, or NULL: of the program. */
static enum pw_code show_help(const struct pw_command *command)
{
    if (pw_transport_launched_rank() != 0)
        return PW_OK;
    if (command != NULL)
        print_help(command, stdout);
    else
        print_overview(stdout);
    return end_printing();
}

static enum pw_code run_command(const struct pw_command *command, int argc, char **argv)
{
    struct pw_error err = {.text = ""};
    struct pw_options options = {.argc = 0};
    enum pw_code code = pw_options_read(command, argc, argv, &options, &err);
    if (options.quiet)
        pw_silence_warnings();
    if (code == PW_OK && options.help) {
        code = show_help(command);
    } else {
        code = run(command, &options, code, &err);
    }
    pw_options_release(&options);
    return code;
}

/* Words that stand where a command is expected but are none. */
static int is_word(const char *word, const char *first, const char *second)
{
    return strcmp(word, first) == 0 || strcmp(word, second) == 0;
}

int main(int argc, char **argv)
{
    struct pw_error err = {.text = ""};
    const struct pw_command *command;
    int first = pw_transport_launched_rank() == 0;
    pw_memory_keep();
    if (argc < 2) {
        if (first)
            print_overview(stderr);
        return PW_USAGE;
    }
    int asks_for_help = is_word(argv[1], "help", "help");
    if (is_word(argv[1], "--help", "-h") || (asks_for_help && argc == 2))
        return (int)show_help(NULL);
    if (is_word(argv[1], "--version", "-V")) {
        if (first)
            printf("peerwatt %s\n", pw_build_version());
        return (int)end_printing();
    }
    if (pw_command_find(argv[asks_for_help ? 2 : 1], &command, &err) != PW_OK) {
        if (first)
            complain(&err);
        return (int)err.code;
    }
    return (int)(asks_for_help ? show_help(command) : run_command(command, argc, argv));
}
