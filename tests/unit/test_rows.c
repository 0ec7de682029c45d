/* Agents in rows against the same agents one by one: the same rounds, however many ranks share them. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/penalty.h"
#include "coordinator/bulk.h"
#include "coordinator/bulk_mail.h"
#include "coordinator/bulk_rows.h"
#include "coordinator/reference.h"
#include "tests/unit/random_market.h"
#include "tests/unit/rounds.h"
#include "tests/unit/suites.h"

enum { MOST_PARTS = 4 };

/* The rows of all ranks, side by side. */
struct parts {
    struct pw_placement placement;
    struct pw_bulk_rows bulk[MOST_PARTS];
};

static void make_parts(struct parts *parts, const struct pw_negotiation *negotiation, int n_parts)
{
    parts->placement = (struct pw_placement){negotiation->market->n_agents, n_parts};
    for (int r = 0; r < n_parts; r++)
        pw_bulk_rows_create(negotiation, &parts->placement, r, &parts->bulk[r]);
}

static void release_parts(struct parts *parts)
{
    for (int r = 0; r < parts->placement.n_ranks; r++)
        pw_bulk_rows_release(&parts->bulk[r]);
}

/* The prices of `rank`, to those who have asked for them. */
static void tell_prices(struct parts *parts, int rank)
{
    struct pw_bulk_rows *from = &parts->bulk[rank];
    for (int i = 0; i < from->n_neighbours; i++) {
        const struct pw_bulk_neighbour *to = &from->neighbours[i];
        struct pw_bulk_rows *there = &parts->bulk[to->rank];
        const struct pw_bulk_neighbour *back = there->neighbours;
        while (back->rank != rank)
            back++;
        ck_assert_int_eq(to->n_out, back->n_in);
        for (int k = 0; k < to->n_out; k++)
            pw_rows_visit(there->rows, back->first_visitor + k, pw_rows_price(from->rows, to->out[k]));
    }
}

static void step_parts(struct parts *parts, int closely)
{
    for (int r = 0; r < parts->placement.n_ranks; r++)
        pw_rows_step(parts->bulk[r].rows, closely);
    for (int r = 0; r < parts->placement.n_ranks; r++)
        tell_prices(parts, r);
}

static const struct pw_bulk_rows *home_of(const struct parts *parts, int n)
{
    return &parts->bulk[pw_placement_rank(&parts->placement, n)];
}

static struct pw_rows_trade trade_of(const struct parts *parts, int n, int slot)
{
    const struct pw_bulk_rows *home = home_of(parts, n);
    return pw_rows_trade(home->rows, n - home->first, slot);
}

static double difference(const struct parts *parts, const struct rounds *rounds,
                         const struct pw_scales *scales)
{
    double worst = 0.0;
    for (int n = 0; n < rounds->market->n_agents; n++) {
        const struct pw_agent *agent = rounds->agents[n];
        const struct pw_bulk_rows *home = home_of(parts, n);
        worst =
            fmax(worst, fabs(pw_rows_price(home->rows, n - home->first) - agent->price[0]) / scales->price);
        worst = fmax(worst, fabs(pw_rows_power(home->rows, n - home->first) - pw_agent_power(agent, 0)) /
                                scales->power);
        for (int slot = 0; slot < agent->n_links; slot++) {
            struct pw_rows_trade trade = trade_of(parts, n, slot);
            worst = fmax(worst, fabs(trade.mine - agent->mine[slot]) / scales->power);
            worst = fmax(worst, fabs(trade.before - agent->before[slot]) / scales->power);
            worst = fmax(worst, fabs(trade.penalty / agent->penalty[slot] - 1.0));
            worst = fmax(worst, fabs(trade.price - pw_agent_trade_price(agent, slot, 0)) / scales->price);
        }
    }
    return worst;
}

static struct pw_negotiation negotiation_of(const struct pw_market *market, struct pw_settings *settings)
{
    pw_settings_default(settings);
    settings->criterion = PW_CRITERION_GLOBAL;
    return (struct pw_negotiation){market, settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0, NULL};
}

/* Rounding apart: a penalty has the precision of a float. */
static const double ROUNDING = 2e-5;

START_TEST(rows_make_the_same_rounds_as_agents)
{
    for (int seed = 1; seed <= 6; seed++) {
        for (int n_parts = 1; n_parts <= MOST_PARTS; n_parts++) {
            struct pw_market *market =
                test_market((enum test_family)_i, 13, seed % 2 ? .5 : 1., (uint64_t)seed);
            struct pw_scales scales = pw_market_scales(market);
            struct pw_settings settings;
            struct pw_negotiation negotiation = negotiation_of(market, &settings);
            struct rounds rounds = rounds_begin_as(market, &settings);
            struct parts parts;
            make_parts(&parts, &negotiation, n_parts);
            for (int round = 1; round <= 40; round++) {
                rounds_step(&rounds);
                step_parts(&parts, 1);
                double off = difference(&parts, &rounds, &scales);
                ck_assert_msg(off <= ROUNDING, "%s, seed %d, %d parts, round %d: off by %g",
                              test_family_name((enum test_family)_i), seed, n_parts, round, off);
            }
            release_parts(&parts);
            rounds_end(&rounds);
            pw_market_destroy(market);
        }
    }
}
END_TEST

/* ---- Ranks at their own pace ---- */

/* Parts that fire one by one, in an order drawn at random, beside the same agents one by one. A part's
 * message to another holds its prices and its agents' offers. */
struct pacing {
    struct rounds *rounds;
    struct parts *parts;
    int is_posted[MOST_PARTS][MOST_PARTS]; /* on its way from, to */
    int is_heard[MOST_PARTS][MOST_PARTS];  /* to, from: come and not read */
    int sent[MOST_PARTS][MOST_PARTS];      /* from, to: the round of the last one */
    double *price;                         /* [agents] as posted */
    double *offer;                         /* [link ends] as posted */
};

static int part_of(const struct pacing *pacing, int n)
{
    return pw_placement_rank(&pacing->parts->placement, n);
}

/* To every end of part `to`, the offer of its peer in part `from`: as noted. */
static void deliver_offers(struct pacing *pacing, int from, int to, int round)
{
    const struct pw_market *market = pacing->rounds->market;
    for (int end = 0; end < 2 * market->n_links; end++) {
        int twin = market->end_twin[end], n = pw_market_end_agent(market, end),
            m = pw_market_end_agent(market, twin);
        if (part_of(pacing, n) == to && part_of(pacing, m) == from)
            pw_agent_deliver(pacing->rounds->agents[n], end - market->end_first[n], round,
                             &pacing->offer[twin]);
    }
}

static void note_offers(struct pacing *pacing, int part)
{
    const struct pw_market *market = pacing->rounds->market;
    for (int end = 0; end < 2 * market->n_links; end++) {
        int n = pw_market_end_agent(market, end);
        if (part_of(pacing, n) == part)
            pacing->offer[end] = pw_agent_offer(pacing->rounds->agents[n], end - market->end_first[n], 0);
    }
}

static void fire_part(struct pacing *pacing, int part)
{
    struct pw_bulk_rows *bulk = &pacing->parts->bulk[part];
    int rounds = pw_rows_rounds(bulk->rows);
    deliver_offers(pacing, part, part, rounds);
    for (int n = bulk->first; n < bulk->end; n++)
        pw_agent_fire(pacing->rounds->agents[n]);
    note_offers(pacing, part);
    pw_rows_step(bulk->rows, 1);
    for (int n = bulk->first; n < bulk->end; n++)
        pacing->price[n] = pw_rows_price(bulk->rows, n - bulk->first);
}

static void post(struct pacing *pacing, int from)
{
    const struct pw_bulk_rows *bulk = &pacing->parts->bulk[from];
    for (int i = 0; i < bulk->n_neighbours; i++) {
        int to = bulk->neighbours[i].rank;
        if (pacing->sent[from][to] > 0 && !pacing->is_heard[from][to])
            continue;
        pacing->is_heard[from][to] = 0;
        pacing->is_posted[from][to] = 1;
        pacing->sent[from][to]++;
    }
}

static void deliver(struct pacing *pacing, int from, int to)
{
    struct pw_bulk_rows *bulk = &pacing->parts->bulk[to];
    const struct pw_bulk_neighbour *back = bulk->neighbours, *out = pacing->parts->bulk[from].neighbours;
    while (back->rank != from)
        back++;
    while (out->rank != to)
        out++;
    for (int k = 0; k < back->n_in; k++)
        pw_rows_visit(bulk->rows, back->first_visitor + k,
                      pacing->price[pacing->parts->bulk[from].first + out->out[k]]);
    pw_rows_hear(bulk->rows, back->first_visitor, back->n_in, pacing->sent[from][to]);
    deliver_offers(pacing, from, to, pacing->sent[from][to]);
    pacing->is_posted[from][to] = 0;
    pacing->is_heard[to][from] = 1;
}

/* Nothing that this part has posted is still on its way: it may post again. */
static int may_fire(const struct pacing *pacing, int part)
{
    for (int to = 0; to < pacing->parts->placement.n_ranks; to++)
        if (pacing->is_posted[part][to])
            return 0;
    return 1;
}

static void begin_pacing(struct pacing *pacing)
{
    int n_parts = pacing->parts->placement.n_ranks;
    for (int part = 0; part < n_parts; part++)
        note_offers(pacing, part);
    for (int from = 0; from < n_parts; from++)
        for (int to = 0; to < n_parts; to++)
            if (from != to)
                deliver_offers(pacing, from, to, 0);
    for (int part = 0; part < n_parts; part++)
        fire_part(pacing, part);
    for (int part = 0; part < n_parts; part++)
        post(pacing, part);
}

static void happen(struct pacing *pacing, struct test_rng *rng)
{
    int n_parts = pacing->parts->placement.n_ranks;
    int from = test_below(rng, n_parts), to = test_below(rng, n_parts);
    if (pacing->is_posted[from][to] && !pacing->is_heard[to][from]) {
        deliver(pacing, from, to);
    } else if (may_fire(pacing, from)) {
        fire_part(pacing, from);
        post(pacing, from);
    }
}

START_TEST(rows_at_their_own_pace_are_agents_at_theirs)
{
    for (int seed = 1; seed <= 4; seed++) {
        for (int n_parts = 2; n_parts <= MOST_PARTS; n_parts++) {
            struct pw_market *market =
                test_market((enum test_family)_i, 13, seed % 2 ? .5 : 1., (uint64_t)seed);
            struct pw_scales scales = pw_market_scales(market);
            struct pw_settings settings;
            struct pw_negotiation negotiation = negotiation_of(market, &settings);
            settings.delta = .5;
            settings.stiffness = 4.;
            struct rounds rounds = rounds_begin_as(market, &settings);
            struct parts parts;
            make_parts(&parts, &negotiation, n_parts);
            struct pacing pacing = {.rounds = &rounds, .parts = &parts};
            pacing.price = pw_alloc((size_t)market->n_agents, sizeof(double));
            pacing.offer = pw_alloc(2 * (size_t)market->n_links, sizeof(double));
            struct test_rng rng = test_rng((uint64_t)seed);
            begin_pacing(&pacing);
            for (int event = 1; event <= 400; event++) {
                happen(&pacing, &rng);
                double off = difference(&parts, &rounds, &scales);
                ck_assert_msg(off <= ROUNDING, "%s, seed %d, %d parts, event %d: off by %g",
                              test_family_name((enum test_family)_i), seed, n_parts, event, off);
            }
            free(pacing.price);
            free(pacing.offer);
            release_parts(&parts);
            rounds_end(&rounds);
            pw_market_destroy(market);
        }
    }
}
END_TEST

static int same_bits(double x, double y)
{
    return memcmp(&x, &y, sizeof x) == 0;
}

START_TEST(both_ends_keep_the_same_penalty_to_the_bit)
{
    struct pw_market *market = test_market((enum test_family)_i, 17, .7, 3);
    struct pw_settings settings;
    struct pw_negotiation negotiation = negotiation_of(market, &settings);
    struct parts parts;
    make_parts(&parts, &negotiation, 3);
    for (int round = 1; round <= 100; round++)
        step_parts(&parts, 0);
    for (int end = 0; end < 2 * market->n_links; end++) {
        int twin = market->end_twin[end], n = pw_market_end_agent(market, end),
            m = pw_market_end_agent(market, twin);
        ck_assert(same_bits(trade_of(&parts, n, end - market->end_first[n]).penalty,
                            trade_of(&parts, m, twin - market->end_first[m]).penalty));
    }
    release_parts(&parts);
    pw_market_destroy(market);
}
END_TEST

/* The whole run, in one process. */
START_TEST(a_run_in_bulk_ends_at_the_optimum)
{
    for (int seed = 1; seed <= 8; seed++) {
        struct pw_market *market = test_market((enum test_family)_i, 20, .6, (uint64_t)seed);
        struct pw_settings settings;
        struct pw_negotiation negotiation = negotiation_of(market, &settings);
        struct pw_transport *transport = pw_transport_loopback();
        struct pw_reference reference;
        struct pw_outcome *outcome;
        struct pw_error err;
        settings.criterion = seed % 2 ? PW_CRITERION_AUTO : PW_CRITERION_TRADE;
        ck_assert_int_eq(pw_reference_solve(market, &reference, &err), PW_OK);
        pw_bulk_negotiate(&negotiation, transport, &outcome);
        ck_assert_int_eq(outcome->summary.status, PW_CONVERGED);
        double scale = fabs(reference.social_welfare);
        ck_assert_double_le(fabs(outcome->summary.social_welfare - reference.social_welfare), 1e-3 * scale);
        ck_assert_int_eq(pw_outcome_active_trades(outcome), 0);
        pw_outcome_destroy(outcome);
        pw_transport_close(transport);
        pw_market_destroy(market);
    }
}
END_TEST

/* From where a market has ended it has nothing left to do. */
START_TEST(a_start_from_the_end_is_over_at_once)
{
    struct pw_market *market = test_market((enum test_family)_i, 20, .6, 5);
    struct pw_settings settings;
    struct pw_negotiation negotiation = negotiation_of(market, &settings);
    struct pw_transport *transport = pw_transport_loopback();
    struct pw_outcome *outcome, *again;
    settings.tolerance = 1e-6;
    pw_bulk_negotiate(&negotiation, transport, &outcome);
    struct pw_start *start = pw_start_from(outcome);
    negotiation.start = start;
    settings.tolerance = 1e-4;
    pw_bulk_negotiate(&negotiation, transport, &again);
    ck_assert_int_eq(again->summary.status, PW_CONVERGED);
    ck_assert_double_le(again->summary.iterations_mean, 4.0);
    pw_start_destroy(start);
    pw_outcome_destroy(outcome);
    pw_outcome_destroy(again);
    pw_transport_close(transport);
    pw_market_destroy(market);
}
END_TEST

/* A message of prices as the neighbour of `mail` would send it. */
static enum pw_code take_round(struct pw_bulk_mail *mail, int round, int lacks, struct pw_error *err)
{
    size_t count = (size_t)(mail->bulk->neighbours[0].n_in + 1 - lacks);
    double *message = pw_alloc(count, sizeof *message);
    int32_t number = round;
    memcpy(message, &number, sizeof number);
    enum pw_code code = pw_bulk_mail_take(mail, mail->bulk->neighbours[0].rank,
                                          (const unsigned char *)message, count * sizeof *message, err);
    free(message);
    return code;
}

START_TEST(mail_says_when_a_rank_may_go_on)
{
    static const double deltas[] = {1., .9, .1};
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 12, 1., 1);
    struct pw_settings settings;
    struct pw_negotiation negotiation = negotiation_of(market, &settings);
    struct pw_transport pair = {.size = 2};
    struct pw_bulk_mail mail;
    struct parts parts;
    struct pw_error err;
    make_parts(&parts, &negotiation, 2);
    pw_bulk_mail_create(&mail, &parts.bulk[0], deltas[_i], &pair);
    mail.inboxes[0].sent = 1; /* as after the first round */
    int needs_it = deltas[_i] * (double)parts.bulk[0].n_ends >
                   (double)(parts.bulk[0].n_ends - parts.bulk[0].neighbours[0].n_ends);
    ck_assert_int_eq(pw_bulk_mail_count(&mail), 0);
    ck_assert_int_eq(pw_bulk_mail_is_enough(&mail), !needs_it);
    ck_assert_ptr_eq(pw_bulk_mail_lacks(&mail), &parts.bulk[0].neighbours[0]);
    ck_assert_int_eq(take_round(&mail, 3, 0, &err), PW_INTERNAL);
    ck_assert_int_eq(take_round(&mail, 1, 1, &err), PW_INTERNAL);
    ck_assert_int_eq(pw_bulk_mail_take(&mail, 0, NULL, 0, &err), PW_INTERNAL); /* no neighbour */
    ck_assert_int_eq(take_round(&mail, 2, 0, &err), PW_OK); /* overtaken: that is the next */
    ck_assert_int_eq(pw_bulk_mail_count(&mail), 0);
    ck_assert_int_eq(take_round(&mail, 1, 0, &err), PW_OK);
    ck_assert_int_eq(pw_bulk_mail_count(&mail), 1);
    ck_assert_int_eq(pw_bulk_mail_is_enough(&mail), 1);
    ck_assert_ptr_null(pw_bulk_mail_lacks(&mail));
    pw_bulk_mail_release(&mail);
    release_parts(&parts);
    pw_market_destroy(market);
}
END_TEST

START_TEST(what_bulk_cannot_do_is_named)
{
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 6, 1., 1);
    struct pw_settings settings;
    struct pw_negotiation negotiation = negotiation_of(market, &settings);
    const char *why = NULL;
    ck_assert(pw_bulk_suits(&negotiation, &why));
    settings.delta = 0.5;
    ck_assert(pw_bulk_suits(&negotiation, &why));
    settings.loss = 0.1;
    ck_assert(!pw_bulk_suits(&negotiation, &why));
    ck_assert_ptr_nonnull(strstr(why, "network"));
    pw_market_destroy(market);
}
END_TEST

Suite *rows_suite(void)
{
    Suite *suite = suite_create("rows");
    TCase *tcase = tcase_create("rows");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, rows_make_the_same_rounds_as_agents, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, rows_at_their_own_pace_are_agents_at_theirs, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, both_ends_keep_the_same_penalty_to_the_bit, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, a_run_in_bulk_ends_at_the_optimum, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, a_start_from_the_end_is_over_at_once, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, mail_says_when_a_rank_may_go_on, 0, 3);
    tcase_add_test(tcase, what_bulk_cannot_do_is_named);
    suite_add_tcase(suite, tcase);
    return suite;
}
