/* peerwatt reference: the centralised optimum of a case. */
#include <stdio.h>

#include "common/case.h"
#include "coordinator/commands.h"
#include "coordinator/json.h"
#include "coordinator/reference.h"

static void print_json(const struct pw_reference *reference)
{
    json_t *object = json_object();
    json_object_set_new(object, "social_welfare", pw_json_real(reference->social_welfare));
    json_object_set_new(object, "price_mean", pw_json_real(reference->price_mean));
    json_object_set_new(object, "power_injected", pw_json_real(reference->power_injected));
    json_object_set_new(object, "method", json_string(reference->method));
    json_object_set_new(object, "kkt_residual", pw_json_real(reference->kkt_residual));
    pw_json_print(object, stdout);
}

static void print_text(const struct pw_reference *reference, const struct pw_settings *settings)
{
    const char *power = settings->power_unit, *money = settings->money_unit;
    printf("%s: the centralised optimum\n", settings->name);
    printf("  %-11s %.6g %s/%sh\n", "price", reference->price_mean, money, power);
    printf("  %-11s %.7g %s injected\n", "power", reference->power_injected, power);
    printf("  %-11s %.8g %s/h\n", "welfare", reference->social_welfare, money);
    printf("  %-11s %s; optimality conditions met to %.1e (relative)\n", "method", reference->method,
           reference->kkt_residual);
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
    enum pw_code code = pw_reference_solve(loaded->market, &reference, err);
    if (code == PW_OK && options->json)
        print_json(&reference);
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
        "shares no code with the negotiation and is what `run` compares its welfare with.",
    .takes_case = 1,
    .options = PW_OPTIONS_CASE | PW_OPTIONS_RESULT,
    .run = run_reference,
};
