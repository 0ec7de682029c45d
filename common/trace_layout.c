#include "common/trace_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/plain_text.h"

enum axes { SCALAR, AGENT, AGENT_PRODUCT, AGENT_NAME, NAME, TRADE, TRADE_PRODUCT, TIME, EVENT, PRODUCT };

/* What the numbers are, which gives their units; flags have words. */
enum meaning { PURE, POWER, PRICE, RATE, SECONDS, STATUS, CLOCK, EVENT_KIND };

/* A word of the summary is stored as its place among the meanings of its flag. */
enum source {
    FROM_SUMMARY,
    FROM_SUMMARY_WORD,
    FROM_OUTCOME,
    FROM_MARKET,
    FROM_SAMPLES,
    FROM_EVENTS,
    COUNTED
};

struct row {
    const char *group, *name;
    enum pw_trace_type type;
    enum axes axes;
    enum meaning meaning;
    const char *long_name;
    enum source source;
    size_t offset; /* of the number, or of the pointer to the array, in the structure it comes from */
};

#define SUMMARY(field) FROM_SUMMARY, offsetof(struct pw_summary, field)
#define SUMMARY_WORD(field) FROM_SUMMARY_WORD, offsetof(struct pw_summary, field)
#define OUTCOME(field) FROM_OUTCOME, offsetof(struct pw_outcome, field)
#define MARKET(field) FROM_MARKET, offsetof(struct pw_market, field)
#define SAMPLE(field) FROM_SAMPLES, offsetof(struct pw_sample, field)
#define OF_EVENT(field) FROM_EVENTS, offsetof(struct pw_event, field)

static const struct row ROWS[] = {
    {"", "status", PW_TRACE_FLAG, SCALAR, STATUS, "how the run ended", SUMMARY(status)},
    {"", "clock", PW_TRACE_FLAG, SCALAR, CLOCK, "what the times of the run are measured on",
     SUMMARY_WORD(clock)},
    /* `agents` and `trades` of the summary: those names are taken by the groups. */
    {"", "n_agents", PW_TRACE_INT32, SCALAR, PURE, "number of agents", SUMMARY(agents)},
    {"", "n_trades", PW_TRACE_INT32, SCALAR, PURE, "number of links, counted once", SUMMARY(trades)},
    {"", "delta", PW_TRACE_FLOAT64, SCALAR, PURE, "asynchronous rate", SUMMARY(delta)},
    {"", "loss", PW_TRACE_FLOAT64, SCALAR, PURE, "probability that a transmission is lost", SUMMARY(loss)},
    {"", "seed", PW_TRACE_INT64, SCALAR, PURE, "seed of delays and losses", SUMMARY(seed)},
    {"", "convergence_time_s", PW_TRACE_FLOAT64, SCALAR, SECONDS, "time of convergence",
     SUMMARY(convergence_time_s)},
    {"", "end_time_s", PW_TRACE_FLOAT64, SCALAR, SECONDS, "time when the end was detected",
     SUMMARY(end_time_s)},
    {"", "naive_time_s", PW_TRACE_FLOAT64, SCALAR, SECONDS, "time when a test that pairs nothing held first",
     SUMMARY(naive_time_s)},
    {"", "naive_false_stops", PW_TRACE_INT64, SCALAR, PURE, "times that this test came to hold in error",
     SUMMARY(naive_false_stops)},
    {"", "iterations_mean", PW_TRACE_FLOAT64, SCALAR, PURE, "local solves per agent",
     SUMMARY(iterations_mean)},
    {"", "messages_sent", PW_TRACE_INT64, SCALAR, PURE, "offers sent, each counted once",
     SUMMARY(messages_sent)},
    {"", "messages_retransmitted", PW_TRACE_INT64, SCALAR, PURE, "transmissions repeated",
     SUMMARY(messages_retransmitted)},
    {"", "messages_duplicate", PW_TRACE_INT64, SCALAR, PURE, "offers that arrived again",
     SUMMARY(messages_duplicate)},
    {"", "messages_lost", PW_TRACE_INT64, SCALAR, PURE, "transmissions lost", SUMMARY(messages_lost)},
    {"", "primal_residual", PW_TRACE_FLOAT64, SCALAR, POWER, "disagreement of the two ends of links",
     SUMMARY(primal_residual)},
    {"", "dual_residual", PW_TRACE_FLOAT64, SCALAR, POWER, "last change of trades", SUMMARY(dual_residual)},
    {"", "price_residual", PW_TRACE_FLOAT64, SCALAR, PRICE, "last change of prices", SUMMARY(price_residual)},
    {"", "tolerance_primal", PW_TRACE_FLOAT64, SCALAR, POWER, "tolerance of the primal residual",
     SUMMARY(tolerance_primal)},
    {"", "tolerance_dual", PW_TRACE_FLOAT64, SCALAR, POWER, "tolerance of the dual residual",
     SUMMARY(tolerance_dual)},
    {"", "tolerance_price", PW_TRACE_FLOAT64, SCALAR, PRICE, "tolerance of the price residual",
     SUMMARY(tolerance_price)},
    {"", "social_welfare", PW_TRACE_FLOAT64, SCALAR, RATE, "social welfare", SUMMARY(social_welfare)},
    {"", "reference_welfare", PW_TRACE_FLOAT64, SCALAR, RATE, "social welfare of the centralised optimum",
     SUMMARY(reference_welfare)},
    {"", "welfare_gap", PW_TRACE_FLOAT64, SCALAR, PURE, "welfare short of the reference, relative",
     SUMMARY(welfare_gap)},
    {"", "price_mean", PW_TRACE_FLOAT64, SCALAR, PRICE, "mean price weighted by traded power",
     SUMMARY(price_mean)},
    {"", "power_injected", PW_TRACE_FLOAT64, SCALAR, POWER, "sum of positive agent powers",
     SUMMARY(power_injected)},
    {"", "power_traded", PW_TRACE_FLOAT64, SCALAR, POWER, "sum of absolute trades over links",
     SUMMARY(power_traded)},
    {"", "fees_collected", PW_TRACE_FLOAT64, SCALAR, RATE, "fees collected", SUMMARY(fees_collected)},
    {"", "price_mismatch_max", PW_TRACE_FLOAT64, SCALAR, PRICE,
     "largest price difference between the ends of a link that trades", SUMMARY(price_mismatch_max)},
    {"", "price_spread_max", PW_TRACE_FLOAT64, SCALAR, PRICE,
     "worst violation of the optimality conditions by agent prices", SUMMARY(price_spread_max)},
    {"", "balance_max", PW_TRACE_FLOAT64, SCALAR, POWER,
     "largest imbalance between an agent's power and its trades", SUMMARY(balance_max)},
    {"", "imbalance", PW_TRACE_FLOAT64, SCALAR, POWER, "sum over agents of |power - sum of trades|",
     SUMMARY(imbalance)},

    {"agents", "agent", PW_TRACE_INT32, AGENT, PURE, "agent number", COUNTED, 0},
    {"agents", "product", PW_TRACE_INT32, PRODUCT, PURE, "product number", COUNTED, 0},
    {"agents", "power", PW_TRACE_FLOAT64, AGENT_PRODUCT, POWER, "net injection", OUTCOME(power)},
    {"agents", "price", PW_TRACE_FLOAT64, AGENT_PRODUCT, PRICE, "marginal price of the agent",
     OUTCOME(price)},
    {"agents", "cost", PW_TRACE_FLOAT64, AGENT, RATE, "cost of the agent's assets", OUTCOME(cost)},
    {"agents", "fees", PW_TRACE_FLOAT64, AGENT, RATE, "fees paid", OUTCOME(fees)},
    {"agents", "welfare", PW_TRACE_FLOAT64, AGENT, RATE, "money from trades less cost and fees",
     OUTCOME(welfare)},
    {"agents", "peers", PW_TRACE_INT32, AGENT, PURE, "number of links", OUTCOME(peers)},
    {"agents", "iterations", PW_TRACE_INT64, AGENT, PURE, "local solves", OUTCOME(iterations)},
    {"agents", "wait_time", PW_TRACE_FLOAT64, AGENT, SECONDS, "time waiting for offers", OUTCOME(wait_s)},
    {"agents", "compute_time", PW_TRACE_FLOAT64, AGENT, SECONDS, "time in local solves", OUTCOME(compute_s)},
    {"agents", "messages_sent", PW_TRACE_INT64, AGENT, PURE, "offers sent", OUTCOME(messages_sent)},
    {"agents", "name_length", PW_TRACE_INT32, NAME, PURE, "place of a byte in a name", COUNTED, 0},
    {"agents", "name", PW_TRACE_BYTE, AGENT_NAME, PURE, "name of the agent, empty where it has none",
     MARKET(agent_name)},

    {"trades", "trade", PW_TRACE_INT32, TRADE, PURE, "link number", COUNTED, 0},
    {"trades", "product", PW_TRACE_INT32, PRODUCT, PURE, "product number", COUNTED, 0},
    {"trades", "agent_a", PW_TRACE_INT32, TRADE, PURE, "agent at the first end, the seller where power > 0",
     MARKET(link_a)},
    {"trades", "agent_b", PW_TRACE_INT32, TRADE, PURE, "agent at the second end", MARKET(link_b)},
    {"trades", "power", PW_TRACE_FLOAT64, TRADE_PRODUCT, POWER, "agreed trade from agent_a to agent_b",
     OUTCOME(trade)},
    {"trades", "price_a", PW_TRACE_FLOAT64, TRADE_PRODUCT, PRICE, "price of the trade seen by agent_a",
     OUTCOME(price_a)},
    {"trades", "price_b", PW_TRACE_FLOAT64, TRADE_PRODUCT, PRICE, "price of the trade seen by agent_b",
     OUTCOME(price_b)},
    {"trades", "rounds", PW_TRACE_INT32, TRADE, PURE, "rounds negotiated", OUTCOME(rounds)},
    {"trades", "messages", PW_TRACE_INT64, TRADE, PURE, "offers sent over the link", OUTCOME(messages)},
    {"trades", "settled_time", PW_TRACE_FLOAT64, TRADE, SECONDS,
     "time when the trade was settled, unknown where it never was", OUTCOME(settled_time_s)},

    {"convergence", "time", PW_TRACE_FLOAT64, TIME, SECONDS, "time on the run's clock", SAMPLE(time_s)},
    {"convergence", "primal", PW_TRACE_FLOAT64, TIME, POWER, "disagreement of the two ends of links",
     SAMPLE(primal)},
    {"convergence", "dual", PW_TRACE_FLOAT64, TIME, POWER, "last change of trades", SAMPLE(dual)},
    {"convergence", "price", PW_TRACE_FLOAT64, TIME, PRICE, "last change of prices", SAMPLE(price)},
    {"convergence", "social_welfare", PW_TRACE_FLOAT64, TIME, RATE, "social welfare", SAMPLE(social_welfare)},
    {"convergence", "messages", PW_TRACE_INT64, TIME, PURE, "offers sent so far", SAMPLE(messages)},
    {"convergence", "active_trades", PW_TRACE_INT32, TIME, PURE, "links that are not settled",
     SAMPLE(active_trades)},

    {"timeline", "event", PW_TRACE_INT32, EVENT, PURE, "event number", COUNTED, 0},
    {"timeline", "time", PW_TRACE_FLOAT64, EVENT, SECONDS, "time on the run's clock", OF_EVENT(time_s)},
    {"timeline", "agent", PW_TRACE_INT32, EVENT, PURE, "agent where it happens", OF_EVENT(agent)},
    {"timeline", "kind", PW_TRACE_FLAG, EVENT, EVENT_KIND, "what happens", OF_EVENT(kind)},
    {"timeline", "peer", PW_TRACE_INT32, EVENT, PURE, "agent at the other end, -1 for none", OF_EVENT(peer)},
    {"timeline", "round", PW_TRACE_INT32, EVENT, PURE, "round of the link, -1 for none", OF_EVENT(round)},
};

int pw_trace_variable_count(void)
{
    return (int)(sizeof ROWS / sizeof *ROWS);
}

static int is_present(const struct pw_trace *trace, const struct row *row)
{
    if (row->axes == EVENT)
        return trace->outcome->n_events > 0;
    return row->axes != PRODUCT || trace->outcome->n_products > 1;
}

/* Along the bytes of a name: those of the longest and the NUL that ends it. */
static struct pw_trace_axis name_axis(const struct pw_market *market, int n_agents)
{
    struct pw_trace_axis axis = {"name_length", 1};
    for (int n = 0; n < n_agents; n++)
        if (market->agent_name[n] != NULL && strlen(market->agent_name[n]) + 1 > axis.size)
            axis.size = strlen(market->agent_name[n]) + 1;
    return axis;
}

/* A single product is no axis. */
static void set_axes(const struct pw_trace *trace, enum axes axes, struct pw_trace_variable *out)
{
    const struct pw_outcome *outcome = trace->outcome;
    const struct pw_trace_axis agent = {"agent", (size_t)outcome->n_agents};
    const struct pw_trace_axis trade = {"trade", (size_t)outcome->n_links};
    const struct pw_trace_axis product = {"product", (size_t)outcome->n_products};
    const struct pw_trace_axis first[] = {
        [AGENT] = agent,
        [AGENT_PRODUCT] = agent,
        [AGENT_NAME] = agent,
        [TRADE] = trade,
        [TRADE_PRODUCT] = trade,
        [TIME] = {"time", (size_t)outcome->n_samples},
        [EVENT] = {"event", (size_t)outcome->n_events},
        [PRODUCT] = product,
    };
    out->rank = 0;
    if (axes != SCALAR && axes != NAME)
        out->axis[out->rank++] = first[axes];
    if ((axes == AGENT_PRODUCT || axes == TRADE_PRODUCT) && outcome->n_products > 1)
        out->axis[out->rank++] = product;
    if (axes == AGENT_NAME || axes == NAME)
        out->axis[out->rank++] = name_axis(trace->market, outcome->n_agents);
    out->is_scale = out->rank == 1 && strcmp(out->axis[0].name, out->name) == 0;
    out->is_only_a_scale = axes == NAME;
}

static void set_units(const struct pw_trace *trace, enum meaning meaning, struct pw_trace_variable *out)
{
    const char *power = trace->power_unit, *money = trace->money_unit;
    out->meanings = NULL;
    snprintf(out->units, sizeof out->units, "1");
    if (meaning == POWER)
        snprintf(out->units, sizeof out->units, "%s", power);
    else if (meaning == PRICE)
        snprintf(out->units, sizeof out->units, "%s/%sh", money, power);
    else if (meaning == RATE)
        snprintf(out->units, sizeof out->units, "%s/h", money);
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

static const char *array_at(const void *structure, size_t offset)
{
    const char *array;
    memcpy(&array, (const char *)structure + offset, sizeof array);
    return array;
}

/* Where the first element is, NULL where the values are in no array, and how far it is to the next. */
static const char *locate(const struct pw_trace *trace, const struct row *row, size_t size, size_t *stride)
{
    const struct pw_outcome *outcome = trace->outcome;
    *stride = size;
    switch (row->source) {
    case FROM_SUMMARY:
        return (const char *)&outcome->summary + row->offset;
    case FROM_OUTCOME:
        return array_at(outcome, row->offset);
    case FROM_MARKET:
        return array_at(trace->market, row->offset);
    case FROM_SAMPLES:
        *stride = sizeof *outcome->samples;
        return outcome->samples == NULL ? NULL : (const char *)outcome->samples + row->offset;
    case FROM_EVENTS:
        *stride = sizeof *outcome->events;
        return (const char *)outcome->events + row->offset;
    case FROM_SUMMARY_WORD:
    case COUNTED:
        break;
    }
    return NULL;
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

static void *copy_spaced(const char *first, size_t count, size_t size, size_t stride)
{
    char *copy = pw_alloc(count, size);
    for (size_t i = 0; i < count; i++)
        memcpy(copy + i * size, first + i * stride, size);
    return copy;
}

static void set_values(const struct pw_trace *trace, const struct row *row, struct pw_trace_variable *out)
{
    static const size_t sizes[] = {[PW_TRACE_FLAG] = sizeof(int),
                                   [PW_TRACE_INT32] = sizeof(int),
                                   [PW_TRACE_INT64] = sizeof(long),
                                   [PW_TRACE_FLOAT64] = sizeof(double),
                                   [PW_TRACE_BYTE] = sizeof(char)};
    size_t stride, count = element_count(out);
    out->element_size = sizes[row->type];
    const char *first = locate(trace, row, out->element_size, &stride);
    if (row->source == COUNTED)
        out->values = count_up(count);
    else if (row->source == FROM_SUMMARY_WORD)
        out->values = find_word(array_at(&trace->outcome->summary, row->offset), out->meanings);
    else if (row->type == PW_TRACE_BYTE)
        out->values =
            pack_texts((const char *const *)(const void *)first, out->axis[0].size, out->axis[1].size);
    else
        out->values = copy_spaced(first, count, out->element_size, stride);
}

_Static_assert(sizeof(enum pw_status) == sizeof(int), "flags are copied as int");

int pw_trace_variable_get(const struct pw_trace *trace, int index, struct pw_trace_variable *out)
{
    const struct row *row = &ROWS[index];
    if (!is_present(trace, row))
        return 0;
    out->group = row->group;
    out->name = row->name;
    out->long_name = row->long_name;
    out->type = row->type;
    set_axes(trace, row->axes, out);
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
