#include "common/setting_value.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "common/number.h"
#include "common/structure_value.h"
#include "common/suggest.h"
#include "net_models/net_model.h"

static void *field(const struct pw_setting *setting, struct pw_settings *settings)
{
    return (char *)settings + setting->offset;
}

static const void *const_field(const struct pw_setting *setting, const struct pw_settings *settings)
{
    return (const char *)settings + setting->offset;
}

/* The names that a choice or a delay model may have; returns how many. */
static int names_of(const struct pw_setting *setting, const char **names, int room)
{
    int count = 0;
    if (setting->type == PW_DELAY_MODEL) {
        for (; count < room && pw_delay_models[count] != NULL; count++)
            names[count] = pw_delay_models[count]->name;
    } else {
        for (; count < room && setting->choices[count] != NULL; count++)
            names[count] = setting->choices[count];
    }
    return count;
}

static void expects_number(const struct pw_setting *setting, const char *what, char *text, size_t size)
{
    const char *also = setting->type == PW_AUTO_REAL ? " or auto" : "";
    if (isinf(setting->low) && isinf(setting->high))
        snprintf(text, size, "%s%s", what, also);
    else if (isinf(setting->high))
        snprintf(text, size, "%s %s %.10g%s", what, setting->low_open ? "above" : "of at least", setting->low,
                 also);
    else
        snprintf(text, size, "%s in %c%.10g, %.10g%c%s", what, setting->low_open ? '(' : '[', setting->low,
                 setting->high, setting->high_open ? ')' : ']', also);
}

static void expects_name(const struct pw_setting *setting, char *text, size_t size)
{
    const char *names[32];
    int count = names_of(setting, names, 32);
    snprintf(text, size, count > 1 ? "one of" : "only");
    for (int i = 0; i < count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s %s", i > 0 ? "," : "", names[i]);
    }
}

void pw_setting_expects(const struct pw_setting *setting, char *text, size_t size)
{
    switch (setting->type) {
    case PW_REAL:
    case PW_AUTO_REAL:
    case PW_OPTIONAL_REAL:
        expects_number(setting, "a number", text, size);
        return;
    case PW_INTEGER:
        expects_number(setting, "a whole number", text, size);
        return;
    case PW_CHOICE:
    case PW_DELAY_MODEL:
        expects_name(setting, text, size);
        return;
    case PW_TEXT:
        snprintf(text, size, "a text of up to %d bytes", PW_TEXT_ROOM - 1);
        return;
    case PW_LAW:
        expects_number(setting, "a number", text, size);
        snprintf(text + strlen(text), size - strlen(text), ", or [low, high] of such, low <= high,");
        return;
    case PW_LINKS:
        snprintf(text, size,
                 "all, sides, pool, communities, a CSV path or "
                 "{random|nearest|peers|choose|communities: ..}");
    }
}

/* Refuses a value, or a part of one. Returns 0. */
static int refuse(const struct pw_yaml *node, const char *expected, struct pw_refusal *why)
{
    size_t size = sizeof why->text;
    why->line = node->line;
    if (node->kind != PW_YAML_SCALAR)
        snprintf(why->text, size, "%s, where %s is expected", pw_yaml_kind_text(node), expected);
    else if (node->text[0] == '\0' && !node->quoted)
        snprintf(why->text, size, "the value is missing: %s is expected", expected);
    else
        snprintf(why->text, size, "\"%.60s\" does not fit: %s is expected", node->text, expected);
    return 0;
}

static int within(const struct pw_setting *setting, double value)
{
    return (setting->low_open ? value > setting->low : value >= setting->low) &&
           (setting->high_open ? value < setting->high : value <= setting->high);
}

static int plain(const struct pw_yaml *node)
{
    return node->kind == PW_YAML_SCALAR && !node->quoted;
}

static int parse_real(const struct pw_setting *setting, const struct pw_yaml *node, double *out)
{
    if (setting->type == PW_AUTO_REAL && plain(node) && strcmp(node->text, "auto") == 0) {
        *out = 0.0;
        return 1;
    }
    return plain(node) && pw_parse_real(node->text, out) && within(setting, *out);
}

static int parse_integer(const struct pw_setting *setting, const struct pw_yaml *node, long *out)
{
    return plain(node) && pw_parse_integer(node->text, out) && within(setting, (double)*out);
}

static int parse_text(const struct pw_yaml *node, char *out)
{
    if (node->kind != PW_YAML_SCALAR || node->text[0] == '\0' || strlen(node->text) >= PW_TEXT_ROOM)
        return 0;
    snprintf(out, PW_TEXT_ROOM, "%s", node->text);
    return 1;
}

static int parse_name(const struct pw_setting *setting, const struct pw_yaml *node,
                      struct pw_settings *settings, struct pw_refusal *why)
{
    const char *names[32];
    char hint[100], expected[200];
    int count = names_of(setting, names, 32);
    for (int i = 0; node->kind == PW_YAML_SCALAR && i < count; i++) {
        if (strcmp(names[i], node->text) != 0)
            continue;
        if (setting->type == PW_DELAY_MODEL)
            snprintf(field(setting, settings), PW_TEXT_ROOM, "%s", names[i]);
        else
            *(int *)field(setting, settings) = i;
        return 1;
    }
    pw_setting_expects(setting, expected, sizeof expected);
    if (node->kind != PW_YAML_SCALAR || node->text[0] == '\0')
        return refuse(node, expected, why);
    pw_suggest(node->text, names, count, hint, sizeof hint);
    why->line = node->line;
    snprintf(why->text, sizeof why->text, "\"%.60s\" is not known%s (%s)", node->text, hint, expected);
    return 0;
}

static int parse_law(const struct pw_setting *setting, const struct pw_yaml *node, struct pw_law *law)
{
    if (node->kind == PW_YAML_SCALAR) {
        int fits = parse_real(setting, node, &law->low);
        law->high = law->low;
        return fits;
    }
    return node->kind == PW_YAML_LIST && node->n_children == 2 &&
           parse_real(setting, node->children[0], &law->low) &&
           parse_real(setting, node->children[1], &law->high) && law->low <= law->high;
}

static const char *const links_keys[] = {"random", "nearest", "peers",      "choose",
                                         "among",  "seed",    "communities"};
enum { KEY_RANDOM, KEY_NEAREST, KEY_PEERS, KEY_CHOOSE, KEY_AMONG, KEY_SEED, N_LINKS_KEYS };

static const char *const choose_words[] = {"random", "nearest", "greedy", "planned", "adaptive"};
enum { N_CHOOSE_WORDS = sizeof choose_words / sizeof *choose_words };

static int parse_density(const struct pw_yaml *node, struct pw_links_spec *links, struct pw_refusal *why)
{
    links->kind = PW_LINKS_RANDOM;
    if (plain(node) && pw_parse_real(node->text, &links->density) && links->density > 0 &&
        links->density <= 1)
        return 1;
    return refuse(node, "a number in (0, 1]", why);
}

static int parse_count(const struct pw_yaml *node, enum pw_links_kind kind, struct pw_links_spec *links,
                       struct pw_refusal *why)
{
    links->kind = kind;
    if (plain(node) && pw_parse_integer(node->text, &links->count) && links->count > 0 &&
        links->count < INT_MAX)
        return 1;
    return refuse(node, "a whole number of at least 1", why);
}

static int parse_choose(const struct pw_yaml *node, struct pw_links_spec *links, struct pw_refusal *why)
{
    char hint[100];
    for (int i = 0; node->kind == PW_YAML_SCALAR && i < N_CHOOSE_WORDS; i++) {
        links->choose = i;
        if (strcmp(node->text, choose_words[i]) == 0)
            return 1;
    }
    if (node->kind != PW_YAML_SCALAR || node->text[0] == '\0')
        return refuse(node, "one of random, nearest, greedy, planned, adaptive", why);
    pw_suggest(node->text, choose_words, N_CHOOSE_WORDS, hint, sizeof hint);
    why->line = node->line;
    snprintf(why->text, sizeof why->text,
             "\"%.60s\" is not known%s (one of random, nearest, greedy, planned, adaptive)", node->text,
             hint);
    return 0;
}

static int parse_among(const struct pw_yaml *node, struct pw_links_spec *links, struct pw_refusal *why)
{
    links->among_sides = node->kind == PW_YAML_SCALAR && strcmp(node->text, "sides") == 0;
    if (links->among_sides || (node->kind == PW_YAML_SCALAR && strcmp(node->text, "all") == 0))
        return 1;
    return refuse(node, "one of all, sides", why);
}

static int parse_links_seed(const struct pw_yaml *node, struct pw_links_spec *links, struct pw_refusal *why)
{
    if (plain(node) && pw_parse_integer(node->text, &links->seed) && links->seed >= 0)
        return 1;
    return refuse(node, "a whole number of at least 0", why);
}

/* The entry `i` of {random: 0.3, seed: 1, among: sides} and its like. */
static int parse_links_entry(const struct pw_yaml *map, int i, struct pw_links_spec *links,
                             struct pw_refusal *why)
{
    const struct pw_yaml *value = map->children[i];
    char hint[100];
    int key = 0;
    while (key < N_LINKS_KEYS && strcmp(map->keys[i], links_keys[key]) != 0)
        key++;
    switch (key) {
    case KEY_RANDOM:
        return parse_density(value, links, why);
    case KEY_NEAREST:
        return parse_count(value, PW_LINKS_NEAREST, links, why);
    case KEY_PEERS:
        return parse_count(value, PW_LINKS_PEERS, links, why);
    case KEY_CHOOSE:
        return parse_choose(value, links, why);
    case KEY_AMONG:
        return parse_among(value, links, why);
    case KEY_SEED:
        return parse_links_seed(value, links, why);
    default:
        why->line = map->key_lines[i];
        pw_suggest(map->keys[i], links_keys, N_LINKS_KEYS + 1, hint, sizeof hint);
        snprintf(
            why->text, sizeof why->text,
            "unknown key \"%.60s\"%s (expected: random, nearest, peers, choose, among, seed, or communities, "
            "between)",
            map->keys[i], hint);
        return 0;
    }
}

static int parse_links_map(const struct pw_yaml *map, struct pw_links_spec *links, struct pw_refusal *why)
{
    links->seed = 1;
    if (pw_yaml_get(map, "communities") != NULL)
        return pw_structure_parse(map, links, why);
    for (int i = 0; i < map->n_children; i++) {
        if (!parse_links_entry(map, i, links, why))
            return 0;
    }
    int kinds = (pw_yaml_get(map, "random") != NULL) + (pw_yaml_get(map, "nearest") != NULL) +
                (pw_yaml_get(map, "peers") != NULL);
    int chosen = pw_yaml_get(map, "choose") != NULL;
    int fits = kinds == 1 && (chosen ? links->kind == PW_LINKS_PEERS
                                     : !(links->among_sides && links->kind == PW_LINKS_NEAREST));
    if (chosen)
        links->kind = PW_LINKS_CHOSEN;
    if (fits)
        return 1;
    why->line = map->line;
    snprintf(why->text, sizeof why->text, "%s",
             chosen ? "choose needs peers, the most that an agent may have, and neither random nor nearest"
             : kinds == 1 ? "nearest is among all: sides goes with random and peers only"
                          : "exactly one of random, nearest and peers is expected");
    return 0;
}

static int parse_links(const struct pw_setting *setting, const struct pw_yaml *node,
                       struct pw_links_spec *links, struct pw_refusal *why)
{
    char expected[200];
    *links = (struct pw_links_spec){.kind = PW_LINKS_TABLE};
    if (node->kind == PW_YAML_MAP)
        return parse_links_map(node, links, why);
    if (!parse_text(node, links->path)) {
        pw_setting_expects(setting, expected, sizeof expected);
        return refuse(node, expected, why);
    }
    if (strcmp(node->text, "all") == 0)
        links->kind = PW_LINKS_ALL;
    else if (strcmp(node->text, "sides") == 0)
        links->kind = PW_LINKS_SIDES;
    else if (strcmp(node->text, "pool") == 0)
        links->kind = PW_LINKS_POOL;
    else if (strcmp(node->text, "communities") == 0)
        links->kind = PW_LINKS_COMMUNITIES; /* each through its manager, managers in a mesh: both are 0 */
    return 1;
}

int pw_setting_parse(const struct pw_setting *setting, const struct pw_yaml *node,
                     struct pw_settings *settings, struct pw_refusal *why)
{
    int fits = 0;
    void *to = field(setting, settings);
    switch (setting->type) {
    case PW_REAL:
    case PW_AUTO_REAL:
    case PW_OPTIONAL_REAL:
        fits = parse_real(setting, node, to);
        break;
    case PW_INTEGER:
        fits = parse_integer(setting, node, to);
        break;
    case PW_CHOICE:
    case PW_DELAY_MODEL:
        return parse_name(setting, node, settings, why);
    case PW_TEXT:
        fits = parse_text(node, to);
        break;
    case PW_LAW:
        fits = parse_law(setting, node, to);
        break;
    case PW_LINKS:
        return parse_links(setting, node, to, why);
    }
    if (fits)
        return 1;
    char expected[200];
    pw_setting_expects(setting, expected, sizeof expected);
    return refuse(node, expected, why);
}

void pw_setting_default(const struct pw_setting *setting, struct pw_settings *settings)
{
    struct pw_refusal why;
    struct pw_error err;
    struct pw_yaml *node = NULL;
    if (setting->type == PW_OPTIONAL_REAL)
        *(double *)field(setting, settings) = NAN;
    if (setting->otherwise == NULL || setting->otherwise[0] == '\0')
        return;
    if (setting->type == PW_INTEGER) { /* a default may lie out of range: it then means "not given" */
        pw_parse_integer(setting->otherwise, field(setting, settings));
        return;
    }
    if (pw_yaml_parse(setting->otherwise, strlen(setting->otherwise), "default", &node, &err) == PW_OK)
        pw_setting_parse(setting, node, settings, &why);
    pw_yaml_destroy(node);
}

int pw_setting_has_value(const struct pw_setting *setting, const struct pw_settings *settings)
{
    const void *from = const_field(setting, settings);
    if (setting->type == PW_OPTIONAL_REAL)
        return !isnan(*(const double *)from);
    return setting->type != PW_TEXT || *(const char *)from != '\0';
}

/* The shortest decimal that reads back as the same number. */
static void print_real(double value, FILE *out)
{
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        double back = 0.0;
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (pw_parse_real(text, &back) && back == value)
            break;
    }
    fputs(text, out);
}

static void print_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            fputc('\\', out);
        fputc(*c, out);
    }
    fputc('"', out);
}

static void print_law(const struct pw_law *law, FILE *out)
{
    fputc('[', out);
    print_real(law->low, out);
    fputs(", ", out);
    print_real(law->high, out);
    fputc(']', out);
}

static void print_links(const struct pw_links_spec *links, FILE *out)
{
    const char *among = links->among_sides ? "sides" : "all";
    switch (links->kind) {
    case PW_LINKS_ALL:
    case PW_LINKS_SIDES:
        fputs(links->kind == PW_LINKS_ALL ? "all" : "sides", out);
        return;
    case PW_LINKS_TABLE:
        print_text(links->path, out);
        return;
    case PW_LINKS_RANDOM:
        fputs("{random: ", out);
        print_real(links->density, out);
        fprintf(out, ", among: %s, seed: %ld}", among, links->seed);
        return;
    case PW_LINKS_NEAREST:
        fprintf(out, "{nearest: %ld}", links->count);
        return;
    case PW_LINKS_POOL:
        fputs("pool", out);
        return;
    case PW_LINKS_COMMUNITIES:
        pw_structure_print(links, out);
        return;
    case PW_LINKS_PEERS:
        fprintf(out, "{peers: %ld, among: %s, seed: %ld}", links->count, among, links->seed);
        return;
    case PW_LINKS_CHOSEN:
        fprintf(out, "{choose: %s, peers: %ld, among: %s, seed: %ld}", choose_words[links->choose],
                links->count, among, links->seed);
    }
}

void pw_setting_print(const struct pw_setting *setting, const struct pw_settings *settings, FILE *out)
{
    const void *from = const_field(setting, settings);
    switch (setting->type) {
    case PW_REAL:
    case PW_OPTIONAL_REAL:
        print_real(*(const double *)from, out);
        return;
    case PW_AUTO_REAL:
        if (*(const double *)from > 0.0)
            print_real(*(const double *)from, out);
        else
            fputs("auto", out);
        return;
    case PW_INTEGER:
        fprintf(out, "%ld", *(const long *)from);
        return;
    case PW_CHOICE:
        fputs(setting->choices[*(const int *)from], out);
        return;
    case PW_TEXT:
    case PW_DELAY_MODEL:
        print_text(from, out);
        return;
    case PW_LAW:
        print_law(from, out);
        return;
    case PW_LINKS:
        print_links(from, out);
    }
}
