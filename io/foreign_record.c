/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of raw files, and selections of source datasets as ranges of rows: both
 * selections of a mapping are lists of blocks, walked side by side.
 */
#include "io/foreign_record.h"

#include <stdlib.h>
#include <string.h>

/* Pieces of one dataset; what is interleaved row by row has one for each. */
enum {
    MAX_PIECES = 1 << 20
};

/* ---- Lists -------------------------------------------------------------- */

/* Room for one more; the lists grow in powers of two. */
static hanse_status reserve(void **items, size_t n, size_t size_bytes,
                            hanse_error *error)
{
    if (n != 0 && (n & (n - 1)) != 0)
        return HANSE_OK;
    const size_t capacity = n == 0 ? 1 : 2 * n;
    void *larger = realloc(*items, capacity * size_bytes);
    if (larger == NULL)
        return hanse_fail_nomem(error, "files", capacity * size_bytes);
    *items = larger;
    return HANSE_OK;
}

static hanse_status add_piece(hanse_dataset_map *map,
                              const hanse_foreign_piece *piece,
                              hanse_error *error)
{
    if (map->n_pieces >= MAX_PIECES)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "a virtual dataset of more than %d pieces; write "
                          "the data to one file",
                          MAX_PIECES);
    HANSE_TRY(reserve((void **)&map->pieces, map->n_pieces, sizeof *map->pieces,
                      error));
    map->pieces[map->n_pieces++] = *piece;
    return HANSE_OK;
}

/* Takes ownership of both names. Gives the number of the file. */
static hanse_status add_file(hanse_dataset_map *map, char *name, char *dataset,
                             uint64_t *index, hanse_error *error)
{
    const size_t n = map->n_files;
    if (n > 0 && dataset != NULL && strcmp(map->files[n - 1].name, name) == 0 &&
        strcmp(map->files[n - 1].dataset, dataset) == 0) {
        free(name);
        free(dataset);
        *index = n - 1;
        return HANSE_OK;
    }
    const hanse_status status =
        reserve((void **)&map->files, n, sizeof *map->files, error);
    if (status != HANSE_OK) {
        free(name);
        free(dataset);
        return status;
    }
    map->files[n] = (hanse_foreign_file){name, dataset};
    map->n_files++;
    *index = n;
    return HANSE_OK;
}

/* ---- External storage --------------------------------------------------- */

static hanse_status add_raw_file(hid_t creation, unsigned index,
                                 uint64_t all_bytes, uint64_t *next,
                                 hanse_dataset_map *map, hanse_error *error)
{
    char name[4096];
    off_t offset;
    hsize_t size;
    hanse_foreign_piece piece = {.first = *next};
    if (H5Pget_external(creation, index, sizeof name, name, &offset, &size) < 0)
        return hanse_hdf5_fail(error, "external storage");
    name[sizeof name - 1] = '\0';
    char *copy = strdup(name);
    if (copy == NULL)
        return hanse_fail_nomem(error, "file name", sizeof name);
    HANSE_TRY(add_file(map, copy, NULL, &piece.file, error));
    piece.start = (uint64_t)offset;
    piece.n = all_bytes - *next;
    if (size != H5F_UNLIMITED && size < piece.n)
        piece.n = size;
    *next += piece.n;
    return piece.n != 0 ? add_piece(map, &piece, error) : HANSE_OK;
}

hanse_status hanse_record_external(hid_t creation, hanse_dataset_map *map,
                                   hanse_error *error)
{
    uint64_t all_bytes, next = 0;
    const int n = H5Pget_external_count(creation);
    if (n < 0 || __builtin_mul_overflow(
                     map->n_rows, (uint64_t)map->element_bytes, &all_bytes))
        return hanse_hdf5_fail(error, "external storage");
    for (unsigned i = 0; i < (unsigned)n; i++)
        HANSE_TRY(add_raw_file(creation, i, all_bytes, &next, map, error));
    return HANSE_OK;
}

/* ---- Selections --------------------------------------------------------- */

/* Ranges of rows: pairs of first and last. */
typedef struct blocks {
    hsize_t *ends;
    size_t n;
} blocks;

/* The dimension that a selection runs along; negative: it is no line. */
static int find_line(int rank, const hsize_t *start, const hsize_t *end)
{
    if (rank == 1)
        return 0;
    if (rank != 2)
        return -1;
    return start[1] == end[1] ? 0 : start[0] == end[0] ? 1 : -1;
}

static hanse_status fail_shape(hanse_error *error)
{
    return hanse_fail(error, HANSE_ERR_TYPE,
                      "a virtual dataset of selections that are no ranges of "
                      "rows; write the data to one file");
}

/* The blocks of a selection of one column, which must be the first and only
 * one of its dataset. */
static hanse_status list_blocks(hid_t space, blocks *out, hanse_error *error)
{
    hsize_t start[H5S_MAX_RANK], end[H5S_MAX_RANK], extent[H5S_MAX_RANK];
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 1 || H5Sget_select_bounds(space, start, end) < 0 ||
        H5Sget_simple_extent_dims(space, extent, NULL) < 0)
        return hanse_hdf5_fail(error, "virtual dataset");
    const int line = find_line(rank, start, end);
    if (line < 0 || (rank == 2 && extent[1 - line] != 1))
        return fail_shape(error);
    const bool is_all = H5Sget_select_type(space) == H5S_SEL_ALL;
    if (!is_all && H5Sget_select_type(space) != H5S_SEL_HYPERSLABS)
        return fail_shape(error);
    const hssize_t n = is_all ? 1 : H5Sget_select_hyper_nblocks(space);
    if (n < 1 || n > MAX_PIECES)
        return fail_shape(error);
    const size_t width = 2 * (size_t)rank;
    hsize_t *list = calloc((size_t)n, width * sizeof *list);
    if (list == NULL)
        return hanse_fail_nomem(error, "selection", (size_t)n * width);
    if (is_all) {
        list[line] = start[line];
        list[rank + line] = end[line];
    } else if (H5Sget_select_hyper_blocklist(space, 0, (hsize_t)n, list) < 0) {
        free(list);
        return hanse_hdf5_fail(error, "virtual dataset");
    }
    for (size_t i = 0; i < (size_t)n; i++) {
        const hsize_t first = list[i * width + (size_t)line];
        const hsize_t last = list[i * width + (size_t)(rank + line)];
        list[2 * i] = first;
        list[2 * i + 1] = last;
    }
    *out = (blocks){list, (size_t)n};
    return HANSE_OK;
}

/* All of a source, whose extent the file does not tell: as many rows as are
 * wanted. */
static hanse_status take_whole(const blocks *to, blocks *out,
                               hanse_error *error)
{
    hsize_t n = 0;
    out->ends = calloc(2, sizeof *out->ends);
    if (out->ends == NULL)
        return hanse_fail_nomem(error, "selection", 2 * sizeof *out->ends);
    for (size_t i = 0; i < to->n; i++)
        n += to->ends[2 * i + 1] - to->ends[2 * i] + 1;
    out->ends[1] = n - 1;
    out->n = 1;
    return HANSE_OK;
}

/* Both lists hold equally many rows, cut differently. */
static hanse_status add_ranges(const blocks *to, const blocks *from,
                               uint64_t file, hanse_dataset_map *map,
                               hanse_error *error)
{
    size_t t = 0, f = 0;
    hsize_t t_done = 0, f_done = 0;
    while (t < to->n && f < from->n) {
        const hsize_t t_first = to->ends[2 * t] + t_done;
        const hsize_t f_first = from->ends[2 * f] + f_done;
        const hsize_t t_left = to->ends[2 * t + 1] - t_first + 1;
        const hsize_t f_left = from->ends[2 * f + 1] - f_first + 1;
        const hsize_t n = t_left < f_left ? t_left : f_left;
        const hanse_foreign_piece piece = {t_first, n, file, f_first};
        HANSE_TRY(add_piece(map, &piece, error));
        t_done = n < t_left ? t_done + n : 0;
        f_done = n < f_left ? f_done + n : 0;
        t += n == t_left;
        f += n == f_left;
    }
    return t == to->n && f == from->n ? HANSE_OK : fail_shape(error);
}

/* ---- Virtual datasets --------------------------------------------------- */

static bool is_unlimited(hid_t space)
{
    hsize_t start[H5S_MAX_RANK], stride[H5S_MAX_RANK], count[H5S_MAX_RANK],
        block[H5S_MAX_RANK];
    const int rank = H5Sget_simple_extent_ndims(space);
    if (H5Sget_select_type(space) != H5S_SEL_HYPERSLABS ||
        H5Sis_regular_hyperslab(space) <= 0 ||
        H5Sget_regular_hyperslab(space, start, stride, count, block) < 0)
        return false;
    for (int i = 0; i < rank; i++)
        if (count[i] == H5S_UNLIMITED || block[i] == H5S_UNLIMITED)
            return true;
    return false;
}

/* Undoes "%%" in a name in place; false when it is a pattern ("%b"). */
static bool is_plain_name(char *name)
{
    char *out = name;
    for (const char *p = name; *p != '\0'; p++) {
        if (p[0] == '%' && p[1] != '%')
            return false;
        if (p[0] == '%')
            p++;
        *out++ = *p;
    }
    *out = '\0';
    return true;
}

/* A name of a mapping, from malloc; NULL on failure. */
static char *get_name(hid_t creation, size_t index,
                      ssize_t get(hid_t, size_t, char *, size_t))
{
    const ssize_t n = get(creation, index, NULL, 0);
    char *name = n > 0 && n < (1 << 16) ? malloc((size_t)n + 1) : NULL;
    if (name != NULL && get(creation, index, name, (size_t)n + 1) < 0) {
        free(name);
        return NULL;
    }
    return name;
}

static const char *mapping_fault(hid_t creation, size_t index)
{
    const char *fault = NULL;
    const hid_t to = H5Pget_virtual_vspace(creation, index);
    const hid_t from = H5Pget_virtual_srcspace(creation, index);
    char *name = get_name(creation, index, H5Pget_virtual_filename);
    char *dataset = get_name(creation, index, H5Pget_virtual_dsetname);
    if (to < 0 || from < 0 || name == NULL || dataset == NULL)
        fault = "a damaged virtual dataset";
    else if (!is_plain_name(name) || !is_plain_name(dataset))
        fault = "a virtual dataset whose sources are named by a pattern; write "
                "the data to one file";
    else if (is_unlimited(to) || is_unlimited(from))
        fault = "a virtual dataset of unlimited selections; write the data to "
                "one file";
    free(name);
    free(dataset);
    if (to >= 0)
        (void)H5Sclose(to);
    if (from >= 0)
        (void)H5Sclose(from);
    return fault;
}

const char *hanse_virtual_fault(hid_t creation)
{
    size_t n;
    const char *fault = NULL;
    if (H5Pget_virtual_count(creation, &n) < 0)
        return "a damaged virtual dataset";
    for (size_t i = 0; i < n && fault == NULL; i++)
        fault = mapping_fault(creation, i);
    return fault;
}

static hanse_status add_mapping(hid_t creation, size_t index,
                                hanse_dataset_map *map, hid_t to_space,
                                hid_t from_space, hanse_error *error)
{
    blocks to = {NULL, 0}, from = {NULL, 0};
    uint64_t file;
    char *name = get_name(creation, index, H5Pget_virtual_filename);
    char *dataset = get_name(creation, index, H5Pget_virtual_dsetname);
    if (name == NULL || dataset == NULL || !is_plain_name(name) ||
        !is_plain_name(dataset)) {
        free(name);
        free(dataset);
        return hanse_hdf5_fail(error, "virtual dataset");
    }
    HANSE_TRY(add_file(map, name, dataset, &file, error));
    hanse_status status = list_blocks(to_space, &to, error);
    if (status == HANSE_OK)
        status = H5Sget_select_type(from_space) == H5S_SEL_ALL
                     ? take_whole(&to, &from, error)
                     : list_blocks(from_space, &from, error);
    if (status == HANSE_OK)
        status = add_ranges(&to, &from, file, map, error);
    free(to.ends);
    free(from.ends);
    return status;
}

static int compare_pieces(const void *a, const void *b)
{
    const hanse_foreign_piece *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

hanse_status hanse_record_virtual(hid_t creation,
                                  const hanse_hdf5_layout *layout,
                                  hanse_dataset_map *map, hanse_error *error)
{
    size_t n;
    (void)layout;
    if (H5Pget_virtual_count(creation, &n) < 0)
        return hanse_hdf5_fail(error, "virtual dataset");
    hanse_status status = HANSE_OK;
    for (size_t i = 0; i < n && status == HANSE_OK; i++) {
        const hid_t to = H5Pget_virtual_vspace(creation, i);
        const hid_t from = H5Pget_virtual_srcspace(creation, i);
        status = to < 0 || from < 0
                     ? hanse_hdf5_fail(error, "virtual dataset")
                     : add_mapping(creation, i, map, to, from, error);
        if (to >= 0)
            (void)H5Sclose(to);
        if (from >= 0)
            (void)H5Sclose(from);
    }
    if (status == HANSE_OK && map->n_pieces > 1)
        qsort(map->pieces, map->n_pieces, sizeof *map->pieces, compare_pieces);
    return status;
}
