/* The law of each delay model: its distribution function and its moments, in closed form. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "net_models/models.h"
#include "tests/unit/delays.h"
#include "tests/unit/suites.h"

/* parameters: mean, std, least */
static double truncated_normal_law(double x, const double *parameters)
{
    double mean = parameters[0], std = parameters[1], least = parameters[2];
    double below = erfc((mean - least) / std / sqrt(2)) / 2;
    return (erfc((mean - x) / std / sqrt(2)) / 2 - below) / (1 - below);
}

/* Mean and variance of the truncated normal law, by Simpson's rule on the density. */
static void integrate(const struct pw_delay *delay, double *mean, double *variance)
{
    enum { STEPS = 200000 };
    double from = fmax(delay->min_s, delay->mean_s - 12 * delay->std_s);
    double step = (delay->mean_s + 12 * delay->std_s - from) / STEPS, moments[3] = {0};
    for (int i = 0; i <= STEPS; i++) {
        double x = from + i * step, z = (x - delay->mean_s) / delay->std_s;
        double weight = (i == 0 || i == STEPS ? 1 : i % 2 ? 4 : 2) * exp(-z * z / 2);
        for (int power = 0; power < 3; power++)
            moments[power] += weight * pow(x - from, power);
    }
    double first = moments[1] / moments[0];
    *mean = from + first;
    *variance = moments[2] / moments[0] - first * first;
}

START_TEST(gaussian_is_the_truncated_normal_law)
{
    static const struct pw_delay tried[] = {
        LAW(1, 0.5, 0.5), LAW(0.004, 0.001, 0.001), LAW(2, 0.5, 2), LAW(1, 0.5, 2.0), LAW(10, 1, 0),
        LAW(1, 1, 0),     LAW(1, 0.5, 1.5),
    };
    for (size_t k = 0; k < sizeof tried / sizeof *tried; k++) {
        double mean, variance, parameters[] = {tried[k].mean_s, tried[k].std_s, tried[k].min_s};
        integrate(&tried[k], &mean, &variance);
        ck_assert_double_eq_tol(pw_delay_gaussian.mean(&tried[k]), mean, 1e-9 * mean);
        struct sample sample = delays_sample(&pw_delay_gaussian, &tried[k]);
        double fourth = 0;
        for (int i = 0; i < DRAWS; i++)
            fourth += pow(sample.values[i] - sample.mean, 4) / DRAWS;
        ck_assert_double_le(fabs(sample.mean - mean), 5 * sqrt(variance / DRAWS));
        ck_assert_double_le(fabs(sample.variance - variance),
                            5 * sqrt((fourth - variance * variance) / DRAWS));
        ck_assert_double_le(sample_distance(&sample, truncated_normal_law, parameters), 2.3);
        ck_assert_int_eq(sample_repeats(&sample), 0);
        free(sample.values);
    }
}
END_TEST

static double shifted_exponential_law(double x, const double *parameters)
{
    return 1 - exp(-(x - parameters[1]) / (parameters[0] - parameters[1]));
}

START_TEST(exponential_is_the_shifted_exponential_law)
{
    static const struct pw_delay tried[] = {LAW(1, 0, 0), LAW(1, 0, 0.75), LAW(0.004, 0, 0.001)};
    for (size_t k = 0; k < sizeof tried / sizeof *tried; k++) {
        double parameters[] = {tried[k].mean_s, tried[k].min_s}, spread = tried[k].mean_s - tried[k].min_s;
        struct sample sample = delays_sample(&pw_delay_exponential, &tried[k]);
        /* The variance of the sample's variance is 8 spread^4 / count. */
        ck_assert_double_le(fabs(sample.variance / (spread * spread) - 1), 5 * sqrt(8.0 / DRAWS));
        ck_assert_double_le(sample_distance(&sample, shifted_exponential_law, parameters), 2.3);
        ck_assert_int_eq(sample_repeats(&sample), 0);
        free(sample.values);
    }
}
END_TEST

/* The sample follows `distribution`, a function of the delay's mean, std and least, and takes no value twice.
 */
static void expect_law(const struct pw_delay_model *model, const struct pw_delay *delay,
                       double (*distribution)(double x, const double *parameters))
{
    double parameters[] = {delay->mean_s, delay->std_s, delay->min_s};
    struct sample sample = delays_sample(model, delay);
    double distance = sample_distance(&sample, distribution, parameters);
    ck_assert_msg(distance <= 2.3, "%s %g %g %g: %g", model->name, delay->mean_s, delay->std_s, delay->min_s,
                  distance);
    ck_assert_int_eq(sample_repeats(&sample), 0);
    free(sample.values);
}

/* The sample's variance is std_s squared, within five standard errors by its own fourth moment. */
static void expect_variance(const struct pw_delay_model *model, const struct pw_delay *delay)
{
    double fourth = 0, variance = delay->std_s * delay->std_s;
    struct sample sample = delays_sample(model, delay);
    for (int i = 0; i < DRAWS; i++)
        fourth += pow(sample.values[i] - sample.mean, 4) / DRAWS;
    double error = sqrt((fourth - sample.variance * sample.variance) / DRAWS);
    ck_assert_msg(fabs(sample.variance - variance) <= 5 * error, "%s %g %g %g: variance %g", model->name,
                  delay->mean_s, delay->std_s, delay->min_s, sample.variance);
    free(sample.values);
}

static double uniform_law(double x, const double *parameters)
{
    return (x - parameters[2]) / (parameters[0] - parameters[2]) / 2;
}

START_TEST(uniform_is_the_uniform_law)
{
    static const struct pw_delay tried[] = {LAW(1, 0, 0), LAW(1, 0, 0.75), LAW(0.004, 0, 0.001)};
    for (int k = 0; k < 3; k++)
        expect_law(&pw_delay_uniform, &tried[k], uniform_law);
}
END_TEST

static double lognormal_law(double x, const double *parameters)
{
    double mean = parameters[0] - parameters[2];
    double sigma2 = log(1 + parameters[1] * parameters[1] / mean / mean);
    return erfc((log(mean) - sigma2 / 2 - log(x - parameters[2])) / sqrt(2 * sigma2)) / 2;
}

START_TEST(lognormal_is_the_shifted_lognormal_law)
{
    static const struct pw_delay tried[] = {LAW(1, 0.5, 0.5), LAW(1, 0.25, 0), LAW(0.004, 0.001, 0.001),
                                            LAW(3600, 100, 60)};
    for (int k = 0; k < 4; k++) {
        expect_law(&pw_delay_lognormal, &tried[k], lognormal_law);
        expect_variance(&pw_delay_lognormal, &tried[k]);
    }
    static const struct pw_delay wide = LAW(1, 5, 0);
    expect_law(&pw_delay_lognormal, &wide, lognormal_law);
    ck_assert_double_gt(pw_delay_lognormal.lower_bound(&tried[1]), 0.1);
}
END_TEST

/* The regularised lower incomplete gamma function, by its power series. */
static double gamma_law(double x, const double *parameters)
{
    double ratio = (parameters[0] - parameters[2]) / parameters[1], shape = ratio * ratio;
    double z = (x - parameters[2]) / (parameters[0] - parameters[2]) * shape, term = 1 / shape, sum = term;
    for (int k = 1; k < 10000 && term > 1e-17 * sum; k++) {
        term *= z / (shape + k);
        sum += term;
    }
    return z > 0 ? fmin(sum * exp(shape * log(z) - z - lgamma(shape)), 1) : 0;
}

START_TEST(gamma_is_the_shifted_gamma_law)
{
    static const struct pw_delay tried[] = {LAW(1, 0.5, 0.5), LAW(1, 0.25, 0), LAW(0.004, 0.001, 0.001),
                                            LAW(1, 1.5, 0), LAW(3600, 100, 60)};
    for (int k = 0; k < 5; k++) {
        expect_law(&pw_delay_gamma, &tried[k], gamma_law);
        expect_variance(&pw_delay_gamma, &tried[k]);
    }
}
END_TEST

static double pareto_law(double x, const double *parameters)
{
    return 1 - pow(parameters[2] / x, parameters[0] / (parameters[0] - parameters[2]));
}

START_TEST(pareto_is_the_pareto_law)
{
    static const struct pw_delay tried[] = {LAW(1, 0, 0.5), LAW(1, 0, 0.9), LAW(0.004, 0, 0.001),
                                            LAW(3600, 0, 3000)};
    for (int k = 0; k < 4; k++)
        expect_law(&pw_delay_pareto, &tried[k], pareto_law);
    /* Variance: scale^2 shape / ((shape - 1)^2 (shape - 2)), here with shape 10. */
    static const struct pw_delay light = LAW(1, 0.9 / 9 * 1.1180339887498949, 0.9);
    expect_variance(&pw_delay_pareto, &light);
}
END_TEST

static double distance_law(double x, const double *parameters)
{
    return 1 - exp(-(x - parameters[0]) / parameters[1]);
}

/* The way takes its time, each hop begun counts whole, the jitter is exponential. */
START_TEST(distance_is_way_hops_and_jitter)
{
    static const struct {
        double distance, hop_length, base;
    } tried[] = {{0, 2, 1}, {8, 2, 4}, {8.5, 2, 4.375}, {8, 0, 3}, {1, 100, 1.5}};
    for (int k = 0; k < 5; k++) {
        struct pw_delay delay = {.min_s = 1, .speed = 4, .hop_s = 0.25, .jitter_s = 0.125};
        delay.distance = tried[k].distance;
        delay.hop_length = tried[k].hop_length;
        double parameters[] = {tried[k].base, 0.125};
        ck_assert_double_eq(pw_delay_distance.lower_bound(&delay), tried[k].base);
        ck_assert_double_eq(pw_delay_distance.mean(&delay), tried[k].base + 0.125);
        struct sample sample = delays_sample(&pw_delay_distance, &delay);
        ck_assert_double_le(sample_distance(&sample, distance_law, parameters), 2.3);
        free(sample.values);
    }
}
END_TEST

/* Each value as often as the others; a value twice in the file twice as often. */
START_TEST(empirical_draws_the_values)
{
    static const double values[] = {0.125, 0.5, 0.5, 2};
    struct pw_delay delay = {.values_s = values, .n_values = 4};
    struct sample sample = delays_sample(&pw_delay_empirical, &delay);
    int counts[3] = {0};
    for (int i = 0; i < DRAWS; i++) {
        double x = sample.values[i];
        counts[0] += x == 0.125;
        counts[1] += x == 0.5;
        counts[2] += x == 2;
    }
    free(sample.values);
    ck_assert_int_eq(counts[0] + counts[1] + counts[2], DRAWS);
    ck_assert_double_le(fabs(counts[0] - DRAWS / 4.0), 5 * sqrt(DRAWS * 3 / 16.0));
    ck_assert_double_le(fabs(counts[1] - DRAWS / 2.0), 5 * sqrt(DRAWS / 4.0));
    ck_assert(pw_delay_empirical.mean(&delay) == 0.78125 && pw_delay_empirical.lower_bound(&delay) == 0.125);
}
END_TEST

Suite *delay_laws_suite(void)
{
    Suite *suite = suite_create("delay_laws");
    TCase *laws = tcase_create("laws");
    tcase_set_timeout(laws, 120);
    tcase_add_test(laws, gaussian_is_the_truncated_normal_law);
    tcase_add_test(laws, exponential_is_the_shifted_exponential_law);
    tcase_add_test(laws, uniform_is_the_uniform_law);
    tcase_add_test(laws, lognormal_is_the_shifted_lognormal_law);
    tcase_add_test(laws, gamma_is_the_shifted_gamma_law);
    tcase_add_test(laws, pareto_is_the_pareto_law);
    tcase_add_test(laws, distance_is_way_hops_and_jitter);
    tcase_add_test(laws, empirical_draws_the_values);
    suite_add_tcase(suite, laws);
    return suite;
}
