/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading result files back: the groups of the root but `provenance` and
 * `records` are the tables, or hold them.
 *
 * The HDF5 library crashes on some damaged files and hangs on others. A child
 * process therefore reads the whole file first; what it survives, this
 * process survives, because it then does the very same.
 */
#include "io/result_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "io/hdf5_library.h"
#include "io/result_attributes.h"
#include "io/result_read.h"

/* Groups in groups: "flows/by_cluster" is one in one. A damaged file may hold
 * itself. */
enum {
    MAX_DEPTH = 4
};

struct hanse_result_file {
    hanse_result_reader reader;
    hanse_table *tables; /* from the arena, as everything in them */
    size_t n_tables;
    size_t capacity;
    size_t n_groups; /* looked into */
};

/* ---- The file ----------------------------------------------------------- */

static hanse_status add_table(hanse_result_file *file, const hanse_table *table,
                              hanse_error *error)
{
    if (file->n_tables == file->capacity) {
        const size_t capacity = 2 * file->capacity + 16;
        hanse_table *grown =
            hanse_arena_take(&file->reader.arena, capacity * sizeof *grown);
        if (grown == NULL)
            return hanse_fail_nomem(error, "tables of a result", capacity);
        if (file->n_tables != 0)
            memcpy(grown, file->tables, file->n_tables * sizeof *grown);
        file->tables = grown;
        file->capacity = capacity;
    }
    file->tables[file->n_tables++] = *table;
    return HANSE_OK;
}

/* "<group>/<member>", from the arena; NULL without memory. */
static char *join_path(hanse_arena *arena, const char *group,
                       const char *member)
{
    const size_t room = strlen(group) + strlen(member) + 2;
    char *path = hanse_arena_take(arena, room);
    if (path != NULL)
        snprintf(path, room, "%s/%s", group, member);
    return path;
}

/* Reads the table that a group is, and those of the groups in it. `depth` tells
 * how many groups it lies in. */
static hanse_status read_group(hanse_result_file *file, hid_t group,
                               const char *path, int depth, hanse_error *error)
{
    hanse_result_reader *reader = &file->reader;
    hanse_result_group g;
    if (depth == MAX_DEPTH || ++file->n_groups > HANSE_MAX_RESULT_OBJECTS)
        return hanse_result_reader_fail(reader, path, "the group",
                                        "there are too many groups", error);
    HANSE_TRY(hanse_result_reader_group(reader, group, path, &g, error));
    if (g.n_datasets != 0 || g.n_groups == 0)
        HANSE_TRY(add_table(file, &g.table, error));
    for (size_t i = 0; i < g.n_groups; i++) {
        char *inner = join_path(&reader->arena, path, g.groups[i]);
        if (inner == NULL)
            return hanse_fail_nomem(error, "path of a table", 1);
        const hid_t member = H5Gopen2(group, g.groups[i], H5P_DEFAULT);
        if (member < 0)
            return hanse_result_reader_fail(reader, inner, "the group",
                                            "it cannot be opened", error);
        const hanse_status status =
            read_group(file, member, inner, depth + 1, error);
        (void)H5Gclose(member);
        HANSE_TRY(status);
    }
    return HANSE_OK;
}

/* How the file was made, and what is as long as its input, are no tables. */
static bool holds_tables(const char *name)
{
    return strcmp(name, "provenance") != 0 && strcmp(name, "records") != 0;
}

static hanse_status read_tables(hanse_result_file *file, hid_t root,
                                hanse_error *error)
{
    hanse_result_members m;
    if (!hanse_result_members_list(root, &m))
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%s: the tables cannot be listed; the file is "
                          "damaged",
                          file->reader.path);
    for (size_t i = 0; i < m.n; i++) {
        char *name = hanse_result_member_name(&file->reader, &m, i);
        const hid_t object =
            name == NULL ? H5I_INVALID_HID : H5Oopen(root, name, H5P_DEFAULT);
        if (object < 0)
            return hanse_fail(error, HANSE_ERR_FORMAT,
                              "%s: a table cannot be opened; the file is "
                              "damaged",
                              file->reader.path);
        hanse_status status = HANSE_OK;
        if (H5Iget_type(object) == H5I_GROUP && holds_tables(name))
            status = read_group(file, object, name, 0, error);
        (void)H5Oclose(object);
        HANSE_TRY(status);
    }
    return HANSE_OK;
}

/* Makes sure that hanse wrote the file. */
static hanse_status check_source(const hanse_result_file *file, hid_t h5,
                                 hanse_error *error)
{
    char *source = hanse_attribute_get_text(h5, "source");
    const bool ours = source != NULL && strncmp(source, "hanse ", 6) == 0;
    free(source);
    if (ours)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "%s is not a result of hanse; hanse info shows other "
                      "HDF5 files",
                      file->reader.path);
}

static hanse_status read_file(hanse_result_file *file, hanse_error *error)
{
    hid_t h5 = H5I_INVALID_HID;
    HANSE_TRY(hanse_hdf5_start(error));
    HANSE_TRY(hanse_hdf5_open_file(file->reader.path, &h5, error));
    hanse_status status = check_source(file, h5, error);
    const hid_t root = H5Gopen2(h5, "/", H5P_DEFAULT);
    if (status == HANSE_OK)
        status = read_tables(file, root, error);
    if (root >= 0)
        (void)H5Gclose(root);
    (void)H5Fclose(h5);
    return status;
}

/* Exit statuses of the child that reads first; anything else is a death, a
 * sanitizer's included. */
enum {
    CHILD_READ = 10,
    CHILD_REFUSED = 11
};

/* A damaged file can keep the library busy for ever: the child gets ten
 * seconds and one more per 4 MB of file. It dies of what kills it, whatever
 * handlers this program has, and without a word. */
static void limit_child(uint64_t file_bytes)
{
    static const int deadly[] = {SIGSEGV, SIGBUS,  SIGFPE,
                                 SIGILL,  SIGABRT, SIGXCPU};
    for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++)
        (void)signal(deadly[i], SIG_DFL);
    const int silence = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (silence >= 0)
        (void)dup2(silence, STDERR_FILENO);
    const rlim_t seconds = (rlim_t)(10 + file_bytes / 4000000);
    const struct rlimit time = {seconds, seconds + 1}, core = {0, 0};
    (void)setrlimit(RLIMIT_CPU, &time);
    (void)setrlimit(RLIMIT_CORE, &core);
}

static hanse_status try_in_child(hanse_result_file *file, hanse_error *error)
{
    int status = 0;
    const pid_t child = fork();
    if (child < 0)
        return hanse_fail(error, HANSE_ERR_IO,
                          "cannot start the reader of %s: %s",
                          file->reader.path, strerror(errno));
    if (child == 0) {
        limit_child(file->reader.file_bytes);
        _exit(read_file(file, NULL) == HANSE_OK ? CHILD_READ : CHILD_REFUSED);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return hanse_fail(error, HANSE_ERR_IO, "lost the reader of %s: %s",
                              file->reader.path, strerror(errno));
    if (WIFEXITED(status) && (WEXITSTATUS(status) == CHILD_READ ||
                              WEXITSTATUS(status) == CHILD_REFUSED))
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "%s is damaged: its reader was stopped by signal %d",
                      file->reader.path,
                      WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static hanse_status check_file(hanse_result_file *file, hanse_error *error)
{
    struct stat info;
    const char *path = file->reader.path;
    if (stat(path, &info) != 0)
        return hanse_fail(error, HANSE_ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return hanse_fail(error, HANSE_ERR_IO,
                          "%s: is not a regular file; name a result of "
                          "hanse run",
                          path);
    file->reader.file_bytes = (uint64_t)info.st_size;
    return HANSE_OK;
}

hanse_status hanse_result_file_open(const char *path, hanse_result_file **out,
                                    hanse_error *error)
{
    hanse_result_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return hanse_fail_nomem(error, "result file", sizeof *file);
    file->reader.path = path;
    hanse_status status = check_file(file, error);
    if (status == HANSE_OK) {
        /* Held over the fork: the child's copy of the library is at rest. */
        hanse_hdf5_lock();
        status = try_in_child(file, error);
        if (status == HANSE_OK)
            status = read_file(file, error);
        hanse_hdf5_unlock();
    }
    if (status != HANSE_OK) {
        hanse_result_file_close(file);
        return status;
    }
    file->reader.path = NULL; /* the caller's */
    *out = file;
    return HANSE_OK;
}

size_t hanse_result_file_n_tables(const hanse_result_file *file)
{
    return file->n_tables;
}

const hanse_table *hanse_result_file_table(const hanse_result_file *file,
                                           size_t index)
{
    return index < file->n_tables ? &file->tables[index] : NULL;
}

void hanse_result_file_close(hanse_result_file *file)
{
    if (file == NULL)
        return;
    hanse_arena_clear(&file->reader.arena);
    free(file);
}
