/* Ranks of a bulk run at their own pace: the same as agents one by one, in any order of events. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/penalty.h"
#include "coordinator/bulk_mail.h"
#include "tests/unit/random_market.h"
#include "tests/unit/rows_parts.h"
#include "tests/unit/suites.h"

/* Parts that fire one by one, in an order drawn at random, beside the same agents one by one. A part's
 * message to another holds its prices and its agents' offers. */
struct pacing {
    struct rounds *rounds;
    struct rows_parts *parts;
    int is_posted[ROWS_MOST_PARTS][ROWS_MOST_PARTS]; /* on its way from, to */
    int is_heard[ROWS_MOST_PARTS][ROWS_MOST_PARTS];  /* to, from: come and not read */
    int sent[ROWS_MOST_PARTS][ROWS_MOST_PARTS];      /* from, to: the round of the last one */
    double *price;                                   /* [agents] as posted */
    double *offer;                                   /* [link ends] as posted */
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

/* Ends know the round of their last offer. */
static void check_rounds(const struct pacing *pacing)
{
    const struct pw_market *market = pacing->rounds->market;
    for (int end = 0; end < 2 * market->n_links; end++) {
        int n = pw_market_end_agent(market, end), slot = end - market->end_first[n];
        ck_assert_int_eq(rows_parts_trade(pacing->parts, n, slot).round,
                         pw_agent_inbox(pacing->rounds->agents[n], slot)->round);
    }
}

START_TEST(rows_at_their_own_pace_are_agents_at_theirs)
{
    for (int seed = 1; seed <= 4; seed++) {
        for (int n_parts = 2; n_parts <= ROWS_MOST_PARTS; n_parts++) {
            struct pw_market *market =
                test_market((enum test_family)_i, 13, seed % 2 ? .5 : 1., (uint64_t)seed);
            struct pw_scales scales = pw_market_scales(market);
            struct pw_settings settings;
            struct pw_negotiation negotiation = rows_parts_negotiation(market, &settings);
            settings.delta = .5;
            settings.stiffness = 4.;
            struct rounds rounds = rounds_begin_as(market, &settings);
            struct rows_parts parts;
            rows_parts_make(&parts, &negotiation, n_parts);
            struct pacing pacing = {.rounds = &rounds, .parts = &parts};
            pacing.price = pw_alloc((size_t)market->n_agents, sizeof(double));
            pacing.offer = pw_alloc(2 * (size_t)market->n_links, sizeof(double));
            struct test_rng rng = test_rng((uint64_t)seed);
            begin_pacing(&pacing);
            for (int event = 1; event <= 400; event++) {
                happen(&pacing, &rng);
                check_rounds(&pacing);
                double off = rows_parts_difference(&parts, &rounds, &scales);
                ck_assert_msg(off <= ROWS_ROUNDING, "%s, seed %d, %d parts, event %d: off by %g",
                              test_family_name((enum test_family)_i), seed, n_parts, event, off);
            }
            free(pacing.price);
            free(pacing.offer);
            rows_parts_release(&parts);
            rounds_end(&rounds);
            pw_market_destroy(market);
        }
    }
}
END_TEST

/* A message of prices as neighbour `i` of `mail` would send it. */
static enum pw_code take_round(struct pw_bulk_mail *mail, int i, int round, int lacks, struct pw_error *err)
{
    size_t count = (size_t)(mail->bulk->neighbours[i].n_in + 1 - lacks);
    double *message = pw_alloc(count, sizeof *message);
    int32_t number = round;
    memcpy(message, &number, sizeof number);
    enum pw_code code = pw_bulk_mail_take(mail, mail->bulk->neighbours[i].rank,
                                          (const unsigned char *)message, count * sizeof *message, err);
    free(message);
    return code;
}

START_TEST(mail_says_when_a_rank_may_go_on)
{
    static const double deltas[] = {1., .9, .1};
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 12, 1., 1);
    struct pw_settings settings;
    struct pw_negotiation negotiation = rows_parts_negotiation(market, &settings);
    struct pw_transport pair = {.size = 2};
    struct pw_bulk_mail mail;
    struct rows_parts parts;
    struct pw_error err;
    rows_parts_make(&parts, &negotiation, 2);
    pw_bulk_mail_create(&mail, &parts.bulk[0], deltas[_i], &pair);
    mail.inboxes[0].sent = 1; /* as after the first round */
    int needs_it = deltas[_i] * (double)parts.bulk[0].n_ends >
                   (double)(parts.bulk[0].n_ends - parts.bulk[0].neighbours[0].n_ends);
    ck_assert_int_eq(pw_bulk_mail_count(&mail), 0);
    ck_assert_int_eq(pw_bulk_mail_is_enough(&mail), !needs_it);
    ck_assert_ptr_eq(pw_bulk_mail_lacks(&mail), &parts.bulk[0].neighbours[0]);
    ck_assert_int_eq(take_round(&mail, 0, 3, 0, &err), PW_INTERNAL);
    ck_assert_int_eq(take_round(&mail, 0, 1, 1, &err), PW_INTERNAL);
    ck_assert_int_eq(pw_bulk_mail_take(&mail, 0, NULL, 0, &err), PW_INTERNAL); /* no neighbour */
    ck_assert_int_eq(take_round(&mail, 0, 2, 0, &err), PW_OK); /* overtaken: that is the next */
    ck_assert_int_eq(pw_bulk_mail_count(&mail), 0);
    ck_assert_int_eq(take_round(&mail, 0, 1, 0, &err), PW_OK);
    ck_assert_int_eq(pw_bulk_mail_count(&mail), 1);
    ck_assert_int_eq(pw_bulk_mail_is_enough(&mail), 1);
    ck_assert_ptr_null(pw_bulk_mail_lacks(&mail));
    pw_bulk_mail_release(&mail);
    rows_parts_release(&parts);
    pw_market_destroy(market);
}
END_TEST

/* Rule (ii) holds on a rank that needs all its links too, unless all ranks are in step: a neighbour a round
 * ahead makes up for one that has not answered. */
START_TEST(messages_count_where_all_links_are_needed)
{
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 12, 1., 1);
    struct pw_settings settings;
    struct pw_negotiation negotiation = rows_parts_negotiation(market, &settings);
    struct pw_transport three = {.size = 3, .rank = 1};
    struct pw_bulk_mail mail;
    struct rows_parts parts;
    struct pw_error err;
    settings.delta = _i ? 1. : .999;
    rows_parts_make(&parts, &negotiation, 3);
    const struct pw_bulk_rows *bulk = &parts.bulk[1];
    ck_assert_int_eq(bulk->n_neighbours, 2);
    ck_assert_int_ge(bulk->neighbours[1].n_ends, bulk->neighbours[0].n_ends);
    pw_bulk_mail_create(&mail, bulk, settings.delta, &three);
    ck_assert_int_eq(mail.needed, bulk->n_ends);
    mail.inboxes[0].sent = mail.inboxes[1].sent = 1;
    ck_assert_int_eq(take_round(&mail, 1, 1, 0, &err), PW_OK);
    ck_assert(!pw_bulk_mail_is_enough(&mail));
    ck_assert_int_eq(take_round(&mail, 1, 2, 0, &err), PW_OK);
    ck_assert_int_eq(pw_bulk_mail_is_enough(&mail), settings.delta < 1.);
    pw_bulk_mail_release(&mail);
    rows_parts_release(&parts);
    pw_market_destroy(market);
}
END_TEST

Suite *rows_pace_suite(void)
{
    Suite *suite = suite_create("rows_pace");
    TCase *tcase = tcase_create("rows_pace");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, rows_at_their_own_pace_are_agents_at_theirs, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, mail_says_when_a_rank_may_go_on, 0, 3);
    tcase_add_loop_test(tcase, messages_count_where_all_links_are_needed, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
