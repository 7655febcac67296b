/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter Blosc (32001): a chunk is a Blosc 1 container, whose header says
 * by which codec and how it is shuffled. The library checks it all; it takes
 * memory for blocks, which are never larger than the data, outside our budget.
 *
 * Blosc brings the C++ library, whose loading takes longer than reading a small
 * table. It is loaded when the first chunk asks for it.
 */
#include <blosc.h>
#include <dlfcn.h>
#include <pthread.h>

#include "io/decode_stage.h"

#define BLOSC_LIBRARY "libblosc.so.1"

static struct {
    pthread_once_t once;
    __typeof__(&blosc_cbuffer_sizes) sizes;
    __typeof__(&blosc_cbuffer_validate) validate;
    __typeof__(&blosc_decompress_ctx) decompress; /* NULL: not loaded */
} blosc = {.once = PTHREAD_ONCE_INIT};

/* The handle stays open: the functions are used until the end. */
static void load(void)
{
    void *library = dlopen(BLOSC_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return;
    blosc.sizes =
        (__typeof__(blosc.sizes))dlsym(library, "blosc_cbuffer_sizes");
    blosc.validate =
        (__typeof__(blosc.validate))dlsym(library, "blosc_cbuffer_validate");
    if (blosc.sizes != NULL && blosc.validate != NULL)
        blosc.decompress = (__typeof__(blosc.decompress))dlsym(
            library, "blosc_decompress_ctx");
}

hanse_status hanse_decode_blosc_load(hanse_error *error)
{
    (void)pthread_once(&blosc.once, load);
    if (blosc.decompress != NULL)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_IO,
                      "blosc: no " BLOSC_LIBRARY
                      ", which decodes it; install Debian's package libblosc1");
}

hanse_status hanse_decode_blosc(hanse_decoder *decoder,
                                hanse_decode_stage *stage, hanse_error *error)
{
    (void)decoder;
    size_t size_bytes, container_bytes, block_bytes;
    HANSE_TRY(hanse_decode_blosc_load(error));
    if (stage->n_in < BLOSC_MIN_HEADER_LENGTH)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "blosc: damaged container (cut short)");
    blosc.sizes(stage->in, &size_bytes, &container_bytes, &block_bytes);
    if (container_bytes > stage->n_in)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "blosc: damaged container (%zu bytes, header says "
                          "%zu)",
                          stage->n_in, container_bytes);
    if (blosc.validate(stage->in, container_bytes, &size_bytes) != 0)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "blosc: damaged container (header)");
    if (size_bytes > stage->capacity)
        return hanse_decode_too_long("blosc", stage->capacity, error);
    const int got = blosc.decompress(stage->in, stage->out, stage->capacity, 1);
    if (got < 0 || (size_t)got != size_bytes)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "blosc: damaged container (blosc's code %d)", got);
    stage->n_out = size_bytes;
    return HANSE_OK;
}
