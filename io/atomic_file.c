/* SPDX-License-Identifier: Apache-2.0
 *
 * Atomic replacement of files. The directory is held as a descriptor from
 * open to rename, so that nobody can swap it for another in between; the
 * temporary is created with O_EXCL and never through a link.
 *
 * A table of the temporaries that exist serves the signal handler. It is
 * filled before the file is created and cleared after it was renamed or
 * removed: whenever the signal comes, unlinking what the table names is right.
 */
#include "io/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/memory.h"

/* A program writes a handful of files at a time; a file without a slot is
 * still written correctly, it only survives a signal as a temporary. */
enum {
    N_SLOTS = 16,
    SUFFIX_LENGTH = 6,
    N_NAME_ATTEMPTS = 100
};

enum {
    SLOT_FREE,
    SLOT_FILLING,
    SLOT_ARMED
};

/* What the signal handler may have to remove. The process id keeps a forked
 * child from removing its parent's files. */
typedef struct slot {
    atomic_int state;
    pid_t process;
    int directory;
    char name[NAME_MAX + 1];
} slot;

/* The one mutable table of this file: a signal handler has no argument. */
static slot slots[N_SLOTS];

struct hanse_atomic_file {
    int directory;  /* descriptor, for openat, renameat and fsync */
    int descriptor; /* of the temporary */
    bool can_sync_directory;
    bool exists;      /* the temporary has to be removed */
    slot *slot;       /* NULL: all were taken */
    char *path;       /* as the caller gave it */
    const char *name; /* last component of path */
    char temporary_name[NAME_MAX + 1];
    char *temporary_path;
};

static slot *slot_take(int directory, const char *name)
{
    for (size_t i = 0; i < N_SLOTS; i++) {
        int expected = SLOT_FREE;
        if (!atomic_compare_exchange_strong(&slots[i].state, &expected,
                                            SLOT_FILLING))
            continue;
        slots[i].process = getpid();
        slots[i].directory = directory;
        snprintf(slots[i].name, sizeof slots[i].name, "%s", name);
        atomic_store(&slots[i].state, SLOT_ARMED);
        return &slots[i];
    }
    return NULL;
}

static void slot_release(slot **taken)
{
    if (*taken != NULL)
        atomic_store(&(*taken)->state, SLOT_FREE);
    *taken = NULL;
}

void hanse_atomic_file_on_signal(int signal_number)
{
    const int saved_errno = errno;
    const pid_t process = getpid();
    for (size_t i = 0; i < N_SLOTS; i++)
        if (atomic_load(&slots[i].state) == SLOT_ARMED &&
            slots[i].process == process)
            (void)unlinkat(slots[i].directory, slots[i].name, 0);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
    errno = saved_errno;
}

void hanse_atomic_file_handle_signals(void (*handler)(int), int flags)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++) {
        struct sigaction action;
        if (sigaction(ending[i], NULL, &action) != 0 ||
            action.sa_handler == SIG_IGN)
            continue;
        memset(&action, 0, sizeof action);
        action.sa_handler = handler;
        action.sa_flags = flags;
        sigfillset(&action.sa_mask);
        (void)sigaction(ending[i], &action, NULL);
    }
}

void hanse_atomic_file_install_signal_handlers(void)
{
    hanse_atomic_file_handle_signals(hanse_atomic_file_on_signal, 0);
    (void)signal(SIGXFSZ, SIG_IGN);
}

/* What a person can do about a failure to write. */
static const char *remedy(int cause)
{
    switch (cause) {
    case ENOSPC:
        return "; free space there or write elsewhere";
    case EDQUOT:
        return "; the disk quota is used up, free space or write elsewhere";
    case EFBIG:
        return "; raise the file size limit (ulimit -f) or write elsewhere";
    case EACCES:
    case EPERM:
        return "; choose a directory that you may write to";
    case ENOENT:
        return "; create the directory first";
    case EROFS:
        return "; choose a writable file system";
    default:
        return "";
    }
}

hanse_status hanse_atomic_file_fail(const hanse_atomic_file *file, int cause,
                                    hanse_error *error)
{
    return hanse_fail(error, HANSE_ERR_IO, "cannot write %s: %s%s", file->path,
                      strerror(cause), remedy(cause));
}

/* Whether the name is free or a regular file that may be replaced. A link is
 * judged by its target; /dev/stdout and its like are links into /proc, which
 * renaming would destroy even while they lead to a regular file. */
static hanse_status check_target(const hanse_atomic_file *file,
                                 hanse_error *error)
{
    struct stat status;
    char target[PATH_MAX];
    const ssize_t length =
        readlinkat(file->directory, file->name, target, sizeof target - 1);
    if (length > 0) {
        target[length] = '\0';
        if (strncmp(target, "/proc/", 6) == 0)
            return hanse_fail(error, HANSE_ERR_IO,
                              "cannot write %s: it stands for an open "
                              "descriptor; give the name of a regular file",
                              file->path);
    }
    if (fstatat(file->directory, file->name, &status, 0) != 0) {
        if (errno == ENOENT)
            return HANSE_OK; /* free, or a dangling link */
        return hanse_atomic_file_fail(file, errno, error);
    }
    if (S_ISREG(status.st_mode))
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_IO,
                      "cannot write %s: it is a %s; give the name of a "
                      "regular file",
                      file->path,
                      S_ISDIR(status.st_mode)    ? "directory"
                      : S_ISFIFO(status.st_mode) ? "pipe"
                      : S_ISSOCK(status.st_mode) ? "socket"
                                                 : "device");
}

/* Splits the path and opens its directory. */
static hanse_status open_directory(hanse_atomic_file *file, const char *path,
                                   hanse_error *error)
{
    file->path = hanse_text_copy(path);
    if (file->path == NULL)
        return hanse_fail_nomem(error, "output path", strlen(path) + 1);
    char *slash = strrchr(file->path, '/');
    file->name = slash == NULL ? file->path : slash + 1;
    if (*file->name == '\0' || strcmp(file->name, ".") == 0 ||
        strcmp(file->name, "..") == 0)
        return hanse_fail(error, HANSE_ERR_IO,
                          "cannot write %s: it is a directory; give the name "
                          "of a regular file",
                          path);
    const size_t length = slash == NULL ? 0 : (size_t)(slash - file->path) + 1;
    char *directory =
        slash == NULL ? hanse_text_copy(".") : strndup(file->path, length);
    if (directory == NULL)
        return hanse_fail_nomem(error, "output path", length + 1);
    file->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    file->can_sync_directory = file->directory >= 0;
    /* A directory that may be written but not listed still serves. */
    if (file->directory < 0 && errno == EACCES)
        file->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    if (file->directory < 0)
        return hanse_atomic_file_fail(file, errno, error);
    return HANSE_OK;
}

/* ".NAME.hanse-XXXXXX"; a very long NAME is cut to leave room. */
static bool make_temporary_name(hanse_atomic_file *file)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    const int room =
        NAME_MAX - (int)strlen(".") - (int)strlen(".hanse-") - SUFFIX_LENGTH;
    unsigned char noise[SUFFIX_LENGTH];
    char suffix[SUFFIX_LENGTH + 1] = {0};
    if (getrandom(noise, sizeof noise, 0) != (ssize_t)sizeof noise)
        return false;
    for (size_t i = 0; i < SUFFIX_LENGTH; i++)
        suffix[i] = digits[noise[i] % (sizeof digits - 1)];
    snprintf(file->temporary_name, sizeof file->temporary_name,
             ".%.*s.hanse-%s", room, file->name, suffix);
    return true;
}

static hanse_status create_temporary(hanse_atomic_file *file, mode_t mode,
                                     hanse_error *error)
{
    for (int attempt = 0; attempt < N_NAME_ATTEMPTS; attempt++) {
        if (!make_temporary_name(file))
            return hanse_atomic_file_fail(file, errno, error);
        file->slot = slot_take(file->directory, file->temporary_name);
        file->descriptor =
            openat(file->directory, file->temporary_name,
                   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        file->exists = file->descriptor >= 0;
        if (file->exists)
            break;
        const int cause = errno;
        slot_release(&file->slot);
        if (cause != EEXIST && cause != EINTR)
            return hanse_atomic_file_fail(file, cause, error);
    }
    if (!file->exists)
        return hanse_atomic_file_fail(file, EEXIST, error);
    if (fchmod(file->descriptor, mode) != 0)
        return hanse_atomic_file_fail(file, errno, error);
    const int prefix = (int)(file->name - file->path);
    if (asprintf(&file->temporary_path, "%.*s%s", prefix, file->path,
                 file->temporary_name) < 0) {
        file->temporary_path = NULL;
        return hanse_fail_nomem(error, "temporary path", PATH_MAX);
    }
    return HANSE_OK;
}

hanse_status hanse_atomic_file_open(const char *path, mode_t mode,
                                    hanse_atomic_file **out, hanse_error *error)
{
    if (path == NULL || *path == '\0')
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "the output file has no name; give one");
    hanse_atomic_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return hanse_fail_nomem(error, "output file", sizeof *file);
    file->directory = -1;
    file->descriptor = -1;
    hanse_status status = open_directory(file, path, error);
    if (status == HANSE_OK)
        status = check_target(file, error);
    if (status == HANSE_OK)
        status = create_temporary(file, mode, error);
    if (status != HANSE_OK) {
        hanse_atomic_file_close(file);
        return status;
    }
    *out = file;
    return HANSE_OK;
}

int hanse_atomic_file_descriptor(const hanse_atomic_file *file)
{
    return file->descriptor;
}

const char *hanse_atomic_file_temporary(const hanse_atomic_file *file)
{
    return file->temporary_path;
}

hanse_status hanse_atomic_file_write(hanse_atomic_file *file, const void *data,
                                     size_t size_bytes, hanse_error *error)
{
    const char *next = data;
    while (size_bytes > 0) {
        const ssize_t written = write(file->descriptor, next, size_bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return hanse_atomic_file_fail(file, written < 0 ? errno : EIO,
                                          error);
        next += written;
        size_bytes -= (size_t)written;
    }
    return HANSE_OK;
}

static int sync_retried(int descriptor)
{
    int result;
    do
        result = fsync(descriptor);
    while (result != 0 && errno == EINTR);
    return result;
}

hanse_status hanse_atomic_file_commit(hanse_atomic_file *file,
                                      hanse_error *error)
{
    if (sync_retried(file->descriptor) != 0)
        return hanse_atomic_file_fail(file, errno, error);
    if (renameat(file->directory, file->temporary_name, file->directory,
                 file->name) != 0)
        return hanse_atomic_file_fail(file, errno, error);
    file->exists = false;
    slot_release(&file->slot);
    /* EINVAL: a file system whose directories cannot be flushed. */
    if (file->can_sync_directory && sync_retried(file->directory) != 0 &&
        errno != EINVAL)
        return hanse_fail(error, HANSE_ERR_IO,
                          "%s is written, but its directory could not be "
                          "flushed: %s; check the disk",
                          file->path, strerror(errno));
    return HANSE_OK;
}

void hanse_atomic_file_close(hanse_atomic_file *file)
{
    if (file == NULL)
        return;
    if (file->exists)
        (void)unlinkat(file->directory, file->temporary_name, 0);
    slot_release(&file->slot);
    if (file->descriptor >= 0)
        (void)close(file->descriptor);
    if (file->directory >= 0)
        (void)close(file->directory);
    free(file->path);
    free(file->temporary_path);
    free(file);
}
