/* Memory for set-up code. Running out of it ends the program with a message: nothing here allocates after
 * set-up, so there is never a half-done negotiation to save. */
#ifndef PW_MEMORY_H
#define PW_MEMORY_H

#include <stddef.h>

/* `count` zeroed elements of `size` bytes, for the caller to free(); never NULL, also for count 0.
 * On overflow or want of memory: one line on stderr and abort(). */
void *pw_alloc(size_t count, size_t size);

/* `size` zeroed bytes that start with a line of the processor's cache, under the same terms as pw_alloc. */
void *pw_alloc_lines(size_t size);

enum { PW_CACHE_LINE = 64 };

/* For a program's first lines: memory that is freed is kept for what is allocated next, for to have new pages
 * from the system costs more than to clear old ones; and lies in large pages, where the system has them, with
 * room ahead of what is used, unless the process has a limit. Elsewhere than with glibc on Linux: nothing. */
void pw_memory_keep(void);

/* Like realloc() to `count` elements of `size` bytes, under the same terms as pw_alloc; what is added is
 * not zeroed. */
void *pw_realloc(void *old, size_t count, size_t size);

/* A copy of a string, for the caller to free(). */
char *pw_strdup(const char *text);

/* Copies `count` numbers. */
static inline void pw_copy_reals(double *to, const double *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = from[i];
}

#endif
