/* peerwatt check: validates a case or a study and says how large its run will be. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/case.h"
#include "common/penalty.h"
#include "coordinator/bulk.h"
#include "coordinator/commands.h"
#include "coordinator/json.h"
#include "coordinator/judge.h"
#include "coordinator/partition.h"
#include "coordinator/peers.h"
#include "coordinator/reference.h"
#include "coordinator/sweep_check.h"

/* Sizes of a run, before it starts. */
struct sizes {
    int agents, trades, assets;
    int ranks_wanted; /* one agent per rank, and the coordinator */
    int in_bulk;
    double memory_bytes, further_bytes, messages;
    int has_quick_reference;
    struct pw_tolerances tolerances;
    int n_placements;
    struct placement {
        int ranks, by_graph;
        double cut; /* share of links between ranks */
    } placements[3];
};

/* What a run to the default tolerance took on random markets, docs/mathematics.md; sparse ones take more. */
enum { USUAL_ROUNDS = 60 };

/* Peak bytes of a process, measured (docs/scaling.md): of rank 0 with all agents, in bulk or agent by agent;
 * and what a further rank takes, each of which holds the whole market. */
enum {
    PER_PROCESS = 24000000,
    PER_AGENT = 400,
    PER_ASSET = 150,
    PER_LINK_BULK = 310,
    PER_LINK = 1090,
    PER_LINK_FURTHER = 210
};

static double memory(const struct pw_market *market, double per_link)
{
    return PER_PROCESS + (double)PER_AGENT * market->n_agents + (double)PER_ASSET * market->n_assets +
           per_link * market->n_links;
}

static int is_in_bulk(const struct pw_case *loaded)
{
    struct pw_negotiation negotiation = {
        loaded->market, &loaded->settings, PW_PROGRESS_NONE, INT64_MAX, loaded->net, 0, NULL, NULL};
    const char *why;
    return pw_bulk_suits(&negotiation, &why);
}

static struct sizes size_up(const struct pw_case *loaded)
{
    const struct pw_market *market = loaded->market;
    struct pw_scales scales = pw_market_scales(market);
    int in_bulk = is_in_bulk(loaded);
    return (struct sizes){.agents = market->n_agents,
                          .trades = market->n_links,
                          .assets = market->n_assets,
                          .ranks_wanted = market->n_agents + 1,
                          .in_bulk = in_bulk,
                          .memory_bytes = memory(market, in_bulk ? PER_LINK_BULK : PER_LINK),
                          .further_bytes = memory(market, PER_LINK_FURTHER),
                          .messages = 2.0 * USUAL_ROUNDS * market->n_links,
                          .has_quick_reference = pw_reference_is_cheap(market),
                          .tolerances = pw_tolerances_of(&loaded->settings, market, &scales)};
}

/* How agents would be placed on a few ranks. */
static void place(const struct pw_case *loaded, struct sizes *sizes)
{
    static const int ranks[] = {2, 4, 16};
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks && ranks[i] < sizes->agents; i++) {
        struct placement *placement = &sizes->placements[sizes->n_placements++];
        struct pw_placement blocks = {loaded->market->n_agents, ranks[i], NULL};
        int *order =
            pw_partition_choose(loaded->market, &loaded->settings, sizes->in_bulk, &blocks, &placement->cut);
        placement->ranks = ranks[i];
        placement->by_graph = order != NULL;
        free(order);
    }
}

static void print_placements(const struct sizes *sizes)
{
    for (int i = 0; i < sizes->n_placements; i++) {
        const struct placement *placement = &sizes->placements[i];
        printf("  %-11s on %d ranks %.3g %% of the links lie between ranks (%s)\n", i == 0 ? "placement" : "",
               placement->ranks, 100.0 * placement->cut, placement->by_graph ? "by the graph" : "in blocks");
    }
}

static json_t *list_placements(const struct sizes *sizes)
{
    json_t *list = json_array();
    for (int i = 0; i < sizes->n_placements; i++) {
        const struct placement *placement = &sizes->placements[i];
        json_t *entry = json_object();
        json_object_set_new(entry, "ranks", json_integer(placement->ranks));
        json_object_set_new(entry, "by", json_string(placement->by_graph ? "graph" : "blocks"));
        json_object_set_new(entry, "links_between_ranks", pw_json_real(placement->cut));
        json_array_append_new(list, entry);
    }
    return list;
}

static void print_json(const struct sizes *sizes)
{
    json_t *object = json_object();
    json_object_set_new(object, "agents", json_integer(sizes->agents));
    json_object_set_new(object, "trades", json_integer(sizes->trades));
    json_object_set_new(object, "assets", json_integer(sizes->assets));
    json_object_set_new(object, "ranks_wanted", json_integer(sizes->ranks_wanted));
    json_object_set_new(object, "placement", list_placements(sizes));
    json_object_set_new(object, "memory_bytes", pw_json_real(sizes->memory_bytes));
    json_object_set_new(object, "in_bulk", json_boolean(sizes->in_bulk));
    json_object_set_new(object, "further_rank_bytes", pw_json_real(sizes->further_bytes));
    json_object_set_new(object, "messages_expected", pw_json_real(sizes->messages));
    json_object_set_new(object, "reference", json_boolean(sizes->has_quick_reference));
    json_object_set_new(object, "tolerance_primal", pw_json_real(sizes->tolerances.primal));
    json_object_set_new(object, "tolerance_dual", pw_json_real(sizes->tolerances.dual));
    json_object_set_new(object, "tolerance_price", pw_json_real(sizes->tolerances.price));
    pw_json_print(object, stdout);
}

static void print_text(const struct sizes *sizes, const struct pw_settings *settings)
{
    const char *power = settings->power_unit;
    printf("%s: the case is valid and its market feasible\n", settings->name);
    printf("  %-11s %d, with %d assets\n", "agents", sizes->agents, sizes->assets);
    printf("  %-11s %d links%s\n", "trades", sizes->trades,
           pw_case_changes_peers(settings) ? ", among which each slot has its peers" : "");
    printf("  %-11s any number; %d give each agent its own (mpirun -n %d)\n", "ranks", sizes->ranks_wanted,
           sizes->ranks_wanted);
    if (settings->slots_count > 1)
        printf("  %-11s %d; messages and residuals below are of one\n", "slots",
               pw_case_last_slot(settings) - pw_case_first_slot(settings) + 1);
    print_placements(sizes);
    printf("  %-11s about %.0f MB in one process; each further rank takes about %.0f MB more\n", "memory",
           ceil(sizes->memory_bytes / 1e6), ceil(sizes->further_bytes / 1e6));
    printf("  %-11s about %.1g offers, if it clears in %d rounds as most markets do%s\n", "messages",
           sizes->messages, USUAL_ROUNDS, sizes->in_bulk ? "; in bulk, as prices" : "");
    printf("  %-11s primal %.3g %s, dual %.3g %s, price %.3g %s/%sh\n", "stops at", sizes->tolerances.primal,
           power, sizes->tolerances.dual, power, sizes->tolerances.price, settings->money_unit, power);
    printf("  %-11s %s\n", "optimum",
           sizes->has_quick_reference ? "computed beside the run, quickly"
                                      : "not computed beside the run unless run.reference is yes");
}

static enum pw_code run_check(const struct pw_options *options, struct pw_transport *transport,
                              struct pw_error *err)
{
    struct pw_case *loaded;
    if (pw_is_study(options->case_path))
        return pw_sweep_check(options, transport, err);
    PW_TRY(pw_case_load(options->case_path, options->overrides, options->n_overrides, &loaded, err));
    for (int i = 0; i < loaded->n_warnings; i++)
        pw_warn("%s", loaded->warnings[i]);
    if (options->verbose)
        pw_settings_dump(&loaded->settings, stderr);
    enum pw_code code = pw_peers_check(loaded, err);
    struct sizes sizes = size_up(loaded);
    if (code == PW_OK)
        place(loaded, &sizes);
    if (code == PW_OK && options->json)
        print_json(&sizes);
    else if (code == PW_OK && !options->quiet)
        print_text(&sizes, &loaded->settings);
    pw_case_destroy(loaded);
    return code;
}

const struct pw_command pw_cmd_check = {
    .name = "check",
    .usage = "CASE.yaml|STUDY.yaml [options]",
    .help = "validate a case or a study and say how large its run will be",
    .story = "A case is not run. Of a study one run is done, to estimate how long all of them take.",
    .takes_case = 1,
    .options = PW_OPTIONS_CASE | PW_OPTIONS_RESULT,
    .lists_settings = 1,
    .run = run_check,
};
