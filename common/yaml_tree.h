/* A YAML text as a tree that knows its lines. Mappings keep their order; keys are unique; no anchors, no
 * tags, one document; texts are of one line. The only file that knows libyaml. */
#ifndef PW_YAML_TREE_H
#define PW_YAML_TREE_H

#include <stddef.h>

#include "common/error.h"

enum pw_yaml_kind { PW_YAML_SCALAR, PW_YAML_LIST, PW_YAML_MAP };

struct pw_yaml {
    enum pw_yaml_kind kind;
    int line;   /* 1 is the first */
    int quoted; /* a scalar in quotes: a text even if it looks like a number */
    char *text; /* scalars: the value; never NULL for a scalar */
    int n_children;
    struct pw_yaml **children;
    char **keys;    /* maps: [n_children] */
    int *key_lines; /* maps: [n_children] */
};

/* Parses `size` bytes; `name` stands before the line in messages. *out is the root, for pw_yaml_destroy(),
 * NULL for an empty text. PW_USAGE with `name:line: what` for anything that is not such a tree. */
enum pw_code pw_yaml_parse(const char *bytes, size_t size, const char *name, struct pw_yaml **out,
                           struct pw_error *err);
void pw_yaml_destroy(struct pw_yaml *node);

/* The child of a map under `key`, NULL if there is none. */
const struct pw_yaml *pw_yaml_get(const struct pw_yaml *map, const char *key);

/* "a list", "a mapping", "a value". */
const char *pw_yaml_kind_text(const struct pw_yaml *node);

#endif
