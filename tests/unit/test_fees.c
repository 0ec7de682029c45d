/* Preferences and fees by kind: who pays what to whom, what is refused, what is collected, and the prices
 * that follow. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/fees.h"
#include "common/memory.h"
#include "common/structure.h"
#include "coordinator/bulk.h"
#include "coordinator/reference.h"
#include "tests/unit/clearing.h"
#include "tests/unit/kkt.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

/* Six agents, sellers 0 to 2, buyers 3 to 5, every seller linked with every buyer. */
static struct pw_market *labelled(void)
{
    static const char *const zones[] = {"north", "north", "south", "north", "south", ""};
    static const char *const classes[] = {"green", "grey", "green", "home", "home", "shop"};
    static const double rows[][5] = {{0, 0, 9, .02, 3},  {1, 0, 9, .03, 2},  {2, 0, 9, .04, 4},
                                     {3, -6, -1, .1, 9}, {4, -6, -1, .1, 8}, {5, -6, -1, .1, 8.5}};
    struct pw_market *market = test_market_of(6, 6, rows);
    pw_market_set_link_count(market, 9);
    market->x = pw_alloc(6, sizeof(double));
    market->y = pw_alloc(6, sizeof(double));
    market->label[PW_LABEL_ZONE] = pw_alloc(6, sizeof(char *));
    market->label[PW_LABEL_CLASS] = pw_alloc(6, sizeof(char *));
    for (int n = 0; n < 6; n++) {
        market->label[PW_LABEL_ZONE][n] = pw_strdup(zones[n]);
        market->label[PW_LABEL_CLASS][n] = pw_strdup(classes[n]);
        market->x[n] = 3.0 * n;
        market->y[n] = 4.0 * n;
    }
    for (int l = 0; l < 9; l++) {
        market->link_a[l] = l / 3;
        market->link_b[l] = 3 + l % 3;
        market->t_min[l] = 0.0;
    }
    pw_market_index(market);
    return market;
}

static enum pw_code read(const char *text, const struct pw_market *market, struct pw_preferences **out,
                         struct pw_error *err)
{
    return pw_table_preferences(text, strlen(text), "w.csv", market, out, err);
}

/* ---- Which row counts ---- */

static double fee_of(struct pw_preferences *preferences, const struct pw_market *market, int n, int peer)
{
    struct pw_error err;
    double fee = NAN;
    ck_assert_int_eq(pw_preferences_fee(preferences, market, n, peer, &fee, &err), PW_OK);
    return fee;
}

START_TEST(the_more_particular_row_counts)
{
    struct pw_market *market = labelled();
    struct pw_preferences *preferences;
    struct pw_error err;
    ck_assert_int_eq(read("agent,peer,fee\n*,*,1\n*,class:green,2\n*,0,3\nclass:home,*,4\n"
                          "class:home,!class:green,5\n3,*,6\n3,other zone,7\n3,1,8\n",
                          market, &preferences, &err),
                     PW_OK);
    ck_assert_double_eq(fee_of(preferences, market, 5, 1), 1); /* nothing but * speaks of both */
    ck_assert_double_eq(fee_of(preferences, market, 5, 2), 2);
    ck_assert_double_eq(fee_of(preferences, market, 5, 0), 3);
    ck_assert_double_eq(fee_of(preferences, market, 4, 0), 4); /* the agent goes before the peer */
    ck_assert_double_eq(fee_of(preferences, market, 4, 1), 5);
    ck_assert_double_eq(fee_of(preferences, market, 3, 0), 6);
    ck_assert_double_eq(fee_of(preferences, market, 3, 2), 7);
    ck_assert_double_eq(fee_of(preferences, market, 3, 1), 8);
    ck_assert_int_eq(pw_preferences_unused(preferences), 0);
    pw_preferences_destroy(preferences);
    pw_market_destroy(market);
}
END_TEST

START_TEST(rows_of_the_same_right_are_refused)
{
    struct pw_market *market = labelled();
    struct pw_preferences *preferences;
    struct pw_error err;
    double fee;
    ck_assert_int_eq(read("agent,peer,fee\n*,class:green,1\n*,zone:north,2\n", market, &preferences, &err),
                     PW_OK);
    ck_assert_int_eq(pw_preferences_fee(preferences, market, 5, 0, &fee, &err), PW_USAGE);
    ck_assert_ptr_nonnull(strstr(err.text, "w.csv:3:"));
    ck_assert_ptr_nonnull(strstr(err.text, "line 2"));
    pw_preferences_destroy(preferences);
    ck_assert_int_eq(read("agent,peer,fee\n*,class:shop,1\n", market, &preferences, &err), PW_OK);
    ck_assert_double_eq(fee_of(preferences, market, 3, 0), 0);
    ck_assert_int_eq(pw_preferences_unused(preferences), 2);
    pw_preferences_destroy(preferences);
    pw_market_destroy(market);
}
END_TEST

static const struct {
    const char *text, *says;
} refused[] = {
    {"agent,peer,fee\n*,class:gren,1\n", "w.csv:2: peer: no agent has class \"gren\""},
    {"agent,peer,fee\n*,class:gren,1\n", "did you mean \"green\"?"},
    {"agent,peer,fee\n*,6,1\n", "w.csv:2: peer"},
    {"agent,peer,fee\nsame zone,*,1\n", "w.csv:2: agent"},
    {"agent,peer,fee\n*,same community,1\n", "no such column"},
    {"agent,peer,fee\n*,colour:green,1\n", "w.csv:2: peer: *, a number"},
    {"agent,peer,fee\n*,class:,1\n", "w.csv:2: peer"},
    {"agent,peer,fee\n*,*,-1\n", "w.csv:2: fee: -1 is negative"},
    {"agent,peer,fee\n*,*,cheap\n", "w.csv:2"},
    {"agent,fee\n*,1\n", "peer"},
};

START_TEST(what_is_wrong_is_named_with_its_line)
{
    struct pw_market *market = labelled();
    struct pw_preferences *preferences;
    struct pw_error err;
    ck_assert_int_eq(read(refused[_i].text, market, &preferences, &err), PW_USAGE);
    ck_assert_ptr_null(preferences);
    ck_assert_msg(strstr(err.text, refused[_i].says) != NULL, "%s", err.text);
    pw_market_destroy(market);
}
END_TEST

/* ---- Kinds ---- */

START_TEST(kinds_add_up)
{
    struct pw_market *market = labelled();
    struct pw_preferences *preferences;
    struct pw_fees *fees;
    struct pw_error err;
    double trade[9], by_kind[PW_N_FEE_KINDS], total = 0.0, sum = 0.0;
    for (int l = 0; l < 9; l++)
        market->fee_a[l] = market->fee_b[l] = 0.5;
    ck_assert_int_eq(read("agent,peer,fee\nclass:home,!class:green,.25\n", market, &preferences, &err),
                     PW_OK);
    struct pw_fees_spec spec = {0.5, 0.01, 0.125, 0.0, preferences};
    ck_assert_int_eq(pw_fees_create(market, &spec, &fees, &err), PW_OK);
    /* Link 3: agent 1 (grey, north) and agent 3 (home, north), 10 apart. */
    ck_assert_double_eq_tol(market->fee_a[3], 0.5 + 0.1, 1e-15);
    ck_assert_double_eq_tol(market->fee_b[3], 0.5 + 0.1 + 0.25, 1e-15);
    /* Link 1: agent 0 (north) and agent 4 (south), 20 apart; link 2: agent 5 has no zone. */
    ck_assert_double_eq_tol(market->fee_a[1], 0.5 + 0.2 + 0.125, 1e-15);
    ck_assert_double_eq_tol(market->fee_b[2], 0.5 + 0.25, 1e-15);
    for (int l = 0; l < 9; l++) {
        trade[l] = l % 2 ? -1.5 - l : 0.75 * l;
        total += (market->fee_a[l] + market->fee_b[l]) * fabs(trade[l]);
    }
    pw_fees_collect(fees, market, trade, by_kind);
    for (int kind = 0; kind < PW_N_FEE_KINDS; kind++)
        sum += by_kind[kind];
    ck_assert_double_eq_tol(sum, total, 1e-12 * total);
    ck_assert_double_eq_tol(by_kind[PW_FEE_PREFERENCE], .25 * (fabs(trade[3]) + fabs(trade[4])), 1e-12);
    ck_assert_double_eq(by_kind[PW_FEE_TABLE], 0);
    ck_assert(pw_fees_exist(fees));
    pw_fees_destroy(fees);
    pw_preferences_destroy(preferences);
    pw_market_destroy(market);
}
END_TEST

/* ---- Prices ---- */

static struct pw_outcome *clear(const struct pw_market *market, struct pw_settings *settings)
{
    struct pw_negotiation negotiation = {market, settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0, NULL, NULL};
    struct pw_transport *transport = pw_transport_loopback();
    struct pw_outcome *outcome;
    settings->tolerance = 1e-6;
    settings->max_rounds = 20000;
    pw_bulk_negotiate(&negotiation, transport, &outcome);
    pw_transport_close(transport);
    ck_assert_int_eq(outcome->summary.status, PW_CONVERGED);
    return outcome;
}

START_TEST(prices_are_those_of_the_optimality_conditions)
{
    struct pw_market *market = labelled();
    struct pw_preferences *preferences;
    struct pw_settings settings;
    struct pw_reference reference;
    struct pw_fees *fees;
    struct pw_error err;
    struct test_rng rng = test_rng((uint64_t)_i);
    ck_assert_int_eq(
        read("agent,peer,fee\nclass:home,!class:green,1\n5,2,0\n5,*,.5\n", market, &preferences, &err),
        PW_OK);
    struct pw_fees_spec spec = {0.0, test_uniform(&rng, 0, .05), test_uniform(&rng, 0, .5), 0.0, preferences};
    ck_assert_int_eq(pw_fees_create(market, &spec, &fees, &err), PW_OK);
    ck_assert_int_eq(pw_reference_solve(market, &reference, &err), PW_OK);
    pw_settings_default(&settings);
    struct pw_outcome *outcome = clear(market, &settings);
    ck_assert_double_eq_tol(outcome->summary.social_welfare, reference.social_welfare,
                            1e-5 * fabs(reference.social_welfare));
    struct test_kkt kkt = test_kkt(market, 0, outcome->power, outcome->price, outcome->trade, 1e-3, 1e-3);
    ck_assert_double_le(kkt.price, 1e-3);
    ck_assert_double_le(kkt.power, 1e-3);
    for (int l = 0; l < 9; l++) {
        if (fabs(outcome->trade[l]) < 1e-2)
            continue;
        /* The seller's price is its own plus its fee, the buyer's its own less its fee. */
        ck_assert_double_eq_tol(outcome->price_a[l], outcome->price[market->link_a[l]] + market->fee_a[l],
                                1e-3);
        ck_assert_double_eq_tol(outcome->price_b[l], outcome->price[market->link_b[l]] - market->fee_b[l],
                                1e-3);
    }
    pw_outcome_destroy(outcome);
    pw_fees_destroy(fees);
    pw_preferences_destroy(preferences);
    pw_market_destroy(market);
}
END_TEST

/* What sellers offer less what buyers want at these prices. */
static double surplus(const struct pw_market *market, double seller, double buyer)
{
    double sum = 0.0;
    for (int i = 0; i < market->n_assets; i++) {
        double m = market->p_max[i] > 0.0 ? seller : buyer;
        sum += fmin(fmax((m - market->b[i]) / market->a[i], market->p_min[i]), market->p_max[i]);
    }
    return sum;
}

/* The sellers' price where buyers pay `wedge` more, by bisection. */
static double price_with_wedge(const struct pw_market *market, double wedge)
{
    double low = -50, high = 50;
    for (int i = 0; i < 200; i++) {
        double middle = (low + high) / 2;
        if (surplus(market, middle, middle + wedge) < 0)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

/* Fee g at every end: peers pay it twice, through an operator four times. */
START_TEST(structures_differ_by_how_often_a_fee_is_paid)
{
    static const double fee = 0.2;
    for (int through_operator = 0; through_operator < 2; through_operator++) {
        struct pw_market *market = labelled();
        struct pw_settings settings;
        struct pw_error err;
        pw_settings_default(&settings);
        struct pw_links_spec links = {.kind = PW_LINKS_POOL};
        if (through_operator)
            ck_assert_int_eq(pw_structure_build(market, &links, fee, &err), PW_OK);
        for (int l = 0; l < market->n_links; l++)
            market->fee_a[l] = market->fee_b[l] = fee;
        double wedge = through_operator ? 4 * fee : 2 * fee, expected = price_with_wedge(market, wedge);
        struct pw_outcome *outcome = clear(market, &settings);
        for (int n = 0; n < 6; n++) {
            if (outcome->power[n] > market->p_min[n] + 1e-2 && outcome->power[n] < market->p_max[n] - 1e-2)
                ck_assert_double_eq_tol(outcome->price[n], n < 3 ? expected : expected + wedge, 1e-3);
        }
        pw_outcome_destroy(outcome);
        pw_market_destroy(market);
    }
}
END_TEST

Suite *fees_suite(void)
{
    Suite *suite = suite_create("fees");
    TCase *tcase = tcase_create("fees");
    tcase_add_test(tcase, the_more_particular_row_counts);
    tcase_add_test(tcase, rows_of_the_same_right_are_refused);
    tcase_add_loop_test(tcase, what_is_wrong_is_named_with_its_line, 0,
                        (int)(sizeof refused / sizeof *refused));
    tcase_add_test(tcase, kinds_add_up);
    tcase_add_loop_test(tcase, prices_are_those_of_the_optimality_conditions, 1, 9);
    tcase_add_test(tcase, structures_differ_by_how_often_a_fee_is_paid);
    suite_add_tcase(suite, tcase);
    return suite;
}
