/* SPDX-License-Identifier: Apache-2.0
 *
 * How the bytes of a column are read: through the HDF5 library, which lets one
 * thread in at a time. Gives values in the machine's own types, not yet cleaned
 * of padding or missing codes.
 */
#ifndef HANSE_IO_HDF5_FETCH_H
#define HANSE_IO_HDF5_FETCH_H

#include "io/hdf5_reader.h"
#include "io/text_arena.h"

/* Rows of one file. */
typedef struct hanse_row_range {
    const hanse_hdf5_part *part;
    uint64_t first; /* in the file */
    size_t n;       /* at least 1 */
} hanse_row_range;

static inline const hanse_hdf5_column *
hanse_hdf5_range_column(const hanse_row_range *rows, size_t field)
{
    return &rows->part->table.columns[rows->part->columns[field]];
}

/* What one thread has open. */
typedef struct hanse_hdf5_fetcher {
    const hanse_hdf5_source *source;
    hanse_text_arena arena; /* variable-length texts of the last fetches */
    hid_t transfer;         /* tells the library to use the arena */
    size_t part;            /* whose file is open; SIZE_MAX: none */
    hid_t file;
    hid_t *datasets; /* [field], negative: not open; a compound uses [0] */
    char cause[160]; /* of a failed read, in the library's words */
} hanse_hdf5_fetcher;

hanse_status hanse_hdf5_fetcher_init(hanse_hdf5_fetcher *fetcher,
                                     const hanse_hdf5_source *source,
                                     hanse_error *error);

/* Accepts one that is zero or already cleared. */
void hanse_hdf5_fetcher_clear(hanse_hdf5_fetcher *fetcher);

/* Fetches the values of a field into `out`, one after the other, each
 * hanse_hdf5_type_memory_size bytes. Variable-length texts are pointers into
 * the arena, valid until that is reset. HANSE_ERR_IO, HANSE_ERR_FORMAT (damaged
 * data), HANSE_ERR_LIMIT, HANSE_ERR_NOMEM; `out` is then undefined. */
hanse_status hanse_hdf5_fetch_column(hanse_hdf5_fetcher *fetcher,
                                     const hanse_row_range *rows, size_t field,
                                     void *out, hanse_error *error);

/* The same for members of a compound, each at most once, all in one call: rows
 * of hanse_hdf5_row_bytes, in them the fields in the order given, each in
 * hanse_hdf5_place_bytes, a multiple of eight so that every type is aligned. */
hanse_status hanse_hdf5_fetch_rows(hanse_hdf5_fetcher *fetcher,
                                   const hanse_row_range *rows,
                                   const size_t *fields, size_t n_fields,
                                   void *out, hanse_error *error);
size_t hanse_hdf5_row_bytes(const hanse_row_range *rows, const size_t *fields,
                            size_t n_fields);
size_t hanse_hdf5_place_bytes(const hanse_row_range *rows, size_t field);

#endif
