/* SPDX-License-Identifier: Apache-2.0
 *
 * How a dataset lies in its file: extent, chunks, filters, sizes.
 */
#ifndef HANSE_IO_HDF5_LAYOUT_H
#define HANSE_IO_HDF5_LAYOUT_H

#include "io/hdf5_library.h"

enum {
    HANSE_MAX_FILTERS = 32
}; /* as many as HDF5 allows */

typedef enum hanse_layout_kind {
    HANSE_LAYOUT_CONTIGUOUS,
    HANSE_LAYOUT_CHUNKED,
    HANSE_LAYOUT_COMPACT,
    HANSE_LAYOUT_EXTERNAL, /* contiguous, in raw files beside this one */
    HANSE_LAYOUT_VIRTUAL   /* put together from datasets of other files */
} hanse_layout_kind;

/* Whether values lie in other files, which are opened only when allowed. */
static inline bool hanse_layout_is_foreign(hanse_layout_kind kind)
{
    return kind == HANSE_LAYOUT_EXTERNAL || kind == HANSE_LAYOUT_VIRTUAL;
}

/* What is known of a file before its objects are described. */
typedef struct hanse_file_facts {
    uint64_t size_bytes;
    bool allow_foreign; /* columns whose values lie in other files are good */
} hanse_file_facts;

typedef struct hanse_hdf5_layout {
    hanse_layout_kind kind;
    uint64_t n_rows;
    uint64_t chunk_rows;   /* 0 when not chunked; at most n_rows or 1 */
    uint64_t stored_bytes; /* on disk, 0 when nothing was written */
    int rank;              /* 1, or 2 with one extent of 1 */
    int row_dimension;     /* the one that counts rows */
    size_t n_filters;
    unsigned filter_ids[HANSE_MAX_FILTERS]; /* in the order of writing */
    char filters[128];                      /* "shuffle, deflate 4" */
} hanse_hdf5_layout;

const char *hanse_layout_name(hanse_layout_kind kind);

/* Describes an open dataset whose values take size_bytes each. What we do not
 * read says so in `reason` (HANSE_REASON_SIZE bytes): more than one dimension,
 * data in other files, unknown or missing filters, extents that no file of this
 * size can hold. HANSE_ERR_FORMAT when the library fails. */
hanse_status hanse_hdf5_layout_describe(hid_t dataset, size_t size_bytes,
                                        const hanse_file_facts *file,
                                        hanse_hdf5_layout *out, char *reason,
                                        hanse_error *error);

#endif
