#define _DEFAULT_SOURCE /* madvise() */

#include "common/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

void pw_memory_keep(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, -1); /* never */
#endif
}

static void out_of_memory(size_t count, size_t size)
{
    fprintf(stderr, "peerwatt: out of memory: %zu elements of %zu bytes wanted\n", count, size);
    abort();
}

/* Large arrays lie in large pages, where the system has them: fewer faults at first, fewer misses later. */
static void prefer_large_pages(void *memory, size_t size)
{
#ifdef MADV_HUGEPAGE
    enum { LARGE = 8 << 20, PAGE = 4096 };
    uintptr_t start = ((uintptr_t)memory + PAGE - 1) / PAGE * PAGE,
              end = ((uintptr_t)memory + size) / PAGE * PAGE;
    if (size >= LARGE)
        madvise((void *)start, end - start, MADV_HUGEPAGE); /* a wish: that it fails does not matter */
#else
    (void)memory;
    (void)size;
#endif
}

void *pw_alloc(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
    if (memory == NULL)
        out_of_memory(count, size);
    prefer_large_pages(memory, count * size);
    return memory;
}

void *pw_alloc_lines(size_t size)
{
    size_t lines = size / PW_CACHE_LINE + 1;
    void *memory = aligned_alloc(PW_CACHE_LINE, lines * PW_CACHE_LINE);
    if (memory == NULL)
        out_of_memory(size, 1);
    prefer_large_pages(memory, lines * PW_CACHE_LINE);
    return memset(memory, 0, lines * PW_CACHE_LINE);
}

void *pw_realloc(void *old, size_t count, size_t size)
{
    if (size > 0 && count > SIZE_MAX / size)
        out_of_memory(count, size);
    void *memory = realloc(old, count * size > 0 ? count * size : 1);
    if (memory == NULL)
        out_of_memory(count, size);
    return memory;
}

char *pw_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(pw_alloc(size, 1), text, size);
}
