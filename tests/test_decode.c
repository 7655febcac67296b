/* SPDX-License-Identifier: Apache-2.0
 *
 * The chunk decoder on chunks that the HDF5 library wrote, whole, cut short
 * and damaged; its checksum, messages and memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <hdf5.h>

#include "decode_check.h"
#include "io/fletcher32.h"
#include "io/hdf5_filters.h"

static hid_t file = H5I_INVALID_HID;
static chunk c;

static int set_up(void **state)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || H5Pset_fapl_core(access, 1 << 20, false) < 0)
        return -1;
    file = H5Fcreate("in-memory", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    if (file < 0 || hanse_hdf5_register_filters(NULL) != HANSE_OK)
        return -1;
    return decode_check_set_up(state);
}

static int tear_down(void **state)
{
    H5Fclose(file);
    return decode_check_tear_down(state);
}

/* ---- Chunks from the library -------------------------------------------- */

/* Filters by a letter each. */
static void add_filters(hid_t creation, const char *letters)
{
    herr_t status = 0;
    for (const char *l = letters; *l != '\0' && status >= 0; l++)
        switch (*l) {
        case 's':
            status = H5Pset_shuffle(creation);
            break;
        case 'd':
            status = H5Pset_deflate(creation, 6);
            break;
        case 'f':
            status = H5Pset_fletcher32(creation);
            break;
        case '4':
            status = H5Pset_filter(creation, HANSE_FILTER_LZ4, 0, 1,
                                   &(unsigned){100});
            break;
        case 'z':
            status = H5Pset_filter(creation, HANSE_FILTER_ZSTD, 0, 0, NULL);
            break;
        default:
            status = -1;
        }
    assert_true(status >= 0);
}

/* The filters as the dataset has them. */
static void read_filters(hid_t dataset)
{
    const hid_t creation = H5Dget_create_plist(dataset);
    const int n = H5Pget_nfilters(creation);
    assert_in_range(n, 0, HANSE_PIPELINE_MAX);
    for (int i = 0; i < n; i++) {
        unsigned flags, config;
        size_t n_values = HANSE_FILTER_VALUES_MAX;
        hanse_filter *filter = chunk_add_filter(&c, 0);
        filter->id =
            (uint32_t)H5Pget_filter2(creation, (unsigned)i, &flags, &n_values,
                                     filter->values, 0, NULL, &config);
        filter->n_values = (uint32_t)n_values;
    }
    assert_true(H5Pclose(creation) >= 0);
}

/* Writes one chunk of so many opaque elements and takes it as stored. */
static void make_chunk(size_t n, size_t width, const char *letters)
{
    const hid_t type = H5Tcreate(H5T_OPAQUE, width);
    const hid_t space = H5Screate_simple(1, (hsize_t[]){n}, NULL);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_chunk(creation, 1, (hsize_t[]){n}) >= 0);
    add_filters(creation, letters);
    const hid_t dataset =
        H5Dcreate_anon(file, type, space, creation, H5P_DEFAULT);
    assert_true(dataset >= 0);
    chunk_fill(&c, n, width);
    assert_true(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, c.raw) >=
                0);
    assert_true(H5Dflush(dataset) >= 0);
    hsize_t stored_bytes;
    assert_true(
        H5Dget_chunk_storage_size(dataset, (hsize_t[]){0}, &stored_bytes) >= 0);
    c.stored_bytes = (size_t)stored_bytes;
    assert_true(H5Dread_chunk(dataset, H5P_DEFAULT, (hsize_t[]){0},
                              &c.filter_mask, c.stored) >= 0);
    read_filters(dataset);
    assert_true(H5Dclose(dataset) >= 0 && H5Pclose(creation) >= 0);
    assert_true(H5Sclose(space) >= 0 && H5Tclose(type) >= 0);
}

static const char *const pipelines[] = {
    "",   "s",   "d",   "f",    "4",  "z",  "sd", "sdf", "fsd", "df",
    "s4", "s4f", "szf", "sfdf", "ds", "sf", "zd", "dfz", "4dz",
};

enum {
    N_PIPELINES = sizeof pipelines / sizeof pipelines[0]
};

static void chunks_of_the_library_decode_to_their_data(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 33, 100};
    static const size_t lengths[] = {1, 2, 7, 8, 9, 63, 64, 100, 1001};
    for (size_t p = 0; p < N_PIPELINES; p++)
        for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++)
            for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
                make_chunk(lengths[l], widths[w], pipelines[p]);
                check_decodes(&c);
            }
}

static void chunks_cut_short_fail(void **state)
{
    (void)state;
    for (size_t p = 0; p < N_PIPELINES; p++) {
        make_chunk(61, 8, pipelines[p]);
        check_cut_short(&c);
    }
}

/* Where the last filter is a checksum, or the codec has one of its own over
 * all data, damage does not go unnoticed. */
static void damaged_chunks_fail_or_do_no_harm(void **state)
{
    (void)state;
    for (size_t p = 0; p < N_PIPELINES; p++) {
        const char *letters = pipelines[p];
        const size_t n = strlen(letters);
        make_chunk(61, 8, letters);
        const bool checked = n > 0 && strchr("fd", letters[n - 1]) != NULL;
        const size_t n_errors = check_damaged(&c, checked);
        if (checked)
            assert_true(n_errors > c.stored_bytes * 3);
    }
}

static void shuffle_leaves_bytes_after_the_last_element(void **state)
{
    (void)state;
    for (size_t width = 1; width <= 40; width++)
        for (size_t n = 0; n <= 200; n += 1 + n / 40) {
            chunk_fill(&c, n, 1);
            hanse_filter *filter = chunk_add_filter(&c, HANSE_FILTER_SHUFFLE);
            filter->n_values = 1;
            filter->values[0] = (uint32_t)width;
            const size_t whole = n / width;
            memcpy(c.stored, c.raw, n);
            for (size_t i = 0; i < whole; i++)
                for (size_t b = 0; b < width; b++)
                    c.stored[b * whole + i] = c.raw[i * width + b];
            c.stored_bytes = n;
            check_decodes(&c);
        }
}

static void filters_left_out_are_not_undone(void **state)
{
    (void)state;
    make_chunk(200, 8, "sdf");
    const hanse_pipeline all = c.pipeline;
    make_chunk(200, 8, "s");
    c.pipeline = all;
    c.filter_mask = 6;
    check_decodes(&c);
    make_chunk(200, 8, "df");
    c.pipeline = all;
    c.filter_mask = 1;
    check_decodes(&c);
    c.filter_mask = 0xfffffff9; /* bits of filters that are not there */
    memcpy(c.stored, c.raw, c.raw_bytes);
    check_fails(&c, c.raw_bytes, "fletcher32: ");
    c.filter_mask = UINT32_MAX;
    c.stored_bytes = c.raw_bytes;
    check_decodes(&c);
}

static void other_sizes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *letters, *more, *less;
    } cases[] = {
        {"", "800 bytes stored, expected 801",
         "800 bytes stored, expected 799"},
        {"f", "804 bytes stored, expected 805", "expected 803"},
        {"d", "deflate: decoded to 800 bytes, expected 801",
         "deflate: decodes to more than the expected 799 bytes"},
        {"sd", "deflate: decoded to 800 bytes, expected 801",
         "deflate: decodes to more than the expected 799 bytes"},
        {"fd", "deflate: decoded to 804 bytes, expected 805",
         "deflate: decodes to more than the expected 803 bytes"},
        {"4", "lz4: decoded to 800 bytes, expected 801",
         "lz4: decodes to more than the expected 799 bytes"},
        {"z", "zstd: decoded to 800 bytes, expected 801",
         "zstd: decodes to more than the expected 799 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make_chunk(100, 8, cases[i].letters);
        check_fails(&c, c.raw_bytes + 1, cases[i].more);
        check_fails(&c, c.raw_bytes - 1, cases[i].less);
    }
}

static void damage_is_named(void **state)
{
    (void)state;
    make_chunk(100, 8, "d");
    c.stored[c.stored_bytes / 2] ^= 0x55;
    check_fails(&c, c.raw_bytes, "deflate: damaged stream");
    make_chunk(100, 8, "sdf");
    c.stored[9] ^= 1;
    check_fails(&c, c.raw_bytes, "fletcher32: checksum mismatch (stored ");
    make_chunk(100, 8, "z");
    c.stored[0] ^= 1;
    check_fails(&c, c.raw_bytes, "zstd: damaged frame (");
    make_chunk(100, 8, "4");
    memset(c.stored + 8, 0, 4);
    check_fails(&c, c.raw_bytes, "lz4: damaged chunk (blocks of 0 bytes)");
    memset(c.stored + 8, 0xff, 8);
    check_fails(&c, c.raw_bytes, "lz4: damaged chunk (cut short)");
    make_chunk(1, 2, "f");
    c.stored_bytes = 3;
    chunk_add_filter(&c, HANSE_FILTER_DEFLATE);
    check_fails(&c, c.raw_bytes, "deflate: damaged stream");
}

/* ---- Checksum ----------------------------------------------------------- */

/* As the library computes it, word by word. */
static uint32_t plain_fletcher32(const uint8_t *data, size_t n_bytes)
{
    uint32_t first = 0, second = 0;
    for (size_t i = 0; i < n_bytes; i += 2) {
        first += (uint32_t)data[i] << 8;
        first += i + 1 < n_bytes ? data[i + 1] : 0;
        first = (first & 0xffff) + (first >> 16);
        second += first;
        second = (second & 0xffff) + (second >> 16);
    }
    return second << 16 | first;
}

static void fletcher32_of_any_length_is_the_library_s(void **state)
{
    (void)state;
    static uint8_t data[40000];
    static const int fills[] = {-1, 0, 0xff, 1};
    for (size_t f = 0; f < sizeof fills / sizeof fills[0]; f++) {
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = fills[f] < 0 ? (uint8_t)(i * i * 31 + (i >> 7))
                                   : (uint8_t)fills[f];
        for (size_t n = 0; n <= sizeof data; n += n < 200 ? 1 : 1 + n / 50)
            assert_int_equal(hanse_fletcher32(data, n),
                             plain_fletcher32(data, n));
    }
    for (size_t n = 1; n < 30000; n += 1 + n / 3) {
        make_chunk(n, 1, "f");
        check_decodes(&c);
    }
}

static void fletcher32_of_old_libraries_is_accepted(void **state)
{
    (void)state;
    make_chunk(100, 8, "f");
    uint8_t *sum = c.stored + c.raw_bytes;
    const uint8_t swapped[4] = {sum[1], sum[0], sum[3], sum[2]};
    assert_memory_not_equal(sum, swapped, 4);
    memcpy(sum, swapped, 4);
    check_decodes(&c);
    const uint8_t turned[4] = {swapped[3], swapped[2], swapped[1], swapped[0]};
    memcpy(sum, turned, 4);
    check_fails(&c, c.raw_bytes, "fletcher32: checksum mismatch");
}

/* ---- Pipelines and memory ----------------------------------------------- */

static void pipelines_that_are_not_ours_have_a_reason(void **state)
{
    (void)state;
    static const struct {
        hanse_pipeline pipeline;
        const char *reason;
    } cases[] = {
        {{1, {{.id = 4}}}, "filter 4 (szip)"},
        {{1, {{.id = 5}}}, "filter 5 (nbit)"},
        {{2, {{.id = 1}, {.id = 6}}}, "filter 6 (scale-offset)"},
        {{1, {{.id = 32013}}}, "filter 32013 (zfp)"},
        {{1, {{.id = 60000}}}, "filter 60000 (unknown)"},
        {{1, {{.id = 0}}}, "filter 0 (unknown)"},
        {{9, {{.id = 1}}}, "9 filters in a row"},
        {{UINT32_MAX, {{.id = 1}}}, "4294967295 filters in a row"},
        {{1, {{.id = 1, .n_values = 21}}},
         "filter 1 (deflate): too many parameters"},
        {{1, {{.id = 2}}}, "filter 2 (shuffle): no size of an element"},
        {{1, {{.id = 2, .n_values = 1}}},
         "filter 2 (shuffle): no size of an element"},
        {{1, {{.id = 32008, .n_values = 2}}},
         "filter 32008 (bitshuffle): no size of an element"},
        {{1, {{.id = 32008, .n_values = 4, .values = {0, 2, 4, 9}}}},
         "filter 32008 (bitshuffle): blocks not of a multiple of 8 elements"},
        {{1, {{.id = 32008, .n_values = 5, .values = {0, 2, 4, 8, 1}}}},
         "filter 32008 (bitshuffle): unknown compression"},
    };
    chunk_fill(&c, 1, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char reason[100], cut[10];
        assert_false(hanse_pipeline_decodable(&cases[i].pipeline, reason,
                                              sizeof reason));
        assert_string_equal(reason, cases[i].reason);
        assert_false(
            hanse_pipeline_decodable(&cases[i].pipeline, cut, sizeof cut));
        assert_int_equal(strlen(cut), sizeof cut - 1);
        assert_false(hanse_pipeline_decodable(&cases[i].pipeline, NULL, 0));
        c.pipeline = cases[i].pipeline;
        check_fails(&c, 1, cases[i].reason);
    }
    const hanse_pipeline ours = {2, {{.id = 1}, {.id = 3}}};
    char reason[4] = "old";
    assert_true(hanse_pipeline_decodable(&ours, reason, sizeof reason));
    assert_string_equal(reason, "");
}

/* Raising a budget until it is enough: each failure before is clean. */
static void decoder_without_memory_fails_cleanly(void **state)
{
    (void)state;
    make_chunk(5000, 8, "sdz");
    size_t n_failures = 0;
    for (uint64_t limit = 64;; limit += 512) {
        hanse_budget budget = {.limit_bytes = limit};
        hanse_decoder *decoder = NULL;
        hanse_error error = {0};
        const void *out = NULL;
        hanse_status status = hanse_decoder_create(&budget, &decoder, &error);
        if (status == HANSE_OK)
            status =
                hanse_decoder_decode(decoder, &c.pipeline, 0, c.stored,
                                     c.stored_bytes, c.raw_bytes, &out, &error);
        if (status == HANSE_OK)
            assert_memory_equal(out, c.raw, c.raw_bytes);
        hanse_decoder_destroy(decoder);
        assert_int_equal(budget.used_bytes, 0);
        if (status == HANSE_OK)
            break;
        assert_int_equal(status, HANSE_ERR_LIMIT);
        n_failures++;
    }
    assert_in_range(n_failures, 50, 1000);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    hanse_decoder *decoder = NULL;
    hanse_error error;
    hanse_decoded decoded;
    const void *out;
    make_chunk(10, 8, "dfz");
    assert_int_equal(hanse_decoder_create(NULL, &decoder, NULL), HANSE_OK);
    assert_int_equal(hanse_decoder_decode(decoder, &c.pipeline, 0, c.stored,
                                          c.stored_bytes, SIZE_MAX, &out,
                                          &error),
                     HANSE_ERR_FORMAT);
    assert_int_equal(hanse_decoder_open(decoder, &c.pipeline, 0, c.stored,
                                        c.stored_bytes, SIZE_MAX / 2, 3,
                                        &decoded, &error),
                     HANSE_ERR_FORMAT);
    hanse_decoder_destroy(decoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_of_the_library_decode_to_their_data),
        cmocka_unit_test(chunks_cut_short_fail),
        cmocka_unit_test(damaged_chunks_fail_or_do_no_harm),
        cmocka_unit_test(shuffle_leaves_bytes_after_the_last_element),
        cmocka_unit_test(filters_left_out_are_not_undone),
        cmocka_unit_test(other_sizes_are_refused),
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(fletcher32_of_any_length_is_the_library_s),
        cmocka_unit_test(fletcher32_of_old_libraries_is_accepted),
        cmocka_unit_test(pipelines_that_are_not_ours_have_a_reason),
        cmocka_unit_test(decoder_without_memory_fails_cleanly),
        cmocka_unit_test(sizes_that_overflow_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
