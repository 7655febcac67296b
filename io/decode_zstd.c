/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter Zstandard (32015): a chunk is a plain frame. It is decoded in one
 * go into memory of the right size, so that no window is kept.
 */
#include <zstd.h>
#include <zstd_errors.h>

#include "io/decode_stage.h"

hanse_status hanse_decoder_need_zstd(hanse_decoder *decoder, hanse_error *error)
{
    if (decoder->zstd == NULL)
        decoder->zstd = ZSTD_createDCtx();
    if (decoder->zstd == NULL)
        return hanse_fail(error, HANSE_ERR_NOMEM,
                          "out of memory: decoder of Zstandard");
    return HANSE_OK;
}

bool hanse_decode_zstd_block(hanse_decoder *decoder, const uint8_t *in,
                             size_t n_in, uint8_t *out, size_t n_out)
{
    return ZSTD_decompressDCtx(decoder->zstd, out, n_out, in, n_in) == n_out;
}

hanse_status hanse_decode_zstd(hanse_decoder *decoder,
                               hanse_decode_stage *stage, hanse_error *error)
{
    HANSE_TRY(hanse_decoder_need_zstd(decoder, error));
    const size_t got = ZSTD_decompressDCtx(
        decoder->zstd, stage->out, stage->capacity, stage->in, stage->n_in);
    if (ZSTD_getErrorCode(got) == ZSTD_error_dstSize_tooSmall)
        return hanse_decode_too_long("zstd", stage->capacity, error);
    if (ZSTD_isError(got))
        return hanse_fail(error, HANSE_ERR_FORMAT, "zstd: damaged frame (%s)",
                          ZSTD_getErrorName(got));
    stage->n_out = got;
    return HANSE_OK;
}
