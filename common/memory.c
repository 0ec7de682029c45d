#define _DEFAULT_SOURCE /* sbrk(), madvise() */

#include "common/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#if defined(__GLIBC__) && defined(MADV_HUGEPAGE)

/* Where the heap began, and up to where it has been asked to lie in large pages; NULL: nobody has asked. */
static unsigned char *heap_start, *asked_end;

/* A limit is to be left to what is used. */
static int is_limited(int resource)
{
    struct rlimit limit;
    return getrlimit(resource, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY;
}

/* The heap has grown: it is given room beyond its end, addresses that cost nothing until they are used. Where
 * it ends small pages are left, so it is to grow seldom. */
static void make_room(size_t heap)
{
    enum { LEAST = 64 << 20, MOST = 512 << 20 };
    size_t size = heap / 2 < LEAST ? LEAST : heap / 2 > MOST ? MOST : heap / 2;
    if (is_limited(RLIMIT_AS) || is_limited(RLIMIT_DATA))
        return;
    void *volatile room = malloc(size); /* volatile: a compiler may leave out what is freed unused */
    free(room);
}

/* Asks the system, where it has large pages, for all that the heap has grown by: fewer faults at first, fewer
 * misses later. */
static void ask_for_large_pages(void)
{
    if (asked_end == NULL || sbrk(0) == (void *)asked_end)
        return;
    make_room((size_t)(asked_end - heap_start));
    unsigned char *end = sbrk(0);
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)asked_end / page * page;
    if (end > asked_end) /* a wish: that it fails does not matter */
        madvise((void *)start, (uintptr_t)end - start, MADV_HUGEPAGE);
    asked_end = end;
}

void pw_memory_keep(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, -1); /* never */
    heap_start = asked_end = sbrk(0);
}

#else

static void ask_for_large_pages(void)
{
}

void pw_memory_keep(void)
{
}

#endif

static void out_of_memory(size_t count, size_t size)
{
    fprintf(stderr, "peerwatt: out of memory: %zu elements of %zu bytes wanted\n", count, size);
    abort();
}

void *pw_alloc(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
    if (memory == NULL)
        out_of_memory(count, size);
    ask_for_large_pages();
    return memory;
}

void *pw_alloc_lines(size_t size)
{
    size_t lines = size / PW_CACHE_LINE + 1;
    void *memory = aligned_alloc(PW_CACHE_LINE, lines * PW_CACHE_LINE);
    if (memory == NULL)
        out_of_memory(size, 1);
    ask_for_large_pages();
    return memset(memory, 0, lines * PW_CACHE_LINE);
}

void *pw_realloc(void *old, size_t count, size_t size)
{
    if (size > 0 && count > SIZE_MAX / size)
        out_of_memory(count, size);
    void *memory = realloc(old, count * size > 0 ? count * size : 1);
    if (memory == NULL)
        out_of_memory(count, size);
    ask_for_large_pages();
    return memory;
}

char *pw_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(pw_alloc(size, 1), text, size);
}
