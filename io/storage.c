/* SPDX-License-Identifier: Apache-2.0
 *
 * Storage options, and chunks encoded by libdeflate, LZ4 and Zstandard
 * themselves, in the forms that the HDF5 filters read.
 */
#include "io/storage.h"

#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "engine/base/memory.h"
#include "io/deflate_planes.h"
#include "io/hdf5_filters.h"

/* Names and levels; lz4 has none. */
static const struct method {
    const char *name;
    hanse_compression compression;
    int default_level;
    int max_level;
} methods[] = {
    {"none", HANSE_COMPRESSION_NONE, 0, 0},
    {"gzip", HANSE_COMPRESSION_GZIP, 6, 9},
    {"lz4", HANSE_COMPRESSION_LZ4, 0, 0},
    {"zstd", HANSE_COMPRESSION_ZSTD, 3, 19},
};

enum {
    N_METHODS = sizeof methods / sizeof methods[0]
};

static hanse_status parse_level(const struct method *method, const char *text,
                                int *level, hanse_error *error)
{
    char *end;
    const long value = strtol(text, &end, 10);
    if (method->max_level == 0)
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "compression %s has no level; leave out ':%s'",
                          method->name, text);
    if (end == text || *end != '\0' || value < 1 || value > method->max_level)
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "compression %s: expected a level from 1 to %d, "
                          "found '%s'",
                          method->name, method->max_level, text);
    *level = (int)value;
    return HANSE_OK;
}

hanse_status hanse_storage_parse_compression(hanse_storage *storage,
                                             const char *text,
                                             hanse_error *error)
{
    const size_t length = strcspn(text, ":");
    for (size_t i = 0; i < N_METHODS; i++) {
        if (strlen(methods[i].name) != length ||
            strncmp(methods[i].name, text, length) != 0)
            continue;
        int level = methods[i].default_level;
        if (text[length] == ':')
            HANSE_TRY(
                parse_level(&methods[i], text + length + 1, &level, error));
        storage->compression = methods[i].compression;
        storage->level = level;
        return HANSE_OK;
    }
    return hanse_fail(error, HANSE_ERR_ARGUMENT,
                      "unknown compression '%s'; known are none, gzip[:1-9], "
                      "lz4, zstd[:1-19]",
                      text);
}

hanse_status hanse_storage_parse_chunked(hanse_storage *storage,
                                         const char *text, hanse_error *error)
{
    hanse_storage parsed = {.chunked = true,
                            .chunk_rows = HANSE_DEFAULT_CHUNK_ROWS};
    bool has_method = false;
    char *parts = hanse_text_copy(text);
    char *rest = parts;
    hanse_status status = HANSE_OK;
    if (parts == NULL)
        return hanse_fail_nomem(error, "storage", strlen(text));
    for (char *part; status == HANSE_OK && (part = strsep(&rest, "+")) != NULL;)
        if (strcmp(part, "shuffle") == 0 && !parsed.shuffle) {
            parsed.shuffle = true;
        } else if (!has_method) {
            has_method = true;
            status = hanse_storage_parse_compression(&parsed, part, error);
        } else {
            status = hanse_fail(error, HANSE_ERR_ARGUMENT,
                                "storage '%s': expected one compression and at "
                                "most one 'shuffle', such as gzip:6+shuffle",
                                text);
        }
    free(parts);
    if (status == HANSE_OK)
        *storage = parsed;
    return status;
}

hanse_storage hanse_storage_of_table(const hanse_storage *storage,
                                     uint64_t n_rows)
{
    hanse_storage fitted = *storage;
    if (fitted.chunked && fitted.chunk_rows > n_rows)
        fitted.chunk_rows = n_rows > 0 ? (uint32_t)n_rows : 1;
    return fitted;
}

hanse_status hanse_storage_check(const hanse_storage *storage,
                                 hanse_error *error)
{
    if (!storage->chunked) {
        const char *what = storage->chunk_rows != 0 ? "a chunk size"
                           : storage->compression != HANSE_COMPRESSION_NONE
                               ? "compression"
                           : storage->shuffle ? "shuffling"
                                              : NULL;
        if (what == NULL)
            return HANSE_OK;
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "%s needs chunks, but the layout is contiguous; use "
                          "--layout chunked",
                          what);
    }
    if (storage->chunk_rows >= 1 && storage->chunk_rows <= HANSE_MAX_CHUNK_ROWS)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_ARGUMENT,
                      "rows of a chunk: expected 1 to %d, found %u",
                      (int)HANSE_MAX_CHUNK_ROWS, (unsigned)storage->chunk_rows);
}

static bool set_compression(const hanse_storage *storage, hid_t creation)
{
    const unsigned level = (unsigned)storage->level;
    switch (storage->compression) {
    case HANSE_COMPRESSION_NONE:
        return true;
    case HANSE_COMPRESSION_GZIP:
        return H5Pset_deflate(creation, level) >= 0;
    case HANSE_COMPRESSION_LZ4:
        return H5Pset_filter(creation, HANSE_FILTER_LZ4, H5Z_FLAG_OPTIONAL, 0,
                             NULL) >= 0;
    case HANSE_COMPRESSION_ZSTD:
        return H5Pset_filter(creation, HANSE_FILTER_ZSTD, H5Z_FLAG_OPTIONAL, 1,
                             &level) >= 0;
    }
    return false;
}

bool hanse_storage_apply(const hanse_storage *storage, hid_t creation)
{
    if (!storage->chunked)
        return H5Pset_layout(creation, H5D_CONTIGUOUS) >= 0 &&
               H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY) >= 0;
    const hsize_t chunk = storage->chunk_rows;
    return H5Pset_chunk(creation, 1, &chunk) >= 0 &&
           (!storage->shuffle || H5Pset_shuffle(creation) >= 0) &&
           set_compression(storage, creation);
}

struct hanse_chunk_encoder {
    hanse_storage storage;
    struct libdeflate_compressor *deflate;
    ZSTD_CCtx *zstd;
    uint8_t *shuffled; /* NULL: not wanted */
};

hanse_status hanse_chunk_encoder_create(const hanse_storage *storage,
                                        size_t size_bytes,
                                        hanse_chunk_encoder **out,
                                        hanse_error *error)
{
    hanse_chunk_encoder *encoder = calloc(1, sizeof *encoder);
    if (encoder == NULL)
        return hanse_fail_nomem(error, "chunk encoder", sizeof *encoder);
    encoder->storage = *storage;
    bool complete = true;
    if (storage->compression == HANSE_COMPRESSION_GZIP) {
        encoder->deflate = libdeflate_alloc_compressor(storage->level);
        complete = encoder->deflate != NULL;
    } else if (storage->compression == HANSE_COMPRESSION_ZSTD) {
        encoder->zstd = ZSTD_createCCtx();
        complete = encoder->zstd != NULL;
    }
    if (complete && storage->shuffle) {
        encoder->shuffled = malloc(size_bytes);
        complete = encoder->shuffled != NULL;
    }
    if (!complete) {
        hanse_chunk_encoder_destroy(encoder);
        return hanse_fail_nomem(error, "chunk encoder", size_bytes);
    }
    *out = encoder;
    return HANSE_OK;
}

void hanse_chunk_encoder_destroy(hanse_chunk_encoder *encoder)
{
    if (encoder == NULL)
        return;
    if (encoder->deflate != NULL)
        libdeflate_free_compressor(encoder->deflate);
    ZSTD_freeCCtx(encoder->zstd);
    free(encoder->shuffled);
    free(encoder);
}

size_t hanse_chunk_encoder_bound(const hanse_chunk_encoder *encoder,
                                 size_t size_bytes)
{
    switch (encoder->storage.compression) {
    case HANSE_COMPRESSION_GZIP:
        return libdeflate_zlib_compress_bound(encoder->deflate, size_bytes);
    case HANSE_COMPRESSION_LZ4:
        return hanse_lz4_chunk_bound(size_bytes, 0);
    case HANSE_COMPRESSION_ZSTD:
        return ZSTD_compressBound(size_bytes);
    case HANSE_COMPRESSION_NONE:
        break;
    }
    return encoder->storage.shuffle ? size_bytes : 0;
}

/* Byte b of element i goes to place i of plane b. Inlined with a constant
 * size. */
static inline void shuffle_elements(const uint8_t *restrict data, size_t n,
                                    size_t element_bytes, uint8_t *restrict out)
{
    for (size_t b = 0; b < element_bytes; b++)
        for (size_t i = 0; i < n; i++)
            out[b * n + i] = data[i * element_bytes + b];
}

/* One step of the exchange below the diagonal: what `mask` chooses of b with
 * what lies `shift` bits higher in a. */
static inline void exchange(uint64_t *a, uint64_t *b, unsigned shift,
                            uint64_t mask)
{
    const uint64_t moved = ((*a >> shift) ^ *b) & mask;
    *b ^= moved;
    *a ^= moved << shift;
}

/* The same for eight bytes, eight elements at a time: their bytes are a square
 * that is transposed in three steps, halves first. */
static void shuffle_8(const uint8_t *restrict data, size_t n,
                      uint8_t *restrict out)
{
    const size_t n_whole = n - n % 8;
    for (size_t i = 0; i < n_whole; i += 8) {
        uint64_t x[8];
        memcpy(x, data + 8 * i, sizeof x);
        for (size_t k = 0; k < 4; k++)
            exchange(&x[k], &x[k + 4], 32, 0x00000000FFFFFFFFu);
        for (size_t k = 0; k < 4; k++)
            exchange(&x[k + k / 2 * 2], &x[k + k / 2 * 2 + 2], 16,
                     0x0000FFFF0000FFFFu);
        for (size_t k = 0; k < 8; k += 2)
            exchange(&x[k], &x[k + 1], 8, 0x00FF00FF00FF00FFu);
        for (size_t b = 0; b < 8; b++)
            memcpy(out + b * n + i, &x[b], 8);
    }
    for (size_t b = 0; b < 8; b++)
        for (size_t i = n_whole; i < n; i++)
            out[b * n + i] = data[i * 8 + b];
}

static void shuffle(const uint8_t *data, size_t size_bytes,
                    size_t element_bytes, uint8_t *out)
{
    const size_t n = size_bytes / element_bytes;
    switch (element_bytes) {
    case 2:
        shuffle_elements(data, n, 2, out);
        break;
    case 4:
        shuffle_elements(data, n, 4, out);
        break;
    case 8:
        shuffle_8(data, n, out);
        break;
    default:
        shuffle_elements(data, n, element_bytes, out);
        break;
    }
}

/* No fewer than there are where nothing is gained by it. */
static size_t compress_planes(hanse_chunk_encoder *encoder,
                              const hanse_planes *planes, void *room,
                              size_t room_bytes)
{
    const size_t stored = hanse_deflate_planes(
        encoder->deflate, encoder->storage.level, planes, room, room_bytes);
    return stored > 0 ? stored : planes->n_planes * planes->plane_bytes;
}

/* Compressed bytes; 0 when the codec failed. The data is one plane unless it is
 * shuffled. */
static size_t compress_chunk(hanse_chunk_encoder *encoder, const void *data,
                             size_t size_bytes, size_t n_planes, void *room)
{
    const hanse_planes planes = {data, size_bytes / n_planes, n_planes};
    const size_t bound = hanse_chunk_encoder_bound(encoder, size_bytes);
    size_t stored = 0;
    switch (encoder->storage.compression) {
    case HANSE_COMPRESSION_GZIP:
        return compress_planes(encoder, &planes, room, bound);
    case HANSE_COMPRESSION_LZ4:
        return hanse_lz4_chunk_encode(data, size_bytes, 0, room);
    case HANSE_COMPRESSION_ZSTD:
        stored = ZSTD_compressCCtx(encoder->zstd, room, bound, data, size_bytes,
                                   encoder->storage.level);
        return ZSTD_isError(stored) ? 0 : stored;
    case HANSE_COMPRESSION_NONE:
        break;
    }
    return 0;
}

hanse_status hanse_chunk_encode(hanse_chunk_encoder *encoder, const void *data,
                                size_t size_bytes, size_t element_bytes,
                                void *room, hanse_stored_chunk *out,
                                hanse_error *error)
{
    const void *plain = data;
    size_t n_planes = 1;
    *out = (hanse_stored_chunk){.bytes = data, .size_bytes = size_bytes};
    if (encoder->storage.shuffle && element_bytes > 1) {
        shuffle(data, size_bytes, element_bytes, encoder->shuffled);
        plain = encoder->shuffled;
        n_planes = element_bytes;
    }
    if (encoder->storage.compression != HANSE_COMPRESSION_NONE) {
        const size_t stored =
            compress_chunk(encoder, plain, size_bytes, n_planes, room);
        if (stored == 0)
            return hanse_fail(error, HANSE_ERR_NOMEM,
                              "cannot compress a chunk of %zu bytes",
                              size_bytes);
        if (stored < size_bytes) {
            out->bytes = room;
            out->size_bytes = stored;
            return HANSE_OK;
        }
        out->filter_mask = encoder->storage.shuffle ? 1u << 1 : 1u;
    }
    /* The next chunk needs the encoder's memory. */
    if (plain != data) {
        memcpy(room, plain, size_bytes);
        out->bytes = room;
    }
    return HANSE_OK;
}
