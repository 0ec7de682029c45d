#include "coordinator/options.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/number.h"
#include "common/suggest.h"
#include "coordinator/commands.h"

/* Where options are kept while they are read. */
struct reading {
    struct pw_options *options;
    struct pw_error *err;
};

typedef enum pw_code take(struct reading *reading, const char *value);

struct option {
    const char *name;  /* the long one, without -- */
    char letter;       /* the short one, 0: none */
    const char *value; /* its name in the help; NULL: takes none */
    int groups;        /* 0: for all commands */
    take *take;        /* NULL: sets a flag */
    size_t flag;       /* offset of that flag in struct pw_options */
    const char *help;
};

static enum pw_code take_out(struct reading *reading, const char *value)
{
    reading->options->out = value;
    return PW_OK;
}

static enum pw_code take_bills(struct reading *reading, const char *value)
{
    reading->options->bills = value;
    return PW_OK;
}

static enum pw_code take_resume(struct reading *reading, const char *value)
{
    reading->options->resume = value;
    return PW_OK;
}

static enum pw_code take_set(struct reading *reading, const char *value)
{
    struct pw_options *options = reading->options;
    options->overrides[options->n_overrides++] = value;
    return PW_OK;
}

static enum pw_code take_progress(struct reading *reading, const char *value)
{
    static const char *const words[] = {"auto", "plain", "none"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(value, words[i]) == 0) {
            reading->options->progress = (enum pw_progress_mode)i;
            return PW_OK;
        }
    }
    return pw_fail(reading->err, PW_USAGE, "--progress %.60s: auto, plain or none is expected", value);
}

static enum pw_code take_max_time(struct reading *reading, const char *value)
{
    double seconds;
    if (!pw_parse_real(value, &seconds) || !(seconds > 0.0))
        return pw_fail(reading->err, PW_USAGE, "--max-time %.60s: a number of seconds > 0 is expected",
                       value);
    reading->options->max_time_s = seconds;
    return PW_OK;
}

/* i/n with 0 <= i < n. */
static enum pw_code take_shard(struct reading *reading, const char *value)
{
    char first[16] = "";
    long shard, n_shards;
    const char *slash = strchr(value, '/');
    if (slash != NULL)
        snprintf(first, sizeof first, "%.*s", (int)(slash - value), value);
    if (slash == NULL || slash - value >= (long)sizeof first || !pw_parse_integer(first, &shard) ||
        !pw_parse_integer(slash + 1, &n_shards) || shard < 0 || n_shards > 1000000 || shard >= n_shards)
        return pw_fail(reading->err, PW_USAGE, "--shard %.60s: i/n with 0 <= i < n is expected, such as 0/8",
                       value);
    reading->options->shard = (int)shard;
    reading->options->n_shards = (int)n_shards;
    return PW_OK;
}

#define FLAG(field) offsetof(struct pw_options, field)

static const struct option table[] = {
    {"out", 'o', "FILE", PW_OPTIONS_RUN | PW_OPTIONS_WRITE, take_out, 0,
     "write a run's trace, a sweep's results, a reference's assets here"},
    {"force", 0, NULL, PW_OPTIONS_RUN | PW_OPTIONS_WRITE, NULL, FLAG(force), "replace an existing file"},
    {"bills", 0, "FILE.csv", PW_OPTIONS_SLOTS, take_bills, 0,
     "write what each agent bought, sold and pays here"},
    {"resume", 0, "FILE", PW_OPTIONS_SLOTS, take_resume, 0,
     "the journal of finished slots to go on from; default OUT.h5.journal"},
    {"shard", 0, "i/n", PW_OPTIONS_SWEEP, take_shard, 0, "do every n-th run, from run i on; 0 <= i < n"},
    {"set", 's', "section.key=value", PW_OPTIONS_CASE, take_set, 0,
     "change a setting of the case; may be repeated"},
    {"max-time", 0, "SECONDS", PW_OPTIONS_RUN, take_max_time, 0,
     "end the whole command after this much real time, between two rounds"},
    {"progress", 0, "auto|plain|none", PW_OPTIONS_RUN, take_progress, 0,
     "progress on stderr: a line that renews itself, lines, or none"},
    {"log-view", 0, NULL, PW_OPTIONS_SLOTS, NULL, FLAG(log_view),
     "print on stderr where the time went, phase by phase, over all ranks"},
    {"json", 0, NULL, PW_OPTIONS_RESULT, NULL, FLAG(json), "print the result as one line of JSON"},
    {"quiet", 'q', NULL, PW_OPTIONS_RESULT, NULL, FLAG(quiet),
     "print errors only (and what --json asks for)"},
    {"verbose", 'v', NULL, PW_OPTIONS_CASE, NULL, FLAG(verbose), "print the effective case on stderr too"},
    {"help", 'h', NULL, 0, NULL, FLAG(help), "print this help"},
};
enum { OPTIONS = sizeof table / sizeof *table };

static int is_for(const struct option *option, const struct pw_command *command)
{
    return option->groups == 0 || (option->groups & command->options) != 0;
}

static const struct option *find_long(const char *word, size_t length)
{
    for (int i = 0; i < OPTIONS; i++) {
        if (strlen(table[i].name) == length && strncmp(table[i].name, word, length) == 0)
            return &table[i];
    }
    return NULL;
}

static const struct option *find_letter(char letter)
{
    for (int i = 0; i < OPTIONS; i++) {
        if (table[i].letter == letter && letter != '\0')
            return &table[i];
    }
    return NULL;
}

static enum pw_code fail_unknown(const struct pw_command *command, const char *word, struct pw_error *err)
{
    char dashed[OPTIONS][32], hint[80];
    const char *names[OPTIONS];
    int count = 0;
    for (int i = 0; i < OPTIONS; i++) {
        if (!is_for(&table[i], command))
            continue;
        snprintf(dashed[count], sizeof *dashed, "--%s", table[i].name);
        names[count] = dashed[count];
        count++;
    }
    pw_suggest(word, names, count, hint, sizeof hint);
    return pw_fail(err, PW_USAGE, "%.60s: peerwatt %s has no such option%s (peerwatt %s --help lists them)",
                   word, command->name, hint, command->name);
}

/* Takes the option at argv[*i], `--name`, `--name=value`, `--name value`, `-n value` or `-nvalue`. */
static enum pw_code take_option(const struct pw_command *command, struct reading *reading, int *i)
{
    char *word = reading->options->argv[*i], *value = NULL;
    int is_long = word[1] == '-';
    size_t length = is_long ? strcspn(word + 2, "=") : 1;
    const struct option *option = is_long ? find_long(word + 2, length) : find_letter(word[1]);
    if (option == NULL || !is_for(option, command))
        return fail_unknown(command, word, reading->err);
    if (is_long && word[2 + length] == '=')
        value = word + 3 + length;
    else if (!is_long && word[2] != '\0')
        value = word + 2;
    if (option->value == NULL && value != NULL)
        return pw_fail(reading->err, PW_USAGE, "%.60s: --%s takes no value", word, option->name);
    if (option->value != NULL && value == NULL && *i + 1 < reading->options->argc)
        value = reading->options->argv[++*i];
    if (option->value != NULL && (value == NULL || value[0] == '\0'))
        return pw_fail(reading->err, PW_USAGE, "%.60s: %s is missing", word, option->value);
    if (option->take != NULL)
        return option->take(reading, value);
    *(int *)((char *)reading->options + option->flag) = 1;
    return PW_OK;
}

static enum pw_code take_case(const struct pw_command *command, struct reading *reading, const char *word)
{
    if (!command->takes_case)
        return pw_fail(reading->err, PW_USAGE, "%.100s: peerwatt %s takes no file", word, command->name);
    if (reading->options->case_path != NULL)
        return pw_fail(reading->err, PW_USAGE, "%.100s: one case file is enough, %.100s is given already",
                       word, reading->options->case_path);
    reading->options->case_path = word;
    return PW_OK;
}

enum pw_code pw_options_read(const struct pw_command *command, int argc, char **argv,
                             struct pw_options *options, struct pw_error *err)
{
    struct reading reading = {options, err};
    int only_files = 0;
    *options = (struct pw_options){.argc = argc, .argv = argv};
    options->overrides = pw_alloc((size_t)argc, sizeof *options->overrides);
    for (int i = 2; i < argc; i++) {
        int is_option = !only_files && argv[i][0] == '-' && argv[i][1] != '\0';
        if (is_option && strcmp(argv[i], "--") == 0)
            only_files = 1;
        else if (is_option)
            PW_TRY(take_option(command, &reading, &i));
        else
            PW_TRY(take_case(command, &reading, argv[i]));
    }
    if (command->takes_case && options->case_path == NULL && !options->help)
        return pw_fail(err, PW_USAGE, "the case file is missing: peerwatt %s %s", command->name,
                       command->usage);
    return PW_OK;
}

void pw_options_release(struct pw_options *options)
{
    free(options->overrides);
}

void pw_options_help(const struct pw_command *command, FILE *out)
{
    for (int i = 0; i < OPTIONS; i++) {
        const struct option *option = &table[i];
        char left[64], letter[8] = "    ";
        if (!is_for(option, command))
            continue;
        if (option->letter != '\0')
            snprintf(letter, sizeof letter, "-%c, ", option->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name, option->value ? " " : "",
                 option->value ? option->value : "");
        fprintf(out, "  %-32s %s\n", left, option->help);
    }
}
