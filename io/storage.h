/* SPDX-License-Identifier: Apache-2.0
 *
 * How the columns of a file that hanse makes are stored, and the encoding of
 * chunks outside the HDF5 library, so that threads can share it.
 */
#ifndef HANSE_IO_STORAGE_H
#define HANSE_IO_STORAGE_H

#include <hdf5.h>

#include "engine/hanse.h"

typedef enum hanse_compression {
    HANSE_COMPRESSION_NONE,
    HANSE_COMPRESSION_GZIP,
    HANSE_COMPRESSION_LZ4,
    HANSE_COMPRESSION_ZSTD
} hanse_compression;

enum {
    HANSE_DEFAULT_CHUNK_ROWS = 65536,
    HANSE_MAX_CHUNK_ROWS = 1 << 24
};

/* Zero is contiguous. */
typedef struct hanse_storage {
    bool chunked;
    uint32_t chunk_rows; /* 1 to HANSE_MAX_CHUNK_ROWS when chunked */
    hanse_compression compression;
    int level; /* gzip 1 to 9, zstd 1 to 19 */
    bool shuffle;
} hanse_storage;

/* Sets compression and level from "none", "gzip", "gzip:9", "lz4", "zstd",
 * "zstd:19". HANSE_ERR_ARGUMENT with the list of what is known. */
hanse_status hanse_storage_parse_compression(hanse_storage *storage,
                                             const char *text,
                                             hanse_error *error);

/* Chunks of the default size, compressed as the words say: a compression as
 * above, "shuffle", or both with a plus between, "gzip:9+shuffle".
 * HANSE_ERR_ARGUMENT. */
hanse_status hanse_storage_parse_chunked(hanse_storage *storage,
                                         const char *text, hanse_error *error);

/* HANSE_ERR_ARGUMENT when the parts do not go together. */
hanse_status hanse_storage_check(const hanse_storage *storage,
                                 hanse_error *error);

/* Sets chunks and filters of a dataset's creation list; false when the library
 * fails. The filters of io/hdf5_filters.h must be registered. */
bool hanse_storage_apply(const hanse_storage *storage, hid_t creation);

/* Chunks of a short table are no longer than the table. */
hanse_storage hanse_storage_of_table(const hanse_storage *storage,
                                     uint64_t n_rows);

/* Working memory of one thread for chunks of up to size_bytes. */
typedef struct hanse_chunk_encoder hanse_chunk_encoder;
hanse_status hanse_chunk_encoder_create(const hanse_storage *storage,
                                        size_t size_bytes,
                                        hanse_chunk_encoder **out,
                                        hanse_error *error);
void hanse_chunk_encoder_destroy(hanse_chunk_encoder *encoder);

/* Room that an encoded chunk of size_bytes needs. */
size_t hanse_chunk_encoder_bound(const hanse_chunk_encoder *encoder,
                                 size_t size_bytes);

/* A chunk as it goes into the file. */
typedef struct hanse_stored_chunk {
    const void *bytes; /* in `data` or in `room` */
    size_t size_bytes;
    uint32_t filter_mask; /* bit set: that filter was left out */
} hanse_stored_chunk;

/* Shuffles and compresses a chunk of elements of element_bytes each into
 * `room` (hanse_chunk_encoder_bound bytes). A compression that does not make
 * the chunk smaller is left out, as the HDF5 library does with an optional
 * filter. HANSE_ERR_NOMEM. */
hanse_status hanse_chunk_encode(hanse_chunk_encoder *encoder, const void *data,
                                size_t size_bytes, size_t element_bytes,
                                void *room, hanse_stored_chunk *out,
                                hanse_error *error);

#endif
