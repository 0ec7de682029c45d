/* Whether a process may read another's memory: as another way to read it says, and no where the call is
 * forbidden. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include "coordinator/peer_memory.h"
#include "tests/unit/suites.h"

#ifdef __linux__

/* By the file that stands for a child's memory, under the same rules. */
static int file_is_readable(void)
{
    static const int sample = 1;
    char path[64];
    int copy = 0, ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) != 0);
    }
    snprintf(path, sizeof path, "/proc/%ld/mem", (long)child);
    int file = open(path, O_RDONLY);
    ssize_t size = file < 0 ? -1 : pread(file, &copy, sizeof copy, (off_t)(size_t)&sample);
    if (file >= 0)
        close(file);
    close(ends[0]);
    close(ends[1]);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    return size == (ssize_t)sizeof copy && copy == sample;
}

START_TEST(it_is_as_the_system_has_it)
{
    ck_assert_int_eq(pw_peer_memory_is_readable(), file_is_readable());
}
END_TEST

/* For this process and its children the call fails from now on, as containers make it. */
static int forbid_reading(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

START_TEST(where_it_is_forbidden_the_answer_is_no)
{
    enum { NO, YES, CANNOT_FORBID };
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(!forbid_reading() ? CANNOT_FORBID : pw_peer_memory_is_readable() ? YES : NO);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    if (WEXITSTATUS(status) != CANNOT_FORBID)
        ck_assert_int_eq(WEXITSTATUS(status), NO);
}
END_TEST

#else

START_TEST(unknown_systems_say_no)
{
    ck_assert_int_eq(pw_peer_memory_is_readable(), 0);
}
END_TEST

#endif

Suite *peer_memory_suite(void)
{
    Suite *suite = suite_create("peer_memory");
    TCase *tcase = tcase_create("peer_memory");
#ifdef __linux__
    tcase_add_test(tcase, it_is_as_the_system_has_it);
    tcase_add_test(tcase, where_it_is_forbidden_the_answer_is_no);
#else
    tcase_add_test(tcase, unknown_systems_say_no);
#endif
    suite_add_tcase(suite, tcase);
    return suite;
}
