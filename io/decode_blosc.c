/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter Blosc (32001): a chunk is a Blosc 1 container, whose header says
 * by which codec and how it is shuffled. The library checks it all; it takes
 * memory for blocks, which are never larger than the data, outside our budget.
 */
#include <blosc.h>

#include "io/decode_stage.h"

hanse_status hanse_decode_blosc(hanse_decoder *decoder,
                                hanse_decode_stage *stage, hanse_error *error)
{
    (void)decoder;
    size_t size_bytes, container_bytes, block_bytes;
    if (stage->n_in < BLOSC_MIN_HEADER_LENGTH)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "blosc: damaged container (cut short)");
    blosc_cbuffer_sizes(stage->in, &size_bytes, &container_bytes, &block_bytes);
    if (container_bytes > stage->n_in)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "blosc: damaged container (%zu bytes, header says "
                          "%zu)",
                          stage->n_in, container_bytes);
    if (blosc_cbuffer_validate(stage->in, container_bytes, &size_bytes) != 0)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "blosc: damaged container (header)");
    if (size_bytes > stage->capacity)
        return hanse_decode_too_long("blosc", stage->capacity, error);
    const int got =
        blosc_decompress_ctx(stage->in, stage->out, stage->capacity, 1);
    if (got < 0 || (size_t)got != size_bytes)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "blosc: damaged container (blosc's code %d)", got);
    stage->n_out = size_bytes;
    return HANSE_OK;
}
