/* Whole files in memory. */
#ifndef PW_FILE_H
#define PW_FILE_H

#include <stddef.h>

#include "common/error.h"

/* A file's bytes, ended by a NUL that `size` does not count. */
struct pw_text {
    char *bytes;
    size_t size;
};

/* Reads a text file for the caller to pw_text_free(). PW_USAGE where it cannot be read (the path and the
 * reason in the text), is larger than 4 GiB, or holds a NUL byte (with its line). */
enum pw_code pw_text_read(const char *path, struct pw_text *out, struct pw_error *err);
void pw_text_free(struct pw_text *text);

/* The path of `name` as seen from the folder of `from` (absolute names stay), for the caller to free(). */
char *pw_path_beside(const char *from, const char *name);

#endif
