/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts without padding, missing values, and the arena for texts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>

#include <cmocka.h>

#include "io/column_values.h"
#include "io/text_arena.h"

static void mark_missing_with_two_codes_marks_both(void **state)
{
    (void)state;
    const int16_t values[] = {-1, 255, 7, -1, 0};
    const hanse_missing_codes missing = {.n = 2, .codes = {-1, 7}};
    const uint8_t expected[] = {1, 0, 1, 1, 0};
    uint8_t mask[5];
    memset(mask, 0xAA, sizeof mask);
    assert_true(hanse_mark_missing(HANSE_INT16, values, 5, &missing, mask));
    assert_memory_equal(mask, expected, sizeof expected);
}

static void mark_missing_without_any_is_false(void **state)
{
    (void)state;
    const uint64_t values[] = {0, UINT64_MAX - 1};
    const hanse_missing_codes missing = {.n = 1, .codes = {-1}};
    uint8_t mask[2] = {9, 9};
    assert_false(hanse_mark_missing(HANSE_UINT64, values, 2, &missing, mask));
    assert_int_equal(mask[0] | mask[1], 0);
}

static void replace_missing_leaves_other_bits_alone(void **state)
{
    (void)state;
    float narrow[] = {-0.0f, 1e20f, INFINITY, 2.5f};
    double wide[] = {-0.0, 1e20, -INFINITY, 1e20 * (1 + 0x1p-52)};
    const hanse_missing_codes missing = {.n = 1,
                                         .values = {(double)(float)1e20}};
    const hanse_missing_codes exact = {.n = 1, .values = {1e20}};
    hanse_replace_missing(HANSE_FLOAT32, narrow, 4, &missing);
    hanse_replace_missing(HANSE_FLOAT64, wide, 4, &exact);
    assert_true(signbit(narrow[0]) && isnan(narrow[1]) && isinf(narrow[2]));
    assert_true(signbit(wide[0]) && isnan(wide[1]) && isinf(wide[2]));
    assert_true(wide[3] > 1e20);
}

static void pack_fixed_texts_in_place_with_stride(void **state)
{
    (void)state;
    char texts[] = "ab\0x"
                   "cdef"
                   "\0\0\0\0"
                   "g\0\0\0";
    int32_t offsets[5];
    const int32_t terminated[] = {0, 2, 6, 6, 7};
    assert_true(hanse_pack_fixed_texts(texts, 4, 4, 4, HANSE_PADDING_TERMINATED,
                                       texts, offsets));
    assert_memory_equal(offsets, terminated, sizeof terminated);
    assert_memory_equal(texts, "abcdefg", 7);

    const char rows[] = "a .b .  .";
    const int32_t spaces[] = {0, 1, 2, 2};
    char packed[6];
    assert_true(hanse_pack_fixed_texts(rows, 3, 3, 2, HANSE_PADDING_SPACE,
                                       packed, offsets));
    assert_memory_equal(offsets, spaces, sizeof spaces);
    assert_memory_equal(packed, "ab", 2);
}

/* A text's length, byte by byte. */
static size_t length_of(const char *text, size_t size_bytes,
                        hanse_text_padding padding)
{
    size_t n = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        if (padding == HANSE_PADDING_TERMINATED && text[i] == '\0')
            return i;
        if (text[i] != (padding == HANSE_PADDING_SPACE ? ' ' : '\0'))
            n = i + 1;
    }
    return padding == HANSE_PADDING_TERMINATED ? size_bytes : n;
}

static void check_packing(size_t size_bytes, hanse_text_padding padding,
                          unsigned fill)
{
    enum {
        N = 60
    };
    /* Bytes near those that the loops look for. */
    static const char bytes[] = {'\0', ' ', 'a', '\x01', '\x80', '\xff', '!'};
    const size_t n_bytes = N * size_bytes;
    char *texts = malloc(n_bytes), *apart = malloc(n_bytes);
    char *expected = malloc(n_bytes);
    int32_t ends[N + 1] = {0}, offsets[N + 1], others[N + 1];
    assert_true(texts != NULL && apart != NULL && expected != NULL);
    for (size_t i = 0; i < N; i++) {
        char *text = texts + i * size_bytes;
        const size_t n_padding = (i * fill) % (size_bytes + 1);
        for (size_t b = 0; b < size_bytes; b++)
            text[b] = b < size_bytes - n_padding
                          ? bytes[(i * 5 + b * b + fill) % sizeof bytes]
                          : (padding == HANSE_PADDING_SPACE ? ' ' : '\0');
        const size_t length = length_of(text, size_bytes, padding);
        memcpy(expected + ends[i], text, length);
        ends[i + 1] = ends[i] + (int32_t)length;
    }
    assert_true(hanse_pack_fixed_texts(texts, N, size_bytes, size_bytes,
                                       padding, apart, others));
    assert_true(hanse_pack_fixed_texts(texts, N, size_bytes, size_bytes,
                                       padding, texts, offsets));
    assert_memory_equal(offsets, ends, sizeof ends);
    assert_memory_equal(others, ends, sizeof ends);
    assert_memory_equal(texts, expected, (size_t)ends[N]);
    assert_memory_equal(apart, expected, (size_t)ends[N]);
    free(texts);
    free(apart);
    free(expected);
}

static void pack_fixed_texts_of_any_size(void **state)
{
    (void)state;
    const hanse_text_padding paddings[] = {
        HANSE_PADDING_TERMINATED, HANSE_PADDING_ZERO, HANSE_PADDING_SPACE};
    for (size_t size_bytes = 1; size_bytes <= 50; size_bytes++)
        for (size_t p = 0; p < 3; p++)
            for (unsigned fill = 0; fill < 4; fill++)
                check_packing(size_bytes, paddings[p], fill);
}

static void pack_texts_takes_null_as_empty(void **state)
{
    (void)state;
    const char *const texts[] = {"one", NULL, "", "four"};
    int32_t offsets[5];
    char packed[7];
    assert_true(hanse_measure_texts(texts, 4, sizeof texts[0], offsets));
    assert_int_equal(offsets[4], 7);
    hanse_pack_texts(texts, 4, sizeof texts[0], offsets, packed);
    assert_memory_equal(packed, "onefour", 7);
    const uint8_t expected[] = {0, 1, 1, 0};
    uint8_t mask[4];
    assert_true(hanse_mark_missing_texts(packed, offsets, 4, "", mask));
    assert_memory_equal(mask, expected, sizeof expected);
    assert_false(hanse_mark_missing_texts(packed, offsets, 4, "on", mask));
}

/* 2047 texts of a MiB less one byte each fit, 2049 do not. */
static void measure_texts_beyond_offsets_is_refused(void **state)
{
    (void)state;
    enum {
        LENGTH = 1 << 20,
        N = 2049
    };
    char *text = malloc(LENGTH + 1);
    const char **texts = malloc(N * sizeof *texts);
    int32_t *offsets = malloc((N + 1) * sizeof *offsets);
    assert_true(text != NULL && texts != NULL && offsets != NULL);
    memset(text, 'x', LENGTH);
    text[LENGTH] = '\0';
    for (size_t i = 0; i < N; i++)
        texts[i] = text;
    assert_true(hanse_measure_texts(texts, 2047, sizeof *texts, offsets));
    assert_int_equal(offsets[2047], 2047 * LENGTH);
    assert_false(hanse_measure_texts(texts, 2048, sizeof *texts, offsets));
    free(text);
    free(texts);
    free(offsets);
}

static void arena_pieces_do_not_overlap_and_come_back(void **state)
{
    (void)state;
    hanse_budget budget = {0};
    hanse_text_arena arena = {.budget = &budget};
    char *pieces[1000];
    for (size_t i = 0; i < 1000; i++) {
        pieces[i] = hanse_text_arena_allocate(1 + i * 7, &arena);
        assert_non_null(pieces[i]);
        memset(pieces[i], (int)(i & 0xFF), 1 + i * 7);
    }
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal((unsigned char)pieces[i][0], i & 0xFF);
        assert_int_equal((unsigned char)pieces[i][i * 7], i & 0xFF);
    }
    hanse_text_arena_reset(&arena);
    assert_int_equal(budget.used_bytes, 0);
}

static void arena_beyond_budget_or_limit_says_which(void **state)
{
    (void)state;
    hanse_budget budget = {.limit_bytes = 1 << 20};
    hanse_text_arena arena = {.budget = &budget};
    assert_null(hanse_text_arena_allocate(1 << 20, &arena));
    assert_true(arena.refused_bytes > 1 << 20 && !arena.is_full);
    hanse_text_arena_reset(&arena);
    assert_null(hanse_text_arena_allocate(hanse_arena_limit + 1, &arena));
    assert_true(arena.refused_bytes == 0 && arena.is_full);
    hanse_text_arena_reset(&arena);
    assert_non_null(hanse_text_arena_allocate(1, &arena));
    hanse_text_arena_reset(&arena);
    assert_int_equal(budget.used_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mark_missing_with_two_codes_marks_both),
        cmocka_unit_test(mark_missing_without_any_is_false),
        cmocka_unit_test(replace_missing_leaves_other_bits_alone),
        cmocka_unit_test(pack_fixed_texts_in_place_with_stride),
        cmocka_unit_test(pack_fixed_texts_of_any_size),
        cmocka_unit_test(pack_texts_takes_null_as_empty),
        cmocka_unit_test(measure_texts_beyond_offsets_is_refused),
        cmocka_unit_test(arena_pieces_do_not_overlap_and_come_back),
        cmocka_unit_test(arena_beyond_budget_or_limit_says_which),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
