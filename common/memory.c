#define _DEFAULT_SOURCE /* sbrk(), madvise() */

#include "common/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* The heap starts with room for so much and grows by so much at a time, in memory that is not used before it
 * is wanted. All of it is to lie in large pages where the system has them: fewer faults at first, fewer
 * misses later. Where it ends small pages are left, so it grows seldom. */
enum { ROOM = 256 << 20, GROWTH = 64 << 20 };

/* The heap's end when that was last asked for; NULL: never. */
static unsigned char *asked_end;

/* Asks it for what the heap has grown by. */
static void ask_for_large_pages(void)
{
#ifdef MADV_HUGEPAGE
    unsigned char *end = asked_end == NULL ? NULL : sbrk(0);
    if (end <= asked_end)
        return;
    const uintptr_t page = 4096, start = (uintptr_t)asked_end / page * page;
    madvise((void *)start, (uintptr_t)end - start, MADV_HUGEPAGE); /* a wish: that it fails does not matter */
    asked_end = end;
#endif
}

void pw_memory_keep(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, -1); /* never */
    void *room = malloc(ROOM);
    if (room == NULL) /* memory is limited: no more is taken than is used */
        return;
    mallopt(M_TOP_PAD, GROWTH);
    asked_end = room;
    ask_for_large_pages();
    free(room);
#endif
}

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
