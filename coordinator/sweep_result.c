/* What a sweep leaves: the HDF5 file and a few lines. */
#include <stdio.h>

#include "common/sweep_layout.h"
#include "coordinator/json.h"
#include "coordinator/provenance.h"
#include "coordinator/sweep.h"

enum pw_code pw_sweep_write_results(const struct pw_sweep *sweep, struct pw_error *err)
{
    const struct pw_options *options = sweep->options;
    const struct pw_settings *settings = &sweep->first->settings;
    struct pw_provenance_list provenance;
    pw_provenance_fill_sweep(&provenance, sweep->first, sweep->inputs.items[0].text.bytes, options,
                             sweep->transport);
    struct pw_sweep_table table = {sweep->study,         sweep->records,     settings->power_unit,
                                   settings->money_unit, provenance.entries, provenance.count};
    enum pw_code code = pw_sweep_write(&table, options->out, options->force, err);
    pw_provenance_release(&provenance);
    return code;
}

/* How many of the runs that are done ended so. */
static long count(const struct pw_sweep *sweep, enum pw_status status)
{
    long found = 0;
    for (int64_t i = 0; i < sweep->study->n_runs; i++)
        found += sweep->is_done[i] && sweep->records[i].status == (int64_t)status;
    return found;
}

static void print_json(const struct pw_sweep *sweep, const char *out)
{
    json_t *object = json_object();
    int is_over = sweep->n_done == sweep->n_wanted;
    json_object_set_new(object, "status", json_string(is_over ? "done" : "interrupted"));
    json_object_set_new(object, "runs", json_integer(sweep->n_wanted));
    json_object_set_new(object, "done", json_integer(sweep->n_done));
    json_object_set_new(object, "done_before", json_integer(sweep->n_before));
    json_object_set_new(object, "converged", json_integer(count(sweep, PW_CONVERGED)));
    json_object_set_new(object, "limit", json_integer(count(sweep, PW_AT_LIMIT)));
    json_object_set_new(object, "infeasible", json_integer(count(sweep, PW_INFEASIBLE_MARKET)));
    json_object_set_new(object, "ranks", json_integer(sweep->transport->size));
    json_object_set_new(object, "wall_s", pw_json_real(pw_sweep_elapsed_s(sweep)));
    json_object_set_new(object, "out", out != NULL ? json_string(out) : json_null());
    pw_json_print(object, stdout);
}

static void print_text(const struct pw_sweep *sweep, const char *out)
{
    long limit = count(sweep, PW_AT_LIMIT), infeasible = count(sweep, PW_INFEASIBLE_MARKET);
    printf("%s: %lld of %lld runs are done, %ld converged", sweep->study->name, (long long)sweep->n_done,
           (long long)sweep->n_wanted, count(sweep, PW_CONVERGED));
    if (limit > 0)
        printf(", %ld ended at a limit", limit);
    if (infeasible > 0)
        printf(", %ld have no solution", infeasible);
    printf("\n  %-11s %.3g s, on %d rank%s\n", "time", pw_sweep_elapsed_s(sweep), sweep->transport->size,
           sweep->transport->size == 1 ? "" : "s");
    if (out != NULL)
        printf("  %-11s %s\n", "results", out);
}

enum pw_code pw_sweep_print(const struct pw_sweep *sweep, const char *out, struct pw_error *err)
{
    if (sweep->options->json)
        print_json(sweep, out);
    else if (!sweep->options->quiet)
        print_text(sweep, out);
    if (fflush(stdout) != 0 || ferror(stdout))
        return pw_fail(err, PW_IO, "the result cannot be printed: standard output takes no more");
    return PW_OK;
}
