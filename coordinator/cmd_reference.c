/* peerwatt reference: the centralised optimum of a case. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/case.h"
#include "common/file_write.h"
#include "coordinator/commands.h"
#include "coordinator/json.h"
#include "coordinator/reference.h"

static void print_json(const struct pw_reference *reference, const struct pw_settings *settings)
{
    json_t *object = json_object();
    json_object_set_new(object, "social_welfare", pw_json_real(reference->social_welfare));
    json_object_set_new(object, "price_mean", pw_json_real(reference->price_mean));
    json_object_set_new(object, "power_injected", pw_json_real(reference->power_injected));
    json_object_set_new(object, "method", json_string(reference->method));
    json_object_set_new(object, "kkt_residual", pw_json_real(reference->kkt_residual));
    json_object_set_new(object, "name", json_string(settings->name));
    json_object_set_new(object, "power_unit", json_string(settings->power_unit));
    json_object_set_new(object, "money_unit", json_string(settings->money_unit));
    pw_json_print(object, stdout);
}

static void print_text(const struct pw_reference *reference, const struct pw_settings *settings)
{
    const char *power = settings->power_unit, *money = settings->money_unit;
    int slots = pw_case_last_slot(settings) - pw_case_first_slot(settings) + 1;
    printf("%s: the centralised optimum%s\n", settings->name, slots > 1 ? "; means over the time slots" : "");
    printf("  %-11s %.6g %s/%sh\n", "price", reference->price_mean, money, power);
    printf("  %-11s %.7g %s injected\n", "power", reference->power_injected, power);
    printf("  %-11s %.8g %s/h\n", "welfare", reference->social_welfare, money);
    printf("  %-11s %s; optimality conditions met to %.1e (relative)\n", "method", reference->method,
           reference->kkt_residual);
}

/* A cell in quotes, with those inside doubled. */
static void print_quoted(FILE *table, const char *text)
{
    fputc('"', table);
    for (; text != NULL && *text != '\0'; text++)
        fputs(*text == '"' ? "\"\"" : (const char[]){*text, '\0'}, table);
    fputc('"', table);
}

/* The shortest of two forms that reads back as the same number. */
static void print_real(FILE *table, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.15g", value);
    fprintf(table, ",%.*g", strtod(text, NULL) == value ? 15 : 17, value);
}

static void print_assets(FILE *table, const struct pw_market *market)
{
    fputs("agent,asset,p_min,p_max,a,b\n", table);
    for (int n = 0; n < market->n_agents; n++) {
        for (int i = market->asset_first[n]; i < market->asset_first[n + 1]; i++) {
            const double values[] = {market->p_min[i], market->p_max[i], market->a[i], market->b[i]};
            fprintf(table, "%d,", n);
            print_quoted(table, market->asset_name[i]);
            for (int k = 0; k < 4; k++)
                print_real(table, values[k]);
            fputc('\n', table);
        }
    }
}

/* All assets as a table that a case can name. */
static enum pw_code write_assets(const struct pw_market *market, const struct pw_options *options,
                                 struct pw_error *err)
{
    char *text;
    size_t size;
    FILE *table = open_memstream(&text, &size);
    if (table == NULL)
        return pw_fail(err, PW_ENVIRONMENT, "no memory for a table of %d assets", market->n_assets);
    print_assets(table, market);
    fclose(table);
    enum pw_code code = pw_file_write(options->out, text, size, options->force, err);
    free(text);
    return code;
}

/* Adds a slot's optimum: sums of rates, the price weighted by power. */
static void add(struct pw_reference *sum, const struct pw_reference *one, double *weighted_price)
{
    sum->social_welfare += one->social_welfare;
    sum->power_injected += one->power_injected;
    sum->kkt_residual = fmax(sum->kkt_residual, one->kkt_residual);
    sum->method = one->method;
    if (one->power_injected > 0.0)
        *weighted_price += one->power_injected * one->price_mean;
}

/* The optimum of each slot to be run; what is reported of several are their means. */
static enum pw_code solve(const struct pw_case *loaded, struct pw_reference *reference, struct pw_error *err)
{
    int first = pw_case_first_slot(&loaded->settings), last = pw_case_last_slot(&loaded->settings);
    double weighted_price = 0.0;
    if (first == last)
        return pw_reference_solve(loaded->market, reference, err);
    *reference = (struct pw_reference){.method = ""};
    for (int slot = first; slot <= last; slot++) {
        struct pw_reference one;
        pw_profiles_apply(loaded->profiles, slot, loaded->market);
        PW_TRY(pw_reference_solve(loaded->market, &one, err));
        add(reference, &one, &weighted_price);
    }
    reference->price_mean =
        reference->power_injected > 0.0 ? weighted_price / reference->power_injected : NAN;
    reference->social_welfare /= last - first + 1;
    reference->power_injected /= last - first + 1;
    pw_profiles_apply(loaded->profiles, first, loaded->market);
    return PW_OK;
}

static enum pw_code run_reference(const struct pw_options *options, struct pw_transport *transport,
                                  struct pw_error *err)
{
    struct pw_case *loaded;
    struct pw_reference reference;
    (void)transport;
    PW_TRY(pw_case_load(options->case_path, options->overrides, options->n_overrides, &loaded, err));
    if (options->verbose)
        pw_settings_dump(&loaded->settings, stderr);
    enum pw_code code = options->out != NULL ? pw_file_write_check(options->out, options->force, err) : PW_OK;
    if (code == PW_OK)
        code = solve(loaded, &reference, err);
    if (code == PW_OK && options->out != NULL)
        code = write_assets(loaded->market, options, err);
    if (code == PW_OK && options->json)
        print_json(&reference, &loaded->settings);
    else if (code == PW_OK && !options->quiet)
        print_text(&reference, &loaded->settings);
    pw_case_destroy(loaded);
    return code;
}

const struct pw_command pw_cmd_reference = {
    .name = "reference",
    .usage = "CASE.yaml [options]",
    .help = "compute the centralised optimum, without negotiation",
    .story =
        "By bisection on the price where the market is a pool, otherwise by an interior-point method. It\n"
        "shares no code with the negotiation and is what `run` compares its welfare with. With -o it also\n"
        "writes the assets as a table, those of a recipe too: for the merit order, or as market.assets.\n"
        "Of several time slots it prints the means, and writes the assets of the first.",
    .takes_case = 1,
    .options = PW_OPTIONS_CASE | PW_OPTIONS_RESULT | PW_OPTIONS_WRITE,
    .run = run_reference,
};
