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
    HANSE_LAYOUT_COMPACT
} hanse_layout_kind;

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

/* Describes an open dataset whose values take size_bytes each, in a file of
 * file_bytes. What we do not read says so in `reason` (HANSE_REASON_SIZE
 * bytes): more than one dimension, data in other files, unknown or missing
 * filters, extents that no file of this size can hold. HANSE_ERR_FORMAT when
 * the library fails. */
hanse_status hanse_hdf5_layout_describe(hid_t dataset, size_t size_bytes,
                                        uint64_t file_bytes,
                                        hanse_hdf5_layout *out, char *reason,
                                        hanse_error *error);

#endif
