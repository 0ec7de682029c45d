/* Market organisations: who is added, who is linked with whom, and that they clear alike. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/links.h"
#include "common/memory.h"
#include "common/structure.h"
#include "coordinator/simulate.h"
#include "tests/unit/clearing.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

/* Deals the agents into so many communities, named by a letter; the last agent into none. */
static void deal(struct pw_market *market, int count)
{
    market->label[PW_LABEL_COMMUNITY] = pw_alloc((size_t)market->n_agents, sizeof(char *));
    for (int n = 0; n < market->n_agents; n++) {
        char text[2] = {(char)('a' + n % count), '\0'};
        market->label[PW_LABEL_COMMUNITY][n] = pw_strdup(n + 1 < market->n_agents ? text : "");
    }
}

static struct pw_links_spec spec_of(enum pw_links_kind kind, enum pw_inside inside, enum pw_between between)
{
    return (struct pw_links_spec){.kind = kind, .inside = inside, .between = between};
}

static void build(struct pw_market *market, const struct pw_links_spec *spec)
{
    struct pw_error err;
    ck_assert_msg(pw_links_build(market, spec, 0.0, &err) == PW_OK, "%s", err.text);
}

static struct pw_market *seven_agents(void)
{
    static const double rows[][5] = {{0, 0, 5, 1, 1}, {1, -2, 0, 1, 5}, {2, 0, 5, 1, 2}, {3, -2, 0, 1, 6},
                                     {4, 0, 5, 1, 3}, {5, -2, 0, 1, 7}, {6, -9, 9, 1, 4}};
    struct pw_market *market = test_market_of(7, 7, rows);
    deal(market, 3);
    return market;
}

static const struct {
    enum pw_links_kind kind;
    enum pw_inside inside;
    enum pw_between between;
    int agents, links;
} shapes[] = {
    /* 6 members in 3 communities of 2, and one who belongs to none */
    {PW_LINKS_POOL, PW_INSIDE_MANAGER, PW_BETWEEN_MESH, 8, 7},
    {PW_LINKS_COMMUNITIES, PW_INSIDE_MANAGER, PW_BETWEEN_MESH, 10, 6 + 6}, /* 4 stand side by side */
    {PW_LINKS_COMMUNITIES, PW_INSIDE_MANAGER, PW_BETWEEN_POOL, 11, 6 + 4},
    {PW_LINKS_COMMUNITIES, PW_INSIDE_MESH, PW_BETWEEN_MESH, 10, 3 + 6 + 6},
    {PW_LINKS_COMMUNITIES, PW_INSIDE_MESH, PW_BETWEEN_POOL, 11, 3 + 6 + 4},
    {PW_LINKS_COMMUNITIES, PW_INSIDE_MESH, PW_BETWEEN_MEMBERS, 7, 21},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

START_TEST(each_has_its_agents_and_links)
{
    struct pw_market *market = seven_agents();
    struct pw_links_spec spec = spec_of(shapes[_i].kind, shapes[_i].inside, shapes[_i].between);
    build(market, &spec);
    ck_assert_int_eq(market->n_agents, shapes[_i].agents);
    ck_assert_int_eq(market->n_links, shapes[_i].links);
    for (int n = 7; n < market->n_agents; n++) { /* who is added owns nothing */
        ck_assert_int_eq(market->asset_first[n + 1], market->asset_first[n]);
        ck_assert_ptr_nonnull(market->agent_name[n]);
    }
    pw_market_destroy(market);
}
END_TEST

START_TEST(managers_are_named_after_their_community)
{
    struct pw_market *market = seven_agents();
    struct pw_links_spec spec = spec_of(PW_LINKS_COMMUNITIES, PW_INSIDE_MANAGER, PW_BETWEEN_POOL);
    build(market, &spec);
    ck_assert_str_eq(market->agent_name[7], "manager-a");
    ck_assert_str_eq(market->agent_name[9], "manager-c");
    ck_assert_str_eq(market->agent_name[10], "operator");
    pw_market_destroy(market);
}
END_TEST

START_TEST(without_communities_there_is_nothing_to_manage)
{
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 6, 1.0, 1);
    struct pw_links_spec spec = spec_of(PW_LINKS_COMMUNITIES, PW_INSIDE_MANAGER, PW_BETWEEN_MESH);
    struct pw_error err;
    ck_assert_int_eq(pw_links_build(market, &spec, 0.0, &err), PW_USAGE);
    ck_assert_ptr_nonnull(strstr(err.text, "community"));
    pw_market_destroy(market);
}
END_TEST

/* What a structure came to: welfare, and the mean price of those who own something. */
struct result {
    double welfare, price;
};

static struct result clear(enum test_family family, uint64_t seed, const struct pw_links_spec *spec)
{
    struct pw_market *market = test_market(family, 13, 1.0, seed);
    struct pw_settings settings;
    struct pw_outcome *outcome;
    struct pw_transport *alone = pw_transport_loopback();
    int n_agents = market->n_agents;
    pw_settings_default(&settings);
    settings.tolerance = 1e-8;
    settings.clock = PW_CLOCK_VIRTUAL;
    settings.compute_s = 1.0;
    settings.max_time_s = 1e5;
    deal(market, 3);
    build(market, spec);
    struct pw_negotiation negotiation = {market, &settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0, NULL, NULL};
    pw_simulate(&negotiation, alone, &outcome);
    ck_assert_int_eq(outcome->summary.status, PW_CONVERGED);
    struct result result = {outcome->summary.social_welfare, 0.0};
    for (int n = 0; n < n_agents; n++)
        result.price += outcome->price[n] / n_agents;
    pw_outcome_destroy(outcome);
    pw_transport_close(alone);
    pw_market_destroy(market);
    return result;
}

/* Without fees every connected organisation is the pool: same price, same welfare, to 1e-6. */
START_TEST(without_fees_all_clear_alike)
{
    static const enum test_family families[] = {FAMILY_TWO_SIDED, FAMILY_FIXED, FAMILY_ASSETS,
                                                FAMILY_BOTH_SIDES};
    enum test_family family = families[_i % 4];
    uint64_t seed = 8000 + (uint64_t)_i;
    struct pw_links_spec all = spec_of(PW_LINKS_ALL, PW_INSIDE_MANAGER, PW_BETWEEN_MESH);
    struct result mesh = clear(family, seed, &all);
    for (int i = 0; i < SHAPES; i++) {
        struct pw_links_spec spec = spec_of(shapes[i].kind, shapes[i].inside, shapes[i].between);
        struct result other = clear(family, seed, &spec);
        ck_assert_msg(fabs(other.welfare - mesh.welfare) <= 1e-6 * fabs(mesh.welfare),
                      "%s, structure %d: welfare %.10g, full P2P %.10g", test_family_name(family), i,
                      other.welfare, mesh.welfare);
        ck_assert_msg(fabs(other.price - mesh.price) <= 1e-6 * fabs(mesh.price),
                      "%s, structure %d: price %.10g, full P2P %.10g", test_family_name(family), i,
                      other.price, mesh.price);
    }
}
END_TEST

Suite *structure_suite(void)
{
    Suite *suite = suite_create("structure");
    TCase *tests = tcase_create("structure");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, each_has_its_agents_and_links, 0, SHAPES);
    tcase_add_test(tests, managers_are_named_after_their_community);
    tcase_add_test(tests, without_communities_there_is_nothing_to_manage);
    tcase_add_loop_test(tests, without_fees_all_clear_alike, 0, 12);
    suite_add_tcase(suite, tests);
    return suite;
}
