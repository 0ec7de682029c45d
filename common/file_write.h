/* Files that appear under their name only when complete. */
#ifndef PW_FILE_WRITE_H
#define PW_FILE_WRITE_H

#include <stddef.h>

#include "common/error.h"

/* Says before a long run whether `path` can be written: PW_IO, with what to do, if it exists (unless force),
 * is no regular file, or its folder does not exist or cannot be written. Creates nothing. */
enum pw_code pw_file_write_check(const char *path, int force, struct pw_error *err);

/* True if both names are of one file, by links too, or would be if it were written. */
int pw_file_is_same(const char *path, const char *other);

/* Writes the bytes under a temporary name beside `path`, flushes them to the disk, and only then gives them
 * the name. On failure (PW_IO, with what to do) nothing is left, and a file that was there before is
 * untouched. `force` replaces an existing file, through a symbolic link too; without it a file that is there
 * by then is an error. A temporary that a killed process left is no obstacle. */
enum pw_code pw_file_write(const char *path, const void *bytes, size_t size, int force, struct pw_error *err);

#endif
