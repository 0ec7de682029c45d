/* A folder of its own for a test's files, where the environment wants temporary ones (TMPDIR). */
#ifndef PW_TEST_SCRATCH_H
#define PW_TEST_SCRATCH_H

#include <stddef.h>

struct scratch {
    char folder[128];
};

/* Makes an empty folder; scratch_close() removes it and the files in it (no folders below it). */
struct scratch scratch_open(void);
void scratch_close(const struct scratch *scratch);

/* Writes a text, or `size` bytes, under `name` in the folder. */
void scratch_write(const struct scratch *scratch, const char *name, const char *text);
void scratch_write_bytes(const struct scratch *scratch, const char *name, const char *bytes, size_t size);

/* The path of a name in the folder; valid until the call after the next three. */
const char *scratch_path(const struct scratch *scratch, const char *name);

#endif
