#include "common/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    return memory;
}

void *pw_alloc_lines(size_t size)
{
    size_t lines = size / PW_CACHE_LINE + 1;
    void *memory = aligned_alloc(PW_CACHE_LINE, lines * PW_CACHE_LINE);
    if (memory == NULL)
        out_of_memory(size, 1);
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
