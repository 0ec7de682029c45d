/* The readers of YAML and CSV: what they take, what they refuse, and in which line they say it is.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/table.h"
#include "common/yaml_tree.h"
#include "tests/unit/suites.h"

/* A text that must be refused with a message that starts with the file and line and holds `says`. */
struct wrong {
    const char *text;
    int line;
    const char *says;
};

static void expect_message(const struct pw_error *err, const struct wrong *wrong)
{
    char start[40];
    snprintf(start, sizeof start, "file:%d: ", wrong->line);
    ck_assert_msg(strncmp(err->text, start, strlen(start)) == 0, "[%s] line %d expected, got: %s",
                  wrong->text, wrong->line, err->text);
    ck_assert_msg(strstr(err->text, wrong->says) != NULL, "[%s] \"%s\" expected, got: %s", wrong->text,
                  wrong->says, err->text);
    ck_assert_msg(strpbrk(err->text, "\n\r\033") == NULL, "[%s] more than a line: %s", wrong->text,
                  err->text);
}

/* ---- YAML ---- */

static struct pw_yaml *tree_of(const char *text)
{
    struct pw_yaml *root;
    struct pw_error err = {0};
    enum pw_code code = pw_yaml_parse(text, strlen(text), "file", &root, &err);
    ck_assert_msg(code == PW_OK, "[%s] %s", text, err.text);
    return root;
}

/* Writes a tree as [line]{key[line]: ...}, so that a whole tree is compared in one string. */
static void describe(const struct pw_yaml *node, char *text, size_t size)
{
    size_t used = strlen(text);
    if (node->kind == PW_YAML_SCALAR) {
        snprintf(text + used, size - used, "%d%s%s%s", node->line, node->quoted ? "'" : "=", node->text,
                 node->quoted ? "'" : "");
        return;
    }
    snprintf(text + used, size - used, "%d%c", node->line, node->kind == PW_YAML_MAP ? '{' : '[');
    for (int i = 0; i < node->n_children; i++) {
        used = strlen(text);
        if (node->kind == PW_YAML_MAP)
            snprintf(text + used, size - used, "%s@%d:", node->keys[i], node->key_lines[i]);
        describe(node->children[i], text, size);
        used = strlen(text);
        snprintf(text + used, size - used, i + 1 < node->n_children ? " " : "");
    }
    used = strlen(text);
    snprintf(text + used, size - used, "%c", node->kind == PW_YAML_MAP ? '}' : ']');
}

static const struct {
    const char *text, *tree;
} good_yaml[] = {
    {"a: 1", "1{a@1:1=1}"},
    {"a: 1\nb: two words\n", "1{a@1:1=1 b@2:2=two words}"},
    {"\xEF\xBB\xBF"
     "a: 1\r\nb: 2\r\n",
     "1{a@1:1=1 b@2:2=2}"},
    {"# title\n\n\na: 1 # why\n# between\nb: 2\n", "4{a@4:4=1 b@6:6=2}"},
    {"a: 'it''s'\nb: \"x\\ty\"\nc: \"\"\n", "1{a@1:1'it's' b@2:2'x\ty' c@3:3''}"},
    {"a:\nb:\n  c:\n    d: 1\n", "1{a@1:1= b@2:3{c@3:4{d@4:4=1}}}"},
    {"a: {b: 1, c: [2, 3,\n 4]}\n", "1{a@1:1{b@1:1=1 c@1:1[1=2 1=3 2=4]}}"},
    {"a:\n  - 1\n  - b: 2\n", "1{a@1:2[2=1 3{b@3:3=2}]}"},
    {"a: {}\nb: []\n", "1{a@1:1{} b@2:2[]}"},
    {"a: one\n  two\nb: 3\n", "1{a@1:1=one two b@3:3=3}"},
    {"---\na: 1\n...\n", "2{a@2:2=1}"},
    {"%YAML 1.1\n---\na: 1\n", "3{a@3:3=1}"},
    {"[1, 2]", "1[1=1 1=2]"},
    {"\n\n  word", "3=word"},
    {"a: caf\xC3\xA9 \xE2\x82\xAC\n", "1{a@1:1=caf\xC3\xA9 \xE2\x82\xAC}"},
    {"? a\n: 1\n", "1{a@1:2=1}"},
    {"\"a b\": 1\n'': 2\n", "1{a b@1:1=1 @2:2=2}"},
};

START_TEST(yaml_gives_the_tree_with_its_lines)
{
    char text[400] = "";
    struct pw_yaml *root = tree_of(good_yaml[_i].text);
    describe(root, text, sizeof text);
    ck_assert_str_eq(text, good_yaml[_i].tree);
    pw_yaml_destroy(root);
}
END_TEST

START_TEST(yaml_without_content_is_no_tree)
{
    ck_assert_ptr_null(tree_of(""));
    ck_assert_ptr_null(tree_of("\n\n"));
    ck_assert_ptr_null(tree_of("# only a comment"));
    ck_assert_ptr_null(tree_of("\xEF\xBB\xBF"));
    pw_yaml_destroy(NULL);
}
END_TEST

static const struct wrong wrong_yaml[] = {
    {"a: 1\n\tb: 2\n", 2, "found a tab character"},
    {"a:\n\tb: 2\n", 2, "cannot start any token"},
    {"a: 1\n  b: 2\n", 2, "not valid YAML"},
    {"a:\n    b: 1\n  c: 2\n", 3, "not valid YAML"},
    {"a: b: c\n", 1, "mapping values are not allowed"},
    {"\na: 1\n\na: 2\n", 4, "a: given twice, first in line 2"},
    {"s:\n  p: 1\n  q: 2\n  p: 3\n", 4, "p: given twice, first in line 2"},
    {"s: {p: 1,\n p: 2}\n", 2, "p: given twice, first in line 1"},
    {"a: 1\n\"a\": 2\n", 2, "given twice"},
    {"a: 1\nb: &x 2\n", 2, "anchors and aliases"},
    {"a: 1\nb: *x\n", 2, "anchors and aliases"},
    {"a: &x {b: 1}\n", 1, "anchors and aliases"},
    {"a: 1\nb: &x\n  - 1\n", 2, "anchors and aliases"},
    {"&x a: 1\n", 1, "anchors and aliases"},
    {"a: 1\n*x : 1\n", 2, "a key must be a plain word"},
    {"a: !!int 5\n", 1, "tags (!)"},
    {"a: 1\nb: !special {c: 1}\n", 2, "tags (!)"},
    {"a: !!seq [1]\n", 1, "tags (!)"},
    {"a: 1\n---\nb: 2\n", 2, "only one document"},
    {"a: 1\n---\n", 2, "only one document"},
    {"a: 1\n...\nb: 2\n", 3, "not valid YAML"},
    {"a: \"x\\0y\"\n", 1, "control character"},
    {"b: 1\n\"p\\0\": 1\n", 2, "control character"},
    {"b: 1\na: \"x\\ny\"\n", 2, "line break"},
    {"b: 1\n\"p\\nq\": 1\n", 2, "line break"},
    {"b: 1\na: |\n  x\n", 2, "line break"},
    {"a: \"\\e[2J\"\n", 1, "control character"},
    {"a: \"\\x9b\"\n", 1, "control character"},
    {"a: \"\\u2028\"\n", 1, "control character"},
    {"a: 1\nb: 2\nc: \x01\n", 3, "control characters are not allowed"},
    {"a: 1\nb: \xFF\n", 2, "UTF-8"},
    {"a: 1\nb: 2\nc: caf\xE9\n", 3, "UTF-8"},
    {"a: 1\n? [b, c]\n: 1\n", 2, "a key must be a plain word"},
    {"{[b]: 1}", 1, "a key must be a plain word"},
    {"a: 1\nb: \"x\nc: 2\n", 4, "from line 2 on"},
    {"a: [1, 2\nb: 3\n", 2, "not valid YAML"},
    {"a: 1\nb:2\nc: 3\n", 3, "from line 2 on"},
    {"a: 1\n@b: 2\n", 2, "cannot start any token"},
    {"a: 1\nb: %c\n", 2, "cannot start any token"},
    {"%YAML 3.0\n---\na: 1\n", 1, "incompatible"},
    {"- 1\na: 2\n", 2, "not valid YAML"},
    {"a: ]\n", 1, "not valid YAML"},
};

START_TEST(yaml_refuses_with_the_line)
{
    const struct wrong *wrong = &wrong_yaml[_i];
    struct pw_yaml *root;
    struct pw_error err = {0};
    ck_assert_int_eq(pw_yaml_parse(wrong->text, strlen(wrong->text), "file", &root, &err), PW_USAGE);
    ck_assert_ptr_null(root);
    expect_message(&err, wrong);
}
END_TEST

/* `depth` lists, or mappings of one key, within each other, each on a line of its own. */
static char *nested(int depth, int maps)
{
    char *text = calloc((size_t)depth * 6 + 2, 1);
    const char *opens = maps ? "{a: \n" : "[\n";
    size_t length = strlen(opens), used = 0;
    for (int i = 0; i < depth; i++, used += length)
        memcpy(text + used, opens, length);
    memset(text + used, maps ? '}' : ']', (size_t)depth);
    return text;
}

/* The root has depth 0 and 16 is the deepest: 17 brackets pass, the 18th does not, nor do any number. */
START_TEST(yaml_refuses_deep_nesting)
{
    static const int depths[] = {18, 100, 50000};
    char *text = nested(17, 0);
    pw_yaml_destroy(tree_of(text));
    free(text);
    text = nested(16, 1); /* what stands in the last one has depth 16 */
    pw_yaml_destroy(tree_of(text));
    free(text);
    for (int i = 0; i < 6; i++) {
        struct pw_yaml *root;
        struct pw_error err = {0};
        struct wrong wrong = {"nested", 18, "nested too deeply"};
        text = nested(depths[i % 3], i / 3);
        ck_assert_int_eq(pw_yaml_parse(text, strlen(text), "file", &root, &err), PW_USAGE);
        expect_message(&err, &wrong);
        free(text);
    }
}
END_TEST

/* A mapping has up to 1000 keys, so that a large file of nonsense is refused at once. */
START_TEST(yaml_refuses_many_keys)
{
    char *text = calloc(200001, 10);
    size_t used = 0;
    struct pw_yaml *root;
    struct pw_error err = {0};
    struct wrong wrong = {"keys", 1001, "more than 1000 keys"};
    for (int i = 0; i < 1000; i++)
        used += (size_t)sprintf(text + used, "k%d: 1\n", i);
    root = tree_of(text);
    ck_assert_int_eq(root->n_children, 1000);
    pw_yaml_destroy(root);
    for (int i = 1000; i < 150000; i++)
        used += (size_t)sprintf(text + used, "k%d: 1\n", i);
    ck_assert_int_eq(pw_yaml_parse(text, used, "file", &root, &err), PW_USAGE);
    expect_message(&err, &wrong);
    free(text);
}
END_TEST

START_TEST(yaml_finds_keys)
{
    struct pw_yaml *root = tree_of("a: 1\nb: {c: 2}\n");
    ck_assert_str_eq(pw_yaml_get(root, "a")->text, "1");
    ck_assert_str_eq(pw_yaml_get(pw_yaml_get(root, "b"), "c")->text, "2");
    ck_assert_ptr_null(pw_yaml_get(root, "c"));
    ck_assert_ptr_null(pw_yaml_get(pw_yaml_get(root, "a"), "a"));
    ck_assert_ptr_null(pw_yaml_get(NULL, "a"));
    pw_yaml_destroy(root);
}
END_TEST

/* ---- CSV ---- */

enum { ID, NAME, X, N_COLUMNS };
static const struct pw_table_column columns[] = {{"id", 1, 1}, {"name", 1, 1}, {"x", 0, 0}};

static enum pw_code parse_csv(const char *text, struct pw_table *table, struct pw_error *err)
{
    return pw_table_parse_csv(text, strlen(text), "file", columns, N_COLUMNS, table, err);
}

/* Tables and their rows as line:id|name|x, "-" where the column is lacking. */
static const struct {
    const char *text, *rows;
} good_csv[] = {
    {"id,name\n0,ann\n1,bob\n", "2:0|ann|- 3:1|bob|- "},
    {"id,name\n0,ann", "2:0|ann|- "},
    {"id,name\r\n0,ann\r\n1,bob\r\n", "2:0|ann|- 3:1|bob|- "},
    {"id,name\r\n0,ann\r", "2:0|ann|- "},
    {"\xEF\xBB\xBFid,name\n0,ann\n", "2:0|ann|- "},
    {"\n\nid,name\n \n0,ann\n\t\n\r\n1,bob\n\n", "5:0|ann|- 8:1|bob|- "},
    {"x,id,name\n7,0,ann\n,1,bob\n", "2:0|ann|7 3:1|bob| "},
    {" id , name\t\n 0 ,\tann \n", "2:0|ann|- "},
    {"id,name\n0,\"ann, sr\"\n", "2:0|ann, sr|- "},
    {"\"id\",\"name\"\n\"0\",\"say \"\"hi\"\"\"\n", "2:0|say \"hi\"|- "},
    {"id,name\n0,\"\"\n1,\"\"\"\"\n", "2:0||- 3:1|\"|- "},
    {"id, name\n0, \"a,b\" \n\"1\" , bob\n", "2:0|a,b|- 3:1|bob|- "},
    {"id,name\n0,5\" pipe\n", "2:0|5\" pipe|- "},
    {"id,name\n0,\n", "2:0||- "},
    {"id,name\n", ""},
    {"id,name\n0,caf\xC3\xA9\n", "2:0|caf\xC3\xA9|- "},
};

START_TEST(csv_gives_the_cells_with_their_lines)
{
    char text[300] = "";
    struct pw_table table;
    struct pw_error err = {0};
    ck_assert_msg(parse_csv(good_csv[_i].text, &table, &err) == PW_OK, "[%s] %s", good_csv[_i].text,
                  err.text);
    for (int row = 0; row < table.n_rows; row++) {
        size_t used = strlen(text);
        const char *x = pw_table_cell(&table, row, X);
        snprintf(text + used, sizeof text - used, "%d:%s|%s|%s ", table.line[row],
                 pw_table_cell(&table, row, ID), pw_table_cell(&table, row, NAME), x == NULL ? "-" : x);
    }
    ck_assert_str_eq(text, good_csv[_i].rows);
    pw_table_free(&table);
}
END_TEST

static const struct wrong wrong_csv[] = {
    {"", 1, "the table is empty, a header row is expected"},
    {"\n \n", 1, "the table is empty"},
    {"id\n0\n", 1, "column \"name\" is missing"},
    {"name,x\na,0\n", 1, "column \"id\" is missing"},
    {"\n\nid,nam\n0,a\n", 3, "unknown column \"nam\", did you mean \"name\"? (columns: id,name,x)"},
    {"id,name,size\n", 1, "unknown column \"size\" (columns"},
    {"id,name,ID\n", 1, "unknown column \"ID\", did you mean \"id\"?"},
    {"id,name,id\n0,a,1\n", 1, "column \"id\" given twice"},
    {"id,name,\n0,a,\n", 1, "unknown column \"\""},
    {"id;name\n0;a\n", 1, "unknown column \"id;name\""},
    {"id,name\n0,a\n\n1\n", 4, "1 cells, but the header has 2"},
    {"id,name\n0,a,7\n", 2, "3 cells, but the header has 2"},
    {"id,name\r\n0,a\r\n1,b,\r\n", 3, "3 cells, but the header has 2"},
    {"id,name\n0,\"a\n", 2, "a quoted cell must end"},
    {"id,name\n0,\"a\nb\"\n", 2, "a quoted cell must end"},
    {"id,name\n0,\"a\"b\n", 2, "a quoted cell must end"},
    {"id,name\n0,\"a\"\"\n", 2, "a quoted cell must end"},
    {"id,name\n0,a\rb\n", 2, "control character (code 13)"},
    {"id,name\r0,a\r", 1, "control character (code 13)"},
    {"id,name\n0,a\n1,\033[2Jb\n", 3, "control character (code 27)"},
    {"id,name\n0,\x7f\n", 2, "control character (code 127)"},
    {"id,name\n0,caf\xE9\n", 2, "save the table as UTF-8"},
    {"id,name\n0,\xC3\n1,b\n", 2, "save the table as UTF-8"},
    {"id,name\n0,\xC0\x80\n", 2, "save the table as UTF-8"},
    {"id,name\n0,a\n\xEF\xBB\xBF"
     "1,b\n",
     3, "not plain UTF-8"},
};

START_TEST(csv_refuses_with_the_line)
{
    const struct wrong *wrong = &wrong_csv[_i];
    struct pw_table table;
    struct pw_error err = {0};
    ck_assert_msg(parse_csv(wrong->text, &table, &err) == PW_USAGE, "[%s] is taken", wrong->text);
    expect_message(&err, wrong);
    pw_table_free(&table);
}
END_TEST

START_TEST(csv_refuses_a_nul_byte_with_its_line)
{
    static const char text[] = "id,name\n0,a\n1,\0b\n";
    struct pw_table table;
    struct pw_error err = {0};
    struct wrong wrong = {"nul", 3, "a NUL byte: this is not a text file"};
    ck_assert_int_eq(pw_table_parse_csv(text, sizeof text - 1, "file", columns, N_COLUMNS, &table, &err),
                     PW_USAGE);
    expect_message(&err, &wrong);
    pw_table_free(&table);
}
END_TEST

/* The longest line that is taken has 64 cells; here the header is at fault either way. */
START_TEST(csv_refuses_many_columns)
{
    char text[200];
    struct pw_table table;
    struct pw_error err = {0};
    struct wrong wrong = {"65 commas", 1, "more than 64 columns"};
    memset(text, ',', sizeof text);
    text[64] = '\0';
    ck_assert_int_eq(parse_csv(text, &table, &err), PW_USAGE);
    expect_message(&err, &wrong);
    pw_table_free(&table);
    text[63] = '\0';
    wrong.says = "unknown column \"\"";
    ck_assert_int_eq(parse_csv(text, &table, &err), PW_USAGE);
    expect_message(&err, &wrong);
    pw_table_free(&table);
}
END_TEST

/* Room grows by the row: every cell of a long table is where it was written. */
START_TEST(csv_keeps_long_tables)
{
    enum { ROWS = 5000 };
    char *text = calloc(ROWS + 1, 40);
    struct pw_table table;
    struct pw_error err = {0};
    size_t used = (size_t)sprintf(text, "name,x,id\n");
    for (int i = 0; i < ROWS; i++)
        used += (size_t)sprintf(text + used, "n%d,%d.5,%d\n", i, i, 3 * i);
    ck_assert_int_eq(parse_csv(text, &table, &err), PW_OK);
    ck_assert_int_eq(table.n_rows, ROWS);
    for (int i = 0; i < ROWS; i++) {
        int id;
        double x;
        ck_assert_int_eq(table.line[i], i + 2);
        ck_assert_int_eq(atoi(pw_table_cell(&table, i, NAME) + 1), i);
        ck_assert_int_eq(pw_table_index(&table, i, ID, 3 * ROWS, &id, &err), PW_OK);
        ck_assert_int_eq(pw_table_real(&table, i, X, 0, &x, &err), PW_OK);
        ck_assert(id == 3 * i && x == i + 0.5);
    }
    pw_table_free(&table);
    free(text);
}
END_TEST

START_TEST(csv_cells_as_numbers)
{
    struct pw_table table;
    struct pw_error err = {0};
    struct wrong not_a_number = {"cell", 2, "x: \"1.5kW\" is not a number"};
    struct wrong not_an_id = {"cell", 3, "id: \"4\" is not an id (a whole number from 0 to 3 is expected)"};
    double x = 0;
    int id;
    ck_assert_int_eq(parse_csv("id,name,x\n0,a,1.5kW\n4,b,\n-1,c,-2e3\n", &table, &err), PW_OK);
    ck_assert_int_eq(pw_table_real(&table, 0, X, 7, &x, &err), PW_USAGE);
    expect_message(&err, &not_a_number);
    ck_assert_int_eq(pw_table_real(&table, 1, X, 7, &x, &err), PW_USAGE);
    ck_assert_int_eq(pw_table_real(&table, 2, X, 7, &x, &err), PW_OK);
    ck_assert(x == -2000);
    ck_assert_int_eq(pw_table_index(&table, 1, ID, 5, &id, &err), PW_OK);
    ck_assert_int_eq(pw_table_index(&table, 1, ID, 4, &id, &err), PW_USAGE);
    expect_message(&err, &not_an_id);
    ck_assert_int_eq(pw_table_index(&table, 2, ID, 5, &id, &err), PW_USAGE);
    pw_table_free(&table);
    ck_assert_int_eq(parse_csv("id,name\n0,a\n", &table, &err), PW_OK);
    ck_assert_int_eq(pw_table_real(&table, 0, X, 7, &x, &err), PW_OK);
    ck_assert(x == 7);
    pw_table_free(&table);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof *(table))

Suite *readers_suite(void)
{
    Suite *suite = suite_create("readers");
    TCase *yaml = tcase_create("yaml"), *table = tcase_create("csv");
    tcase_add_loop_test(yaml, yaml_gives_the_tree_with_its_lines, 0, COUNT(good_yaml));
    tcase_add_test(yaml, yaml_without_content_is_no_tree);
    tcase_add_loop_test(yaml, yaml_refuses_with_the_line, 0, COUNT(wrong_yaml));
    tcase_add_test(yaml, yaml_refuses_deep_nesting);
    tcase_add_test(yaml, yaml_refuses_many_keys);
    tcase_add_test(yaml, yaml_finds_keys);
    tcase_add_loop_test(table, csv_gives_the_cells_with_their_lines, 0, COUNT(good_csv));
    tcase_add_loop_test(table, csv_refuses_with_the_line, 0, COUNT(wrong_csv));
    tcase_add_test(table, csv_refuses_a_nul_byte_with_its_line);
    tcase_add_test(table, csv_refuses_many_columns);
    tcase_add_test(table, csv_keeps_long_tables);
    tcase_add_test(table, csv_cells_as_numbers);
    suite_add_tcase(suite, yaml);
    suite_add_tcase(suite, table);
    return suite;
}
