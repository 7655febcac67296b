/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of columns by a table's maps, without the HDF5 library: threads read
 * the stored bytes with pread and decode them on their own.
 */
#ifndef HANSE_IO_RAW_FETCH_H
#define HANSE_IO_RAW_FETCH_H

#include "io/hdf5_reader.h"
#include "io/input_file.h"

/* What is kept of one field's dataset between morsels; a compound has that of
 * field 0 for all. */
typedef struct hanse_raw_slot {
    /* A chunk of which not all rows are delivered yet; map NULL: none. */
    const hanse_dataset_map *map;
    size_t chunk;
    hanse_decoded decoded; /* in `bytes` */
    uint8_t *bytes;
    size_t capacity;
    /* Of a mapped file: the bytes in use. */
    uint64_t touched_first;
    uint64_t touched_end;
} hanse_raw_slot;

/* What one thread has open. */
typedef struct hanse_raw_fetcher {
    const hanse_hdf5_source *source;
    hanse_decoder *decoder;
    const struct hanse_kernels *kernels;
    size_t part; /* whose file is open; SIZE_MAX: none */
    hanse_input_file file;
    hanse_raw_slot *slots; /* [field] */
    uint8_t *stored;       /* bytes of a chunk, or of a piece of rows */
    size_t capacity;
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

/* The map that a field of these rows is read by. */
static inline const hanse_dataset_map *
hanse_raw_map(const hanse_row_range *rows, size_t field)
{
    const hanse_hdf5_table *table = &rows->part->table;
    return &table
                ->maps[hanse_hdf5_table_map(table, rows->part->columns[field])];
}

/* Where the values of one field go. */
typedef struct hanse_raw_target {
    void *values;     /* room for rows->n values; set to where they are */
    uint8_t *missing; /* room for as many marks; NULL: none are wanted */
    bool as_stored;   /* missing numbers stay what they are */
    bool any_missing; /* result: a mark is set */
} hanse_raw_target;

/* Fetches the values of fields that share one dataset, whose map is recorded:
 * targets[i] receives rows->n values of fields[i], each
 * hanse_hdf5_type_memory_size bytes, in the machine's byte order. Numbers that
 * the column declares missing are NaN, or marked. Values that have been decoded
 * and need nothing else stay where they are until the next call for the field;
 * the target's `values` then points there. */
hanse_status hanse_raw_fetch(hanse_raw_fetcher *fetcher,
                             const hanse_row_range *rows, const size_t *fields,
                             size_t n_fields, hanse_raw_target *targets,
                             hanse_error *error);

/* Points *values to the values of a field where they lie in the mapped file
 * just as they are wanted, else sets it to NULL. They stay until the second
 * call from now for the same field, or for another file. Another process may
 * change them at any time: who uses a value twice copies it first. */
hanse_status hanse_raw_fetch_mapped(hanse_raw_fetcher *fetcher,
                                    const hanse_row_range *rows, size_t field,
                                    const void **values, hanse_error *error);

/* Has the stored bytes of fields brought into the page cache, in the
 * background; those whose map is not recorded are left out. */
hanse_status hanse_raw_read_ahead(hanse_raw_fetcher *fetcher,
                                  const hanse_row_range *rows,
                                  const size_t *fields, size_t n_fields,
                                  hanse_error *error);

/* Whether the stored bytes of a field's last row lie in the page cache. */
hanse_status hanse_raw_is_cached(hanse_raw_fetcher *fetcher,
                                 const hanse_row_range *rows, size_t field,
                                 bool *is_cached, hanse_error *error);

/* For raw_mapped.c: makes the fetcher have a part's file open; whether the
 * values of a column lie in the other byte order; whether a chunk's bytes are
 * its rows, all filters having been left out. */
hanse_status hanse_raw_open_part(hanse_raw_fetcher *fetcher,
                                 const hanse_hdf5_part *part,
                                 hanse_error *error);
bool hanse_raw_needs_swap(const hanse_hdf5_column *column);
bool hanse_raw_chunk_is_plain(const hanse_dataset_map *map, size_t chunk);

/* Whether all that was fetched came from files as they were when they were
 * opened; HANSE_ERR_IO. */
hanse_status hanse_raw_fetch_check(const hanse_raw_fetcher *fetcher,
                                   hanse_error *error);

#endif
