/* Glances at prices across links: what ranks find together is what the judge finds on a snapshot of all, at
 * any moment of a negotiation and however agents are spread. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "common/larger.h"
#include "common/memory.h"
#include "common/outcome.h"
#include "coordinator/glance.h"
#include "coordinator/setup.h"
#include "tests/unit/clearing.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

enum { MOST_RANKS = 6, AGENTS = 18 };

/* All ranks of a run in one process, and the offers that are on their way. */
struct scene {
    struct pw_market *market;
    struct pw_settings settings;
    struct pw_tolerances tolerances;
    struct pw_host *hosts[MOST_RANKS];
    struct pw_glance *glances[MOST_RANKS];
    int ranks;
    struct pw_offer *offers;
    int n_offers;
};

/* Of any family, every fourth of two products. */
static struct pw_market *make_market(uint64_t seed)
{
    if (seed % 4 != 0)
        return test_market((enum test_family)(seed % N_FAMILIES), AGENTS, 0.4, seed);
    struct pw_market *x = test_market(FAMILY_TWO_SIDED, AGENTS, 1.0, seed),
                     *y = test_market(FAMILY_TWO_SIDED, AGENTS, 1.0, seed + 1);
    struct pw_market *both = test_stack_markets(x, y);
    pw_market_destroy(x);
    pw_market_destroy(y);
    return both;
}

static struct scene open_scene(uint64_t seed, int ranks)
{
    struct scene scene = {
        .market = make_market(seed), .settings = test_random_settings(seed), .ranks = ranks};
    scene.settings.exchange = seed % 3 == 0 ? PW_EXCHANGE_LATEST : PW_EXCHANGE_PAIRED;
    scene.settings.delta = 0.3;
    scene.settings.ratify = 0;
    struct pw_scales scales = pw_market_scales(scene.market);
    struct pw_negotiation negotiation = {
        scene.market, &scene.settings, PW_PROGRESS_NONE, INT64_MAX, NULL, 0, NULL, NULL};
    scene.tolerances = pw_tolerances_of(&scene.settings, scene.market, &scales);
    scene.tolerances.primal *= seed % 2 ? 1.0 : 1e3; /* few trades are negligible, or many */
    for (int r = 0; r < ranks; r++) {
        struct pw_transport transport = {.rank = r, .size = ranks};
        scene.hosts[r] = pw_setup_host(&negotiation, &transport, &scales);
        scene.glances[r] = pw_glance_create(scene.hosts[r]);
    }
    scene.offers = pw_alloc((size_t)scene.market->n_links * 16, sizeof *scene.offers);
    return scene;
}

static void close_scene(struct scene *scene)
{
    for (int r = 0; r < scene->ranks; r++) {
        pw_glance_destroy(scene->glances[r]);
        pw_host_destroy(scene->hosts[r]);
    }
    free(scene->offers);
    pw_market_destroy(scene->market);
}

static struct pw_host *host_of(const struct scene *scene, int n)
{
    return scene->hosts[pw_placement_rank(&scene->hosts[0]->placement, n)];
}

/* Only where offers may be lost for good do they ever take all the room. */
static void send(struct scene *scene, int n, int slot)
{
    if (scene->n_offers == scene->market->n_links * 16) {
        ck_assert_int_eq(scene->settings.exchange, PW_EXCHANGE_LATEST);
        return;
    }
    pw_host_offer(host_of(scene, n), n, slot, &scene->offers[scene->n_offers++]);
}

static void send_all(struct scene *scene, int n)
{
    const struct pw_agent *agent = pw_host_agent(host_of(scene, n), n);
    for (int k = 0; k < agent->n_out; k++)
        send(scene, n, agent->outbox[k]);
}

static void start(struct scene *scene)
{
    for (int n = 0; n < AGENTS; n++) {
        pw_agent_start(pw_host_agent(host_of(scene, n), n));
        send_all(scene, n);
    }
}

/* One of the offers arrives, and its agent fires if it may. */
static void step(struct scene *scene, struct test_rng *rng)
{
    struct pw_error err;
    int k = test_below(rng, scene->n_offers), answers;
    struct pw_offer offer = scene->offers[k];
    struct pw_host *host = host_of(scene, offer.agent);
    scene->offers[k] = scene->offers[--scene->n_offers];
    ck_assert_int_eq(pw_host_deliver(host, offer.agent, offer.slot, offer.round, offer.r, &answers, &err),
                     PW_OK);
    if (answers)
        send(scene, offer.agent, offer.slot);
    if (!pw_agent_ready(pw_host_agent(host, offer.agent)))
        return;
    pw_host_fire(host, offer.agent, 0);
    send_all(scene, offer.agent);
}

/* What the judge says of the prices, on the state of all. */
static double judged(const struct scene *scene)
{
    const struct pw_market *market = scene->market;
    struct pw_error err;
    struct pw_snapshot *snapshot =
        pw_snapshot_create(market, pw_exchange_is_paired((enum pw_exchange_kind)scene->settings.exchange));
    struct pw_outcome *outcome = pw_outcome_create(market->n_agents, market->n_links, market->n_products);
    for (int r = 0; r < scene->ranks; r++) {
        const struct pw_host *host = scene->hosts[r];
        unsigned char *bytes = pw_alloc(pw_snapshot_size(host, host->first, host->end), 1);
        pw_snapshot_write(host, host->first, host->end, bytes);
        ck_assert_int_eq(pw_snapshot_take_in(snapshot, host->first, host->end, bytes,
                                             pw_snapshot_size(host, host->first, host->end), &err),
                         PW_OK);
        free(bytes);
    }
    pw_judge(snapshot, &scene->tolerances, outcome);
    const struct pw_summary *summary = &outcome->summary;
    double worst = isnan(summary->primal_residual) /* somebody has not solved */
                       ? INFINITY
                       : fmax(summary->price_spread_max / scene->tolerances.spread,
                              summary->price_mismatch_max / scene->tolerances.price);
    pw_outcome_destroy(outcome);
    pw_snapshot_destroy(snapshot);
    return worst;
}

static double glanced(const struct scene *scene)
{
    struct pw_error err;
    double worst = 0.0;
    for (int r = 0; r < scene->ranks; r++)
        pw_glance_note(scene->glances[r]);
    for (int from = 0; from < scene->ranks; from++) {
        for (int to = 0; to < scene->ranks; to++) {
            size_t size;
            const void *told = pw_glance_told(scene->glances[from], to, &size);
            if (from != to)
                ck_assert_int_eq(pw_glance_hear(scene->glances[to], from, told, size, &err), PW_OK);
        }
    }
    for (int r = 0; r < scene->ranks; r++)
        worst = pw_larger(worst, pw_glance_excess(scene->glances[r], &scene->tolerances));
    return worst;
}

START_TEST(a_glance_sees_what_the_judge_sees)
{
    int seen = 0, finite = 0, good = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct test_rng rng = test_rng(seed);
        struct scene scene = open_scene(seed, 1 + (int)(seed % MOST_RANKS));
        start(&scene);
        for (int k = 0; k < 4000 && scene.n_offers > 0; k++) {
            step(&scene, &rng);
            if (k % 97 != 0)
                continue;
            double expected = judged(&scene), found = glanced(&scene);
            ck_assert_msg(found == expected, "seed %lu, step %d: %g instead of %g", (unsigned long)seed, k,
                          found, expected);
            seen++;
            finite += isfinite(found);
            good += found <= 1.0;
        }
        close_scene(&scene);
    }
    ck_assert_int_gt(seen, finite);
    ck_assert_int_gt(finite, seen / 4);
    ck_assert_int_gt(good, 0);
}
END_TEST

START_TEST(too_little_or_too_much_is_refused)
{
    struct scene scene = open_scene(1, 2);
    struct pw_error err;
    size_t size;
    pw_glance_note(scene.glances[0]);
    const void *told = pw_glance_told(scene.glances[0], 1, &size);
    ck_assert(size > 0);
    ck_assert_int_eq(pw_glance_hear(scene.glances[1], 0, told, size, &err), PW_OK);
    ck_assert_int_eq(pw_glance_hear(scene.glances[1], 0, told, size - 1, &err), PW_INTERNAL);
    ck_assert_int_eq(pw_glance_hear(scene.glances[1], 0, told, size + 1, &err), PW_INTERNAL);
    ck_assert_int_eq(pw_glance_hear(scene.glances[1], 1, told, size, &err), PW_INTERNAL);
    ck_assert_int_eq(pw_glance_hear(scene.glances[1], 1, told, 0, &err), PW_OK);
    close_scene(&scene);
}
END_TEST

Suite *glance_suite(void)
{
    Suite *suite = suite_create("glance");
    TCase *tcase = tcase_create("glance");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_glance_sees_what_the_judge_sees);
    tcase_add_test(tcase, too_little_or_too_much_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
