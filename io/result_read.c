/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading result files back: the groups of the root but `provenance` are the
 * tables, their `keys` attribute tells keys from columns.
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

/* More than any job makes; a damaged count must not take all memory. */
enum {
    MAX_OBJECTS = 1 << 16
};

struct hanse_result_file {
    hanse_result_reader reader;
    hanse_table *tables; /* from the arena, as everything in them */
    size_t n_tables;
};

/* The members of a group, in the order of their creation where it is kept. */
typedef struct members {
    hid_t group;
    H5_index_t index;
    size_t n;
} members;

/* A table while its datasets are read. */
typedef struct table_reader {
    hanse_result_reader *reader;
    hid_t group;
    const char *name;
    char **flag_names; /* per key, from the arena; NULL: none */
    hanse_column *keys;
    hanse_column *columns;
    size_t n_keys;
    size_t n_columns;
    size_t n_rows;
    bool *key_found;
    bool has_rows; /* n_rows is known */
} table_reader;

/* ---- Members of a group ------------------------------------------------- */

static bool list_members(hid_t group, members *out)
{
    H5G_info_t info;
    unsigned order = 0;
    if (H5Gget_info(group, &info) < 0 || info.nlinks > MAX_OBJECTS)
        return false;
    const hid_t list = H5Gget_create_plist(group);
    if (list < 0)
        return false;
    const bool known = H5Pget_link_creation_order(list, &order) >= 0;
    (void)H5Pclose(list);
    out->group = group;
    out->n = (size_t)info.nlinks;
    out->index = (order & H5P_CRT_ORDER_INDEXED) != 0 ? H5_INDEX_CRT_ORDER
                                                      : H5_INDEX_NAME;
    return known;
}

/* Name of member i, from the arena, or NULL; only hard links count, which
 * cannot lead out of the file. */
static char *member_name(hanse_result_reader *reader, const members *m,
                         size_t i)
{
    H5L_info_t info;
    if (H5Lget_info_by_idx(m->group, ".", m->index, H5_ITER_INC, i, &info,
                           H5P_DEFAULT) < 0 ||
        info.type != H5L_TYPE_HARD)
        return NULL;
    const ssize_t length = H5Lget_name_by_idx(
        m->group, ".", m->index, H5_ITER_INC, i, NULL, 0, H5P_DEFAULT);
    if (length <= 0 || length > MAX_OBJECTS)
        return NULL;
    char *name = hanse_arena_take(&reader->arena, (size_t)length + 1);
    if (name == NULL ||
        H5Lget_name_by_idx(m->group, ".", m->index, H5_ITER_INC, i, name,
                           (size_t)length + 1, H5P_DEFAULT) != length)
        return NULL;
    return name;
}

/* ---- Keys --------------------------------------------------------------- */

/* Splits the blank-separated list in place; names[] has room for all. */
static size_t split_names(char *list, const char **names)
{
    size_t n = 0;
    char *rest = list;
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        if (*word != '\0')
            names[n++] = word;
    return n;
}

static hanse_status read_key_names(table_reader *t, hanse_error *error)
{
    hanse_arena *arena = &t->reader->arena;
    char *list = hanse_attribute_get_text(t->group, HANSE_ATTRIBUTE_KEYS);
    const size_t room = list == NULL ? 1 : strlen(list) / 2 + 1;
    char *copy = hanse_arena_copy(arena, list == NULL ? "" : list);
    free(list);
    const char **names = hanse_arena_take(arena, room * sizeof *names);
    t->keys = hanse_arena_take(arena, room * sizeof *t->keys);
    t->flag_names = hanse_arena_take(arena, room * sizeof *t->flag_names);
    t->key_found = hanse_arena_take(arena, room * sizeof *t->key_found);
    if (copy == NULL || names == NULL || t->keys == NULL ||
        t->flag_names == NULL || t->key_found == NULL)
        return hanse_fail_nomem(error, "keys of a table", room);
    t->n_keys = split_names(copy, names);
    for (size_t k = 0; k < t->n_keys; k++)
        t->keys[k].name = names[k];
    return HANSE_OK;
}

static size_t find_key(const table_reader *t, const char *name)
{
    size_t k = 0;
    while (k < t->n_keys && strcmp(t->keys[k].name, name) != 0)
        k++;
    return k;
}

/* A dimension without a variable holds no values. */
static bool is_bare_dimension(hid_t dataset)
{
    char *text = hanse_attribute_get_text(dataset, "NAME");
    const bool bare =
        text != NULL &&
        strncmp(text, HANSE_DIMENSION_TEXT, strlen(HANSE_DIMENSION_TEXT)) == 0;
    free(text);
    return bare;
}

/* Turns the flags, read as a column, into `missing` and empty texts. */
static hanse_status apply_flags(table_reader *t, size_t k,
                                const hanse_column *flags, hanse_error *error)
{
    if (flags->type != HANSE_INT8)
        return hanse_result_reader_fail(t->reader, t->name, flags->name,
                                        "flags must be int8", error);
    const int8_t *values = flags->values;
    uint8_t *missing = hanse_arena_take(&t->reader->arena, t->n_rows);
    const char **texts = NULL;
    if (missing == NULL)
        return hanse_fail_nomem(error, "missing keys", t->n_rows);
    if (t->keys[k].type == HANSE_TEXT)
        texts = (const char **)(uintptr_t)t->keys[k].values;
    bool any = false;
    for (size_t i = 0; i < t->n_rows; i++) {
        missing[i] = values[i] == HANSE_FLAG_MISSING;
        any = any || missing[i];
        if (texts != NULL && values[i] != HANSE_FLAG_PRESENT)
            texts[i] = "";
    }
    if (any)
        t->keys[k].missing = missing;
    return HANSE_OK;
}

/* ---- Tables ------------------------------------------------------------- */

/* Reads a dataset and checks its length against the table's. */
static hanse_status read_column(table_reader *t, hid_t dataset,
                                const char *name, hanse_column *out,
                                hanse_error *error)
{
    size_t n_rows = 0;
    bool is_scalar = false;
    HANSE_TRY(hanse_result_reader_column(t->reader, dataset, t->name, name, out,
                                         &n_rows, &is_scalar, error));
    if (t->n_keys == 0 && !is_scalar)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%s: table %s has rows but names no keys, so this "
                          "is not a result of hanse; 'hanse info' describes "
                          "tables of records",
                          t->reader->path, t->name);
    if (is_scalar != (t->n_keys == 0) || (t->has_rows && n_rows != t->n_rows))
        return hanse_result_reader_fail(
            t->reader, t->name, name, "it is not as long as the others", error);
    t->n_rows = n_rows;
    t->has_rows = true;
    return HANSE_OK;
}

static hanse_status read_dataset(table_reader *t, hid_t dataset,
                                 const char *name, hanse_error *error)
{
    if (is_bare_dimension(dataset))
        return HANSE_OK;
    const size_t k = find_key(t, name);
    if (k == t->n_keys) {
        HANSE_TRY(
            read_column(t, dataset, name, &t->columns[t->n_columns], error));
        t->n_columns++;
        return HANSE_OK;
    }
    HANSE_TRY(read_column(t, dataset, name, &t->keys[k], error));
    t->key_found[k] = true;
    char *flags = hanse_attribute_get_text(dataset, HANSE_ATTRIBUTE_FLAGS);
    if (flags == NULL)
        return HANSE_OK;
    t->flag_names[k] = hanse_arena_copy(&t->reader->arena, flags);
    free(flags);
    return t->flag_names[k] != NULL ? HANSE_OK
                                    : hanse_fail_nomem(error, "a name", 1);
}

static hanse_status read_member(table_reader *t, const members *m, size_t i,
                                hanse_error *error)
{
    char *name = member_name(t->reader, m, i);
    if (name == NULL)
        return hanse_result_reader_fail(t->reader, t->name, "a column",
                                        "its name cannot be read", error);
    const hid_t object = H5Oopen(t->group, name, H5P_DEFAULT);
    if (object < 0)
        return hanse_result_reader_fail(t->reader, t->name, name,
                                        "it cannot be opened", error);
    hanse_status status = HANSE_OK;
    if (H5Iget_type(object) == H5I_DATASET)
        status = read_dataset(t, object, name, error);
    (void)H5Oclose(object);
    return status;
}

/* Flags were read as columns; moves them to the keys they belong to. */
static hanse_status move_flags(table_reader *t, hanse_error *error)
{
    for (size_t k = 0; k < t->n_keys; k++) {
        if (!t->key_found[k])
            return hanse_result_reader_fail(t->reader, t->name, t->keys[k].name,
                                            "the key is not there", error);
        if (t->flag_names[k] == NULL)
            continue;
        size_t i = 0;
        while (i < t->n_columns &&
               strcmp(t->columns[i].name, t->flag_names[k]) != 0)
            i++;
        if (i == t->n_columns)
            return hanse_result_reader_fail(t->reader, t->name,
                                            t->flag_names[k],
                                            "the flags are not there", error);
        HANSE_TRY(apply_flags(t, k, &t->columns[i], error));
        t->n_columns--;
        memmove(&t->columns[i], &t->columns[i + 1],
                (t->n_columns - i) * sizeof t->columns[0]);
    }
    return HANSE_OK;
}

static hanse_status read_table(hanse_result_reader *reader, hid_t group,
                               const char *name, hanse_table *out,
                               hanse_error *error)
{
    table_reader t = {.reader = reader, .group = group, .name = name};
    members m;
    int64_t dropped = 0;
    if (!list_members(group, &m))
        return hanse_result_reader_fail(reader, name, "the group",
                                        "its members cannot be listed", error);
    HANSE_TRY(read_key_names(&t, error));
    t.columns = hanse_arena_take(&reader->arena, (m.n + 1) * sizeof *t.columns);
    if (t.columns == NULL)
        return hanse_fail_nomem(error, "columns of a table", m.n);
    for (size_t i = 0; i < m.n; i++)
        HANSE_TRY(read_member(&t, &m, i, error));
    HANSE_TRY(move_flags(&t, error));
    (void)hanse_attribute_get_integer(group, HANSE_ATTRIBUTE_DROPPED, &dropped);
    *out = (hanse_table){.name = name,
                         .n_rows = t.n_rows,
                         .keys = t.keys,
                         .n_keys = t.n_keys,
                         .columns = t.columns,
                         .n_columns = t.n_columns,
                         .n_dropped = dropped > 0 ? (uint64_t)dropped : 0};
    return HANSE_OK;
}

/* ---- The file ----------------------------------------------------------- */

static hanse_status read_tables(hanse_result_file *file, hid_t root,
                                hanse_error *error)
{
    members m;
    if (!list_members(root, &m))
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%s: the tables cannot be listed; the file is "
                          "damaged",
                          file->reader.path);
    file->tables =
        hanse_arena_take(&file->reader.arena, (m.n + 1) * sizeof *file->tables);
    if (file->tables == NULL)
        return hanse_fail_nomem(error, "tables of a result", m.n);
    for (size_t i = 0; i < m.n; i++) {
        char *name = member_name(&file->reader, &m, i);
        const hid_t object =
            name == NULL ? H5I_INVALID_HID : H5Oopen(root, name, H5P_DEFAULT);
        if (object < 0)
            return hanse_fail(error, HANSE_ERR_FORMAT,
                              "%s: a table cannot be opened; the file is "
                              "damaged",
                              file->reader.path);
        hanse_status status = HANSE_OK;
        if (H5Iget_type(object) == H5I_GROUP &&
            strcmp(name, "provenance") != 0) {
            status = read_table(&file->reader, object, name,
                                &file->tables[file->n_tables], error);
            file->n_tables += status == HANSE_OK;
        }
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
