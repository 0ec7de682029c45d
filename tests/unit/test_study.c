/* Studies: what is read, the numbering of runs, and a table of wrong ones with the place that each names. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/study.h"
#include "common/sweep_layout.h"
#include "tests/unit/suites.h"

#define HEAD "peerwatt: 1\nname: x\ncase: cases/c.yaml\n"
#define DELTA "  - {name: delta, setting: negotiation.delta, values: [1, 0.5, 0.1]}\n"

static struct pw_study *parse(const char *text)
{
    struct pw_study *study;
    struct pw_error err = {PW_OK, ""};
    enum pw_code code = pw_study_parse("dir/s.yaml", text, strlen(text), &study, &err);
    ck_assert_msg(code == PW_OK, "%s", err.text);
    return study;
}

START_TEST(a_study_is_read)
{
    struct pw_study *study =
        parse(HEAD "set:\n  network: {delay: {mean_s: 1}}\n  stop.tolerance: 1e-3\n"
                   "axes:\n" DELTA "  - {setting: network.loss, from: 0, to: 0.2, steps: 5}\n"
                   "replicates: 7\nseed: 3\nrecord: [status]\n");
    ck_assert_str_eq(study->case_path, "dir/cases/c.yaml");
    ck_assert_int_eq(study->n_axes, 2);
    ck_assert_str_eq(study->axes[1].name, "loss");
    ck_assert_str_eq(study->axes[1].values[3].assignment.text, "network.loss=0.15");
    ck_assert_int_eq(study->axes[0].is_numeric, 1);
    ck_assert_int_eq(study->n_runs, 3 * 5 * 7);
    ck_assert_str_eq(study->set[0].text, "network.delay.mean_s=1");
    ck_assert_int_eq(study->set[0].line, 5);
    ck_assert_str_eq(study->set[2].text, "run.seed=3");
    char hint[10];
    ck_assert_int_eq(study->is_recorded[pw_sweep_variable_find("status", hint, sizeof hint)], 1);
    ck_assert_int_eq(study->is_recorded[pw_sweep_variable_find("messages", hint, sizeof hint)], 0);
    pw_study_destroy(study);
}
END_TEST

START_TEST(axes_may_be_a_mapping)
{
    struct pw_study *study =
        parse(HEAD "axes:\n  negotiation.delta: [0.2, 1]\n"
                   "  rho: {setting: negotiation.penalty, from: 0.01, to: 100, steps: 5, spacing: log}\n"
                   "  links: {setting: market.links, values: [all, {random: 0.3, among: sides}]}\n");
    ck_assert_str_eq(study->axes[0].name, "delta");
    ck_assert_str_eq(study->axes[1].values[2].text, "1");
    ck_assert_str_eq(study->axes[1].values[4].text, "100");
    ck_assert_str_eq(study->axes[2].values[1].text, "{random: 0.3, among: sides}");
    ck_assert_int_eq(study->axes[2].is_numeric, 0);
    ck_assert_int_eq(study->replicates, 1);
    pw_study_destroy(study);
}
END_TEST

START_TEST(an_axis_may_vary_a_section)
{
    struct pw_study *study =
        parse(HEAD "axes:\n  - {name: stop, setting: stop, values: [{criterion: global},\n"
                   "     {criterion: trade, ratify: yes}]}\n" DELTA);
    struct pw_error err;
    const char *below = "stop.tolerance=1e-3", *beside = "network.loss=0";
    ck_assert_str_eq(study->axes[0].values[1].assignment.text, "stop={criterion: trade, ratify: yes}");
    ck_assert_int_eq(study->axes[0].is_numeric, 0);
    ck_assert_int_eq(pw_study_check_given(study, &below, 1, &err), PW_USAGE);
    ck_assert_int_eq(pw_study_check_given(study, &beside, 1, &err), PW_OK);
    pw_study_destroy(study);
}
END_TEST

START_TEST(the_replicate_counts_fastest)
{
    struct pw_study *study = parse(HEAD "axes:\n" DELTA "  - {setting: network.loss, values: [0, 0.1]}\n"
                                        "replicates: 4\n");
    const char *given[] = {"network.compute_s=0.1"};
    int index[PW_MOST_STUDY_AXES], count;
    ck_assert_int_eq(pw_study_point(study, 0, index), 0);
    ck_assert_int_eq(pw_study_point(study, 4 * 2 * 2 + 4 * 1 + 3, index), 3);
    ck_assert_int_eq(index[0], 2);
    ck_assert_int_eq(index[1], 1);
    const char **texts = pw_study_overrides(study, given, 1, index, &count);
    ck_assert_int_eq(count, 1 + 2 + 1 + 2);
    ck_assert_str_eq(texts[0], "run.clock=virtual");
    ck_assert_str_eq(texts[3], given[0]);
    ck_assert_str_eq(texts[4], "negotiation.delta=0.1");
    ck_assert_str_eq(texts[5], "network.loss=0.1");
    free(texts);
    pw_study_destroy(study);
}
END_TEST

START_TEST(an_error_finds_the_line_that_is_to_blame)
{
    struct pw_study *study = parse(HEAD "set:\n  network.delay.mean_s: 1\naxes:\n" DELTA);
    const char *given[] = {"stop.tolerance=0.1"};
    int index[PW_MOST_STUDY_AXES] = {1};
    static const char *const pairs[][2] = {
        {"-s network.delay.mean_s: bad", "dir/s.yaml:5: network.delay.mean_s: bad"},
        {"-s negotiation.delta: bad", "dir/s.yaml:7: negotiation.delta: bad"},
        {"-s stop.tolerance: bad", "-s stop.tolerance: bad"},
        {"-s run.clock: bad", "dir/s.yaml:3: run.clock: bad"},
        {"c.yaml:9: stop.primal: bad", "c.yaml:9: stop.primal: bad"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct pw_error err;
        pw_fail(&err, PW_USAGE, "%s", pairs[i][0]);
        ck_assert_int_eq(pw_study_place(study, given, 1, index, &err), PW_USAGE);
        ck_assert_str_eq(err.text, pairs[i][1]);
    }
    pw_study_destroy(study);
}
END_TEST

START_TEST(the_command_line_may_not_touch_what_varies)
{
    struct pw_study *study = parse(HEAD "axes:\n" DELTA);
    struct pw_error err;
    const char *varied = "negotiation.delta=1", *drawn = "market.generate.seed=2",
               *free_one = "network.loss=0";
    ck_assert_int_eq(pw_study_check_given(study, &varied, 1, &err), PW_USAGE);
    ck_assert_int_eq(pw_study_check_given(study, &drawn, 1, &err), PW_USAGE);
    ck_assert_int_eq(pw_study_check_given(study, &free_one, 1, &err), PW_OK);
    pw_study_destroy(study);
}
END_TEST

static const char *const wrong[][2] = {
    {"", ":1: a study starts with"},
    {"[1]", ":1: a study starts with"},
    {"peerwatt: 2\nname: x\n", ":1: peerwatt: 1"},
    {"peerwatt: 1\ncase: c\n", ":1: name: missing"},
    {"peerwatt: 1\nname: x\n", ":1: case: missing"},
    {"peerwatt: 1\nname: x\ncase: [a]\n", ":3: case: "},
    {HEAD "axis: 1\n", ":4: axis: unknown key, did you mean \"axes\"?"},
    {HEAD "set: 1\n", ":4: set: "},
    {HEAD "set:\n  network:\n    los: 0\n", ":6: network.los: unknown key, did you mean \"loss\"?"},
    {HEAD "set:\n  network.loss:\n", ":5: network.loss: the value is missing"},
    {HEAD "set: {run.seed: 1}\n", ":4: run.seed: each replicate"},
    {HEAD "set: {peerwatt: 1}\n", ":4: peerwatt: is no setting"},
    {HEAD "axes: 1\n", ":4: axes: a list"},
    {HEAD "axes: [1]\n", ":4: axes: a mapping"},
    {HEAD "axes:\n  - {setting: 1}\n", ":5: 1: unknown key"},
    {HEAD "axes:\n  - {values: [1]}\n", ":5: axes: `setting"},
    {HEAD "axes:\n  - {setting: network, values: [1]}\n", ":5: "},
    {HEAD "axes:\n  - {setting: network.loss, value: [1]}\n", ":5: axes.value: unknown key, did you mean"},
    {HEAD "axes:\n  - {setting: network.loss, values: 1}\n", ":5: axes: loss: a list"},
    {HEAD "axes:\n  - {setting: network.loss, values: [0, 1]}\n", ":5: network.loss: "},
    {HEAD "axes:\n  - {setting: network.loss, values: [0, 0.0]}\n", ":5: axes: loss: 0.0: given twice"},
    {HEAD "axes:\n  - {setting: network.loss, from: 0, to: x, steps: 2}\n", ":5: axes: loss.to: a number"},
    {HEAD "axes:\n  - {setting: network.loss, from: 0, to: 2, steps: 3}\n", ":5: network.loss: "},
    {HEAD "axes:\n  - {setting: network.loss, from: 0, to: 1, steps: 1.5}\n", ":5: axes: loss.steps: "},
    {HEAD "axes:\n  - {setting: network.loss, from: 0.1, to: 0.2, steps: 2, spacing: cubic}\n",
     ":5: axes: loss.spacing: "},
    {HEAD "axes:\n  - {name: a-b, setting: network.loss, values: [0]}\n", ":5: axes: a-b: a name"},
    {HEAD "axes:\n  - {name: replicate, setting: network.loss, values: [0]}\n", ":5: axes: replicate: "},
    {HEAD "axes:\n  - {setting: stop, values: [{critrion: agent}]}\n",
     ":5: stop.critrion: unknown key, did you"},
    {HEAD "axes:\n  - {setting: run, values:\n      [{seed: 1}]}\n", ":6: axes: run.seed: each replicate"},
    {HEAD "axes:\n  - {setting: stop, values: [{share: 0}]}\n  - {setting: stop.share, values: [0]}\n",
     ":6: axes: stop.share: varied twice"},
    {HEAD "replicates: 1.5\n", ":4: replicates: "},
    {HEAD "seed: -1\n", ":4: seed: "},
    {HEAD "record: status\n", ":4: record: a list"},
    {HEAD "record: [statu]\n", ":4: record: statu: no such variable, did you mean \"status\"?"},
    {HEAD "axes:\n" DELTA "replicates: 99999999\n", ":5: more than"},
};

START_TEST(a_wrong_study_is_refused_at_its_line)
{
    struct pw_study *study;
    struct pw_error err = {PW_OK, ""};
    char place[200];
    const char *text = wrong[_i][0];
    ck_assert_int_eq(pw_study_parse("dir/s.yaml", text, strlen(text), &study, &err), PW_USAGE);
    ck_assert_ptr_null(study);
    snprintf(place, sizeof place, "dir/s.yaml%s", wrong[_i][1]);
    ck_assert_msg(strncmp(err.text, place, strlen(place)) == 0, "%s\n%s", err.text, place);
}
END_TEST

Suite *study_suite(void)
{
    Suite *suite = suite_create("study");
    TCase *tests = tcase_create("study");
    tcase_add_test(tests, a_study_is_read);
    tcase_add_test(tests, axes_may_be_a_mapping);
    tcase_add_test(tests, an_axis_may_vary_a_section);
    tcase_add_test(tests, the_replicate_counts_fastest);
    tcase_add_test(tests, an_error_finds_the_line_that_is_to_blame);
    tcase_add_test(tests, the_command_line_may_not_touch_what_varies);
    tcase_add_loop_test(tests, a_wrong_study_is_refused_at_its_line, 0, (int)(sizeof wrong / sizeof *wrong));
    suite_add_tcase(suite, tests);
    return suite;
}
