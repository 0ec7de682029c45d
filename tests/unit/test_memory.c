/* Memory is zeroed however often it has been used, and lies where it is asked to. */
#include <check.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/memory.h"
#include "tests/unit/suites.h"

static const size_t MUCH = 3 << 20;

/* Sanitizers have a heap of their own. */
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
enum { HAS_GLIBC_HEAP = 1 };
#else
enum { HAS_GLIBC_HEAP = 0 };
#endif

static int is_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return 0;
    }
    return 1;
}

START_TEST(what_was_freed_comes_back_zeroed)
{
    pw_memory_keep();
    for (int i = 0; i < 3; i++) {
        unsigned char *elements = pw_alloc(MUCH / 8, 8), *lines = pw_alloc_lines(MUCH + 5);
        ck_assert(is_zero(elements, MUCH));
        ck_assert(is_zero(lines, MUCH + 5));
        ck_assert_uint_eq((uintptr_t)lines % PW_CACHE_LINE, 0);
        memset(elements, 0xff, MUCH);
        memset(lines, 0xff, MUCH + 5);
        free(elements);
        free(lines);
    }
}
END_TEST

/* What the kernel notes of the mapping in which an address lies; empty if it says nothing of it. */
static void find_flags(const void *address, char *flags, size_t room)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    uintptr_t first, end, at = (uintptr_t)address;
    int is_it = 0;
    flags[0] = '\0';
    while (file != NULL && flags[0] == '\0' && fgets(flags, (int)room, file) != NULL) {
        if (sscanf(flags, "%" SCNxPTR "-%" SCNxPTR, &first, &end) == 2)
            is_it = first <= at && at < end;
        if (!is_it || strncmp(flags, "VmFlags:", 8) != 0)
            flags[0] = '\0';
    }
    if (file != NULL)
        fclose(file);
}

/* All that the heap grows by once it is to be kept: a large array, a small one after it, and small pieces. */
START_TEST(kept_memory_is_to_lie_in_large_pages)
{
    enum { PIECES = 3000, SIZE = 4000 };
    char flags[512];
    void *pieces[PIECES];
    if (!HAS_GLIBC_HEAP || access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) != 0)
        return;
    pw_memory_keep();
    void *lines = pw_alloc_lines(100 * MUCH), *array = pw_alloc(MUCH, 1);
    for (int i = 0; i < PIECES; i++)
        pieces[i] = pw_alloc(SIZE, 1);
    const void *all[] = {(char *)lines + 99 * MUCH, array, pieces[PIECES - 1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        find_flags(all[i], flags, sizeof flags);
        if (flags[0] == '\0') /* this system does not tell */
            break;
        ck_assert_msg(strstr(flags, " hg") != NULL, "piece %zu: %s", i, flags);
    }
    for (int i = 0; i < PIECES; i++)
        free(pieces[i]);
    free(array);
    free(lines);
}
END_TEST

Suite *memory_suite(void)
{
    Suite *suite = suite_create("memory");
    TCase *tests = tcase_create("memory");
    tcase_add_test(tests, what_was_freed_comes_back_zeroed);
    tcase_add_test(tests, kept_memory_is_to_lie_in_large_pages);
    suite_add_tcase(suite, tests);
    return suite;
}
