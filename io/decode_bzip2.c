/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter bzip2 (307): a chunk is a stream of bzip2. Its library takes up to
 * 4 MB for a call, outside our budget.
 */
#include <bzlib.h>
#include <limits.h>

#include "io/decode_stage.h"

static hanse_status fail_stream(int code, hanse_error *error)
{
    if (code == BZ_MEM_ERROR)
        return hanse_fail(error, HANSE_ERR_NOMEM,
                          "out of memory: decoder of bzip2");
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "bzip2: damaged stream (code %d)", code);
}

/* The library counts in 32 bits. */
static unsigned clamp(size_t n_bytes)
{
    return n_bytes < UINT_MAX ? (unsigned)n_bytes : UINT_MAX;
}

hanse_status hanse_decode_bzip2(hanse_decoder *decoder,
                                hanse_decode_stage *stage, hanse_error *error)
{
    (void)decoder;
    unsigned n_out = clamp(stage->capacity);
    const int code =
        BZ2_bzBuffToBuffDecompress((char *)stage->out, &n_out,
                                   (char *)stage->in, clamp(stage->n_in), 0, 0);
    if (code == BZ_OUTBUFF_FULL)
        return hanse_decode_too_long("bzip2", stage->capacity, error);
    if (code != BZ_OK)
        return fail_stream(code, error);
    stage->n_out = n_out;
    return HANSE_OK;
}

uint64_t hanse_bzip2_size(const uint8_t *in, size_t n_in, uint64_t most)
{
    char out[1 << 14];
    bz_stream stream = {.next_in = (char *)in, .avail_in = clamp(n_in)};
    uint64_t total = 0;
    if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK)
        return 0;
    int code = BZ_OK;
    while (code == BZ_OK && total <= most) {
        stream.next_out = out;
        stream.avail_out = sizeof out;
        code = BZ2_bzDecompress(&stream);
        /* No end, and nothing more to read. */
        if (code == BZ_OK && stream.avail_out == sizeof out)
            code = BZ_UNEXPECTED_EOF;
        total += sizeof out - stream.avail_out;
    }
    (void)BZ2_bzDecompressEnd(&stream);
    return code == BZ_STREAM_END && total <= most ? total : 0;
}
