/* SPDX-License-Identifier: Apache-2.0
 *
 * The LZ4 chunk codec by itself, and both filters through the HDF5 library:
 * round trips, and damaged chunks that must fail and do no harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hdf5.h>
#include <zstd.h>

#include "io/hdf5_filters.h"

enum {
    N_VALUES = 5000
};

/* Compressible, or not. */
static void fill_bytes(uint8_t *bytes, size_t n, bool noisy)
{
    uint32_t x = 12345;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        bytes[i] = noisy ? (uint8_t)(x >> 24) : (uint8_t)(i / 100);
    }
}

/* A buffer of exactly n bytes, so that sanitizers see any access beyond. */
static uint8_t *make_bytes(size_t n)
{
    uint8_t *bytes = malloc(n > 0 ? n : 1);
    assert_non_null(bytes);
    return bytes;
}

/* ---- LZ4 chunks --------------------------------------------------------- */

static void lz4_any_size_and_block_round_trips(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 11, 12, 13, 4095, 4096, 70000};
    static const size_t blocks[] = {0, 1, 7, 4096, 100000};
    for (size_t s = 0; s < 8; s++)
        for (size_t b = 0; b < 5; b++)
            for (int noisy = 0; noisy < 2; noisy++) {
                const size_t n = sizes[s];
                uint8_t *data = make_bytes(n);
                uint8_t *back = make_bytes(n);
                uint8_t *chunk =
                    make_bytes(hanse_lz4_chunk_bound(n, blocks[b]));
                fill_bytes(data, n, noisy != 0);
                const size_t stored =
                    hanse_lz4_chunk_encode(data, n, blocks[b], chunk);
                assert_in_range(stored, 17,
                                hanse_lz4_chunk_bound(n, blocks[b]));
                assert_int_equal(hanse_lz4_chunk_size(chunk, stored), n);
                assert_true(hanse_lz4_chunk_decode(chunk, stored, back, n));
                assert_memory_equal(data, back, n);
                free(data);
                free(back);
                free(chunk);
            }
}

/* Worked out by hand from the filter's description: three bytes do not get
 * smaller and are stored as they are. */
static void lz4_small_chunk_has_documented_bytes(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0, 0, 0, 0, 0, 0, 0,   3,   0,  0,
                                       0, 3, 0, 0, 0, 3, 'a', 'b', 'c'};
    uint8_t chunk[64];
    assert_int_equal(hanse_lz4_chunk_encode("abc", 3, 0, chunk), 19);
    assert_memory_equal(chunk, expected, sizeof expected);
}

static void lz4_impossible_sizes_have_no_bound(void **state)
{
    (void)state;
    assert_int_equal(hanse_lz4_chunk_bound(0, 0), 0);
    assert_int_equal(hanse_lz4_chunk_bound((size_t)1 << 31, 0), 0);
    assert_int_equal(hanse_lz4_chunk_bound(SIZE_MAX, 1), 0);
}

/* Whatever single byte is changed or cut off: no access outside, and never
 * success with another size. */
static void lz4_damaged_chunk_does_no_harm(void **state)
{
    (void)state;
    const size_t n = 600;
    uint8_t *data = make_bytes(n);
    uint8_t *back = make_bytes(n);
    uint8_t *chunk = make_bytes(hanse_lz4_chunk_bound(n, 128));
    fill_bytes(data, n, false);
    const size_t stored = hanse_lz4_chunk_encode(data, n, 128, chunk);
    for (size_t i = 0; i < stored; i++) {
        uint8_t *cut = make_bytes(i);
        memcpy(cut, chunk, i);
        assert_false(hanse_lz4_chunk_decode(cut, i, back, n));
        free(cut);
        for (int bit = 0; bit < 8; bit++) {
            uint8_t *bad = make_bytes(stored);
            memcpy(bad, chunk, stored);
            bad[i] = (uint8_t)(bad[i] ^ (1 << bit));
            const bool decoded = hanse_lz4_chunk_decode(bad, stored, back, n);
            assert_true(!decoded || i >= 8);
            free(bad);
        }
    }
    free(data);
    free(back);
    free(chunk);
}

static void lz4_claim_beyond_expansion_is_refused(void **state)
{
    (void)state;
    const uint8_t chunk[32] = {0, 0, 0, 0, 0x10, 0, 0, 0};
    assert_int_equal(hanse_lz4_chunk_size(chunk, sizeof chunk), 0);
    const uint8_t huge[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    assert_int_equal(hanse_lz4_chunk_size(huge, sizeof huge), 0);
}

/* ---- Through the library ------------------------------------------------ */

/* A file in memory with the dataset `x` of N_VALUES int32 in one chunk. */
typedef struct fixture {
    hid_t file;
    hid_t dataset;
} fixture;

static fixture create_fixture(H5Z_filter_t filter, size_t n_values,
                              const unsigned *values)
{
    const hsize_t size = N_VALUES;
    assert_int_equal(hanse_hdf5_register_filters(NULL), HANSE_OK);
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    assert_true(H5Pset_fapl_core(access, 1 << 16, false) >= 0);
    fixture f = {
        .file = H5Fcreate("filters.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access)};
    assert_true(f.file >= 0);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_chunk(creation, 1, &size) >= 0);
    assert_true(H5Pset_filter(creation, filter, H5Z_FLAG_MANDATORY, n_values,
                              values) >= 0);
    const hid_t space = H5Screate_simple(1, &size, NULL);
    f.dataset = H5Dcreate2(f.file, "x", H5T_NATIVE_INT32, space, H5P_DEFAULT,
                           creation, H5P_DEFAULT);
    assert_true(f.dataset >= 0);
    H5Sclose(space);
    H5Pclose(creation);
    H5Pclose(access);
    return f;
}

static void close_fixture(fixture *f)
{
    assert_true(H5Dclose(f->dataset) >= 0);
    assert_true(H5Fclose(f->file) >= 0);
}

/* Forgets the cached chunk. */
static void reopen_dataset(fixture *f)
{
    assert_true(H5Dclose(f->dataset) >= 0);
    f->dataset = H5Dopen2(f->file, "x", H5P_DEFAULT);
    assert_true(f->dataset >= 0);
}

static herr_t read_values(const fixture *f, int32_t *values)
{
    return H5Dread(f->dataset, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                   values);
}

static void filters_written_values_read_back(void **state)
{
    (void)state;
    static const struct {
        H5Z_filter_t filter;
        size_t n_values;
        unsigned value;
    } cases[] = {
        {HANSE_FILTER_LZ4, 0, 0},   {HANSE_FILTER_LZ4, 1, 0},
        {HANSE_FILTER_LZ4, 1, 777}, {HANSE_FILTER_ZSTD, 0, 0},
        {HANSE_FILTER_ZSTD, 1, 19}, {HANSE_FILTER_ZSTD, 1, (unsigned)-5},
    };
    static int32_t values[N_VALUES];
    static int32_t back[N_VALUES];
    for (size_t i = 0; i < N_VALUES; i++)
        values[i] = (int32_t)(i / 3);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        fixture f =
            create_fixture(cases[c].filter, cases[c].n_values, &cases[c].value);
        assert_true(H5Dwrite(f.dataset, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL,
                             H5P_DEFAULT, values) >= 0);
        reopen_dataset(&f);
        const hsize_t stored = H5Dget_storage_size(f.dataset);
        assert_in_range(stored, 1, sizeof values - 1);
        memset(back, 0xA5, sizeof back);
        assert_true(read_values(&f, back) >= 0);
        assert_memory_equal(values, back, sizeof values);
        close_fixture(&f);
    }
}

/* Stores a chunk as it is and tries to read it. */
static herr_t read_raw(H5Z_filter_t filter, const void *chunk, size_t n,
                       int32_t *values)
{
    const hsize_t offset = 0;
    fixture f = create_fixture(filter, 0, NULL);
    assert_true(H5Dwrite_chunk(f.dataset, H5P_DEFAULT, 0, &offset, n, chunk) >=
                0);
    reopen_dataset(&f);
    const herr_t result = read_values(&f, values);
    close_fixture(&f);
    return result;
}

/* Written by a streaming encoder, a frame does not say how long its content
 * is; the public filter cannot read it, ours can. */
static void zstd_frame_of_unknown_size_is_read(void **state)
{
    (void)state;
    static int32_t values[N_VALUES];
    static int32_t back[N_VALUES];
    for (size_t i = 0; i < N_VALUES; i++)
        values[i] = (int32_t)(i * i);
    const size_t bound = ZSTD_compressBound(sizeof values);
    uint8_t *frame = make_bytes(bound);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    assert_false(ZSTD_isError(
        ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0)));
    const size_t n =
        ZSTD_compress2(context, frame, bound, values, sizeof values);
    assert_false(ZSTD_isError(n));
    assert_true(ZSTD_getFrameContentSize(frame, n) == ZSTD_CONTENTSIZE_UNKNOWN);
    assert_true(read_raw(HANSE_FILTER_ZSTD, frame, n, back) >= 0);
    assert_memory_equal(values, back, sizeof values);
    ZSTD_freeCCtx(context);
    free(frame);
}

/* Every cut of both codecs' chunks fails the read. */
static void filters_cut_chunks_fail_to_read(void **state)
{
    (void)state;
    static int32_t values[N_VALUES];
    for (size_t i = 0; i < N_VALUES; i++)
        values[i] = (int32_t)(i / 50 * 977);
    uint8_t *chunk = make_bytes(2 * sizeof values);
    const size_t lz4 = hanse_lz4_chunk_encode(values, sizeof values, 0, chunk);
    for (size_t n = 1; n < lz4; n += 37)
        assert_true(read_raw(HANSE_FILTER_LZ4, chunk, n, values) < 0);
    const size_t zstd =
        ZSTD_compress(chunk, 2 * sizeof values, values, sizeof values, 3);
    for (size_t n = 1; n < zstd; n += 7)
        assert_true(read_raw(HANSE_FILTER_ZSTD, chunk, n, values) < 0);
    free(chunk);
}

/* A frame header that claims 2^40 bytes in a file of some hundred. */
static void zstd_claim_beyond_chunk_limit_is_refused(void **state)
{
    (void)state;
    static int32_t values[N_VALUES];
    static const uint8_t frame[64] = {0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0,
                                      0,    0,    0,    0,    1};
    assert_true(ZSTD_getFrameContentSize(frame, sizeof frame) == UINT64_C(1)
                                                                     << 40);
    assert_true(read_raw(HANSE_FILTER_ZSTD, frame, sizeof frame, values) < 0);
}

static void register_twice_and_after_close_works(void **state)
{
    (void)state;
    assert_int_equal(hanse_hdf5_register_filters(NULL), HANSE_OK);
    assert_int_equal(hanse_hdf5_register_filters(NULL), HANSE_OK);
    assert_true(H5close() >= 0);
    assert_int_equal(hanse_hdf5_register_filters(NULL), HANSE_OK);
    assert_true(H5Eset_auto2(H5E_DEFAULT, NULL, NULL) >= 0);
    assert_true(H5Zfilter_avail(HANSE_FILTER_LZ4) > 0);
    assert_true(H5Zfilter_avail(HANSE_FILTER_ZSTD) > 0);
    unsigned config = 0;
    assert_true(H5Zget_filter_info(HANSE_FILTER_ZSTD, &config) >= 0);
    assert_int_equal(config, H5Z_FILTER_CONFIG_ENCODE_ENABLED |
                                 H5Z_FILTER_CONFIG_DECODE_ENABLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lz4_any_size_and_block_round_trips),
        cmocka_unit_test(lz4_small_chunk_has_documented_bytes),
        cmocka_unit_test(lz4_impossible_sizes_have_no_bound),
        cmocka_unit_test(lz4_damaged_chunk_does_no_harm),
        cmocka_unit_test(lz4_claim_beyond_expansion_is_refused),
        cmocka_unit_test(register_twice_and_after_close_works),
        cmocka_unit_test(filters_written_values_read_back),
        cmocka_unit_test(zstd_frame_of_unknown_size_is_read),
        cmocka_unit_test(filters_cut_chunks_fail_to_read),
        cmocka_unit_test(zstd_claim_beyond_chunk_limit_is_refused),
    };
    return cmocka_run_group_tests_name("hdf5_filters", tests, NULL, NULL);
}
