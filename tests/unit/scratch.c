#include "tests/unit/scratch.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scratch scratch_open(void)
{
    struct scratch scratch;
    const char *where = getenv("TMPDIR");
    int length = snprintf(scratch.folder, sizeof scratch.folder, "%s/peerwatt-test-XXXXXX",
                          where != NULL && *where != '\0' ? where : "/tmp");
    ck_assert_int_lt(length, (int)sizeof scratch.folder);
    ck_assert_ptr_nonnull(mkdtemp(scratch.folder));
    return scratch;
}

void scratch_close(const struct scratch *scratch)
{
    DIR *folder = opendir(scratch->folder);
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ck_assert_int_eq(remove(scratch_path(scratch, entry->d_name)), 0);
    }
    closedir(folder);
    ck_assert_int_eq(rmdir(scratch->folder), 0);
}

void scratch_write_bytes(const struct scratch *scratch, const char *name, const char *bytes, size_t size)
{
    FILE *file = fopen(scratch_path(scratch, name), "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

void scratch_write(const struct scratch *scratch, const char *name, const char *text)
{
    scratch_write_bytes(scratch, name, text, strlen(text));
}

const char *scratch_path(const struct scratch *scratch, const char *name)
{
    static char paths[4][512];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", scratch->folder, name);
    return paths[turn];
}
