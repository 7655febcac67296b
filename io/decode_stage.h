/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the pipeline (decode.c) and the codecs: one file per codec, one
 * function per filter. All lengths in `in` are claims of the file.
 */
#ifndef HANSE_IO_DECODE_STAGE_H
#define HANSE_IO_DECODE_STAGE_H

#include "engine/kernels/kernels.h"
#include "io/decode.h"

struct libdeflate_decompressor;
struct ZSTD_DCtx_s;

enum {
    HANSE_SCRATCH_EVEN, /* output of one stage is input of the next */
    HANSE_SCRATCH_ODD,
    HANSE_SCRATCH_WORK, /* within a stage */
    HANSE_SCRATCH_COUNT
};

typedef struct hanse_scratch {
    uint8_t *memory;
    size_t capacity_bytes;
} hanse_scratch;

struct hanse_decoder {
    hanse_budget *budget;
    const hanse_kernels *kernels;
    hanse_scratch scratch[HANSE_SCRATCH_COUNT];
    /* NULL until the first chunk that needs them. */
    struct libdeflate_decompressor *deflate;
    struct ZSTD_DCtx_s *zstd;
};

/* One filter undone: from in to out, which do not overlap. */
typedef struct hanse_decode_stage {
    const hanse_filter *filter;
    const uint8_t *in;
    size_t n_in;
    uint8_t *out;
    size_t capacity; /* not a byte more is written */
    size_t n_out;    /* result */
} hanse_decode_stage;

/* Fails with a message that begins with the filter's name. */
typedef hanse_status hanse_decode_function(hanse_decoder *decoder,
                                           hanse_decode_stage *stage,
                                           hanse_error *error);
hanse_decode_function hanse_decode_lz4;
hanse_decode_function hanse_decode_lzf;
hanse_decode_function hanse_decode_zstd;
hanse_decode_function hanse_decode_blosc;
hanse_decode_function hanse_decode_bitshuffle;
hanse_decode_function hanse_decode_bzip2;

/* Bytes that a stream of bzip2 decodes to, which only decoding tells; 0 when it
 * is damaged, empty, or decodes to more than `most`. */
uint64_t hanse_bzip2_size(const uint8_t *in, size_t n_in, uint64_t most);

/* "<codec>: decodes to more than <capacity> bytes". */
hanse_status hanse_decode_too_long(const char *codec, size_t capacity,
                                   hanse_error *error);

/* Makes a scratch buffer at least so large; what it held is lost. */
hanse_status hanse_decoder_reserve(hanse_decoder *decoder, int which,
                                   size_t size_bytes, hanse_error *error);

/* Blocks of LZ4 and Zstandard, for filters that cut data into such: decode
 * n_in bytes to exactly n_out bytes; false when they are damaged. The second
 * comes after hanse_decoder_need_zstd. */
bool hanse_decode_lz4_block(const uint8_t *in, size_t n_in, uint8_t *out,
                            size_t n_out);
bool hanse_decode_zstd_block(hanse_decoder *decoder, const uint8_t *in,
                             size_t n_in, uint8_t *out, size_t n_out);

/* Creates the decoder's context unless it is there. */
hanse_status hanse_decoder_need_zstd(hanse_decoder *decoder,
                                     hanse_error *error);

static inline uint64_t hanse_get_big_endian(const uint8_t *in, size_t n_bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n_bytes; i++)
        value = value << 8 | in[i];
    return value;
}

#endif
