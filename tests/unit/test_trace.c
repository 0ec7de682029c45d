/* The trace: written, read back with the HDF5 library, and what happens when it cannot be written. */
#include <check.h>
#include <dirent.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/suites.h"
#include "common/memory.h"
#include "common/trace.h"
#include "common/trace_layout.h"

/* A folder of its own, and a small run to write into it. */
struct scene {
    char folder[64], path[128];
    struct pw_market *market;
    struct pw_outcome *outcome;
    struct pw_provenance provenance[2];
    struct pw_trace trace;
};

/* Every number of the summary is another one, so that none can stand in for its neighbour. */
static void fill_summary(struct pw_summary *s, int agents, int trades)
{
    *s = (struct pw_summary){.status = PW_AT_LIMIT,
                             .clock = "virtual",
                             .agents = agents,
                             .trades = trades,
                             .ranks = 9,
                             .delta = 0.25,
                             .loss = 0.125,
                             .seed = 5000000007,
                             .convergence_time_s = NAN,
                             .end_time_s = 2.5,
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
                             .price_mismatch_max = 5.1,
                             .price_spread_max = 5.2,
                             .balance_max = 5.3,
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

static void fill_course(struct pw_outcome *out, int samples, int events)
{
    out->n_samples = samples;
    out->samples = pw_alloc((size_t)samples, sizeof *out->samples);
    for (int i = 0; i < samples; i++)
        out->samples[i] = (struct pw_sample){0.1 * i, 11 + i, 21 + i, 31 + i, 41 + i, 9000000000 + i, 51 + i};
    out->n_events = events;
    out->events = pw_alloc((size_t)events, sizeof *out->events);
    for (int i = 0; i < events; i++)
        out->events[i] = (struct pw_event){0.2 * i, i, 60 + i, 70 + i, i % 6};
}

static void open_scene(struct scene *scene, int agents, int trades, int products)
{
    snprintf(scene->folder, sizeof scene->folder, "/tmp/peerwatt-trace-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scene->folder));
    snprintf(scene->path, sizeof scene->path, "%s/run.h5", scene->folder);
    scene->market = pw_market_create(agents, products, agents, trades);
    scene->outcome = pw_outcome_create(agents, trades, products);
    fill_summary(&scene->outcome->summary, agents, trades);
    fill_agents(scene->market, scene->outcome);
    fill_trades(scene->market, scene->outcome);
    scene->provenance[0] = (struct pw_provenance){"case", "peerwatt: 1\nname: test\n"};
    scene->provenance[1] = (struct pw_provenance){"version", "0.0"};
    scene->trace = (struct pw_trace){.market = scene->market,
                                     .outcome = scene->outcome,
                                     .title = "a test",
                                     .power_unit = "kW",
                                     .money_unit = "EUR",
                                     .provenance = scene->provenance,
                                     .n_provenance = 2};
}

/* Number of entries in the folder, hidden ones too. */
static int count_files(const char *folder)
{
    int count = -2;
    DIR *stream = opendir(folder);
    ck_assert_ptr_nonnull(stream);
    while (readdir(stream) != NULL)
        count++;
    closedir(stream);
    return count;
}

static void close_scene(struct scene *scene)
{
    char path[512];
    struct dirent *entry;
    DIR *stream = opendir(scene->folder);
    while ((entry = readdir(stream)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", scene->folder, entry->d_name);
        unlink(path);
    }
    closedir(stream);
    rmdir(scene->folder);
    pw_market_destroy(scene->market);
    pw_outcome_destroy(scene->outcome);
}

static void write_trace(const struct scene *scene, const char *path, int force)
{
    struct pw_error err = {PW_OK, ""};
    enum pw_code code = pw_trace_write(&scene->trace, path, force, &err);
    ck_assert_msg(code == PW_OK, "%s", err.text);
}

static hid_t reopen(const char *path)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert_msg(file >= 0, "%s does not open", path);
    return file;
}

/* The dataset as doubles, `expected_count` of them, for free(). */
static double *read_numbers(hid_t file, const char *name, int expected_count)
{
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    ck_assert_msg(dataset >= 0, "%s is missing", name);
    hid_t space = H5Dget_space(dataset);
    ck_assert_msg(H5Sget_simple_extent_npoints(space) == expected_count, "%s has another size", name);
    double *numbers = pw_alloc((size_t)expected_count, sizeof *numbers);
    ck_assert(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) >= 0);
    H5Sclose(space);
    H5Dclose(dataset);
    return numbers;
}

static int same(double a, double b)
{
    return fabs(a - b) < 1e-9 || (isnan(a) && isnan(b));
}

static void check_scalar(hid_t file, const char *name, double expected)
{
    double *value = read_numbers(file, name, 1);
    ck_assert_msg(same(*value, expected), "%s is %g", name, *value);
    free(value);
}

/* The column is first, first + 1, ... */
static void check_column(hid_t file, const char *name, int count, double first)
{
    double *values = read_numbers(file, name, count);
    for (int i = 0; i < count; i++)
        ck_assert_msg(same(values[i], first + i), "%s[%d] is %g", name, i, values[i]);
    free(values);
}

static void check_text(hid_t file, const char *object, const char *name, const char *expected)
{
    char text[512];
    ck_assert_msg(H5LTget_attribute_string(file, object, name, text) >= 0, "%s: no %s", object, name);
    ck_assert_str_eq(text, expected);
}

START_TEST(the_root_holds_the_summary)
{
    static const struct {
        const char *name;
        double value;
    } expected[] = {{"status", 1},
                    {"n_agents", 4},
                    {"n_trades", 3},
                    {"delta", 0.25},
                    {"loss", 0.125},
                    {"seed", 5000000007.0},
                    {"convergence_time_s", NAN},
                    {"end_time_s", 2.5},
                    {"iterations_mean", 31.5},
                    {"messages_sent", 6000000001.0},
                    {"messages_retransmitted", 41},
                    {"messages_duplicate", 42},
                    {"messages_lost", 43},
                    {"primal_residual", 1.1},
                    {"dual_residual", 1.2},
                    {"price_residual", 1.3},
                    {"tolerance_primal", 2.1},
                    {"tolerance_dual", 2.2},
                    {"tolerance_price", 2.3},
                    {"social_welfare", 3.1},
                    {"reference_welfare", 3.2},
                    {"welfare_gap", 3.3},
                    {"price_mean", 4.1},
                    {"power_injected", 4.2},
                    {"power_traded", 4.3},
                    {"fees_collected", 4.4},
                    {"price_mismatch_max", 5.1},
                    {"price_spread_max", 5.2},
                    {"balance_max", 5.3}};
    static const size_t groups = 4; /* agents, trades, convergence, provenance */
    struct scene scene;
    H5G_info_t info;
    open_scene(&scene, 4, 3, 1);
    write_trace(&scene, scene.path, 0);
    hid_t file = reopen(scene.path);
    size_t count = sizeof expected / sizeof *expected;
    for (size_t i = 0; i < count; i++)
        check_scalar(file, expected[i].name, expected[i].value);
    ck_assert(H5Gget_info(file, &info) >= 0);
    ck_assert_uint_eq(info.nlinks, count + groups);
    check_text(file, "/", "Conventions", "CF-1.10 peerwatt-trace-1");
    check_text(file, "/", "title", "a test");
    check_text(file, "/", "history", "peerwatt run");
    check_text(file, "/", "clock", "virtual");
    check_text(file, "/provenance", "case", "peerwatt: 1\nname: test\n");
    check_text(file, "/provenance", "version", "0.0");
    H5Fclose(file);
    close_scene(&scene);
}
END_TEST

START_TEST(the_groups_hold_the_columns)
{
    struct scene scene;
    open_scene(&scene, 4, 3, 1);
    fill_course(scene.outcome, 2, 0);
    write_trace(&scene, scene.path, 0);
    hid_t file = reopen(scene.path);
    static const struct {
        const char *name;
        int count;
        double first;
    } expected[] = {{"/agents/agent", 4, 0},
                    {"/agents/power", 4, 100},
                    {"/agents/price", 4, 200},
                    {"/agents/cost", 4, 300},
                    {"/agents/fees", 4, 400},
                    {"/agents/welfare", 4, 500},
                    {"/agents/wait_time", 4, 600},
                    {"/agents/compute_time", 4, 700},
                    {"/agents/peers", 4, 800},
                    {"/agents/iterations", 4, 900},
                    {"/trades/trade", 3, 0},
                    {"/agents/messages_sent", 4, 7000000000.0},
                    {"/trades/agent_a", 3, 0},
                    {"/trades/agent_b", 3, 1},
                    {"/trades/power", 3, 10},
                    {"/trades/price_a", 3, 20},
                    {"/trades/price_b", 3, 30},
                    {"/trades/rounds", 3, 40},
                    {"/convergence/primal", 2, 11},
                    {"/trades/messages", 3, 8000000000.0},
                    {"/convergence/dual", 2, 21},
                    {"/convergence/price", 2, 31},
                    {"/convergence/messages", 2, 9000000000.0},
                    {"/convergence/social_welfare", 2, 41},
                    {"/convergence/active_trades", 2, 51}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        check_column(file, expected[i].name, expected[i].count, expected[i].first);
    double *time = read_numbers(file, "/convergence/time", 2);
    ck_assert(same(time[0], 0) && same(time[1], 0.1));
    double *settled = read_numbers(file, "/trades/settled_time", 3);
    ck_assert(isnan(settled[0]) && same(settled[1], 1.5) && same(settled[2], 2.5));
    ck_assert_int_eq(H5Lexists(file, "timeline", H5P_DEFAULT), 0);
    ck_assert_int_eq(H5LTfind_dataset(file, "product"), 0);
    free(time);
    free(settled);
    H5Fclose(file);
    close_scene(&scene);
}
END_TEST

START_TEST(names_are_utf8_whatever_they_were)
{
    struct scene scene;
    char names[3][6];
    open_scene(&scene, 3, 0, 1);
    scene.market->agent_name[2] = pw_strdup("f\xFCr");
    write_trace(&scene, scene.path, 0);
    hid_t file = reopen(scene.path);
    hid_t dataset = H5Dopen2(file, "/agents/name", H5P_DEFAULT), type = H5Dget_type(dataset);
    ck_assert_int_eq(H5Tget_class(type), H5T_STRING);
    ck_assert_int_eq(H5Tis_variable_str(type), 0);
    ck_assert_int_eq(H5Tget_cset(type), H5T_CSET_UTF8);
    ck_assert_uint_eq(H5Tget_size(type), sizeof names[0]);
    ck_assert(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, names) >= 0);
    ck_assert_str_eq(names[0], "");
    ck_assert_str_eq(names[1], "caf\xC3\xA9");
    ck_assert_str_eq(names[2], "f?r");
    H5Tclose(type);
    H5Dclose(dataset);
    H5Fclose(file);
    close_scene(&scene);
}
END_TEST

START_TEST(only_valid_utf8_stays)
{
    static const char *const pairs[][2] = {
        {"plain", "plain"},           {"\xE2\x82\xAC \xF0\x9F\x98\x80", "\xE2\x82\xAC \xF0\x9F\x98\x80"},
        {"\xC0\x80", "??"},           /* overlong */
        {"\xE0\x80\x80", "???"},      /* overlong */
        {"\xED\xA0\x80", "???"},      /* surrogate */
        {"\xF4\x90\x80\x80", "????"}, /* beyond U+10FFFF */
        {"\xF8\x88\x80\x80", "????"}, /* no lead byte */
        {"a\xE2\x82", "a??"},         /* cut */
        {"\x80z\xC3", "?z?"},         {"", ""},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *text = pw_strdup(pairs[i][0]);
        ck_assert_str_eq(pw_trace_clean_text(text), pairs[i][1]);
        free(text);
    }
}
END_TEST

/* What every dataset must have, whatever it is. */
static herr_t inspect(hid_t root, const char *name, const H5O_info_t *info, void *seen)
{
    char text[512];
    ck_assert_msg(info->ctime == 0 && info->mtime == 0, "%s has a time", name);
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    hid_t dataset = H5Dopen2(root, name, H5P_DEFAULT), space = H5Dget_space(dataset);
    ck_assert_msg(H5LTget_attribute_string(root, name, "units", text) >= 0, "%s: no units", name);
    ck_assert_msg(text[0] != '\0', "%s: units are empty", name);
    ck_assert_msg(H5LTget_attribute_string(root, name, "long_name", text) >= 0, "%s: no long_name", name);
    ck_assert_msg(text[0] != '\0', "%s: long_name is empty", name);
    int rank = H5Sget_simple_extent_ndims(space);
    for (int i = 0; i < rank && H5DSis_scale(dataset) == 0; i++)
        ck_assert_msg(H5DSget_num_scales(dataset, (unsigned)i) == 1, "%s: axis %d has no scale", name, i);
    H5Sclose(space);
    H5Dclose(dataset);
    ++*(int *)seen;
    return 0;
}

static int inspect_file(const char *path)
{
    int seen = 0;
    hid_t file = reopen(path);
    ck_assert(H5Ovisit(file, H5_INDEX_CRT_ORDER, H5_ITER_INC, inspect, &seen) >= 0);
    H5Fclose(file);
    return seen;
}

START_TEST(everything_is_described)
{
    struct scene scene;
    open_scene(&scene, 4, 3, 2);
    fill_course(scene.outcome, 3, 7);
    write_trace(&scene, scene.path, 0);
    ck_assert_int_eq(inspect_file(scene.path), pw_trace_variable_count());
    hid_t file = reopen(scene.path);
    check_text(file, "/agents/power", "units", "kW");
    check_text(file, "/agents/price", "units", "EUR/kWh");
    check_text(file, "/agents/cost", "units", "EUR/h");
    check_text(file, "/agents/peers", "units", "1");
    check_text(file, "/convergence/time", "units", "s");
    check_text(file, "price_residual", "units", "EUR/kWh");
    H5Fclose(file);
    close_scene(&scene);
}
END_TEST

START_TEST(flags_carry_their_words)
{
    static const enum pw_status all[] = {PW_CONVERGED, PW_AT_LIMIT, PW_INFEASIBLE_MARKET, PW_STOPPED};
    struct scene scene;
    char words[256] = "";
    signed char values[16];
    open_scene(&scene, 4, 3, 1);
    fill_course(scene.outcome, 0, 7);
    write_trace(&scene, scene.path, 0);
    hid_t file = reopen(scene.path);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        ck_assert_uint_eq((unsigned)all[i], i);
        snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s", i > 0 ? " " : "",
                 pw_status_text(all[i]));
    }
    check_text(file, "status", "flag_meanings", words);
    check_text(file, "/timeline/kind", "flag_meanings", "fire send deliver lost settle wake");
    ck_assert(H5LTget_attribute_char(file, "/timeline/kind", "flag_values", (char *)values) >= 0);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(values[i], i);
    ck_assert_int_eq(PW_EVENT_WAKE, 5);
    H5Fclose(file);
    close_scene(&scene);
}
END_TEST

START_TEST(a_timeline_where_asked_for)
{
    struct scene scene;
    open_scene(&scene, 4, 3, 1);
    fill_course(scene.outcome, 0, 7);
    write_trace(&scene, scene.path, 0);
    hid_t file = reopen(scene.path);
    check_column(file, "/timeline/event", 7, 0);
    check_column(file, "/timeline/agent", 7, 0);
    check_column(file, "/timeline/peer", 7, 60);
    check_column(file, "/timeline/round", 7, 70);
    double *kind = read_numbers(file, "/timeline/kind", 7), *time = read_numbers(file, "/timeline/time", 7);
    for (int i = 0; i < 7; i++)
        ck_assert(same(kind[i], i % 6) && same(time[i], 0.2 * i));
    free(kind);
    free(time);
    H5Fclose(file);
    close_scene(&scene);
}
END_TEST

START_TEST(several_products_are_an_axis)
{
    struct scene scene;
    hsize_t sizes[2];
    open_scene(&scene, 4, 3, 2);
    write_trace(&scene, scene.path, 0);
    hid_t file = reopen(scene.path);
    check_column(file, "/agents/product", 2, 0);
    check_column(file, "/trades/product", 2, 0);
    ck_assert(H5LTget_dataset_info(file, "/agents/power", sizes, NULL, NULL) >= 0);
    ck_assert(sizes[0] == 4 && sizes[1] == 2);
    double *power = read_numbers(file, "/agents/power", 8);
    double *price_b = read_numbers(file, "/trades/price_b", 6);
    ck_assert(same(power[0], 100) && same(power[1], 100.1) && same(power[7], 103.1));
    ck_assert(same(price_b[2], 31) && same(price_b[3], 31.1));
    free(power);
    free(price_b);
    H5Fclose(file);
    close_scene(&scene);
}
END_TEST

START_TEST(empty_axes_are_kept)
{
    struct scene scene;
    open_scene(&scene, 2, 0, 1);
    write_trace(&scene, scene.path, 0);
    ck_assert_int_gt(inspect_file(scene.path), 0);
    hid_t file = reopen(scene.path);
    check_column(file, "/trades/trade", 0, 0);
    check_column(file, "/trades/power", 0, 0);
    check_column(file, "/convergence/time", 0, 0);
    check_column(file, "/convergence/primal", 0, 0);
    H5Fclose(file);
    close_scene(&scene);
}
END_TEST

START_TEST(large_arrays_are_compressed)
{
    enum { MANY = 100000 };
    struct scene scene;
    hsize_t chunk;
    open_scene(&scene, MANY, 0, 1);
    write_trace(&scene, scene.path, 0);
    hid_t file = reopen(scene.path);
    check_column(file, "/agents/power", MANY, 100);
    check_column(file, "/agents/agent", MANY, 0);
    hid_t dataset = H5Dopen2(file, "/agents/power", H5P_DEFAULT), plist = H5Dget_create_plist(dataset);
    ck_assert_int_eq(H5Pget_layout(plist), H5D_CHUNKED);
    ck_assert_int_eq(H5Pget_chunk(plist, 1, &chunk), 1);
    ck_assert_uint_eq(chunk, 32768);
    ck_assert_int_eq(H5Pget_nfilters(plist), 2);
    ck_assert_uint_lt(H5Dget_storage_size(dataset), MANY * sizeof(double) / 2);
    H5Pclose(plist);
    H5Dclose(dataset);
    H5Fclose(file);
    close_scene(&scene);
}
END_TEST

START_TEST(a_long_case_text_fits)
{
    enum { LONG = 200000 };
    struct scene scene;
    char *text = pw_alloc(LONG + 1, 1), *back = pw_alloc(LONG + 1, 1);
    open_scene(&scene, 2, 1, 1);
    memset(text, 'x', LONG);
    scene.provenance[1].value = text;
    write_trace(&scene, scene.path, 0);
    hid_t file = reopen(scene.path);
    ck_assert(H5LTget_attribute_string(file, "/provenance", "version", back) >= 0);
    ck_assert(strcmp(text, back) == 0);
    H5Fclose(file);
    close_scene(&scene);
    free(text);
    free(back);
}
END_TEST

/* The bytes of a file, for free(). */
static char *slurp(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = pw_alloc(*size, 1);
    ck_assert_uint_eq(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

static void spill(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void check_content(const char *path, const char *expected)
{
    size_t size;
    char *bytes = slurp(path, &size);
    ck_assert_uint_eq(size, strlen(expected));
    ck_assert(memcmp(bytes, expected, size) == 0);
    free(bytes);
}

/* Leaves other bytes where the next allocation takes its memory from. */
static void stir_memory(void)
{
    enum { BLOCKS = 64 };
    void *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(1000 * (i + 1));
        memset(blocks[i], 0xA5, 1000 * (i + 1));
    }
    for (size_t i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

START_TEST(the_same_run_gives_the_same_bytes)
{
    struct scene scene;
    char second[160];
    size_t size_a, size_b;
    open_scene(&scene, 9000, 8999, 2);
    fill_course(scene.outcome, 20001, 30001);
    snprintf(second, sizeof second, "%s/again", scene.folder);
    write_trace(&scene, scene.path, 0);
    stir_memory();
    write_trace(&scene, second, 0);
    char *a = slurp(scene.path, &size_a), *b = slurp(second, &size_b);
    ck_assert_uint_eq(size_a, size_b);
    ck_assert(memcmp(a, b, size_a) == 0);
    free(a);
    free(b);
    close_scene(&scene);
}
END_TEST

static void check_refused(const struct scene *scene, const char *path, int force, const char *reason)
{
    struct pw_error err = {PW_OK, ""};
    ck_assert_int_eq(pw_trace_write(&scene->trace, path, force, &err), PW_IO);
    ck_assert_int_eq(err.code, PW_IO);
    ck_assert_msg(strstr(err.text, path) != NULL && strstr(err.text, reason) != NULL, "%s", err.text);
}

static void check_refused_early(const struct scene *scene, const char *path, int force, const char *reason)
{
    struct pw_error err = {PW_OK, ""};
    ck_assert_int_eq(pw_trace_check_path(path, force, &err), PW_IO);
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
    check_refused(scene, path, force, reason);
}

START_TEST(an_existing_file_needs_force)
{
    struct scene scene;
    struct pw_error err;
    open_scene(&scene, 4, 3, 1);
    ck_assert_int_eq(pw_trace_check_path(scene.path, 0, &err), PW_OK);
    ck_assert_int_eq(count_files(scene.folder), 0);
    spill(scene.path, "precious");
    check_refused_early(&scene, scene.path, 0, "exists already: use --force to replace it, or another -o");
    check_content(scene.path, "precious");
    ck_assert_int_eq(pw_trace_check_path(scene.path, 1, &err), PW_OK);
    write_trace(&scene, scene.path, 1);
    ck_assert_int_gt(inspect_file(scene.path), 0);
    ck_assert_int_eq(count_files(scene.folder), 1);
    close_scene(&scene);
}
END_TEST

START_TEST(paths_that_cannot_be_files)
{
    struct scene scene;
    char path[512];
    open_scene(&scene, 4, 3, 1);
    snprintf(path, sizeof path, "%s/nowhere/run.h5", scene.folder);
    check_refused_early(&scene, path, 0, "No such file or directory");
    snprintf(path, sizeof path, "%s/", scene.folder);
    check_refused_early(&scene, path, 0, "names no file");
    check_refused_early(&scene, scene.folder, 1, "is a folder");
    check_refused_early(&scene, "/dev/null", 1, "not a regular file");
    check_refused_early(&scene, "/dev/null/run.h5", 0, "is no folder");
    check_refused_early(&scene, "", 0, "names no file");
    snprintf(path, sizeof path, "%s/%0300d", scene.folder, 1);
    check_refused(&scene, path, 0, "File name too long");
    ck_assert_int_eq(count_files(scene.folder), 0);
    close_scene(&scene);
}
END_TEST

START_TEST(a_folder_without_permission)
{
    struct scene scene;
    open_scene(&scene, 4, 3, 1);
    ck_assert_int_eq(chmod(scene.folder, 0500), 0);
    if (access(scene.folder, W_OK) != 0) /* root may write anywhere */
        check_refused_early(&scene, scene.path, 0, "Permission denied");
    ck_assert_int_eq(chmod(scene.folder, 0700), 0);
    ck_assert_int_eq(count_files(scene.folder), 0);
    close_scene(&scene);
}
END_TEST

START_TEST(a_failed_write_leaves_nothing)
{
    const struct rlimit small = {4096, RLIM_INFINITY};
    struct rlimit before;
    struct scene scene;
    open_scene(&scene, 4, 3, 1);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    check_refused(&scene, scene.path, 0, "File too large");
    ck_assert_int_eq(count_files(scene.folder), 0);
    spill(scene.path, "precious");
    check_refused(&scene, scene.path, 1, "File too large");
    ck_assert_int_eq(count_files(scene.folder), 1);
    check_content(scene.path, "precious");
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    write_trace(&scene, scene.path, 1);
    ck_assert_int_gt(inspect_file(scene.path), 0);
    close_scene(&scene);
}
END_TEST

START_TEST(a_contradiction_in_the_data_leaves_nothing)
{
    struct scene scene;
    open_scene(&scene, 4, 3, 1);
    scene.provenance[1].name = scene.provenance[0].name;
    check_refused(&scene, scene.path, 0, "/provenance case");
    ck_assert_int_eq(count_files(scene.folder), 0);
    close_scene(&scene);
}
END_TEST

START_TEST(the_rest_of_a_killed_run_is_no_obstacle)
{
    struct scene scene;
    char left[256];
    open_scene(&scene, 4, 3, 1);
    snprintf(left, sizeof left, "%s/.run.h5.tmp-%ld", scene.folder, (long)getpid());
    spill(left, "torn");
    write_trace(&scene, scene.path, 0);
    check_content(left, "torn");
    ck_assert_int_eq(count_files(scene.folder), 2);
    close_scene(&scene);
}
END_TEST

START_TEST(a_link_is_followed_when_forced)
{
    struct scene scene;
    struct stat status;
    char target[256];
    open_scene(&scene, 4, 3, 1);
    snprintf(target, sizeof target, "%s/target.h5", scene.folder);
    spill(target, "old");
    ck_assert_int_eq(symlink("target.h5", scene.path), 0);
    check_refused_early(&scene, scene.path, 0, "exists already");
    check_content(target, "old");
    write_trace(&scene, scene.path, 1);
    ck_assert_int_eq(lstat(scene.path, &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
    ck_assert_int_gt(inspect_file(target), 0);
    ck_assert_int_eq(count_files(scene.folder), 2);
    close_scene(&scene);
}
END_TEST

START_TEST(a_name_of_the_greatest_length)
{
    struct scene scene;
    char path[512];
    open_scene(&scene, 4, 3, 1);
    snprintf(path, sizeof path, "%s/%0255d", scene.folder, 1);
    write_trace(&scene, path, 0);
    ck_assert_int_gt(inspect_file(path), 0);
    close_scene(&scene);
}
END_TEST

static TCase *group_of_tests(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tests;
}

Suite *trace_suite(void)
{
    Suite *suite = suite_create("trace");
    TCase *content = group_of_tests(suite, "content"), *disk = group_of_tests(suite, "disk");
    tcase_add_test(content, the_root_holds_the_summary);
    tcase_add_test(content, the_groups_hold_the_columns);
    tcase_add_test(content, names_are_utf8_whatever_they_were);
    tcase_add_test(content, only_valid_utf8_stays);
    tcase_add_test(content, everything_is_described);
    tcase_add_test(content, flags_carry_their_words);
    tcase_add_test(content, a_timeline_where_asked_for);
    tcase_add_test(content, several_products_are_an_axis);
    tcase_add_test(content, empty_axes_are_kept);
    tcase_add_test(content, large_arrays_are_compressed);
    tcase_add_test(content, a_long_case_text_fits);
    tcase_add_test(disk, the_same_run_gives_the_same_bytes);
    tcase_add_test(disk, an_existing_file_needs_force);
    tcase_add_test(disk, paths_that_cannot_be_files);
    tcase_add_test(disk, a_folder_without_permission);
    tcase_add_test(disk, a_failed_write_leaves_nothing);
    tcase_add_test(disk, a_contradiction_in_the_data_leaves_nothing);
    tcase_add_test(disk, the_rest_of_a_killed_run_is_no_obstacle);
    tcase_add_test(disk, a_link_is_followed_when_forced);
    tcase_add_test(disk, a_name_of_the_greatest_length);
    return suite;
}
