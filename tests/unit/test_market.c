/* Right cases: what is in the files is in the market; recipes; warnings; the cases that ship. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/case.h"
#include "common/generate.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suites.h"

static struct pw_case *load(const char *path, const char *const *overrides, int n_overrides)
{
    struct pw_case *loaded;
    struct pw_error err = {0};
    enum pw_code code = pw_case_load(path, overrides, n_overrides, &loaded, &err);
    ck_assert_msg(code == PW_OK, "%s", err.text);
    return loaded;
}

/* ---- From tables ---- */

static const char *const street_yaml =
    "peerwatt: 1\nmarket:\n  assets: a.csv\n  agents: n.csv\n  links: l.csv\n"
    "  fee: 0.25\n";
/* Rows in any order, several assets of an agent in the order of the file, a = 0, a fixed power. */
static const char *const street_assets = "b,asset,agent,p_min,p_max,a\r\n"
                                         "9,load,2,-3,0,0.5\r\n"
                                         "0,fixed,0,-1.5,-1.5,0\r\n"
                                         "4,gen,1,0,20,0\r\n"
                                         "\r\n"
                                         "0.1,pv,0,0,5,0\r\n"
                                         "8,\"ev, large\",0,-7,0,1e-2";
static const char *const street_agents = "\xEF\xBB\xBF"
                                         "y,agent,name,x,zone,bus,community\n"
                                         "1.5,2,cy,-2,,,7\n0,0,\"ann \"\"A\"\"\",4,3,,\n-1,1,,0,,12,\n";
static const char *const street_links = "fee_b,agent_a,agent_b,t_max,t_min\n"
                                        ",1,0,,\n0.5,2,1,0,-4\n,0,2,2.5,\n";

struct asset {
    const char *name;
    double p_min, p_max, a, b;
};

START_TEST(tables_become_the_market)
{
    struct scratch scratch = scratch_open();
    scratch_write(&scratch, "case.yaml", street_yaml);
    scratch_write(&scratch, "a.csv", street_assets);
    scratch_write(&scratch, "n.csv", street_agents);
    scratch_write(&scratch, "l.csv", street_links);
    struct pw_case *loaded = load(scratch_path(&scratch, "case.yaml"), NULL, 0);
    scratch_close(&scratch);
    const struct pw_market *m = loaded->market;
    ck_assert(m->n_agents == 3 && m->n_assets == 5 && m->n_links == 3 && m->n_products == 1);
    const struct asset assets[] = {{"fixed", -1.5, -1.5, 0, 0},
                                   {"pv", 0, 5, 0, 0.1},
                                   {"ev, large", -7, 0, 0.01, 8},
                                   {"gen", 0, 20, 0, 4},
                                   {"load", -3, 0, 0.5, 9}};
    for (int i = 0; i < 5; i++) {
        ck_assert_str_eq(m->asset_name[i], assets[i].name);
        ck_assert(m->p_min[i] == assets[i].p_min && m->p_max[i] == assets[i].p_max);
        ck_assert(m->a[i] == assets[i].a && m->b[i] == assets[i].b);
    }
    static const int first[] = {0, 3, 4, 5};
    ck_assert_int_eq(memcmp(m->asset_first, first, sizeof first), 0);
    ck_assert_str_eq(m->agent_name[0], "ann \"A\"");
    ck_assert_str_eq(m->agent_name[1], "");
    ck_assert_str_eq(m->agent_name[2], "cy");
    ck_assert(m->x[0] == 4 && m->x[1] == 0 && m->x[2] == -2);
    ck_assert(m->y[0] == 0 && m->y[1] == -1 && m->y[2] == 1.5);
    const int a[] = {1, 2, 0}, b[] = {0, 1, 2};
    const double t_min[] = {-INFINITY, -4, -INFINITY}, t_max[] = {INFINITY, 0, 2.5},
                 fee_b[] = {0.25, 0.5, 0.25};
    for (int l = 0; l < 3; l++) {
        ck_assert(m->link_a[l] == a[l] && m->link_b[l] == b[l]);
        ck_assert(m->t_min[l] == t_min[l] && m->t_max[l] == t_max[l]);
        ck_assert(m->fee_a[l] == 0.25 && m->fee_b[l] == fee_b[l]);
    }
    pw_case_destroy(loaded);
}
END_TEST

START_TEST(names_and_coordinates_are_optional)
{
    struct scratch scratch = scratch_open();
    scratch_write(&scratch, "case.yaml",
                  "peerwatt: 1\nmarket: {assets: a.csv, links: l.csv, agents: n.csv}\n");
    scratch_write(&scratch, "a.csv", "agent,asset,p_min,p_max,a,b\n0,,-1,0,0,1\n1,,0,1,0,0\n");
    scratch_write(&scratch, "n.csv", "agent,name\n1,bob\n0,ann\n");
    scratch_write(&scratch, "l.csv", "agent_b,agent_a\n0,1\n");
    struct pw_case *loaded = load(scratch_path(&scratch, "case.yaml"), NULL, 0);
    ck_assert_ptr_null(loaded->market->x);
    ck_assert_str_eq(loaded->market->agent_name[1], "bob");
    ck_assert(loaded->market->link_a[0] == 1 && loaded->market->fee_b[0] == 0);
    ck_assert_int_eq(loaded->n_warnings, 0);
    pw_case_destroy(loaded);
    /* no links at all: fine where everybody can do without */
    scratch_write(&scratch, "l.csv", "agent_b,agent_a\n");
    loaded = load(scratch_path(&scratch, "case.yaml"), NULL, 0);
    ck_assert_int_eq(loaded->market->n_links, 0);
    pw_case_destroy(loaded);
    pw_case_destroy(NULL);
    scratch_close(&scratch);
}
END_TEST

/* Tables are looked for beside the case, wherever the program runs; -s paths too; absolute ones stay. */
START_TEST(paths_are_relative_to_the_case)
{
    static const char *const table = "agent,asset,p_min,p_max,a,b\n0,,-1,0,0,1\n1,,0,1,0,0\n";
    struct scratch home = scratch_open(), away = scratch_open();
    char override[200], yaml[200];
    const char *overrides[] = {override};
    scratch_write(&home, "case.yaml", "peerwatt: 1\nmarket: {assets: a.csv}\n");
    scratch_write(&home, "a.csv", table);
    scratch_write(&away, "a.csv", "agent,asset,p_min,p_max,a,b\n0,,-1,1,0,1\n1,,0,1,0,0\n2,,0,1,0,0\n");
    struct pw_case *loaded = load(scratch_path(&home, "case.yaml"), NULL, 0);
    ck_assert_int_eq(loaded->market->n_agents, 2);
    pw_case_destroy(loaded);
    snprintf(override, sizeof override, "market.assets=../%s/a.csv", strrchr(away.folder, '/') + 1);
    loaded = load(scratch_path(&home, "case.yaml"), overrides, 1);
    ck_assert_int_eq(loaded->market->n_agents, 3);
    pw_case_destroy(loaded);
    snprintf(yaml, sizeof yaml, "peerwatt: 1\nmarket: {assets: %s}\n", scratch_path(&away, "a.csv"));
    scratch_write(&home, "case.yaml", yaml);
    loaded = load(scratch_path(&home, "case.yaml"), NULL, 0);
    ck_assert_int_eq(loaded->market->n_agents, 3);
    pw_case_destroy(loaded);
    scratch_close(&home);
    scratch_close(&away);
}
END_TEST

/* Each input with the digest that sha256sum gives for the same bytes. */
START_TEST(inputs_are_noted_with_their_digest)
{
    struct scratch scratch = scratch_open();
    scratch_write(&scratch, "case.yaml", "peerwatt: 1\nmarket: {assets: a.csv}\n");
    scratch_write(&scratch, "a.csv", "agent,asset,p_min,p_max,a,b\n0,,-1,0,0,1\n1,,0,1,0,0\n");
    struct pw_case *loaded = load(scratch_path(&scratch, "case.yaml"), NULL, 0);
    ck_assert_int_eq(loaded->n_inputs, 2);
    ck_assert_str_eq(loaded->inputs[0].path, scratch_path(&scratch, "case.yaml"));
    ck_assert_str_eq(loaded->inputs[0].digest,
                     "ba02f4fa9f4818291dbc7c3c42ab9cdabaed3cf0d320091d97770ff95391315d");
    ck_assert_str_eq(loaded->inputs[1].path, scratch_path(&scratch, "a.csv"));
    ck_assert_str_eq(loaded->inputs[1].digest,
                     "ad051f97d884ccba67c5efeef83a97037d3da858af46ff1337de987c3b25501f");
    pw_case_destroy(loaded);
    scratch_close(&scratch);
}
END_TEST

/* ---- Warnings ---- */

static const struct {
    const char *more;     /* beside a market of two agents */
    const char *warns[6]; /* each warning starts so */
} warned[] = {
    {"", {NULL}},
    {"network: {delay: {mean_s: 1, std_s: 2, min_s: 3}}",
     {"network.delay.mean_s is given but not used: the delay model is none", "network.delay.std_s",
      "network.delay.min_s"}},
    {"network: {delay: {model: constant, mean_s: 1, std_s: 2}}",
     {"network.delay.std_s is given but not used"}},
    {"network: {delay: {model: exponential, mean_s: 1, std_s: 2, min_s: 0}}", {"network.delay.std_s"}},
    {"network: {delay: {model: gaussian, mean_s: 1, std_s: 2, min_s: 0}}", {NULL}},
    {"network: {delay: {model: constant}}",
     {"network.delay.model is given but not used: network.delay.mean_s is 0"}},
    {"network: {delay: {model: constant, mean_s: 1}}", {NULL}},
    {"network: {delay: {model: gaussian, std_s: 1}}", {NULL}},
    {"network: {retransmit_s: 1}", {"network.retransmit_s is given but not used: no message is lost"}},
    {"network: {retransmit_s: 1, loss: 0.1}", {NULL}},
    {"network: {retransmit: never, burst_length: 2, burst_loss: 0.5, retransmit_max_s: 1}",
     {"network.burst_length is given but not used: no message is lost", "network.burst_loss",
      "network.retransmit is", "network.retransmit_max_s"}},
    {"network: {loss: 0.1, burst_loss: 0.5, retransmit_max_s: 1}",
     {"network.burst_loss is given but not used: network.burst_length is 0", "network.retransmit_max_s"}},
    {"network: {loss: 0.1, burst_length: 3, burst_loss: 0.5, retransmit: doubling, retransmit_max_s: 1}",
     {NULL}},
    {"network: {compute_s: 0.1}", {"network.compute_s"}},
    {"network: {compute_s: 0, pause_s: 0, retransmit: fixed, delay: {std_s: 0}}", {NULL}}, /* the defaults */
    {"network: {compute_s: 0, compute_spread: 2, stragglers: 0.1, pause_every_s: 1, pause_s: 1}",
     {"network.compute_spread is given but not used: on the wall clock", "network.stragglers",
      "network.pause_every_s", "network.pause_s"}},
    {"network: {delay: {model: constant, mean_s: 1}, compute_spread: 2, stragglers: 0.1, pause_s: 1}\n"
     "run: {clock: virtual}",
     {"network.compute_spread is given but not used: network.compute_s is 0", "network.stragglers",
      "network.pause_s is given but not used: network.pause_every_s is 0"}},
    {"network: {compute_s: 1, compute_spread: 2, straggler_factor: 2, pause_every_s: 1}\nrun: {clock: "
     "virtual}",
     {"network.straggler_factor is given but not used: network.stragglers is 0", "network.pause_every_s"}},
    {"stop: {tolerance: 1e-3, primal: 1, dual: 1}", {NULL}},
    {"stop: {tolerance: 1e-3, primal: 1, dual: 1, price: 1}", {"stop.tolerance is given but not used"}},
};

START_TEST(settings_without_use_are_warned_about)
{
    struct scratch scratch = scratch_open();
    char yaml[300];
    snprintf(yaml, sizeof yaml, "peerwatt: 1\nmarket: {assets: a.csv}\n%s\n", warned[_i].more);
    scratch_write(&scratch, "case.yaml", yaml);
    scratch_write(&scratch, "a.csv", "agent,asset,p_min,p_max,a,b\n0,,-1,0,0,1\n1,,0,1,0,0\n");
    struct pw_case *loaded = load(scratch_path(&scratch, "case.yaml"), NULL, 0);
    int expected = 0;
    while (warned[_i].warns[expected] != NULL)
        expected++;
    ck_assert_int_eq(loaded->n_warnings, expected);
    for (int i = 0; i < expected; i++)
        ck_assert_msg(strncmp(loaded->warnings[i], warned[_i].warns[i], strlen(warned[_i].warns[i])) == 0,
                      "%s", loaded->warnings[i]);
    pw_case_destroy(loaded);
    scratch_close(&scratch);
}
END_TEST

START_TEST(assets_that_stand_twice_are_warned_about)
{
    struct scratch scratch = scratch_open();
    scratch_write(&scratch, "case.yaml", "peerwatt: 1\nmarket: {assets: a.csv}\n");
    scratch_write(
        &scratch, "a.csv",
        "agent,asset,p_min,p_max,a,b\n0,load,-1,0,0,1\n1,sun,0,1,0,0\n1,wind,0,1,0,0\n1,sun,0,1,0,.5\n");
    struct pw_case *loaded = load(scratch_path(&scratch, "case.yaml"), NULL, 0);
    ck_assert_int_eq(loaded->n_warnings, 0);
    pw_case_destroy(loaded);
    scratch_write(
        &scratch, "a.csv",
        "agent,asset,p_min,p_max,a,b\n0,load,-1,0,0,1\n1,sun,0,1,0,0\n1,wind,0,1,0,0\n1,sun,0,1,0,0\n");
    loaded = load(scratch_path(&scratch, "case.yaml"), NULL, 0);
    ck_assert_int_eq(loaded->n_warnings, 1);
    ck_assert_str_eq(loaded->warnings[0],
                     "market.assets: agent 1 has the asset sun twice, the same in every number: both count");
    pw_case_destroy(loaded);
    scratch_close(&scratch);
}
END_TEST

/* A recipe without its size beside tables draws nothing; more warnings than there is room for do no harm. */
START_TEST(a_recipe_beside_tables_is_warned_about)
{
    struct scratch scratch = scratch_open();
    const char *overrides[] = {
        "market.generate={consumers: 0.4, seed: 2, consumer: {a: 1, b: 1, p_min: 1, p_max: 1}, producer: {a: "
        "1, "
        "b: 1, p_min: 1, p_max: 1}}",
        "network={retransmit_s: 1, compute_s: 1, delay: {mean_s: 1, std_s: 1, min_s: 1}}",
        "stop={tolerance: 0.1, primal: 1, dual: 1, price: 1}"};
    scratch_write(&scratch, "case.yaml", "peerwatt: 1\nmarket: {assets: a.csv}\n");
    scratch_write(&scratch, "a.csv", "agent,asset,p_min,p_max,a,b\n0,,-1,0,0,1\n1,,0,1,0,0\n");
    struct pw_case *loaded = load(scratch_path(&scratch, "case.yaml"), overrides, 1);
    ck_assert_int_eq(loaded->n_warnings, 10);
    ck_assert_ptr_nonnull(strstr(loaded->warnings[1], "market.generate.seed is given but not used"));
    pw_case_destroy(loaded);
    loaded = load(scratch_path(&scratch, "case.yaml"), overrides, 3);
    ck_assert_int_eq(loaded->n_warnings, (int)(sizeof loaded->warnings / sizeof *loaded->warnings));
    pw_case_destroy(loaded);
    scratch_close(&scratch);
}
END_TEST

/* ---- The network of the settings ---- */

START_TEST(the_network_is_that_of_the_settings)
{
    struct pw_settings settings;
    struct pw_error err;
    pw_settings_default(&settings);
    ck_assert_int_eq(pw_settings_override(&settings,
                                          "network={delay: {model: gaussian, mean_s: 3, std_s: 2, min_s: 1}, "
                                          "loss: 0.25, retransmit_s: 5}",
                                          &err),
                     PW_OK);
    ck_assert_int_eq(pw_settings_override(&settings, "run.seed=99", &err), PW_OK);
    struct pw_network network = pw_case_network(&settings, NULL);
    ck_assert_str_eq(network.model->name, "gaussian");
    ck_assert(network.delay.mean_s == 3 && network.delay.std_s == 2 && network.delay.min_s == 1);
    ck_assert(network.loss == 0.25 && network.retransmit_s == 5 && network.seed == 99);
}
END_TEST

/* ---- Recipes ---- */

static struct pw_market *generated(const struct pw_settings *settings)
{
    struct pw_market *market;
    struct pw_error err = {0};
    ck_assert_msg(pw_generate(settings, &market, &err) == PW_OK, "%s", err.text);
    return market;
}

/* Any size and share: the consumers come first, every figure lies in its law. */
START_TEST(recipes_keep_their_laws)
{
    static const int sizes[] = {2, 3, 10, 101, 5000};
    static const double shares[] = {0, 0.1, 0.25, 0.5, 1};
    static const int consumers[5][5] = {
        {0, 0, 1, 1, 2}, {0, 0, 1, 2, 3}, {0, 1, 3, 5, 10}, {0, 10, 25, 51, 101}, {0, 500, 1250, 2500, 5000}};
    for (int i = 0; i < 25; i++) {
        int wrong = 0;
        struct pw_settings settings;
        pw_settings_default(&settings);
        settings.generate_agents = sizes[i / 5];
        settings.generate_consumers = shares[i % 5];
        settings.producer_p_min = (struct pw_law){3, 3};
        struct pw_market *m = generated(&settings);
        ck_assert(m->n_agents == sizes[i / 5] && m->n_assets == m->n_agents && m->n_links == 0);
        for (int n = 0; n < m->n_agents; n++) {
            int consumes = n < consumers[i / 5][i % 5];
            wrong += m->asset_first[n] != n || m->asset_first[n + 1] != n + 1;
            wrong += strcmp(m->asset_name[n], consumes ? "load" : "gen") != 0;
            wrong += !(m->a[n] >= 0.05 && m->a[n] <= 0.15);
            wrong += !(m->b[n] >= (consumes ? 8 : 1) && m->b[n] <= (consumes ? 12 : 5));
            wrong += !(consumes ? m->p_min[n] >= -15 && m->p_min[n] <= -5 : m->p_min[n] == 3);
            wrong += !(m->p_max[n] >= (consumes ? -3 : 5) && m->p_max[n] <= (consumes ? -1 : 20));
        }
        ck_assert_int_eq(wrong, 0);
        pw_market_destroy(m);
    }
}
END_TEST

/* Mean and variance of each figure over many agents, five standard errors around those of its law; and no two
 * figures of an agent go together. */
START_TEST(recipes_draw_uniformly_and_independently)
{
    enum { AGENTS = 40000 };
    struct pw_settings settings;
    pw_settings_default(&settings);
    settings.generate_agents = AGENTS;
    settings.generate_consumers = 0;
    settings.producer_a = settings.producer_b = settings.producer_p_min = (struct pw_law){0, 1};
    settings.producer_p_max = (struct pw_law){1, 2};
    struct pw_market *m = generated(&settings);
    const double *figures[] = {m->a, m->b, m->p_min, m->p_max};
    for (int i = 0; i < 4; i++) {
        double middle = i == 3 ? 1.5 : 0.5;
        for (int j = 0; j <= i; j++) {
            double mean = 0, product = 0, middle_j = j == 3 ? 1.5 : 0.5;
            for (int n = 0; n < AGENTS; n++) {
                mean += figures[i][n] / AGENTS;
                product += (figures[i][n] - middle) * (figures[j][n] - middle_j) / AGENTS;
            }
            /* (u - 1/2)^2 has mean 1/12 and variance 1/180; a product of two has mean 0 and variance 1/144.
             */
            ck_assert_double_lt(fabs(mean - middle), 5 * sqrt(1.0 / 12 / AGENTS));
            ck_assert_double_lt(fabs(product - (i == j ? 1.0 / 12 : 0)), 5 * sqrt(1.0 / 144 / AGENTS));
        }
    }
    pw_market_destroy(m);
}
END_TEST

static int same_figures(const struct pw_market *x, const struct pw_market *y, int from, int to)
{
    size_t size = (size_t)(to - from) * sizeof(double);
    return memcmp(x->a + from, y->a + from, size) == 0 && memcmp(x->b + from, y->b + from, size) == 0 &&
           memcmp(x->p_min + from, y->p_min + from, size) == 0 &&
           memcmp(x->p_max + from, y->p_max + from, size) == 0;
}

/* The same seed gives the same market; an agent's draws do not depend on how many others there are, as long
 * as it stays on its side; another seed gives others; run.seed gives the same. */
START_TEST(recipes_depend_on_their_seed_only)
{
    struct pw_settings settings;
    pw_settings_default(&settings);
    settings.generate_agents = 100;
    struct pw_market *hundred = generated(&settings), *again = generated(&settings);
    ck_assert(same_figures(hundred, again, 0, 100));
    settings.seed = 77;
    struct pw_market *other_run = generated(&settings);
    ck_assert(same_figures(hundred, other_run, 0, 100));
    settings.generate_agents = 160; /* consumers 0 .. 79 */
    struct pw_market *more = generated(&settings);
    ck_assert(same_figures(hundred, more, 0, 50));
    ck_assert(same_figures(hundred, more, 80, 100));
    settings.generate_seed = 2;
    struct pw_market *other = generated(&settings);
    for (int n = 0; n < 160; n++)
        ck_assert(other->a[n] != more->a[n] && other->b[n] != more->b[n]);
    struct pw_market *all[] = {hundred, again, other_run, more, other};
    for (int i = 0; i < 5; i++)
        pw_market_destroy(all[i]);
}
END_TEST

/* ---- The cases that ship ---- */

START_TEST(shipped_cases_load)
{
    static const struct {
        const char *path;
        int agents, assets, links; /* links 0: random */
    } shipped[] = {{"configs/cases/ieee39.yaml", 31, 31, 465},
                   {"configs/cases/street.yaml", 13, 31, 78},
                   {"configs/cases/random.yaml", 100, 100, 0},
                   {"configs/cases/day.yaml", 17, 38, 136},
                   {"configs/cases/village.yaml", 19, 25, 21}};
    for (size_t i = 0; i < sizeof shipped / sizeof *shipped; i++) {
        struct pw_case *loaded = load(shipped[i].path, NULL, 0);
        ck_assert_int_eq(loaded->market->n_agents, shipped[i].agents);
        ck_assert_int_eq(loaded->market->n_assets, shipped[i].assets);
        if (shipped[i].links > 0)
            ck_assert_int_eq(loaded->market->n_links, shipped[i].links);
        ck_assert_int_eq(loaded->n_warnings, 0);
        pw_case_destroy(loaded);
    }
}
END_TEST

Suite *market_suite(void)
{
    Suite *suite = suite_create("market");
    TCase *tables = tcase_create("tables"), *recipes = tcase_create("recipes");
    tcase_add_test(tables, tables_become_the_market);
    tcase_add_test(tables, names_and_coordinates_are_optional);
    tcase_add_test(tables, paths_are_relative_to_the_case);
    tcase_add_test(tables, inputs_are_noted_with_their_digest);
    tcase_add_loop_test(tables, settings_without_use_are_warned_about, 0,
                        (int)(sizeof warned / sizeof *warned));
    tcase_add_test(tables, assets_that_stand_twice_are_warned_about);
    tcase_add_test(tables, a_recipe_beside_tables_is_warned_about);
    tcase_add_test(tables, the_network_is_that_of_the_settings);
    tcase_add_test(tables, shipped_cases_load);
    tcase_add_test(recipes, recipes_keep_their_laws);
    tcase_add_test(recipes, recipes_draw_uniformly_and_independently);
    tcase_add_test(recipes, recipes_depend_on_their_seed_only);
    suite_add_tcase(suite, tables);
    suite_add_tcase(suite, recipes);
    return suite;
}
