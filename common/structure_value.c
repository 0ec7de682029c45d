#include "common/structure_value.h"

#include <string.h>

#include "common/suggest.h"

static const char *const inside_words[] = {"manager", "mesh"};
static const char *const between_words[] = {"mesh", "pool", "members"};
static const char *const keys[] = {"communities", "between"};

enum { N_INSIDE = 2, N_BETWEEN = 3, KEY_COMMUNITIES = 0, N_KEYS = 2 };

/* The place of a text among words, or `count`. */
static int find(const char *text, const char *const *words, int count)
{
    int place = 0;
    while (place < count && strcmp(text, words[place]) != 0)
        place++;
    return place;
}

/* The place of a node's word, or -1 with *why filled. */
static int choose(const struct pw_yaml *node, const char *const *words, int count, const char *expected,
                  struct pw_refusal *why)
{
    char hint[100] = "";
    int place = node->kind == PW_YAML_SCALAR ? find(node->text, words, count) : count;
    if (place < count)
        return place;
    why->line = node->line;
    if (node->kind == PW_YAML_SCALAR)
        snprintf(why->text, sizeof why->text, "\"%.60s\" is not known%s (one of %s)", node->text,
                 pw_suggest(node->text, words, count, hint, sizeof hint), expected);
    else
        snprintf(why->text, sizeof why->text, "%s, where one of %s is expected", pw_yaml_kind_text(node),
                 expected);
    return -1;
}

static int refuse_key(const struct pw_yaml *map, int i, struct pw_refusal *why)
{
    char hint[100];
    why->line = map->key_lines[i];
    snprintf(why->text, sizeof why->text, "unknown key \"%.60s\"%s (expected: communities, between)",
             map->keys[i], pw_suggest(map->keys[i], keys, N_KEYS, hint, sizeof hint));
    return 0;
}

int pw_structure_parse(const struct pw_yaml *map, struct pw_links_spec *links, struct pw_refusal *why)
{
    links->kind = PW_LINKS_COMMUNITIES;
    for (int i = 0; i < map->n_children; i++) {
        int key = find(map->keys[i], keys, N_KEYS), word;
        if (key == N_KEYS)
            return refuse_key(map, i, why);
        if (key == KEY_COMMUNITIES)
            word = choose(map->children[i], inside_words, N_INSIDE, "manager, mesh", why);
        else
            word = choose(map->children[i], between_words, N_BETWEEN, "mesh, pool, members", why);
        if (word < 0)
            return 0;
        if (key == KEY_COMMUNITIES)
            links->inside = (enum pw_inside)word;
        else
            links->between = (enum pw_between)word;
    }
    return 1;
}

void pw_structure_print(const struct pw_links_spec *links, FILE *out)
{
    fprintf(out, "{communities: %s, between: %s}", inside_words[links->inside],
            between_words[links->between]);
}
