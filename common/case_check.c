#include "common/case_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/setting_value.h"

static enum pw_code fail(const struct pw_case *loaded, const char *path, const char *text,
                         struct pw_error *err)
{
    return pw_settings_fail(&loaded->settings, loaded->path, path, err, text);
}

static enum pw_code check_market(const struct pw_case *loaded, struct pw_error *err)
{
    const struct pw_settings *settings = &loaded->settings;
    int has_table = settings->assets[0] != '\0', has_recipe = settings->generate_agents > 0;
    if (!has_table && !has_recipe)
        return fail(loaded, "market.assets",
                    "missing: a CSV path, or a recipe under market.generate, is expected", err);
    if (has_table && has_recipe)
        return fail(loaded, "market.generate.agents", "a market has either assets or generate, not both",
                    err);
    if (has_recipe && settings->generate_communities > settings->generate_agents)
        return fail(loaded, "market.generate.communities", "more communities than agents", err);
    if (settings->agents[0] != '\0' && has_recipe)
        return fail(loaded, "market.agents", "a generated market has no agents table", err);
    return PW_OK;
}

static enum pw_code check_slots(const struct pw_case *loaded, struct pw_error *err)
{
    const struct pw_settings *settings = &loaded->settings;
    if (settings->slots_first >= settings->slots_count)
        return fail(loaded, "slots.first", "a slot below slots.count is expected, the first is 0", err);
    if (settings->slots_last >= settings->slots_count)
        return fail(loaded, "slots.last", "a slot below slots.count is expected, or -1", err);
    if (pw_case_last_slot(settings) < settings->slots_first)
        return fail(loaded, "slots.last", "at least slots.first is expected", err);
    if (settings->profiles[0] != '\0' && settings->generate_agents > 0)
        return fail(loaded, "market.profiles", "a generated market has no profiles", err);
    if (settings->profiles[0] != '\0' && settings->slots_count == 1)
        return fail(loaded, "market.profiles", "profiles need slots: set slots.count and slots.length_h",
                    err);
    return PW_OK;
}

static enum pw_code check_criterion(const struct pw_case *loaded, struct pw_error *err)
{
    const struct pw_settings *settings = &loaded->settings;
    int is_paired = settings->exchange == PW_EXCHANGE_PAIRED;
    int by_trade =
        settings->criterion == PW_CRITERION_TRADE || (settings->criterion == PW_CRITERION_AUTO && is_paired);
    if (settings->criterion > PW_CRITERION_GLOBAL && !is_paired)
        return fail(loaded, "stop.criterion",
                    "only the paired exchange lets single trades fall silent: global is expected", err);
    if (settings->ratify && !by_trade)
        return fail(loaded, "stop.ratify",
                    "trades are ratified one by one: stop.criterion: trade is expected", err);
    return PW_OK;
}

enum pw_code pw_case_check(const struct pw_case *loaded, struct pw_error *err)
{
    const struct pw_settings *settings = &loaded->settings;
    struct pw_network network = pw_case_network(settings, NULL);
    struct pw_pace pace = pw_case_pace(settings);
    struct pw_error why;
    PW_TRY(check_market(loaded, err));
    PW_TRY(check_slots(loaded, err));
    if (network.model->check(&network.delay, &why) != PW_OK)
        return fail(loaded, "network.delay.model", why.text, err);
    if ((network.model->uses & PW_USES_FILE) && settings->delay_file[0] == '\0')
        return fail(loaded, "network.delay.model",
                    "empirical needs network.delay.file, a CSV path of measured delays", err);
    if (pw_network_check_bursts(&network, network.loss, &why) != PW_OK)
        return fail(loaded, "network.burst_length", why.text, err);
    if (pw_pace_check(&pace, &why) != PW_OK)
        return fail(loaded, "network.pause_every_s", why.text, err);
    return check_criterion(loaded, err);
}

/* ---- The pool ---- */

static int has_power(const struct pw_market *market, int n)
{
    int products = market->n_products;
    for (int i = market->asset_first[n] * products; i < market->asset_first[n + 1] * products; i++) {
        if (market->p_min[i] < 0.0 || market->p_max[i] > 0.0)
            return 1;
    }
    return 0;
}

/* "" if the link joins an operator with an agent that has no other link, else what is wrong with it. */
static const char *pool_fault(const struct pw_market *market, int l)
{
    int a = market->link_a[l], b = market->link_b[l], agent = has_power(market, a) ? a : b;
    const double *operators_fee = agent == a ? market->fee_b : market->fee_a;
    if (has_power(market, a) == has_power(market, b))
        return "one end must be the operator, an agent without power, and only one";
    if (pw_market_degree(market, agent) > 1)
        return "the agent has other links beside that with its operator";
    for (int q = 0; q < market->n_products; q++) {
        if (operators_fee[l * market->n_products + q] > 0.0)
            return "the operator pays a fee";
    }
    return "";
}

static enum pw_code check_pool(const struct pw_case *loaded, struct pw_error *err)
{
    const struct pw_market *market = loaded->market;
    for (int l = 0; l < market->n_links; l++) {
        const char *fault = pool_fault(market, l);
        char text[200];
        if (fault[0] == '\0')
            continue;
        snprintf(text, sizeof text, "pool needs a star round an operator; link %d-%d: %s", market->link_a[l],
                 market->link_b[l], fault);
        return fail(loaded, "negotiation.exchange", text, err);
    }
    return PW_OK;
}

static enum pw_code check_innovation(const struct pw_case *loaded, struct pw_error *err)
{
    const struct pw_market *market = loaded->market;
    char text[200], label[100];
    for (int n = 0; n < market->n_agents; n++) {
        if (pw_market_degree(market, n) == 0 || market->asset_first[n + 1] > market->asset_first[n])
            continue;
        snprintf(
            text, sizeof text,
            "innovation: agents answer prices with their assets, and agent %s has none: paired does without",
            pw_market_agent_label(market, n, label, sizeof label));
        return fail(loaded, "negotiation.exchange", text, err);
    }
    return PW_OK;
}

enum pw_code pw_case_check_exchange(const struct pw_case *loaded, struct pw_error *err)
{
    if (loaded->settings.exchange == PW_EXCHANGE_POOL)
        return check_pool(loaded, err);
    return loaded->settings.exchange == PW_EXCHANGE_INNOVATION ? check_innovation(loaded, err) : PW_OK;
}

/* ---- The network ---- */

/* These wait for each offer of each round. */
static int pairs_rounds(const struct pw_settings *settings)
{
    return settings->exchange != PW_EXCHANGE_LATEST && settings->exchange != PW_EXCHANGE_STALE;
}

enum pw_code pw_case_check_network(const struct pw_case *loaded, struct pw_error *err)
{
    const struct pw_settings *settings = &loaded->settings;
    struct pw_network network = pw_case_network(settings, loaded->net);
    int may_lose = pw_network_may_lose(&network);
    if (may_lose && network.retransmit == PW_RETRANSMIT_NEVER && pairs_rounds(settings))
        return fail(loaded, "network.retransmit",
                    "never: only the exchanges latest and stale do without lost offers: fixed or doubling is "
                    "expected, or no network.loss",
                    err);
    if (may_lose && network.retransmit == PW_RETRANSMIT_DOUBLING &&
        network.retransmit_max_s < network.retransmit_s)
        return fail(loaded, "network.retransmit_max_s", "at least network.retransmit_s is expected", err);
    if (pw_case_changes_peers(settings) &&
        (settings->delay_links[0] != '\0' || (network.model->uses & PW_USES_DISTANCE)))
        return fail(
            loaded, "network.delay.model",
            "delays by link go with links that stay, not with market.links: choose adaptive over slots", err);
    if (settings->clock == PW_CLOCK_VIRTUAL && !(pw_network_mean_s(&network) + settings->compute_s > 0.0))
        return fail(loaded, "run.clock",
                    "on the virtual clock something must take time: set network.delay or network.compute_s",
                    err);
    return PW_OK;
}

static char *printed(const struct pw_setting *setting, const struct pw_settings *settings)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return pw_strdup("");
    pw_setting_print(setting, settings, out);
    fclose(out);
    return text;
}

/* A case that says all settings, as a trace holds one, says most of them by their defaults. */
static int is_default(const struct pw_settings *settings, int row)
{
    struct pw_settings defaults;
    pw_settings_default(&defaults);
    char *given = printed(&pw_settings_table[row], settings);
    char *usual = printed(&pw_settings_table[row], &defaults);
    int same = strcmp(given, usual) == 0;
    free(given);
    free(usual);
    return same;
}

static void warn(struct pw_case *loaded, const char *setting, const char *why)
{
    int row = pw_settings_find(setting), room = sizeof loaded->warnings / sizeof *loaded->warnings;
    if (loaded->settings.given[row] && loaded->n_warnings < room && !is_default(&loaded->settings, row))
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

/* The parameters of a delay model and the settings that hold them; the first three in the order of enum
 * pw_link_value. */
static const struct {
    const char *setting;
    unsigned use;
} delay_settings[] = {
    {"network.delay.mean_s", PW_USES_MEAN},         {"network.delay.std_s", PW_USES_STD},
    {"network.delay.min_s", PW_USES_MIN},           {"network.delay.speed", PW_USES_DISTANCE},
    {"network.delay.hop_length", PW_USES_DISTANCE}, {"network.delay.hop_s", PW_USES_DISTANCE},
    {"network.delay.jitter_s", PW_USES_DISTANCE},   {"network.delay.file", PW_USES_FILE},
};

static int delays_nothing(const struct pw_case *loaded)
{
    const struct pw_settings *settings = &loaded->settings;
    double most_s = settings->delay_mean_s + settings->delay_std_s + settings->delay_min_s;
    return !(most_s > 0.0) && settings->delay_links[0] == '\0';
}

static void warn_of_unused_by_model(struct pw_case *loaded)
{
    const struct pw_delay_model *model = pw_delay_model_find(loaded->settings.delay_model);
    char why[100];
    snprintf(why, sizeof why, "the delay model is %s", model->name);
    for (size_t i = 0; i < sizeof delay_settings / sizeof *delay_settings; i++) {
        if (!(model->uses & delay_settings[i].use))
            warn(loaded, delay_settings[i].setting, why);
    }
    if ((model->uses & PW_USES_MEAN) && delays_nothing(loaded))
        warn(loaded, "network.delay.model", "network.delay.mean_s is 0");
    for (int v = PW_LINK_MEAN; v <= PW_LINK_MIN; v++) {
        snprintf(why, sizeof why, "column %s, the delay model is %s",
                 strrchr(delay_settings[v].setting, '.') + 1, model->name);
        if (loaded->net->of_link[v] != NULL && !(model->uses & delay_settings[v].use))
            warn(loaded, "network.delay.links", why);
    }
}

static void warn_of_unused_slots(struct pw_case *loaded)
{
    const struct pw_settings *settings = &loaded->settings;
    if (settings->slots_count == 1)
        warn(loaded, "slots.warm_start", "there is one slot");
    else if (settings->exchange == PW_EXCHANGE_INNOVATION || settings->exchange == PW_EXCHANGE_POOL)
        warn(loaded, "slots.warm_start", "the exchange starts each slot from nothing");
}

static void warn_of_unused_by_losses(struct pw_case *loaded)
{
    static const char *const all[] = {"network.burst_length", "network.burst_loss", "network.retransmit",
                                      "network.retransmit_s", "network.retransmit_max_s"};
    const struct pw_settings *settings = &loaded->settings;
    struct pw_network network = pw_case_network(settings, loaded->net);
    if (!pw_network_may_lose(&network)) {
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            warn(loaded, all[i], "no message is lost");
        return;
    }
    if (!(settings->burst_length > 0.0))
        warn(loaded, "network.burst_loss", "network.burst_length is 0, losses are independent");
    if (settings->retransmit == PW_RETRANSMIT_NEVER)
        warn(loaded, "network.retransmit_s", "network.retransmit is never");
    if (settings->retransmit != PW_RETRANSMIT_DOUBLING)
        warn(loaded, "network.retransmit_max_s", "network.retransmit is not doubling");
}

static void warn_of_unused_pace(struct pw_case *loaded)
{
    static const char *const all[] = {"network.compute_s",     "network.compute_spread",
                                      "network.stragglers",    "network.straggler_factor",
                                      "network.pause_every_s", "network.pause_s"};
    const struct pw_settings *settings = &loaded->settings;
    if (settings->clock == PW_CLOCK_WALL) {
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            warn(loaded, all[i], "on the wall clock a local solve takes the time that it takes");
        return;
    }
    if (!(settings->compute_s > 0.0)) {
        for (size_t i = 1; i < 4; i++)
            warn(loaded, all[i], "network.compute_s is 0");
    } else if (!(settings->stragglers > 0.0)) {
        warn(loaded, "network.straggler_factor", "network.stragglers is 0");
    }
    if (!(settings->pause_every_s > 0.0))
        warn(loaded, "network.pause_s", "network.pause_every_s is 0");
    else if (!(settings->pause_s > 0.0))
        warn(loaded, "network.pause_every_s", "network.pause_s is 0");
}

static void warn_of_unused_gains(struct pw_case *loaded)
{
    static const char *const all[] = {"negotiation.consensus", "negotiation.innovation", "negotiation.bounds",
                                      "negotiation.decay", "negotiation.concession"};
    for (size_t i = 0; i < sizeof all / sizeof *all && loaded->settings.exchange != PW_EXCHANGE_INNOVATION;
         i++)
        warn(loaded, all[i], "the exchange is not innovation");
}

static void warn_of_unused_criterion(struct pw_case *loaded)
{
    static const char *const all[] = {"stop.trade_power", "stop.trade_price", "stop.share"};
    const struct pw_settings *settings = &loaded->settings;
    if (settings->criterion != PW_CRITERION_GLOBAL && settings->exchange == PW_EXCHANGE_PAIRED)
        return;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        warn(loaded, all[i], "trades are not judged one by one here");
}

static int are_same(const struct pw_market *market, int i, int j)
{
    return strcmp(market->asset_name[i], market->asset_name[j]) == 0 &&
           market->p_min[i] == market->p_min[j] && market->p_max[i] == market->p_max[j] &&
           market->a[i] == market->a[j] && market->b[i] == market->b[j];
}

/* The first of an agent's assets that is the same as one of its few before, or -1. */
static int find_twin(const struct pw_market *market)
{
    enum { FEW = 16 };
    for (int n = 0; n < market->n_agents; n++) {
        for (int i = market->asset_first[n]; i < market->asset_first[n + 1]; i++) {
            for (int j = i - 1; j >= market->asset_first[n] && j >= i - FEW; j--) {
                if (are_same(market, i, j))
                    return i;
            }
        }
    }
    return -1;
}

/* A table that was put together twice doubles the market. */
static void warn_of_twins(struct pw_case *loaded)
{
    const struct pw_market *market = loaded->market;
    int twin = find_twin(market), n = 0, room = sizeof loaded->warnings / sizeof *loaded->warnings;
    if (twin < 0 || loaded->n_warnings == room)
        return;
    while (market->asset_first[n + 1] <= twin)
        n++;
    snprintf(loaded->warnings[loaded->n_warnings++], sizeof *loaded->warnings,
             "market.assets: agent %d has the asset %.40s twice, the same in every number: both count", n,
             market->asset_name[twin]);
}

void pw_case_warn(struct pw_case *loaded)
{
    const struct pw_settings *settings = &loaded->settings;
    if (settings->generate_agents == 0) {
        warn_of_unused_recipe(loaded);
        warn_of_twins(loaded);
    }
    if (!isnan(settings->primal) && !isnan(settings->dual) && !isnan(settings->price))
        warn(loaded, "stop.tolerance", "stop.primal, stop.dual and stop.price are all given");
    warn_of_unused_by_model(loaded);
    warn_of_unused_by_losses(loaded);
    warn_of_unused_slots(loaded);
    warn_of_unused_pace(loaded);
    warn_of_unused_criterion(loaded);
    warn_of_unused_gains(loaded);
}
