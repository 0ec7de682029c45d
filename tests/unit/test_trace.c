/* What a trace holds: written, and read back with the HDF5 library. */
#include <check.h>
#include <hdf5_hl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suites.h"
#include "common/memory.h"
#include "common/trace_layout.h"
#include "tests/unit/trace_scene.h"

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
                    {"clock", 1},
                    {"n_agents", 4},
                    {"n_trades", 3},
                    {"n_slots", 11},
                    {"delta", 0.25},
                    {"loss", 0.125},
                    {"seed", 5000000007.0},
                    {"convergence_time_s", NAN},
                    {"end_time_s", 2.5},
                    {"naive_time_s", 2.75},
                    {"naive_false_stops", 3},
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
                    {"fees_base", 7.1},
                    {"fees_table", 7.2},
                    {"fees_distance", 7.3},
                    {"fees_zone", 7.4},
                    {"fees_community", 7.5},
                    {"fees_preference", 7.6},
                    {"price_mismatch_max", 5.1},
                    {"price_spread_max", 5.2},
                    {"balance_max", 5.3},
                    {"imbalance", 5.4}};
    static const size_t groups = 4; /* agents, trades, convergence, provenance */
    struct test_scene scene;
    H5G_info_t info;
    test_scene_open(&scene, 4, 3, 1);
    test_scene_write(&scene, scene.path, 0);
    hid_t file = test_trace_open(scene.path);
    size_t count = sizeof expected / sizeof *expected;
    for (size_t i = 0; i < count; i++)
        check_scalar(file, expected[i].name, expected[i].value);
    ck_assert(H5Gget_info(file, &info) >= 0);
    ck_assert_uint_eq(info.nlinks, count + groups);
    check_text(file, "/", "Conventions", "CF-1.10 peerwatt-trace-1");
    check_text(file, "/", "title", "a test");
    check_text(file, "/", "history", "peerwatt run");
    check_text(file, "/provenance", "case", "peerwatt: 1\nname: test\n");
    check_text(file, "/provenance", "version", "0.0");
    H5Fclose(file);
    test_scene_close(&scene);
}
END_TEST

START_TEST(the_groups_hold_the_columns)
{
    struct test_scene scene;
    test_scene_open(&scene, 4, 3, 1);
    test_scene_add_course(&scene, 2, 0);
    test_scene_write(&scene, scene.path, 0);
    hid_t file = test_trace_open(scene.path);
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
    test_scene_close(&scene);
}
END_TEST

/* The dataset has one byte of UTF-8 in each element. */
static void check_bytes(hid_t file, const char *name, const char *expected, size_t rows, size_t columns)
{
    hsize_t sizes[2];
    char *bytes = pw_alloc(rows, columns);
    ck_assert(H5LTget_dataset_info(file, name, sizes, NULL, NULL) >= 0);
    ck_assert(sizes[0] == rows && sizes[1] == columns);
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT), type = H5Dget_type(dataset);
    ck_assert_int_eq(H5Tget_class(type), H5T_STRING);
    ck_assert_int_eq(H5Tis_variable_str(type), 0);
    ck_assert_int_eq(H5Tget_cset(type), H5T_CSET_UTF8);
    ck_assert_uint_eq(H5Tget_size(type), 1);
    ck_assert(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0);
    ck_assert_mem_eq(bytes, expected, rows * columns);
    H5Tclose(type);
    H5Dclose(dataset);
    free(bytes);
}

START_TEST(names_are_utf8_whatever_they_were)
{
    struct test_scene scene;
    test_scene_open(&scene, 4, 0, 1);
    scene.market->agent_name[2] = pw_strdup("f\xFCr");
    scene.market->agent_name[3] = pw_strdup("\xE6\x97\xA5\xE6\x9C\xAC");
    test_scene_write(&scene, scene.path, 0);
    hid_t file = test_trace_open(scene.path);
    check_bytes(file, "/agents/name",
                "\0\0\0\0\0\0\0"
                "caf\xC3\xA9\0\0"
                "f?r\0\0\0\0"
                "\xE6\x97\xA5\xE6\x9C\xAC",
                4, 7);
    check_column(file, "/agents/name_length", 7, 0);
    check_text(file, "/agents/name", "_Encoding", "utf-8");
    check_text(file, "/agents/name_length", "NAME",
               "This is a netCDF dimension but not a netCDF variable.         7");
    H5Fclose(file);
    test_scene_close(&scene);
}
END_TEST

/* An axis of no length would be one without limit to netCDF. */
START_TEST(nobody_has_a_name)
{
    struct test_scene scene;
    test_scene_open(&scene, 1, 0, 1);
    test_scene_write(&scene, scene.path, 0);
    hid_t file = test_trace_open(scene.path);
    check_bytes(file, "/agents/name", "", 1, 1);
    check_column(file, "/agents/name_length", 1, 0);
    H5Fclose(file);
    test_scene_close(&scene);
}
END_TEST

START_TEST(everything_is_described)
{
    struct test_scene scene;
    test_scene_open(&scene, 4, 3, 2);
    test_scene_add_course(&scene, 3, 7);
    test_scene_add_slots(&scene);
    test_scene_add_labels(&scene);
    test_scene_write(&scene, scene.path, 0);
    ck_assert_int_eq(test_trace_inspect(scene.path), pw_trace_variable_count());
    hid_t file = test_trace_open(scene.path);
    check_text(file, "/agents/power", "units", "kW");
    check_text(file, "/agents/price", "units", "EUR/kWh");
    check_text(file, "/agents/cost", "units", "EUR/h");
    check_text(file, "/agents/peers", "units", "1");
    check_text(file, "/convergence/time", "units", "s");
    check_text(file, "price_residual", "units", "EUR/kWh");
    check_text(file, "/slots/start", "units", "h");
    check_text(file, "/bills/paid", "units", "EUR");
    check_text(file, "/bills/energy_sold", "units", "kWh");
    H5Fclose(file);
    test_scene_close(&scene);
}
END_TEST

static void check_numbers(hid_t file, const char *name, int count, const double *expected)
{
    double *values = read_numbers(file, name, count);
    for (int i = 0; i < count; i++)
        ck_assert_msg(same(values[i], expected[i]), "%s[%d] is %g, not %g", name, i, values[i], expected[i]);
    free(values);
}

/* Two slots that went alike, the fifth and the sixth of half an hour each. */
START_TEST(slots_are_an_axis)
{
    static const double start[] = {2.0, 2.5}, trade[] = {10, 10}, power[] = {100, 101, 100, 101};
    /* times go on after the 2.5 s that the first slot took */
    static const double time[] = {0, 0.1, 0.2, 2.5, 2.6, 2.7}, slot[] = {4, 4, 4, 5, 5, 5};
    static const double event[] = {0, 0.2, 2.5, 2.7};
    /* 10 kW from agent 0 to agent 1 at 25 EUR/kWh, twice half an hour */
    static const double sold[] = {10, 0}, paid[] = {0, 250};
    struct test_scene scene;
    test_scene_open(&scene, 2, 1, 1);
    test_scene_add_course(&scene, 3, 2);
    test_scene_add_slots(&scene);
    test_scene_write(&scene, scene.path, 0);
    hid_t file = test_trace_open(scene.path);
    check_column(file, "/slots/slot", 2, 4);
    check_column(file, "/agents/slot", 2, 4);
    check_numbers(file, "/slots/start", 2, start);
    check_numbers(file, "/agents/power", 4, power);
    check_numbers(file, "/trades/power", 2, trade);
    check_numbers(file, "/convergence/time", 6, time);
    check_numbers(file, "/convergence/slot", 6, slot);
    check_numbers(file, "/timeline/time", 4, event);
    check_numbers(file, "/bills/energy_sold", 2, sold);
    check_numbers(file, "/bills/paid", 2, paid);
    H5Fclose(file);
    test_scene_close(&scene);
}
END_TEST

/* The values of a flag are 0, 1, ..., one for each of its words. */
static void check_flag(hid_t file, const char *name, const char *words, int count)
{
    signed char values[16];
    H5T_class_t kind;
    size_t bytes;
    hsize_t size;
    check_text(file, name, "flag_meanings", words);
    ck_assert(H5LTget_attribute_info(file, name, "flag_values", &size, &kind, &bytes) >= 0);
    ck_assert(kind == H5T_INTEGER && bytes == 1 && size == (hsize_t)count);
    ck_assert(H5LTget_attribute_char(file, name, "flag_values", (char *)values) >= 0);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(values[i], i);
}

START_TEST(flags_carry_their_words)
{
    static const enum pw_status all[] = {PW_CONVERGED, PW_AT_LIMIT, PW_INFEASIBLE_MARKET, PW_STOPPED};
    struct test_scene scene;
    char words[256] = "";
    test_scene_open(&scene, 4, 3, 1);
    test_scene_add_course(&scene, 0, 7);
    test_scene_write(&scene, scene.path, 0);
    hid_t file = test_trace_open(scene.path);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        ck_assert_uint_eq((unsigned)all[i], i);
        snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s", i > 0 ? " " : "",
                 pw_status_text(all[i]));
    }
    check_flag(file, "status", words, 4);
    check_flag(file, "clock", "wall virtual", 2);
    check_flag(file, "/timeline/kind", "fire send deliver lost settle wake", 6);
    ck_assert_int_eq(PW_EVENT_WAKE, 5);
    H5Fclose(file);
    test_scene_close(&scene);
}
END_TEST

START_TEST(a_clock_is_one_of_two_or_unknown)
{
    static const char *const clocks[] = {"wall", "virtual", NULL, "", "wal", "sun"};
    static const double expected[] = {0, 1, -1, -1, -1, -1};
    struct test_scene scene;
    test_scene_open(&scene, 2, 1, 1);
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        scene.outcome->summary.clock = clocks[i];
        test_scene_write(&scene, scene.path, 1);
        hid_t file = test_trace_open(scene.path);
        check_scalar(file, "clock", expected[i]);
        H5Fclose(file);
    }
    test_scene_close(&scene);
}
END_TEST

START_TEST(a_timeline_where_asked_for)
{
    struct test_scene scene;
    test_scene_open(&scene, 4, 3, 1);
    test_scene_add_course(&scene, 0, 7);
    test_scene_write(&scene, scene.path, 0);
    hid_t file = test_trace_open(scene.path);
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
    test_scene_close(&scene);
}
END_TEST

START_TEST(several_products_are_an_axis)
{
    struct test_scene scene;
    hsize_t sizes[2];
    test_scene_open(&scene, 4, 3, 2);
    test_scene_write(&scene, scene.path, 0);
    hid_t file = test_trace_open(scene.path);
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
    test_scene_close(&scene);
}
END_TEST

START_TEST(empty_axes_are_kept)
{
    struct test_scene scene;
    test_scene_open(&scene, 2, 0, 1);
    test_scene_write(&scene, scene.path, 0);
    ck_assert_int_gt(test_trace_inspect(scene.path), 0);
    hid_t file = test_trace_open(scene.path);
    check_column(file, "/trades/trade", 0, 0);
    check_column(file, "/trades/power", 0, 0);
    check_column(file, "/convergence/time", 0, 0);
    check_column(file, "/convergence/primal", 0, 0);
    H5Fclose(file);
    test_scene_close(&scene);
}
END_TEST

START_TEST(large_arrays_are_compressed)
{
    enum { MANY = 100000 };
    struct test_scene scene;
    hsize_t chunk;
    test_scene_open(&scene, MANY, 0, 1);
    test_scene_write(&scene, scene.path, 0);
    hid_t file = test_trace_open(scene.path);
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
    test_scene_close(&scene);
}
END_TEST

START_TEST(a_long_case_text_fits)
{
    enum { LONG = 200000 };
    struct test_scene scene;
    char *text = pw_alloc(LONG + 1, 1), *back = pw_alloc(LONG + 1, 1);
    test_scene_open(&scene, 2, 1, 1);
    memset(text, 'x', LONG);
    scene.provenance[1].value = text;
    test_scene_write(&scene, scene.path, 0);
    hid_t file = test_trace_open(scene.path);
    ck_assert(H5LTget_attribute_string(file, "/provenance", "version", back) >= 0);
    ck_assert(strcmp(text, back) == 0);
    H5Fclose(file);
    test_scene_close(&scene);
    free(text);
    free(back);
}
END_TEST

Suite *trace_suite(void)
{
    Suite *suite = suite_create("trace");
    TCase *tests = tcase_create("content");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_root_holds_the_summary);
    tcase_add_test(tests, the_groups_hold_the_columns);
    tcase_add_test(tests, names_are_utf8_whatever_they_were);
    tcase_add_test(tests, nobody_has_a_name);
    tcase_add_test(tests, everything_is_described);
    tcase_add_test(tests, slots_are_an_axis);
    tcase_add_test(tests, flags_carry_their_words);
    tcase_add_test(tests, a_clock_is_one_of_two_or_unknown);
    tcase_add_test(tests, a_timeline_where_asked_for);
    tcase_add_test(tests, several_products_are_an_axis);
    tcase_add_test(tests, empty_axes_are_kept);
    tcase_add_test(tests, large_arrays_are_compressed);
    tcase_add_test(tests, a_long_case_text_fits);
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, test_trace_file_cases());
    return suite;
}
