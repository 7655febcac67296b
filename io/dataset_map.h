/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the bytes of a dataset lie and how they are encoded: all that is
 * needed to read it without the HDF5 library. Made by the confined child,
 * checked and used by the process that reads.
 */
#ifndef HANSE_IO_DATASET_MAP_H
#define HANSE_IO_DATASET_MAP_H

#include "engine/base/error.h"
#include "io/decode.h"
#include "io/hdf5_layout.h"

/* Address of what was never written: its values are the fill value. */
#define HANSE_ADDRESS_NONE UINT64_MAX

typedef struct hanse_chunk {
    uint64_t address;
    uint32_t stored_bytes;
    uint32_t filter_mask; /* bit i: filter i was left out */
} hanse_chunk;

/* Another file in which values lie, as its name stands in this one. */
typedef struct hanse_foreign_file {
    char *name;    /* "." of a virtual dataset: this file */
    char *dataset; /* path in it; NULL: raw bytes */
} hanse_foreign_file;

/* A range of values that lies in one of them; external storage counts in bytes,
 * virtual datasets in rows. */
typedef struct hanse_foreign_piece {
    uint64_t first; /* in the dataset */
    uint64_t n;     /* at least 1 */
    uint64_t file;  /* which */
    uint64_t start; /* in it */
} hanse_foreign_piece;

typedef struct hanse_dataset_map {
    bool is_recorded; /* false: nothing below is set yet */
    hanse_layout_kind kind;
    uint32_t element_bytes; /* a stored value, or a row of a compound */
    uint64_t n_rows;
    uint64_t chunk_rows; /* as stored, may exceed n_rows; 0: not chunked */
    uint64_t address;    /* contiguous */
    hanse_pipeline pipeline;
    uint8_t *fill;    /* element_bytes; what unwritten elements hold */
    uint8_t *compact; /* n_rows * element_bytes, or NULL */
    hanse_chunk *chunks;
    size_t n_chunks;
    /* External and virtual: where the values lie, by `first`, without overlaps;
     * the rest holds the fill value. */
    hanse_foreign_file *files;
    size_t n_files;
    hanse_foreign_piece *pieces;
    size_t n_pieces;
    /* Why only the library can read it; "" when we can. */
    char reason[HANSE_REASON_SIZE];
} hanse_dataset_map;

/* Frees what the map owns and empties it. */
void hanse_dataset_map_clear(hanse_dataset_map *map);

/* Checks a map against the size of its file, before anything is allocated or
 * read by it: sizes without overflow, every address inside the file, as many
 * chunks as the rows need, none larger than the file can hold. `what` begins
 * the message. HANSE_ERR_FORMAT when something does not hold. */
hanse_status hanse_dataset_map_check(const hanse_dataset_map *map,
                                     uint64_t file_bytes, const char *what,
                                     hanse_error *error);

/* Bytes of one decoded chunk; false on overflow. */
bool hanse_dataset_map_chunk_bytes(const hanse_dataset_map *map,
                                   size_t *size_bytes);

#endif
