#define _XOPEN_SOURCE 700 /* realpath */

#include "common/file_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/memory.h"

/* The folder of a path, for the caller to free(). */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return pw_strdup(".");
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    char *folder = pw_alloc(length + 1, 1);
    return memcpy(folder, path, length);
}

static const char *name_in(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* What a symbolic link points to, else the path itself; for the caller to free(). */
static char *follow(const char *path)
{
    char *target = realpath(path, NULL);
    return target != NULL ? target : pw_strdup(path);
}

static enum pw_code fail_exists(const char *path, struct pw_error *err)
{
    return pw_fail(err, PW_IO, "%s: exists already: use --force to replace it, or another name", path);
}

static enum pw_code check_folder(const char *folder, const char *path, struct pw_error *err)
{
    struct stat status;
    if (stat(folder, &status) != 0)
        return pw_fail(err, PW_IO, "%s: cannot be written: folder %s: %s: create it, or use another name",
                       path, folder, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return pw_fail(err, PW_IO, "%s: cannot be written: %s is no folder: use another name", path, folder);
    if (access(folder, W_OK | X_OK) != 0)
        return pw_fail(err, PW_IO, "%s: cannot be written: folder %s: %s: use another name", path, folder,
                       strerror(errno));
    return PW_OK;
}

static int exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

static int are_one(const char *path, const char *other)
{
    struct stat one, two;
    return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_dev == two.st_dev &&
           one.st_ino == two.st_ino;
}

int pw_file_is_same(const char *path, const char *other)
{
    if (exists(path) || exists(other))
        return are_one(path, other);
    char *folder = folder_of(path), *other_folder = folder_of(other);
    int same = strcmp(name_in(path), name_in(other)) == 0 && are_one(folder, other_folder);
    free(folder);
    free(other_folder);
    return same;
}

enum pw_code pw_file_write_check(const char *path, int force, struct pw_error *err)
{
    struct stat status;
    if (name_in(path)[0] == '\0')
        return pw_fail(err, PW_IO, "'%s': names no file: use another name", path);
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return pw_fail(err, PW_IO, "%s: is a folder, a file is expected: use another name", path);
    if (!force && lstat(path, &status) == 0)
        return fail_exists(path, err);
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return pw_fail(err, PW_IO, "%s: is not a regular file and will not be replaced: use another name",
                       path);
    char *target = follow(path), *folder = folder_of(target);
    enum pw_code code = check_folder(folder, path, err);
    free(folder);
    free(target);
    return code;
}

/* Opens a new file `.NAME.tmp-PID-NUMBER` beside the target, by the first number that is free: a process that
 * was killed may have left some. -1 and errno on failure. *name is for the caller to free(). */
static int open_temporary(const char *target, char **name)
{
    const char *last = name_in(target);
    size_t size = strlen(target) + 64;
    int descriptor = -1;
    *name = pw_alloc(size, 1);
    errno = EEXIST;
    for (int i = 0; descriptor < 0 && errno == EEXIST; i++) {
        snprintf(*name, size, "%.*s.%.200s.tmp-%ld-%d", (int)(last - target), target, last, (long)getpid(),
                 i);
        descriptor = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    return descriptor;
}

/* 0, or -1 and errno. */
static int write_all(int descriptor, const char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t written = write(descriptor, bytes + done, size - done);
        if (written < 0 && errno != EINTR)
            return -1;
        done += written > 0 ? (size_t)written : 0;
    }
    return 0;
}

/* 0, or -1 and errno. Some file systems cannot fsync. */
static int flush(int descriptor)
{
    return fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : -1;
}

/* On the disk when it returns 0; else -1 and errno. Closes the descriptor. */
static int write_to_disk(int descriptor, const void *bytes, size_t size)
{
    int failed = write_all(descriptor, bytes, size) || flush(descriptor), reason = errno;
    if (close(descriptor) != 0 && errno != EINTR && !failed)
        return -1;
    errno = reason;
    return failed ? -1 : 0;
}

/* Gives the temporary its name without replacing anything; 0, or -1 and errno, EEXIST where the name is
 * taken. Where there are no hard links a moment remains between the look and the renaming. */
static int rename_to_new(const char *temporary, const char *target)
{
    struct stat status;
    if (link(temporary, target) == 0) {
        unlink(temporary); /* complete under its name, whatever becomes of the other one */
        return 0;
    }
    if (errno != EPERM && errno != ENOTSUP && errno != ENOSYS && errno != EMLINK)
        return -1;
    if (lstat(target, &status) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(temporary, target);
}

/* 0, or -1 and errno, and no temporary either way. */
static int fill_and_rename(int descriptor, const char *temporary, const char *target, const void *bytes,
                           size_t size, int force)
{
    int failed = write_to_disk(descriptor, bytes, size);
    if (!failed)
        failed = force ? rename(temporary, target) : rename_to_new(temporary, target);
    int reason = errno;
    if (failed)
        unlink(temporary);
    errno = reason;
    return failed;
}

/* Makes the new name last. The file is complete under it by now, so failing to is no reason to fail. */
static void sync_folder(const char *target)
{
    char *folder = folder_of(target);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        fsync(descriptor);
        close(descriptor);
    }
    free(folder);
}

static enum pw_code fail_write(const char *path, int reason, struct pw_error *err)
{
    int full = reason == ENOSPC || reason == EDQUOT;
    return pw_fail(err, PW_IO, "%s: cannot be written: %s: %suse another name", path, strerror(reason),
                   full ? "free some space, or " : "");
}

enum pw_code pw_file_write(const char *path, const void *bytes, size_t size, int force, struct pw_error *err)
{
    char *temporary, *target = force ? follow(path) : pw_strdup(path);
    int descriptor = open_temporary(target, &temporary);
    int failed = descriptor < 0 || fill_and_rename(descriptor, temporary, target, bytes, size, force);
    enum pw_code code = PW_OK;
    if (failed)
        code = errno == EEXIST ? fail_exists(path, err) : fail_write(path, errno, err);
    else
        sync_folder(target);
    free(temporary);
    free(target);
    return code;
}
