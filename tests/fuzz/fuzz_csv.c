/* Any bytes but an HDF5 file (tests/cli/test_tables_h5.py) as each of four tables of a case: refused with a
 * message of one line that names a line, or a market that holds together. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/memory.h"
#include "common/plain_text.h"
#include "common/preferences.h"
#include "common/table_h5.h"
#include "common/tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { AGENTS = 3 };

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check_message(const struct pw_error *err)
{
    int line = 0;
    require(err->code == PW_USAGE);
    require(sscanf(err->text, "table:%d: ", &line) == 1 && line >= 1);
    require(pw_find_unplain(err->text) == NULL);
}

static void try_assets(const char *bytes, size_t size)
{
    struct pw_market *market;
    struct pw_error err = {0};
    if (pw_table_assets(bytes, size, "table", &market, &err) != PW_OK) {
        require(market == NULL);
        check_message(&err);
        return;
    }
    require(market->n_agents >= 1 && market->n_assets >= market->n_agents);
    require(market->asset_first[0] == 0 && market->asset_first[market->n_agents] == market->n_assets);
    for (int n = 0; n < market->n_agents; n++)
        require(market->asset_first[n] < market->asset_first[n + 1]);
    for (int i = 0; i < market->n_assets; i++)
        require(market->p_min[i] <= market->p_max[i] && market->a[i] >= 0 && isfinite(market->a[i]) &&
                isfinite(market->b[i]) && isfinite(market->p_min[i]) && isfinite(market->p_max[i]));
    pw_market_destroy(market);
}

static void try_agents(const char *bytes, size_t size)
{
    struct pw_market *market = pw_market_create(AGENTS, 1, 0, 0);
    struct pw_error err = {0};
    if (pw_table_agents(bytes, size, "table", market, &err) != PW_OK)
        check_message(&err);
    else
        for (int n = 0; n < AGENTS; n++)
            require(market->agent_name[n] != NULL && pw_find_unplain(market->agent_name[n]) == NULL &&
                    (market->x == NULL || (isfinite(market->x[n]) && isfinite(market->y[n]))));
    pw_market_destroy(market);
}

static void try_links(const char *bytes, size_t size)
{
    struct pw_market *market = pw_market_create(AGENTS, 1, 0, 0);
    struct pw_error err = {0};
    if (pw_table_links(bytes, size, "table", 0.25, market, &err) != PW_OK)
        check_message(&err);
    else
        require(market->n_links <= AGENTS * (AGENTS - 1) / 2);
    for (int l = 0; l < market->n_links; l++) {
        int a = market->link_a[l], b = market->link_b[l];
        require(a >= 0 && a < AGENTS && b >= 0 && b < AGENTS && a != b);
        require(market->t_min[l] <= market->t_max[l] && market->fee_a[l] >= 0 && market->fee_b[l] >= 0);
    }
    pw_market_destroy(market);
}

/* Two agents in zones, one without. */
static void set_zones(struct pw_market *market)
{
    static const char *const zones[AGENTS] = {"n", "s", ""};
    market->label[PW_LABEL_ZONE] = pw_alloc(AGENTS, sizeof(char *));
    for (int n = 0; n < AGENTS; n++)
        market->label[PW_LABEL_ZONE][n] = pw_strdup(zones[n]);
}

static void try_preferences(const char *bytes, size_t size)
{
    struct pw_market *market = pw_market_create(AGENTS, 1, 0, 0);
    struct pw_preferences *preferences;
    struct pw_error err = {0};
    set_zones(market);
    if (pw_table_preferences(bytes, size, "table", market, &preferences, &err) != PW_OK) {
        check_message(&err);
    } else {
        for (int pair = 0; pair < AGENTS * AGENTS; pair++) {
            double fee = -1.0;
            if (pw_preferences_fee(preferences, market, pair / AGENTS, pair % AGENTS, &fee, &err) != PW_OK)
                require(err.code == PW_USAGE && pw_find_unplain(err.text) == NULL);
            else
                require(fee >= 0.0 && isfinite(fee));
        }
        require(pw_preferences_unused(preferences) >= 0);
        pw_preferences_destroy(preferences);
    }
    pw_market_destroy(market);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (pw_table_is_h5((const char *)data, size))
        return 0;
    try_assets((const char *)data, size);
    try_agents((const char *)data, size);
    try_links((const char *)data, size);
    try_preferences((const char *)data, size);
    return 0;
}
