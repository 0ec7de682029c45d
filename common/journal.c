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

struct entry {
    struct pw_sweep_record record;
    unsigned char checksum[crypto_shorthash_BYTES];
};

_Static_assert(sizeof(struct header) == 64 && sizeof(struct entry) == sizeof(struct pw_sweep_record) + 8,
               "no gaps, whose bytes nobody sets");

struct pw_journal {
    int descriptor;
    char *path;
    struct header header;
};

static const char MAGIC[8] = {'p', 'w', 's', 'w', 'e', 'e', 'p', '\n'};

static struct header make_header(const struct pw_journal_spec *spec)
{
    struct header header = {.version = 1, .spec = *spec};
    memcpy(header.magic, MAGIC, sizeof MAGIC);
    return header;
}

static void check_sum(const struct pw_journal *journal, const struct pw_sweep_record *record,
                      unsigned char checksum[crypto_shorthash_BYTES])
{
    crypto_shorthash(checksum, (const unsigned char *)record, sizeof *record, journal->header.spec.key);
}

/* True if the entry is what was written, of a run that belongs here. */
static int is_whole(const struct pw_journal *journal, const struct entry *entry)
{
    const struct pw_journal_spec *spec = &journal->header.spec;
    unsigned char checksum[crypto_shorthash_BYTES];
    check_sum(journal, &entry->record, checksum);
    return memcmp(checksum, entry->checksum, sizeof checksum) == 0 && entry->record.run >= 0 &&
           entry->record.run < spec->n_runs && entry->record.run % spec->n_shards == spec->shard;
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
        return pw_fail(err, PW_IO, "%s: is no journal of a sweep: use another -o", journal->path);
    *is_empty = (size_t)size < sizeof header;
    *is_ours = !*is_empty && memcmp(&header, &journal->header, sizeof header) == 0;
    return PW_OK;
}

/* Takes records until the end or the first that is not whole; *end is where the good ones end. */
static enum pw_code read_entries(const struct pw_journal *journal, struct pw_sweep_record *records,
                                 unsigned char *is_done, off_t *end, struct pw_error *err)
{
    struct entry entry;
    ssize_t size;
    *end = sizeof(struct header);
    while ((size = read_all(journal->descriptor, &entry, sizeof entry)) == (ssize_t)sizeof entry) {
        if (!is_whole(journal, &entry))
            return PW_OK;
        records[entry.record.run] = entry.record;
        is_done[entry.record.run] = 1;
        *end += (off_t)sizeof entry;
    }
    return size < 0 ? fail(journal, "cannot be read", err) : PW_OK;
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
    return pw_fail(
        err, PW_IO,
        "%s: is of another study, case, shard or version of peerwatt: finish that sweep, or remove "
        "the file or use --force to start anew",
        journal->path);
}

static enum pw_code continue_at_end(struct pw_journal *journal, struct pw_sweep_record *records,
                                    unsigned char *is_done, int64_t *n_dropped, struct pw_error *err)
{
    off_t end, size = lseek(journal->descriptor, 0, SEEK_END);
    lseek(journal->descriptor, sizeof(struct header), SEEK_SET);
    PW_TRY(read_entries(journal, records, is_done, &end, err));
    *n_dropped = size - end;
    if (ftruncate(journal->descriptor, end) != 0 || lseek(journal->descriptor, end, SEEK_SET) != end)
        return fail(journal, "cannot be written", err);
    return PW_OK;
}

static enum pw_code take_up(struct pw_journal *journal, int replace, struct pw_sweep_record *records,
                            unsigned char *is_done, int64_t *n_dropped, struct pw_error *err)
{
    int is_empty, is_ours;
    if (journal->descriptor < 0)
        return fail(journal, "cannot be opened", err);
    PW_TRY(lock(journal, err));
    PW_TRY(read_header(journal, &is_empty, &is_ours, err));
    if (!is_empty && !is_ours && !replace)
        return fail_other(journal, err);
    return is_ours ? continue_at_end(journal, records, is_done, n_dropped, err) : start_anew(journal, err);
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
                             struct pw_sweep_record *records, unsigned char *is_done, int64_t *n_dropped,
                             struct pw_journal **out, struct pw_error *err)
{
    struct pw_journal *journal = make(path, spec, O_RDWR | O_CREAT);
    *n_dropped = 0;
    enum pw_code code = take_up(journal, replace, records, is_done, n_dropped, err);
    if (code != PW_OK) {
        pw_journal_close(journal);
        journal = NULL;
    }
    *out = journal;
    return code;
}

enum pw_code pw_journal_add(struct pw_journal *journal, const struct pw_sweep_record *record,
                            struct pw_error *err)
{
    struct entry entry = {.record = *record};
    check_sum(journal, &entry.record, entry.checksum);
    return write_all(journal->descriptor, &entry, sizeof entry) == 0
               ? PW_OK
               : fail(journal, "cannot be written: free some space and start again", err);
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

enum pw_code pw_journal_read(const char *path, const struct pw_journal_spec *spec,
                             struct pw_sweep_record *records, unsigned char *is_done, struct pw_error *err)
{
    struct pw_journal *journal = make(path, spec, O_RDONLY);
    int is_empty = 0, is_ours = 0;
    off_t end;
    enum pw_code code = journal->descriptor < 0 ? fail(journal, "cannot be opened", err)
                                                : read_header(journal, &is_empty, &is_ours, err);
    if (code == PW_OK && !is_ours)
        code = pw_fail(err, PW_IO, "%s: is of another study, case or version of peerwatt", path);
    if (code == PW_OK)
        code = read_entries(journal, records, is_done, &end, err);
    pw_journal_close(journal);
    return code;
}
