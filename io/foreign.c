/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces are found by binary search. A source dataset is a source of one
 * column, read by ranges of rows.
 */
#include "io/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct hanse_foreign {
    const hanse_hdf5_column *column;
    const hanse_dataset_map *map;
    char **names;             /* [file] as found */
    hanse_source **sources;   /* [file] of a virtual dataset */
    hanse_file_stamp *stamps; /* [file] of raw bytes */
    const char *table_file;
};

/* ---- Names -------------------------------------------------------------- */

/* "prefix/name", where ${ORIGIN} at the beginning of the prefix is the
 * directory of the table's file; from malloc, NULL: no memory. */
static char *join(const char *prefix, const char *origin, const char *name)
{
    static const char variable[] = "${ORIGIN}";
    char *path;
    const bool is_relative =
        strncmp(prefix, variable, sizeof variable - 1) == 0;
    return asprintf(&path, "%s%s/%s", is_relative ? origin : "",
                    prefix + (is_relative ? sizeof variable - 1 : 0), name) >= 0
               ? path
               : NULL;
}

/* Directory of a file, from malloc. */
static char *directory_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    if (slash == NULL)
        return strdup(".");
    return slash == file ? strdup("/") : strndup(file, (size_t)(slash - file));
}

/* Where a file lies: in the directory that the library's variable names, or in
 * that of the table's file, or in the current one. */
static char *find_file(const hanse_foreign *f, const hanse_foreign_file *file)
{
    const char *prefix = getenv(file->dataset != NULL ? "HDF5_VDS_PREFIX"
                                                      : "HDF5_EXTFILE_PREFIX");
    if (file->dataset != NULL && strcmp(file->name, ".") == 0)
        return strdup(f->table_file);
    if (file->name[0] == '/')
        return strdup(file->name);
    char *origin = directory_of(f->table_file);
    if (origin == NULL)
        return NULL;
    char *path = join(prefix != NULL && prefix[0] != '\0' ? prefix : origin,
                      origin, file->name);
    free(origin);
    if (path != NULL && access(path, F_OK) != 0 &&
        access(file->name, F_OK) == 0) {
        free(path);
        path = strdup(file->name);
    }
    return path;
}

/* ---- Opening ------------------------------------------------------------ */

static hanse_status fail_file(const hanse_foreign *f, size_t file,
                              const char *why, hanse_error *error)
{
    return hanse_fail(error, HANSE_ERR_IO, "%s: column '%.60s' lies in %s: %s",
                      f->table_file, f->column->name, f->names[file], why);
}

/* Opens raw bytes. O_NONBLOCK: a pipe must not wait for a writer. */
static hanse_status open_raw(const hanse_foreign *f, size_t file,
                             int *descriptor, hanse_file_stamp *stamp,
                             hanse_error *error)
{
    struct stat facts;
    const int opened = open(f->names[file], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (opened < 0 || fstat(opened, &facts) != 0) {
        const int code = errno;
        if (opened >= 0)
            (void)close(opened);
        return fail_file(f, file, strerror(code), error);
    }
    if (!S_ISREG(facts.st_mode)) {
        (void)close(opened);
        return fail_file(f, file, "is not a regular file", error);
    }
    *stamp = (hanse_file_stamp){.device = facts.st_dev,
                                .inode = facts.st_ino,
                                .size_bytes = (uint64_t)facts.st_size,
                                .changed_ns =
                                    facts.st_mtim.tv_sec * INT64_C(1000000000) +
                                    facts.st_mtim.tv_nsec};
    *descriptor = opened;
    return HANSE_OK;
}

/* A source dataset holds values of the same kind as the column. */
static hanse_status check_source(const hanse_foreign *f, size_t file,
                                 hanse_error *error)
{
    const hanse_hdf5_table *table =
        hanse_hdf5_source_table(f->sources[file], 0);
    const hanse_hdf5_type *theirs = &table->columns[0].type;
    const hanse_hdf5_type *ours = &f->column->type;
    const bool is_same = hanse_hdf5_type_same(theirs, ours) &&
                         theirs->form == ours->form &&
                         hanse_hdf5_type_memory_size(theirs) ==
                             hanse_hdf5_type_memory_size(ours) &&
                         (ours->form != HANSE_FORM_TEXT_FIXED ||
                          theirs->padding == ours->padding);
    if (is_same)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_TYPE,
                      "%s: column '%.60s' is %s, but %s in %s, where its "
                      "values lie; convert one of them",
                      f->table_file, f->column->name, ours->text, theirs->text,
                      f->names[file]);
}

/* Every piece lies within its file. */
static hanse_status check_pieces(const hanse_foreign *f, hanse_error *error)
{
    for (size_t i = 0; i < f->map->n_pieces; i++) {
        const hanse_foreign_piece *piece = &f->map->pieces[i];
        const uint64_t end = piece->start + piece->n;
        const uint64_t size =
            f->sources != NULL
                ? f->sources[piece->file]->ops->n_rows(f->sources[piece->file])
                : f->stamps[piece->file].size_bytes;
        if (end > size)
            return hanse_fail(
                error, HANSE_ERR_IO,
                "%s: column '%.60s' lies in %s up to %s %llu, but that ends at "
                "%llu; is it complete?",
                f->table_file, f->column->name, f->names[piece->file],
                f->sources != NULL ? "row" : "byte", (unsigned long long)end,
                (unsigned long long)size);
    }
    return HANSE_OK;
}

/* Rows that lie nowhere cost nothing in the file, so there may be no more of
 * them than of rows that do, or than a file of this size could hold. */
static hanse_status check_gaps(const hanse_foreign *f, uint64_t file_bytes,
                               hanse_error *error)
{
    uint64_t n_mapped = 0;
    const uint64_t max_expansion = 65536;
    for (size_t i = 0; i < f->map->n_pieces; i++)
        n_mapped += f->map->pieces[i].n;
    const uint64_t n_gaps = f->map->n_rows - n_mapped;
    if (f->sources == NULL || n_gaps <= n_mapped ||
        n_gaps / max_expansion <= file_bytes / f->map->element_bytes)
        return HANSE_OK;
    return hanse_fail(
        error, HANSE_ERR_FORMAT,
        "%s: column '%.60s': %llu rows claimed, of which %llu lie "
        "somewhere; the file is damaged",
        f->table_file, f->column->name, (unsigned long long)f->map->n_rows,
        (unsigned long long)n_mapped);
}

static hanse_status open_file(const hanse_hdf5_source *source,
                              const hanse_foreign *f, size_t file,
                              hanse_error *error)
{
    const hanse_foreign_file *wanted = &f->map->files[file];
    f->names[file] = find_file(f, wanted);
    if (f->names[file] == NULL)
        return hanse_fail_nomem(error, "file name", strlen(wanted->name));
    if (wanted->dataset == NULL) {
        int descriptor;
        HANSE_TRY(open_raw(f, file, &descriptor, &f->stamps[file], error));
        (void)close(descriptor);
        return HANSE_OK;
    }
    const hanse_status status = hanse_hdf5_source_open_column(
        source, f->names[file], wanted->dataset, &f->sources[file], error);
    if (status == HANSE_OK)
        return check_source(f, file, error);
    hanse_error_prefix(error, "%s: column '%.60s'", f->table_file,
                       f->column->name);
    return status;
}

static hanse_status open_all(const hanse_hdf5_source *source,
                             const hanse_hdf5_part *part,
                             const hanse_foreign *f, hanse_error *error)
{
    const hanse_hdf5_type *type = &f->column->type;
    if (hanse_hdf5_type_memory_size(type) != type->size_bytes)
        return hanse_fail(error, HANSE_ERR_TYPE,
                          "%s: column '%.60s': values of another size than in "
                          "memory, in other files; write one HDF5 file",
                          f->table_file, f->column->name);
    for (size_t i = 0; i < f->map->n_files; i++)
        HANSE_TRY(open_file(source, f, i, error));
    HANSE_TRY(check_pieces(f, error));
    return check_gaps(f, part->table.stamp.size_bytes, error);
}

hanse_status hanse_foreign_open(const hanse_hdf5_source *source,
                                const hanse_hdf5_part *part, size_t column,
                                hanse_foreign **out, hanse_error *error)
{
    const hanse_dataset_map *map = &part->table.maps[column];
    const size_t n = map->n_files + 1;
    const bool is_raw = map->kind == HANSE_LAYOUT_EXTERNAL;
    /* Of a map with a reason nothing was checked. */
    if (map->reason[0] != '\0' ||
        map->kind != part->table.columns[column].layout.kind)
        return hanse_fail(
            error, HANSE_ERR_FORMAT,
            "%s: damaged or hostile (column '%.60s' lies nowhere)",
            part->table.file, part->table.columns[column].name);
    hanse_foreign *f = calloc(1, sizeof *f);
    if (f != NULL) {
        f->column = &part->table.columns[column];
        f->map = map;
        f->table_file = part->table.file;
        f->names = calloc(n, sizeof *f->names);
        f->sources = is_raw ? NULL : calloc(n, sizeof *f->sources);
        f->stamps = is_raw ? calloc(n, sizeof *f->stamps) : NULL;
    }
    if (f == NULL || f->names == NULL ||
        (is_raw ? f->stamps == NULL : f->sources == NULL)) {
        hanse_foreign_close(f);
        return hanse_fail_nomem(error, "files of a column", n * sizeof *f);
    }
    const hanse_status status = open_all(source, part, f, error);
    if (status != HANSE_OK)
        hanse_foreign_close(f);
    else
        *out = f;
    return status;
}

void hanse_foreign_close(hanse_foreign *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->map->n_files; i++) {
        if (f->names != NULL)
            free(f->names[i]);
        if (f->sources != NULL)
            hanse_source_close(f->sources[i]);
    }
    free(f->names);
    free(f->sources);
    free(f->stamps);
    free(f);
}

/* ---- Fetching ----------------------------------------------------------- */

void hanse_foreign_fetcher_clear(hanse_foreign_fetcher *fetcher)
{
    if (fetcher->reader != NULL)
        fetcher->reader->source->ops->close_reader(fetcher->reader);
    if (fetcher->descriptor > 0)
        (void)close(fetcher->descriptor);
    *fetcher = (hanse_foreign_fetcher){0};
}

/* Has the file of a piece open. */
static hanse_status need_file(hanse_foreign *f, hanse_foreign_fetcher *fetcher,
                              size_t file, hanse_error *error)
{
    hanse_file_stamp stamp;
    if (fetcher->file == file &&
        (fetcher->reader != NULL || fetcher->descriptor > 0))
        return HANSE_OK;
    hanse_foreign_fetcher_clear(fetcher);
    fetcher->file = file;
    if (f->sources != NULL)
        return f->sources[file]->ops->open_reader(f->sources[file],
                                                  &fetcher->reader, error);
    HANSE_TRY(open_raw(f, file, &fetcher->descriptor, &stamp, error));
    if (memcmp(&stamp, &f->stamps[file], sizeof stamp) == 0)
        return HANSE_OK;
    return fail_file(f, file, "changed while it was being read; run again",
                     error);
}

static hanse_status read_raw(const hanse_foreign *f,
                             const hanse_foreign_fetcher *fetcher,
                             uint64_t offset, size_t n_bytes, char *out,
                             hanse_error *error)
{
    while (n_bytes > 0) {
        const ssize_t got =
            pread(fetcher->descriptor, out, n_bytes, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fail_file(f, fetcher->file,
                             got == 0 ? "became shorter" : strerror(errno),
                             error);
        out += got;
        offset += (uint64_t)got;
        n_bytes -= (size_t)got;
    }
    return HANSE_OK;
}

/* The first piece that ends behind a place. */
static size_t find_piece(const hanse_dataset_map *map, uint64_t first)
{
    size_t low = 0, high = map->n_pieces;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (map->pieces[middle].first + map->pieces[middle].n <= first)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Fetches what lies somewhere of n units (rows or bytes of external storage),
 * each unit_bytes wide. */
static hanse_status fetch_pieces(hanse_foreign *f,
                                 hanse_foreign_fetcher *fetcher, uint64_t first,
                                 uint64_t n, size_t unit_bytes, char *out,
                                 hanse_error *error)
{
    const hanse_dataset_map *map = f->map;
    const uint64_t end = first + n;
    for (size_t i = find_piece(map, first);
         i < map->n_pieces && map->pieces[i].first < end; i++) {
        const hanse_foreign_piece *piece = &map->pieces[i];
        const uint64_t from = piece->first > first ? piece->first : first;
        const uint64_t behind = piece->first + piece->n;
        const uint64_t to = behind < end ? behind : end;
        const uint64_t start = piece->start + (from - piece->first);
        char *target = out + (from - first) * unit_bytes;
        HANSE_TRY(need_file(f, fetcher, (size_t)piece->file, error));
        if (f->sources != NULL)
            HANSE_TRY(hanse_hdf5_reader_values(
                fetcher->reader, start, (size_t)(to - from), target, error));
        else
            HANSE_TRY(read_raw(f, fetcher, start, (size_t)(to - from), target,
                               error));
    }
    return HANSE_OK;
}

static bool is_swapped(const hanse_hdf5_type *type)
{
    const bool machine_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    return type->form == HANSE_FORM_NUMBER &&
           type->big_endian != machine_is_big;
}

/* Values of up to 8 bytes to the machine's order, in place. */
static void swap(char *values, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++, values += width)
        for (size_t b = 0; b < width / 2; b++) {
            const char low = values[b];
            values[b] = values[width - 1 - b];
            values[width - 1 - b] = low;
        }
}

hanse_status hanse_foreign_fetch(hanse_foreign *f,
                                 hanse_foreign_fetcher *fetcher, uint64_t first,
                                 size_t n, void *out, hanse_error *error)
{
    const hanse_hdf5_type *type = &f->column->type;
    const size_t width = type->size_bytes;
    if (f->sources == NULL) {
        HANSE_TRY(
            fetch_pieces(f, fetcher, first * width, n * width, 1, out, error));
        if (is_swapped(type))
            swap(out, n, width);
        return HANSE_OK;
    }
    char *value = out;
    for (size_t i = 0; i < n; i++, value += width)
        memcpy(value, f->map->fill, width);
    if (is_swapped(type))
        swap(out, n, width);
    return fetch_pieces(f, fetcher, first, n, width, out, error);
}
