#include "common/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/memory.h"

/* The file starts with this; the number tells the version of the format and the machine's byte order. */
struct header {
    char magic[8];
    uint64_t version;
    struct pw_journal_spec spec;
};

/* An entry is this, its bytes, and a checksum of both. */
struct entry {
    int64_t number, size;
};

enum { CHECKSUM = crypto_shorthash_BYTES };

_Static_assert(sizeof(struct header) == 64 && sizeof(struct entry) == 16, "no gaps, whose bytes nobody sets");

struct pw_journal {
    int descriptor;
    char *path;
    struct header header;
};

static const char MAGIC[8] = {'p', 'w', 'j', 'o', 'u', 'r', 'n', '\n'};

static struct header make_header(const struct pw_journal_spec *spec)
{
    struct header header = {.version = 2, .spec = *spec};
    memcpy(header.magic, MAGIC, sizeof MAGIC);
    return header;
}

static void check_sum(const struct pw_journal *journal, const unsigned char *bytes, size_t size,
                      unsigned char checksum[CHECKSUM])
{
    crypto_shorthash(checksum, bytes, size, journal->header.spec.key);
}

/* True if the bytes are those of an entry as it was written, of a piece that belongs here. */
static int is_whole(const struct pw_journal *journal, const unsigned char *bytes, size_t size,
                    const struct entry *entry)
{
    const struct pw_journal_spec *spec = &journal->header.spec;
    unsigned char checksum[CHECKSUM];
    check_sum(journal, bytes, size - CHECKSUM, checksum);
    return memcmp(checksum, bytes + size - CHECKSUM, CHECKSUM) == 0 && entry->number >= 0 &&
           entry->number < spec->n_pieces && entry->number % spec->n_shards == spec->shard;
}

static enum pw_code fail(const struct pw_journal *journal, const char *what, struct pw_error *err)
{
    return pw_fail(err, PW_IO, "%s: %s: %s", journal->path, what, strerror(errno));
}

/* As many of `size` bytes as the file has from here; -1 and errno on failure. */
static ssize_t read_all(int descriptor, void *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(descriptor, (char *)bytes + done, size - done);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return -1;
        done += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)done;
}

static int write_all(int descriptor, const void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t written = write(descriptor, (const char *)bytes + done, size - done);
        if (written < 0 && errno != EINTR)
            return -1;
        done += written > 0 ? (size_t)written : 0;
    }
    return 0;
}

/* Whose journal it is: *is_ours, or *is_empty (also with half a header, which a killed process left). */
static enum pw_code read_header(const struct pw_journal *journal, int *is_empty, int *is_ours,
                                struct pw_error *err)
{
    struct header header;
    ssize_t size = read_all(journal->descriptor, &header, sizeof header);
    if (size < 0)
        return fail(journal, "cannot be read", err);
    size_t common = (size_t)size < sizeof MAGIC ? (size_t)size : sizeof MAGIC;
    if (memcmp(&header, MAGIC, common) != 0)
        return pw_fail(err, PW_IO, "%s: is no journal of peerwatt: use another name", journal->path);
    *is_empty = (size_t)size < sizeof header;
    *is_ours = !*is_empty && memcmp(&header, &journal->header, sizeof header) == 0;
    return PW_OK;
}

/* Who gets the entries that are read. */
struct reader {
    pw_journal_take *take;
    void *context;
};

/* Reads the entry that begins at *at and hands it over; *at is then its end. False if there is none that is
 * whole, or on failure (-1). `left` bytes of the file are left. */
static int read_entry(const struct pw_journal *journal, const struct reader *reader, off_t left, off_t *at)
{
    struct entry entry;
    ssize_t got = read_all(journal->descriptor, &entry, sizeof entry);
    if (got != (ssize_t)sizeof entry)
        return got < 0 ? -1 : 0;
    if (entry.size < 0 || entry.size > left - (off_t)sizeof entry - CHECKSUM)
        return 0;
    size_t size = sizeof entry + (size_t)entry.size + CHECKSUM;
    unsigned char *bytes = pw_alloc(size, 1);
    memcpy(bytes, &entry, sizeof entry);
    got = read_all(journal->descriptor, bytes + sizeof entry, size - sizeof entry);
    int good = got == (ssize_t)(size - sizeof entry) && is_whole(journal, bytes, size, &entry) &&
               reader->take(reader->context, entry.number, bytes + sizeof entry, (size_t)entry.size);
    free(bytes);
    *at += good ? (off_t)size : 0;
    return got < 0 ? -1 : good;
}

/* Takes entries until the end or the first that is not whole; *end is where the good ones end. */
static enum pw_code read_entries(const struct pw_journal *journal, const struct reader *reader, off_t *end,
                                 struct pw_error *err)
{
    off_t size = lseek(journal->descriptor, 0, SEEK_END);
    int more = size < 0 ? -1 : 1;
    *end = sizeof(struct header);
    lseek(journal->descriptor, *end, SEEK_SET);
    while (more > 0)
        more = read_entry(journal, reader, size - *end, end);
    return more < 0 ? fail(journal, "cannot be read", err) : PW_OK;
}

/* Two processes on one journal would do everything twice. Some file systems cannot lock. */
static enum pw_code lock(const struct pw_journal *journal, struct pw_error *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(journal->descriptor, F_SETLK, &whole) == 0 || (errno != EACCES && errno != EAGAIN))
        return PW_OK;
    return pw_fail(err, PW_IO, "%s: another peerwatt is at work on it: wait for it or use another -o",
                   journal->path);
}

static enum pw_code start_anew(struct pw_journal *journal, struct pw_error *err)
{
    if (ftruncate(journal->descriptor, 0) != 0 || lseek(journal->descriptor, 0, SEEK_SET) != 0 ||
        write_all(journal->descriptor, &journal->header, sizeof journal->header) != 0)
        return fail(journal, "cannot be written", err);
    return PW_OK;
}

static enum pw_code fail_other(const struct pw_journal *journal, struct pw_error *err)
{
    return pw_fail(err, PW_IO,
                   "%s: is of another study, case, shard or version of peerwatt: finish that work, or remove "
                   "the file or use --force to start anew",
                   journal->path);
}

static enum pw_code continue_at_end(struct pw_journal *journal, const struct reader *reader,
                                    int64_t *n_dropped, struct pw_error *err)
{
    off_t end, size = lseek(journal->descriptor, 0, SEEK_END);
    PW_TRY(read_entries(journal, reader, &end, err));
    *n_dropped = size - end;
    if (ftruncate(journal->descriptor, end) != 0 || lseek(journal->descriptor, end, SEEK_SET) != end)
        return fail(journal, "cannot be written", err);
    return PW_OK;
}

static enum pw_code take_up(struct pw_journal *journal, int replace, const struct reader *reader,
                            int64_t *n_dropped, struct pw_error *err)
{
    int is_empty, is_ours;
    if (journal->descriptor < 0)
        return fail(journal, "cannot be opened", err);
    PW_TRY(lock(journal, err));
    PW_TRY(read_header(journal, &is_empty, &is_ours, err));
    if (!is_empty && !is_ours && !replace)
        return fail_other(journal, err);
    return is_ours ? continue_at_end(journal, reader, n_dropped, err) : start_anew(journal, err);
}

static struct pw_journal *make(const char *path, const struct pw_journal_spec *spec, int flags)
{
    struct pw_journal *journal = pw_alloc(1, sizeof *journal);
    journal->header = make_header(spec);
    journal->path = pw_strdup(path);
    journal->descriptor = open(path, flags | O_CLOEXEC, 0666);
    return journal;
}

enum pw_code pw_journal_open(const char *path, const struct pw_journal_spec *spec, int replace,
                             pw_journal_take *take, void *context, int64_t *n_dropped,
                             struct pw_journal **out, struct pw_error *err)
{
    struct reader reader = {take, context};
    struct pw_journal *journal = make(path, spec, O_RDWR | O_CREAT);
    *n_dropped = 0;
    enum pw_code code = take_up(journal, replace, &reader, n_dropped, err);
    if (code != PW_OK) {
        pw_journal_close(journal);
        journal = NULL;
    }
    *out = journal;
    return code;
}

enum pw_code pw_journal_add(struct pw_journal *journal, int64_t number, const void *bytes, size_t size,
                            struct pw_error *err)
{
    struct entry entry = {number, (int64_t)size};
    size_t checked = sizeof entry + size;
    unsigned char *whole = pw_alloc(checked + CHECKSUM, 1);
    memcpy(whole, &entry, sizeof entry);
    memcpy(whole + sizeof entry, bytes, size);
    check_sum(journal, whole, checked, whole + checked);
    int failed = write_all(journal->descriptor, whole, checked + CHECKSUM);
    free(whole);
    return failed ? fail(journal, "cannot be written: free some space and start again", err) : PW_OK;
}

enum pw_code pw_journal_sync(struct pw_journal *journal, struct pw_error *err)
{
    if (fsync(journal->descriptor) == 0 || errno == EINVAL || errno == ENOTSUP)
        return PW_OK;
    return fail(journal, "cannot be written", err);
}

void pw_journal_close(struct pw_journal *journal)
{
    if (journal == NULL)
        return;
    if (journal->descriptor >= 0)
        close(journal->descriptor);
    free(journal->path);
    free(journal);
}

enum pw_code pw_journal_read(const char *path, const struct pw_journal_spec *spec, pw_journal_take *take,
                             void *context, struct pw_error *err)
{
    struct reader reader = {take, context};
    struct pw_journal *journal = make(path, spec, O_RDONLY);
    int is_empty = 0, is_ours = 0;
    off_t end;
    enum pw_code code = journal->descriptor < 0 ? fail(journal, "cannot be opened", err)
                                                : read_header(journal, &is_empty, &is_ours, err);
    if (code == PW_OK && !is_ours)
        code = pw_fail(err, PW_IO, "%s: is of another study, case or version of peerwatt", path);
    if (code == PW_OK)
        code = read_entries(journal, &reader, &end, err);
    pw_journal_close(journal);
    return code;
}
