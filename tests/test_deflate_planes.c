/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams of planes, some of them stored: read back by libdeflate and by zlib,
 * which the HDF5 library uses; which planes are stored; rooms that are too
 * small; and chunks of the encoder in a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hdf5.h>

#include "io/deflate_planes.h"
#include "io/storage.h"

enum {
    LONG_PLANE = 65536
};

static uint64_t seed = 20240611;

static uint8_t random_byte(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint8_t)(seed >> 40);
}

static void fill_noise(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = random_byte();
}

/* A buffer of exactly n bytes, so that sanitizers see any access beyond. */
static uint8_t *make_bytes(size_t n)
{
    uint8_t *bytes = malloc(n > 0 ? n : 1);
    assert_non_null(bytes);
    return bytes;
}

/* ---- Estimates ---------------------------------------------------------- */

typedef void plane_maker(uint8_t *plane, size_t n);

static void make_constant(uint8_t *plane, size_t n)
{
    memset(plane, 7, n);
}

/* All values equally often. */
static void make_counter(uint8_t *plane, size_t n)
{
    for (size_t i = 0; i < n; i++)
        plane[i] = (uint8_t)i;
}

static void make_steps(uint8_t *plane, size_t n)
{
    for (size_t i = 0; i < n; i++)
        plane[i] = (uint8_t)(i / 100);
}

static void make_multiples(uint8_t *plane, size_t n)
{
    for (size_t i = 0; i < n; i++)
        plane[i] = (uint8_t)(i * i * 7919 / 3);
}

static void make_even_numbers(uint8_t *plane, size_t n)
{
    for (size_t i = 0; i < n; i++)
        plane[i] = random_byte() & 0xfe;
}

/* What comes again after as long as deflate can still see. */
static void make_repeats(uint8_t *plane, size_t n)
{
    for (size_t i = 0; i < n; i++)
        plane[i] = i < 32000 ? random_byte() : plane[i - 32000];
}

/* Each value four times. */
static void make_fours(uint8_t *plane, size_t n)
{
    for (size_t i = 0; i < n; i++)
        plane[i] = i % 4 == 0 ? random_byte() : plane[i - 1];
}

/* Noise but for a run at the end, as in the last chunk of a table. */
static void make_end(uint8_t *plane, size_t n)
{
    fill_noise(plane, n);
    memset(plane + n - n / 16, 0xf8, n / 16);
}

/* Two halves that are compressible alone, and together are even. */
static void make_halves(uint8_t *plane, size_t n)
{
    for (size_t i = 0; i < n; i++)
        plane[i] = (uint8_t)(random_byte() % 128 + i / (n / 2) % 2 * 128);
}

static void estimate_of_noise_is_next_to_nothing(void **state)
{
    (void)state;
    for (size_t n = 8192; n <= 4u << 20; n = n * 3 / 2) {
        uint8_t *plane = make_bytes(n);
        fill_noise(plane, n);
        assert_in_range(hanse_plane_estimate(plane, n), 0, n / 1000);
        free(plane);
    }
}

static void estimate_of_what_deflate_shrinks_is_more(void **state)
{
    (void)state;
    static plane_maker *const makers[] = {
        make_constant,     make_counter, make_steps, make_multiples,
        make_even_numbers, make_repeats, make_fours, make_end};
    struct libdeflate_compressor *deflate = libdeflate_alloc_compressor(1);
    uint8_t *plane = make_bytes(LONG_PLANE);
    uint8_t *stream = make_bytes(2 * LONG_PLANE);
    for (size_t m = 0; m < sizeof makers / sizeof makers[0]; m++) {
        makers[m](plane, LONG_PLANE);
        const size_t estimate = hanse_plane_estimate(plane, LONG_PLANE);
        const size_t size = libdeflate_deflate_compress(
            deflate, plane, LONG_PLANE, stream, 2 * (size_t)LONG_PLANE);
        const size_t saved = LONG_PLANE - size;
        assert_in_range(saved, LONG_PLANE / 100, LONG_PLANE);
        assert_in_range(estimate,
                        saved < LONG_PLANE / 8 ? saved * 3 / 4 : LONG_PLANE / 8,
                        LONG_PLANE);
    }
    free(plane);
    free(stream);
    libdeflate_free_compressor(deflate);
}

/* The blocks of libdeflate are no longer than its parts, either. */
static void estimate_of_a_long_plane_looks_at_parts(void **state)
{
    (void)state;
    const size_t n = 2 * (size_t)LONG_PLANE;
    uint8_t *plane = make_bytes(n);
    make_halves(plane, n);
    assert_in_range(hanse_plane_estimate(plane, n), n / 9, n / 7);
    free(plane);
}

static void estimate_of_a_short_plane_is_all(void **state)
{
    (void)state;
    for (size_t n = 0; n < 8192; n = n * 2 + 1) {
        uint8_t *plane = make_bytes(n);
        fill_noise(plane, n);
        assert_int_equal(hanse_plane_estimate(plane, n), n);
        free(plane);
    }
}

/* ---- Streams ------------------------------------------------------------ */

/* A file in memory with one chunk of n bytes, deflated; reads it. */
static void inflate_by_zlib(const uint8_t *stream, size_t size, uint8_t *out,
                            size_t n)
{
    const hsize_t extent = n, origin = 0;
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t space = H5Screate_simple(1, &extent, NULL);
    assert_true(H5Pset_fapl_core(access, 1 << 20, false) >= 0);
    assert_true(H5Pset_chunk(creation, 1, &extent) >= 0);
    assert_true(H5Pset_deflate(creation, 1) >= 0);
    const hid_t file = H5Fcreate("none.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    const hid_t dataset = H5Dcreate2(file, "planes", H5T_NATIVE_UINT8, space,
                                     H5P_DEFAULT, creation, H5P_DEFAULT);
    assert_true(
        H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &origin, size, stream) >= 0);
    assert_true(H5Dread(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL,
                        H5P_DEFAULT, out) >= 0);
    assert_true(H5Dclose(dataset) >= 0 && H5Fclose(file) >= 0);
    assert_true(H5Sclose(space) >= 0 && H5Pclose(creation) >= 0 &&
                H5Pclose(access) >= 0);
}

static void check_stream(const uint8_t *stream, size_t size,
                         const uint8_t *expected, size_t n)
{
    struct libdeflate_decompressor *inflate = libdeflate_alloc_decompressor();
    uint8_t *found = make_bytes(n);
    memset(found, 0xa5, n);
    assert_int_equal(
        libdeflate_zlib_decompress(inflate, stream, size, found, n, NULL),
        LIBDEFLATE_SUCCESS);
    assert_memory_equal(found, expected, n);
    memset(found, 0xa5, n);
    if (n > 0)
        inflate_by_zlib(stream, size, found, n);
    assert_memory_equal(found, expected, n);
    free(found);
    libdeflate_free_decompressor(inflate);
}

/* The first planes are noise, the others are numbers that count. */
static uint8_t *make_planes(hanse_planes *planes, size_t plane_bytes,
                            size_t n_planes, size_t n_noise)
{
    uint8_t *bytes = make_bytes(n_planes * plane_bytes);
    fill_noise(bytes, n_noise * plane_bytes);
    for (size_t k = n_noise; k < n_planes; k++)
        make_steps(bytes + k * plane_bytes, plane_bytes);
    *planes = (hanse_planes){bytes, plane_bytes, n_planes};
    return bytes;
}

static void check_planes(size_t plane_bytes, size_t n_planes, size_t n_noise,
                         int level)
{
    hanse_planes planes;
    const size_t n = n_planes * plane_bytes;
    uint8_t *bytes = make_planes(&planes, plane_bytes, n_planes, n_noise);
    struct libdeflate_compressor *deflate = libdeflate_alloc_compressor(level);
    const size_t room_bytes = libdeflate_zlib_compress_bound(deflate, n);
    uint8_t *room = make_bytes(room_bytes);
    const size_t size =
        hanse_deflate_planes(deflate, level, &planes, room, room_bytes);
    if (n_noise == n_planes && plane_bytes >= 8192) {
        assert_int_equal(size, 0);
    } else {
        assert_in_range(size, 1, room_bytes);
        check_stream(room, size, bytes, n);
    }
    free(room);
    free(bytes);
    libdeflate_free_compressor(deflate);
}

static void stream_of_any_shape_is_read_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,     2,     7,      4095,   8191,  8192,
                                   8193,  21845, 65534,  65535,  65536, 65537,
                                   70001, 98303, 131070, 131071, 300007};
    static const size_t counts[] = {1, 2, 3, 4, 8};
    static const int levels[] = {1, 4, 6, 9};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (size_t c = 0; c < 5; c++)
            for (size_t n_noise = 0; n_noise <= counts[c]; n_noise++)
                check_planes(sizes[s], counts[c], n_noise,
                             levels[(s + c + n_noise) % 4]);
}

static void stream_of_nothing_is_none_or_empty(void **state)
{
    (void)state;
    uint8_t room[64];
    struct libdeflate_compressor *deflate = libdeflate_alloc_compressor(6);
    const hanse_planes planes = {room, 0, 8};
    const size_t size =
        hanse_deflate_planes(deflate, 6, &planes, room, sizeof room);
    if (size > 0)
        check_stream(room, size, room, 0);
    libdeflate_free_compressor(deflate);
}

/* The header is libdeflate's, the blocks are written down by hand from RFC
 * 1951. */
static void noise_is_stored_in_documented_blocks(void **state)
{
    (void)state;
    static const uint8_t whole[5] = {0, 0xff, 0xff, 0, 0};
    static const uint8_t last[5] = {0, 2, 0, 0xfd, 0xff};
    hanse_planes planes;
    uint8_t *bytes = make_planes(&planes, LONG_PLANE, 8, 2);
    for (int level = 1; level <= 9; level++) {
        struct libdeflate_compressor *deflate =
            libdeflate_alloc_compressor(level);
        const size_t room_bytes = 9 * (size_t)LONG_PLANE;
        uint8_t *room = make_bytes(room_bytes);
        const size_t size =
            hanse_deflate_planes(deflate, level, &planes, room, room_bytes);
        const uint8_t *at = room;
        uint8_t empty[16];
        assert_in_range(size, 2 * LONG_PLANE, 3 * LONG_PLANE);
        assert_in_range(libdeflate_zlib_compress(deflate, "", 0, empty, 16), 1,
                        16);
        assert_memory_equal(at, empty, 2);
        at += 2;
        for (size_t b = 0; b < 2; b++) {
            assert_memory_equal(at, whole, 5);
            assert_memory_equal(at + 5, bytes + 65535 * b, 65535);
            at += 5 + 65535;
        }
        assert_memory_equal(at, last, 5);
        assert_memory_equal(at + 5, bytes + 2 * 65535, 2);
        free(room);
        libdeflate_free_compressor(deflate);
    }
    free(bytes);
}

/* Planes of noise behind one that shrinks are not worth a search for them. */
static void planes_behind_a_compressible_one_are_not_stored(void **state)
{
    (void)state;
    hanse_planes planes;
    uint8_t *bytes = make_planes(&planes, LONG_PLANE, 4, 3);
    make_counter(bytes, LONG_PLANE);
    struct libdeflate_compressor *deflate = libdeflate_alloc_compressor(1);
    const size_t room_bytes = 5 * (size_t)LONG_PLANE;
    uint8_t *room = make_bytes(room_bytes);
    uint8_t *plain = make_bytes(room_bytes);
    const size_t size =
        hanse_deflate_planes(deflate, 1, &planes, room, room_bytes);
    assert_int_equal(size, libdeflate_zlib_compress(deflate, bytes,
                                                    4 * (size_t)LONG_PLANE,
                                                    plain, room_bytes));
    assert_memory_equal(room, plain, size);
    free(room);
    free(plain);
    free(bytes);
    libdeflate_free_compressor(deflate);
}

/* A plane that would shrink by 3 in 100, before five of noise: stored at the
 * lowest level, deflated where the user asks for smaller files. */
static void higher_levels_give_less_away(void **state)
{
    (void)state;
    hanse_planes planes;
    uint8_t *bytes = make_planes(&planes, LONG_PLANE, 8, 6);
    for (size_t i = 0; i < LONG_PLANE; i++)
        if (random_byte() < 128)
            bytes[i] &= 0xfe;
    for (int level = 1; level <= 9; level += 4) {
        struct libdeflate_compressor *deflate =
            libdeflate_alloc_compressor(level);
        const size_t n = 8 * (size_t)LONG_PLANE;
        const size_t room_bytes = n + LONG_PLANE;
        uint8_t *room = make_bytes(room_bytes);
        uint8_t *plain = make_bytes(room_bytes);
        const size_t size =
            hanse_deflate_planes(deflate, level, &planes, room, room_bytes);
        const size_t plain_size =
            libdeflate_zlib_compress(deflate, bytes, n, plain, room_bytes);
        if (level == 1)
            assert_in_range(size, plain_size + 1,
                            plain_size + plain_size / 100);
        else
            assert_int_equal(size, plain_size);
        free(room);
        free(plain);
        libdeflate_free_compressor(deflate);
    }
    free(bytes);
}

static void room_too_small_is_told(void **state)
{
    (void)state;
    hanse_planes planes;
    uint8_t *bytes = make_planes(&planes, 10000, 3, 2);
    struct libdeflate_compressor *deflate = libdeflate_alloc_compressor(1);
    const size_t room_bytes = libdeflate_zlib_compress_bound(deflate, 30000);
    uint8_t *room = make_bytes(room_bytes);
    const size_t size =
        hanse_deflate_planes(deflate, 1, &planes, room, room_bytes);
    assert_in_range(size, 20000, 21000);
    for (size_t less = 0; less < size; less += less < 19900 ? 97 : 1) {
        uint8_t *small = make_bytes(less);
        assert_int_equal(hanse_deflate_planes(deflate, 1, &planes, small, less),
                         0);
        free(small);
    }
    free(room);
    free(bytes);
    libdeflate_free_compressor(deflate);
}

/* ---- Chunks ------------------------------------------------------------- */

/* Numbers with so many bytes of noise, the lowest ones. */
static uint8_t *make_elements(size_t n, size_t element_bytes, size_t n_noise)
{
    uint8_t *data = make_bytes(n * element_bytes);
    for (size_t i = 0; i < n; i++)
        for (size_t b = 0; b < element_bytes; b++)
            data[i * element_bytes + b] =
                b < n_noise ? random_byte() : (uint8_t)(i / 1000);
    return data;
}

static hid_t integer_type(size_t element_bytes)
{
    const hid_t type = H5Tcopy(H5T_STD_U8LE);
    assert_true(H5Tset_size(type, element_bytes) >= 0);
    return type;
}

static void write_and_read(const hanse_storage *storage,
                           const hanse_stored_chunk *chunk,
                           size_t element_bytes, uint8_t *out)
{
    const hsize_t extent = storage->chunk_rows, origin = 0;
    const hid_t type = integer_type(element_bytes);
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t space = H5Screate_simple(1, &extent, NULL);
    assert_true(H5Pset_fapl_core(access, 1 << 20, false) >= 0);
    assert_true(hanse_storage_apply(storage, creation));
    const hid_t file = H5Fcreate("none.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    hid_t dataset = H5Dcreate2(file, "column", type, space, H5P_DEFAULT,
                               creation, H5P_DEFAULT);
    assert_true(H5Dwrite_chunk(dataset, H5P_DEFAULT, chunk->filter_mask,
                               &origin, chunk->size_bytes, chunk->bytes) >= 0);
    /* Version 1.10.8 remembers another mask for a chunk just written. */
    assert_true(H5Dclose(dataset) >= 0);
    dataset = H5Dopen2(file, "column", H5P_DEFAULT);
    assert_true(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >=
                0);
    assert_true(H5Dclose(dataset) >= 0 && H5Fclose(file) >= 0);
    assert_true(H5Sclose(space) >= 0 && H5Pclose(creation) >= 0 &&
                H5Pclose(access) >= 0 && H5Tclose(type) >= 0);
}

static void check_chunk(size_t n, size_t element_bytes, size_t n_noise,
                        int level, bool shuffle)
{
    const hanse_storage storage = {.chunked = true,
                                   .chunk_rows = (uint32_t)n,
                                   .compression = HANSE_COMPRESSION_GZIP,
                                   .level = level,
                                   .shuffle = shuffle};
    const size_t size = n * element_bytes;
    uint8_t *data = make_elements(n, element_bytes, n_noise);
    uint8_t *found = make_bytes(size);
    hanse_chunk_encoder *encoder;
    hanse_stored_chunk chunk;
    assert_int_equal(hanse_chunk_encoder_create(&storage, size, &encoder, NULL),
                     HANSE_OK);
    uint8_t *room = make_bytes(hanse_chunk_encoder_bound(encoder, size));
    assert_int_equal(hanse_chunk_encode(encoder, data, size, element_bytes,
                                        room, &chunk, NULL),
                     HANSE_OK);
    assert_in_range(chunk.size_bytes, 1, size);
    if (n_noise == element_bytes)
        assert_int_equal(chunk.filter_mask, shuffle ? 2 : 1);
    else if (n >= 8192)
        assert_int_equal(chunk.filter_mask, 0);
    write_and_read(&storage, &chunk, element_bytes, found);
    assert_memory_equal(found, data, size);
    hanse_chunk_encoder_destroy(encoder);
    free(room);
    free(found);
    free(data);
}

static void chunk_of_any_type_is_read_by_the_library(void **state)
{
    (void)state;
    static const size_t rows[] = {1, 5, 1000, 8192, 65536, 100003};
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
        for (size_t width = 1; width <= 8; width *= 2)
            for (size_t n_noise = 0; n_noise <= width; n_noise++) {
                check_chunk(rows[r], width, n_noise, 1, true);
                check_chunk(rows[r], width, n_noise, 6, n_noise % 2 == 0);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(estimate_of_noise_is_next_to_nothing),
        cmocka_unit_test(estimate_of_what_deflate_shrinks_is_more),
        cmocka_unit_test(estimate_of_a_long_plane_looks_at_parts),
        cmocka_unit_test(estimate_of_a_short_plane_is_all),
        cmocka_unit_test(stream_of_any_shape_is_read_back),
        cmocka_unit_test(stream_of_nothing_is_none_or_empty),
        cmocka_unit_test(noise_is_stored_in_documented_blocks),
        cmocka_unit_test(planes_behind_a_compressible_one_are_not_stored),
        cmocka_unit_test(higher_levels_give_less_away),
        cmocka_unit_test(room_too_small_is_told),
        cmocka_unit_test(chunk_of_any_type_is_read_by_the_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
