#include "common/sweep_layout.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/settings.h"
#include "common/suggest.h"
#include "common/trace_layout.h"

enum meaning { PURE, POWER, PRICE, RATE, SECONDS, STATUS };

struct row {
    const char *name;
    enum pw_trace_type type;
    enum meaning meaning;
    const char *long_name;
    size_t offset;
};

#define AT(field) offsetof(struct pw_sweep_record, field)

static const struct row ROWS[] = {
    {"status", PW_TRACE_FLAG, STATUS, "how the run ended", AT(status)},
    {"convergence_time", PW_TRACE_FLOAT64, SECONDS, "time of convergence", AT(convergence_time_s)},
    {"end_time", PW_TRACE_FLOAT64, SECONDS, "time when the end was detected", AT(end_time_s)},
    {"messages", PW_TRACE_INT64, PURE, "offers sent, each counted once", AT(messages)},
    {"messages_lost", PW_TRACE_INT64, PURE, "transmissions lost", AT(messages_lost)},
    {"iterations", PW_TRACE_FLOAT64, PURE, "local solves per agent", AT(iterations)},
    {"wait_time", PW_TRACE_FLOAT64, SECONDS, "time waiting for offers, mean over agents", AT(wait_s)},
    {"compute_time", PW_TRACE_FLOAT64, SECONDS, "time in local solves, mean over agents", AT(compute_s)},
    {"welfare_gap", PW_TRACE_FLOAT64, PURE, "welfare short of the reference, relative", AT(welfare_gap)},
    {"social_welfare", PW_TRACE_FLOAT64, RATE, "social welfare", AT(social_welfare)},
    {"price_mean", PW_TRACE_FLOAT64, PRICE, "mean price weighted by traded power", AT(price_mean)},
    {"power_injected", PW_TRACE_FLOAT64, POWER, "sum of positive agent powers", AT(power_injected)},
    {"fees_collected", PW_TRACE_FLOAT64, RATE, "fees collected", AT(fees_collected)},
    {"imbalance", PW_TRACE_FLOAT64, POWER, "sum over agents of |power - sum of trades|", AT(imbalance)},
    {"primal_residual", PW_TRACE_FLOAT64, POWER, "disagreement of the two ends of links",
     AT(primal_residual)},
    {"dual_residual", PW_TRACE_FLOAT64, POWER, "last change of trades", AT(dual_residual)},
    {"price_residual", PW_TRACE_FLOAT64, PRICE, "last change of prices", AT(price_residual)},
    {"naive_time", PW_TRACE_FLOAT64, SECONDS, "when a test that pairs no rounds would have stopped",
     AT(naive_time_s)},
    {"naive_false_stops", PW_TRACE_INT64, PURE, "times that such a test would have stopped in error",
     AT(naive_false_stops)},
    {"n_agents", PW_TRACE_INT64, PURE, "number of agents", AT(agents)},
    {"n_trades", PW_TRACE_INT64, PURE, "number of links, counted once", AT(trades)},
};
enum { VARIABLES = sizeof ROWS / sizeof *ROWS };

int pw_sweep_variable_count(void)
{
    return VARIABLES;
}

int pw_sweep_variable_find(const char *name, char *hint, int size)
{
    const char *names[VARIABLES];
    for (int i = 0; i < VARIABLES; i++) {
        names[i] = ROWS[i].name;
        if (strcmp(names[i], name) == 0)
            return i;
    }
    pw_suggest(name, names, VARIABLES, hint, size);
    return -1;
}

/* What an axis is called in the file: its scale and, where its values are no numbers, the table of their
 * texts and the scale along a text. */
enum { SCALE, LENGTH, TEXTS, PARTS };
struct axis_names {
    char long_name[256];
    char name[PARTS][PW_STUDY_NAME_ROOM + 8];
    size_t longest; /* text, with its NUL */
};

struct layout {
    const struct pw_sweep_table *table;
    struct axis_names names[PW_MOST_STUDY_AXES];
};

static void name_axis(const struct pw_study_axis *axis, struct axis_names *names)
{
    int row = pw_settings_find(axis->setting);
    snprintf(names->long_name, sizeof names->long_name, "%s: %s", axis->setting,
             row >= 0 ? pw_settings_table[row].help : "several settings at once");
    snprintf(names->name[SCALE], sizeof names->name[SCALE], "%s", axis->name);
    snprintf(names->name[LENGTH], sizeof names->name[LENGTH], "%s_length", axis->name);
    snprintf(names->name[TEXTS], sizeof names->name[TEXTS], "%s_text", axis->name);
    names->longest = 1;
    for (int i = 0; i < axis->n_values; i++)
        if (strlen(axis->values[i].text) + 1 > names->longest)
            names->longest = strlen(axis->values[i].text) + 1;
}

static void set_units(const struct pw_sweep_table *table, enum meaning meaning, struct pw_trace_variable *out)
{
    const char *power = table->power_unit, *money = table->money_unit;
    snprintf(out->units, sizeof out->units, "1");
    if (meaning == POWER)
        snprintf(out->units, sizeof out->units, "%s", power);
    else if (meaning == PRICE)
        snprintf(out->units, sizeof out->units, "%s/%sh", money, power);
    else if (meaning == RATE)
        snprintf(out->units, sizeof out->units, "%s/h", money);
    else if (meaning == SECONDS)
        snprintf(out->units, sizeof out->units, "s");
    else if (meaning == STATUS)
        out->meanings = "converged limit infeasible interrupted";
}

/* The units of a setting in those of the case. */
static void set_setting_units(const struct pw_sweep_table *table, const char *path,
                              struct pw_trace_variable *out)
{
    int row = pw_settings_find(path);
    const char *unit = row >= 0 ? pw_settings_table[row].unit : "";
    enum meaning meaning = strcmp(unit, "s") == 0              ? SECONDS
                           : strcmp(unit, "power") == 0        ? POWER
                           : strcmp(unit, "money/energy") == 0 ? PRICE
                                                               : PURE;
    set_units(table, meaning, out);
    if (strcmp(unit, "price/power") == 0)
        snprintf(out->units, sizeof out->units, "%s/%s2h", table->money_unit, table->power_unit);
}

static int *count_up(size_t count)
{
    int *numbers = pw_alloc(count, sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = (int)i;
    return numbers;
}

static void get_scale(const struct pw_study_axis *axis, struct pw_trace_variable *out)
{
    out->is_scale = 1;
    if (!axis->is_numeric) {
        out->type = PW_TRACE_INT32;
        out->values = count_up((size_t)axis->n_values);
        return;
    }
    double *values = pw_alloc((size_t)axis->n_values, sizeof *values);
    for (int i = 0; i < axis->n_values; i++)
        values[i] = axis->values[i].number;
    out->type = PW_TRACE_FLOAT64;
    out->values = values;
}

static void get_texts(const struct pw_study_axis *axis, const struct axis_names *names,
                      struct pw_trace_variable *out)
{
    char *bytes = pw_alloc((size_t)axis->n_values, names->longest);
    for (int i = 0; i < axis->n_values; i++)
        memcpy(bytes + (size_t)i * names->longest, axis->values[i].text, strlen(axis->values[i].text));
    out->type = PW_TRACE_BYTE;
    out->rank = 2;
    out->axis[1] = (struct pw_trace_axis){names->name[LENGTH], names->longest};
    out->values = bytes;
}

static int get_axis(const struct layout *layout, int a, int part, struct pw_trace_variable *out)
{
    const struct pw_study_axis *axis = &layout->table->study->axes[a];
    const struct axis_names *names = &layout->names[a];
    if (part != SCALE && axis->is_numeric)
        return 0;
    out->name = names->name[part];
    out->long_name = part == LENGTH ? "place of a byte in a text" : names->long_name;
    out->rank = 1;
    out->axis[0] = (struct pw_trace_axis){names->name[SCALE], (size_t)axis->n_values};
    if (part == SCALE) {
        set_setting_units(layout->table, axis->setting, out);
        get_scale(axis, out);
    } else if (part == TEXTS) {
        get_texts(axis, names, out);
    } else {
        out->is_scale = out->is_only_a_scale = 1;
        out->type = PW_TRACE_INT32;
        out->axis[0] = (struct pw_trace_axis){names->name[LENGTH], names->longest};
        out->values = count_up(names->longest);
    }
    return 1;
}

static int get_replicate(const struct layout *layout, struct pw_trace_variable *out)
{
    size_t count = (size_t)layout->table->study->replicates;
    out->name = "replicate";
    out->long_name = "draw of market and delays: what is added to the seeds";
    out->type = PW_TRACE_INT32;
    out->is_scale = 1;
    out->rank = 1;
    out->axis[0] = (struct pw_trace_axis){"replicate", count};
    out->values = count_up(count);
    return 1;
}

/* Integers are kept in 64 bits; a flag's values are ints. */
static void *column(const struct pw_sweep_table *table, const struct row *row)
{
    size_t count = (size_t)table->study->n_runs;
    int *flags = pw_alloc(row->type == PW_TRACE_FLAG ? count : 0, sizeof *flags);
    int64_t *numbers = pw_alloc(row->type == PW_TRACE_FLAG ? 0 : count, sizeof *numbers);
    for (size_t i = 0; i < count; i++) {
        int64_t bits;
        memcpy(&bits, (const char *)&table->records[i] + row->offset, sizeof bits);
        if (row->type == PW_TRACE_FLAG)
            flags[i] = (int)bits;
        else
            numbers[i] = bits;
    }
    free(row->type == PW_TRACE_FLAG ? (void *)numbers : (void *)flags);
    return row->type == PW_TRACE_FLAG ? (void *)flags : (void *)numbers;
}

_Static_assert(sizeof(long) == sizeof(int64_t) && sizeof(double) == sizeof(int64_t),
               "a column is copied as 64 bits");

static int get_result(const struct layout *layout, int index, struct pw_trace_variable *out)
{
    const struct pw_study *study = layout->table->study;
    const struct row *row = &ROWS[index];
    if (!study->is_recorded[index])
        return 0;
    out->name = row->name;
    out->long_name = row->long_name;
    out->type = row->type;
    set_units(layout->table, row->meaning, out);
    for (int a = 0; a < study->n_axes; a++)
        out->axis[out->rank++] =
            (struct pw_trace_axis){layout->names[a].name[SCALE], (size_t)study->axes[a].n_values};
    out->axis[out->rank++] = (struct pw_trace_axis){"replicate", (size_t)study->replicates};
    out->values = column(layout->table, row);
    return 1;
}

/* The axes come first: what lies on them is tied to them. */
static int get_variable(const void *context, int index, struct pw_trace_variable *out)
{
    static const size_t sizes[] = {[PW_TRACE_FLAG] = sizeof(int),
                                   [PW_TRACE_INT32] = sizeof(int),
                                   [PW_TRACE_INT64] = sizeof(long),
                                   [PW_TRACE_FLOAT64] = sizeof(double),
                                   [PW_TRACE_BYTE] = sizeof(char)};
    const struct layout *layout = context;
    int axes = layout->table->study->n_axes, is_there;
    *out = (struct pw_trace_variable){.group = "", .units = "1"};
    if (index < PARTS * axes)
        is_there = get_axis(layout, index / PARTS, index % PARTS, out);
    else if (index == PARTS * axes)
        is_there = get_replicate(layout, out);
    else
        is_there = get_result(layout, index - PARTS * axes - 1, out);
    out->element_size = sizes[out->type];
    return is_there;
}

_Static_assert(PW_MOST_STUDY_AXES + 1 <= PW_MOST_TRACE_AXES, "every axis and the replicates");

enum pw_code pw_sweep_write(const struct pw_sweep_table *table, const char *path, int force,
                            struct pw_error *err)
{
    struct layout layout = {.table = table};
    for (int a = 0; a < table->study->n_axes; a++)
        name_axis(&table->study->axes[a], &layout.names[a]);
    struct pw_trace_content content = {"CF-1.10 peerwatt-sweep-1",
                                       table->study->name,
                                       "peerwatt sweep",
                                       table->provenance,
                                       table->n_provenance,
                                       PARTS * table->study->n_axes + 1 + VARIABLES,
                                       &layout,
                                       get_variable};
    return pw_trace_content_write(&content, path, force, err);
}
