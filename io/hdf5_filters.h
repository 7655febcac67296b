/* SPDX-License-Identifier: Apache-2.0
 *
 * The registered HDF5 filters LZ4 (32004) and Zstandard (32015), encoding and
 * decoding, so that such files need no plug-in. Bytes and parameters are those
 * of the public filters (github.com/HDFGroup/hdf5_plugins and
 * github.com/aparamon/HDF5Plugin-Zstandard), which read what we write and
 * whose chunks we read.
 *
 * A chunk that does not decode, or that claims a size no HDF5 chunk can have,
 * fails the read; it never makes a filter read or write outside its buffers.
 */
#ifndef HANSE_IO_HDF5_FILTERS_H
#define HANSE_IO_HDF5_FILTERS_H

#include "io/decode.h"

/* Parameters, both optional, of HANSE_FILTER_LZ4: [0] size of a block in
 * bytes, 0 or absent 1 GiB; of HANSE_FILTER_ZSTD: [0] compression level. */

/* Makes both filters known to the HDF5 library, in front of any plug-in. May
 * be called any number of times and from several threads; where the library
 * is built without thread safety, no other HDF5 call may run meanwhile. */
hanse_status hanse_hdf5_register_filters(hanse_error *error);

/* The LZ4 filter's chunk: size of the data (8 bytes, big-endian), size of a
 * block (4), then per block its stored size (4) and its bytes, which are the
 * data itself where compression does not make them fewer.
 *
 * Bytes that the encoding of size_bytes of data takes at most; 0 when the data
 * is empty or too large for LZ4 (0x7E000000 bytes). block_bytes 0: default. */
size_t hanse_lz4_chunk_bound(size_t size_bytes, size_t block_bytes);

/* Encodes data into `out`, which has room for hanse_lz4_chunk_bound bytes.
 * Returns the bytes written, 0 on failure. Safe to call from many threads. */
size_t hanse_lz4_chunk_encode(const void *data, size_t size_bytes,
                              size_t block_bytes, void *out);

/* Size of the data that an encoded chunk claims to hold; 0 when the chunk
 * cannot hold that much (LZ4 expands at most 255 times) or is cut short. */
size_t hanse_lz4_chunk_size(const void *chunk, size_t chunk_bytes);

/* Decodes a chunk into exactly size_bytes of `out`; false when the chunk is
 * damaged or holds another amount. Safe to call from many threads. */
bool hanse_lz4_chunk_decode(const void *chunk, size_t chunk_bytes, void *out,
                            size_t size_bytes);

#endif
