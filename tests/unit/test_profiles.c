/* Profiles: what a day's table says of each slot, and what is wrong with it. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/case.h"
#include "common/profiles.h"
#include "common/tables.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suites.h"

/* Agent 0 has two assets, agent 1 one. */
static struct pw_market *small_market(void)
{
    struct pw_market *market;
    struct pw_error err;
    const char *text = "agent,asset,p_min,p_max,a,b\n0,load,-2,-1,0,0\n0,pv,0,3,0.1,1\n1,grid,-9,9,0.5,4\n";
    ck_assert_int_eq(pw_table_assets(text, strlen(text), "assets.csv", &market, &err), PW_OK);
    return market;
}

static enum pw_code read(const char *text, struct pw_market *market, struct pw_profiles **out,
                         struct pw_error *err)
{
    struct pw_day day = {48, 0.5};
    return pw_table_profiles(text, strlen(text), "day.csv", &day, market, out, err);
}

static void check_asset(const struct pw_market *market, int asset, double p_min, double p_max, double a,
                        double b)
{
    ck_assert_msg(market->p_min[asset] == p_min && market->p_max[asset] == p_max && market->a[asset] == a &&
                      market->b[asset] == b,
                  "asset %d is %g %g %g %g", asset, market->p_min[asset], market->p_max[asset],
                  market->a[asset], market->b[asset]);
}

START_TEST(a_row_holds_until_the_next_one)
{
    struct pw_market *market = small_market();
    struct pw_profiles *profiles;
    struct pw_error err;
    const char *text = "time,agent,asset,p_max,b\n01:00,0,pv,2,\n00:30,0,pv,1.5,7\n23:30,1,grid,8,5\n";
    ck_assert_int_eq(read(text, market, &profiles, &err), PW_OK);
    pw_profiles_apply(profiles, 47, market);
    check_asset(market, 1, 0, 2, 0.1, 1); /* an empty cell is what the asset table says */
    check_asset(market, 2, -9, 8, 0.5, 5);
    pw_profiles_apply(profiles, 0, market);
    check_asset(market, 0, -2, -1, 0, 0);
    check_asset(market, 1, 0, 3, 0.1, 1);
    pw_profiles_apply(profiles, 1, market);
    check_asset(market, 1, 0, 1.5, 0.1, 7);
    check_asset(market, 2, -9, 9, 0.5, 4);
    pw_profiles_destroy(profiles);
    pw_market_destroy(market);
}
END_TEST

static const struct {
    const char *rows, *says;
} wrong[] = {
    {"7:10,0,pv,1\n", "day.csv:2: time: no slot starts at 7:10: slots are 0.5 h long"},
    {"24:00,0,pv,1\n", "day.csv:2: time: 24:00 is after the last slot (slots.count), 23:30"},
    {"noon,0,pv,1\n", "day.csv:2: time: \"noon\" is no time of the day: HH:MM is expected"},
    {"-1:00,0,pv,1\n", "day.csv:2: time: \"-1:00\" is no time"},
    {"99999:00,0,pv,1\n", "day.csv:2: time: \"99999:00\" is no time"},
    {"07:60,0,pv,1\n", "day.csv:2: time: \"07:60\" is no time"},
    {"07:0,0,pv,1\n", "day.csv:2: time: \"07:0\" is no time"},
    {"07:00,2,pv,1\n", "day.csv:2: agent: \"2\" is not an id"},
    {"07:00,0,pw,1\n", "day.csv:2: asset: agent 0 has no asset \"pw\", did you mean \"pv\"?"},
    {"07:00,1,pv,1\n", "day.csv:2: asset: agent 1 has no asset \"pv\""},
    {"07:00,0,pv,1kW\n", "day.csv:2: p_max: \"1kW\" is not a number"},
    {"07:00,0,load,-3\n", "day.csv:2: p_min -2 is above p_max -3"},
    {"07:00,0,pv,1\n\n07:00,0,load,-1\n07:00,0,pv,2\n",
     "day.csv:5: this asset at this time is given twice, first in line 2"},
};

START_TEST(what_is_wrong_is_told_with_its_line)
{
    struct pw_market *market = small_market();
    struct pw_profiles *profiles;
    struct pw_error err;
    char text[400];
    snprintf(text, sizeof text, "time,agent,asset,p_max\n%s", wrong[_i].rows);
    ck_assert_int_eq(read(text, market, &profiles, &err), PW_USAGE);
    ck_assert_ptr_null(profiles);
    ck_assert_msg(strncmp(err.text, wrong[_i].says, strlen(wrong[_i].says)) == 0, "%s", err.text);
    pw_market_destroy(market);
}
END_TEST

START_TEST(a_negative_curvature_is_refused)
{
    struct pw_market *market = small_market();
    struct pw_profiles *profiles;
    struct pw_error err;
    ck_assert_int_eq(read("time,agent,asset,a\n00:00,0,pv,-1\n", market, &profiles, &err), PW_USAGE);
    ck_assert_ptr_nonnull(strstr(err.text, "day.csv:2: a: -1 is negative"));
    pw_market_destroy(market);
}
END_TEST

/* ---- The case round it ---- */

#define HEAD "peerwatt: 1\nmarket: {assets: assets.csv, profiles: day.csv}\n"
#define SLOTS "slots: {count: 4, length_h: 6}\n"

static enum pw_code load(const char *yaml, const char *profiles, struct pw_case **out, struct pw_error *err)
{
    struct scratch scratch = scratch_open();
    scratch_write(&scratch, "case.yaml", yaml);
    scratch_write(&scratch, "assets.csv", "agent,asset,p_min,p_max,a,b\n0,gen,0,5,1,1\n1,load,-2,-2,0,0\n");
    scratch_write(&scratch, "day.csv", profiles);
    enum pw_code code = pw_case_load(scratch_path(&scratch, "case.yaml"), NULL, 0, out, err);
    scratch_close(&scratch);
    return code;
}

static const struct {
    const char *yaml, *profiles, *says;
    enum pw_code code;
} wrong_case[] = {
    {HEAD, "time,agent,asset\n", "case.yaml:2: market.profiles: profiles need slots", PW_USAGE},
    {HEAD "slots: {count: 4, first: 4}\n", "time,agent,asset\n", "case.yaml:3: slots.first: a slot below",
     PW_USAGE},
    {HEAD "slots: {count: 4, last: 4}\n", "time,agent,asset\n", "case.yaml:3: slots.last: a slot below",
     PW_USAGE},
    {HEAD "slots: {count: 4, first: 3, last: 2}\n", "time,agent,asset\n",
     "case.yaml:3: slots.last: at least slots.first", PW_USAGE},
    {HEAD "slots: {count: 0}\n", "time,agent,asset\n", "case.yaml:3: slots.count: \"0\" does not fit",
     PW_USAGE},
    {HEAD "slots: {count: 4, length_h: 0}\n", "time,agent,asset\n",
     "case.yaml:3: slots.length_h: \"0\" does not fit", PW_USAGE},
    {HEAD SLOTS, "time,agent,asset,p_max\n18:00,0,gen,1\n", "slot 3 (18:00): ", PW_INFEASIBLE},
    {HEAD SLOTS, "time,agent,asset,p_max\n06:00,0,gen,1\n12:00,0,gen,1\n18:00,0,gen,1\n",
     "slot 1 (06:00): ", PW_INFEASIBLE},
    {HEAD SLOTS, "time,agent,asset,p_max\n06:00,0,gen,1\n12:00,0,gen,1\n18:00,0,gen,1\n",
     " (one of 3 such slots)", PW_INFEASIBLE},
    {HEAD "slots: {count: 4, length_h: 6, warm: no}\n", "time,agent,asset\n", "slots.warm: unknown key",
     PW_USAGE},
};

START_TEST(a_wrong_day_is_refused)
{
    struct pw_case *loaded;
    struct pw_error err;
    ck_assert_int_eq(load(wrong_case[_i].yaml, wrong_case[_i].profiles, &loaded, &err), wrong_case[_i].code);
    ck_assert_msg(strstr(err.text, wrong_case[_i].says) != NULL, "%s", err.text);
}
END_TEST

/* Slots that are not run need not balance. */
START_TEST(slots_left_out_do_not_matter)
{
    struct pw_case *loaded;
    struct pw_error err;
    const char *profiles = "time,agent,asset,p_max\n18:00,0,gen,1\n06:00,0,gen,4\n";
    ck_assert_int_eq(
        load(HEAD "slots: {count: 4, length_h: 6, last: 2, first: 1}\n", profiles, &loaded, &err), PW_OK);
    ck_assert(loaded->market->p_max[0] == 4.0); /* as in the first slot to run */
    pw_case_destroy(loaded);
}
END_TEST

START_TEST(times_of_the_day)
{
    char text[32];
    const struct pw_day half_hours = {48, 0.5}, thirds = {72, 1.0 / 3.0}, weeks = {400, 1.0};
    ck_assert_str_eq(pw_day_time(&half_hours, 47, text, sizeof text), "23:30");
    ck_assert_str_eq(pw_day_time(&thirds, 1, text, sizeof text), "00:20");
    ck_assert_str_eq(pw_day_time(&thirds, 71, text, sizeof text), "23:40");
    ck_assert_str_eq(pw_day_time(&weeks, 100, text, sizeof text), "100:00");
}
END_TEST

Suite *profiles_suite(void)
{
    Suite *suite = suite_create("profiles");
    TCase *tests = tcase_create("profiles");
    tcase_add_test(tests, a_row_holds_until_the_next_one);
    tcase_add_loop_test(tests, what_is_wrong_is_told_with_its_line, 0, (int)(sizeof wrong / sizeof *wrong));
    tcase_add_test(tests, a_negative_curvature_is_refused);
    tcase_add_loop_test(tests, a_wrong_day_is_refused, 0, (int)(sizeof wrong_case / sizeof *wrong_case));
    tcase_add_test(tests, slots_left_out_do_not_matter);
    tcase_add_test(tests, times_of_the_day);
    suite_add_tcase(suite, tests);
    return suite;
}
