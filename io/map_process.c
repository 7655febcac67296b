/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting a child with as little as possible, talking to it, and finding out
 * how it died. It is started by posix_spawn, never forked: the caller may have
 * threads, and a new address space is laid out anew.
 */
#include "io/map_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/error.h"

/* ---- Starting ----------------------------------------------------------- */

/* What the child needs of the environment: where shared libraries lie. With
 * sanitizers also that they must not look for leaks, which takes ptrace. */
typedef struct environment {
    char *entries[3];
    char *library_path; /* from malloc */
} environment;

static bool make_environment(environment *e)
{
    static char sanitizer[] = "ASAN_OPTIONS=detect_leaks=0";
    const char *path = getenv("LD_LIBRARY_PATH");
    size_t n = 0;
    *e = (environment){0};
    if (path != NULL) {
        if (asprintf(&e->library_path, "LD_LIBRARY_PATH=%s", path) < 0)
            return false;
        e->entries[n++] = e->library_path;
    }
    if (HANSE_IS_SANITIZED)
        e->entries[n++] = sanitizer;
    e->entries[n] = NULL;
    return true;
}

static const char *find_program(const char *program)
{
    const char *chosen = getenv("HANSE_READER");
    if (program != NULL)
        return program;
    return chosen != NULL && chosen[0] != '\0' ? chosen : HANSE_READER_PATH;
}

/* Descriptors above those that the child gets, so that moving one there does
 * not overwrite another. */
static int copy_above(int descriptor)
{
    return fcntl(descriptor, F_DUPFD_CLOEXEC, HANSE_CHILD_SHARED + 1);
}

static int add_descriptors(posix_spawn_file_actions_t *actions,
                           const int sources[3])
{
    /* A program that prints, prints nowhere; sanitizers report to us. */
    int failed =
        posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDWR, 0);
    failed |= posix_spawn_file_actions_adddup2(actions, 0, 1);
    if (!HANSE_IS_SANITIZED)
        failed |= posix_spawn_file_actions_adddup2(actions, 0, 2);
    for (int i = 0; i < 3; i++)
        failed |= posix_spawn_file_actions_adddup2(actions, sources[i],
                                                   HANSE_CHILD_INPUT + i);
    failed |= posix_spawn_file_actions_addclosefrom_np(actions,
                                                       HANSE_CHILD_SHARED + 1);
    return failed;
}

/* Signals as at the start of a program; out of the terminal's reach, because
 * the parent decides when to stop. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int failed = posix_spawnattr_setsigmask(attributes, &none);
    failed |= posix_spawnattr_setsigdefault(attributes, &all);
    failed |= posix_spawnattr_setpgroup(attributes, 0);
    failed |= posix_spawnattr_setflags(
        attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                            POSIX_SPAWN_SETPGROUP));
    return failed;
}

static int spawn(hanse_map_process *process, const char *program,
                 const int sources[3], char **environment_entries)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char name[] = "hanse", command[] = "__map", blosc[] = "blosc";
    char memory[24], cpu[24];
    char *words[] = {
        name, command, memory, cpu, process->options.with_blosc ? blosc : NULL,
        NULL};
    const hanse_confine_limits *limits = &process->options.limits;
    pid_t pid;
    snprintf(memory, sizeof memory, "%llu",
             (unsigned long long)limits->memory_bytes);
    snprintf(cpu, sizeof cpu, "%llu", (unsigned long long)limits->cpu_seconds);
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0)
        return failed;
    failed = posix_spawnattr_init(&attributes);
    if (failed == 0) {
        failed = add_descriptors(&actions, sources);
        failed |= set_attributes(&attributes);
        if (failed == 0)
            failed = posix_spawn(&pid, program, &actions, &attributes, words,
                                 environment_entries);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    if (failed == 0)
        process->pid = pid;
    return failed;
}

static hanse_status start(hanse_map_process *process, int input, int shared,
                          int far_end, hanse_error *error)
{
    const char *program = find_program(process->options.program);
    environment e;
    if (!make_environment(&e))
        return hanse_fail_nomem(error, "environment", 0);
    const int sources[3] = {copy_above(input), copy_above(far_end),
                            copy_above(shared)};
    int failed = EMFILE;
    if (sources[0] >= 0 && sources[1] >= 0 && sources[2] >= 0)
        failed = spawn(process, program, sources, e.entries);
    for (int i = 0; i < 3; i++)
        if (sources[i] >= 0)
            (void)close(sources[i]);
    free(e.library_path);
    if (failed == 0)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_IO,
                      "the reader of HDF5 files, %s, cannot be started: %s; "
                      "HANSE_READER may name the program 'hanse'",
                      program, strerror(failed));
}

hanse_status hanse_map_process_start(hanse_map_process *process, int input,
                                     int shared,
                                     const hanse_process_options *options,
                                     hanse_error *error)
{
    int ends[2];
    *process = (hanse_map_process){.socket = -1, .options = *options};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return hanse_fail(error, HANSE_ERR_IO, "no socket for the reader: %s",
                          strerror(errno));
    const hanse_status status = start(process, input, shared, ends[1], error);
    (void)close(ends[1]);
    if (status != HANSE_OK)
        (void)close(ends[0]);
    else
        process->socket = ends[0];
    return status;
}

/* ---- Ending ------------------------------------------------------------- */

enum {
    GRACE_MS = 2000
};

/* A healthy child ends when the socket is closed. */
void hanse_map_process_leave(hanse_map_process *process)
{
    if (process->socket >= 0)
        (void)close(process->socket);
    process->socket = -1;
    process->level = (hanse_confinement){0};
}

/* Leaves the child and reaps it. Whoever has not
 * ended in so many milliseconds is killed. Returns how it ended, as waitpid. */
static int end(hanse_map_process *process, int grace_ms)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    int how = 0;
    pid_t ended = 0;
    hanse_map_process_leave(process);
    if (process->pid == 0)
        return how;
    for (int i = 0; i < grace_ms && ended == 0; i++) {
        ended = waitpid(process->pid, &how, WNOHANG);
        if (ended == 0)
            (void)nanosleep(&pause, NULL);
    }
    if (ended == 0) {
        (void)kill(process->pid, SIGKILL);
        while (waitpid(process->pid, &how, 0) < 0 && errno == EINTR)
            ;
    }
    process->pid = 0;
    return how;
}

void hanse_map_process_stop(hanse_map_process *process)
{
    (void)end(process, 0);
}

/* The child closed its end, so it is dying by itself. */
static hanse_status fail_death(hanse_map_process *process, hanse_error *error)
{
    const bool has_greeted = process->level.seccomp;
    const int how = end(process, GRACE_MS);
    if (WIFSIGNALED(how) && WTERMSIG(how) == SIGXCPU)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "damaged or hostile (reader stopped after too many "
                          "seconds of computing)");
    if (WIFSIGNALED(how))
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "damaged or hostile (reader stopped by signal %d)",
                          WTERMSIG(how));
    if (has_greeted)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "damaged or hostile (reader ended with status %d)",
                          WEXITSTATUS(how));
    return hanse_fail(error, HANSE_ERR_IO,
                      "the reader of HDF5 files, %s, ended with status %d; is "
                      "it hanse " HANSE_VERSION_STRING "?",
                      find_program(process->options.program), WEXITSTATUS(how));
}

static hanse_status fail_nonsense(hanse_map_process *process, const char *what,
                                  hanse_error *error)
{
    (void)end(process, 0);
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "damaged or hostile (reader stopped: %s)", what);
}

/* ---- Talking ------------------------------------------------------------ */

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Waits until the socket is ready for `events`, or closed. */
static hanse_status wait_for(hanse_map_process *process, short events,
                             int64_t deadline_ms, hanse_error *error)
{
    for (;;) {
        struct pollfd ready = {.fd = process->socket, .events = events};
        const int64_t left = deadline_ms - now_ms();
        const int n = poll(&ready, 1, left > 0 ? (int)left : 0);
        if (n > 0)
            return HANSE_OK;
        if (n < 0 && errno == EINTR)
            continue;
        (void)end(process, 0);
        return hanse_fail(error, HANSE_ERR_IO,
                          "no answer from the reader in %u s; its storage "
                          "hangs, or it is damaged",
                          process->options.answer_seconds);
    }
}

/* Sends the pieces as one, so that the child wakes once; uses them up. */
static hanse_status send_pieces(hanse_map_process *process,
                                struct iovec *pieces, size_t n_pieces,
                                int64_t deadline_ms, hanse_error *error)
{
    while (n_pieces > 0) {
        const struct msghdr message = {.msg_iov = pieces,
                                       .msg_iovlen = n_pieces};
        HANSE_TRY(wait_for(process, POLLOUT, deadline_ms, error));
        const ssize_t sent =
            sendmsg(process->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (sent < 0)
            return fail_death(process, error);
        size_t left = (size_t)sent;
        while (n_pieces > 0 && left >= pieces->iov_len) {
            left -= pieces->iov_len;
            pieces++;
            n_pieces--;
        }
        if (n_pieces > 0) {
            pieces->iov_base = (char *)pieces->iov_base + left;
            pieces->iov_len -= left;
        }
    }
    return HANSE_OK;
}

static hanse_status receive_bytes(hanse_map_process *process, void *bytes,
                                  size_t n, int64_t deadline_ms,
                                  hanse_error *error)
{
    char *next = bytes;
    while (n > 0) {
        HANSE_TRY(wait_for(process, POLLIN, deadline_ms, error));
        const ssize_t got = recv(process->socket, next, n, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return fail_death(process, error);
        next += got;
        n -= (size_t)got;
    }
    return HANSE_OK;
}

static hanse_status receive(hanse_map_process *process, int64_t deadline_ms,
                            hanse_message *out, hanse_error *error)
{
    uint64_t head[2];
    HANSE_TRY(receive_bytes(process, head, sizeof head, deadline_ms, error));
    if (head[0] > process->options.answer_bytes || head[1] != 0)
        return fail_nonsense(process, "its answer is too long", error);
    uint8_t *bytes = malloc((size_t)head[0] + 1);
    if (bytes == NULL) {
        (void)end(process, 0);
        return hanse_fail_nomem(error, "answer of the reader", (size_t)head[0]);
    }
    const hanse_status status =
        receive_bytes(process, bytes, (size_t)head[0], deadline_ms, error);
    if (status != HANSE_OK)
        free(bytes);
    else
        *out = (hanse_message){.bytes = bytes, .n = (size_t)head[0]};
    return status;
}

/* Lets the child compute for so many seconds from now on. */
static void grant_time(const hanse_map_process *process, uint64_t cpu_seconds)
{
    clockid_t clock;
    struct timespec used = {0};
    struct rlimit limit;
    if (clock_getcpuclockid(process->pid, &clock) != 0 ||
        clock_gettime(clock, &used) != 0 ||
        prlimit(process->pid, RLIMIT_CPU, NULL, &limit) != 0)
        return;
    limit.rlim_cur = (rlim_t)used.tv_sec + cpu_seconds;
    if (limit.rlim_cur > limit.rlim_max)
        limit.rlim_cur = limit.rlim_max;
    (void)prlimit(process->pid, RLIMIT_CPU, &limit, NULL);
}

/* The child says first of all who it is and how far it is confined. */
static hanse_status greet(hanse_map_process *process, int64_t deadline_ms,
                          hanse_error *error)
{
    hanse_message message;
    if (process->level.seccomp)
        return HANSE_OK;
    HANSE_TRY(receive(process, deadline_ms, &message, error));
    hanse_cursor cursor = {.next = message.bytes, .left = message.n};
    char *version = hanse_cursor_get_text(&cursor, 64);
    char *fault = hanse_cursor_get_text(&cursor, HANSE_ERROR_SIZE - 1);
    hanse_confinement level = {0};
    level.seccomp = hanse_cursor_get_below(&cursor, 1) != 0;
    level.landlock_abi = (int)hanse_cursor_get_below(&cursor, 1000);
    hanse_status status = HANSE_OK;
    if (version == NULL || strcmp(version, HANSE_CHILD_VERSION) != 0)
        status = hanse_fail(
            error, HANSE_ERR_IO,
            "the reader of HDF5 files, %s, is not hanse " HANSE_VERSION_STRING,
            find_program(process->options.program));
    else if (fault != NULL || cursor.failed || !level.seccomp)
        status = hanse_fail(error, HANSE_ERR_IO,
                            "untrusted files cannot be read on this machine: "
                            "%.200s",
                            fault != NULL ? fault : "no confinement");
    else
        process->level = level;
    if (status != HANSE_OK)
        (void)end(process, 0);
    free(version);
    free(fault);
    free(message.bytes);
    return status;
}

hanse_status hanse_map_process_ask(hanse_map_process *process,
                                   const hanse_message *request,
                                   size_t shared_bytes, uint64_t cpu_seconds,
                                   hanse_message *answer, hanse_error *error)
{
    uint64_t head[2] = {request->n, shared_bytes};
    struct iovec pieces[2] = {{head, sizeof head},
                              {request->bytes, request->n}};
    const int64_t deadline_ms =
        now_ms() + process->options.answer_seconds * INT64_C(1000);
    if (process->level.seccomp)
        grant_time(process, cpu_seconds);
    HANSE_TRY(send_pieces(process, pieces, 2, deadline_ms, error));
    HANSE_TRY(greet(process, deadline_ms, error));
    return receive(process, deadline_ms, answer, error);
}
