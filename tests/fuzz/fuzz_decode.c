/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzer of the chunk decoder: any pipeline, any stored bytes. Chunk and
 * output end at unmapped pages, because the codecs are libraries that the
 * sanitizers do not see into. The functions to decode agree in what they
 * accept and what comes out, on the scalar and on the best kernels.
 *
 * An input is: number of filters, filter mask, bytes of a row, number of rows
 * (2 bytes, low one first); per filter its number (an index into `ids`, 16
 * for bzip2, or more for another), bytes of an element, elements of a block /
 * 8, compression; the rest is the chunk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/cpu.h"
#include "io/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stops the fuzzer, in release builds too. */
#define CHECK(holds)                                                    \
    do {                                                                \
        if (!(holds)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #holds); \
            abort();                                                    \
        }                                                               \
    } while (0)

enum {
    AREA = 1 << 20,
    HEAD_BYTES = 5,
    FILTER_BYTES = 4,
    RAW_BYTES_MAX = 1 << 18
};

typedef struct setting {
    hanse_pipeline pipeline;
    uint32_t filter_mask;
    size_t row_bytes, n_rows;
    const uint8_t *stored;
    size_t stored_bytes;
} setting;

/* More than eight filters over the largest chunk take. */
static hanse_budget budget = {.limit_bytes = 1 << 24};
static hanse_decoder *scalar, *best;
static uint8_t *stored_end, *out_end; /* unmapped from here on */

static uint8_t *guarded_area(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *area = mmap(NULL, AREA + page, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED && mprotect(area + AREA, page, PROT_NONE) == 0);
    return area + AREA;
}

static void set_up(void)
{
    if (best != NULL)
        return;
    setenv("HANSE_CPU", "scalar", 1);
    CHECK(hanse_decoder_create(&budget, &scalar, NULL) == HANSE_OK);
    unsetenv("HANSE_CPU");
    CHECK(hanse_decoder_create(&budget, &best, NULL) == HANSE_OK);
    stored_end = guarded_area();
    out_end = guarded_area();
}

static hanse_filter filter_of(const uint8_t *data)
{
    static const uint32_t ids[] = {
        HANSE_FILTER_DEFLATE, HANSE_FILTER_SHUFFLE,   HANSE_FILTER_FLETCHER32,
        HANSE_FILTER_LZF,     HANSE_FILTER_BLOSC,     HANSE_FILTER_LZ4,
        HANSE_FILTER_ZSTD,    HANSE_FILTER_BITSHUFFLE};
    hanse_filter filter = {.id = data[0] < 16    ? ids[data[0] % 8]
                                 : data[0] == 16 ? (uint32_t)HANSE_FILTER_BZIP2
                                                 : data[0]};
    if (filter.id == HANSE_FILTER_BITSHUFFLE) {
        filter.n_values = 5;
        filter.values[2] = data[1];
        filter.values[3] = data[2] * 8u;
        filter.values[4] = data[3];
    } else {
        filter.n_values = 1;
        filter.values[0] = data[1];
    }
    return filter;
}

/* False when the input is too short to be one. */
static bool parse(const uint8_t *data, size_t size, setting *out)
{
    if (size < HEAD_BYTES)
        return false;
    const size_t n_filters = data[0];
    *out = (setting){.filter_mask = data[1],
                     .row_bytes = data[2],
                     .n_rows = (size_t)data[3] | (size_t)data[4] << 8};
    out->pipeline.n_filters = (uint32_t)n_filters;
    data += HEAD_BYTES;
    size -= HEAD_BYTES;
    if (size < n_filters * FILTER_BYTES)
        return false;
    for (size_t i = 0; i < n_filters && i < HANSE_PIPELINE_MAX; i++)
        out->pipeline.filters[i] = filter_of(data + i * FILTER_BYTES);
    out->stored_bytes = size - n_filters * FILTER_BYTES;
    if (out->stored_bytes > AREA ||
        out->n_rows * out->row_bytes > RAW_BYTES_MAX)
        return false;
    memcpy(stored_end - out->stored_bytes, data + n_filters * FILTER_BYTES,
           out->stored_bytes);
    out->stored = stored_end - out->stored_bytes;
    return true;
}

/* Reads every row in pieces, every field of three bytes or less. */
static void check_pieces(const hanse_decoded *decoded, const uint8_t *expected)
{
    const size_t row = decoded->row_bytes;
    for (size_t b = 0; b < row; b += 3) {
        const size_t width = row - b < 3 ? row - b : 3;
        for (size_t i = 0; i < decoded->n_rows; i += 1000) {
            const size_t left = decoded->n_rows - i;
            const size_t n = left < 1000 ? left : 1000;
            uint8_t *out = out_end - n * width;
            hanse_decoded_read(decoded, b, width, i, n, out);
            for (size_t k = 0; k < n; k++)
                CHECK(memcmp(out + k * width, expected + (i + k) * row + b,
                             width) == 0);
        }
    }
}

static void check_error(const hanse_error *error, hanse_status status)
{
    CHECK(status == HANSE_ERR_FORMAT && error->status == status);
    CHECK(error->message[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t expected[RAW_BYTES_MAX];
    setting s;
    hanse_error error = {0};
    const void *out = NULL;
    hanse_decoded decoded;
    set_up();
    if (!parse(data, size, &s))
        return 0;
    const size_t raw_bytes = s.n_rows * s.row_bytes;
    const hanse_status status =
        hanse_decoder_decode(best, &s.pipeline, s.filter_mask, s.stored,
                             s.stored_bytes, raw_bytes, &out, &error);
    if (status == HANSE_OK)
        memcpy(expected, out, raw_bytes);
    else
        check_error(&error, status);
    CHECK(status == hanse_decoder_decode_into(scalar, &s.pipeline,
                                              s.filter_mask, s.stored,
                                              s.stored_bytes, raw_bytes,
                                              out_end - raw_bytes, &error));
    if (status == HANSE_OK)
        CHECK(memcmp(out_end - raw_bytes, expected, raw_bytes) == 0);
    CHECK(status == hanse_decoder_open(best, &s.pipeline, s.filter_mask,
                                       s.stored, s.stored_bytes, s.n_rows,
                                       s.row_bytes, &decoded, &error));
    if (status == HANSE_OK)
        check_pieces(&decoded, expected);
    return 0;
}
