/* SPDX-License-Identifier: Apache-2.0
 *
 * Layout of datasets. Whatever would make the library open another file, or
 * load a plug-in that we do not know, is found here, before any data is
 * touched.
 */
#include "io/hdf5_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "io/foreign_record.h"
#include "io/hdf5_library.h"

/* Filters by number; those that are not allowed are known by name only. */
typedef struct known_filter {
    unsigned id;
    const char *name;
    bool allowed;
    bool decoded; /* by io/decode.h: needs nothing of the library */
} known_filter;

static const known_filter known_filters[] = {
    {H5Z_FILTER_DEFLATE, "deflate", true, true},
    {H5Z_FILTER_SHUFFLE, "shuffle", true, true},
    {H5Z_FILTER_FLETCHER32, "fletcher32", true, true},
    {H5Z_FILTER_SZIP, "szip", true, false},
    {H5Z_FILTER_NBIT, "nbit", true, false},
    {H5Z_FILTER_SCALEOFFSET, "scaleoffset", true, false},
    {305, "lzo", false, false},
    {307, "bzip2", true, true},
    {32000, "lzf", true, true},
    {32001, "blosc", true, true},
    {32004, "lz4", true, true},
    {32008, "bitshuffle", true, true},
    {32013, "zfp", false, false},
    {32015, "zstd", true, true},
    {32026, "blosc2", false, false},
};

/* A file of n bytes does not hold more than this many times n bytes of
 * values: Zstandard, the strongest of the filters, reaches 43690 to 1. Cells
 * that were never written have no bound of their own and fall under it. */
static const uint64_t max_expansion = 65536;

const char *hanse_layout_name(hanse_layout_kind kind)
{
    static const char *const names[] = {"contiguous", "chunked", "compact",
                                        "external", "virtual"};
    return names[kind];
}

/* ---- Filters ------------------------------------------------------------ */

static const known_filter *find_filter(unsigned id)
{
    const size_t n = sizeof known_filters / sizeof known_filters[0];
    for (size_t i = 0; i < n; i++)
        if (known_filters[i].id == id)
            return &known_filters[i];
    return NULL;
}

/* Plug-ins of the library are somebody's code, and are not loaded. */
static void refuse_filter(unsigned id, const known_filter *known, char *reason)
{
    snprintf(reason, HANSE_REASON_SIZE,
             "compressed with filter %u%s%s%s, which is not supported; write "
             "the data with another one (h5repack -f GZIP=6 does)",
             id, known != NULL ? " (" : "", known != NULL ? known->name : "",
             known != NULL ? ")" : "");
}

/* Adds "name parameter" to the text of filters. */
static void name_filter(hanse_hdf5_layout *out, const known_filter *known,
                        size_t n_values, const unsigned *values)
{
    const size_t used = strlen(out->filters);
    char *end = out->filters + used;
    const bool has_level =
        n_values > 0 && (known->id == H5Z_FILTER_DEFLATE || known->id == 32015);
    if (has_level)
        snprintf(end, sizeof out->filters - used, "%s%s %d",
                 used > 0 ? ", " : "", known->name, (int)values[0]);
    else
        snprintf(end, sizeof out->filters - used, "%s%s", used > 0 ? ", " : "",
                 known->name);
}

static hanse_status describe_filters(hid_t creation, hanse_hdf5_layout *out,
                                     char *reason, hanse_error *error)
{
    const int n = H5Pget_nfilters(creation);
    if (n < 0 || n > HANSE_MAX_FILTERS)
        return hanse_hdf5_fail(error, "dataset");
    for (unsigned i = 0; i < (unsigned)n; i++) {
        unsigned values[16];
        unsigned flags;
        unsigned config;
        size_t n_values = sizeof values / sizeof values[0];
        const H5Z_filter_t id = H5Pget_filter2(creation, i, &flags, &n_values,
                                               values, 0, NULL, &config);
        if (id < 0)
            return hanse_hdf5_fail(error, "dataset");
        const known_filter *known = find_filter((unsigned)id);
        if (known == NULL || !known->allowed ||
            (!known->decoded && H5Zfilter_avail(id) <= 0)) {
            refuse_filter((unsigned)id, known, reason);
            return HANSE_OK;
        }
        name_filter(out, known, n_values, values);
        out->filter_ids[out->n_filters++] = (unsigned)id;
    }
    return HANSE_OK;
}

/* ---- Extent ------------------------------------------------------------- */

static hanse_status refuse_shape(int rank, const hsize_t *extents, char *reason)
{
    char shape[64] = "";
    if (rank == 0)
        return hanse_hdf5_refuse(reason, "a single value, not a column");
    for (int i = 0; i < rank && i < 3; i++) {
        const size_t used = strlen(shape);
        snprintf(shape + used, sizeof shape - used, "%s%llu",
                 i > 0 ? " x " : "", (unsigned long long)extents[i]);
    }
    return hanse_hdf5_refuse(reason, "%d dimensions (%s%s); a column has one",
                             rank, shape, rank > 3 ? " x ..." : "");
}

static hanse_status describe_extent_of(hid_t space, hanse_hdf5_layout *out,
                                       char *reason, hanse_error *error)
{
    hsize_t extents[H5S_MAX_RANK] = {0};
    const H5S_class_t class = H5Sget_simple_extent_type(space);
    if (class == H5S_NULL)
        return hanse_hdf5_refuse(reason, "no data space, not a column");
    const int rank = H5Sget_simple_extent_dims(space, extents, NULL);
    if (class == H5S_NO_CLASS || rank < 0)
        return hanse_hdf5_fail(error, "dataset");
    const bool is_column = rank == 2 && extents[1] == 1;
    const bool is_row = rank == 2 && extents[0] == 1 && !is_column;
    if (rank != 1 && !is_column && !is_row)
        return refuse_shape(rank, extents, reason);
    out->rank = rank;
    out->row_dimension = is_row ? 1 : 0;
    out->n_rows = extents[out->row_dimension];
    return HANSE_OK;
}

static hanse_status describe_extent(hid_t dataset, hanse_hdf5_layout *out,
                                    char *reason, hanse_error *error)
{
    const hid_t space = H5Dget_space(dataset);
    if (space < 0)
        return hanse_hdf5_fail(error, "dataset");
    const hanse_status status = describe_extent_of(space, out, reason, error);
    (void)H5Sclose(space);
    return status;
}

/* ---- Layout ------------------------------------------------------------- */

static hanse_status refuse_virtual(hid_t creation, char *reason)
{
    const char *fault = hanse_virtual_fault(creation);
    return fault != NULL ? hanse_hdf5_refuse(reason, "%s", fault) : HANSE_OK;
}

static hanse_status check_foreign_data(hid_t creation, bool is_allowed,
                                       hanse_hdf5_layout *out, char *reason,
                                       hanse_error *error)
{
    switch (H5Pget_layout(creation)) {
    case H5D_CONTIGUOUS:
        out->kind = HANSE_LAYOUT_CONTIGUOUS;
        break;
    case H5D_CHUNKED:
        out->kind = HANSE_LAYOUT_CHUNKED;
        break;
    case H5D_COMPACT:
        out->kind = HANSE_LAYOUT_COMPACT;
        break;
    case H5D_VIRTUAL:
        out->kind = HANSE_LAYOUT_VIRTUAL;
        if (!is_allowed)
            return hanse_hdf5_refuse(
                reason, "a virtual dataset, whose data lies in other files; "
                        "name those as input, or allow them with "
                        "--allow-external");
        return refuse_virtual(creation, reason);
    default:
        return hanse_hdf5_fail(error, "dataset");
    }
    const int n_external = H5Pget_external_count(creation);
    if (n_external < 0)
        return hanse_hdf5_fail(error, "dataset");
    if (n_external > 0)
        out->kind = HANSE_LAYOUT_EXTERNAL;
    if (n_external > 0 && !is_allowed)
        return hanse_hdf5_refuse(reason,
                                 "external storage, whose data lies in other "
                                 "files; write one HDF5 file (h5repack does), "
                                 "or allow them with --allow-external");
    return HANSE_OK;
}

static hanse_status describe_chunks(hid_t creation, hanse_hdf5_layout *out,
                                    char *reason, hanse_error *error)
{
    hsize_t extents[H5S_MAX_RANK];
    if (out->kind != HANSE_LAYOUT_CHUNKED)
        return HANSE_OK;
    if (H5Pget_chunk(creation, H5S_MAX_RANK, extents) != out->rank)
        return hanse_hdf5_fail(error, "dataset");
    const uint64_t rows = extents[out->row_dimension];
    if (rows == 0)
        return hanse_hdf5_refuse(reason,
                                 "chunks of no rows; the file is damaged");
    const uint64_t most = out->n_rows > 0 ? out->n_rows : 1;
    out->chunk_rows = rows < most ? rows : most;
    return HANSE_OK;
}

/* Rows against the size of the file, before anything is allocated for them.
 * What lies elsewhere is checked when that is opened. */
static hanse_status check_sizes(hid_t dataset, size_t size_bytes,
                                uint64_t file_bytes, hanse_hdf5_layout *out,
                                char *reason)
{
    uint64_t raw_bytes;
    uint64_t most;
    if (hanse_layout_is_foreign(out->kind))
        return HANSE_OK;
    out->stored_bytes = H5Dget_storage_size(dataset);
    if (__builtin_mul_overflow(out->n_rows, size_bytes, &raw_bytes))
        raw_bytes = UINT64_MAX;
    if (__builtin_mul_overflow(file_bytes, max_expansion, &most))
        most = UINT64_MAX;
    if (raw_bytes > most)
        return hanse_hdf5_refuse(
            reason,
            "%llu rows claimed in a file of %llu bytes; the file is "
            "damaged, or was never filled",
            (unsigned long long)out->n_rows, (unsigned long long)file_bytes);
    if (out->stored_bytes > file_bytes)
        return hanse_hdf5_refuse(reason,
                                 "stored size beyond the file's; the file is "
                                 "damaged");
    return HANSE_OK;
}

/* Each step may refuse. Nothing asks for the extent before the layout is known:
 * a virtual dataset would open its sources to tell it. */
static hanse_status describe(hid_t dataset, hid_t creation, size_t size_bytes,
                             const hanse_file_facts *file,
                             hanse_hdf5_layout *out, char *reason,
                             hanse_error *error)
{
    HANSE_TRY(
        check_foreign_data(creation, file->allow_foreign, out, reason, error));
    if (reason[0] == '\0')
        HANSE_TRY(describe_filters(creation, out, reason, error));
    if (reason[0] == '\0')
        HANSE_TRY(describe_extent(dataset, out, reason, error));
    if (reason[0] == '\0')
        HANSE_TRY(describe_chunks(creation, out, reason, error));
    if (reason[0] == '\0')
        HANSE_TRY(
            check_sizes(dataset, size_bytes, file->size_bytes, out, reason));
    return HANSE_OK;
}

hanse_status hanse_hdf5_layout_describe(hid_t dataset, size_t size_bytes,
                                        const hanse_file_facts *file,
                                        hanse_hdf5_layout *out, char *reason,
                                        hanse_error *error)
{
    *out = (hanse_hdf5_layout){0};
    reason[0] = '\0';
    const hid_t creation = H5Dget_create_plist(dataset);
    if (creation < 0)
        return hanse_hdf5_fail(error, "dataset");
    const hanse_status status =
        describe(dataset, creation, size_bytes, file, out, reason, error);
    (void)H5Pclose(creation);
    return status;
}
