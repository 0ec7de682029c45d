/* Wrong cases: a table of inputs, each with the exit code and the place that the one line of error names. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/case.h"
#include "common/market_pack.h"
#include "common/memory.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suites.h"

#define HEAD "peerwatt: 1\nname: x\nmarket:\n  assets: assets.csv\n"
#define CASE HEAD "  links: all\n"
#define WITH_LINKS HEAD "  links: links.csv\n"
#define WITH_AGENTS HEAD "  agents: agents.csv\n"
#define POOL "negotiation:\n  exchange: pool\n"
#define RECIPE "peerwatt: 1\nmarket:\n  generate:\n    agents: 10\n"
#define ASSETS "agent,asset,p_min,p_max,a,b\n0,load,-10,-1,0.1,9\n1,gen,0,20,0.1,2\n"
#define AGENTS "agent,name,x,y,bus\n"
#define LINKS "agent_a,agent_b,t_min,t_max,fee_a,fee_b\n"

/* NULL: the file is not written. */
struct wrong_case {
    const char *yaml, *assets, *agents, *links;
    int exit_code;
    const char *place; /* "file:line" and what follows, or another part of the message */
    const char *also;
};

static const struct wrong_case wrong_cases[] = {
    /* the case file */
    {NULL, NULL, NULL, NULL, 2, "/case.yaml: cannot be opened", ""},
    {"", ASSETS, NULL, NULL, 2, "/case.yaml:1: ", "peerwatt: 1"},
    {"name: x\n", ASSETS, NULL, NULL, 2, "/case.yaml:1: peerwatt: missing", ""},
    {"peerwatt: 3\n", ASSETS, NULL, NULL, 2, "/case.yaml:1: peerwatt: ", ""},
    {"peerwatt: 1\n\tname: x\n", ASSETS, NULL, NULL, 2, "/case.yaml:2: not valid YAML", "tab"},
    {CASE "run: {seed: &s 1}\n", ASSETS, NULL, NULL, 2, "/case.yaml:6: anchors", ""},
    {CASE "---\n", ASSETS, NULL, NULL, 2, "/case.yaml:6: only one document", ""},
    {CASE "negotiation:\n  delte: 0.5\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:7: negotiation.delte: ", "did you mean \"delta\"?"},
    {CASE "negotiation:\n  delta: 0\n", ASSETS, NULL, NULL, 2, "/case.yaml:7: negotiation.delta: ", "(0, 1]"},
    {CASE "stop:\n  primal: 1.5kW\n", ASSETS, NULL, NULL, 2, "/case.yaml:7: stop.primal: ", "\"1.5kW\""},
    {CASE "run:\n  seed: 010\n", ASSETS, NULL, NULL, 2, "/case.yaml:7: run.seed: ", "\"010\""},
    {CASE "stop:\n  dual: 1\n  dual: 2\n", ASSETS, NULL, NULL, 2, "/case.yaml:8: dual: given twice",
     "line 7"},
    {CASE "network:\n  loss: 1\n", ASSETS, NULL, NULL, 2, "/case.yaml:7: network.loss: ", "[0, 1)"},
    {CASE "network:\n  delay: {model: warp}\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:7: network.delay.model: ", "one of none"},
    {CASE "network:\n  delay:\n    model: exponential\n    min_s: 1\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:8: network.delay.model: ", "min_s 1 must not exceed mean_s 0"},
    {CASE "network:\n  delay: {model: gaussian, mean_s: 1, std_s: 0.1, min_s: 2}\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:7: network.delay.model: ", "min_s 2"},
    {CASE "network:\n  delay: {model: pareto, mean_s: 1}\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:7: network.delay.model: ", "give a min_s above 0 and up to mean_s 1"},
    {CASE "network:\n  loss: 0.5\n  burst_length: 1.9\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:8: network.burst_length: ", "at least 2 is expected"},
    {CASE "network:\n  loss: 0.5\n  burst_loss: 0.5\n  burst_length: 9\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:9: network.burst_length: ", "raise burst_loss"},
    {CASE "network:\n  loss: 0.5\n  retransmit: never\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:8: network.retransmit: never: ", "fixed or doubling is expected"},
    {CASE "network: {loss: 0.5, retransmit: doubling,\n  retransmit_max_s: 0.1}\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:7: network.retransmit_max_s: ", "at least network.retransmit_s"},
    {CASE "network:\n  compute_s: 1\n  compute_spread: 100\n  pause_every_s: 1e-3\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:9: network.pause_every_s: ", "at least 0.01 is expected"},
    {CASE "network:\n  pause_every_s: 1e-9\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:7: network.pause_every_s: ", "at least 1e-06, or 0"},
    {"peerwatt: 1\nmarket:\n  links: all\n", ASSETS, NULL, NULL, 2, "/case.yaml:1: market.assets: missing",
     "market.generate"},
    {RECIPE "  assets: assets.csv\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:4: market.generate.agents: ", "not both"},
    {RECIPE "  agents: agents.csv\n", ASSETS, AGENTS, NULL, 2, "/case.yaml:5: market.agents: ", "generated"},
    {RECIPE "    consumer: {p_max: -20}\n", NULL, NULL, NULL, 2,
     "/case.yaml:4: market.generate.agents: ", "consumer.p_min: agent 0 drew p_min"},
    {RECIPE "    producer: {p_min: [0, 100], p_max: 1}\n", NULL, NULL, NULL, 2,
     "/case.yaml:4: market.generate.agents: ", "producer.p_min: agent "},
    {"peerwatt: 1\nmarket:\n  generate: {agents: 100000}\n", NULL, NULL, NULL, 2,
     "/case.yaml:1: market.links: ", "about 5e+09 links"},
    /* tables that are not there */
    {"peerwatt: 1\nmarket:\n  assets: none.csv\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:3: market.assets: ", "/none.csv: cannot be opened"},
    {"peerwatt: 1\nmarket:\n  assets: .\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:3: market.assets: ", "is a folder"},
    {HEAD "  agents: none.csv\n", ASSETS, NULL, NULL, 2, "/case.yaml:5: market.agents: ", "none.csv: cannot"},
    {HEAD "  links: none.csv\n", ASSETS, NULL, NULL, 2, "/case.yaml:5: market.links: ", "none.csv: cannot"},
    {HEAD "  links: side\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:5: market.links: ", "did you mean \"sides\"?"},
    {HEAD "  links: {nearest: 1}\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:5: market.links: ", "nearest needs the columns x and y"},
    /* assets */
    {CASE, "", NULL, NULL, 2, "/assets.csv:1: the table is empty", ""},
    {CASE, "agent,asset,p_min,p_max,a,b\n", NULL, NULL, 2, "/assets.csv:1: no asset", ""},
    {CASE, "agent,asset,pmin,p_max,a,b\n", NULL, NULL, 2, "/assets.csv:1: unknown column \"pmin\"",
     "did you mean \"p_min\"?"},
    {CASE, "agent,asset,p_min,p_max,a\n", NULL, NULL, 2, "/assets.csv:1: column \"b\" is missing", ""},
    {CASE, ASSETS "2,load,-1\n", NULL, NULL, 2, "/assets.csv:4: 3 cells", ""},
    {CASE, ASSETS "\n2,load,5,-5,0.1,3\n", NULL, NULL, 2, "/assets.csv:5: p_min 5 is above p_max -5", ""},
    {CASE, ASSETS "2,load,-5,0,-0.1,3\n", NULL, NULL, 2, "/assets.csv:4: a: -0.1 is negative", ""},
    {CASE, ASSETS "2,load,nan,0,0.1,3\n", NULL, NULL, 2, "/assets.csv:4: p_min: \"nan\"", ""},
    {CASE, ASSETS "2,load,-inf,0,0.1,3\n", NULL, NULL, 2, "/assets.csv:4: p_min: \"-inf\"", ""},
    {CASE, ASSETS "2,load,-5,0x10,0.1,3\n", NULL, NULL, 2, "/assets.csv:4: p_max: \"0x10\"", ""},
    {CASE, ASSETS "2,load,-5,0,1.5kW,3\n", NULL, NULL, 2, "/assets.csv:4: a: \"1.5kW\"", ""},
    {CASE, ASSETS "2,load,-5,0,,3\n", NULL, NULL, 2, "/assets.csv:4: a: \"\"", ""},
    {CASE, ASSETS "2,load,-5,0,0.1,1e40\n", NULL, NULL, 2, "/assets.csv:4: b: 1e40 is too large", "1e+30"},
    {CASE, ASSETS "3,load,-5,0,0.1,3\n", NULL, NULL, 2, "/assets.csv:4: agent: 3 follows 1", "without gaps"},
    {CASE, "agent,asset,p_min,p_max,a,b\n1,x,0,0,0,0\n", NULL, NULL, 2, "/assets.csv:2: agent: 1 follows -1",
     ""},
    {CASE, ASSETS "-1,load,-5,0,0.1,3\n", NULL, NULL, 2, "/assets.csv:4: agent: \"-1\" is not an id", ""},
    {CASE, ASSETS "1.0,load,-5,0,0.1,3\n", NULL, NULL, 2, "/assets.csv:4: agent: \"1.0\" is not an id", ""},
    {CASE, ASSETS "99999999999,load,-5,0,0.1,3\n", NULL, NULL, 2, "/assets.csv:4: agent: ", "is not an id"},
    /* agents */
    {WITH_AGENTS, ASSETS, AGENTS "0,ann,0,0,1\n", NULL, 2, "/agents.csv:1: 1 rows", "2 agents"},
    {WITH_AGENTS, ASSETS, AGENTS, NULL, 2, "/agents.csv:1: 0 rows", "2 agents"},
    {WITH_AGENTS, ASSETS, AGENTS "0,ann,0,0,1\n0,bob,0,0,1\n", NULL, 2,
     "/agents.csv:3: agent: 0 is given twice", ""},
    {WITH_AGENTS, ASSETS, AGENTS "0,ann,0,0,1\n2,bob,0,0,1\n", NULL, 2, "/agents.csv:3: agent: \"2\" is not",
     "from 0 to 1"},
    {WITH_AGENTS, ASSETS, AGENTS "0,ann,0,north,1\n1,bob,0,0,1\n", NULL, 2, "/agents.csv:2: y: \"north\"",
     ""},
    {WITH_AGENTS, ASSETS, AGENTS "0,ann,0,0,b1\n1,bob,0,0,1\n", NULL, 2, "/agents.csv:2: bus: \"b1\"", ""},
    {WITH_AGENTS, ASSETS, "agent,name,x\n0,ann,0\n1,bob,0\n", NULL, 2, "/agents.csv:1: columns x and y", ""},
    {WITH_AGENTS, ASSETS, "agent,name,zon\n0,ann,0\n1,bob,0\n", NULL, 2,
     "/agents.csv:1: unknown column \"zon\"", "did you mean \"zone\"?"},
    {WITH_AGENTS, ASSETS,
     "agent,name\n0,ann\n1,b\xE9"
     "b\n",
     NULL, 2, "/agents.csv:3: not plain UTF-8", ""},
    /* links */
    {WITH_LINKS, ASSETS, NULL, LINKS "0,0,,,,\n", 2, "/links.csv:2: a link from agent 0 to itself", ""},
    {WITH_LINKS, ASSETS, NULL, LINKS "0,1,,,,\n\n1,0,,,,\n", 2,
     "/links.csv:4: agents 0 and 1 are linked twice, first in line 2", ""},
    {WITH_LINKS, ASSETS, NULL, LINKS "0,99,,,,\n", 2, "/links.csv:2: agent_b: \"99\"", "from 0 to 1"},
    {WITH_LINKS, ASSETS, NULL, LINKS "x,1,,,,\n", 2, "/links.csv:2: agent_a: \"x\"", ""},
    {WITH_LINKS, ASSETS, NULL, LINKS "0,1,2,1,,\n", 2, "/links.csv:2: t_min 2 is above t_max 1", ""},
    {WITH_LINKS, ASSETS, NULL, LINKS "0,1,,inf,,\n", 2, "/links.csv:2: t_max: \"inf\"", ""},
    {WITH_LINKS, ASSETS, NULL, LINKS "0,1,,,-1,\n", 2, "/links.csv:2: a fee is negative", ""},
    {WITH_LINKS, ASSETS, NULL, LINKS "0,1,,,1,-0.5\n", 2, "/links.csv:2: a fee is negative", ""},
    {WITH_LINKS, ASSETS, NULL, "agent_a,agent_c\n0,1\n", 2, "/links.csv:1: unknown column \"agent_c\"",
     "did you mean"},
    {WITH_LINKS, ASSETS, NULL, "agent_a,agent_b\n0,1,2\n", 2, "/links.csv:2: 3 cells", ""},
    /* a pool that is not one */
    {RECIPE "  links: pool\nnegotiation:\n  exchange: innovation\n", NULL, NULL, NULL, 2,
     "/case.yaml:7: negotiation.exchange: innovation: agents answer prices with their assets, and agent 10",
     "has none"},
    {CASE POOL, ASSETS "2,operator,0,0,0,0\n", NULL, NULL, 2,
     "/case.yaml:7: negotiation.exchange: pool needs a star round an operator; link 0-1: ",
     "an agent without power"},
    {WITH_LINKS POOL, ASSETS "2,one,0,0,0,0\n3,other,0,0,0,0\n", NULL, LINKS "0,2,,,,\n1,2,,,,\n1,3,,,,\n", 2,
     "/case.yaml:7: negotiation.exchange: ", "link 1-2: the agent has other links"},
    {WITH_LINKS POOL, ASSETS "2,one,0,0,0,0\n", NULL, LINKS "0,2,,,1,0\n1,2,,,1,0.5\n", 2,
     "/case.yaml:7: negotiation.exchange: ", "link 1-2: the operator pays a fee"},
    {CASE "negotiation: {exchange: innovation}\nstop:\n  criterion: trade\n", ASSETS, NULL, NULL, 2,
     "/case.yaml:8: stop.criterion: ", "global is expected"},
    {CASE "negotiation: {exchange: innovation}\nnetwork:\n  loss: 0.1\n  retransmit: never\n", ASSETS, NULL,
     NULL, 2, "/case.yaml:9: network.retransmit: never: ", "only the exchanges latest and stale"},
    /* well formed, but nobody can balance */
    {CASE, "agent,asset,p_min,p_max,a,b\n0,load,-10,-8,0.1,9\n1,gen,0,5,0.1,2\n", NULL, NULL, 4,
     "/case.yaml: ", "agent 0 must consume at least 8"},
    {WITH_LINKS, ASSETS, NULL, LINKS, 4, "/case.yaml: ", "agent 0 must consume at least 1 but at most 0"},
    {WITH_LINKS, ASSETS, NULL, LINKS "0,1,0,,,\n", 4, "/case.yaml: ", "agent 0 must consume"},
    {WITH_LINKS, ASSETS, NULL, LINKS "1,0,,0.5,,\n", 4, "/case.yaml: ", "agent 0 must consume"},
    {HEAD "  agents: agents.csv\n  links: {nearest: 1}\n", ASSETS "2,fixed,-4,-4,0,0\n3,load,-1,0,0,1\n",
     AGENTS "0,ann,0,0,\n1,bob,1,0,\n2,cy,90,0,\n3,di,91,0,\n", NULL, 4, "/case.yaml: ", "(cy)"},
    {RECIPE "    consumers: 1\n", NULL, NULL, NULL, 4, "/case.yaml: ", "must consume"},
};

static void write_if(const struct scratch *scratch, const char *name, const char *text)
{
    if (text != NULL)
        scratch_write(scratch, name, text);
}

START_TEST(wrong_cases_are_told)
{
    const struct wrong_case *wrong = &wrong_cases[_i];
    struct scratch scratch = scratch_open();
    struct pw_case *loaded;
    struct pw_error err = {0};
    write_if(&scratch, "case.yaml", wrong->yaml);
    write_if(&scratch, "assets.csv", wrong->assets);
    write_if(&scratch, "agents.csv", wrong->agents);
    write_if(&scratch, "links.csv", wrong->links);
    int code = (int)pw_case_load(scratch_path(&scratch, "case.yaml"), NULL, 0, &loaded, &err);
    scratch_close(&scratch);
    ck_assert_msg(code == wrong->exit_code, "%s expected, got %d %s", wrong->place, code, err.text);
    ck_assert_int_eq(err.code, code);
    ck_assert_ptr_null(loaded);
    ck_assert_msg(strstr(err.text, wrong->place) != NULL, "%s expected, got: %s", wrong->place, err.text);
    ck_assert_msg(strstr(err.text, wrong->also) != NULL, "\"%s\" expected, got: %s", wrong->also, err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
}
END_TEST

/* A table that is no text is told with its line, whichever table it is. */
START_TEST(binary_tables_are_told)
{
    static const char *const names[] = {"assets.csv", "agents.csv", "links.csv"};
    for (int i = 0; i < 3; i++) {
        struct scratch scratch = scratch_open();
        struct pw_case *loaded;
        struct pw_error err = {0};
        char expected[40];
        scratch_write(&scratch, "case.yaml", HEAD "  agents: agents.csv\n  links: links.csv\n");
        scratch_write(&scratch, "assets.csv", ASSETS);
        scratch_write(&scratch, "agents.csv", AGENTS "0,ann,0,0,\n1,bob,0,0,\n");
        scratch_write(&scratch, "links.csv", LINKS "0,1,,,,\n");
        scratch_write_bytes(&scratch, names[i], "a,b\n\0\1\2\n", 9);
        ck_assert_int_eq(pw_case_load(scratch_path(&scratch, "case.yaml"), NULL, 0, &loaded, &err), PW_USAGE);
        snprintf(expected, sizeof expected, "/%s:2: a NUL byte", names[i]);
        ck_assert_msg(strstr(err.text, expected) != NULL, "%s", err.text);
        scratch_close(&scratch);
    }
}
END_TEST

/* Markets that the settings alone describe, and the key that says otherwise of the last ones. */
static const struct recipe {
    const char *yaml;
    int is_drawn;
} recipes[] = {
    {"  links: all\n", 1},
    {"  links: sides\n  fee: 0.5\n", 1},
    {"  links: {random: 0.5, among: sides, seed: 4}\n", 1},
    {"  links: {peers: 3}\n", 1},
    {"  links: pool\n", 1},
    {"    communities: 2\n  links: {communities: mesh, between: pool}\n", 1},
    {"  links: {choose: greedy, peers: 3}\n", 0},
    {"  links: links.csv\n", 0},
    {"    communities: 2\n  links: all\n  fees: {community: 0.5}\n", 0},
};

/* Every rank makes the market that rank 0 reads. */
START_TEST(a_drawn_market_is_the_one_that_is_read)
{
    const struct recipe *recipe = &recipes[_i];
    struct scratch scratch = scratch_open();
    struct pw_case *loaded;
    struct pw_error err = {0};
    char yaml[400];
    snprintf(yaml, sizeof yaml, RECIPE "    seed: 7\n%s", recipe->yaml);
    scratch_write(&scratch, "case.yaml", yaml);
    scratch_write(&scratch, "links.csv", LINKS "0,9,,,,\n1,9,,,,\n2,9,,,,\n3,9,,,,\n4,9,,,,\n5,9,,,,\n");
    int code = (int)pw_case_load(scratch_path(&scratch, "case.yaml"), NULL, 0, &loaded, &err);
    ck_assert_msg(code == PW_OK, "%s", err.text);
    ck_assert_int_eq(pw_case_is_drawn(&loaded->settings), recipe->is_drawn);
    if (recipe->is_drawn) {
        struct pw_market *drawn = pw_case_draw(&loaded->settings, NULL);
        size_t size = pw_market_pack_size(loaded->market);
        unsigned char *bytes = pw_alloc(size, 1), *others = pw_alloc(size, 1);
        ck_assert_uint_eq(pw_market_pack_size(drawn), size);
        pw_market_pack(loaded->market, bytes);
        pw_market_pack(drawn, others);
        ck_assert_mem_eq(bytes, others, size);
        free(bytes);
        free(others);
        pw_market_destroy(drawn);
    }
    pw_case_destroy(loaded);
    scratch_close(&scratch);
}
END_TEST

Suite *case_suite(void)
{
    Suite *suite = suite_create("case");
    TCase *wrong = tcase_create("wrong");
    tcase_add_loop_test(wrong, wrong_cases_are_told, 0, (int)(sizeof wrong_cases / sizeof *wrong_cases));
    tcase_add_test(wrong, binary_tables_are_told);
    tcase_add_loop_test(wrong, a_drawn_market_is_the_one_that_is_read, 0,
                        (int)(sizeof recipes / sizeof *recipes));
    suite_add_tcase(suite, wrong);
    return suite;
}
