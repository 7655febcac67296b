/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of a table's columns through the HDF5 library, which lets one thread
 * in at a time. Gives them in the machine's own types, not yet cleaned of
 * padding or missing codes. For the process that answers questions about a
 * file (io/map_server.h).
 */
#ifndef HANSE_IO_HDF5_FETCH_H
#define HANSE_IO_HDF5_FETCH_H

#include "io/hdf5_table.h"
#include "io/text_arena.h"

typedef struct hanse_hdf5_fetcher {
    hid_t file;                    /* borrowed */
    const hanse_hdf5_table *table; /* borrowed */
    hanse_text_arena arena; /* variable-length texts of the last fetches */
    hid_t transfer;         /* tells the library to use the arena */
    hid_t *datasets; /* [column], negative: not open; a compound uses [0] */
    char cause[160]; /* of a failed read, in the library's words */
} hanse_hdf5_fetcher;

/* For a table of an open file; texts are charged to the budget, which may be
 * NULL. */
hanse_status hanse_hdf5_fetcher_init(hanse_hdf5_fetcher *fetcher, hid_t file,
                                     const hanse_hdf5_table *table,
                                     hanse_budget *budget, hanse_error *error);

/* Accepts one that is zero or already cleared. */
void hanse_hdf5_fetcher_clear(hanse_hdf5_fetcher *fetcher);

/* Fetches n values (at least 1) of a column into `out`, one after the other,
 * each hanse_hdf5_type_memory_size bytes. Variable-length texts are pointers
 * into the arena, valid until that is reset. HANSE_ERR_IO, HANSE_ERR_FORMAT
 * (damaged data), HANSE_ERR_LIMIT, HANSE_ERR_NOMEM; `out` is then undefined. */
hanse_status hanse_hdf5_fetch(hanse_hdf5_fetcher *fetcher, size_t column,
                              uint64_t first, size_t n, void *out,
                              hanse_error *error);

#endif
