/* SPDX-License-Identifier: Apache-2.0
 *
 * What a confined process can still do and what ends it. Every probe runs in
 * a process of its own, which tells the outcome by its exit status or by the
 * signal that it dies of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/confine.h"

enum {
    WORKED = 40,
    FAILED,
    NOT_CONFINED,
    SOMETHING_ELSE
};

static const hanse_confine_limits limits = {.memory_bytes = 1 << 30,
                                            .cpu_seconds = 5};

/* Confines a new process and lets it try; returns its exit status, or minus
 * the signal that killed it. */
static int confined(int (*probe)(void))
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        hanse_confinement level;
        if (hanse_confine(&limits, &level, NULL) != HANSE_OK || !level.seccomp)
            _exit(NOT_CONFINED);
        _exit(probe());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- What stays allowed ------------------------------------------------- */

static int memory_file;
static int ends[2]; /* of a pipe */

static int use_descriptors_and_memory(void)
{
    static char bytes[4096];
    char *memory = malloc(64 << 20);
    if (memory == NULL)
        return FAILED;
    memset(memory, 1, 64 << 20);
    free(memory);
    void *mapped =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory_file, 0);
    if (mapped == MAP_FAILED)
        return FAILED;
    memcpy(mapped, "mapped", 7);
    if (pread(memory_file, bytes, 7, 0) != 7 || strcmp(bytes, "mapped") != 0)
        return FAILED;
    if (write(ends[1], "done", 5) != 5 || read(ends[0], bytes, 5) != 5)
        return FAILED;
    return strcmp(bytes, "done") == 0 ? WORKED : FAILED;
}

static void confined_descriptors_and_memory_work(void **state)
{
    (void)state;
    memory_file = memfd_create("test", 0);
    assert_true(memory_file >= 0 && ftruncate(memory_file, 4096) == 0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(confined(use_descriptors_and_memory), WORKED);
    close(memory_file);
    close(ends[0]);
    close(ends[1]);
}

/* ---- What fails --------------------------------------------------------- */

static int open_file(void)
{
    const int descriptor = open("/etc/passwd", O_RDONLY);
    return descriptor >= 0 ? WORKED : errno == EACCES ? FAILED : SOMETHING_ELSE;
}

static int stat_file(void)
{
    struct stat facts;
    return stat("/etc/passwd", &facts) == 0 ? WORKED
           : errno == EACCES                ? FAILED
                                            : SOMETHING_ELSE;
}

static int create_file(void)
{
    const int descriptor =
        open("/tmp/hanse-test-confine", O_CREAT | O_RDWR, 0600);
    return descriptor >= 0 ? WORKED : errno == EACCES ? FAILED : SOMETHING_ELSE;
}

static int raise_limit(void)
{
    const struct rlimit limit = {1000, RLIM_INFINITY};
    return setrlimit(RLIMIT_CPU, &limit) == 0 ? WORKED : FAILED;
}

static int allocate_too_much(void)
{
    /* In pieces, and touched: the limit is on the sum. */
    static char *volatile pieces[20];
    for (int i = 0; i < 20; i++) {
        pieces[i] = malloc(64 << 20);
        if (pieces[i] == NULL)
            return i >= 10 ? FAILED : SOMETHING_ELSE;
        pieces[i][0] = 1;
    }
    return WORKED;
}

static void confined_files_are_refused(void **state)
{
    (void)state;
    assert_int_equal(confined(open_file), FAILED);
    assert_int_equal(confined(stat_file), FAILED);
    assert_int_equal(confined(create_file), FAILED);
    assert_int_equal(access("/tmp/hanse-test-confine", F_OK), -1);
}

static void confined_limits_stay(void **state)
{
    (void)state;
    assert_int_equal(confined(raise_limit), FAILED);
    if (!HANSE_IS_SANITIZED)
        assert_int_equal(confined(allocate_too_much), FAILED);
}

/* ---- What kills --------------------------------------------------------- */

static int make_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? WORKED : FAILED;
}

static int run_program(void)
{
    char *const words[] = {(char[]){"true"}, NULL};
    execv("/bin/true", words);
    return FAILED;
}

static int trace_parent(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0 ? WORKED : FAILED;
}

static int start_process(void)
{
    return fork() >= 0 ? WORKED : FAILED;
}

static int kill_parent(void)
{
    return kill(getppid(), SIGCONT) == 0 ? WORKED : FAILED;
}

static int map_code(void)
{
    void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return code != MAP_FAILED ? WORKED : FAILED;
}

static int make_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0 ? WORKED : FAILED;
}

static int undo_confinement(void)
{
    return syscall(SYS_seccomp, 0, 0, NULL) == 0 ? WORKED : FAILED;
}

static void confined_forbidden_calls_kill(void **state)
{
    (void)state;
    static int (*const probes[])(void) = {
        make_socket, run_program, trace_parent, start_process,
        kill_parent, map_code,    make_code,    undo_confinement};
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
        assert_int_equal(confined(probes[i]), -SIGSYS);
}

static int never_end(void)
{
    for (volatile uint64_t i = 0; i != UINT64_MAX; i++)
        ;
    return WORKED;
}

static void confined_time_is_limited(void **state)
{
    (void)state;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const hanse_confine_limits brief = {.cpu_seconds = 1};
        hanse_confinement level;
        if (hanse_confine(&brief, &level, NULL) != HANSE_OK)
            _exit(NOT_CONFINED);
        _exit(never_end());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGXCPU);
}

/* Limits that the process has already are kept, not raised. */
static void confine_lower_limits_stay(void **state)
{
    (void)state;
    int status, done[2], wait[2];
    char byte;
    struct rlimit found = {0, 0};
    assert_true(pipe(done) == 0 && pipe(wait) == 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit low = {3, 3};
        hanse_confinement level;
        close(wait[1]);
        if (setrlimit(RLIMIT_CPU, &low) != 0 ||
            hanse_confine(&limits, &level, NULL) != HANSE_OK)
            _exit(NOT_CONFINED);
        _exit(write(done[1], "", 1) == 1 && read(wait[0], &byte, 1) == 0
                  ? WORKED
                  : FAILED);
    }
    close(done[1]);
    assert_int_equal(read(done[0], &byte, 1), 1);
    assert_int_equal(prlimit(child, RLIMIT_CPU, NULL, &found), 0);
    close(wait[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == WORKED);
    assert_int_equal(found.rlim_cur, 3);
    assert_int_equal(found.rlim_max, 3);
    close(done[0]);
    close(wait[0]);
}

/* ---- Kernels that lack something ---------------------------------------- */

/* Makes calls fail as a kernel does that does not know them. */
static bool forget_calls(const int *calls, size_t n)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int failed = filter == NULL;
    for (size_t i = 0; i < n && !failed; i++)
        failed = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS),
                                        calls[i], 0, NULL);
    if (!failed)
        failed = seccomp_load(filter);
    return failed == 0;
}

static int confine_without(const int *calls, size_t n, int (*probe)(void))
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        hanse_confinement level = {0};
        if (!forget_calls(calls, n))
            _exit(SOMETHING_ELSE);
        if (hanse_confine(&limits, &level, NULL) != HANSE_OK)
            _exit(level.seccomp ? SOMETHING_ELSE : NOT_CONFINED);
        _exit(level.landlock_abi == 0 ? probe() : SOMETHING_ELSE);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void confine_without_landlock_seccomp_holds(void **state)
{
    (void)state;
    const int calls[] = {SCMP_SYS(landlock_create_ruleset)};
    assert_int_equal(confine_without(calls, 1, open_file), FAILED);
    assert_int_equal(confine_without(calls, 1, make_socket), -SIGSYS);
}

static int never_reached(void)
{
    return WORKED;
}

static void confine_without_seccomp_fails(void **state)
{
    (void)state;
    const int calls[] = {SCMP_SYS(seccomp), SCMP_SYS(landlock_create_ruleset)};
    assert_int_equal(confine_without(calls, 2, never_reached), NOT_CONFINED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(confined_descriptors_and_memory_work),
        cmocka_unit_test(confined_files_are_refused),
        cmocka_unit_test(confined_limits_stay),
        cmocka_unit_test(confined_forbidden_calls_kill),
        cmocka_unit_test(confined_time_is_limited),
        cmocka_unit_test(confine_lower_limits_stay),
        cmocka_unit_test(confine_without_landlock_seccomp_holds),
        cmocka_unit_test(confine_without_seccomp_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
