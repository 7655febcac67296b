/* SPDX-License-Identifier: Apache-2.0
 *
 * LZ4 and Zstandard as HDF5 filters. The two callbacks hand the work to the
 * codecs and follow the library's rule for filters: replace *buf by a new
 * buffer of H5allocate_memory and return the bytes in it, or return 0 and leave
 * everything as it was.
 */
#include "io/hdf5_filters.h"

#include <hdf5.h>
#include <lz4.h>
#include <pthread.h>
#include <string.h>
#include <zstd.h>

#include "engine/base/error.h"
#include "io/decode_stage.h"

enum {
    LZ4_HEADER_BYTES = 12,
    LZ4_BLOCK_HEADER_BYTES = 4,
    LZ4_DEFAULT_BLOCK_BYTES = 1 << 30
};

/* HDF5 keeps the size of a chunk in 32 bits. */
static const unsigned long long max_chunk_bytes = UINT32_MAX;

static void put_big_endian(uint8_t *out, uint64_t value, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        out[i] = (uint8_t)(value >> (8 * (n_bytes - 1 - i)));
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t lz4_block_bytes(size_t size_bytes, size_t block_bytes)
{
    if (block_bytes == 0)
        block_bytes = LZ4_DEFAULT_BLOCK_BYTES;
    return smaller(block_bytes, size_bytes);
}

size_t hanse_lz4_chunk_bound(size_t size_bytes, size_t block_bytes)
{
    if (size_bytes == 0 || size_bytes > LZ4_MAX_INPUT_SIZE)
        return 0;
    const size_t block = lz4_block_bytes(size_bytes, block_bytes);
    const size_t n_blocks = (size_bytes - 1) / block + 1;
    const size_t block_bound = (size_t)LZ4_compressBound((int)block);
    return LZ4_HEADER_BYTES + n_blocks * (block_bound + LZ4_BLOCK_HEADER_BYTES);
}

size_t hanse_lz4_chunk_encode(const void *data, size_t size_bytes,
                              size_t block_bytes, void *out)
{
    if (hanse_lz4_chunk_bound(size_bytes, block_bytes) == 0)
        return 0;
    const size_t block = lz4_block_bytes(size_bytes, block_bytes);
    const char *from = data;
    uint8_t *to = out;
    put_big_endian(to, size_bytes, 8);
    put_big_endian(to + 8, block, 4);
    to += LZ4_HEADER_BYTES;
    for (size_t done = 0; done < size_bytes; done += block) {
        const size_t n = smaller(block, size_bytes - done);
        char *body = (char *)to + LZ4_BLOCK_HEADER_BYTES;
        const int stored = LZ4_compress_default(from + done, body, (int)n,
                                                LZ4_compressBound((int)n));
        if (stored <= 0)
            return 0;
        size_t stored_bytes = (size_t)stored;
        if (stored_bytes >= n) {
            memcpy(body, from + done, n);
            stored_bytes = n;
        }
        put_big_endian(to, stored_bytes, LZ4_BLOCK_HEADER_BYTES);
        to += LZ4_BLOCK_HEADER_BYTES + stored_bytes;
    }
    return (size_t)(to - (uint8_t *)out);
}

size_t hanse_lz4_chunk_size(const void *chunk, size_t chunk_bytes)
{
    if (chunk_bytes < LZ4_HEADER_BYTES)
        return 0;
    const uint64_t size = hanse_get_big_endian(chunk, 8);
    if (size > LZ4_MAX_INPUT_SIZE || size / 255 > chunk_bytes)
        return 0;
    return (size_t)size;
}

bool hanse_lz4_chunk_decode(const void *chunk, size_t chunk_bytes, void *out,
                            size_t size_bytes)
{
    hanse_decode_stage stage = {
        .in = chunk, .n_in = chunk_bytes, .out = out, .capacity = size_bytes};
    return size_bytes != 0 &&
           hanse_decode_lz4(NULL, &stage, NULL) == HANSE_OK &&
           stage.n_out == size_bytes;
}

/* Puts a new buffer in the place of the filter's; returns n_bytes. */
static size_t replace_buffer(void *fresh, size_t n_bytes, size_t capacity,
                             size_t *buf_size, void **buf)
{
    H5free_memory(*buf);
    *buf = fresh;
    *buf_size = capacity;
    return n_bytes;
}

static size_t decode_lz4(size_t n_bytes, size_t *buf_size, void **buf)
{
    const size_t size = hanse_lz4_chunk_size(*buf, n_bytes);
    if (size == 0)
        return 0;
    void *data = H5allocate_memory(size, false);
    if (data == NULL)
        return 0;
    if (!hanse_lz4_chunk_decode(*buf, n_bytes, data, size)) {
        H5free_memory(data);
        return 0;
    }
    return replace_buffer(data, size, size, buf_size, buf);
}

static size_t filter_lz4(unsigned flags, size_t n_values,
                         const unsigned *values, size_t n_bytes,
                         size_t *buf_size, void **buf)
{
    if (flags & H5Z_FLAG_REVERSE)
        return decode_lz4(n_bytes, buf_size, buf);
    const size_t block_bytes = n_values > 0 ? values[0] : 0;
    const size_t bound = hanse_lz4_chunk_bound(n_bytes, block_bytes);
    if (bound == 0)
        return 0;
    void *chunk = H5allocate_memory(bound, false);
    if (chunk == NULL)
        return 0;
    const size_t stored =
        hanse_lz4_chunk_encode(*buf, n_bytes, block_bytes, chunk);
    if (stored == 0) {
        H5free_memory(chunk);
        return 0;
    }
    return replace_buffer(chunk, stored, bound, buf_size, buf);
}

/* Decodes a frame of known size. A block of 128 KiB takes 3 bytes or more, so
 * that a frame cannot claim memory out of proportion to the file. */
static size_t decode_zstd_known(unsigned long long size, size_t n_bytes,
                                size_t *buf_size, void **buf)
{
    if (size == 0 || size > max_chunk_bytes ||
        size / ZSTD_BLOCKSIZE_MAX > n_bytes / 3)
        return 0;
    void *data = H5allocate_memory((size_t)size, false);
    if (data == NULL)
        return 0;
    const size_t got = ZSTD_decompress(data, (size_t)size, *buf, n_bytes);
    if (ZSTD_isError(got) || got != size) {
        H5free_memory(data);
        return 0;
    }
    return replace_buffer(data, got, got, buf_size, buf);
}

/* Decodes one frame into a buffer that doubles until all of it fits. */
static size_t stream_zstd(ZSTD_DStream *stream, size_t n_bytes,
                          size_t *buf_size, void **buf)
{
    ZSTD_inBuffer in = {.src = *buf, .size = n_bytes};
    ZSTD_outBuffer out = {.size = ZSTD_BLOCKSIZE_MAX};
    out.dst = H5allocate_memory(out.size, false);
    if (out.dst == NULL)
        return 0;
    for (;;) {
        const size_t state = ZSTD_decompressStream(stream, &out, &in);
        if (state == 0 && out.pos > 0)
            return replace_buffer(out.dst, out.pos, out.size, buf_size, buf);
        const bool starved = in.pos == in.size && out.pos < out.size;
        if (state == 0 || ZSTD_isError(state) || starved)
            break;
        if (out.pos < out.size)
            continue;
        const size_t wanted = out.size * 2;
        void *grown =
            wanted > max_chunk_bytes ? NULL : H5resize_memory(out.dst, wanted);
        if (grown == NULL)
            break;
        out.dst = grown;
        out.size = wanted;
    }
    H5free_memory(out.dst);
    return 0;
}

static size_t decode_zstd(size_t n_bytes, size_t *buf_size, void **buf)
{
    const unsigned long long size = ZSTD_getFrameContentSize(*buf, n_bytes);
    if (size == ZSTD_CONTENTSIZE_ERROR)
        return 0;
    if (size != ZSTD_CONTENTSIZE_UNKNOWN)
        return decode_zstd_known(size, n_bytes, buf_size, buf);
    ZSTD_DStream *stream = ZSTD_createDStream();
    if (stream == NULL)
        return 0;
    const size_t got = stream_zstd(stream, n_bytes, buf_size, buf);
    ZSTD_freeDStream(stream);
    return got;
}

static size_t filter_zstd(unsigned flags, size_t n_values,
                          const unsigned *values, size_t n_bytes,
                          size_t *buf_size, void **buf)
{
    if (flags & H5Z_FLAG_REVERSE)
        return decode_zstd(n_bytes, buf_size, buf);
    /* Negative levels are stored as the unsigned of the same bits. */
    const int level = n_values > 0 ? (int)values[0] : ZSTD_defaultCLevel();
    const size_t bound = ZSTD_compressBound(n_bytes);
    void *frame = H5allocate_memory(bound, false);
    if (frame == NULL)
        return 0;
    const size_t stored = ZSTD_compress(frame, bound, *buf, n_bytes, level);
    if (ZSTD_isError(stored)) {
        H5free_memory(frame);
        return 0;
    }
    return replace_buffer(frame, stored, bound, buf_size, buf);
}

/* Registering again replaces the class by an equal one, and is needed after
 * H5close, which forgets it; hence no flag "already done". */
hanse_status hanse_hdf5_register_filters(hanse_error *error)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    const H5Z_class2_t classes[] = {
        {.version = H5Z_CLASS_T_VERS,
         .id = HANSE_FILTER_LZ4,
         .encoder_present = 1,
         .decoder_present = 1,
         .name = "lz4",
         .filter = filter_lz4},
        {.version = H5Z_CLASS_T_VERS,
         .id = HANSE_FILTER_ZSTD,
         .encoder_present = 1,
         .decoder_present = 1,
         .name = "zstd",
         .filter = filter_zstd},
    };
    hanse_status status = HANSE_OK;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < 2 && status == HANSE_OK; i++)
        if (H5Zregister(&classes[i]) < 0)
            status = hanse_fail(error, HANSE_ERR_IO,
                                "HDF5 refuses to register the filter %s (%d)",
                                classes[i].name, (int)classes[i].id);
    pthread_mutex_unlock(&lock);
    return status;
}
