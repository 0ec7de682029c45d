/* The journal of a sweep: what a kill, a full disk or a stray byte leaves of it. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/journal.h"
#include "common/sweep_record.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suites.h"

enum { RUNS = 10, HEADER = 64, ENTRY = 16 + sizeof(struct pw_sweep_record) + 8 };

struct book {
    struct scratch scratch;
    char path[400];
    struct pw_journal_spec spec;
    struct pw_sweep_record records[RUNS];
    unsigned char is_done[RUNS];
    int64_t n_dropped;
    struct pw_journal *journal;
    struct pw_error err;
};

static void open_book(struct book *book)
{
    memset(book, 0, sizeof *book);
    book->scratch = scratch_open();
    strcpy(book->path, scratch_path(&book->scratch, "j"));
    book->spec = (struct pw_journal_spec){.key = {1, 2, 3}, .n_pieces = RUNS, .n_shards = 1};
}

static int take(void *context, int64_t number, const unsigned char *bytes, size_t size)
{
    struct book *book = context;
    if (size != sizeof *book->records)
        return 0;
    memcpy(&book->records[number], bytes, size);
    book->is_done[number] = 1;
    return 1;
}

static enum pw_code take_up(struct book *book, int replace)
{
    memset(book->is_done, 0, RUNS);
    return pw_journal_open(book->path, &book->spec, replace, take, book, &book->n_dropped, &book->journal,
                           &book->err);
}

static void leave(struct book *book)
{
    pw_journal_close(book->journal);
    book->journal = NULL;
}

static void write_runs(struct book *book, int first, int end)
{
    ck_assert_int_eq(take_up(book, 0), PW_OK);
    for (int i = first; i < end; i++) {
        struct pw_sweep_record record = {.run = i, .messages = 100 + i, .iterations = 0.5 * i};
        ck_assert_int_eq(pw_journal_add(book->journal, i, &record, sizeof record, &book->err), PW_OK);
    }
    ck_assert_int_eq(pw_journal_sync(book->journal, &book->err), PW_OK);
    leave(book);
}

static int count_done(const struct book *book)
{
    int count = 0;
    for (int i = 0; i < RUNS; i++)
        count += book->is_done[i];
    return count;
}

static void change_byte(const char *path, off_t at)
{
    unsigned char byte;
    int file = open(path, O_RDWR);
    ck_assert_int_eq(pread(file, &byte, 1, at), 1);
    byte ^= 1;
    ck_assert_int_eq(pwrite(file, &byte, 1, at), 1);
    close(file);
}

static off_t size_of(const char *path)
{
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    return status.st_size;
}

START_TEST(it_goes_on_where_it_stopped)
{
    struct book book;
    open_book(&book);
    write_runs(&book, 0, 3);
    write_runs(&book, 3, 5);
    ck_assert_int_eq(take_up(&book, 0), PW_OK);
    ck_assert_int_eq(count_done(&book), 5);
    ck_assert_int_eq(book.records[4].messages, 104);
    ck_assert_int_eq(book.n_dropped, 0);
    leave(&book);
    scratch_close(&book.scratch);
}
END_TEST

START_TEST(any_truncation_loses_whole_records_only)
{
    for (int cut = 1; cut < 2 * ENTRY + HEADER; cut += 13) {
        struct book book;
        open_book(&book);
        write_runs(&book, 0, 2);
        off_t left = size_of(book.path) - cut;
        ck_assert_int_eq(truncate(book.path, left), 0);
        int expected = left < HEADER ? 0 : (int)((left - HEADER) / ENTRY);
        ck_assert_int_eq(take_up(&book, 0), PW_OK);
        ck_assert_int_eq(count_done(&book), expected);
        leave(&book);
        write_runs(&book, expected, RUNS);
        ck_assert_int_eq(pw_journal_read(book.path, &book.spec, take, &book, &book.err), PW_OK);
        ck_assert_int_eq(count_done(&book), RUNS);
        scratch_close(&book.scratch);
    }
}
END_TEST

START_TEST(a_changed_byte_is_noticed)
{
    for (int at = 0; at < ENTRY; at += 5) {
        struct book book;
        open_book(&book);
        write_runs(&book, 0, 4);
        change_byte(book.path, HEADER + 2 * ENTRY + at);
        ck_assert_int_eq(take_up(&book, 0), PW_OK);
        ck_assert_int_eq(count_done(&book), 2);
        ck_assert_int_eq(book.n_dropped, 2 * ENTRY);
        leave(&book);
        ck_assert_int_eq(size_of(book.path), HEADER + 2 * ENTRY);
        scratch_close(&book.scratch);
    }
}
END_TEST

START_TEST(that_of_another_sweep_is_refused_and_stays)
{
    struct book book;
    open_book(&book);
    write_runs(&book, 0, 4);
    off_t size = size_of(book.path);
    book.spec.key[31] = 1;
    ck_assert_int_eq(take_up(&book, 0), PW_IO);
    ck_assert_ptr_null(book.journal);
    ck_assert_ptr_nonnull(strstr(book.err.text, "another study"));
    ck_assert_int_eq(pw_journal_read(book.path, &book.spec, take, &book, &book.err), PW_IO);
    ck_assert_int_eq(size_of(book.path), size);
    ck_assert_int_eq(take_up(&book, 1), PW_OK);
    ck_assert_int_eq(count_done(&book), 0);
    leave(&book);
    scratch_close(&book.scratch);
}
END_TEST

START_TEST(a_shard_takes_its_own_runs_only)
{
    struct book book;
    open_book(&book);
    book.spec.n_shards = 3;
    write_runs(&book, 0, 1); /* run 0 is shard 0's */
    write_runs(&book, 1, 2); /* run 1 is not */
    ck_assert_int_eq(take_up(&book, 0), PW_OK);
    ck_assert_int_eq(count_done(&book), 1);
    leave(&book);
    scratch_close(&book.scratch);
}
END_TEST

START_TEST(a_file_of_something_else_is_left_alone)
{
    struct book book;
    open_book(&book);
    scratch_write(&book.scratch, "j", "precious");
    ck_assert_int_eq(take_up(&book, 1), PW_IO);
    ck_assert_ptr_nonnull(strstr(book.err.text, "no journal"));
    ck_assert_int_eq(size_of(book.path), 8);
    strcpy(book.path, "/nowhere/at/all");
    ck_assert_int_eq(take_up(&book, 0), PW_IO);
    ck_assert_int_eq(pw_journal_read(book.path, &book.spec, take, &book, &book.err), PW_IO);
    scratch_close(&book.scratch);
}
END_TEST

START_TEST(two_processes_do_not_share_it)
{
    struct book book;
    int status;
    open_book(&book);
    ck_assert_int_eq(take_up(&book, 0), PW_OK);
    pid_t child = fork();
    if (child == 0) {
        struct pw_journal *mine = book.journal;
        int is_refused = take_up(&book, 0) == PW_IO && strstr(book.err.text, "another peerwatt") != NULL;
        pw_journal_close(mine);
        _exit(is_refused ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    leave(&book);
    scratch_close(&book.scratch);
}
END_TEST

Suite *journal_suite(void)
{
    Suite *suite = suite_create("journal");
    TCase *tests = tcase_create("journal");
    tcase_add_test(tests, it_goes_on_where_it_stopped);
    tcase_add_test(tests, any_truncation_loses_whole_records_only);
    tcase_add_test(tests, a_changed_byte_is_noticed);
    tcase_add_test(tests, that_of_another_sweep_is_refused_and_stays);
    tcase_add_test(tests, a_shard_takes_its_own_runs_only);
    tcase_add_test(tests, a_file_of_something_else_is_left_alone);
    tcase_add_test(tests, two_processes_do_not_share_it);
    suite_add_tcase(suite, tests);
    return suite;
}
