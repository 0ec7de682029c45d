#include "common/case.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/feasibility.h"
#include "common/file.h"
#include "common/generate.h"
#include "common/links.h"
#include "common/memory.h"
#include "common/suggest.h"
#include "common/tables.h"

/* Reads an input file and notes its digest. */
static enum pw_code read_input(struct pw_case *loaded, const char *path, struct pw_text *text,
                               struct pw_error *err)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    PW_TRY(pw_text_read(path, text, err));
    struct pw_input *input = &loaded->inputs[loaded->n_inputs++];
    crypto_hash_sha256(hash, (const unsigned char *)text->bytes, text->size);
    sodium_bin2hex(input->digest, sizeof input->digest, hash, sizeof hash);
    input->path = pw_strdup(path);
    return PW_OK;
}

static enum pw_code read_settings(struct pw_case *loaded, const char *const *overrides, int n_overrides,
                                  struct pw_error *err)
{
    struct pw_text text;
    struct pw_yaml *root = NULL;
    pw_settings_default(&loaded->settings);
    PW_TRY(read_input(loaded, loaded->path, &text, err));
    enum pw_code code = pw_yaml_parse(text.bytes, text.size, loaded->path, &root, err);
    if (code == PW_OK)
        code = pw_settings_read(&loaded->settings, root, loaded->path, err);
    pw_yaml_destroy(root);
    pw_text_free(&text);
    for (int i = 0; i < n_overrides && code == PW_OK; i++)
        code = pw_settings_override(&loaded->settings, overrides[i], err);
    return code;
}

static enum pw_code fail(const struct pw_case *loaded, const char *path, const char *text,
                         struct pw_error *err)
{
    return pw_settings_fail(&loaded->settings, loaded->path, path, err, text);
}

static enum pw_code check_together(const struct pw_case *loaded, struct pw_error *err)
{
    const struct pw_settings *settings = &loaded->settings;
    struct pw_network network = pw_case_network(settings);
    struct pw_error why;
    int has_table = settings->assets[0] != '\0', has_recipe = settings->generate_agents > 0;
    if (!has_table && !has_recipe)
        return fail(loaded, "market.assets",
                    "missing: a CSV path, or a recipe under market.generate, is expected", err);
    if (has_table && has_recipe)
        return fail(loaded, "market.generate.agents", "a market has either assets or generate, not both",
                    err);
    if (settings->agents[0] != '\0' && has_recipe)
        return fail(loaded, "market.agents", "a generated market has no agents table", err);
    if (network.model->check(&network.delay, &why) != PW_OK)
        return fail(loaded, "network.delay.model", why.text, err);
    if (settings->clock == PW_CLOCK_VIRTUAL &&
        !(network.model->mean(&network.delay) + settings->compute_s > 0.0))
        return fail(loaded, "run.clock",
                    "on the virtual clock something must take time: set network.delay or network.compute_s",
                    err);
    return PW_OK;
}

/* A table named by the setting `setting`, as bytes; the caller frees both. */
static enum pw_code open_table(struct pw_case *loaded, const char *setting, const char *value, char **file,
                               struct pw_text *text, struct pw_error *err)
{
    static const char *const link_words[] = {"all", "sides"};
    char hint[100] = "", what[sizeof(struct pw_error) + sizeof hint];
    struct pw_error why;
    *file = pw_path_beside(loaded->path, value);
    if (read_input(loaded, *file, text, &why) == PW_OK)
        return PW_OK;
    free(*file);
    if (strcmp(setting, "market.links") == 0)
        pw_suggest(value, link_words, 2, hint, sizeof hint);
    snprintf(what, sizeof what, "%s%s", why.text, hint);
    return fail(loaded, setting, what, err);
}

static enum pw_code load_assets(struct pw_case *loaded, struct pw_error *err)
{
    if (loaded->settings.generate_agents > 0) {
        struct pw_error why;
        if (pw_generate(&loaded->settings, &loaded->market, &why) != PW_OK)
            return fail(loaded, "market.generate.agents", why.text, err);
        return PW_OK;
    }
    char *file;
    struct pw_text text;
    PW_TRY(open_table(loaded, "market.assets", loaded->settings.assets, &file, &text, err));
    enum pw_code code = pw_table_assets(text.bytes, text.size, file, &loaded->market, err);
    pw_text_free(&text);
    free(file);
    return code;
}

static enum pw_code load_agents(struct pw_case *loaded, struct pw_error *err)
{
    if (loaded->settings.agents[0] == '\0')
        return PW_OK;
    char *file;
    struct pw_text text;
    PW_TRY(open_table(loaded, "market.agents", loaded->settings.agents, &file, &text, err));
    enum pw_code code = pw_table_agents(text.bytes, text.size, file, loaded->market, err);
    pw_text_free(&text);
    free(file);
    return code;
}

static enum pw_code load_links(struct pw_case *loaded, struct pw_error *err)
{
    const struct pw_links_spec *links = &loaded->settings.links;
    if (links->kind != PW_LINKS_TABLE) {
        struct pw_error why;
        if (pw_links_build(loaded->market, links, loaded->settings.fee, &why) != PW_OK)
            return fail(loaded, "market.links", why.text, err);
        return PW_OK;
    }
    char *file;
    struct pw_text text;
    PW_TRY(open_table(loaded, "market.links", links->path, &file, &text, err));
    enum pw_code code =
        pw_table_links(text.bytes, text.size, file, loaded->settings.fee, loaded->market, err);
    pw_text_free(&text);
    free(file);
    return code;
}

static void warn(struct pw_case *loaded, const char *setting, const char *why)
{
    int row = pw_settings_find(setting), room = sizeof loaded->warnings / sizeof *loaded->warnings;
    if (loaded->settings.given[row] && loaded->n_warnings < room)
        snprintf(loaded->warnings[loaded->n_warnings++], sizeof *loaded->warnings,
                 "%s is given but not used: %s", setting, why);
}

static void warn_of_unused_recipe(struct pw_case *loaded)
{
    for (int row = 0; row < pw_settings_count; row++) {
        if (strncmp(pw_settings_table[row].path, "market.generate.", 16) == 0)
            warn(loaded, pw_settings_table[row].path, "the market comes from tables");
    }
}

/* The parameters of a delay model and the settings that hold them. */
static const struct {
    const char *setting;
    unsigned use;
} delay_settings[] = {
    {"network.delay.mean_s", PW_USES_MEAN},
    {"network.delay.std_s", PW_USES_STD},
    {"network.delay.min_s", PW_USES_MIN},
};

static void warn_of_unused_by_model(struct pw_case *loaded)
{
    const struct pw_delay_model *model = pw_delay_model_find(loaded->settings.delay_model);
    char why[100];
    snprintf(why, sizeof why, "the delay model is %s", model->name);
    for (size_t i = 0; i < sizeof delay_settings / sizeof *delay_settings; i++) {
        if (!(model->uses & delay_settings[i].use))
            warn(loaded, delay_settings[i].setting, why);
    }
}

static void warn_of_unused(struct pw_case *loaded)
{
    const struct pw_settings *settings = &loaded->settings;
    if (settings->generate_agents == 0)
        warn_of_unused_recipe(loaded);
    if (!isnan(settings->primal) && !isnan(settings->dual) && !isnan(settings->price))
        warn(loaded, "stop.tolerance", "stop.primal, stop.dual and stop.price are all given");
    warn_of_unused_by_model(loaded);
    if (!(settings->loss > 0.0))
        warn(loaded, "network.retransmit_s", "no message is lost");
    if (settings->clock == PW_CLOCK_WALL)
        warn(loaded, "network.compute_s", "on the wall clock a local solve takes the time that it takes");
}

static enum pw_code load(struct pw_case *loaded, const char *const *overrides, int n_overrides,
                         struct pw_error *err)
{
    PW_TRY(read_settings(loaded, overrides, n_overrides, err));
    PW_TRY(check_together(loaded, err));
    PW_TRY(load_assets(loaded, err));
    PW_TRY(load_agents(loaded, err));
    PW_TRY(load_links(loaded, err));
    struct pw_error why;
    if (pw_feasibility_check(loaded->market, &why) != PW_OK)
        return pw_fail(err, why.code, "%s: %s", loaded->path, why.text);
    warn_of_unused(loaded);
    return PW_OK;
}

enum pw_code pw_case_load(const char *path, const char *const *overrides, int n_overrides,
                          struct pw_case **out, struct pw_error *err)
{
    struct pw_case *loaded = pw_alloc(1, sizeof *loaded);
    loaded->path = pw_strdup(path);
    enum pw_code code = load(loaded, overrides, n_overrides, err);
    if (code != PW_OK) {
        pw_case_destroy(loaded);
        loaded = NULL;
    }
    *out = loaded;
    return code;
}

void pw_case_destroy(struct pw_case *loaded)
{
    if (loaded == NULL)
        return;
    for (int i = 0; i < loaded->n_inputs; i++)
        free(loaded->inputs[i].path);
    pw_market_destroy(loaded->market);
    free(loaded->path);
    free(loaded);
}

struct pw_network pw_case_network(const struct pw_settings *settings)
{
    return (struct pw_network){pw_delay_model_find(settings->delay_model),
                               {settings->delay_mean_s, settings->delay_std_s, settings->delay_min_s},
                               settings->loss,
                               settings->retransmit_s,
                               (uint64_t)settings->seed};
}
