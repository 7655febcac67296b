/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks on chunks (decode_check.h).
 */
#include "decode_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/cpu.h"

static hanse_decoder *decoders[HANSE_CPU_COUNT];
static int n_decoders;
static hanse_budget budget;
static uint8_t *stored_end, *out_end; /* unmapped from here on */

static uint8_t *guarded_area(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *area = mmap(NULL, CHECK_BYTES_MAX + page, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED ||
        mprotect(area + CHECK_BYTES_MAX, page, PROT_NONE) != 0)
        return NULL;
    return area + CHECK_BYTES_MAX;
}

int decode_check_set_up(void **state)
{
    (void)state;
    for (int cpu = 0; cpu <= (int)hanse_cpu_detect(); cpu++) {
        setenv("HANSE_CPU", hanse_cpu_name((hanse_cpu)cpu), 1);
        if (hanse_decoder_create(&budget, &decoders[cpu], NULL) != HANSE_OK)
            return -1;
        n_decoders++;
    }
    unsetenv("HANSE_CPU");
    stored_end = guarded_area();
    out_end = guarded_area();
    return stored_end == NULL || out_end == NULL;
}

int decode_check_tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < n_decoders; i++)
        hanse_decoder_destroy(decoders[i]);
    return budget.used_bytes != 0;
}

void chunk_fill(chunk *c, size_t n_rows, size_t row_bytes)
{
    uint64_t x = 88172645463325252u;
    c->raw_bytes = n_rows * row_bytes;
    c->row_bytes = row_bytes;
    c->stored_bytes = 0;
    c->filter_mask = 0;
    c->pipeline.n_filters = 0;
    assert_true(c->raw_bytes <= CHECK_BYTES_MAX);
    for (size_t i = 0; i < c->raw_bytes; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        const size_t byte = i % row_bytes;
        c->raw[i] = byte == 0   ? (uint8_t)x
                    : byte == 1 ? (uint8_t)(i / row_bytes / 3)
                                : (uint8_t)(x % 64 == 0);
    }
}

hanse_filter *chunk_add_filter(chunk *c, uint32_t id)
{
    hanse_filter *filter = &c->pipeline.filters[c->pipeline.n_filters++];
    *filter = (hanse_filter){.id = id};
    return filter;
}

/* A copy of the chunk's first n bytes that ends at the unmapped page. */
static uint8_t *place(const chunk *c, size_t n)
{
    uint8_t *at = stored_end - n;
    memcpy(at, c->stored, n);
    return at;
}

static hanse_status decode_into(const chunk *c, hanse_decoder *decoder,
                                const uint8_t *stored, size_t stored_bytes,
                                size_t raw_bytes, hanse_error *error)
{
    return hanse_decoder_decode_into(decoder, &c->pipeline, c->filter_mask,
                                     stored, stored_bytes, raw_bytes,
                                     out_end - raw_bytes, error);
}

/* Fields and rows in pieces of several sizes. */
static void check_pieces(const chunk *c, hanse_decoder *decoder,
                         const uint8_t *stored)
{
    static uint8_t expected[CHECK_BYTES_MAX];
    static const size_t steps[] = {1, 7, 64, 1000};
    const size_t n_rows = c->raw_bytes / c->row_bytes, row = c->row_bytes;
    hanse_decoded decoded;
    assert_int_equal(hanse_decoder_open(decoder, &c->pipeline, c->filter_mask,
                                        stored, c->stored_bytes, n_rows, row,
                                        &decoded, NULL),
                     HANSE_OK);
    for (size_t s = 0; s < 4; s++) {
        const size_t offset = s * row / 5, width = row - offset - s * row / 9;
        for (size_t i = 0; i < n_rows; i++)
            memcpy(expected + i * width, c->raw + i * row + offset, width);
        uint8_t *out = out_end - n_rows * width;
        for (size_t i = 0; i < n_rows; i += steps[s]) {
            const size_t n = n_rows - i < steps[s] ? n_rows - i : steps[s];
            hanse_decoded_read(&decoded, offset, width, i, n, out + i * width);
        }
        assert_memory_equal(out, expected, n_rows * width);
    }
}

void check_decodes(const chunk *c)
{
    const uint8_t *stored = place(c, c->stored_bytes);
    for (int i = 0; i < n_decoders; i++) {
        hanse_error error = {0};
        const void *out = NULL;
        hanse_status status = hanse_decoder_decode(
            decoders[i], &c->pipeline, c->filter_mask, stored, c->stored_bytes,
            c->raw_bytes, &out, &error);
        if (status != HANSE_OK)
            fail_msg("%zu rows of %zu bytes: %s", c->raw_bytes / c->row_bytes,
                     c->row_bytes, error.message);
        assert_int_equal((uintptr_t)out % HANSE_ALIGNMENT, 0);
        assert_memory_equal(out, c->raw, c->raw_bytes);
        memset(out_end - c->raw_bytes, 0xa5, c->raw_bytes);
        status = decode_into(c, decoders[i], stored, c->stored_bytes,
                             c->raw_bytes, &error);
        assert_int_equal(status, HANSE_OK);
        assert_memory_equal(out_end - c->raw_bytes, c->raw, c->raw_bytes);
        check_pieces(c, decoders[i], stored);
    }
}

void check_cut_short(const chunk *c)
{
    for (size_t n = 0; n < c->stored_bytes; n++) {
        hanse_error error = {0};
        if (decode_into(c, decoders[n_decoders - 1], place(c, n), n,
                        c->raw_bytes, &error) != HANSE_ERR_FORMAT)
            fail_msg("%zu of %zu bytes are accepted", n, c->stored_bytes);
        assert_int_equal(error.status, HANSE_ERR_FORMAT);
        assert_true(error.message[0] != '\0');
    }
}

size_t check_damaged(const chunk *c, bool checked)
{
    static const uint8_t changes[] = {0x01, 0x10, 0x80, 0xff};
    size_t n_errors = 0;
    uint8_t *stored = place(c, c->stored_bytes);
    for (size_t i = 0; i < c->stored_bytes; i++)
        for (size_t k = 0; k < sizeof changes; k++) {
            hanse_error error = {0};
            stored[i] ^= changes[k];
            const hanse_status status =
                decode_into(c, decoders[n_decoders - 1], stored,
                            c->stored_bytes, c->raw_bytes, &error);
            stored[i] ^= changes[k];
            if (status != HANSE_OK) {
                assert_int_equal(status, HANSE_ERR_FORMAT);
                assert_true(error.message[0] != '\0');
                n_errors++;
            } else if (checked) {
                assert_memory_equal(out_end - c->raw_bytes, c->raw,
                                    c->raw_bytes);
            }
        }
    return n_errors;
}

void check_fails(const chunk *c, size_t raw_bytes, const char *part)
{
    hanse_error error = {0};
    const hanse_status status =
        decode_into(c, decoders[n_decoders - 1], place(c, c->stored_bytes),
                    c->stored_bytes, raw_bytes, &error);
    assert_int_equal(status, HANSE_ERR_FORMAT);
    if (strstr(error.message, part) == NULL)
        fail_msg("'%s' does not say '%s'", error.message, part);
}
