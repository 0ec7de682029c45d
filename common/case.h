/* A case: its settings, its market, and where they came from. */
#ifndef PW_CASE_H
#define PW_CASE_H

#include "common/error.h"
#include "common/links.h"
#include "common/inputs.h"
#include "common/market.h"
#include "common/profiles.h"
#include "common/settings.h"
#include "net_models/network.h"
#include "net_models/pace.h"

enum { PW_MOST_INPUTS = 8 };

/* An input file and the SHA-256 digest of its bytes, in hexadecimal. */
struct pw_input {
    char *path;
    char digest[65];
};

struct pw_case {
    struct pw_settings settings;
    struct pw_market *market;
    struct pw_net_data *net;      /* what the network knows from files */
    struct pw_fees *fees;         /* what links cost, kind by kind */
    struct pw_profiles *profiles; /* how assets change from slot to slot; NULL: they do not */
    char *path;
    int n_inputs;
    struct pw_input inputs[PW_MOST_INPUTS];
    int n_warnings;
    char warnings[16][160]; /* settings given that the run will not use */
};

/* PW_USAGE if `path` is one of the files that the case was read from: nothing is to be written there. */
enum pw_code pw_case_spare_inputs(const struct pw_case *loaded, const char *path, struct pw_error *err);

/* Reads and validates the case file at `path`, with `overrides` (section.key=value) on top, its tables, and
 * its links; checks that the market is feasible. *out is for pw_case_destroy(), NULL on failure. PW_USAGE
 * with file and line for bad input, PW_INFEASIBLE for a well-formed market that cannot balance. One rank
 * only; reads files. */
enum pw_code pw_case_load(const char *path, const char *const *overrides, int n_overrides,
                          struct pw_case **out, struct pw_error *err);
void pw_case_destroy(struct pw_case *loaded);

/* A case to load as one of many variants. */
struct pw_case_variant {
    const char *path;
    const char *const *overrides;
    int n_overrides;
    struct pw_inputs *inputs; /* files read before; those read now are added. NULL: none are kept */
    long replicate; /* >= 0, added to the seeds of the market's recipe, of its links, and of the run */
    /* Called once the settings are read and checked, before the market is made; NULL: nobody wants to know.
     */
    void (*on_settings)(void *context, const struct pw_settings *settings);
    void *context;
};

/* pw_case_load() of a variant. */
enum pw_code pw_case_load_variant(const struct pw_case_variant *variant, struct pw_case **out,
                                  struct pw_error *err);

/* True if the settings alone say what the market is: agents by a recipe, links by a rule that takes little
 * time, one fee. Then pw_case_draw() makes it on any rank: the market of pw_case_load(), for
 * pw_market_destroy(); NULL where pw_case_load() fails. With a block, only the links that have an end in it
 * (pw_links_build_part()); NULL: all. */
int pw_case_is_drawn(const struct pw_settings *settings);
struct pw_market *pw_case_draw(const struct pw_settings *settings, const struct pw_block *block);

/* The network that the settings describe, with `data` from files (borrowed, or NULL). */
struct pw_network pw_case_network(const struct pw_settings *settings, const struct pw_net_data *data);

/* True if agents change peers between the slots of a run (market.links: choose adaptive): then the market has
 * all links that they might have. */
int pw_case_changes_peers(const struct pw_settings *settings);

/* The first and the last time slot to run. */
int pw_case_first_slot(const struct pw_settings *settings);
int pw_case_last_slot(const struct pw_settings *settings);

/* How fast agents are on the virtual clock. */
struct pw_pace pw_case_pace(const struct pw_settings *settings);

#endif
