/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter LZ4 (32004). A chunk is the size of the data (8 bytes,
 * big-endian), the size of a block (4), and per block its stored size (4) and
 * its bytes, which are the data itself when these are no more.
 */
#include <lz4.h>
#include <string.h>

#include "io/decode_stage.h"

enum {
    HEADER_BYTES = 12,
    BLOCK_HEADER_BYTES = 4
};

static hanse_status damaged(hanse_error *error, const char *what)
{
    return hanse_fail(error, HANSE_ERR_FORMAT, "lz4: damaged %s", what);
}

bool hanse_decode_lz4_block(const uint8_t *in, size_t n_in, uint8_t *out,
                            size_t n_out)
{
    if (n_in > LZ4_MAX_INPUT_SIZE || n_out > LZ4_MAX_INPUT_SIZE)
        return false;
    return LZ4_decompress_safe((const char *)in, (char *)out, (int)n_in,
                               (int)n_out) == (int)n_out;
}

/* Decodes the n bytes of one block and moves *from behind it. */
static hanse_status decode_block(const uint8_t **from, const uint8_t *end,
                                 uint8_t *out, size_t n, hanse_error *error)
{
    if ((size_t)(end - *from) < BLOCK_HEADER_BYTES)
        return damaged(error, "chunk (cut short)");
    const uint8_t *body = *from + BLOCK_HEADER_BYTES;
    const size_t stored =
        (size_t)hanse_get_big_endian(*from, BLOCK_HEADER_BYTES);
    if (stored > (size_t)(end - body))
        return damaged(error, "chunk (cut short)");
    if (stored > n)
        return damaged(error, "chunk (a block larger than its data)");
    if (stored == n)
        memcpy(out, body, n);
    else if (!hanse_decode_lz4_block(body, stored, out, n))
        return damaged(error, "block");
    *from = body + stored;
    return HANSE_OK;
}

hanse_status hanse_decode_lz4(hanse_decoder *decoder, hanse_decode_stage *stage,
                              hanse_error *error)
{
    (void)decoder;
    const uint8_t *from = stage->in, *end = from + stage->n_in;
    if (stage->n_in < HEADER_BYTES)
        return damaged(error, "chunk (cut short)");
    const uint64_t size_bytes = hanse_get_big_endian(from, 8);
    if (size_bytes > stage->capacity)
        return hanse_decode_too_long("lz4", stage->capacity, error);
    size_t block = (size_t)hanse_get_big_endian(from + 8, 4);
    if (block == 0)
        return damaged(error, "chunk (blocks of 0 bytes)");
    from += HEADER_BYTES;
    for (size_t done = 0; done < size_bytes; done += block) {
        if (block > size_bytes - done)
            block = (size_t)size_bytes - done;
        HANSE_TRY(decode_block(&from, end, stage->out + done, block, error));
    }
    stage->n_out = (size_t)size_bytes;
    return HANSE_OK;
}
