#include "common/case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/feasibility.h"
#include "common/file.h"
#include "common/generate.h"
#include "common/links.h"
#include "common/memory.h"
#include "common/suggest.h"
#include "common/tables.h"

/* A case while it is read. */
struct loading {
    struct pw_case *loaded;
    const struct pw_case_variant *variant;
};

/* Reads an input file and notes its digest. */
static enum pw_code read_input(const struct loading *loading, const char *path, struct pw_text *text,
                               struct pw_error *err)
{
    struct pw_case *loaded = loading->loaded;
    struct pw_input *input = &loaded->inputs[loaded->n_inputs];
    PW_TRY(pw_inputs_read(loading->variant->inputs, path, text, input->digest, err));
    input->path = pw_strdup(path);
    loaded->n_inputs++;
    return PW_OK;
}

static void shift_seeds(struct pw_settings *settings, long shift)
{
    settings->generate_seed += shift;
    settings->links.seed += shift;
    settings->seed += shift;
}

static enum pw_code read_settings(const struct loading *loading, struct pw_error *err)
{
    struct pw_case *loaded = loading->loaded;
    const struct pw_case_variant *variant = loading->variant;
    struct pw_text text;
    struct pw_yaml *root = NULL;
    pw_settings_default(&loaded->settings);
    PW_TRY(read_input(loading, loaded->path, &text, err));
    enum pw_code code = pw_yaml_parse(text.bytes, text.size, loaded->path, &root, err);
    if (code == PW_OK)
        code = pw_settings_read(&loaded->settings, root, loaded->path, err);
    pw_yaml_destroy(root);
    pw_text_free(&text);
    for (int i = 0; i < variant->n_overrides && code == PW_OK; i++)
        code = pw_settings_override(&loaded->settings, variant->overrides[i], err);
    shift_seeds(&loaded->settings, variant->replicate);
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
static enum pw_code open_table(const struct loading *loading, const char *setting, const char *value,
                               char **file, struct pw_text *text, struct pw_error *err)
{
    const struct pw_case *loaded = loading->loaded;
    static const char *const link_words[] = {"all", "sides"};
    char hint[100] = "", what[sizeof(struct pw_error) + sizeof hint];
    struct pw_error why;
    *file = pw_path_beside(loaded->path, value);
    if (read_input(loading, *file, text, &why) == PW_OK)
        return PW_OK;
    free(*file);
    if (strcmp(setting, "market.links") == 0)
        pw_suggest(value, link_words, 2, hint, sizeof hint);
    snprintf(what, sizeof what, "%s%s", why.text, hint);
    return fail(loaded, setting, what, err);
}

static enum pw_code load_assets(const struct loading *loading, struct pw_error *err)
{
    struct pw_case *loaded = loading->loaded;
    if (loaded->settings.generate_agents > 0) {
        struct pw_error why;
        if (pw_generate(&loaded->settings, &loaded->market, &why) != PW_OK)
            return fail(loaded, "market.generate.agents", why.text, err);
        return PW_OK;
    }
    char *file;
    struct pw_text text;
    PW_TRY(open_table(loading, "market.assets", loaded->settings.assets, &file, &text, err));
    enum pw_code code = pw_table_assets(text.bytes, text.size, file, &loaded->market, err);
    pw_text_free(&text);
    free(file);
    return code;
}

static enum pw_code load_agents(const struct loading *loading, struct pw_error *err)
{
    struct pw_case *loaded = loading->loaded;
    if (loaded->settings.agents[0] == '\0')
        return PW_OK;
    char *file;
    struct pw_text text;
    PW_TRY(open_table(loading, "market.agents", loaded->settings.agents, &file, &text, err));
    enum pw_code code = pw_table_agents(text.bytes, text.size, file, loaded->market, err);
    pw_text_free(&text);
    free(file);
    return code;
}

static enum pw_code load_links(const struct loading *loading, struct pw_error *err)
{
    struct pw_case *loaded = loading->loaded;
    const struct pw_links_spec *links = &loaded->settings.links;
    if (links->kind != PW_LINKS_TABLE) {
        struct pw_error why;
        if (pw_links_build(loaded->market, links, loaded->settings.fee, &why) != PW_OK)
            return fail(loaded, "market.links", why.text, err);
        return PW_OK;
    }
    char *file;
    struct pw_text text;
    PW_TRY(open_table(loading, "market.links", links->path, &file, &text, err));
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

static void warn_of_unused(struct pw_case *loaded)
{
    const struct pw_settings *settings = &loaded->settings;
    if (settings->generate_agents == 0)
        warn_of_unused_recipe(loaded);
    if (!isnan(settings->primal) && !isnan(settings->dual) && !isnan(settings->price))
        warn(loaded, "stop.tolerance", "stop.primal, stop.dual and stop.price are all given");
    const struct pw_delay_model *model = pw_delay_model_find(settings->delay_model);
    char why[100];
    snprintf(why, sizeof why, "the delay model is %s", model->name);
    if (!model->uses_mean)
        warn(loaded, "network.delay.mean_s", why);
    if (!model->uses_std)
        warn(loaded, "network.delay.std_s", why);
    if (!model->uses_min)
        warn(loaded, "network.delay.min_s", why);
    if (!(settings->loss > 0.0))
        warn(loaded, "network.retransmit_s", "no message is lost");
    if (settings->clock == PW_CLOCK_WALL)
        warn(loaded, "network.compute_s", "on the wall clock a local solve takes the time that it takes");
}

/* What is allowed but may not end well. */
static void warn_of_risks(struct pw_case *loaded)
{
    const struct pw_settings *settings = &loaded->settings;
    int room = sizeof loaded->warnings / sizeof *loaded->warnings;
    if (settings->relaxation > 0.75 && settings->delta < 1.0 && loaded->n_warnings < room)
        snprintf(loaded->warnings[loaded->n_warnings++], sizeof *loaded->warnings,
                 "negotiation.relaxation above 0.75 may never converge where delta is below 1");
}

static enum pw_code load(const struct loading *loading, struct pw_error *err)
{
    struct pw_case *loaded = loading->loaded;
    PW_TRY(read_settings(loading, err));
    PW_TRY(check_together(loaded, err));
    PW_TRY(load_assets(loading, err));
    PW_TRY(load_agents(loading, err));
    PW_TRY(load_links(loading, err));
    struct pw_error why;
    if (pw_feasibility_check(loaded->market, &why) != PW_OK)
        return pw_fail(err, why.code, "%s: %s", loaded->path, why.text);
    warn_of_unused(loaded);
    warn_of_risks(loaded);
    return PW_OK;
}

enum pw_code pw_case_load_variant(const struct pw_case_variant *variant, struct pw_case **out,
                                  struct pw_error *err)
{
    struct pw_case *loaded = pw_alloc(1, sizeof *loaded);
    struct loading loading = {loaded, variant};
    loaded->path = pw_strdup(variant->path);
    enum pw_code code = load(&loading, err);
    if (code != PW_OK) {
        pw_case_destroy(loaded);
        loaded = NULL;
    }
    *out = loaded;
    return code;
}

enum pw_code pw_case_load(const char *path, const char *const *overrides, int n_overrides,
                          struct pw_case **out, struct pw_error *err)
{
    struct pw_case_variant variant = {path, overrides, n_overrides, NULL, 0};
    return pw_case_load_variant(&variant, out, err);
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
