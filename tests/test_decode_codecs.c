/* SPDX-License-Identifier: Apache-2.0
 *
 * The chunk decoder on filters that the HDF5 library has as plug-ins only:
 * bitshuffle after its definition, Blosc by its own library, LZF by hand.
 * test_decode_plugins.py reads what the plug-ins themselves write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <blosc.h>
#include <cmocka.h>
#include <lz4.h>
#include <zstd.h>

#include "decode_check.h"

static chunk c;

static void put_big_endian(uint8_t *out, uint64_t value, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        out[i] = (uint8_t)(value >> (8 * (n_bytes - 1 - i)));
}

/* ---- Bitshuffle --------------------------------------------------------- */

/* Plane j * 8 + k holds bit k of byte j of all n elements. */
static void shuffle_bits(const uint8_t *in, size_t n, size_t width,
                         uint8_t *out)
{
    memset(out, 0, n * width);
    for (size_t i = 0; i < n; i++)
        for (size_t bit = 0; bit < 8 * width; bit++)
            out[bit * (n / 8) + i / 8] |=
                (uint8_t)((in[i * width + bit / 8] >> (bit % 8) & 1)
                          << (i % 8));
}

/* Appends a block as stored; returns its bytes. */
static size_t put_block(const uint8_t *planes, size_t n_bytes, uint32_t codec,
                        uint8_t *out)
{
    if (codec == 0) {
        memcpy(out, planes, n_bytes);
        return n_bytes;
    }
    const size_t room = 2 * n_bytes + 100;
    const size_t got =
        codec == 2 ? (size_t)LZ4_compress_default((const char *)planes,
                                                  (char *)out + 4, (int)n_bytes,
                                                  (int)room)
                   : ZSTD_compress(out + 4, room, planes, n_bytes, 3);
    assert_in_range(got, 1, room);
    put_big_endian(out, got, 4);
    return got + 4;
}

/* `block` elements each; 0: as the filter does by itself. */
static void make_bitshuffle(size_t n, size_t width, size_t block,
                            uint32_t codec)
{
    static uint8_t planes[CHECK_BYTES_MAX];
    chunk_fill(&c, n, width);
    *chunk_add_filter(&c, HANSE_FILTER_BITSHUFFLE) = (hanse_filter){
        .id = HANSE_FILTER_BITSHUFFLE,
        .n_values = codec == 0 ? 4 : 5,
        .values = {0, 3, (uint32_t)width, (uint32_t)block, codec}};
    if (block == 0) {
        block = 8192 / width / 8 * 8;
        block = block < 128 ? 128 : block;
    }
    uint8_t *to = c.stored;
    if (codec != 0) {
        put_big_endian(to, c.raw_bytes, 8);
        put_big_endian(to + 8, block * width, 4);
        to += 12;
    }
    size_t done = 0;
    while (n - done >= 8) {
        size_t m = (n - done) / 8 * 8;
        m = m < block ? m : block;
        shuffle_bits(c.raw + done * width, m, width, planes);
        to += put_block(planes, m * width, codec, to);
        done += m;
    }
    memcpy(to, c.raw + done * width, (n - done) * width);
    to += (n - done) * width;
    c.stored_bytes = (size_t)(to - c.stored);
}

static const uint32_t codecs[] = {0, 2, 3};

static void bitshuffle_of_any_shape_restores_elements(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 2, 3, 4, 5, 8, 12, 16, 40};
    static const size_t lengths[] = {1, 7, 8, 9, 64, 127, 500, 1003, 3000};
    static const size_t blocks[] = {0, 8, 64, 4096};
    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++)
        for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++)
            for (size_t b = 0; b < 4; b++)
                for (size_t k = 0; k < 3; k++) {
                    make_bitshuffle(lengths[l], widths[w], blocks[b],
                                    codecs[k]);
                    check_decodes(&c);
                }
}

static void bitshuffle_cut_short_or_damaged_does_no_harm(void **state)
{
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        make_bitshuffle(83, 8, 24, codecs[k]);
        check_cut_short(&c);
        const size_t n_errors = check_damaged(&c, false);
        assert_true(n_errors > 0 || codecs[k] == 0);
    }
}

static void bitshuffle_with_lying_header_is_refused(void **state)
{
    (void)state;
    make_bitshuffle(100, 8, 0, 2);
    check_fails(&c, c.raw_bytes + 8, "bitshuffle: decoded to 800 bytes, ");
    check_fails(&c, c.raw_bytes - 8, "bitshuffle: decodes to more than");
    put_big_endian(c.stored, 799, 8);
    check_fails(&c, c.raw_bytes, "not a whole number of elements");
    put_big_endian(c.stored, UINT64_MAX, 8);
    check_fails(&c, c.raw_bytes, "bitshuffle: decodes to more than");
    put_big_endian(c.stored, 800, 8);
    put_big_endian(c.stored + 8, 0, 4);
    check_fails(&c, c.raw_bytes, "blocks not of a multiple of 8 elements");
    put_big_endian(c.stored + 8, 13 * 8, 4);
    check_fails(&c, c.raw_bytes, "blocks not of a multiple of 8 elements");
    put_big_endian(c.stored + 8, UINT32_MAX / 64 * 64, 4);
    check_decodes(&c); /* one block holds it all */
    put_big_endian(c.stored + 12, UINT32_MAX, 4);
    check_fails(&c, c.raw_bytes, "bitshuffle: damaged chunk (cut short)");
}

/* ---- Blosc -------------------------------------------------------------- */

static void make_blosc(size_t n, size_t width, int shuffle, const char *codec,
                       int level)
{
    chunk_fill(&c, n, width);
    *chunk_add_filter(&c, HANSE_FILTER_BLOSC) = (hanse_filter){
        .id = HANSE_FILTER_BLOSC,
        .n_values = 4,
        .values = {2, 2, (uint32_t)width, (uint32_t)c.raw_bytes}};
    const int got =
        blosc_compress_ctx(level, shuffle, width, c.raw_bytes, c.raw, c.stored,
                           CHECK_BYTES_MAX, codec, 0, 1);
    assert_true(got > 0);
    c.stored_bytes = (size_t)got;
}

static const char *const blosc_codecs[] = {"blosclz", "lz4",  "lz4hc",
                                           "snappy",  "zlib", "zstd"};

static void blosc_of_any_codec_restores_data(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 2, 4, 8, 12};
    static const size_t lengths[] = {1, 15, 16, 100, 10001};
    for (size_t k = 0; k < 6; k++)
        for (int shuffle = 0; shuffle <= 2; shuffle++)
            for (size_t w = 0; w < 5; w++)
                for (size_t l = 0; l < 5; l++) {
                    make_blosc(lengths[l], widths[w], shuffle, blosc_codecs[k],
                               l == 3 ? 0 : 5);
                    check_decodes(&c);
                }
}

static void blosc_cut_short_or_damaged_does_no_harm(void **state)
{
    (void)state;
    for (size_t k = 0; k < 6; k++) {
        make_blosc(200, 8, 1 + (int)(k % 2), blosc_codecs[k], 5);
        check_cut_short(&c);
        assert_true(check_damaged(&c, false) > 0);
    }
}

static void blosc_with_lying_header_is_refused(void **state)
{
    (void)state;
    make_blosc(200, 8, 1, "lz4", 5);
    check_fails(&c, c.raw_bytes + 1, "blosc: decoded to 1600 bytes, ");
    check_fails(&c, c.raw_bytes - 1, "blosc: decodes to more than");
    c.stored[12]++; /* bytes of the container, little-endian */
    check_fails(&c, c.raw_bytes, "blosc: damaged container (");
    c.stored[12]--;
    c.stored[c.stored_bytes++] = 0; /* more than the header says is no harm */
    check_decodes(&c);
    c.stored_bytes = 15;
    check_fails(&c, c.raw_bytes, "blosc: damaged container (cut short)");
}

/* ---- LZF ---------------------------------------------------------------- */

/* A stream put together by hand, and what it holds. */
static void make_lzf(const char *stream, size_t n_stream, const char *data,
                     size_t n_data)
{
    chunk_fill(&c, n_data, 1);
    chunk_add_filter(&c, HANSE_FILTER_LZF);
    memcpy(c.raw, data, n_data);
    memcpy(c.stored, stream, n_stream);
    c.stored_bytes = n_stream;
}
#define MAKE_LZF(stream, data) \
    make_lzf(stream, sizeof stream - 1, data, sizeof data - 1)

static void lzf_streams_restore_data(void **state)
{
    (void)state;
    MAKE_LZF("\x00"
             "a",
             "a");
    check_decodes(&c);
    MAKE_LZF("\x1f"
             "abcdefghijklmnopqrstuvwxyz012345",
             "abcdefghijklmnopqrstuvwxyz012345");
    check_decodes(&c);
    /* Three bytes from one, two and three back. */
    MAKE_LZF("\x00"
             "a\x20\x00",
             "aaaa");
    check_decodes(&c);
    MAKE_LZF("\x02"
             "abc\x20\x01\x20\x02",
             "abcbcbbcb");
    check_decodes(&c);
    /* Nine bytes or more: 7 and another byte, here the 9 + 3 last. */
    MAKE_LZF("\x03"
             "abcd\xe0\x03\x03\x00"
             "!",
             "abcdabcdabcdabcd!");
    check_decodes(&c);
}

/* A match of every length up to the longest, from every short distance and
 * from far away. */
static void lzf_matches_of_any_length_repeat(void **state)
{
    (void)state;
    static const size_t far[] = {255, 256, 257, 4095, 8191, 8192};
    for (size_t n = 3; n <= 264; n++)
        for (size_t d = 1; d <= 46; d++) {
            const size_t distance = d <= 40 ? d : far[d - 41];
            chunk_fill(&c, distance + n + 1, 1);
            chunk_add_filter(&c, HANSE_FILTER_LZF);
            uint8_t *to = c.stored;
            for (size_t i = 0; i < distance; i += 32) {
                const size_t m = distance - i < 32 ? distance - i : 32;
                *to++ = (uint8_t)(m - 1);
                memcpy(to, c.raw + i, m);
                to += m;
            }
            const size_t length = n - 2, high = (distance - 1) >> 8;
            *to++ = (uint8_t)((length < 7 ? length : 7) << 5 | high);
            if (length >= 7)
                *to++ = (uint8_t)(length - 7);
            *to++ = (uint8_t)(distance - 1);
            for (size_t i = distance; i < distance + n; i++)
                c.raw[i] = c.raw[i - distance];
            *to++ = 0;
            *to++ = c.raw[distance + n];
            c.stored_bytes = (size_t)(to - c.stored);
            check_decodes(&c);
        }
}

static void lzf_damage_is_refused(void **state)
{
    (void)state;
    MAKE_LZF("\x02"
             "abc\xe0\x00\x02",
             "abcabcabcabc");
    check_decodes(&c);
    check_cut_short(&c);
    check_damaged(&c, false);
    check_fails(&c, 11, "lzf: decodes to more than the expected 11 bytes");
    check_fails(&c, 13, "lzf: decoded to 12 bytes, expected 13");
    c.stored[6] = 3;
    check_fails(&c, 12, "lzf: damaged stream (repeats what was before");
    c.stored_bytes = 6;
    check_fails(&c, 12, "lzf: damaged stream (cut short)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bitshuffle_of_any_shape_restores_elements),
        cmocka_unit_test(bitshuffle_cut_short_or_damaged_does_no_harm),
        cmocka_unit_test(bitshuffle_with_lying_header_is_refused),
        cmocka_unit_test(blosc_of_any_codec_restores_data),
        cmocka_unit_test(blosc_cut_short_or_damaged_does_no_harm),
        cmocka_unit_test(blosc_with_lying_header_is_refused),
        cmocka_unit_test(lzf_streams_restore_data),
        cmocka_unit_test(lzf_matches_of_any_length_repeat),
        cmocka_unit_test(lzf_damage_is_refused),
    };
    return cmocka_run_group_tests(tests, decode_check_set_up,
                                  decode_check_tear_down);
}
