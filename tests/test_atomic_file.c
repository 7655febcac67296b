/* SPDX-License-Identifier: Apache-2.0
 *
 * Atomic files: what stands under the name after success, failure, signals
 * and death, and what never may be replaced.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/atomic_file.h"
#include "tests/own_directory.h"

static const char old_text[] = "the old content";
static const char new_text[] = "the new content, longer";

static void put_file(const char *name, const char *text)
{
    FILE *stream = fopen(name, "w");
    assert_non_null(stream);
    assert_true(fputs(text, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
}

static void assert_content(const char *name, const char *text)
{
    char buffer[256] = {0};
    FILE *stream = fopen(name, "r");
    assert_non_null(stream);
    assert_int_equal(fread(buffer, 1, sizeof buffer - 1, stream), strlen(text));
    fclose(stream);
    assert_string_equal(buffer, text);
}

/* Files in the directory, hidden ones included. */
static int count_files(const char *directory)
{
    int n = 0;
    DIR *stream = opendir(directory);
    assert_non_null(stream);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        n +=
            strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(stream);
    return n;
}

static hanse_atomic_file *open_file(const char *path, mode_t mode)
{
    hanse_error error = {0};
    hanse_atomic_file *file = NULL;
    if (hanse_atomic_file_open(path, mode, &file, &error) != HANSE_OK)
        fail_msg("%s", error.message);
    return file;
}

static void assert_refused(const char *path, const char *reason)
{
    hanse_error error = {0};
    hanse_atomic_file *file = NULL;
    const hanse_status status =
        hanse_atomic_file_open(path, 0600, &file, &error);
    assert_int_equal(status, error.status);
    assert_true(status != HANSE_OK);
    assert_null(file);
    if (strstr(error.message, reason) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", error.message, reason);
}

/* ---- Success ------------------------------------------------------------ */

static void commit_newFile_hasContentAndExactMode(void **state)
{
    (void)state;
    static const mode_t masks[] = {0, 077};
    static const mode_t modes[] = {0600, 0640};
    for (size_t i = 0; i < 4; i++) {
        const mode_t before = umask(masks[i % 2]);
        hanse_atomic_file *file = open_file("new", modes[i / 2]);
        umask(before);
        assert_int_equal(access("new", F_OK), -1);
        assert_int_equal(access(hanse_atomic_file_temporary(file), F_OK), 0);
        assert_int_equal(
            hanse_atomic_file_write(file, new_text, strlen(new_text), NULL),
            HANSE_OK);
        assert_int_equal(hanse_atomic_file_commit(file, NULL), HANSE_OK);
        hanse_atomic_file_close(file);
        struct stat status;
        assert_int_equal(stat("new", &status), 0);
        assert_int_equal(status.st_mode & 07777, modes[i / 2]);
        assert_content("new", new_text);
        assert_int_equal(count_files("."), 1);
        assert_int_equal(unlink("new"), 0);
    }
}

static void close_withoutCommit_leavesOldFile(void **state)
{
    (void)state;
    put_file("out", old_text);
    hanse_atomic_file *file = open_file("out", 0600);
    assert_int_equal(hanse_atomic_file_write(file, new_text, 3, NULL),
                     HANSE_OK);
    assert_content("out", old_text);
    assert_int_equal(count_files("."), 2);
    hanse_atomic_file_close(file);
    assert_content("out", old_text);
    assert_int_equal(count_files("."), 1);
}

static void commit_longestName_works(void **state)
{
    (void)state;
    char name[NAME_MAX + 1];
    memset(name, 'n', NAME_MAX);
    name[NAME_MAX] = '\0';
    hanse_atomic_file *file = open_file(name, 0600);
    assert_int_equal(hanse_atomic_file_commit(file, NULL), HANSE_OK);
    hanse_atomic_file_close(file);
    assert_int_equal(access(name, F_OK), 0);
    assert_int_equal(count_files("."), 1);
}

static void commit_ontoLink_replacesLinkNotTarget(void **state)
{
    (void)state;
    put_file("target", old_text);
    assert_int_equal(symlink("target", "link"), 0);
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    static const char *const names[] = {"link", "dangling"};
    for (size_t i = 0; i < 2; i++) {
        hanse_atomic_file *file = open_file(names[i], 0600);
        assert_int_equal(
            hanse_atomic_file_write(file, new_text, strlen(new_text), NULL),
            HANSE_OK);
        assert_int_equal(hanse_atomic_file_commit(file, NULL), HANSE_OK);
        hanse_atomic_file_close(file);
        struct stat status;
        assert_int_equal(lstat(names[i], &status), 0);
        assert_true(S_ISREG(status.st_mode));
        assert_content(names[i], new_text);
    }
    assert_content("target", old_text);
    assert_int_equal(access("nowhere", F_OK), -1);
}

static void commit_directorySwapped_staysInTheOpenedOne(void **state)
{
    (void)state;
    assert_int_equal(mkdir("d", 0700), 0);
    hanse_atomic_file *file = open_file("d/out", 0600);
    assert_int_equal(rename("d", "moved"), 0);
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(hanse_atomic_file_commit(file, NULL), HANSE_OK);
    hanse_atomic_file_close(file);
    assert_int_equal(count_files("d"), 0);
    assert_int_equal(access("moved/out", F_OK), 0);
}

/* ---- Refusals ----------------------------------------------------------- */

static void open_noDirectory_saysCreateIt(void **state)
{
    (void)state;
    assert_refused("missing/out", "create the directory");
    put_file("plain", old_text);
    assert_refused("plain/out", "Not a directory");
    assert_refused("", "no name");
}

static void open_notARegularFile_isRefused(void **state)
{
    (void)state;
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(symlink("d", "to_directory"), 0);
    assert_int_equal(symlink("/proc/self/fd/1", "to_stdout"), 0);
    assert_refused("d", "directory");
    assert_refused("d/", "directory");
    assert_refused(".", "directory");
    assert_refused("to_directory", "directory");
    assert_refused("pipe", "pipe");
    assert_refused("/dev/null", "device");
    assert_refused("/dev/full", "device");
    assert_refused("to_stdout", "descriptor");
    struct stat status;
    assert_int_equal(lstat("to_stdout", &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(stat("/dev/null", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
}

/* Runs `act` in a child and returns its wait status. */
static int in_child(void (*act)(void))
{
    int status = 0;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        act();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void expect_denied(void)
{
    hanse_error error = {0};
    hanse_atomic_file *file = NULL;
    /* The superuser may write anywhere; nobody may not. */
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
        _exit(1);
    const hanse_status status =
        hanse_atomic_file_open("locked/out", 0600, &file, &error);
    _exit(status == HANSE_ERR_IO &&
                  strstr(error.message, "may write to") != NULL
              ? 7
              : 1);
}

static void open_unwritableDirectory_saysSo(void **state)
{
    assert_int_equal(mkdir("locked", 0700), 0);
    put_file("locked/out", old_text);
    assert_int_equal(chmod("locked", 0555), 0);
    assert_int_equal(chmod(*state, 0755), 0);
    const int status = in_child(expect_denied);
    assert_int_equal(chmod("locked", 0700), 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_content("locked/out", old_text);
}

/* ---- Failing writes ----------------------------------------------------- */

enum {
    LIMIT_BYTES = 65536
};

static void write_beyond_limit(void)
{
    static char data[3 * LIMIT_BYTES];
    const struct rlimit limit = {LIMIT_BYTES, LIMIT_BYTES};
    hanse_error error = {0};
    hanse_atomic_file *file = NULL;
    hanse_atomic_file_install_signal_handlers();
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
        hanse_atomic_file_open("out", 0600, &file, &error) != HANSE_OK)
        _exit(1);
    /* A short write first, then EFBIG. */
    const hanse_status status =
        hanse_atomic_file_write(file, data, sizeof data, &error);
    hanse_atomic_file_close(file);
    _exit(status == HANSE_ERR_IO && strstr(error.message, "ulimit") != NULL
              ? 7
              : 2);
}

static void write_beyondFileSizeLimit_failsAndLeavesOldFile(void **state)
{
    (void)state;
    put_file("out", old_text);
    const int status = in_child(write_beyond_limit);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_content("out", old_text);
    assert_int_equal(count_files("."), 1);
}

/* ---- Signals ------------------------------------------------------------ */

static int signal_under_test;

static void open_and_die(void)
{
    hanse_atomic_file *file = NULL;
    hanse_atomic_file *second = NULL;
    hanse_atomic_file_install_signal_handlers();
    if (hanse_atomic_file_open("out", 0600, &file, NULL) != HANSE_OK ||
        hanse_atomic_file_open("other", 0600, &second, NULL) != HANSE_OK ||
        hanse_atomic_file_write(file, new_text, 5, NULL) != HANSE_OK)
        _exit(1);
    raise(signal_under_test);
    _exit(2);
}

static void signal_whileWriting_removesTemporariesAndKills(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    put_file("out", old_text);
    for (size_t i = 0; i < 3; i++) {
        signal_under_test = signals[i];
        const int status = in_child(open_and_die);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), signals[i]);
        assert_content("out", old_text);
        assert_int_equal(count_files("."), 1);
    }
}

static void ignore_then_hang_up(void)
{
    signal(SIGHUP, SIG_IGN);
    hanse_atomic_file_install_signal_handlers();
    raise(SIGHUP);
    _exit(7);
}

static void install_signalIgnored_staysIgnored(void **state)
{
    (void)state;
    const int status = in_child(ignore_then_hang_up);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
}

static void install_and_terminate(void)
{
    hanse_atomic_file_install_signal_handlers();
    raise(SIGTERM);
}

static void signal_inForkedChild_leavesParentsTemporary(void **state)
{
    (void)state;
    hanse_atomic_file *file = open_file("out", 0600);
    const int status = in_child(install_and_terminate);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(access(hanse_atomic_file_temporary(file), F_OK), 0);
    assert_int_equal(hanse_atomic_file_commit(file, NULL), HANSE_OK);
    hanse_atomic_file_close(file);
    assert_int_equal(count_files("."), 1);
}

int main(void)
{
#define WITH_DIRECTORY(test)                                   \
    cmocka_unit_test_setup_teardown(test, enter_own_directory, \
                                    leave_own_directory)
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(commit_newFile_hasContentAndExactMode),
        WITH_DIRECTORY(close_withoutCommit_leavesOldFile),
        WITH_DIRECTORY(commit_longestName_works),
        WITH_DIRECTORY(commit_ontoLink_replacesLinkNotTarget),
        WITH_DIRECTORY(commit_directorySwapped_staysInTheOpenedOne),
        WITH_DIRECTORY(open_noDirectory_saysCreateIt),
        WITH_DIRECTORY(open_notARegularFile_isRefused),
        WITH_DIRECTORY(open_unwritableDirectory_saysSo),
        WITH_DIRECTORY(write_beyondFileSizeLimit_failsAndLeavesOldFile),
        WITH_DIRECTORY(signal_whileWriting_removesTemporariesAndKills),
        WITH_DIRECTORY(install_signalIgnored_staysIgnored),
        WITH_DIRECTORY(signal_inForkedChild_leavesParentsTemporary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
