/* Settings that are wrong or come by -s: what is said, and where. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/settings.h"
#include "tests/unit/suites.h"

/* ---- In the case file ---- */

static const struct {
    const char *text;
    const char *says; /* the message starts so */
    const char *also; /* and holds this */
} wrong_cases[] = {
    {"", "file:1: ", "starts with `peerwatt: 1`"},
    {"# nothing\n", "file:1: ", "starts with `peerwatt: 1`"},
    {"just a text\n", "file:1: ", "starts with `peerwatt: 1`"},
    {"- peerwatt\n", "file:1: ", "starts with `peerwatt: 1`"},
    {"\nname: x\n", "file:2: peerwatt: missing", ""},
    {"peerwatt: 2\n", "file:1: peerwatt: \"2\" does not fit", "[1, 1]"},
    {"peerwatt: \"1\"\n", "file:1: peerwatt: ", "whole number"},
    {"peerwatt: {}\n", "file:1: peerwatt: a mapping, where ", ""},
    {"name: x\npeerwatt:\n", "file:2: peerwatt: the value is missing", ""},
    {"peerwatt: 1\nnegotiaton:\n  delta: 1\n",
     "file:2: negotiaton: unknown key, did you mean \"negotiation\"?",
     "(expected: peerwatt, name, units, market, negotiation, network, stop, slots, run)"},
    {"peerwatt: 1\nnegotiation:\n\n  delte: 1\n",
     "file:4: negotiation.delte: unknown key, did you mean \"delta\"?",
     "(expected: exchange, solver, delta, relaxation, penalty, stiffness, timeout_s, max_age, consensus, "
     "innovation, bounds, decay, concession)"},
    {"peerwatt: 1\nnetwork: {delay: {modle: none}}\n",
     "file:2: network.delay.modle: unknown key, did you mean \"model\"?", "model, mean_s, std_s, min_s"},
    {"peerwatt: 1\nmarket:\n  generate:\n    consumer: {a: 1, c: 2}\n",
     "file:4: market.generate.consumer.c: unknown key (expected: a, b, p_min, p_max)", ""},
    {"peerwatt: 1\nzzz: 1\n", "file:2: zzz: unknown key (expected: ", ""},
    {"peerwatt: 1\n\"\": 1\n", "file:2: unknown key", ""},
    {"peerwatt: 1\nstop: [1, 2]\n", "file:2: stop: a list, where settings as `key: value` are expected", ""},
    {"peerwatt: 1\nstop: 5\n", "file:2: stop: a value, where settings", ""},
    {"peerwatt: 1\nstop: ''\n", "file:2: stop: a value, where settings", ""},
    {"peerwatt: 1\nnetwork:\n  loss:\n    x: 1\n",
     "file:4: network.loss: a mapping, where a number in [0, 1)", ""},
    {"peerwatt: 1\nnetwork:\n  delay:\n    model: gausian\n",
     "file:4: network.delay.model: \"gausian\" is not known, did you mean \"gaussian\"?",
     "one of none, constant, "},
    {"peerwatt: 1\nmarket:\n  links:\n    random: 0.3\n    amoung: sides\n",
     "file:5: market.links: unknown key \"amoung\", did you mean \"among\"?", ""},
    {"peerwatt: 1\nmarket:\n  links:\n    random: 3\n", "file:4: market.links: \"3\" does not fit",
     "a number in (0, 1]"},
    {"peerwatt: 1\nmarket:\n  links: [all]\n", "file:3: market.links: a list, where all, sides, ", ""},
    {"peerwatt: 1\nrun:\n  seed: one\n",
     "file:3: run.seed: \"one\" does not fit: a whole number of at least 0", ""},
    {"peerwatt: 1\nmarket:\n  generate: {consumer: {a: -1}}\n",
     "file:3: market.generate.consumer.a: \"-1\" does not fit: a number in [0, 1e+30], or [low, high] of "
     "such",
     ""},
    {"peerwatt: "
     "1\nthis_key_is_much_too_long_to_be_one_of_ours_and_goes_on_and_on_and_on_and_on_and_on_and_on_and_"
     "on_and_on_and_on_and_on: 1\n",
     "file:2: this_key_is", "unknown key"},
};

START_TEST(wrong_settings_are_told_with_their_line)
{
    const char *text = wrong_cases[_i].text, *says = wrong_cases[_i].says;
    struct pw_yaml *root;
    struct pw_settings settings;
    struct pw_error err = {0};
    ck_assert_int_eq(pw_yaml_parse(text, strlen(text), "file", &root, &err), PW_OK);
    pw_settings_default(&settings);
    ck_assert_int_eq(pw_settings_read(&settings, root, "file", &err), PW_USAGE);
    ck_assert_msg(strncmp(err.text, says, strlen(says)) == 0, "\"%s\" expected, got: %s", says, err.text);
    ck_assert_msg(strstr(err.text, wrong_cases[_i].also) != NULL, "\"%s\" expected, got: %s",
                  wrong_cases[_i].also, err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
    pw_yaml_destroy(root);
}
END_TEST

/* Every path with a letter dropped from its last word, where that has four letters or more, is known again.
 */
START_TEST(every_key_has_its_near_miss)
{
    int tried = 0;
    for (int i = 0; i < pw_settings_count; i++) {
        const char *path = pw_settings_table[i].path, *dot = strrchr(path, '.');
        const char *word = dot == NULL ? path : dot + 1;
        size_t middle = (size_t)(word - path) + strlen(word) / 2;
        char assignment[200], expected[100];
        struct pw_settings settings;
        struct pw_error err = {0};
        if (strlen(word) < 4)
            continue;
        snprintf(assignment, sizeof assignment, "%.*s%s=1", (int)middle, path, path + middle + 1);
        snprintf(expected, sizeof expected, "did you mean \"%s\"?", word);
        pw_settings_default(&settings);
        ck_assert_int_eq(pw_settings_override(&settings, assignment, &err), PW_USAGE);
        ck_assert_msg(strstr(err.text, expected) != NULL, "%s: %s", assignment, err.text);
        tried++;
    }
    ck_assert_int_gt(tried, 30);
}
END_TEST

START_TEST(empty_sections_are_fine)
{
    static const char text[] = "peerwatt: 1\nstop:\nnetwork: {delay: }\nrun: {}\n";
    struct pw_yaml *root;
    struct pw_settings settings;
    struct pw_error err = {0};
    pw_settings_default(&settings);
    ck_assert_int_eq(pw_yaml_parse(text, strlen(text), "file", &root, &err), PW_OK);
    ck_assert_int_eq(pw_settings_read(&settings, root, "file", &err), PW_OK);
    pw_yaml_destroy(root);
}
END_TEST

/* ---- By -s ---- */

static struct pw_settings overridden(const char *assignment)
{
    struct pw_settings settings;
    struct pw_error err = {0};
    pw_settings_default(&settings);
    ck_assert_msg(pw_settings_override(&settings, assignment, &err) == PW_OK, "%s", err.text);
    return settings;
}

START_TEST(overrides_reach_any_depth)
{
    ck_assert_str_eq(overridden("network.delay.model=gaussian").delay_model, "gaussian");
    ck_assert(overridden("network.loss=0.05").loss == 0.05);
    ck_assert_str_eq(overridden("name=my case").name, "my case");
    ck_assert_str_eq(overridden("name=\"a: #b\"").name, "a: #b");
    ck_assert_str_eq(overridden("name=a=b").name, "a=b");
    ck_assert(overridden("market.generate.consumer.b=[1, 2]").consumer_b.high == 2);
    struct pw_settings s = overridden("network={delay: {model: constant, mean_s: 0.5}, loss: 0.25}");
    ck_assert(s.delay_mean_s == 0.5 && s.loss == 0.25 && strcmp(s.delay_model, "constant") == 0);
    s = overridden("network.delay={mean_s: 0.125}");
    ck_assert(s.delay_mean_s == 0.125 && s.delay_std_s == 0);
}
END_TEST

START_TEST(overrides_take_every_kind_of_links)
{
    struct pw_links_spec links = overridden("market.links={random: 0.3}").links;
    ck_assert(links.kind == PW_LINKS_RANDOM && links.density == 0.3 && links.seed == 1 && !links.among_sides);
    links = overridden("market.links={random: 1, among: sides, seed: 9}").links;
    ck_assert(links.kind == PW_LINKS_RANDOM && links.density == 1 && links.seed == 9 && links.among_sides);
    links = overridden("market.links={peers: 4, among: all}").links;
    ck_assert(links.kind == PW_LINKS_PEERS && links.count == 4 && links.seed == 1 && !links.among_sides);
    links = overridden("market.links={nearest: 5}").links;
    ck_assert(links.kind == PW_LINKS_NEAREST && links.count == 5);
    links = overridden("market.links={peers: 3, choose: greedy}").links;
    ck_assert(links.kind == PW_LINKS_CHOSEN && links.choose == PW_CHOOSE_GREEDY && links.count == 3 &&
              links.seed == 1 && !links.among_sides);
    links = overridden("market.links={choose: adaptive, seed: 4, peers: 2, among: sides}").links;
    ck_assert(links.kind == PW_LINKS_CHOSEN && links.choose == PW_CHOOSE_ADAPTIVE && links.count == 2 &&
              links.seed == 4 && links.among_sides);
    ck_assert_int_eq(overridden("market.links=sides").links.kind, PW_LINKS_SIDES);
    ck_assert_int_eq(overridden("market.links=all").links.kind, PW_LINKS_ALL);
    links = overridden("market.links=sub/links.csv").links;
    ck_assert(links.kind == PW_LINKS_TABLE && strcmp(links.path, "sub/links.csv") == 0);
}
END_TEST

static const char *const wrong_overrides[][2] = {
    {"network.loss", "-s network.loss: section.key=value is expected"},
    {"=5", "-s =5: section.key=value is expected"},
    {"", "-s : section.key=value is expected"},
    {"network.loss=", "-s network.loss: the value is missing"},
    {"network.loss=# a comment", "-s network.loss: the value is missing"},
    {"network.loss=\"\"", "-s network.loss: \"\" does not fit: a number in [0, 1)"},
    {"network.loss=1", "-s network.loss: \"1\" does not fit: a number in [0, 1)"},
    {"network.loss=[1", "-s network.loss: value:2: not valid YAML"},
    {"network.loss=a: b: c", "-s network.loss: value:1: not valid YAML"},
    {"name=\"a\\nb\"", "-s name: value:1: a line break"},
    {"name=\xFF", "-s: section.key=value is expected, in a line of plain text"},
    {"a\nb", "-s: section.key=value is expected, in a line of plain text"},
    {"netwrok.loss=0.1", "-s netwrok: unknown key, did you mean \"network\"?"},
    {"network.delya.model=none", "-s network.delya: unknown key, did you mean \"delay\"?"},
    {"network.delay.modle=none", "-s network.delay.modle: unknown key, did you mean \"model\"?"},
    {"loss=0.1", "-s loss: unknown key"},
    {"network.loss.x=1", "-s network.loss: a value is expected"},
    {"network.=1", "-s network.: unknown key"},
    {".loss=1", "-s : unknown key"},
    {"network=0.5", "-s network: a value, where settings"},
    {"network={los: 0.5}", "-s network.los: unknown key, did you mean \"loss\"?"},
    {"peerwatt=2", "-s peerwatt: \"2\" does not fit"},
    {"market.links={random: 0}", "-s market.links: \"0\" does not fit: a number in (0, 1]"},
    {"market.links={random: 1.5}", "-s market.links: \"1.5\" does not fit"},
    {"market.links={random: }", "-s market.links: the value is missing"},
    {"market.links={random: \"0.5\"}", "-s market.links: \"0.5\" does not fit"},
    {"market.links={nearest: 0}", "-s market.links: \"0\" does not fit: a whole number of at least 1"},
    {"market.links={nearest: 2.5}", "-s market.links: \"2.5\" does not fit"},
    {"market.links={peers: 99999999999}", "-s market.links: \"99999999999\" does not fit"},
    {"market.links={random: 0.5, nearest: 2}", "-s market.links: exactly one of random, nearest and peers"},
    {"market.links={seed: 2}", "-s market.links: exactly one of random, nearest and peers"},
    {"market.links={}", "-s market.links: exactly one of random, nearest and peers"},
    {"market.links={nearest: 2, among: sides}", "-s market.links: nearest is among all"},
    {"market.links={peers: 2, among: side}", "-s market.links: \"side\" does not fit: one of all, sides"},
    {"market.links={peers: 2, seed: -1}",
     "-s market.links: \"-1\" does not fit: a whole number of at least 0"},
    {"market.links={choose: gready, peers: 2}",
     "-s market.links: \"gready\" is not known, did you mean \"greedy\"?"},
    {"market.links={choose: , peers: 2}", "-s market.links: the value is missing: one of random, nearest"},
    {"market.links={choose: greedy}", "-s market.links: choose needs peers, the most that an agent may have"},
    {"market.links={choose: greedy, nearest: 3}",
     "-s market.links: choose needs peers, the most that an agent"},
    {"market.links={choose: random, peers: 2, random: 0.5}",
     "-s market.links: choose needs peers, the most that"},
    {"market.links={choose: greedy, peers: 0}", "-s market.links: \"0\" does not fit"},
    {"market.links={per: 2}", "-s market.links: unknown key \"per\", did you mean \"peers\"?"},
    {"market.links=[1]", "-s market.links: a list, where all, sides"},
    {"run.clock=wal", "-s run.clock: \"wal\" is not known, did you mean \"wall\"? (one of wall, virtual)"},
};

START_TEST(wrong_overrides_are_told)
{
    struct pw_settings settings;
    struct pw_error err = {0};
    pw_settings_default(&settings);
    const char *assignment = wrong_overrides[_i][0], *says = wrong_overrides[_i][1];
    ck_assert_msg(pw_settings_override(&settings, assignment, &err) == PW_USAGE, "%s is taken", assignment);
    ck_assert_msg(strncmp(err.text, says, strlen(says)) == 0, "%s: \"%s\" expected, got: %s", assignment,
                  says, err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
}
END_TEST

START_TEST(long_overrides_are_refused)
{
    char assignment[600];
    struct pw_settings settings;
    struct pw_error err = {0};
    pw_settings_default(&settings);
    memset(assignment, 'x', sizeof assignment);
    assignment[sizeof assignment - 1] = '\0';
    for (size_t at = 150; at < sizeof assignment; at += 149) {
        assignment[at] = '=';
        ck_assert_int_eq(pw_settings_override(&settings, assignment, &err), PW_USAGE);
        assignment[at] = at % 2 ? '.' : 'x';
    }
}
END_TEST

/* Errors found later point to where the setting was given last: a line of the file, -s, or the file. */
START_TEST(later_errors_find_the_place)
{
    static const char text[] = "peerwatt: 1\nnetwork:\n  loss: 0.5\n";
    struct pw_yaml *root;
    struct pw_settings settings;
    struct pw_error err = {0};
    pw_settings_default(&settings);
    ck_assert_int_eq(pw_yaml_parse(text, strlen(text), "file", &root, &err), PW_OK);
    ck_assert_int_eq(pw_settings_read(&settings, root, "file", &err), PW_OK);
    pw_yaml_destroy(root);
    ck_assert_int_eq(pw_settings_fail(&settings, "file", "network.loss", &err, "no"), PW_USAGE);
    ck_assert_str_eq(err.text, "file:3: network.loss: no");
    pw_settings_fail(&settings, "file", "run.seed", &err, "no");
    ck_assert_str_eq(err.text, "file:1: run.seed: no");
    ck_assert_int_eq(pw_settings_override(&settings, "network.loss=0.25", &err), PW_OK);
    pw_settings_fail(&settings, "file", "network.loss", &err, "no");
    ck_assert_str_eq(err.text, "-s network.loss: no");
    ck_assert_int_eq(pw_settings_override(&settings, "peerwatt=1", &err), PW_OK);
    pw_settings_fail(&settings, "file", "peerwatt", &err, "no");
    ck_assert_str_eq(err.text, "-s peerwatt: no");
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof *(table))

Suite *override_suite(void)
{
    Suite *suite = suite_create("override");
    TCase *file = tcase_create("file"), *option = tcase_create("option");
    tcase_add_loop_test(file, wrong_settings_are_told_with_their_line, 0, COUNT(wrong_cases));
    tcase_add_test(file, every_key_has_its_near_miss);
    tcase_add_test(file, empty_sections_are_fine);
    tcase_add_test(option, overrides_reach_any_depth);
    tcase_add_test(option, overrides_take_every_kind_of_links);
    tcase_add_loop_test(option, wrong_overrides_are_told, 0, COUNT(wrong_overrides));
    tcase_add_test(option, long_overrides_are_refused);
    tcase_add_test(option, later_errors_find_the_place);
    suite_add_tcase(suite, file);
    suite_add_tcase(suite, option);
    return suite;
}
