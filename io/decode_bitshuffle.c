/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter bitshuffle (32008). Data are cut into blocks of a multiple of
 * eight elements, the last one being what is left of such; up to seven
 * elements after it are stored as they are. A block is stored as planes: for
 * every byte of an element, for every bit of it, that bit of all elements.
 *
 * Without compression that is all. With it, the chunk begins with the size of
 * the data (8 bytes, big-endian) and of a block (4), both in bytes, and every
 * block with its stored size (4), followed by its planes as LZ4 or Zstandard.
 */
#include <string.h>

#include "io/decode_stage.h"

enum {
    PLAIN = 0,
    LZ4 = 2,
    ZSTD = 3
};

enum {
    HEADER_BYTES = 12,
    BLOCK_HEADER_BYTES = 4,
    BLOCK_MULTIPLE = 8,
    /* What the filter takes for itself when told no size of a block. */
    DEFAULT_BLOCK_BYTES = 8192,
    DEFAULT_BLOCK_MIN = 128
};

/* What is to be read, and how. */
typedef struct layout {
    uint32_t codec;
    size_t width;      /* bytes of an element */
    size_t block;      /* elements */
    size_t n_elements; /* in the chunk */
    const uint8_t *from, *end;
    uint8_t *planes, *bytes; /* each one block */
} layout;

static hanse_status damaged(hanse_error *error, const char *what)
{
    return hanse_fail(error, HANSE_ERR_FORMAT, "bitshuffle: damaged chunk (%s)",
                      what);
}

static size_t default_block(size_t width)
{
    const size_t n =
        DEFAULT_BLOCK_BYTES / width / BLOCK_MULTIPLE * BLOCK_MULTIPLE;
    return n > DEFAULT_BLOCK_MIN ? n : DEFAULT_BLOCK_MIN;
}

static hanse_status read_layout(const hanse_decode_stage *stage, layout *l,
                                hanse_error *error)
{
    const hanse_filter *filter = stage->filter;
    uint64_t size_bytes = stage->n_in;
    *l = (layout){
        .codec = filter->n_values > 4 ? filter->values[4] : PLAIN,
        .width = filter->values[2],
        .block = filter->n_values > 3 ? filter->values[3] : 0,
        .from = stage->in,
        .end = stage->in + stage->n_in,
    };
    if (l->codec == PLAIN) {
        if (l->block == 0)
            l->block = default_block(l->width);
    } else {
        if (stage->n_in < HEADER_BYTES)
            return damaged(error, "cut short");
        size_bytes = hanse_get_big_endian(l->from, 8);
        l->block = (size_t)hanse_get_big_endian(l->from + 8, 4) / l->width;
        l->from += HEADER_BYTES;
    }
    if (size_bytes > stage->capacity)
        return hanse_decode_too_long("bitshuffle", stage->capacity, error);
    if (size_bytes % l->width != 0)
        return damaged(error, "not a whole number of elements");
    if (l->block == 0 || l->block % BLOCK_MULTIPLE != 0)
        return damaged(error, "blocks not of a multiple of 8 elements");
    l->n_elements = (size_t)size_bytes / l->width;
    return HANSE_OK;
}

/* Memory for a block, before and after its bits are put in order. */
static hanse_status reserve_blocks(hanse_decoder *decoder, layout *l,
                                   hanse_error *error)
{
    const size_t largest = l->block < l->n_elements ? l->block : l->n_elements;
    const size_t block_bytes = largest * l->width;
    HANSE_TRY(hanse_decoder_reserve(decoder, HANSE_SCRATCH_WORK,
                                    2 * block_bytes, error));
    l->planes = decoder->scratch[HANSE_SCRATCH_WORK].memory;
    l->bytes = l->planes + block_bytes;
    return l->codec == ZSTD ? hanse_decoder_need_zstd(decoder, error)
                            : HANSE_OK;
}

/* The planes of the next block, n_bytes in all. */
static hanse_status take_planes(hanse_decoder *decoder, layout *l,
                                size_t n_bytes, const uint8_t **planes,
                                hanse_error *error)
{
    const size_t left = (size_t)(l->end - l->from);
    if (l->codec == PLAIN) {
        *planes = l->from;
        l->from += n_bytes;
        return HANSE_OK;
    }
    if (left < BLOCK_HEADER_BYTES)
        return damaged(error, "cut short");
    const size_t stored =
        (size_t)hanse_get_big_endian(l->from, BLOCK_HEADER_BYTES);
    if (stored > left - BLOCK_HEADER_BYTES)
        return damaged(error, "cut short");
    const uint8_t *body = l->from + BLOCK_HEADER_BYTES;
    const bool done =
        l->codec == LZ4
            ? hanse_decode_lz4_block(body, stored, l->planes, n_bytes)
            : hanse_decode_zstd_block(decoder, body, stored, l->planes,
                                      n_bytes);
    if (!done)
        return damaged(error,
                       l->codec == LZ4 ? "block of LZ4" : "block of Zstandard");
    *planes = l->planes;
    l->from = body + stored;
    return HANSE_OK;
}

/* One block of n elements; n is a multiple of 8. */
static void unshuffle_block(const hanse_kernels *kernels, const layout *l,
                            const uint8_t *planes, size_t n, uint8_t *out)
{
    for (size_t b = 0; b < l->width; b++)
        kernels->unshuffle_bits(planes + b * n, n / 8, l->bytes + b * n);
    kernels->unshuffle(l->bytes, n, l->width, n, out);
}

hanse_status hanse_decode_bitshuffle(hanse_decoder *decoder,
                                     hanse_decode_stage *stage,
                                     hanse_error *error)
{
    layout l;
    HANSE_TRY(read_layout(stage, &l, error));
    HANSE_TRY(reserve_blocks(decoder, &l, error));
    uint8_t *out = stage->out;
    size_t left = l.n_elements;
    while (left >= BLOCK_MULTIPLE) {
        const size_t whole = left - left % BLOCK_MULTIPLE;
        const size_t n = l.block < whole ? l.block : whole;
        const uint8_t *planes = NULL;
        HANSE_TRY(take_planes(decoder, &l, n * l.width, &planes, error));
        unshuffle_block(decoder->kernels, &l, planes, n, out);
        out += n * l.width;
        left -= n;
    }
    if (left * l.width > (size_t)(l.end - l.from))
        return damaged(error, "cut short");
    if (left != 0)
        memcpy(out, l.from, left * l.width);
    stage->n_out = l.n_elements * l.width;
    return HANSE_OK;
}
