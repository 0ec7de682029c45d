#include "common/yaml_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "common/memory.h"
#include "common/plain_text.h"

enum { DEEPEST = 16, MOST_KEYS = 1000 };

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one under the hand */
    const char *name, *bytes;
    struct pw_error *err;
};

static int event_line(const struct reader *reader)
{
    return (int)reader->event.start_mark.line + 1;
}

/* The parser marks no line where the bytes are no text; it then counts bytes. */
static int problem_line(const struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error != YAML_READER_ERROR)
        return (int)parser->problem_mark.line + 1;
    int line = 1;
    for (size_t i = 0; i < parser->problem_offset; i++)
        line += reader->bytes[i] == '\n';
    return line;
}

static enum pw_code next_event(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    if (yaml_parser_parse(&reader->parser, &reader->event))
        return PW_OK;
    const yaml_parser_t *parser = &reader->parser;
    char context[160] = "";
    if (parser->context != NULL)
        snprintf(context, sizeof context, " %s from line %d on", parser->context,
                 (int)parser->context_mark.line + 1);
    return pw_fail(reader->err, PW_USAGE, "%s:%d: not valid YAML: %s%s", reader->name, problem_line(reader),
                   parser->problem ? parser->problem : "unreadable", context);
}

static enum pw_code fail_here(const struct reader *reader, const char *what)
{
    return pw_fail(reader->err, PW_USAGE, "%s:%d: %s", reader->name, event_line(reader), what);
}

static struct pw_yaml *make_node(enum pw_yaml_kind kind, int line)
{
    struct pw_yaml *node = pw_alloc(1, sizeof *node);
    node->kind = kind;
    node->line = line;
    return node;
}

/* Adds a child and, for maps, its key, which the node then owns. */
static void add_child(struct pw_yaml *node, struct pw_yaml *child, char *key, int key_line)
{
    size_t count = (size_t)node->n_children + 1;
    node->children = pw_realloc(node->children, count, sizeof *node->children);
    node->keys = pw_realloc(node->keys, count, sizeof *node->keys);
    node->key_lines = pw_realloc(node->key_lines, count, sizeof *node->key_lines);
    node->children[count - 1] = child;
    node->keys[count - 1] = key;
    node->key_lines[count - 1] = key_line;
    node->n_children = (int)count;
}

static enum pw_code read_node(struct reader *reader, int depth, struct pw_yaml **out);

/* Refuses what cannot stand in a message of one line or be written out again. */
static enum pw_code refuse_unplain(const struct reader *reader)
{
    const char *text = (const char *)reader->event.data.scalar.value;
    if (strlen(text) != reader->event.data.scalar.length || pw_find_unplain(text) != NULL)
        return fail_here(reader, "a line break or control character, where a text of one line is expected");
    return PW_OK;
}

static enum pw_code refuse_marks(const struct reader *reader, const void *anchor, const void *tag)
{
    if (anchor != NULL)
        return fail_here(reader, "anchors and aliases (& and *) are not supported: write the value out");
    return tag != NULL ? fail_here(reader, "tags (!) are not supported") : PW_OK;
}

static enum pw_code read_scalar(struct reader *reader, struct pw_yaml **out)
{
    PW_TRY(refuse_unplain(reader));
    *out = make_node(PW_YAML_SCALAR, event_line(reader));
    (*out)->text = pw_strdup((const char *)reader->event.data.scalar.value);
    (*out)->quoted = reader->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return PW_OK;
}

static enum pw_code read_list(struct reader *reader, int depth, struct pw_yaml *node)
{
    for (;;) {
        PW_TRY(next_event(reader));
        if (reader->event.type == YAML_SEQUENCE_END_EVENT)
            return PW_OK;
        struct pw_yaml *child = NULL;
        enum pw_code code = read_node(reader, depth + 1, &child);
        if (child != NULL)
            add_child(node, child, NULL, 0);
        PW_TRY(code);
    }
}

static enum pw_code refuse_twice(const struct reader *reader, const struct pw_yaml *node, const char *key)
{
    for (int i = 0; i < node->n_children; i++) {
        if (strcmp(node->keys[i], key) == 0)
            return pw_fail(reader->err, PW_USAGE, "%s:%d: %.100s: given twice, first in line %d",
                           reader->name, event_line(reader), key, node->key_lines[i]);
    }
    return PW_OK;
}

static enum pw_code read_pair(struct reader *reader, int depth, struct pw_yaml *node)
{
    if (reader->event.type != YAML_SCALAR_EVENT)
        return fail_here(reader, "a key must be a plain word");
    PW_TRY(refuse_marks(reader, reader->event.data.scalar.anchor, reader->event.data.scalar.tag));
    PW_TRY(refuse_unplain(reader));
    if (node->n_children == MOST_KEYS) /* each is compared with all before */
        return fail_here(reader, "more than 1000 keys in one mapping");
    const char *key_text = (const char *)reader->event.data.scalar.value;
    PW_TRY(refuse_twice(reader, node, key_text));
    int line = event_line(reader);
    char *key = pw_strdup(key_text);
    struct pw_yaml *child = NULL;
    enum pw_code code = next_event(reader);
    if (code == PW_OK)
        code = read_node(reader, depth + 1, &child);
    if (child != NULL)
        add_child(node, child, key, line);
    else
        free(key);
    return code;
}

static enum pw_code read_map(struct reader *reader, int depth, struct pw_yaml *node)
{
    for (;;) {
        PW_TRY(next_event(reader));
        if (reader->event.type == YAML_MAPPING_END_EVENT)
            return PW_OK;
        PW_TRY(read_pair(reader, depth, node));
    }
}

static enum pw_code read_node(struct reader *reader, int depth, struct pw_yaml **out)
{
    const yaml_event_t *event = &reader->event;
    if (depth > DEEPEST)
        return fail_here(reader, "nested too deeply");
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        PW_TRY(refuse_marks(reader, event->data.scalar.anchor, event->data.scalar.tag));
        return read_scalar(reader, out);
    case YAML_SEQUENCE_START_EVENT:
        PW_TRY(refuse_marks(reader, event->data.sequence_start.anchor, event->data.sequence_start.tag));
        *out = make_node(PW_YAML_LIST, event_line(reader));
        return read_list(reader, depth, *out);
    case YAML_MAPPING_START_EVENT:
        PW_TRY(refuse_marks(reader, event->data.mapping_start.anchor, event->data.mapping_start.tag));
        *out = make_node(PW_YAML_MAP, event_line(reader));
        return read_map(reader, depth, *out);
    default: /* an alias */
        return refuse_marks(reader, event, NULL);
    }
}

static enum pw_code read_stream(struct reader *reader, struct pw_yaml **out)
{
    PW_TRY(next_event(reader)); /* stream start */
    PW_TRY(next_event(reader));
    if (reader->event.type == YAML_STREAM_END_EVENT)
        return PW_OK;
    PW_TRY(next_event(reader));
    PW_TRY(read_node(reader, 0, out));
    PW_TRY(next_event(reader)); /* document end */
    PW_TRY(next_event(reader));
    return reader->event.type == YAML_STREAM_END_EVENT ? PW_OK
                                                       : fail_here(reader, "only one document is expected");
}

enum pw_code pw_yaml_parse(const char *bytes, size_t size, const char *name, struct pw_yaml **out,
                           struct pw_error *err)
{
    struct reader reader = {.name = name, .bytes = bytes, .err = err};
    *out = NULL;
    if (!yaml_parser_initialize(&reader.parser))
        return pw_fail(err, PW_INTERNAL, "libyaml does not start: out of memory");
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)bytes, size);
    enum pw_code code = read_stream(&reader, out);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    if (code != PW_OK) {
        pw_yaml_destroy(*out);
        *out = NULL;
    }
    return code;
}

void pw_yaml_destroy(struct pw_yaml *node)
{
    if (node == NULL)
        return;
    for (int i = 0; i < node->n_children; i++) {
        pw_yaml_destroy(node->children[i]);
        free(node->keys[i]);
    }
    free(node->children);
    free(node->keys);
    free(node->key_lines);
    free(node->text);
    free(node);
}

const struct pw_yaml *pw_yaml_get(const struct pw_yaml *map, const char *key)
{
    for (int i = 0; map != NULL && map->kind == PW_YAML_MAP && i < map->n_children; i++) {
        if (strcmp(map->keys[i], key) == 0)
            return map->children[i];
    }
    return NULL;
}

const char *pw_yaml_kind_text(const struct pw_yaml *node)
{
    return node->kind == PW_YAML_MAP ? "a mapping" : node->kind == PW_YAML_LIST ? "a list" : "a value";
}
