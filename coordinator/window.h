/* What a rank tells rank 0 when it has done what it was told, as bytes: how it stands, and what changed
 * there, if that was asked for. */
#ifndef PW_WINDOW_H
#define PW_WINDOW_H

#include <stddef.h>

#include "coordinator/director.h"

/* `stretches` [PW_STRETCHES] and `moves` are NULL where they were not asked for. */
struct pw_window {
    struct pw_ranks standing;
    const struct pw_stretch *stretches;
    const struct pw_changes *moves;
};

/* The bytes, for the caller to free. */
unsigned char *pw_window_pack(const struct pw_window *window, size_t *size);

/* Adds a rank's window to the course and to the standing of all. */
void pw_window_take(const struct pw_window *window, struct pw_course *course, struct pw_ranks *all);

/* The same from bytes. PW_INTERNAL if they are none of pw_window_pack(). */
enum pw_code pw_window_unpack(const unsigned char *bytes, size_t size, struct pw_course *course,
                              struct pw_ranks *all, struct pw_error *err);

#endif
