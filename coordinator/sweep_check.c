#include "coordinator/sweep_check.h"

#include <stdio.h>

#include "coordinator/clock.h"
#include "coordinator/json.h"
#include "coordinator/sweep.h"
#include "coordinator/sweep_worker.h"

int pw_is_study(const char *path)
{
    struct pw_text text;
    struct pw_yaml *root = NULL;
    struct pw_error err;
    if (pw_text_read(path, &text, &err) != PW_OK)
        return 0;
    int is_one =
        pw_yaml_parse(text.bytes, text.size, path, &root, &err) == PW_OK && pw_study_looks_like_one(root);
    pw_yaml_destroy(root);
    pw_text_free(&text);
    return is_one;
}

/* The number of the run with every axis at its middle, replicate 0. */
static long middle(const struct pw_study *study)
{
    long number = 0;
    for (int a = 0; a < study->n_axes; a++)
        number = number * study->axes[a].n_values + study->axes[a].n_values / 2;
    return number * study->replicates;
}

static void print_json(const struct pw_study *study, double run_s)
{
    json_t *object = json_object(), *axes = json_object();
    for (int a = 0; a < study->n_axes; a++)
        json_object_set_new(axes, study->axes[a].name, json_integer(study->axes[a].n_values));
    json_object_set_new(object, "runs", json_integer(study->n_runs));
    json_object_set_new(object, "axes", axes);
    json_object_set_new(object, "replicates", json_integer(study->replicates));
    json_object_set_new(object, "run_s", pw_json_real(run_s));
    json_object_set_new(object, "core_s", pw_json_real(run_s * (double)study->n_runs));
    pw_json_print(object, stdout);
}

static void print_text(const struct pw_study *study, double run_s)
{
    double all_s = run_s * (double)study->n_runs;
    printf("%s: the study is valid\n  %-11s %ld: ", study->name, "runs", study->n_runs);
    for (int a = 0; a < study->n_axes; a++)
        printf("%d %s x ", study->axes[a].n_values, study->axes[a].name);
    printf("%ld replicates\n", study->replicates);
    printf("  %-11s %.2g s for the run in the middle, so about %.2g %s on one core\n", "time", run_s,
           all_s < 120.0 ? all_s : all_s / 60.0, all_s < 120.0 ? "s" : "min");
}

static enum pw_code check(struct pw_sweep *sweep, struct pw_error *err)
{
    struct pw_sweep_record record;
    PW_TRY(pw_sweep_load(sweep, err));
    struct pw_sweep_worker *worker = pw_sweep_worker_create(sweep);
    int64_t start_ns = pw_clock_ns();
    enum pw_code code = pw_sweep_worker_run(worker, middle(sweep->study), &record, err);
    double run_s = (double)(pw_clock_ns() - start_ns) * 1e-9;
    pw_sweep_worker_destroy(worker);
    if (code == PW_OK && sweep->options->verbose)
        pw_settings_dump(&sweep->first->settings, stderr);
    if (code == PW_OK && sweep->options->json)
        print_json(sweep->study, run_s);
    else if (code == PW_OK && !sweep->options->quiet)
        print_text(sweep->study, run_s);
    return code;
}

enum pw_code pw_sweep_check(const struct pw_options *options, struct pw_transport *transport,
                            struct pw_error *err)
{
    struct pw_sweep sweep = {.options = options, .transport = transport, .start_ns = pw_clock_ns()};
    enum pw_code code = check(&sweep, err);
    pw_sweep_release(&sweep);
    return code;
}
