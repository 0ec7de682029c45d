/* Input files kept in memory, for those who load many variants of one case: each file is read once, and no
 * later change of it is seen. */
#ifndef PW_INPUTS_H
#define PW_INPUTS_H

#include <stddef.h>

#include "common/error.h"
#include "common/file.h"

/* A file's text and the SHA-256 digest of its bytes, in hexadecimal. */
struct pw_kept_input {
    char *path;
    struct pw_text text;
    char digest[65];
};

/* Starts as {0}. */
struct pw_inputs {
    int count;
    struct pw_kept_input *items;
};

/* The text of the file, for the caller to pw_text_free(), and its digest: from memory if it was read before,
 * else from the disk (PW_USAGE as pw_text_read()) and kept. With inputs NULL nothing is kept. */
enum pw_code pw_inputs_read(struct pw_inputs *inputs, const char *path, struct pw_text *text, char digest[65],
                            struct pw_error *err);
void pw_inputs_release(struct pw_inputs *inputs);

/* All of them as bytes, to hand them to other ranks. */
size_t pw_inputs_pack_size(const struct pw_inputs *inputs);
void pw_inputs_pack(const struct pw_inputs *inputs, unsigned char *bytes);

/* What pw_inputs_pack() wrote, for pw_inputs_release(). */
struct pw_inputs pw_inputs_unpack(const unsigned char *bytes);

#endif
