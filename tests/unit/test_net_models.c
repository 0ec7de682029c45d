/* One suite for every delay model: a model is tested by being in the table. Then what they refuse, and the
 * network that loses and repeats. What law each follows: test_delay_laws.c. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net_models/models.h"
#include "net_models/network.h"
#include "tests/unit/delays.h"
#include "tests/unit/random_market.h"
#include "tests/unit/suites.h"

static int count_models(void)
{
    int count = 0;
    while (pw_delay_models[count] != NULL)
        count++;
    return count;
}

/* Parameters under which every model is tried, unless its check() refuses them; the least delay lies within
 * 3 std_s of the mean, so that many draws come near to it. */
static const struct pw_delay delays[] = {
    LAW(0, 0, 0),       LAW(1, 0.5, 0.5),       LAW(0.004, 0.001, 0.001), LAW(1, 1, 0),
    LAW(2, 0.5, 2),     LAW(1, 0.5, 1.5),       LAW(1, 0.5, 2.0),         LAW(3600, 1000, 3000),
    LAW(1e-6, 1e-6, 0), LAW(5, 0, 2),           LAW(86400, 86400, 0),     LAW(1, 0.25, 0.25),
    LAW(0.5, 0.5, 0.5), LAW(0.02, 0.05, 0.015),
};
enum { DELAYS = sizeof delays / sizeof *delays };

static int takes(const struct pw_delay_model *model, const struct pw_delay *delay)
{
    struct pw_error err;
    return model->check(delay, &err) == PW_OK;
}

/* ---- Every model ---- */

START_TEST(the_table_finds_every_model)
{
    for (int m = 0; m < count_models(); m++) {
        const struct pw_delay_model *model = pw_delay_models[m];
        ck_assert_ptr_eq(pw_delay_model_find(model->name), model);
        ck_assert(model->name[0] != '\0' && model->help[0] != '\0');
    }
    ck_assert_ptr_null(pw_delay_model_find("warp"));
    ck_assert_ptr_null(pw_delay_model_find(""));
}
END_TEST

/* Laws whose density vanishes at the bound do not come near to it. */
static int comes_near_its_bound(const struct pw_delay_model *model, const struct pw_delay *delay)
{
    if (model == &pw_delay_gamma)
        return delay->std_s >= delay->mean_s - delay->min_s || !(delay->std_s > 0);
    return model != &pw_delay_lognormal || !(delay->std_s > 0);
}

/* The sample's mean is the model's within five standard errors; no draw is below the bound, and the least one
 * comes near to it. */
START_TEST(draws_have_their_mean_and_bound)
{
    const struct pw_delay_model *model = pw_delay_models[_i];
    int tried = 0;
    for (int k = 0; k < DELAYS; k++) {
        const struct pw_delay *delay = &delays[k];
        if (!takes(model, delay))
            continue;
        tried++;
        struct sample sample = delays_sample(model, delay);
        free(sample.values);
        double mean = model->mean(delay), bound = model->lower_bound(delay);
        double error = sqrt(sample.variance / DRAWS) + 1e-12 * mean;
        ck_assert_msg(fabs(sample.mean - mean) <= 5 * error, "%s %d: mean %g, not %g", model->name, k,
                      sample.mean, mean);
        ck_assert_msg(sample.smallest >= bound && bound >= 0, "%s %d: %g below %g", model->name, k,
                      sample.smallest, bound);
        if (!comes_near_its_bound(model, delay))
            continue;
        ck_assert_msg(sample.smallest <= bound + 0.02 * (mean - bound) + 1e-12 * mean,
                      "%s %d: %g is the least, the bound is %g", model->name, k, sample.smallest, bound);
        ck_assert(isfinite(sample.largest));
    }
    ck_assert_int_ge(tried, 3);
}
END_TEST

/* The same delay for the same transmission, whatever is drawn before. */
START_TEST(draws_are_pure)
{
    enum { COUNT = 2000 };
    const struct pw_delay_model *model = pw_delay_models[_i];
    const struct pw_delay *delay = &delays[1];
    struct test_rng rng = test_rng(41);
    double first[COUNT];
    int wrong = 0;
    for (int i = 0; i < COUNT; i++) {
        struct pw_transmission transmission = delays_transmission(i);
        first[i] = delays_draw(model, delay, &transmission);
    }
    for (int run = 0; run < 3 * COUNT; run++) {
        int i = test_below(&rng, COUNT);
        struct pw_transmission transmission = delays_transmission(i);
        wrong += delays_draw(model, delay, &transmission) != first[i];
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

/* For a model that is not constant: any part of the transmission makes another draw, all of them are
 * different, and those of neighbours have nothing in common. */
START_TEST(every_transmission_draws_its_own)
{
    const struct pw_delay_model *model = pw_delay_models[_i];
    const struct pw_delay *delay = &delays[1];
    struct sample sample = delays_sample(model, delay);
    if (sample.variance > 0) {
        const struct pw_transmission base = {1, 2, 0, 3, 4};
        const struct pw_transmission others[] = {{2, 2, 0, 3, 4}, {1 + ((uint64_t)1 << 32), 2, 0, 3, 4},
                                                 {1, 3, 0, 3, 4}, {1, 2, 1, 3, 4},
                                                 {1, 2, 0, 4, 4}, {1, 2, 0, 3, 5},
                                                 {1, 1, 0, 3, 4}, {1, 2, 0, 4, 3}};
        for (size_t k = 0; k < sizeof others / sizeof *others; k++)
            ck_assert_double_ne(delays_draw(model, delay, &base), delays_draw(model, delay, &others[k]));
        /* Sixteen consecutive numbers differ in direction, round, attempt and link. */
        for (int step = 1; step <= 16; step *= 2)
            ck_assert_double_le(fabs(sample_correlation(sample.values, sample.values + step, DRAWS - step)),
                                5 / sqrt(DRAWS));
    }
    free(sample.values);
}
END_TEST

/* A parameter that a model says it does not use changes nothing; one that it uses does. */
START_TEST(parameters_are_used_as_told)
{
    const struct pw_delay_model *model = pw_delay_models[_i];
    const struct pw_delay base = LAW(1, 0.5, 0.5);
    struct {
        unsigned use;
        struct pw_delay delay;
    } others[] = {{PW_USES_MEAN, LAW(1.25, 0.5, 0.5)},
                  {PW_USES_STD, LAW(1, 0.625, 0.5)},
                  {PW_USES_MIN, LAW(1, 0.5, 0.75)},
                  {PW_USES_DISTANCE, base},
                  {PW_USES_DISTANCE, base},
                  {PW_USES_DISTANCE, base},
                  {PW_USES_DISTANCE, base},
                  {PW_USES_DISTANCE, base},
                  {PW_USES_FILE, base}};
    others[3].delay.distance = 4.5;
    others[4].delay.speed = 8;
    others[5].delay.hop_length = 1;
    others[6].delay.hop_s = 0.125;
    others[7].delay.jitter_s = 0.25;
    others[8].delay.n_values = 10;
    for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
        int differs = 0;
        for (int i = 0; i < 100; i++) {
            struct pw_transmission transmission = delays_transmission(i);
            differs |= delays_draw(model, &base, &transmission) !=
                       delays_draw(model, &others[k].delay, &transmission);
        }
        ck_assert_int_eq(differs, (model->uses & others[k].use) != 0);
    }
}
END_TEST

/* ---- Refusals ---- */

START_TEST(bad_parameters_are_refused)
{
    static const struct {
        const char *model;
        struct pw_delay delay;
        int good;
    } tried[] = {
        {"none", LAW(1, 2, 3), 1},
        {"constant", LAW(1, 2, 3), 1},
        {"gaussian", LAW(1, 0.5, 2.5), 1},
        {"gaussian", LAW(1, 0.5, 2.501), 0},
        {"gaussian", LAW(1, 0, 1), 1},
        {"gaussian", LAW(1, 0, 1.001), 0},
        {"gaussian", LAW(0, 0, 0), 1},
        {"exponential", LAW(1, 0, 1), 1},
        {"exponential", LAW(1, 0, 1.001), 0},
        {"exponential", LAW(0, 5, 1), 0},
        {"uniform", LAW(1, 0, 1), 1},
        {"uniform", LAW(1, 0, 1.001), 0},
        {"lognormal", LAW(1, 0, 1), 1},
        {"lognormal", LAW(1, 0.1, 1), 0},
        {"lognormal", LAW(1, 50, 0.5), 1},
        {"lognormal", LAW(1, 50.1, 0.5), 0},
        {"gamma", LAW(1, 0, 1), 1},
        {"gamma", LAW(1, 0.1, 1), 0},
        {"gamma", LAW(1, 0.1, 1.1), 0},
        {"gamma", LAW(0, 0, 0), 1},
        {"pareto", LAW(1, 0, 0), 0},
        {"pareto", LAW(1, 0, 1), 1},
        {"pareto", LAW(1, 0, 1.001), 0},
        {"pareto", LAW(0, 0, 0), 0},
    };
    for (size_t k = 0; k < sizeof tried / sizeof *tried; k++) {
        struct pw_error err = {0};
        enum pw_code code = pw_delay_model_find(tried[k].model)->check(&tried[k].delay, &err);
        ck_assert_int_eq(code, tried[k].good ? PW_OK : PW_USAGE);
        ck_assert(tried[k].good || strstr(err.text, "min_s") != NULL);
    }
}
END_TEST

/* ---- The network ---- */

static struct pw_network network_of(const struct pw_delay_model *model, double loss)
{
    return (struct pw_network){
        .model = model, .delay = LAW(1, 0.5, 0.5), .loss = loss, .retransmit_s = 0.125, .seed = 77};
}

/* Losses before the first success: P(k) = p^k (1 - p), each count within five standard deviations. */
START_TEST(losses_are_geometric)
{
    static const double probabilities[] = {0, 0.05, 0.3, 0.5, 0.9};
    for (int i = 0; i < 5; i++) {
        double p = probabilities[i], expected = DRAWS * (1 - p);
        struct pw_network network = network_of(&pw_delay_none, p);
        int counts[200] = {0};
        for (uint32_t n = 0; n < DRAWS; n++) {
            uint32_t losses = pw_network_pass(&network, n >> 4, n & 1, n >> 1 & 7).losses;
            counts[losses < 199 ? losses : 199]++;
        }
        for (int k = 0; k < 200; k++, expected *= p)
            ck_assert_msg(fabs(counts[k] - expected) <= 5 * sqrt(expected) + 4 * (expected < 1),
                          "p %g: %d times %d losses, %g expected", p, counts[k], k, expected);
    }
}
END_TEST

/* A normal delay below its least is drawn again, from the next trials of its key. */
START_TEST(truncated_delays_are_drawn_again)
{
    struct pw_delay delay = LAW(1, 0.5, 1.2);
    for (int i = 0, again = 0; again < 100; i++) {
        struct pw_transmission transmission = delays_transmission(i);
        struct pw_draw key = pw_transmission_draw(&transmission, PW_DRAW_DELAY);
        uint32_t trial = 0;
        while (1 + 0.5 * pw_random_normal(&key, trial) < 1.2)
            trial++;
        ck_assert(delays_draw(&pw_delay_gaussian, &delay, &transmission) ==
                  1 + 0.5 * pw_random_normal(&key, trial));
        again += trial > 0;
    }
}
END_TEST

/* An offer takes the time-outs of its losses and the delay of the transmission that got through. */
START_TEST(passages_add_up)
{
    for (int m = 0; m < count_models(); m++) {
        struct pw_network network = network_of(pw_delay_models[m], 0.5);
        int lossy = 0, wrong = 0;
        for (uint32_t n = 0; n < 5000; n++) {
            struct pw_passage passage = pw_network_pass(&network, n / 2, n & 1, n % 7);
            struct pw_passage again = pw_network_pass(&network, n / 2, n & 1, n % 7);
            struct pw_transmission last = {77, n / 2, n & 1, n % 7, passage.losses};
            double expected = passage.losses * 0.125 + delays_draw(network.model, &network.delay, &last);
            wrong += passage.delay_s != expected;
            wrong += passage.delay_s != again.delay_s || passage.losses != again.losses;
            lossy += passage.losses > 0;
        }
        ck_assert_int_eq(wrong, 0);
        ck_assert(lossy > 2300 && lossy < 2700);
    }
}
END_TEST

/* Independent losses of an offer as the keys of its attempts say, one draw each. */
static uint32_t losses_by_keys(const struct pw_network *network, const struct pw_transmission *transmission)
{
    const double *of_link = network->data != NULL ? network->data->of_link[PW_LINK_LOSS] : NULL;
    double loss =
        of_link != NULL && !isnan(of_link[transmission->link]) ? of_link[transmission->link] : network->loss;
    struct pw_draw key = {network->seed,
                          PW_DRAW_LOSS,
                          {transmission->link << 1 | transmission->direction, transmission->round, 0}};
    while (pw_random_uniform(&key, 0) < loss)
        key.index[2]++;
    return key.index[2];
}

/* Many offers pass as they do one by one, over links of their own and lost or not. */
START_TEST(many_pass_as_one_by_one)
{
    enum { MOST = 3 * PW_RANDOM_LANES };
    double means[] = {1.0, 2.0, NAN, 0.5}, losses[] = {0.0, 0.5, 0.9, NAN};
    struct pw_net_data data = {.n_links = 4};
    struct test_rng rng = test_rng(43);
    for (int run = 0; run < 3000; run++) {
        struct pw_network network = network_of(pw_delay_models[run % count_models()], run % 3 ? 0.4 : 0.0);
        struct pw_transmission transmissions[MOST];
        struct pw_passage passages[MOST];
        int count = test_below(&rng, MOST + 1);
        data.of_link[PW_LINK_MEAN] = run % 2 ? means : NULL;
        data.of_link[PW_LINK_LOSS] = run % 4 < 2 ? losses : NULL;
        network.data = run % 5 ? &data : NULL;
        network.burst_length = run % 7 ? 0.0 : 4.0;
        network.burst_loss = 1.0;
        network.retransmit = (enum pw_retransmit)(run % 3);
        network.retransmit_max_s = 1.0;
        for (int i = 0; i < count; i++)
            transmissions[i] = (struct pw_transmission){.link = (uint32_t)test_below(&rng, 4),
                                                        .direction = (uint32_t)test_below(&rng, 2),
                                                        .round = (uint32_t)test_below(&rng, 100)};
        pw_network_pass_many(&network, transmissions, count, passages);
        for (int i = 0; i < count; i++) {
            struct pw_passage one = pw_network_pass(&network, transmissions[i].link,
                                                    transmissions[i].direction, transmissions[i].round);
            ck_assert_uint_eq(passages[i].losses, one.losses);
            if (!(network.burst_length > 0.0) && network.retransmit != PW_RETRANSMIT_NEVER)
                ck_assert_uint_eq(one.losses, losses_by_keys(&network, &transmissions[i]));
            ck_assert_int_eq(passages[i].lost_for_good, one.lost_for_good);
            ck_assert(one.lost_for_good || passages[i].delay_s == one.delay_s);
        }
    }
}
END_TEST

/* Whether an offer is lost says nothing about its delay, the other direction or the next round; another seed
 * loses others. */
START_TEST(losses_are_independent)
{
    static double lost[DRAWS], back[DRAWS], next[DRAWS], other[DRAWS], delay[DRAWS];
    struct pw_network network = network_of(&pw_delay_exponential, 0.3), seeded = network;
    seeded.seed = 78;
    for (int i = 0; i < DRAWS; i++) {
        uint32_t link = (uint32_t)i;
        struct pw_transmission first = {77, link, 0, 1, 0};
        lost[i] = pw_network_pass(&network, link, 0, 1).losses;
        back[i] = pw_network_pass(&network, link, 1, 1).losses;
        next[i] = pw_network_pass(&network, link, 0, 2).losses;
        other[i] = pw_network_pass(&seeded, link, 0, 1).losses;
        delay[i] = delays_draw(network.model, &network.delay, &first);
    }
    const double *others[] = {back, next, other, delay};
    for (int k = 0; k < 4; k++)
        ck_assert_double_le(fabs(sample_correlation(lost, others[k], DRAWS)), 5 / sqrt(DRAWS));
}
END_TEST

/* Near-certain loss still ends. */
START_TEST(passages_end)
{
    struct pw_network network = network_of(&pw_delay_none, 1 - 1e-9);
    ck_assert_uint_gt(pw_network_pass(&network, 0, 0, 0).losses, 10000);
    ck_assert(isfinite(pw_network_pass(&network, 1, 0, 0).delay_s));
}
END_TEST

START_TEST(only_no_delay_and_no_loss_is_instant)
{
    for (int m = 0; m < count_models(); m++) {
        struct pw_network sure = network_of(pw_delay_models[m], 0),
                          lossy = network_of(pw_delay_models[m], 0.1);
        ck_assert_int_eq(pw_network_is_instant(&sure), strcmp(sure.model->name, "none") == 0);
        ck_assert(!pw_network_is_instant(&lossy));
    }
}
END_TEST

Suite *net_models_suite(void)
{
    Suite *suite = suite_create("net_models");
    delays_fill();
    TCase *every = tcase_create("every model"), *single = tcase_create("refusals");
    TCase *network = tcase_create("network");
    tcase_add_test(every, the_table_finds_every_model);
    tcase_add_loop_test(every, draws_have_their_mean_and_bound, 0, count_models());
    tcase_add_loop_test(every, draws_are_pure, 0, count_models());
    tcase_add_loop_test(every, every_transmission_draws_its_own, 0, count_models());
    tcase_add_loop_test(every, parameters_are_used_as_told, 0, count_models());
    tcase_add_test(single, bad_parameters_are_refused);
    tcase_add_test(single, truncated_delays_are_drawn_again);
    tcase_add_test(network, losses_are_geometric);
    tcase_add_test(network, passages_add_up);
    tcase_add_test(network, many_pass_as_one_by_one);
    tcase_add_test(network, losses_are_independent);
    tcase_add_test(network, passages_end);
    tcase_add_test(network, only_no_delay_and_no_loss_is_instant);
    TCase *cases[] = {every, single, network};
    for (int i = 0; i < 3; i++) {
        tcase_set_timeout(cases[i], 120);
        suite_add_tcase(suite, cases[i]);
    }
    return suite;
}
