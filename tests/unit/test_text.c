/* Small text: numbers, "did you mean", plain text, whole files. */
#include <check.h>
#include <float.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/number.h"
#include "common/plain_text.h"
#include "common/suggest.h"
#include "tests/unit/random_market.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suites.h"

/* ---- Numbers ---- */

static const char *const no_numbers[] = {
    "",
    "-",
    "+",
    ".",
    "-.",
    "e5",
    ".e5",
    "1e",
    "1e+",
    "1.5kW",
    "010",
    "00",
    "-007",
    "01.5",
    "nan",
    "NaN",
    ".nan",
    "-nan",
    "inf",
    "-inf",
    ".inf",
    "infinity",
    "0x10",
    "-0x1p3",
    "0x",
    "1e999",
    "-1e999",
    "+5",
    "+.5",
    " 5",
    "5 ",
    "\t5",
    "5\n",
    "1_000",
    "1,5",
    "1 000",
    "--5",
    "-+5",
    "1e5.5",
    "1.2.3",
    "5f",
    "5L",
    "1e-999",
    "-1e-400",
    "0b1",
    "1d3",
    "%",
    "\xD9\xA3",
    "1e99999999999999999999",
    "\xE2\x88\x92"
    "5",
    "1'000",
    "1e- 5",
    "5-",
    "0e",
};

START_TEST(refuses_what_is_no_number)
{
    const char *text = no_numbers[_i];
    double value = 7;
    long whole = 7;
    ck_assert_msg(!pw_parse_real(text, &value), "[%s] is read as %g", text, value);
    ck_assert_msg(!pw_parse_integer(text, &whole), "[%s] is read as %ld", text, whole);
    ck_assert_msg(value == 7 && whole == 7, "[%s] leaves a trace", text);
}
END_TEST

START_TEST(reads_decimals)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"0", 0},       {"-0", 0},          {"3", 3},           {"-0.5", -0.5},
        {".5", 0.5},    {"-.5", -0.5},      {"5.", 5},          {"1e-3", 0.001},
        {"1E3", 1000},  {"1e+3", 1000},     {"0e5", 0},         {"0.0e-999", 0},
        {"1e05", 1e5},  {"10", 10},         {"0.1", 0.1},       {"1.7976931348623157e308", DBL_MAX},
        {"1e22", 1e22}, {"5e-324", 5e-324}, {"0.00001", 1e-05}, {"100000000000000000000000", 1e23},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double value = 7;
        ck_assert_msg(pw_parse_real(good[i].text, &value), "[%s] is refused", good[i].text);
        ck_assert_msg(value == good[i].value, "[%s] is read as %.17g", good[i].text, value);
    }
}
END_TEST

/* Random doubles of every size, written with 17 digits, come back as they were. */
START_TEST(reads_back_what_printf_writes)
{
    struct test_rng rng = test_rng(3);
    for (int i = 0; i < 20000; i++) {
        char text[40];
        double value, sign = test_below(&rng, 2) ? 1 : -1, back = 0;
        snprintf(text, sizeof text, "%.16fe%d", test_uniform(&rng, 1, 10), test_below(&rng, 600) - 300);
        value = sign * strtod(text, NULL);
        snprintf(text, sizeof text, "%.17g", value);
        ck_assert_msg(pw_parse_real(text, &back) && back == value, "%s comes back as %.17g", text, back);
    }
}
END_TEST

START_TEST(reads_whole_numbers)
{
    char text[40];
    long value = 0;
    ck_assert(pw_parse_integer("0", &value) && value == 0);
    ck_assert(pw_parse_integer("-12", &value) && value == -12);
    snprintf(text, sizeof text, "%ld", LONG_MAX);
    ck_assert(pw_parse_integer(text, &value) && value == LONG_MAX);
    snprintf(text, sizeof text, "%ld", LONG_MIN);
    ck_assert(pw_parse_integer(text, &value) && value == LONG_MIN);
    ck_assert(!pw_parse_integer("9223372036854775808", &value) || sizeof(long) > 8);
    ck_assert(!pw_parse_integer("-9223372036854775809", &value) || sizeof(long) > 8);
    ck_assert(!pw_parse_integer("1.0", &value));
    ck_assert(!pw_parse_integer("1e3", &value));
    ck_assert(value == LONG_MIN);
}
END_TEST

/* ---- Did you mean ---- */

static const char *suggested(const char *word, const char *const *candidates, int count)
{
    static char text[100];
    return pw_suggest(word, candidates, count, text, sizeof text);
}

START_TEST(suggests_near_misses)
{
    static const char *const names[] = {"delta", "relaxation", "penalty", "stiffness", "no"};
    static const char *const near[][2] = {
        {"delte", "delta"},
        {"Delta", "delta"},
        {"delat", "delta"},
        {"dlta", "delta"},
        {"relaxtion", "relaxation"},
        {"penalties", ""},
        {"gamma", ""},
        {"", ""},
        {"stifness", "stiffness"},
        {"xyz", ""},
        {"o", "no"},
        {"ab", ""},
        {"relaxation_of_the_penalty_of_all_the_links", ""},
    };
    for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
        char expected[100] = "";
        if (near[i][1][0] != '\0')
            snprintf(expected, sizeof expected, ", did you mean \"%s\"?", near[i][1]);
        ck_assert_str_eq(suggested(near[i][0], names, 5), expected);
    }
    ck_assert_str_eq(suggested("delta", names, 0), "");
}
END_TEST

/* Words of up to 40 letters are compared. */
START_TEST(suggests_long_words)
{
    char word[50], near[50];
    const char *names[] = {near};
    memset(word, 'x', sizeof word);
    memset(near, 'x', sizeof near);
    near[20] = 'y';
    for (int length = 39; length <= 42; length++) {
        word[length] = near[length] = '\0';
        ck_assert_int_eq(suggested(word, names, 1)[0] != '\0', length <= 40);
        near[40] = '\0';
        ck_assert_int_eq(suggested(word, names, 1)[0] != '\0', length <= 40);
        word[length] = near[length] = near[40] = 'x';
    }
}
END_TEST

/* The edit distance by its definition, for short words. */
static int edits(const char *x, const char *y)
{
    if (*x == '\0' || *y == '\0')
        return (int)(strlen(x) + strlen(y));
    if (*x == *y)
        return edits(x + 1, y + 1);
    int change = edits(x + 1, y + 1), drop = edits(x + 1, y), add = edits(x, y + 1);
    int best = change < drop ? change : drop;
    return 1 + (best < add ? best : add);
}

/* Random words of three letters: the suggestion is the first of the closest within two edits, never one that
 * shares nothing with the word. */
START_TEST(suggests_the_closest)
{
    struct test_rng rng = test_rng(8);
    for (int run = 0; run < 3000; run++) {
        char words[5][8] = {{0}}, expected[100] = "";
        const char *names[5];
        int best = 3;
        for (int i = 0; i < 5; i++) {
            int length = 1 + test_below(&rng, 6);
            for (int j = 0; j < length; j++)
                words[i][j] = (char)('a' + test_below(&rng, 3));
            names[i] = words[i];
        }
        for (int i = 1; i < 5; i++) {
            int d = edits(names[0], names[i]);
            if (d < best && d < (int)strlen(names[i])) {
                best = d;
                snprintf(expected, sizeof expected, ", did you mean \"%s\"?", names[i]);
            }
        }
        ck_assert_str_eq(suggested(names[0], names + 1, 4), expected);
    }
}
END_TEST

/* ---- Plain text ---- */

/* UTF-8 by its bit patterns, without any check. */
static void encode(uint32_t character, char *to)
{
    unsigned char bytes[5] = {0};
    int more = character < 0x80 ? 0 : character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    for (int i = more; i > 0; i--, character >>= 6)
        bytes[i] = (unsigned char)(0x80 | (character & 0x3F));
    bytes[0] = (unsigned char)(lead[more] | character);
    memcpy(to, bytes, sizeof bytes);
}

START_TEST(every_character_is_plain_or_not)
{
    char text[8] = "x";
    long plain = 0, wrong = 0;
    for (uint32_t c = 1; c < 0x110000; c++) {
        encode(c, text + 1);
        const char *found = pw_find_unplain(text);
        plain += found == NULL;
        wrong += found != NULL && (found != text + 1 || (c > 0x20 && c < 0x7F));
    }
    ck_assert_int_eq(wrong, 0);
    /* All but 30 + 1 + 32 controls (the tab is none), 2 separators, the mark, 2 that are no characters, and
     * the surrogates. */
    ck_assert_int_eq(plain, 0x10FFFF - 30 - 1 - 32 - 2 - 1 - 2 - 0x800);
    ck_assert_ptr_null(pw_find_unplain(""));
    ck_assert_ptr_null(pw_find_unplain("a\tb \xC2\xA0 \xF0\x9F\x94\x8C"));
}
END_TEST

START_TEST(broken_utf8_is_found_and_repaired)
{
    static const char *const broken[][2] = {
        {"\x80", "?"},
        {"a\xBF", "a?"},
        {"\xC3", "?"},
        {"caf\xE9!", "caf?!"},
        {"\xE2\x82", "??"},
        {"\xE2\x82z", "??z"},
        {"\xF0\x9F\x94", "???"},
        {"\xC0\xAF", "??"}, /* too long a form of / */
        {"\xE0\x80\xAF", "???"},
        {"\xED\xA0\x80", "???"},      /* a surrogate */
        {"\xF4\x90\x80\x80", "????"}, /* beyond the last character */
        {"\xF8\x88\x80\x80\x80", "?????"},
        {"\xFE\xFF", "??"},
        {"\xC3\xA9\xC3", "\xC3\xA9?"},
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char text[16];
        snprintf(text, sizeof text, "%s", broken[i][0]);
        ck_assert_ptr_nonnull(pw_find_unplain(text));
        pw_repair_utf8(text);
        ck_assert_str_eq(text, broken[i][1]);
        ck_assert_ptr_null(pw_find_unplain(text));
    }
}
END_TEST

/* A message that is cut in the middle of a letter stays UTF-8. */
START_TEST(messages_are_utf8)
{
    struct pw_error err;
    char letters[1500];
    for (int i = 0; i < 1498; i += 2)
        memcpy(letters + i, "\xC3\xA9", 3);
    pw_fail(&err, PW_USAGE, "%s", letters);
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
    ck_assert_ptr_null(pw_find_unplain(err.text));
    ck_assert_int_eq(err.text[sizeof err.text - 2], '?');
    ck_assert_int_eq(pw_fail(&err, PW_IO, "caf\xE9 %d", 5), PW_IO);
    ck_assert_str_eq(err.text, "caf? 5");
    ck_assert_int_eq(err.code, PW_IO);
}
END_TEST

START_TEST(nul_bytes_have_a_line)
{
    ck_assert_int_eq(pw_nul_line("", 0), 0);
    ck_assert_int_eq(pw_nul_line("a\nb\n", 4), 0);
    ck_assert_int_eq(pw_nul_line("\0", 1), 1);
    ck_assert_int_eq(pw_nul_line("abc\n\0", 5), 2);
    ck_assert_int_eq(pw_nul_line("a\nb\n\0c\0", 7), 3);
}
END_TEST

/* ---- Files ---- */

/* Sizes around those at which the buffer grows. */
START_TEST(reads_files_of_any_size)
{
    static const size_t sizes[] = {0, 1, 65534, 65535, 65536, 65537, 131071, 131072, 300000};
    struct scratch scratch = scratch_open();
    char *bytes = malloc(300000);
    for (size_t i = 0; i < 300000; i++)
        bytes[i] = (char)('a' + i % 23);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct pw_text text;
        struct pw_error err;
        scratch_write_bytes(&scratch, "f", bytes, sizes[i]);
        ck_assert_int_eq(pw_text_read(scratch_path(&scratch, "f"), &text, &err), PW_OK);
        ck_assert_uint_eq(text.size, sizes[i]);
        ck_assert_int_eq(memcmp(text.bytes, bytes, sizes[i]), 0);
        ck_assert_int_eq(text.bytes[text.size], '\0');
        pw_text_free(&text);
    }
    free(bytes);
    scratch_close(&scratch);
}
END_TEST

START_TEST(refuses_files_that_are_no_text)
{
    struct scratch scratch = scratch_open();
    struct pw_text text;
    struct pw_error err;
    ck_assert_int_eq(pw_text_read(scratch_path(&scratch, "none"), &text, &err), PW_USAGE);
    ck_assert_ptr_nonnull(strstr(err.text, "/none: cannot be opened: "));
    ck_assert_int_eq(pw_text_read(scratch.folder, &text, &err), PW_USAGE);
    ck_assert_ptr_nonnull(strstr(err.text, "is a folder"));
    scratch_write_bytes(&scratch, "f", "a\nb\n\0\n", 6);
    ck_assert_int_eq(pw_text_read(scratch_path(&scratch, "f"), &text, &err), PW_USAGE);
    ck_assert_ptr_nonnull(strstr(err.text, "/f:3: a NUL byte"));
    ck_assert_ptr_null(text.bytes);
    scratch_close(&scratch);
}
END_TEST

START_TEST(paths_stand_beside_the_case)
{
    static const char *const paths[][3] = {
        {"case.yaml", "a.csv", "a.csv"},
        {"dir/case.yaml", "a.csv", "dir/a.csv"},
        {"/x/y/case.yaml", "z/a.csv", "/x/y/z/a.csv"},
        {"dir/case.yaml", "/abs/a.csv", "/abs/a.csv"},
        {"/case.yaml", "a.csv", "/a.csv"},
        {"d/case.yaml", "../a.csv", "d/../a.csv"},
        {"case.yaml", "/abs/a.csv", "/abs/a.csv"},
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char *path = pw_path_beside(paths[i][0], paths[i][1]);
        ck_assert_str_eq(path, paths[i][2]);
        free(path);
    }
}
END_TEST

Suite *text_suite(void)
{
    Suite *suite = suite_create("text");
    TCase *numbers = tcase_create("numbers"), *texts = tcase_create("texts"), *files = tcase_create("files");
    tcase_add_loop_test(numbers, refuses_what_is_no_number, 0, (int)(sizeof no_numbers / sizeof *no_numbers));
    tcase_add_test(numbers, reads_decimals);
    tcase_add_test(numbers, reads_back_what_printf_writes);
    tcase_add_test(numbers, reads_whole_numbers);
    tcase_add_test(texts, suggests_near_misses);
    tcase_add_test(texts, suggests_long_words);
    tcase_add_test(texts, suggests_the_closest);
    tcase_add_test(texts, every_character_is_plain_or_not);
    tcase_add_test(texts, broken_utf8_is_found_and_repaired);
    tcase_add_test(texts, messages_are_utf8);
    tcase_add_test(texts, nul_bytes_have_a_line);
    tcase_add_test(files, reads_files_of_any_size);
    tcase_add_test(files, refuses_files_that_are_no_text);
    tcase_add_test(files, paths_stand_beside_the_case);
    suite_add_tcase(suite, numbers);
    suite_add_tcase(suite, texts);
    suite_add_tcase(suite, files);
    return suite;
}
