#include "common/trace_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/plain_text.h"
#include "common/trace_rows.h"

int pw_trace_variable_count(void)
{
    return pw_trace_row_count;
}

/* Samples or events of all slots. */
static size_t count_samples(const struct pw_trace *trace)
{
    size_t count = 0;
    for (int i = 0; i < trace->n_slots; i++)
        count += (size_t)trace->outcomes[i]->n_samples;
    return count;
}

static size_t count_events(const struct pw_trace *trace)
{
    size_t count = 0;
    for (int i = 0; i < trace->n_slots; i++)
        count += (size_t)trace->outcomes[i]->n_events;
    return count;
}

static const char *array_at(const void *structure, size_t offset)
{
    const char *array;
    memcpy(&array, (const char *)structure + offset, sizeof array);
    return array;
}

static int is_recorded(const struct pw_trace *trace, const char *group)
{
    if (strcmp(group, "trades") == 0)
        return trace->record == PW_RECORD_ALL;
    return trace->record != PW_RECORD_TOTALS || (strcmp(group, "agents") != 0 && strcmp(group, "bills") != 0);
}

static int is_present(const struct pw_trace *trace, const struct pw_trace_row *row)
{
    if (!trace->has_slot_axis && (row->axes == SLOT || row->source == SLOT_NUMBER))
        return 0;
    if (!is_recorded(trace, row->group))
        return 0;
    if (trace->bills == NULL && strcmp(row->group, "bills") == 0)
        return 0;
    if (row->axes == EVENT)
        return count_events(trace) > 0;
    if (row->axes == AGENT_NAME && array_at(trace->market, row->offset) == NULL)
        return 0;
    return row->axes != PRODUCT || trace->outcomes[0]->n_products > 1;
}

static void fit(size_t *size, const char *text)
{
    if (text != NULL && strlen(text) + 1 > *size)
        *size = strlen(text) + 1;
}

/* Along the bytes of a name or label: those of the longest and the NUL that ends it. */
static struct pw_trace_axis name_axis(const struct pw_market *market, int n_agents)
{
    struct pw_trace_axis axis = {"name_length", 1};
    for (int n = 0; n < n_agents; n++) {
        fit(&axis.size, market->agent_name[n]);
        for (int label = 0; label < PW_N_LABELS; label++)
            fit(&axis.size, pw_market_label(market, (enum pw_label)label, n));
    }
    return axis;
}

/* A single product is no axis. */
static void set_axes(const struct pw_trace *trace, const struct pw_trace_row *row,
                     struct pw_trace_variable *out)
{
    const struct pw_outcome *outcome = trace->outcomes[0];
    const struct pw_trace_axis agent = {"agent", (size_t)outcome->n_agents};
    const struct pw_trace_axis trade = {"trade", (size_t)outcome->n_links};
    const struct pw_trace_axis product = {"product", (size_t)outcome->n_products};
    const struct pw_trace_axis slot = {"slot", (size_t)trace->n_slots};
    const struct pw_trace_axis first[] = {
        [AGENT] = agent,
        [AGENT_PRODUCT] = agent,
        [AGENT_NAME] = agent,
        [TRADE] = trade,
        [TRADE_PRODUCT] = trade,
        [TIME] = {"time", count_samples(trace)},
        [EVENT] = {"event", count_events(trace)},
        [PRODUCT] = product,
        [SLOT] = slot,
    };
    enum pw_trace_axes axes = row->axes;
    out->rank = 0;
    if (trace->has_slot_axis && row->source == FROM_OUTCOME)
        out->axis[out->rank++] = slot;
    if (axes != SCALAR && axes != NAME)
        out->axis[out->rank++] = first[axes];
    if ((axes == AGENT_PRODUCT || axes == TRADE_PRODUCT) && outcome->n_products > 1)
        out->axis[out->rank++] = product;
    if (axes == AGENT_NAME || axes == NAME)
        out->axis[out->rank++] = name_axis(trace->market, outcome->n_agents);
    out->is_scale = out->rank == 1 && strcmp(out->axis[0].name, out->name) == 0;
    out->is_only_a_scale = axes == NAME;
}

static void set_units(const struct pw_trace *trace, enum pw_trace_meaning meaning,
                      struct pw_trace_variable *out)
{
    const char *power = trace->power_unit, *money = trace->money_unit;
    out->meanings = NULL;
    snprintf(out->units, sizeof out->units, "1");
    if (meaning == POWER)
        snprintf(out->units, sizeof out->units, "%s", power);
    else if (meaning == PRICE)
        snprintf(out->units, sizeof out->units, "%s/%sh", money, power);
    else if (meaning == PRICE_PER_POWER)
        snprintf(out->units, sizeof out->units, "%s/%sh/%s", money, power, power);
    else if (meaning == RATE)
        snprintf(out->units, sizeof out->units, "%s/h", money);
    else if (meaning == MONEY)
        snprintf(out->units, sizeof out->units, "%s", money);
    else if (meaning == ENERGY)
        snprintf(out->units, sizeof out->units, "%sh", power);
    else if (meaning == HOURS)
        snprintf(out->units, sizeof out->units, "h");
    else if (meaning == SECONDS)
        snprintf(out->units, sizeof out->units, "s"); /* readers make a time span of "seconds" */
    else if (meaning == STATUS)
        out->meanings = "converged limit infeasible interrupted";
    else if (meaning == CLOCK)
        out->meanings = "wall virtual";
    else if (meaning == EVENT_KIND)
        out->meanings = "fire send deliver lost settle wake";
}

static size_t element_count(const struct pw_trace_variable *variable)
{
    size_t count = 1;
    for (int i = 0; i < variable->rank; i++)
        count *= variable->axis[i].size;
    return count;
}

/* Where values lie: `count` of them, `stride` bytes apart. */
struct strip {
    const char *first;
    size_t count, stride;
};

/* The values of one slot; of what is not by slot, the first one's are all. */
static struct strip strip_of(const struct pw_trace *trace, const struct pw_trace_row *row, int slot,
                             const struct pw_trace_variable *out)
{
    const struct pw_outcome *outcome = trace->outcomes[slot];
    size_t count = element_count(out), size = out->element_size;
    switch (row->source) {
    case FROM_SUMMARY:
        return (struct strip){(const char *)trace->summary + row->offset, count, size};
    case FROM_OUTCOME:
        return (struct strip){array_at(outcome, row->offset), count / (size_t)trace->n_slots, size};
    case FROM_MARKET:
        return (struct strip){array_at(trace->market, row->offset), count, size};
    case FROM_BILLS:
        return (struct strip){array_at(trace->bills, row->offset), count, size};
    case FROM_SLOTS:
        return (struct strip){(const char *)&outcome->summary + row->offset, 1, size};
    case FROM_SAMPLES:
        return (struct strip){(const char *)outcome->samples + row->offset, (size_t)outcome->n_samples,
                              sizeof *outcome->samples};
    case FROM_EVENTS:
        return (struct strip){(const char *)outcome->events + row->offset, (size_t)outcome->n_events,
                              sizeof *outcome->events};
    default:
        return (struct strip){NULL, 0, 0};
    }
}

/* The strips of all slots, one after the other. */
static void *gather(const struct pw_trace *trace, const struct pw_trace_row *row,
                    const struct pw_trace_variable *out)
{
    int by_slot = row->source == FROM_OUTCOME || row->source == FROM_SLOTS || row->source == FROM_SAMPLES ||
                  row->source == FROM_EVENTS;
    size_t size = out->element_size, done = 0;
    char *values = pw_alloc(element_count(out), size);
    for (int slot = 0; slot < (by_slot ? trace->n_slots : 1); slot++) {
        struct strip strip = strip_of(trace, row, slot, out);
        for (size_t i = 0; i < strip.count; i++)
            memcpy(values + (done + i) * size, strip.first + i * strip.stride, size);
        done += strip.count;
    }
    return values;
}

/* How many values the slot has on the axis. */
static size_t count_in_slot(const struct pw_trace *trace, const struct pw_trace_row *row, int slot)
{
    const struct pw_outcome *outcome = trace->outcomes[slot];
    return row->axes == SLOT ? 1 : (size_t)(row->axes == TIME ? outcome->n_samples : outcome->n_events);
}

/* Samples and events have times from the start of their slot; in the file they go on from slot to slot. */
static void let_time_go_on(const struct pw_trace *trace, const struct pw_trace_row *row, double *times)
{
    double start_s = 0.0;
    for (int slot = 0; slot < trace->n_slots; slot++) {
        size_t count = count_in_slot(trace, row, slot);
        for (size_t i = 0; i < count; i++)
            *times++ += start_s;
        start_s += trace->outcomes[slot]->summary.end_time_s;
    }
}

static void *number_slots(const struct pw_trace *trace, const struct pw_trace_row *row,
                          const struct pw_trace_variable *out)
{
    int *numbers = pw_alloc(element_count(out), sizeof *numbers), *next = numbers;
    for (int slot = 0; slot < trace->n_slots; slot++) {
        for (size_t i = count_in_slot(trace, row, slot); i > 0; i--)
            *next++ = trace->first_slot + slot;
    }
    return numbers;
}

static void *start_slots(const struct pw_trace *trace)
{
    double *hours = pw_alloc((size_t)trace->n_slots, sizeof *hours);
    for (int slot = 0; slot < trace->n_slots; slot++)
        hours[slot] = (trace->first_slot + slot) * trace->slot_length_h;
    return hours;
}

static void *count_up(size_t count)
{
    int *numbers = pw_alloc(count, sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = (int)i;
    return numbers;
}

/* The place of a word among words separated by blanks, -1 where it is not there. */
static int place_of(const char *word, const char *words)
{
    for (int place = 0;; place++) {
        size_t length = strcspn(words, " ");
        if (strlen(word) == length && memcmp(words, word, length) == 0)
            return place;
        if (words[length] == '\0')
            return -1;
        words += length + 1;
    }
}

static void *find_word(const char *word, const char *words)
{
    int *place = pw_alloc(1, sizeof *place);
    *place = word == NULL ? -1 : place_of(word, words);
    return place;
}

/* The texts one after the other, `width` bytes for each. */
static void *pack_texts(const char *const *texts, size_t count, size_t width)
{
    char *packed = pw_alloc(count, width);
    for (size_t i = 0; i < count; i++)
        if (texts[i] != NULL)
            pw_repair_utf8(memcpy(packed + i * width, texts[i], strlen(texts[i])));
    return packed;
}

static void *pack_names(const struct pw_trace *trace, const struct pw_trace_row *row,
                        const struct pw_trace_variable *out)
{
    const char *first = array_at(trace->market, row->offset);
    return pack_texts((const char *const *)(const void *)first, out->axis[0].size, out->axis[1].size);
}

static void *make_values(const struct pw_trace *trace, const struct pw_trace_row *row,
                         const struct pw_trace_variable *out)
{
    switch (row->source) {
    case COUNTED:
        return count_up(element_count(out));
    case SLOT_NUMBER:
        return number_slots(trace, row, out);
    case SLOT_START:
        return start_slots(trace);
    case FROM_SUMMARY_WORD:
        return find_word(array_at(trace->summary, row->offset), out->meanings);
    default:
        return row->type == PW_TRACE_BYTE ? pack_names(trace, row, out) : gather(trace, row, out);
    }
}

static void set_values(const struct pw_trace *trace, const struct pw_trace_row *row,
                       struct pw_trace_variable *out)
{
    static const size_t sizes[] = {[PW_TRACE_FLAG] = sizeof(int),
                                   [PW_TRACE_INT32] = sizeof(int),
                                   [PW_TRACE_INT64] = sizeof(long),
                                   [PW_TRACE_FLOAT64] = sizeof(double),
                                   [PW_TRACE_BYTE] = sizeof(char)};
    out->element_size = sizes[row->type];
    out->values = make_values(trace, row, out);
    if ((row->axes == TIME || row->axes == EVENT) && row->meaning == SECONDS)
        let_time_go_on(trace, row, out->values);
}

_Static_assert(sizeof(enum pw_status) == sizeof(int), "flags are copied as int");

int pw_trace_variable_get(const struct pw_trace *trace, int index, struct pw_trace_variable *out)
{
    const struct pw_trace_row *row = &pw_trace_rows[index];
    if (!is_present(trace, row))
        return 0;
    out->group = row->group;
    out->name = row->name;
    out->long_name = row->long_name;
    out->type = row->type;
    set_axes(trace, row, out);
    set_units(trace, row->meaning, out);
    set_values(trace, row, out);
    return 1;
}

void pw_trace_variable_free(struct pw_trace_variable *variable)
{
    free(variable->values);
    variable->values = NULL;
}

static int get_variable(const void *trace, int index, struct pw_trace_variable *out)
{
    return pw_trace_variable_get(trace, index, out);
}

enum pw_code pw_trace_write(const struct pw_trace *trace, const char *path, int force, struct pw_error *err)
{
    struct pw_trace_content content = {
        "CF-1.10 peerwatt-trace-1", trace->title, "peerwatt run", trace->provenance, trace->n_provenance,
        pw_trace_variable_count(),  trace,        get_variable};
    return pw_trace_content_write(&content, path, force, err);
}
