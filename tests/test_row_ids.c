/* SPDX-License-Identifier: Apache-2.0
 *
 * Ends of links: every id leads to its row and no other, whatever the types.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/models/row_ids.h"

/* Steele, Lea, Flood 2014. */
static uint64_t random_state = 7;

static uint64_t next_random(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(size_t n)
{
    return (size_t)(next_random() % n);
}

static const hanse_field id64 = {.name = "firm", .type = HANSE_INT64};
static const hanse_field id_unsigned = {.name = "firm", .type = HANSE_UINT64};
static const hanse_field id_text = {.name = "firm", .type = HANSE_TEXT};

static hanse_row_ids *make(const hanse_field *field, const hanse_array *array,
                           size_t n, size_t n_threads, hanse_budget *budget)
{
    hanse_row_ids *ids;
    hanse_error error = {0};
    assert_int_equal(hanse_row_ids_create(field, n, budget, &ids, &error),
                     HANSE_OK);
    /* In two parts, the second first. */
    const size_t half = n / 2;
    hanse_array second = *array;
    if (field->type == HANSE_TEXT)
        second.offsets += half;
    else
        second.values =
            (const char *)array->values + half * hanse_type_size(field->type);
    if (second.missing != NULL)
        second.missing += half;
    assert_int_equal(hanse_row_ids_add(ids, &second, half, n - half, &error),
                     HANSE_OK);
    assert_int_equal(hanse_row_ids_add(ids, array, 0, half, &error), HANSE_OK);
    if (hanse_row_ids_finish(ids, n_threads, &error) != HANSE_OK)
        fail_msg("%s", error.message);
    return ids;
}

static hanse_bad_end find(const hanse_row_ids *ids, hanse_type type,
                          const hanse_array *array, size_t n, uint32_t *rows)
{
    hanse_bad_end bad = HANSE_NO_BAD_END;
    const hanse_ends ends = {type, array, 1000, n, "target"};
    hanse_row_ids_find(ids, &ends, rows, &bad);
    return bad;
}

/* Ids: a bijection of the row numbers. */
static int64_t id_of(size_t row, unsigned kind)
{
    switch (kind) {
    case 0:
        return (int64_t)row * 2 - 5000; /* a narrow range */
    case 1:
        return (int64_t)(row * 0x9e3779b97f4a7c15u); /* anywhere */
    default:
        return (int64_t)((uint64_t)row << 44); /* low bits all equal */
    }
}

static void every_integer_leads_to_its_row(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 2, 63, 1000, 200000};
    for (size_t s = 0; s < 5; s++) {
        for (unsigned kind = 0; kind < 3; kind++) {
            const size_t n = sizes[s];
            hanse_budget budget = {0};
            int64_t *values = malloc(n * sizeof *values);
            uint32_t *rows = malloc(2 * n * sizeof *rows);
            int64_t *ends = malloc(2 * n * sizeof *ends);
            size_t *expected = malloc(2 * n * sizeof *expected);
            for (size_t i = 0; i < n; i++)
                values[i] = id_of(i, kind);
            for (size_t i = 0; i < 2 * n; i++) {
                expected[i] = below(n);
                ends[i] = id_of(expected[i], kind);
            }
            const hanse_array array = {values, NULL, NULL};
            const hanse_array end_array = {ends, NULL, NULL};
            hanse_row_ids *ids = make(&id64, &array, n, 1 + s % 3, &budget);
            assert_true(atomic_load(&budget.peak_bytes) <=
                        hanse_row_ids_bytes(n, false));
            const hanse_bad_end bad =
                find(ids, HANSE_INT64, &end_array, 2 * n, rows);
            assert_true(bad.link == UINT64_MAX);
            for (size_t i = 0; i < 2 * n; i++)
                assert_int_equal(rows[i], expected[i]);
            hanse_row_ids_destroy(ids);
            assert_int_equal(atomic_load(&budget.used_bytes), 0);
            free(values);
            free(rows);
            free(ends);
            free(expected);
        }
    }
}

static void every_text_leads_to_its_row(void **state)
{
    (void)state;
    enum {
        N = 30000,
        N_BYTES = 12 * N
    };
    char *bytes = malloc(N_BYTES);
    int32_t *offsets = malloc((N + 1) * sizeof *offsets);
    uint32_t *rows = malloc(N * sizeof *rows);
    hanse_budget budget = {0};
    int32_t at = 0;
    for (int32_t i = 0; i < N; i++) {
        offsets[i] = at;
        /* The first is empty. */
        if (i > 0)
            at += snprintf(bytes + at, 12, "%x", (unsigned)i * 7u);
    }
    offsets[N] = at;
    const hanse_array array = {bytes, offsets, NULL};
    hanse_row_ids *ids = make(&id_text, &array, N, 3, &budget);
    assert_true(find(ids, HANSE_TEXT, &array, N, rows).link == UINT64_MAX);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(rows[i], i);

    const int32_t other[] = {0, 1, 3, 3};
    const hanse_array strange = {"7zz", other, NULL};
    hanse_error error;
    const hanse_bad_end bad = find(ids, HANSE_TEXT, &strange, 3, rows);
    assert_int_equal(bad.link, 1001);
    assert_int_equal(rows[0], 1);
    assert_int_equal(rows[1], UINT32_MAX);
    assert_int_equal(rows[2], 0);
    assert_int_equal(hanse_bad_end_report(&bad, ids, N, &error),
                     HANSE_ERR_FORMAT);
    assert_string_equal(error.message,
                        "link 1001 (from 0): its target is 'zz', an id that no "
                        "row has in the column 'firm'");
    hanse_row_ids_destroy(ids);
    assert_int_equal(atomic_load(&budget.used_bytes), 0);
    free(bytes);
    free(offsets);
    free(rows);
}

/* The same number in columns of other widths is the same id; one beyond int64
 * is not a negative one. */
static void widths_do_not_matter_but_signs_do(void **state)
{
    (void)state;
    const uint64_t large[] = {5, UINT64_MAX, 200, (uint64_t)1 << 63};
    const int64_t small[] = {5, -1, 200, INT64_MIN};
    const uint8_t bytes[] = {200, 5};
    const int16_t shorts[] = {5, -1};
    const hanse_array array_large = {large, NULL, NULL};
    const hanse_array array_small = {small, NULL, NULL};
    const hanse_array array_bytes = {bytes, NULL, NULL};
    const hanse_array array_shorts = {shorts, NULL, NULL};
    uint32_t rows[4];
    hanse_row_ids *ids = make(&id_unsigned, &array_large, 4, 1, NULL);
    assert_true(find(ids, HANSE_UINT64, &array_large, 4, rows).link ==
                UINT64_MAX);
    assert_true(find(ids, HANSE_UINT8, &array_bytes, 2, rows).link ==
                UINT64_MAX);
    assert_int_equal(rows[0], 2);
    assert_int_equal(rows[1], 0);
    const hanse_bad_end negative =
        find(ids, HANSE_INT16, &array_shorts, 2, rows);
    assert_int_equal(negative.link, 1001);
    assert_string_equal(negative.id, "-1");
    hanse_row_ids_destroy(ids);

    ids = make(&id64, &array_small, 4, 1, NULL);
    assert_true(find(ids, HANSE_INT16, &array_shorts, 2, rows).link ==
                UINT64_MAX);
    assert_int_equal(rows[1], 1);
    const hanse_bad_end beyond = find(ids, HANSE_UINT64, &array_large, 4, rows);
    assert_int_equal(beyond.link, 1001);
    assert_string_equal(beyond.id, "18446744073709551615");
    hanse_row_ids_destroy(ids);
}

static void repeated_ids_are_named(void **state)
{
    (void)state;
    enum {
        N = 150000
    };
    int64_t *values = malloc(N * sizeof *values);
    for (unsigned kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < N; i++)
            values[i] = id_of(i, kind);
        values[140000] = values[70000] = values[3];
        values[120000] = values[2];
        const int64_t smaller = values[2] < values[3] ? values[2] : values[3];
        hanse_row_ids *ids;
        hanse_error error;
        char expected[200];
        const hanse_array array = {values, NULL, NULL};
        assert_int_equal(hanse_row_ids_create(&id64, N, NULL, &ids, &error),
                         HANSE_OK);
        assert_int_equal(hanse_row_ids_add(ids, &array, 0, N, &error),
                         HANSE_OK);
        assert_int_equal(hanse_row_ids_finish(ids, 3, &error),
                         HANSE_ERR_FORMAT);
        snprintf(expected, sizeof expected,
                 "the rows %d and %d have the same id, %lld, in the column "
                 "'firm'; links need ids that occur once",
                 smaller == values[2] ? 2 : 3,
                 smaller == values[2] ? 120000 : 70000, (long long)smaller);
        assert_string_equal(error.message, expected);
        hanse_row_ids_destroy(ids);
    }
    free(values);

    const int32_t offsets[] = {0, 1, 2, 3, 4, 5};
    const hanse_array texts = {"cbabc", offsets, NULL};
    hanse_row_ids *ids;
    hanse_error error;
    assert_int_equal(hanse_row_ids_create(&id_text, 5, NULL, &ids, &error),
                     HANSE_OK);
    assert_int_equal(hanse_row_ids_add(ids, &texts, 0, 5, &error), HANSE_OK);
    assert_int_equal(hanse_row_ids_finish(ids, 2, &error), HANSE_ERR_FORMAT);
    assert_non_null(
        strstr(error.message, "rows 1 and 3 have the same id, 'b'"));
    hanse_row_ids_destroy(ids);
}

static void missing_ids_are_no_ids(void **state)
{
    (void)state;
    const int64_t values[] = {7, 7, 8, 7};
    const uint8_t missing[] = {1, 0, 0, 1};
    const uint8_t missing_end[] = {0, 0, 1, 0};
    const hanse_array array = {values, NULL, missing};
    const hanse_array ends = {values, NULL, missing_end};
    uint32_t rows[4];
    hanse_error error;
    hanse_row_ids *ids = make(&id64, &array, 4, 2, NULL);
    const hanse_bad_end bad = find(ids, HANSE_INT64, &ends, 4, rows);
    assert_int_equal(rows[0], 1);
    assert_int_equal(rows[1], 1);
    assert_int_equal(rows[3], 1);
    assert_int_equal(bad.link, 1002);
    assert_int_equal(hanse_bad_end_report(&bad, ids, 4, &error),
                     HANSE_ERR_FORMAT);
    assert_string_equal(
        error.message,
        "link 1002 (from 0) has no target: the value is missing");
    hanse_row_ids_destroy(ids);
}

static void row_numbers_are_checked(void **state)
{
    (void)state;
    const int32_t values[] = {0, 3, 4, -1};
    const hanse_array array = {values, NULL, NULL};
    const hanse_ends ends = {HANSE_INT32, &array, 0, 4, "source"};
    hanse_bad_end bad = HANSE_NO_BAD_END;
    uint32_t rows[4];
    hanse_error error;
    hanse_row_numbers_find(4, &ends, rows, &bad);
    assert_int_equal(rows[0], 0);
    assert_int_equal(rows[1], 3);
    assert_int_equal(hanse_bad_end_report(&bad, NULL, 4, &error),
                     HANSE_ERR_FORMAT);
    assert_string_equal(error.message,
                        "link 2 (from 0): its source is row 4, but the table "
                        "has 4 rows, numbered from 0");
}

static void types_that_are_no_ids_are_refused(void **state)
{
    (void)state;
    const hanse_field number = {.name = "x", .type = HANSE_FLOAT64};
    const hanse_label label = {1, "one"};
    const hanse_field labelled = {
        .name = "l", .type = HANSE_INT8, .labels = &label, .n_labels = 1};
    hanse_row_ids *ids;
    hanse_error error;
    assert_int_equal(hanse_row_ids_create(&number, 1, NULL, &ids, &error),
                     HANSE_ERR_TYPE);
    assert_int_equal(hanse_row_ids_create(&labelled, 1, NULL, &ids, &error),
                     HANSE_ERR_TYPE);
    assert_int_equal(hanse_row_ids_accept(NULL, &id_text, &error),
                     HANSE_ERR_TYPE);
    assert_int_equal(hanse_row_ids_create(&id_text, 0, NULL, &ids, &error),
                     HANSE_OK);
    assert_int_equal(hanse_row_ids_accept(ids, &id64, &error), HANSE_ERR_TYPE);
    assert_string_equal(error.message,
                        "the column 'firm' has type int64, the ids in the "
                        "column 'firm' are of type text");
    hanse_row_ids_destroy(ids);
}

static void too_little_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    int64_t values[3000];
    for (size_t i = 0; i < 3000; i++)
        values[i] = id_of(i, 1);
    const hanse_array array = {values, NULL, NULL};
    unsigned n_refused = 0;
    hanse_status status = HANSE_ERR_LIMIT;
    for (uint64_t limit = 1000; status != HANSE_OK; limit += 5000) {
        hanse_budget budget = {.limit_bytes = limit};
        hanse_row_ids *ids = NULL;
        hanse_error error;
        status = hanse_row_ids_create(&id64, 3000, &budget, &ids, &error);
        if (status == HANSE_OK)
            status = hanse_row_ids_add(ids, &array, 0, 3000, &error);
        if (status == HANSE_OK)
            status = hanse_row_ids_finish(ids, 2, &error);
        if (status != HANSE_OK)
            assert_int_equal(status, HANSE_ERR_LIMIT);
        n_refused += status != HANSE_OK;
        hanse_row_ids_destroy(ids);
        assert_int_equal(atomic_load(&budget.used_bytes), 0);
    }
    assert_true(n_refused > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_integer_leads_to_its_row),
        cmocka_unit_test(every_text_leads_to_its_row),
        cmocka_unit_test(widths_do_not_matter_but_signs_do),
        cmocka_unit_test(repeated_ids_are_named),
        cmocka_unit_test(missing_ids_are_no_ids),
        cmocka_unit_test(row_numbers_are_checked),
        cmocka_unit_test(types_that_are_no_ids_are_refused),
        cmocka_unit_test(too_little_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
