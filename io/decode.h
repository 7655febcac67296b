/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding the chunks of HDF5 datasets without the HDF5 library: undoing the
 * filters that the library and its public plug-ins apply.
 *
 * Chunks and parameters come from files of unknown origin. Every length is
 * checked; what a chunk decodes to is known beforehand, and nothing is written
 * past it, allocated beyond it or accepted when it is less. Messages name the
 * filter and what was wrong; which file, dataset and chunk is for the caller
 * to prefix.
 */
#ifndef HANSE_IO_DECODE_H
#define HANSE_IO_DECODE_H

#include "engine/base/memory.h"

/* Numbers of the filters that we decode; from 256 on as the HDF Group lists
 * them. In parentheses the parameters (values[]) that decoding needs. */
enum {
    HANSE_FILTER_DEFLATE = 1,
    HANSE_FILTER_SHUFFLE = 2, /* 0: bytes of an element */
    HANSE_FILTER_FLETCHER32 = 3,
    HANSE_FILTER_BZIP2 = 307,
    HANSE_FILTER_LZF = 32000,
    HANSE_FILTER_BLOSC = 32001,
    HANSE_FILTER_LZ4 = 32004,
    /* 2: bytes of an element, 3: elements of a block or 0, 4: 0 uncompressed,
     * 2 LZ4, 3 Zstandard; the last two are 0 when missing. */
    HANSE_FILTER_BITSHUFFLE = 32008,
    HANSE_FILTER_ZSTD = 32015
};

enum {
    HANSE_FILTER_VALUES_MAX = 20,
    HANSE_PIPELINE_MAX = 8
};

typedef struct hanse_filter {
    uint32_t id;
    uint32_t n_values;
    uint32_t values[HANSE_FILTER_VALUES_MAX];
} hanse_filter;

/* The filters of a dataset, in the order of writing. */
typedef struct hanse_pipeline {
    uint32_t n_filters;
    hanse_filter filters[HANSE_PIPELINE_MAX];
} hanse_pipeline;

/* Whether chunks of this pipeline can be decoded here. If not, `reason` (size
 * bytes, cut to fit) says why: "filter 4 (szip)". Else it is "". */
bool hanse_pipeline_decodable(const hanse_pipeline *pipeline, char *reason,
                              size_t size);

/* Loads the library that decodes HANSE_FILTER_BLOSC, which decoding does by
 * itself unless files cannot be opened any more. HANSE_ERR_IO: there is none.
 */
hanse_status hanse_decode_blosc_load(hanse_error *error);
/* Whether the filter of that number is one of ours. */
bool hanse_filter_decodable(uint32_t id);

/* Codec contexts and scratch memory: two buffers as large as the largest
 * chunk seen, three with bitshuffle. One per thread. */
typedef struct hanse_decoder hanse_decoder;

/* Scratch counts against `budget` (may be NULL; kept until destroy), the
 * codecs' contexts (some 200 KB) do not. HANSE_ERR_ARGUMENT when HANSE_CPU
 * is not a name. */
hanse_status hanse_decoder_create(hanse_budget *budget, hanse_decoder **out,
                                  hanse_error *error);

/* Accepts NULL. */
void hanse_decoder_destroy(hanse_decoder *decoder);

/* Decodes the stored_bytes bytes of a chunk. Bit i of filter_mask is set when
 * filter i was left out in writing it. *out are raw_bytes bytes, 64-byte
 * aligned, in the decoder's memory or in `stored` itself, valid until the next
 * call or destroy. HANSE_ERR_FORMAT: the chunk is damaged or decodes to
 * another size, or the pipeline is not decodable. HANSE_ERR_NOMEM,
 * HANSE_ERR_LIMIT: no scratch. */
hanse_status hanse_decoder_decode(hanse_decoder *decoder,
                                  const hanse_pipeline *pipeline,
                                  uint32_t filter_mask, const void *stored,
                                  size_t stored_bytes, size_t raw_bytes,
                                  const void **out, hanse_error *error);

/* The same into the caller's raw_bytes bytes, of any alignment, which do not
 * overlap the chunk; on failure they hold anything. The last step writes there
 * without a copy in between. */
hanse_status hanse_decoder_decode_into(hanse_decoder *decoder,
                                       const hanse_pipeline *pipeline,
                                       uint32_t filter_mask, const void *stored,
                                       size_t stored_bytes, size_t raw_bytes,
                                       void *out, hanse_error *error);

/* A decoded chunk of n_rows rows, to be read in pieces: what a shuffle put
 * last is undone piece by piece, while the piece is in the cache, and of a
 * compound row only the fields asked for are touched. */
typedef struct hanse_decoded {
    const uint8_t *data; /* in the decoder's memory or in the stored chunk */
    size_t n_rows;
    size_t row_bytes;
    bool shuffled; /* byte b of row i at data[b * n_rows + i] */
    const struct hanse_kernels *kernels;
} hanse_decoded;

/* As hanse_decoder_decode for a chunk of n_rows * row_bytes bytes, all but a
 * shuffle of whole rows. `data` need not be aligned. */
hanse_status hanse_decoder_open(hanse_decoder *decoder,
                                const hanse_pipeline *pipeline,
                                uint32_t filter_mask, const void *stored,
                                size_t stored_bytes, size_t n_rows,
                                size_t row_bytes, hanse_decoded *out,
                                hanse_error *error);

/* The same into the caller's n_rows * row_bytes bytes, where the data stay. */
hanse_status hanse_decoder_open_into(hanse_decoder *decoder,
                                     const hanse_pipeline *pipeline,
                                     uint32_t filter_mask, const void *stored,
                                     size_t stored_bytes, size_t n_rows,
                                     size_t row_bytes, void *buffer,
                                     hanse_decoded *out, hanse_error *error);

/* Copies bytes offset to offset + width - 1 of the n rows from `first` on to
 * out[0 .. n * width - 1], one row's after the other's. The caller keeps
 * within the chunk: first + n <= n_rows, offset + width <= row_bytes. May run
 * in several threads over one chunk. */
void hanse_decoded_read(const hanse_decoded *decoded, size_t offset,
                        size_t width, size_t first, size_t n, void *out);

#endif
