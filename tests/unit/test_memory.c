#define _DEFAULT_SOURCE /* sbrk() */

/* Memory is zeroed however often it has been used, and lies where it is asked to. */
#include <check.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/memory.h"
#include "tests/unit/suites.h"

static const size_t MUCH = 3 << 20;

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

static void assert_is_advised(const void *address, const char *what)
{
    char flags[512];
    find_flags(address, flags, sizeof flags);
    ck_assert_msg(flags[0] == '\0' || strstr(flags, " hg") != NULL, "%s: %s", what, flags);
}

/* By small pieces until the heap has grown: the last one ends in what is new. */
static void grow_by_pieces(void)
{
    enum { PIECE = 1 << 20, MOST = 1000 };
    const char *end = sbrk(0);
    void *pieces[MOST];
    int count = 0;
    while (count < MOST && sbrk(0) == (void *)end)
        pieces[count++] = pw_alloc(PIECE, 1);
    ck_assert_int_gt(count, 0);
    assert_is_advised((char *)pieces[count - 1] + PIECE - 1, "piece");
    while (count > 0)
        free(pieces[--count]);
}

static int is_unlimited(int resource)
{
    struct rlimit limit;
    return getrlimit(resource, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

/* Whatever the heap grows by once it is to be kept; a heap that is not that of glibc (a sanitizer's,
 * valgrind's) does not grow so. */
START_TEST(kept_memory_is_to_lie_in_large_pages)
{
    const size_t more_than_room = (size_t)80 << 20;
    if (access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) != 0)
        return;
    pw_memory_keep();
    const char *before = sbrk(0);
    char *array = pw_realloc(NULL, more_than_room, 1);
    if (sbrk(0) != (void *)before) {
        assert_is_advised(array + more_than_room - 1, "end of an array");
        assert_is_advised((char *)sbrk(0) - 1, "room after it");
        if (is_unlimited(RLIMIT_AS) && is_unlimited(RLIMIT_DATA))
            ck_assert((size_t)((char *)sbrk(0) - array) > more_than_room + more_than_room / 2);
        char *lines = pw_alloc_lines(more_than_room);
        assert_is_advised(lines + more_than_room - 1, "lines");
        grow_by_pieces();
        free(lines);
    }
    free(array);
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
