#include "tests/unit/trace_scene.h"

#include <check.h>
#include <dirent.h>
#include <hdf5_hl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/memory.h"

/* Every number of the summary is another one, so that none can stand in for its neighbour. */
static void fill_summary(struct pw_summary *s, int agents, int trades)
{
    *s = (struct pw_summary){.status = PW_AT_LIMIT,
                             .clock = "virtual",
                             .agents = agents,
                             .trades = trades,
                             .ranks = 9,
                             .slots = 11,
                             .delta = 0.25,
                             .loss = 0.125,
                             .seed = 5000000007,
                             .convergence_time_s = NAN,
                             .end_time_s = 2.5,
                             .naive_time_s = 2.75,
                             .naive_false_stops = 3,
                             .iterations_mean = 31.5,
                             .messages_sent = 6000000001,
                             .messages_retransmitted = 41,
                             .messages_duplicate = 42,
                             .messages_lost = 43,
                             .primal_residual = 1.1,
                             .dual_residual = 1.2,
                             .price_residual = 1.3,
                             .tolerance_primal = 2.1,
                             .tolerance_dual = 2.2,
                             .tolerance_price = 2.3,
                             .social_welfare = 3.1,
                             .reference_welfare = 3.2,
                             .welfare_gap = 3.3,
                             .price_mean = 4.1,
                             .power_injected = 4.2,
                             .power_traded = 4.3,
                             .fees_collected = 4.4,
                             .fees_by_kind = {7.1, 7.2, 7.3, 7.4, 7.5, 7.6},
                             .price_mismatch_max = 5.1,
                             .price_spread_max = 5.2,
                             .balance_max = 5.3,
                             .imbalance = 5.4,
                             .wall_s = 6.1,
                             .total_s = 6.2};
}

static void fill_agents(struct pw_market *market, struct pw_outcome *out)
{
    for (int n = 0; n < out->n_agents; n++) {
        for (int q = 0; q < out->n_products; q++) {
            out->power[n * out->n_products + q] = 100 + n + 0.1 * q;
            out->price[n * out->n_products + q] = 200 + n + 0.1 * q;
        }
        out->cost[n] = 300 + n;
        out->fees[n] = 400 + n;
        out->welfare[n] = 500 + n;
        out->wait_s[n] = 600 + n;
        out->compute_s[n] = 700 + n;
        out->peers[n] = 800 + n;
        out->iterations[n] = 900 + n;
        out->messages_sent[n] = 7000000000 + n;
        if (n == 1)
            market->agent_name[n] = pw_strdup("caf\xC3\xA9");
    }
}

static void fill_trades(struct pw_market *market, struct pw_outcome *out)
{
    for (int l = 0; l < out->n_links; l++) {
        market->link_a[l] = l;
        market->link_b[l] = l + 1;
        for (int q = 0; q < out->n_products; q++) {
            out->trade[l * out->n_products + q] = 10 + l + 0.1 * q;
            out->price_a[l * out->n_products + q] = 20 + l + 0.1 * q;
            out->price_b[l * out->n_products + q] = 30 + l + 0.1 * q;
        }
        out->rounds[l] = 40 + l;
        out->messages[l] = 8000000000 + l;
        if (l > 0)
            out->settled_time_s[l] = 0.5 + l;
    }
}

void test_scene_open(struct test_scene *scene, int agents, int trades, int products)
{
    scene->scratch = scratch_open();
    snprintf(scene->path, sizeof scene->path, "%s", scratch_path(&scene->scratch, "run.h5"));
    scene->bills = NULL;
    scene->market = pw_market_create(agents, products, agents, trades);
    scene->outcome = pw_outcome_create(agents, trades, products);
    fill_summary(&scene->outcome->summary, agents, trades);
    fill_agents(scene->market, scene->outcome);
    fill_trades(scene->market, scene->outcome);
    scene->provenance[0] = (struct pw_provenance){"case", "peerwatt: 1\nname: test\n"};
    scene->provenance[1] = (struct pw_provenance){"version", "0.0"};
    scene->trace = (struct pw_trace){.market = scene->market,
                                     .summary = &scene->outcome->summary,
                                     .outcomes = &scene->outcome,
                                     .n_slots = 1,
                                     .title = "a test",
                                     .power_unit = "kW",
                                     .money_unit = "EUR",
                                     .provenance = scene->provenance,
                                     .n_provenance = 2};
}

void test_scene_add_course(struct test_scene *scene, int samples, int events)
{
    struct pw_outcome *out = scene->outcome;
    out->n_samples = samples;
    out->samples = pw_alloc((size_t)samples, sizeof *out->samples);
    for (int i = 0; i < samples; i++)
        out->samples[i] = (struct pw_sample){0.1 * i, 11 + i, 21 + i, 31 + i, 41 + i, 9000000000 + i, 51 + i};
    out->n_events = events;
    out->events = pw_alloc((size_t)events, sizeof *out->events);
    for (int i = 0; i < events; i++)
        out->events[i] = (struct pw_event){0.2 * i, i, 60 + i, 70 + i, i % 6};
}

void test_scene_add_labels(struct test_scene *scene)
{
    for (int label = 0; label < PW_N_LABELS; label++) {
        scene->market->label[label] = pw_alloc((size_t)scene->market->n_agents, sizeof(char *));
        for (int n = 0; n < scene->market->n_agents; n++)
            scene->market->label[label][n] = pw_strdup(n % 2 ? "green" : "");
    }
}

void test_scene_add_slots(struct test_scene *scene)
{
    scene->slots[0] = scene->slots[1] = scene->outcome;
    scene->bills = pw_bills_create(scene->market, scene->slots, 2, 0.5);
    scene->trace.outcomes = scene->slots;
    scene->trace.n_slots = 2;
    scene->trace.has_slot_axis = 1;
    scene->trace.first_slot = 4;
    scene->trace.slot_length_h = 0.5;
    scene->trace.bills = scene->bills;
}

int test_count_files(const char *folder)
{
    int count = -2;
    DIR *stream = opendir(folder);
    ck_assert_ptr_nonnull(stream);
    while (readdir(stream) != NULL)
        count++;
    closedir(stream);
    return count;
}

void test_scene_close(struct test_scene *scene)
{
    scratch_close(&scene->scratch);
    pw_market_destroy(scene->market);
    pw_outcome_destroy(scene->outcome);
    pw_bills_destroy(scene->bills);
}

void test_scene_write(const struct test_scene *scene, const char *path, int force)
{
    struct pw_error err = {PW_OK, ""};
    enum pw_code code = pw_trace_write(&scene->trace, path, force, &err);
    ck_assert_msg(code == PW_OK, "%s", err.text);
}

hid_t test_trace_open(const char *path)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert_msg(file >= 0, "%s does not open", path);
    return file;
}

/* Of the types that every reader knows, little-endian. */
static int is_plain(hid_t type)
{
    if (H5Tget_class(type) == H5T_STRING)
        return H5Tis_variable_str(type) == 0 && H5Tget_cset(type) == H5T_CSET_UTF8 &&
               H5Tget_strpad(type) == H5T_STR_NULLTERM;
    return H5Tequal(type, H5T_STD_I8LE) > 0 || H5Tequal(type, H5T_STD_I32LE) > 0 ||
           H5Tequal(type, H5T_STD_I64LE) > 0 || H5Tequal(type, H5T_IEEE_F64LE) > 0;
}

static void inspect_text(hid_t root, const char *object, const char *attribute)
{
    char text[512];
    ck_assert_msg(H5LTget_attribute_string(root, object, attribute, text) >= 0, "%s: no %s", object,
                  attribute);
    ck_assert_msg(text[0] != '\0', "%s: %s is empty", object, attribute);
}

/* One scale for each axis, in the same group. */
static void inspect_axes(hid_t dataset, const char *name)
{
    hid_t space = H5Dget_space(dataset);
    int rank = H5Sget_simple_extent_ndims(space);
    for (int i = 0; i < rank && H5DSis_scale(dataset) == 0; i++)
        ck_assert_msg(H5DSget_num_scales(dataset, (unsigned)i) == 1, "%s: axis %d has no scale", name, i);
    H5Sclose(space);
}

static herr_t inspect(hid_t root, const char *name, const H5O_info_t *info, void *seen)
{
    ck_assert_msg(info->ctime == 0 && info->mtime == 0, "%s has a time", name);
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    hid_t dataset = H5Dopen2(root, name, H5P_DEFAULT), type = H5Dget_type(dataset);
    ck_assert_msg(is_plain(type), "%s: its type is not for all readers", name);
    inspect_text(root, name, "units");
    inspect_text(root, name, "long_name");
    inspect_axes(dataset, name);
    H5Tclose(type);
    H5Dclose(dataset);
    ++*(int *)seen;
    return 0;
}

int test_trace_inspect(const char *path)
{
    int seen = 0;
    hid_t file = test_trace_open(path);
    ck_assert(H5Ovisit(file, H5_INDEX_CRT_ORDER, H5_ITER_INC, inspect, &seen) >= 0);
    H5Fclose(file);
    return seen;
}
