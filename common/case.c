#include "common/case.h"

#include <stdlib.h>
#include <string.h>

#include "common/case_check.h"
#include "common/feasibility.h"
#include "common/fees.h"
#include "common/file.h"
#include "common/file_write.h"
#include "common/generate.h"
#include "common/links.h"
#include "common/memory.h"
#include "common/net_tables.h"
#include "common/phases.h"
#include "common/preferences.h"
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

/* A table named by the setting `setting`, as bytes; the caller frees both. */
static enum pw_code open_table(const struct loading *loading, const char *setting, const char *value,
                               char **file, struct pw_text *text, struct pw_error *err)
{
    const struct pw_case *loaded = loading->loaded;
    static const char *const link_words[] = {"all", "sides", "pool", "communities"};
    char hint[100] = "", what[sizeof(struct pw_error) + sizeof hint];
    struct pw_error why;
    *file = pw_path_beside(loaded->path, value);
    if (read_input(loading, *file, text, &why) == PW_OK)
        return PW_OK;
    free(*file);
    if (strcmp(setting, "market.links") == 0)
        pw_suggest(value, link_words, 4, hint, sizeof hint);
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
        struct pw_links_spec all = *links;
        if (pw_case_changes_peers(&loaded->settings))
            all.kind = links->among_sides ? PW_LINKS_SIDES : PW_LINKS_ALL; /* whom the slots choose among */
        if (pw_links_build(loaded->market, &all, loaded->settings.fee, &why) != PW_OK)
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

static enum pw_code load_preferences(const struct loading *loading, struct pw_preferences **out,
                                     struct pw_error *err)
{
    const struct pw_case *loaded = loading->loaded;
    char *file;
    struct pw_text text;
    *out = NULL;
    if (loaded->settings.preferences[0] == '\0')
        return PW_OK;
    PW_TRY(open_table(loading, "market.preferences", loaded->settings.preferences, &file, &text, err));
    enum pw_code code = pw_table_preferences(text.bytes, text.size, file, loaded->market, out, err);
    pw_text_free(&text);
    free(file);
    return code;
}

static void warn_of_unused_preference(struct pw_case *loaded, const struct pw_preferences *preferences)
{
    int line = preferences == NULL ? 0 : pw_preferences_unused(preferences);
    int room = sizeof loaded->warnings / sizeof *loaded->warnings;
    if (line > 0 && loaded->n_warnings < room)
        snprintf(loaded->warnings[loaded->n_warnings++], sizeof *loaded->warnings,
                 "market.preferences: line %d speaks of no two agents that are linked", line);
}

/* What the market lacks for a fee. */
static enum pw_code check_fees(const struct pw_case *loaded, struct pw_error *err)
{
    const struct pw_settings *settings = &loaded->settings;
    const struct pw_market *market = loaded->market;
    if (settings->fee_distance > 0.0 && market->x == NULL)
        return fail(loaded, "market.fees.distance",
                    "distance needs the columns x and y in the agents table (market.agents)", err);
    if (settings->fee_zone > 0.0 && market->label[PW_LABEL_ZONE] == NULL)
        return fail(loaded, "market.fees.zone", "a column zone is needed in the agents table (market.agents)",
                    err);
    if (settings->fee_community > 0.0 && market->label[PW_LABEL_COMMUNITY] == NULL)
        return fail(loaded, "market.fees.community",
                    "a column community is needed in the agents table (market.agents)", err);
    return PW_OK;
}

static enum pw_code load_fees(const struct loading *loading, struct pw_error *err)
{
    struct pw_case *loaded = loading->loaded;
    const struct pw_settings *settings = &loaded->settings;
    struct pw_preferences *preferences;
    PW_TRY(check_fees(loaded, err));
    PW_TRY(load_preferences(loading, &preferences, err));
    struct pw_fees_spec spec = {settings->fee, settings->fee_distance, settings->fee_zone,
                                settings->fee_community, preferences};
    enum pw_code code = pw_fees_create(loaded->market, &spec, &loaded->fees, err);
    warn_of_unused_preference(loaded, preferences);
    pw_preferences_destroy(preferences);
    return code;
}

static enum pw_code load_net_links(const struct loading *loading, struct pw_error *err)
{
    struct pw_case *loaded = loading->loaded;
    const struct pw_settings *settings = &loaded->settings;
    struct pw_network common = pw_case_network(settings, NULL);
    if (settings->delay_links[0] == '\0')
        return PW_OK;
    char *file;
    struct pw_text text;
    PW_TRY(open_table(loading, "network.delay.links", settings->delay_links, &file, &text, err));
    enum pw_code code =
        pw_table_net_links(text.bytes, text.size, file, loaded->market, &common, loaded->net, err);
    pw_text_free(&text);
    free(file);
    return code;
}

static enum pw_code load_delays(const struct loading *loading, struct pw_error *err)
{
    struct pw_case *loaded = loading->loaded;
    char *file;
    struct pw_text text;
    PW_TRY(open_table(loading, "network.delay.file", loaded->settings.delay_file, &file, &text, err));
    enum pw_code code = pw_table_delays(text.bytes, text.size, file, loaded->net, err);
    pw_text_free(&text);
    free(file);
    return code;
}

static enum pw_code load_net(const struct loading *loading, struct pw_error *err)
{
    struct pw_case *loaded = loading->loaded;
    unsigned uses = pw_delay_model_find(loaded->settings.delay_model)->uses;
    loaded->net = pw_net_data_create((size_t)loaded->market->n_links);
    if (uses & PW_USES_FILE)
        PW_TRY(load_delays(loading, err));
    if ((uses & PW_USES_DISTANCE) && loaded->market->x == NULL)
        return fail(loaded, "network.delay.model",
                    "distance needs the columns x and y in the agents table (market.agents)", err);
    if (uses & PW_USES_DISTANCE)
        pw_net_distances(loaded->market, loaded->net);
    PW_TRY(load_net_links(loading, err));
    return pw_case_check_network(loaded, err);
}

static enum pw_code load_profiles(const struct loading *loading, struct pw_error *err)
{
    struct pw_case *loaded = loading->loaded;
    const struct pw_settings *settings = &loaded->settings;
    struct pw_day day = {(int)settings->slots_count, settings->slots_length_h};
    if (settings->profiles[0] == '\0')
        return PW_OK;
    char *file;
    struct pw_text text;
    PW_TRY(open_table(loading, "market.profiles", settings->profiles, &file, &text, err));
    enum pw_code code =
        pw_table_profiles(text.bytes, text.size, file, &day, loaded->market, &loaded->profiles, err);
    pw_text_free(&text);
    free(file);
    return code;
}

/* Every slot to be run can balance: else the first that cannot, and how many others. The market is left as it
 * is in the first slot. */
static enum pw_code check_feasibility(const struct pw_case *loaded, struct pw_error *err)
{
    const struct pw_settings *settings = &loaded->settings;
    int first = pw_case_first_slot(settings), wrong = -1, n_wrong = 0;
    struct pw_error why = {PW_OK, ""}, first_why = why;
    for (int slot = loaded->profiles != NULL ? pw_case_last_slot(settings) : first; slot >= first; slot--) {
        pw_profiles_apply(loaded->profiles, slot, loaded->market);
        if (pw_feasibility_check(loaded->market, &why) == PW_OK)
            continue;
        wrong = slot;
        first_why = why;
        n_wrong++;
    }
    if (n_wrong == 0)
        return PW_OK;
    struct pw_day day = {(int)settings->slots_count, settings->slots_length_h};
    char time[32], where[64] = "", more[32] = "";
    if (settings->slots_count > 1)
        snprintf(where, sizeof where, "slot %d (%s): ", wrong, pw_day_time(&day, wrong, time, sizeof time));
    if (n_wrong > 1)
        snprintf(more, sizeof more, " (one of %d such slots)", n_wrong);
    return pw_fail(err, first_why.code, "%s: %s%s%s", loaded->path, where, first_why.text, more);
}

/* What is allowed but may not end well. */
static void warn_of_risks(struct pw_case *loaded)
{
    const struct pw_settings *settings = &loaded->settings;
    int room = sizeof loaded->warnings / sizeof *loaded->warnings;
    if (settings->exchange == PW_EXCHANGE_STALE && loaded->n_warnings < room)
        snprintf(loaded->warnings[loaded->n_warnings++], sizeof *loaded->warnings,
                 "negotiation.exchange stale drifts to wrong markets where delta < 1 or messages take time");
    if (settings->relaxation > 0.75 && settings->delta < 1.0 && loaded->n_warnings < room)
        snprintf(loaded->warnings[loaded->n_warnings++], sizeof *loaded->warnings,
                 "negotiation.relaxation above 0.75 may never converge where delta is below 1");
}

static enum pw_code load(const struct loading *loading, struct pw_error *err)
{
    struct pw_case *loaded = loading->loaded;
    pw_phase_enter(PW_PHASE_READ);
    PW_TRY(read_settings(loading, err));
    PW_TRY(pw_case_check(loaded, err));
    if (loading->variant->on_settings != NULL)
        loading->variant->on_settings(loading->variant->context, &loaded->settings);
    PW_TRY(load_assets(loading, err));
    PW_TRY(load_agents(loading, err));
    pw_phase_enter(PW_PHASE_LINK);
    PW_TRY(load_links(loading, err));
    PW_TRY(load_fees(loading, err));
    pw_phase_enter(PW_PHASE_READ);
    PW_TRY(load_profiles(loading, err));
    PW_TRY(pw_case_check_exchange(loaded, err));
    PW_TRY(load_net(loading, err));
    pw_phase_enter(PW_PHASE_CHECK);
    PW_TRY(check_feasibility(loaded, err));
    pw_case_warn(loaded);
    warn_of_risks(loaded);
    return PW_OK;
}

enum pw_code pw_case_spare_inputs(const struct pw_case *loaded, const char *path, struct pw_error *err)
{
    int is_input = pw_file_is_same(path, loaded->path);
    for (int i = 0; i < loaded->n_inputs; i++)
        is_input |= pw_file_is_same(path, loaded->inputs[i].path);
    return is_input ? pw_fail(err, PW_USAGE,
                              "%s: is an input of this run and will not be replaced: use another name", path)
                    : PW_OK;
}

enum pw_code pw_case_load_variant(const struct pw_case_variant *variant, struct pw_case **out,
                                  struct pw_error *err)
{
    struct pw_case *loaded = pw_alloc(1, sizeof *loaded);
    struct loading loading = {loaded, variant};
    loaded->path = pw_strdup(variant->path);
    enum pw_phase before = pw_phase_enter(PW_PHASE_READ);
    enum pw_code code = load(&loading, err);
    pw_phase_leave(before);
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
    struct pw_case_variant variant = {.path = path, .overrides = overrides, .n_overrides = n_overrides};
    return pw_case_load_variant(&variant, out, err);
}

int pw_case_is_drawn(const struct pw_settings *settings)
{
    enum pw_links_kind kind = settings->links.kind;
    int by_kind = settings->fee_distance > 0.0 || settings->fee_zone > 0.0 || settings->fee_community > 0.0;
    return settings->generate_agents > 0 && settings->agents[0] == '\0' && settings->preferences[0] == '\0' &&
           !by_kind && kind != PW_LINKS_TABLE && kind != PW_LINKS_CHOSEN;
}

struct pw_market *pw_case_draw(const struct pw_settings *settings, const struct pw_block *block)
{
    struct pw_market *market;
    struct pw_error why;
    enum pw_phase before = pw_phase_enter(PW_PHASE_READ);
    enum pw_code code = pw_generate_nameless(settings, &market, &why);
    pw_phase_enter(PW_PHASE_LINK);
    if (code == PW_OK && block != NULL)
        code = pw_links_build_part(market, &settings->links, settings->fee, *block, &why);
    else if (code == PW_OK)
        code = pw_links_build(market, &settings->links, settings->fee, &why);
    if (code != PW_OK) {
        pw_market_destroy(market);
        market = NULL;
    }
    pw_phase_leave(before);
    return market;
}

void pw_case_destroy(struct pw_case *loaded)
{
    if (loaded == NULL)
        return;
    for (int i = 0; i < loaded->n_inputs; i++)
        free(loaded->inputs[i].path);
    pw_market_destroy(loaded->market);
    pw_net_data_destroy(loaded->net);
    pw_profiles_destroy(loaded->profiles);
    pw_fees_destroy(loaded->fees);
    free(loaded->path);
    free(loaded);
}

struct pw_network pw_case_network(const struct pw_settings *settings, const struct pw_net_data *data)
{
    return (struct pw_network){.model = pw_delay_model_find(settings->delay_model),
                               .delay = {.mean_s = settings->delay_mean_s,
                                         .std_s = settings->delay_std_s,
                                         .min_s = settings->delay_min_s,
                                         .speed = settings->delay_speed,
                                         .hop_length = settings->delay_hop_length,
                                         .hop_s = settings->delay_hop_s,
                                         .jitter_s = settings->delay_jitter_s,
                                         .values_s = data != NULL ? data->delays_s : NULL,
                                         .n_values = data != NULL ? data->n_delays : 0},
                               .loss = settings->loss,
                               .burst_length = settings->burst_length,
                               .burst_loss = settings->burst_loss,
                               .retransmit = (enum pw_retransmit)settings->retransmit,
                               .retransmit_s = settings->retransmit_s,
                               .retransmit_max_s = settings->retransmit_max_s,
                               .seed = (uint64_t)settings->seed,
                               .data = data};
}

int pw_case_changes_peers(const struct pw_settings *settings)
{
    return settings->links.kind == PW_LINKS_CHOSEN && settings->links.choose == PW_CHOOSE_ADAPTIVE &&
           settings->slots_count > 1;
}

int pw_case_first_slot(const struct pw_settings *settings)
{
    return (int)settings->slots_first;
}

int pw_case_last_slot(const struct pw_settings *settings)
{
    return (int)(settings->slots_last < 0 ? settings->slots_count - 1 : settings->slots_last);
}

struct pw_pace pw_case_pace(const struct pw_settings *settings)
{
    return (struct pw_pace){.compute_s = settings->compute_s,
                            .spread = settings->compute_spread,
                            .stragglers = settings->stragglers,
                            .straggler_factor = settings->straggler_factor,
                            .pause_every_s = settings->pause_every_s,
                            .pause_s = settings->pause_s,
                            .seed = (uint64_t)settings->seed};
}
