/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters that only decode. The library does not say how large the outcome is
 * to be; chunk or parameters do, and what they claim is checked by decoding.
 */
#include "io/hdf5_decoders.h"

#include <hdf5.h>
#include <string.h>

#include "engine/base/error.h"
#include "io/decode_stage.h"

/* No chunk of HDF5 is larger. */
static const uint64_t max_chunk_bytes = UINT32_MAX;

/* ---- Sizes -------------------------------------------------------------- */

/* h5py puts the size of a chunk in the third parameter; LZF makes at most 264
 * bytes of three. */
static uint64_t lzf_bytes(const hanse_filter *filter, const uint8_t *chunk,
                          size_t n_bytes)
{
    (void)chunk;
    if (filter->n_values > 2 && filter->values[2] != 0)
        return filter->values[2];
    return (uint64_t)n_bytes * 88;
}

static uint64_t blosc_bytes(const hanse_filter *filter, const uint8_t *chunk,
                            size_t n_bytes)
{
    (void)filter;
    if (n_bytes < 16)
        return 0;
    return chunk[4] | (uint64_t)chunk[5] << 8 | (uint64_t)chunk[6] << 16 |
           (uint64_t)chunk[7] << 24;
}

static uint64_t bitshuffle_bytes(const hanse_filter *filter,
                                 const uint8_t *chunk, size_t n_bytes)
{
    const bool is_compressed = filter->n_values > 4 && filter->values[4] != 0;
    if (!is_compressed)
        return n_bytes;
    return n_bytes < 12 ? 0 : hanse_get_big_endian(chunk, 8);
}

static uint64_t bzip2_bytes(const hanse_filter *filter, const uint8_t *chunk,
                            size_t n_bytes)
{
    (void)filter;
    return hanse_bzip2_size(chunk, n_bytes, max_chunk_bytes);
}

/* ---- Filters ------------------------------------------------------------ */

typedef struct codec {
    uint32_t id;
    uint64_t (*size)(const hanse_filter *filter, const uint8_t *chunk,
                     size_t n_bytes);
    hanse_decode_function *decode;
} codec;

static const codec lzf = {HANSE_FILTER_LZF, lzf_bytes, hanse_decode_lzf};
static const codec blosc = {HANSE_FILTER_BLOSC, blosc_bytes,
                            hanse_decode_blosc};
static const codec bitshuffle = {HANSE_FILTER_BITSHUFFLE, bitshuffle_bytes,
                                 hanse_decode_bitshuffle};

static const codec bzip2 = {HANSE_FILTER_BZIP2, bzip2_bytes,
                            hanse_decode_bzip2};

static bool decode(const codec *c, const hanse_filter *filter,
                   hanse_decode_stage *stage)
{
    hanse_decoder *decoder;
    if (hanse_decoder_create(NULL, &decoder, NULL) != HANSE_OK)
        return false;
    stage->filter = filter;
    const bool done = c->decode(decoder, stage, NULL) == HANSE_OK;
    hanse_decoder_destroy(decoder);
    return done;
}

/* The body of a filter's function: 0 on failure, else bytes decoded. */
static size_t run(const codec *c, unsigned flags, size_t n_values,
                  const unsigned *values, size_t n_bytes, size_t *buf_size,
                  void **buf)
{
    hanse_filter filter = {.id = c->id};
    if ((flags & H5Z_FLAG_REVERSE) == 0)
        return 0;
    if (n_values > HANSE_FILTER_VALUES_MAX)
        n_values = HANSE_FILTER_VALUES_MAX;
    filter.n_values = (uint32_t)n_values;
    for (size_t i = 0; i < n_values; i++)
        filter.values[i] = values[i];
    const uint64_t size = c->size(&filter, *buf, n_bytes);
    if (size == 0 || size > max_chunk_bytes)
        return 0;
    void *out = H5allocate_memory((size_t)size, false);
    if (out == NULL)
        return 0;
    hanse_decode_stage stage = {
        .in = *buf, .n_in = n_bytes, .out = out, .capacity = (size_t)size};
    if (!decode(c, &filter, &stage)) {
        H5free_memory(out);
        return 0;
    }
    H5free_memory(*buf);
    *buf = out;
    *buf_size = (size_t)size;
    return stage.n_out;
}

static size_t filter_lzf(unsigned flags, size_t n_values,
                         const unsigned *values, size_t n_bytes,
                         size_t *buf_size, void **buf)
{
    return run(&lzf, flags, n_values, values, n_bytes, buf_size, buf);
}

static size_t filter_blosc(unsigned flags, size_t n_values,
                           const unsigned *values, size_t n_bytes,
                           size_t *buf_size, void **buf)
{
    return run(&blosc, flags, n_values, values, n_bytes, buf_size, buf);
}

static size_t filter_bitshuffle(unsigned flags, size_t n_values,
                                const unsigned *values, size_t n_bytes,
                                size_t *buf_size, void **buf)
{
    return run(&bitshuffle, flags, n_values, values, n_bytes, buf_size, buf);
}

static size_t filter_bzip2(unsigned flags, size_t n_values,
                           const unsigned *values, size_t n_bytes,
                           size_t *buf_size, void **buf)
{
    return run(&bzip2, flags, n_values, values, n_bytes, buf_size, buf);
}

hanse_status hanse_hdf5_register_decoders(hanse_error *error)
{
    static const struct {
        H5Z_filter_t id;
        const char *name;
        H5Z_func_t filter;
    } filters[] = {
        {HANSE_FILTER_LZF, "lzf", filter_lzf},
        {HANSE_FILTER_BLOSC, "blosc", filter_blosc},
        {HANSE_FILTER_BITSHUFFLE, "bitshuffle", filter_bitshuffle},
        {HANSE_FILTER_BZIP2, "bzip2", filter_bzip2},
    };
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        const H5Z_class2_t class = {.version = H5Z_CLASS_T_VERS,
                                    .id = filters[i].id,
                                    .encoder_present = 0,
                                    .decoder_present = 1,
                                    .name = filters[i].name,
                                    .filter = filters[i].filter};
        if (H5Zregister(&class) < 0)
            return hanse_fail(error, HANSE_ERR_IO,
                              "HDF5 refuses to register the filter %s",
                              filters[i].name);
    }
    return HANSE_OK;
}
