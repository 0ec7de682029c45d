/* What a network knows from files: reading it, refusing it, handing it on, and what comes of it. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/case.h"
#include "common/net_tables.h"
#include "tests/unit/delays.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suites.h"

#define HEAD "peerwatt: 1\nmarket: {assets: assets.csv, agents: agents.csv, links: links.csv}\n"
#define OWN "network:\n  delay: {model: gaussian, mean_s: 1, std_s: 0.5, min_s: 0.25, links: net.csv}\n"
#define VIRTUAL "run: {clock: virtual}\n"

/* Three agents in a row, the first and the last not linked. */
static void write_market(struct scratch *scratch, const char *yaml, const char *net)
{
    scratch_write(scratch, "case.yaml", yaml);
    scratch_write(scratch, "assets.csv",
                  "agent,asset,p_min,p_max,a,b\n0,,-2,2,1,1\n1,,-2,2,1,2\n2,,-2,2,1,3\n");
    scratch_write(scratch, "agents.csv", "agent,name,x,y\n0,a,0,0\n1,b,3,4\n2,c,3,5\n");
    scratch_write(scratch, "links.csv", "agent_a,agent_b\n1,0\n1,2\n");
    if (net != NULL)
        scratch_write(scratch, "net.csv", net);
}

static struct pw_case *load(const char *yaml, const char *net)
{
    struct scratch scratch = scratch_open();
    struct pw_case *loaded;
    struct pw_error err = {0};
    write_market(&scratch, yaml, net);
    enum pw_code code = pw_case_load(scratch_path(&scratch, "case.yaml"), NULL, 0, &loaded, &err);
    ck_assert_msg(code == PW_OK, "%s", err.text);
    scratch_close(&scratch);
    return loaded;
}

/* ---- What is refused ---- */

static const struct {
    const char *yaml, *net, *place, *also;
} wrong[] = {
    {HEAD OWN, NULL, "/case.yaml:4: network.delay.links: ", "net.csv: cannot be opened"},
    {HEAD OWN, "", "/net.csv:1: the table is empty", ""},
    {HEAD OWN, "agent_a,agent_b,mean\n", "/net.csv:1: unknown column \"mean\"", "did you mean \"mean_s\"?"},
    {HEAD OWN, "agent_a,mean_s\n", "/net.csv:1: column \"agent_b\" is missing", ""},
    {HEAD OWN, "agent_a,agent_b,mean_s\n0,1,2\n0,2,1\n", "/net.csv:3: agents 0 and 2 have no link", ""},
    {HEAD OWN, "agent_a,agent_b,mean_s\n0,0,2\n", "/net.csv:2: agents 0 and 0 have no link", ""},
    {HEAD OWN, "agent_a,agent_b,mean_s\n0,3,2\n", "/net.csv:2: agent_b: \"3\" is not an id", "from 0 to 2"},
    {HEAD OWN, "agent_a,agent_b,mean_s\n0,1,2\n\n1,0,1\n", "/net.csv:4: agents 1 and 0 are given twice",
     "first in line 2"},
    {HEAD OWN, "agent_a,agent_b,mean_s\n0,1,-1\n", "/net.csv:2: mean_s: -1 does not fit", "[0, 86400]"},
    {HEAD OWN, "agent_a,agent_b,std_s\n0,1,86401\n", "/net.csv:2: std_s: 86401 does not fit", "[0, 86400]"},
    {HEAD OWN, "agent_a,agent_b,min_s\n0,1,1ms\n", "/net.csv:2: min_s: \"1ms\" is not a number", ""},
    {HEAD OWN, "agent_a,agent_b,loss\n0,1,1\n", "/net.csv:2: loss: 1 does not fit", "[0, 1)"},
    {HEAD OWN, "agent_a,agent_b,min_s,mean_s\n0,1,9,\n", "/net.csv:2: min_s 9 lies more than", "mean_s 1"},
    {HEAD OWN "  burst_length: 1.5\n", "agent_a,agent_b,loss\n1,2,0.5\n", "/net.csv:2: bad spells of 1.5",
     ""},
    {HEAD OWN "  retransmit: never\n", "agent_a,agent_b,loss\n1,2,0.5\n",
     "/case.yaml:5: network.retransmit: never: only the exchanges", ""},
    {HEAD "network:\n  delay: {model: empirical}\n", NULL,
     "/case.yaml:4: network.delay.model: empirical needs network.delay.file", ""},
    {HEAD "network:\n  delay: {model: empirical, file: no.csv}\n", NULL,
     "/case.yaml:4: network.delay.file: ", "no.csv: cannot be opened"},
    {HEAD "network:\n  delay: {model: empirical, file: net.csv}\n", "delay_s\n", "/net.csv:1: no delay", ""},
    {HEAD "network:\n  delay: {model: empirical, file: net.csv}\n", "delay\n1\n",
     "/net.csv:1: unknown column \"delay\"", "did you mean \"delay_s\"?"},
    {HEAD "network:\n  delay: {model: empirical, file: net.csv}\n", "delay_s\n1\n-1\n",
     "/net.csv:3: delay_s: -1 does not fit", "[0, 86400]"},
    {HEAD "network:\n  delay: {model: empirical, file: net.csv}\n", "delay_s\n1\nx\n",
     "/net.csv:3: delay_s: \"x\" is not a number", ""},
    {HEAD "network:\n  delay: {model: empirical, file: net.csv}\n" VIRTUAL, "delay_s\n0\n",
     "/case.yaml:5: run.clock: ", "something must take time"},
    {"peerwatt: 1\nmarket: {assets: assets.csv}\nnetwork:\n  delay: {model: distance}\n", NULL,
     "/case.yaml:4: network.delay.model: distance needs the columns x and y", "market.agents"},
    {HEAD "network:\n  delay: {model: distance, speed: 0}\n", NULL,
     "/case.yaml:4: network.delay.speed: ", "in (0, "},
};

START_TEST(wrong_tables_are_told)
{
    struct scratch scratch = scratch_open();
    struct pw_case *loaded;
    struct pw_error err = {0};
    write_market(&scratch, wrong[_i].yaml, wrong[_i].net);
    ck_assert_int_eq(pw_case_load(scratch_path(&scratch, "case.yaml"), NULL, 0, &loaded, &err), PW_USAGE);
    ck_assert_ptr_null(loaded);
    ck_assert_msg(strstr(err.text, wrong[_i].place) != NULL && strstr(err.text, wrong[_i].also) != NULL, "%s",
                  err.text);
    scratch_close(&scratch);
}
END_TEST

/* ---- What is read ---- */

START_TEST(links_have_their_own_values)
{
    struct pw_case *loaded = load(HEAD OWN, "loss,agent_a,mean_s,agent_b,min_s\n0.25,2,4,1,\n,0,,1,0.125\n");
    struct pw_network network = pw_case_network(&loaded->settings, loaded->net);
    struct pw_delay first = pw_network_delay(&network, 0), second = pw_network_delay(&network, 1);
    ck_assert(first.mean_s == 1 && first.std_s == 0.5 && first.min_s == 0.125);
    ck_assert(second.mean_s == 4 && second.std_s == 0.5 && second.min_s == 0.25);
    ck_assert(pw_network_loss(&network, 0) == 0 && pw_network_loss(&network, 1) == 0.25);
    ck_assert(pw_network_may_lose(&network) && !pw_network_is_instant(&network));
    ck_assert(pw_network_least_s(&network) == 0.125);
    double mean = (network.model->mean(&first) + network.model->mean(&second)) / 2;
    ck_assert_double_eq_tol(pw_network_mean_s(&network), mean, 1e-15);
    ck_assert(loaded->n_inputs == 5 && loaded->n_warnings == 0);
    pw_case_destroy(loaded);
}
END_TEST

/* Offers of a link follow its own values and nobody else's: both directions. */
START_TEST(passages_follow_their_link)
{
    struct pw_case *loaded = load(HEAD OWN, "agent_a,agent_b,mean_s,std_s,loss\n1,2,4,0,0.5\n");
    struct pw_network network = pw_case_network(&loaded->settings, loaded->net), common = network;
    int lost = 0;
    common.data = NULL;
    for (uint32_t i = 0; i < 4000; i++) {
        struct pw_passage own = pw_network_pass(&network, 1, i & 1, i);
        ck_assert_double_eq_tol(own.delay_s, 4 + own.losses * network.retransmit_s, 1e-12);
        ck_assert(pw_network_pass(&network, 0, i & 1, i).delay_s ==
                  pw_network_pass(&common, 0, i & 1, i).delay_s);
        lost += own.losses > 0;
    }
    ck_assert_double_le(fabs(lost / 4000.0 - 0.5), 5 * sqrt(0.25 / 4000));
    ck_assert_double_eq(pw_network_least_s(&network), 0.25);
    pw_case_destroy(loaded);
}
END_TEST

START_TEST(distances_come_from_coordinates)
{
    struct pw_case *loaded =
        load(HEAD "network:\n  delay: {model: distance, speed: 2, min_s: 0.5, hop_length: "
                  "4, hop_s: 0.25, jitter_s: 0.125, links: net.csv}\n",
             "agent_a,agent_b,min_s\n0,1,1\n");
    struct pw_network network = pw_case_network(&loaded->settings, loaded->net);
    struct pw_delay far = pw_network_delay(&network, 0), near = pw_network_delay(&network, 1);
    ck_assert(far.distance == 5 && near.distance == 1);
    ck_assert_double_eq(network.model->mean(&far), 1 + 2.5 + 2 * 0.25 + 0.125);
    ck_assert_double_eq(pw_network_least_s(&network), 0.5 + 0.5 + 0.25);
    pw_case_destroy(loaded);
}
END_TEST

START_TEST(measured_delays_are_sorted)
{
    struct pw_case *loaded =
        load(HEAD "network:\n  delay: {model: empirical, file: net.csv}\n" VIRTUAL, "delay_s\n3\n0.5\n1\n");
    struct pw_network network = pw_case_network(&loaded->settings, loaded->net);
    ck_assert(network.delay.n_values == 3 && pw_network_least_s(&network) == 0.5);
    ck_assert_double_eq(pw_network_mean_s(&network), 1.5);
    ck_assert_int_eq(loaded->n_inputs, 5);
    pw_case_destroy(loaded);
}
END_TEST

START_TEST(unused_values_are_warned_about)
{
    struct pw_case *loaded =
        load(HEAD "network:\n  delay: {model: constant, mean_s: 1, links: net.csv, speed: "
                  "1, hop_s: 1, file: x.csv}\n",
             "agent_a,agent_b,std_s,mean_s\n0,1,1,2\n");
    static const char *const expected[] = {
        "network.delay.speed is given but not used: the delay model is constant", "network.delay.hop_s is",
        "network.delay.file is", "network.delay.links is given but not used: column std_s, the delay model"};
    ck_assert_int_eq(loaded->n_warnings, 4);
    for (int i = 0; i < 4; i++)
        ck_assert_msg(strncmp(loaded->warnings[i], expected[i], strlen(expected[i])) == 0, "%s",
                      loaded->warnings[i]);
    pw_case_destroy(loaded);
}
END_TEST

/* ---- Handing it on ---- */

static void expect_same(const double *x, const double *y, size_t count)
{
    ck_assert_int_eq(x == NULL, y == NULL);
    ck_assert(x == NULL || memcmp(x, y, count * sizeof(double)) == 0);
}

START_TEST(data_survive_packing)
{
    for (unsigned kinds = 0; kinds < 1u << (PW_LINK_VALUES + 1); kinds++) {
        struct pw_net_data *data = pw_net_data_create(7);
        for (int v = 0; v < PW_LINK_VALUES; v++) {
            if (kinds >> v & 1)
                pw_net_data_add(data, (enum pw_link_value)v)[3] = v + 0.5;
        }
        if (kinds >> PW_LINK_VALUES) {
            data->n_delays = 2;
            data->delays_s = calloc(2, sizeof(double));
            data->delays_s[1] = 9;
        }
        unsigned char *bytes = malloc(pw_net_data_pack_size(data));
        pw_net_data_pack(data, bytes);
        struct pw_net_data *copy = pw_net_data_unpack(bytes);
        free(bytes);
        ck_assert(copy->n_links == 7 && copy->n_delays == data->n_delays);
        for (int v = 0; v < PW_LINK_VALUES; v++)
            expect_same(data->of_link[v], copy->of_link[v], 7);
        ck_assert(data->n_delays == 0 || memcmp(data->delays_s, copy->delays_s, 2 * sizeof(double)) == 0);
        pw_net_data_destroy(data);
        pw_net_data_destroy(copy);
    }
    pw_net_data_destroy(NULL);
}
END_TEST

Suite *net_tables_suite(void)
{
    Suite *suite = suite_create("net_tables");
    TCase *tables = tcase_create("tables");
    tcase_add_loop_test(tables, wrong_tables_are_told, 0, (int)(sizeof wrong / sizeof *wrong));
    tcase_add_test(tables, links_have_their_own_values);
    tcase_add_test(tables, passages_follow_their_link);
    tcase_add_test(tables, distances_come_from_coordinates);
    tcase_add_test(tables, measured_delays_are_sorted);
    tcase_add_test(tables, unused_values_are_warned_about);
    tcase_add_test(tables, data_survive_packing);
    suite_add_tcase(suite, tables);
    return suite;
}
