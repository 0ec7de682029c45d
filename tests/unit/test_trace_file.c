/* The trace as a file: whole or not at all, never over another one unasked, the same bytes each time. */
#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file_write.h"
#include "common/memory.h"
#include "tests/unit/trace_scene.h"

/* The bytes of a file, for free(). */
static char *slurp(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = pw_alloc(*size, 1);
    ck_assert_uint_eq(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

static void spill(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void check_content(const char *path, const char *expected)
{
    size_t size;
    char *bytes = slurp(path, &size);
    ck_assert_uint_eq(size, strlen(expected));
    ck_assert(memcmp(bytes, expected, size) == 0);
    free(bytes);
}

/* Leaves other bytes where the next allocation takes its memory from. */
static void stir_memory(void)
{
    enum { BLOCKS = 64 };
    void *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(1000 * (i + 1));
        memset(blocks[i], 0xA5, 1000 * (i + 1));
    }
    for (size_t i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

START_TEST(the_same_run_gives_the_same_bytes)
{
    struct test_scene scene;
    char second[512];
    size_t size_a, size_b;
    test_scene_open(&scene, 9000, 8999, 2);
    test_scene_add_course(&scene, 20001, 30001);
    snprintf(second, sizeof second, "%s/again", scene.scratch.folder);
    test_scene_write(&scene, scene.path, 0);
    stir_memory();
    test_scene_write(&scene, second, 0);
    char *a = slurp(scene.path, &size_a), *b = slurp(second, &size_b);
    ck_assert_uint_eq(size_a, size_b);
    ck_assert(memcmp(a, b, size_a) == 0);
    free(a);
    free(b);
    test_scene_close(&scene);
}
END_TEST

static void check_refused(const struct test_scene *scene, const char *path, int force, const char *reason)
{
    struct pw_error err = {PW_OK, ""};
    ck_assert_int_eq(pw_trace_write(&scene->trace, path, force, &err), PW_IO);
    ck_assert_int_eq(err.code, PW_IO);
    ck_assert_msg(strstr(err.text, path) != NULL && strstr(err.text, reason) != NULL, "%s", err.text);
}

static void check_refused_early(const struct test_scene *scene, const char *path, int force,
                                const char *reason)
{
    struct pw_error err = {PW_OK, ""};
    ck_assert_int_eq(pw_trace_check_path(path, force, &err), PW_IO);
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
    check_refused(scene, path, force, reason);
}

START_TEST(an_existing_file_needs_force)
{
    struct test_scene scene;
    struct pw_error err;
    test_scene_open(&scene, 4, 3, 1);
    ck_assert_int_eq(pw_trace_check_path(scene.path, 0, &err), PW_OK);
    ck_assert_int_eq(test_count_files(scene.scratch.folder), 0);
    spill(scene.path, "precious");
    check_refused_early(&scene, scene.path, 0, "exists already: use --force to replace it, or another name");
    check_content(scene.path, "precious");
    ck_assert_int_eq(pw_trace_check_path(scene.path, 1, &err), PW_OK);
    test_scene_write(&scene, scene.path, 1);
    ck_assert_int_gt(test_trace_inspect(scene.path), 0);
    ck_assert_int_eq(test_count_files(scene.scratch.folder), 1);
    test_scene_close(&scene);
}
END_TEST

START_TEST(paths_that_cannot_be_files)
{
    struct test_scene scene;
    char path[512];
    test_scene_open(&scene, 4, 3, 1);
    snprintf(path, sizeof path, "%s/nowhere/run.h5", scene.scratch.folder);
    check_refused_early(&scene, path, 0, "No such file or directory");
    snprintf(path, sizeof path, "%s/", scene.scratch.folder);
    check_refused_early(&scene, path, 0, "names no file");
    check_refused_early(&scene, scene.scratch.folder, 1, "is a folder");
    check_refused_early(&scene, "/dev/null", 1, "not a regular file");
    check_refused_early(&scene, "/dev/null/run.h5", 0, "is no folder");
    check_refused_early(&scene, "", 0, "names no file");
    snprintf(path, sizeof path, "%s/%0300d", scene.scratch.folder, 1);
    check_refused(&scene, path, 0, "File name too long");
    ck_assert_int_eq(test_count_files(scene.scratch.folder), 0);
    test_scene_close(&scene);
}
END_TEST

START_TEST(a_folder_without_permission)
{
    struct test_scene scene;
    test_scene_open(&scene, 4, 3, 1);
    ck_assert_int_eq(chmod(scene.scratch.folder, 0500), 0);
    if (access(scene.scratch.folder, W_OK) != 0) /* root may write anywhere */
        check_refused_early(&scene, scene.path, 0, "Permission denied");
    ck_assert_int_eq(chmod(scene.scratch.folder, 0700), 0);
    ck_assert_int_eq(test_count_files(scene.scratch.folder), 0);
    test_scene_close(&scene);
}
END_TEST

START_TEST(a_failed_write_leaves_nothing)
{
    const struct rlimit small = {4096, RLIM_INFINITY};
    struct rlimit before;
    struct test_scene scene;
    test_scene_open(&scene, 4, 3, 1);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    check_refused(&scene, scene.path, 0, "File too large");
    ck_assert_int_eq(test_count_files(scene.scratch.folder), 0);
    spill(scene.path, "precious");
    check_refused(&scene, scene.path, 1, "File too large");
    ck_assert_int_eq(test_count_files(scene.scratch.folder), 1);
    check_content(scene.path, "precious");
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    test_scene_write(&scene, scene.path, 1);
    ck_assert_int_gt(test_trace_inspect(scene.path), 0);
    test_scene_close(&scene);
}
END_TEST

START_TEST(a_contradiction_in_the_data_leaves_nothing)
{
    struct test_scene scene;
    test_scene_open(&scene, 4, 3, 1);
    scene.provenance[1].name = scene.provenance[0].name;
    check_refused(&scene, scene.path, 0, "/provenance case");
    ck_assert_int_eq(test_count_files(scene.scratch.folder), 0);
    test_scene_close(&scene);
}
END_TEST

/* Writes in a process that is killed half-way. Returns its number. */
static pid_t be_killed_while_writing(const struct test_scene *scene)
{
    const struct rlimit small = {4096, 4096}, none = {0, 0};
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct pw_error err;
        signal(SIGXFSZ, SIG_DFL);
        setrlimit(RLIMIT_CORE, &none);
        setrlimit(RLIMIT_FSIZE, &small);
        pw_trace_write(&scene->trace, scene->path, 0, &err);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
    return child;
}

/* Renames the file that the child left in the folder to what we would have left: our number for the child's.
 */
static void take_over(const char *folder, pid_t child, char *path, size_t size)
{
    char old[512], number[32];
    const char *at = NULL;
    struct dirent *entry;
    DIR *stream = opendir(folder);
    snprintf(number, sizeof number, "%ld", (long)child);
    while (at == NULL && (entry = readdir(stream)) != NULL)
        at = strstr(entry->d_name, number);
    ck_assert_ptr_nonnull(at);
    snprintf(old, sizeof old, "%s/%s", folder, entry->d_name);
    snprintf(path, size, "%s/%.*s%ld%s", folder, (int)(at - entry->d_name), entry->d_name, (long)getpid(),
             at + strlen(number));
    closedir(stream);
    ck_assert_int_eq(rename(old, path), 0);
}

START_TEST(the_rest_of_a_killed_run_is_no_obstacle)
{
    struct test_scene scene;
    struct stat status;
    char left[512];
    test_scene_open(&scene, 4, 3, 1);
    pid_t child = be_killed_while_writing(&scene);
    ck_assert_int_ne(access(scene.path, F_OK), 0);
    ck_assert_int_eq(test_count_files(scene.scratch.folder), 1);
    take_over(scene.scratch.folder, child, left, sizeof left);
    test_scene_write(&scene, scene.path, 0);
    ck_assert_int_gt(test_trace_inspect(scene.path), 0);
    ck_assert_int_eq(stat(left, &status), 0);
    ck_assert_int_eq(status.st_size, 4096);
    ck_assert_int_eq(test_count_files(scene.scratch.folder), 2);
    test_scene_close(&scene);
}
END_TEST

START_TEST(a_file_that_appears_meanwhile_stays)
{
    struct test_scene scene;
    struct pw_error err = {PW_OK, ""};
    test_scene_open(&scene, 1, 0, 1);
    spill(scene.path, "precious");
    ck_assert_int_eq(pw_file_write(scene.path, "new", 3, 0, &err), PW_IO);
    ck_assert_msg(strstr(err.text, "exists already: use --force") != NULL, "%s", err.text);
    check_content(scene.path, "precious");
    ck_assert_int_eq(test_count_files(scene.scratch.folder), 1);
    test_scene_close(&scene);
}
END_TEST

START_TEST(a_link_is_followed_when_forced)
{
    struct test_scene scene;
    struct stat status;
    char target[256];
    test_scene_open(&scene, 4, 3, 1);
    snprintf(target, sizeof target, "%s/target.h5", scene.scratch.folder);
    spill(target, "old");
    ck_assert_int_eq(symlink("target.h5", scene.path), 0);
    check_refused_early(&scene, scene.path, 0, "exists already");
    check_content(target, "old");
    test_scene_write(&scene, scene.path, 1);
    ck_assert_int_eq(lstat(scene.path, &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
    ck_assert_int_gt(test_trace_inspect(target), 0);
    ck_assert_int_eq(test_count_files(scene.scratch.folder), 2);
    test_scene_close(&scene);
}
END_TEST

START_TEST(a_name_of_the_greatest_length)
{
    struct test_scene scene;
    char path[512];
    test_scene_open(&scene, 4, 3, 1);
    snprintf(path, sizeof path, "%s/%0255d", scene.scratch.folder, 1);
    test_scene_write(&scene, path, 0);
    ck_assert_int_gt(test_trace_inspect(path), 0);
    test_scene_close(&scene);
}
END_TEST

TCase *test_trace_file_cases(void)
{
    TCase *tests = tcase_create("file");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_same_run_gives_the_same_bytes);
    tcase_add_test(tests, an_existing_file_needs_force);
    tcase_add_test(tests, paths_that_cannot_be_files);
    tcase_add_test(tests, a_folder_without_permission);
    tcase_add_test(tests, a_failed_write_leaves_nothing);
    tcase_add_test(tests, a_contradiction_in_the_data_leaves_nothing);
    tcase_add_test(tests, the_rest_of_a_killed_run_is_no_obstacle);
    tcase_add_test(tests, a_file_that_appears_meanwhile_stays);
    tcase_add_test(tests, a_link_is_followed_when_forced);
    tcase_add_test(tests, a_name_of_the_greatest_length);
    return tests;
}
