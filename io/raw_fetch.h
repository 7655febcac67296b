/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of columns by a table's maps, without the HDF5 library: threads read
 * the stored bytes with pread and decode them on their own.
 */
#ifndef HANSE_IO_RAW_FETCH_H
#define HANSE_IO_RAW_FETCH_H

#include "io/hdf5_reader.h"

/* What one thread has open. */
typedef struct hanse_raw_fetcher {
    const hanse_hdf5_source *source;
    hanse_decoder *decoder;
    const struct hanse_kernels *kernels;
    size_t part;     /* whose file is open; SIZE_MAX: none */
    int descriptor;  /* of that file; negative: none */
    uint8_t *stored; /* bytes of a chunk, or of a piece of contiguous rows */
    size_t capacity;
    /* The chunk that the decoder holds; map NULL: none. */
    const hanse_dataset_map *map;
    size_t chunk;
    hanse_decoded decoded;
} hanse_raw_fetcher;

hanse_status hanse_raw_fetcher_init(hanse_raw_fetcher *fetcher,
                                    const hanse_hdf5_source *source,
                                    hanse_error *error);

/* Accepts one that is zero or already cleared. */
void hanse_raw_fetcher_clear(hanse_raw_fetcher *fetcher);

/* Why the values of a column cannot be fetched by its map, which is recorded;
 * "" when they can. Borrowed. */
const char *hanse_raw_fetch_obstacle(const hanse_hdf5_column *column,
                                     const hanse_dataset_map *map);

/* Fetches the values of fields that share one dataset, whose map is recorded:
 * outs[i] receives rows->n values of fields[i], each
 * hanse_hdf5_type_memory_size bytes, in the machine's byte order. */
hanse_status hanse_raw_fetch(hanse_raw_fetcher *fetcher,
                             const hanse_row_range *rows, const size_t *fields,
                             size_t n_fields, void *const *outs,
                             hanse_error *error);

#endif
