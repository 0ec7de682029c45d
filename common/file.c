#include "common/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/memory.h"
#include "common/plain_text.h"
#include "common/table_h5.h"

static const size_t LARGEST_FILE = (size_t)4 << 30;

static enum pw_code read_bytes(FILE *file, const char *path, struct pw_text *out, struct pw_error *err)
{
    size_t room = 1 << 16, used = 0, got;
    char *bytes = pw_alloc(room, 1);
    while ((got = fread(bytes + used, 1, room - used - 1, file)) > 0) {
        used += got;
        if (used > LARGEST_FILE)
            break;
        if (used + 1 == room)
            bytes = pw_realloc(bytes, room *= 2, 1);
    }
    bytes[used] = '\0';
    *out = (struct pw_text){bytes, used};
    if (ferror(file))
        return pw_fail(err, PW_USAGE, "%s: cannot be read: %s", path, strerror(errno));
    return used > LARGEST_FILE ? pw_fail(err, PW_USAGE, "%s: larger than 4 GiB", path) : PW_OK;
}

/* Of what is not text only tables in HDF5 can be read. */
static enum pw_code refuse_binary(const char *path, const struct pw_text *text, struct pw_error *err)
{
    int line = pw_table_is_h5(text->bytes, text->size) ? 0 : pw_nul_line(text->bytes, text->size);
    return line == 0 ? PW_OK
                     : pw_fail(err, PW_USAGE, "%s:%d: a NUL byte: this is not a text file", path, line);
}

enum pw_code pw_text_read(const char *path, struct pw_text *out, struct pw_error *err)
{
    struct stat status;
    *out = (struct pw_text){NULL, 0};
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return pw_fail(err, PW_USAGE, "%s: is a folder, a file is expected", path);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return pw_fail(err, PW_USAGE, "%s: cannot be opened: %s", path, strerror(errno));
    enum pw_code code = read_bytes(file, path, out, err);
    fclose(file);
    if (code == PW_OK)
        code = refuse_binary(path, out, err);
    if (code != PW_OK)
        pw_text_free(out);
    return code;
}

void pw_text_free(struct pw_text *text)
{
    free(text->bytes);
    *text = (struct pw_text){NULL, 0};
}

char *pw_path_beside(const char *from, const char *name)
{
    const char *slash = strrchr(from, '/');
    if (name[0] == '/' || slash == NULL)
        return pw_strdup(name);
    size_t folder = (size_t)(slash - from) + 1, length = strlen(name);
    char *path = pw_alloc(folder + length + 1, 1);
    memcpy(path, from, folder);
    memcpy(path + folder, name, length);
    return path;
}
