/* The settings: every row of the table, from YAML, by -s, and out again. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/settings.h"
#include "net_models/network.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

static enum pw_code read_text(const char *text, struct pw_settings *settings, struct pw_error *err)
{
    struct pw_yaml *root;
    ck_assert_int_eq(pw_yaml_parse(text, strlen(text), "file", &root, err), PW_OK);
    pw_settings_default(settings);
    enum pw_code code = pw_settings_read(settings, root, "file", err);
    pw_yaml_destroy(root);
    return code;
}

/* A case with one setting: a.b=v becomes the lines 2 `a:`, 3 `  b: v`. Returns the setting's line. */
static int case_of(const char *path, const char *value, char *text, size_t size)
{
    int line = 2;
    const char *word = path;
    size_t used = (size_t)snprintf(text, size, "%s", strcmp(path, "peerwatt") == 0 ? "\n" : "peerwatt: 1\n");
    for (const char *dot; (dot = strchr(word, '.')) != NULL; word = dot + 1, line++)
        used +=
            (size_t)snprintf(text + used, size - used, "%*s%.*s:\n", line - 2, "", (int)(dot - word), word);
    snprintf(text + used, size - used, "%*s%s: %s\n", line - 2, "", word, value);
    return line;
}

static enum pw_code read_one(const char *path, const char *value, struct pw_settings *settings,
                             struct pw_error *err)
{
    char text[1000];
    case_of(path, value, text, sizeof text);
    return read_text(text, settings, err);
}

static void expect_one(const char *path, const char *value, int taken)
{
    struct pw_settings settings;
    struct pw_error err = {0};
    char text[1000], start[200];
    snprintf(start, sizeof start, "file:%d: %s: ", case_of(path, value, text, sizeof text), path);
    enum pw_code code = read_text(text, &settings, &err);
    ck_assert_msg(code == (taken ? PW_OK : PW_USAGE), "%s=%s gives %d %s", path, value, (int)code, err.text);
    ck_assert_msg(taken || strncmp(err.text, start, strlen(start)) == 0, "%s expected, got: %s", start,
                  err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
}

static int same_law(const struct pw_law *x, const struct pw_law *y)
{
    return x->low == y->low && x->high == y->high;
}

static int same_links(const struct pw_links_spec *x, const struct pw_links_spec *y)
{
    return x->kind == y->kind && x->among_sides == y->among_sides && x->density == y->density &&
           x->count == y->count && x->seed == y->seed && strcmp(x->path, y->path) == 0;
}

static int same_real(double x, double y)
{
    return x == y || (isnan(x) && isnan(y));
}

/* True if the setting of a row has the same value in both. */
static int same_value(int row, const struct pw_settings *one, const struct pw_settings *other)
{
    const void *x = (const char *)one + pw_settings_table[row].offset;
    const void *y = (const char *)other + pw_settings_table[row].offset;
    switch (pw_settings_table[row].type) {
    case PW_REAL:
    case PW_AUTO_REAL:
    case PW_OPTIONAL_REAL:
        return same_real(*(const double *)x, *(const double *)y);
    case PW_INTEGER:
        return *(const long *)x == *(const long *)y;
    case PW_CHOICE:
        return *(const int *)x == *(const int *)y;
    case PW_TEXT:
    case PW_DELAY_MODEL:
        return strcmp(x, y) == 0;
    case PW_LAW:
        return same_law(x, y);
    case PW_LINKS:
        return same_links(x, y);
    }
    return 0;
}

static void dump(const struct pw_settings *settings, char *text, size_t size)
{
    FILE *out = fmemopen(text, size, "w");
    ck_assert_ptr_nonnull(out);
    pw_settings_dump(settings, out);
    ck_assert_int_eq(fclose(out), 0);
}

static void expect_dump_reads_back(const struct pw_settings *settings)
{
    static char text[20000];
    struct pw_settings back;
    struct pw_error err = {0};
    dump(settings, text, sizeof text);
    ck_assert_msg(read_text(text, &back, &err) == PW_OK, "%s\n%s", err.text, text);
    for (int row = 0; row < pw_settings_count; row++)
        ck_assert_msg(same_value(row, settings, &back), "%s changes in\n%s", pw_settings_table[row].path,
                      text);
}

/* ---- The table ---- */

/* No two rows share a path, or a byte of the settings; the rows of a section stand together, as the dump
 * wants it; everything has a line of help. */
START_TEST(the_table_is_in_order)
{
    for (int i = 0; i < pw_settings_count; i++) {
        const struct pw_setting *row = &pw_settings_table[i];
        const char *dot = strrchr(row->path, '.');
        ck_assert(row->help[0] != '\0' && row->unit != NULL);
        ck_assert_int_eq(pw_settings_find(row->path), i);
        ck_assert_uint_lt(row->offset, sizeof(struct pw_settings));
        for (int j = 0; j < i; j++)
            ck_assert_uint_ne(row->offset, pw_settings_table[j].offset);
        for (int j = 0; dot != NULL && j < i - 1; j++) {
            size_t length = (size_t)(dot - row->path) + 1;
            if (strncmp(pw_settings_table[j].path, row->path, length) == 0)
                ck_assert_msg(strncmp(pw_settings_table[i - 1].path, row->path, length) == 0,
                              "%s stands apart", row->path);
        }
    }
    ck_assert_int_eq(pw_settings_find("network"), -1);
    ck_assert_int_eq(pw_settings_find(""), -1);
}
END_TEST

/* What the table says is the default is taken as a value and changes nothing. */
START_TEST(every_default_is_a_value)
{
    struct pw_settings defaults, settings;
    struct pw_error err = {0};
    pw_settings_default(&defaults);
    for (int i = 0; i < pw_settings_count; i++) {
        const struct pw_setting *row = &pw_settings_table[i];
        if (row->otherwise == NULL || row->otherwise[0] == '\0' ||
            strcmp(row->path, "market.generate.agents") == 0) /* 0: no generated market */
            continue;
        ck_assert_msg(read_one(row->path, row->otherwise, &settings, &err) == PW_OK, "%s", err.text);
        ck_assert_msg(same_value(i, &defaults, &settings), "%s", row->path);
        ck_assert(settings.given[i] && !defaults.given[i]);
    }
}
END_TEST

START_TEST(help_names_every_setting)
{
    static char text[20000];
    FILE *out = fmemopen(text, sizeof text, "w");
    pw_settings_help(out);
    fclose(out);
    for (int i = 0; i < pw_settings_count; i++) {
        ck_assert_ptr_nonnull(strstr(text, pw_settings_table[i].path));
        ck_assert_ptr_nonnull(strstr(text, pw_settings_table[i].help));
    }
}
END_TEST

/* ---- Values ---- */

/* A case that gives every setting, and where each must land. */
static const char *const full_case =
    "peerwatt: 1\n"
    "name: all\n"
    "units: {power: MW, money: CHF}\n"
    "market:\n"
    "  assets: a.csv\n"
    "  agents: n.csv\n"
    "  links: {peers: 7, among: sides, seed: 11}\n"
    "  fee: 0.125\n"
    "  profiles: p.csv\n"
    "  preferences: w.csv\n"
    "  fees: {distance: 0.01, zone: 0.02, community: 0.03}\n"
    "  generate:\n"
    "    agents: 12\n"
    "    communities: 3\n"
    "    consumers: 0.25\n"
    "    seed: 13\n"
    "    consumer: {a: 1, b: [2, 3], p_min: [-5, -4], p_max: -3}\n"
    "    producer: {a: [0, 1.5], b: -1, p_min: 0.5, p_max: [6, 7]}\n"
    "negotiation: {exchange: paired, delta: 0.5, relaxation: 0.75,\n"
    "  penalty: 2.5, stiffness: 8, solver: inner_admm,\n"
    "  consensus: 0.375, innovation: 1.5, bounds: 0.625, decay: 0.03125, concession: 0.875,\n"
    "  timeout_s: 0.5, max_age: 9}\n"
    "network:\n"
    "  delay: {model: gaussian, mean_s: 0.25, std_s: 0.0625, min_s: 0.03125,\n"
    "    speed: 3e5, hop_length: 40, hop_s: 0.001, jitter_s: 0.002, file: d.csv, links: w.csv}\n"
    "  loss: 0.375\n"
    "  burst_length: 12.5\n"
    "  burst_loss: 0.8125\n"
    "  retransmit: doubling\n"
    "  retransmit_s: 0.875\n"
    "  retransmit_max_s: 8.75\n"
    "  compute_s: 0.015625\n"
    "  compute_spread: 1.5\n"
    "  stragglers: 0.0625\n"
    "  straggler_factor: 20\n"
    "  pause_every_s: 30\n"
    "  pause_s: 1.25\n"
    "stop: {criterion: agent, ratify: yes, tolerance: 1e-5, primal: 1, dual: 2, price: 3,\n"
    "  trade_power: 0.5, trade_price: 0.25, share: 0.0625,\n"
    "  max_time_s: 60, max_rounds: 500, stall_s: 9}\n"
    "slots: {count: 48, length_h: 0.5, first: 3, last: 40, warm_start: no}\n"
    "run: {clock: wall, seed: 17, reference: no, timeline: yes, bulk: no, placement: graph, record: "
    "agents}\n";

START_TEST(every_setting_lands_in_its_field)
{
    struct pw_settings s;
    struct pw_error err = {0};
    ck_assert_msg(read_text(full_case, &s, &err) == PW_OK, "%s", err.text);
    for (int i = 0; i < pw_settings_count; i++)
        ck_assert_msg(s.given[i], "%s is not in the test", pw_settings_table[i].path);
    ck_assert_int_eq(s.version, 1);
    ck_assert_int_eq(s.generate_communities, 3);
    ck_assert_str_eq(s.profiles, "p.csv");
    ck_assert_str_eq(s.preferences, "w.csv");
    ck_assert(s.fee_distance == 0.01 && s.fee_zone == 0.02 && s.fee_community == 0.03);
    ck_assert(s.slots_count == 48 && s.slots_length_h == 0.5);
    ck_assert(s.slots_first == 3 && s.slots_last == 40 && s.warm_start == 0);
    ck_assert_str_eq(s.name, "all");
    ck_assert_str_eq(s.power_unit, "MW");
    ck_assert_str_eq(s.money_unit, "CHF");
    ck_assert_str_eq(s.assets, "a.csv");
    ck_assert_str_eq(s.agents, "n.csv");
    ck_assert(s.links.kind == PW_LINKS_PEERS && s.links.count == 7 && s.links.among_sides &&
              s.links.seed == 11 && s.fee == 0.125);
    ck_assert(s.generate_agents == 12 && s.generate_consumers == 0.25 && s.generate_seed == 13);
    const struct pw_law laws[] = {{1, 1}, {2, 3}, {-5, -4}, {-3, -3}, {0, 1.5}, {-1, -1}, {0.5, 0.5}, {6, 7}};
    const struct pw_law *drawn[] = {&s.consumer_a, &s.consumer_b, &s.consumer_p_min, &s.consumer_p_max,
                                    &s.producer_a, &s.producer_b, &s.producer_p_min, &s.producer_p_max};
    for (int i = 0; i < 8; i++)
        ck_assert(same_law(&laws[i], drawn[i]));
    ck_assert(s.delta == 0.5 && s.relaxation == 0.75 && s.penalty == 2.5 && s.stiffness == 8);
    ck_assert(s.timeout_s == 0.5 && s.max_age == 9 && s.solver == PW_SOLVER_INNER_ADMM);
    ck_assert(s.consensus == 0.375 && s.innovation == 1.5 && s.bounds == 0.625);
    ck_assert(s.decay == 0.03125 && s.concession == 0.875);
    ck_assert_str_eq(s.delay_model, "gaussian");
    ck_assert(s.delay_mean_s == 0.25 && s.delay_std_s == 0.0625 && s.delay_min_s == 0.03125);
    ck_assert(s.loss == 0.375 && s.retransmit_s == 0.875 && s.compute_s == 0.015625);
    ck_assert(s.delay_speed == 3e5 && s.delay_hop_length == 40 && s.delay_hop_s == 0.001 &&
              s.delay_jitter_s == 0.002);
    ck_assert_str_eq(s.delay_file, "d.csv");
    ck_assert_str_eq(s.delay_links, "w.csv");
    ck_assert(s.burst_length == 12.5 && s.burst_loss == 0.8125);
    ck_assert(s.retransmit == PW_RETRANSMIT_DOUBLING && s.retransmit_max_s == 8.75);
    ck_assert(s.compute_spread == 1.5 && s.stragglers == 0.0625 && s.straggler_factor == 20 &&
              s.pause_every_s == 30 && s.pause_s == 1.25);
    ck_assert(s.tolerance == 1e-5 && s.primal == 1 && s.dual == 2 && s.price == 3);
    ck_assert_int_eq(s.criterion, PW_CRITERION_AGENT);
    ck_assert_int_eq(s.ratify, 1);
    ck_assert(s.trade_power == .5 && s.trade_price == .25 && s.share == .0625);
    ck_assert(s.max_time_s == 60 && s.max_rounds == 500 && s.stall_s == 9);
    ck_assert(s.seed == 17 && s.reference == PW_REFERENCE_NO && s.timeline == 1 && s.bulk == PW_BULK_NO &&
              s.placement == PW_PLACE_GRAPH && s.record == PW_RECORD_AGENTS);
    expect_dump_reads_back(&s);
}
END_TEST

/* The bounds of the contract, by hand. */
START_TEST(values_are_held_to_their_bounds)
{
    static const struct {
        const char *path, *taken[4], *refused[5];
    } bounds[] = {
        {"peerwatt", {"1"}, {"0", "2", "1.0", "one"}},
        {"negotiation.delta", {"1", "0.01", "1e-9"}, {"0", "1.0001", "-0.5", "half"}},
        {"negotiation.relaxation", {"auto", "0.5", "0.999"}, {"0", "1", "1.5", "most"}},
        {"negotiation.penalty", {"auto", "0.001"}, {"0", "-1", "automatic"}},
        {"negotiation.stiffness", {"1", "1e6", "auto"}, {"0.999", "0"}},
        {"negotiation.exchange", {"paired", "innovation", "pool"}, {"admm", "0"}},
        {"negotiation.solver", {"exact", "inner_admm"}, {"inner", "osqp"}},
        {"negotiation.consensus", {"0", "0.5"}, {"0.51", "-0.1"}},
        {"negotiation.innovation", {"1e-9", "2"}, {"0", "-1"}},
        {"negotiation.decay", {"0", "1"}, {"1.1", "-0.1"}},
        {"negotiation.concession", {"0", "1"}, {"1.1", "-0.1"}},
        {"network.loss", {"0", "0.999"}, {"1", "1.0", "-0.1"}},
        {"network.retransmit_s", {"0", "0.2", "86400"}, {"-1", "86400.1", "1e300"}},
        {"network.burst_length", {"0", "1", "1000"}, {"-1", "1001"}},
        {"network.burst_loss", {"1", "0.1"}, {"0", "1.1"}},
        {"network.retransmit", {"fixed", "doubling", "never"}, {"tcp", "0.2", "always"}},
        {"network.delay.speed", {"1e-9", "3e8"}, {"0", "-1"}},
        {"network.compute_spread", {"1", "1000"}, {"0.99", "1001"}},
        {"network.stragglers", {"0", "1"}, {"-0.1", "1.1"}},
        {"network.straggler_factor", {"1", "1000"}, {"0.9", "1001"}},
        {"network.pause_every_s", {"0", "86400"}, {"-1", "86401"}},
        {"network.delay.mean_s", {"0", "86400"}, {"-1e-9", "1e5"}},
        {"stop.tolerance", {"1e-4", "0.5"}, {"0", "1"}},
        {"stop.primal", {"1e-3"}, {"0", "-1", "auto"}},
        {"stop.max_time_s", {"1e-3", "1e300"}, {"0", "-1"}},
        {"stop.max_rounds", {"1", "2000000000"}, {"0", "-1", "1e3", "2000000001", "99999999999999999999"}},
        {"run.seed", {"0", "9223372036854775807"}, {"-1", "9223372036854775808", "1.5", "010"}},
        {"market.fee", {"0", "0.5"}, {"-0.1"}},
        {"market.generate.agents", {"2", "10000000"}, {"1", "0", "10000001"}},
        {"market.generate.consumers", {"0", "1"}, {"-0.1", "1.1"}},
        {"market.generate.consumer.a",
         {"0", "[0, 1]", "[2, 2]"},
         {"-1", "[-1, 1]", "[1, 0]", "[1]", "[1, 2, 3]"}},
        {"market.generate.producer.b",
         {"-5", "[-5, 5]"},
         {"{low: 1}", "[a, b]", "[1, nan]", "[[1], 2]", "[1, \"2\"]"}},
        {"network.delay.model",
         {"none", "uniform", "lognormal", "pareto"},
         {"warp", "[none]", "Gaussian", "\"\""}},
        {"run.clock", {"wall"}, {"walls", "1", "{}"}},
        {"run.reference", {"auto", "yes", "no", "\"no\""}, {"true", "maybe"}},
        {"name", {"x", "\"x: y\"", "12"}, {"", "\"\"", "[x]", "{x: y}"}},
    };
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        for (int k = 0; k < 4 && bounds[i].taken[k] != NULL; k++)
            expect_one(bounds[i].path, bounds[i].taken[k], 1);
        for (int k = 0; k < 5 && bounds[i].refused[k] != NULL; k++)
            expect_one(bounds[i].path, bounds[i].refused[k], 0);
    }
}
END_TEST

static void expect_bound(const struct pw_setting *row, double bound, int open, double beyond)
{
    char text[40];
    snprintf(text, sizeof text, "%.17g", bound);
    expect_one(row->path, text, !open);
    snprintf(text, sizeof text, row->type == PW_INTEGER ? "%.0f" : "%.17g",
             row->type == PW_INTEGER ? bound + (beyond > 0 ? 1 : -1) : nextafter(bound, beyond));
    expect_one(row->path, text, 0);
}

/* Every finite bound of the table: it is taken unless open, the next number beyond it is not; and no row of
 * numbers takes what is none. */
START_TEST(every_row_keeps_its_own_bounds)
{
    static const char *const wrong[] = {"1.5kW", "010", ".nan", ".inf", "0x10", "1e999", "+5", "1_000",
                                        "\"1\"", "'1'", "true", "~",    "[]",   "{}",    "",   "1 2"};
    for (int i = 0; i < pw_settings_count; i++) {
        const struct pw_setting *row = &pw_settings_table[i];
        int is_number = row->type == PW_REAL || row->type == PW_AUTO_REAL || row->type == PW_OPTIONAL_REAL ||
                        row->type == PW_INTEGER || row->type == PW_LAW;
        if (!is_number)
            continue;
        if (isfinite(row->low))
            expect_bound(row, row->low, row->low_open, -INFINITY);
        if (isfinite(row->high))
            expect_bound(row, row->high, row->high_open, INFINITY);
        for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
            expect_one(row->path, wrong[k], 0);
    }
}
END_TEST

/* A random value of a row, as text. */
static void random_value(const struct pw_setting *row, struct test_rng *rng, char *text, size_t size)
{
    static const char *const texts[] = {"\"q\\\"uote\"", "back\\slash", "\"tab\\tend\"",  "'# no comment'",
                                        "\"a: b\"",      "caf\xC3\xA9", "\"  blanks  \"", "'1e5'",
                                        "\"null\"",      "dir/x.csv",   "'{x}'",          "\"- [\""};
    static const char *const links[] = {"all",
                                        "sides",
                                        "'my links.csv'",
                                        "{random: 0.7}",
                                        "{nearest: 3}",
                                        "{peers: 2, among: sides, seed: 5}",
                                        "{random: 1e-3, among: sides}",
                                        "{seed: 0, peers: 1}"};
    double low = isfinite(row->low) ? row->low : -1e3, high = isfinite(row->high) ? row->high : low + 2e3;
    double value = test_uniform(rng, low, high), more = test_uniform(rng, value, high);
    switch (row->type) {
    case PW_TEXT:
        snprintf(text, size, "%s", texts[test_below(rng, 12)]);
        return;
    case PW_LINKS:
        snprintf(text, size, "%s", links[test_below(rng, 8)]);
        return;
    case PW_INTEGER:
        snprintf(text, size, "%.0f", ceil(value));
        return;
    case PW_LAW:
        snprintf(text, size, "[%.17g, %.17g]", value, more);
        return;
    case PW_CHOICE:
        snprintf(text, size, "%s", row->choices[0]);
        return;
    case PW_DELAY_MODEL:
        snprintf(text, size, "exponential");
        return;
    default:
        snprintf(text, size, "%.17g", value);
    }
}

START_TEST(dumps_read_back_the_same)
{
    struct test_rng rng = test_rng(4);
    struct pw_settings settings;
    struct pw_error err = {0};
    for (int run = 0; run < 300; run++) {
        pw_settings_default(&settings);
        ck_assert_int_eq(pw_settings_override(&settings, "peerwatt=1", &err), PW_OK);
        if (run > 0)
            ck_assert_int_eq(pw_settings_override(&settings, "market.generate.agents=5", &err), PW_OK);
        for (int i = 0; i < pw_settings_count; i++) {
            char assignment[300];
            int used = snprintf(assignment, sizeof assignment, "%s=", pw_settings_table[i].path);
            random_value(&pw_settings_table[i], &rng, assignment + used, sizeof assignment - (size_t)used);
            if (run == 0 || test_below(&rng, 2))
                continue;
            ck_assert_msg(pw_settings_override(&settings, assignment, &err) == PW_OK, "%s", err.text);
        }
        expect_dump_reads_back(&settings);
    }
}
END_TEST

START_TEST(texts_have_a_longest_length)
{
    char value[600];
    memset(value, 'x', sizeof value);
    value[PW_TEXT_ROOM - 1] = '\0';
    expect_one("name", value, 1);
    expect_one("market.links", value, 1);
    value[PW_TEXT_ROOM - 1] = 'x';
    value[PW_TEXT_ROOM] = '\0';
    expect_one("name", value, 0);
    expect_one("market.links", value, 0);
}
END_TEST

Suite *settings_suite(void)
{
    Suite *suite = suite_create("settings");
    TCase *table = tcase_create("table"), *values = tcase_create("values");
    tcase_add_test(table, the_table_is_in_order);
    tcase_add_test(table, every_default_is_a_value);
    tcase_add_test(table, help_names_every_setting);
    tcase_add_test(values, every_setting_lands_in_its_field);
    tcase_add_test(values, values_are_held_to_their_bounds);
    tcase_add_test(values, every_row_keeps_its_own_bounds);
    tcase_add_test(values, dumps_read_back_the_same);
    tcase_add_test(values, texts_have_a_longest_length);
    suite_add_tcase(suite, table);
    suite_add_tcase(suite, values);
    return suite;
}
