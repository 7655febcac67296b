/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared partitions: whatever the keys are, however a grouping is cut, and
 * however many threads there are, the tables are those of one aggregation that
 * keeps all states itself, to the bit. So are those of runs in parts of the
 * groups.
 *
 * usage: test_partitions [CASES [FIRST]]
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/memory_source.h"
#include "engine/partitions.h"
#include "engine/run.h"
#include "engine/tuple_map.h"
#include "io/spill_file.h"
#include "tests/random_numbers.h"
#include "tests/same_results.h"

enum {
    MOST_ROWS = 6000,
    N_FIELDS = 8,
    TEXT_BYTES = 32
};

static uint64_t n_cases = 40, first_case = 0, n_spilled = 0;

typedef struct rows {
    size_t n;
    int64_t a[MOST_ROWS];
    uint8_t a_missing[MOST_ROWS];
    int16_t b[MOST_ROWS];
    uint8_t b_missing[MOST_ROWS];
    uint64_t u[MOST_ROWS];
    int8_t label[MOST_ROWS];
    char bytes[MOST_ROWS * TEXT_BYTES];
    int32_t offsets[MOST_ROWS + 1];
    uint8_t text_missing[MOST_ROWS];
    double x[MOST_ROWS];
    int32_t i[MOST_ROWS];
    uint8_t i_missing[MOST_ROWS];
    uint64_t v[MOST_ROWS];
} rows;

/* One code has no label, two have the same. */
static const hanse_label labels[] = {
    {0, "zinc"}, {1, "ash"}, {2, "oak"}, {4, "oak"}};
static const hanse_field fields[N_FIELDS] = {
    {.name = "a", .type = HANSE_INT64, .missing_code = -1},
    {.name = "b", .type = HANSE_INT16, .missing_code = INT16_MIN},
    {.name = "u", .type = HANSE_UINT64},
    {.name = "label", .type = HANSE_INT8, .labels = labels, .n_labels = 4},
    {.name = "town", .type = HANSE_TEXT},
    {.name = "x", .type = HANSE_FLOAT64},
    {.name = "i", .type = HANSE_INT32},
    {.name = "v", .type = HANSE_UINT64},
};
static const hanse_schema schema = {fields, N_FIELDS};

/* ---- Random rows -------------------------------------------------------- */

static double random_value(size_t wide_one_in, uint64_t *random)
{
    static const double odd[] = {(double)NAN, 0.0, -0.0, HUGE_VAL, -HUGE_VAL};
    if (next_random(random) % 256 == 0)
        return odd[below(random, 5)];
    const double x = 1.0 + (double)(next_random(random) >> 12) * 0x1p-52;
    /* Now and then a window is left. */
    const bool wide = wide_one_in != 0 && below(random, wide_one_in) == 0;
    const int width = wide ? 600 : 20;
    return ldexp(next_random(random) % 2 == 0 ? x : -x,
                 (int)below(random, (size_t)width) - width / 2);
}

/* A key of some shape: dense, sparse, sorted, at the ends of its type. */
static int64_t random_key(unsigned shape, size_t row, size_t n_keys,
                          uint64_t *random)
{
    const uint64_t k = below(random, n_keys);
    switch (shape) {
    case 0:
        return (int64_t)k - (int64_t)n_keys / 2;
    case 1: /* scattered */
        return (int64_t)(k * 0x9e3779b97f4a7c15u);
    case 2: /* sorted, rising */
        return (int64_t)(row / 3);
    case 3: /* sorted, falling, from the end of the type */
        return INT64_MAX - (int64_t)(row / 2);
    case 4:
        return INT64_MIN + (int64_t)k;
    case 5: /* on both sides of 2^63, as an unsigned key */
        return (int64_t)(((uint64_t)1 << 63) - n_keys / 2 + k);
    default: /* mostly dense */
        return next_random(random) % 100 == 0 ? (int64_t)next_random(random)
                                              : (int64_t)k;
    }
}

/* One row in how many lacks a key: none (0), some, or every one. */
static size_t random_missing(size_t usual, uint64_t *random)
{
    const size_t choice = below(random, 8);
    return choice < 3 ? 0 : choice < 7 ? usual : 1;
}

static bool is_missing(size_t one_in, uint64_t *random)
{
    return one_in != 0 && below(random, one_in) == 0;
}

static void fill(rows *r, uint64_t *random)
{
    const unsigned shape_a = (unsigned)below(random, 7);
    const unsigned shape_u = (unsigned)below(random, 7);
    const size_t n_keys = 1 + below(random, 3000);
    const size_t n_inner = 1 + below(random, 40);
    const size_t n_texts = 1 + below(random, 2000);
    const char *beginning =
        below(random, 3) == 0 ? "a town of the league, " : "";
    const size_t a_missing = random_missing(50, random);
    const size_t b_missing = random_missing(30, random);
    const size_t text_missing = random_missing(40, random);
    const size_t wide_one_in = below(random, 3) * 200;
    r->n = below(random, 16) == 0 ? 1 : 1 + below(random, MOST_ROWS);
    for (size_t row = 0; row < r->n; row++) {
        r->a[row] = random_key(shape_a, row, n_keys, random);
        r->a_missing[row] = is_missing(a_missing, random);
        r->b[row] = (int16_t)below(random, n_inner);
        r->b_missing[row] = is_missing(b_missing, random);
        r->u[row] = (uint64_t)random_key(shape_u, row, n_keys, random);
        r->label[row] = (int8_t)below(random, 5);
        const int length = snprintf(r->bytes + r->offsets[row], TEXT_BYTES,
                                    "%s%zx", beginning, below(random, n_texts));
        r->offsets[row + 1] = r->offsets[row] + length;
        r->text_missing[row] = is_missing(text_missing, random);
        r->x[row] = random_value(wide_one_in, random);
        r->i[row] = (int32_t)next_random(random);
        r->i_missing[row] = next_random(random) % 32 == 0;
        r->v[row] = next_random(random) >> 14;
    }
}

/* ---- One case ----------------------------------------------------------- */

static hanse_spec *make_spec(uint64_t *random)
{
    static const char *const groupings[][3] = {
        {"a"},         {"a", "b"},     {"a", "b", "label"},
        {"u"},         {"u", "label"}, {"town"},
        {"town", "b"}, {"label", "a"}, {"b", "u", "a"},
        {"b", "town"}, {"b"},          {"u", "town"},
    };
    hanse_spec *spec;
    assert_int_equal(hanse_spec_create(&spec, NULL), HANSE_OK);
    for (size_t g = 0; g < sizeof groupings / sizeof groupings[0]; g++) {
        if (next_random(random) % 3 != 0)
            continue;
        size_t n = 0;
        while (n < 3 && groupings[g][n] != NULL)
            n++;
        assert_int_equal(hanse_spec_add_grouping(spec, groupings[g], n, NULL),
                         HANSE_OK);
    }
    assert_int_equal(hanse_spec_add_grouping(spec, NULL, 0, NULL), HANSE_OK);
    assert_int_equal(hanse_spec_add_measure(spec, "x", "x", NULL), HANSE_OK);
    /* Floats alone have states of their own in partitions. */
    const bool floats = next_random(random) % 2 == 0;
    const size_t n_more = 1 + below(random, 2);
    for (size_t m = 0; m < n_more; m++) {
        const char *formula = floats ? (m == 0 ? "3.0 * x" : "x - 0.125 * i")
                                     : (m == 0 ? "i" : "v");
        assert_int_equal(
            hanse_spec_add_measure(spec, m == 0 ? "p" : "q", formula, NULL),
            HANSE_OK);
    }
    const size_t filter = below(random, 12);
    if (filter < 5)
        assert_int_equal(
            hanse_spec_set_filter(spec, filter == 0 ? "b < 0" : "b < 20", NULL),
            HANSE_OK);
    assert_int_equal(hanse_spec_set_statistics(spec,
                                               next_random(random) % 2 == 0
                                                   ? HANSE_STAT_ALL
                                                   : HANSE_STAT_TOTAL,
                                               NULL),
                     HANSE_OK);
    static const char *const extras[] = {"median", "nunique", "mode", "top2",
                                         "first",  "skew",    "corr"};
    for (size_t e = 0; next_random(random) % 4 != 0 && e < 3; e++)
        assert_int_equal(
            hanse_spec_add_statistic(spec, extras[below(random, 7)], NULL),
            HANSE_OK);
    if (next_random(random) % 4 == 0)
        assert_int_equal(
            hanse_spec_set_missing_keys(spec, HANSE_MISSING_KEYS_DROP, NULL),
            HANSE_OK);
    return spec;
}

static hanse_result *run_shared(const hanse_spec *spec,
                                const hanse_batch *batch, size_t n_threads,
                                bool hash_only, bool with_spill,
                                uint32_t n_parts, uint64_t *random)
{
    const hanse_run_options options = {.n_threads = n_threads};
    hanse_spill *spill = NULL;
    if (with_spill)
        assert_int_equal(hanse_spill_file_open("/tmp", &spill, NULL), HANSE_OK);
    const hanse_run_tuning tuning = {.spill = spill,
                                     /* From none to all of the groups. */
                                     .most_bytes = (uint64_t)1
                                                   << (12 + below(random, 10)),
                                     .share_bytes = 64u << below(random, 12),
                                     .page_bytes = 512u << below(random, 8),
                                     .hash_only = hash_only,
                                     .n_parts = n_parts};
    hanse_source *source;
    hanse_result *result = NULL;
    hanse_error error = {0};
    assert_int_equal(hanse_memory_source_open(
                         &schema, batch, 1 + below(random, 900), &source, NULL),
                     HANSE_OK);
    if (hanse_run_tuned(spec, source, &options, &tuning, NULL, &result,
                        &error) != HANSE_OK)
        fail_msg("%s", error.message);
    hanse_source_close(source);
    if (spill != NULL) {
        n_spilled += hanse_spill_file_bytes(spill) != 0;
        spill->ops->close(spill);
    }
    return result;
}

static void check_case(uint64_t number, rows *r)
{
    uint64_t random = number * 0x632be59bd9b4e019u;
    fill(r, &random);
    const hanse_array arrays[N_FIELDS] = {
        {.values = r->a, .missing = r->a_missing},
        {.values = r->b, .missing = r->b_missing},
        {.values = r->u},
        {.values = r->label},
        {.values = r->bytes, .offsets = r->offsets, .missing = r->text_missing},
        {.values = r->x},
        {.values = r->i, .missing = r->i_missing},
        {.values = r->v}};
    const hanse_batch batch = {r->n, arrays};
    hanse_spec *spec = make_spec(&random);
    hanse_aggregation *alone;
    hanse_result *expected;
    assert_int_equal(hanse_aggregation_create(spec, &schema, &alone, NULL),
                     HANSE_OK);
    assert_int_equal(hanse_aggregation_add(alone, &batch, NULL), HANSE_OK);
    assert_int_equal(hanse_aggregation_finish(alone, &expected, NULL),
                     HANSE_OK);
    for (size_t i = 0; i < 10; i++) {
        const uint32_t n_parts = i < 8 ? 0 : 1 + (uint32_t)below(&random, 5);
        hanse_result *found =
            run_shared(spec, &batch, 1 + i / 2 % 4, i / 2 % 2 == 0, i % 2 == 1,
                       n_parts, &random);
        assert_same_results(expected, found);
        hanse_result_destroy(found);
    }
    hanse_result_destroy(expected);
    hanse_aggregation_destroy(alone);
    hanse_spec_destroy(spec);
}

static void random_tables_agree_however_shared(void **state)
{
    (void)state;
    rows *r = calloc(1, sizeof *r);
    assert_non_null(r);
    for (uint64_t i = first_case; i < first_case + n_cases; i++) {
        print_message("case %llu\n", (unsigned long long)i);
        check_case(i, r);
    }
    print_message("%llu runs spilled\n", (unsigned long long)n_spilled);
    assert_true(n_cases < 20 || n_spilled > 0);
    free(r);
}

/* Groups of more rows than a packed count holds, and groups whose sums leave
 * the guard of packed ones. */
static void large_groups_are_not_cut(void **state)
{
    (void)state;
    enum {
        N = 150000,
        N_KEYS = 500
    };
    static const hanse_field two[] = {{.name = "a", .type = HANSE_INT64},
                                      {.name = "x", .type = HANSE_FLOAT64}};
    static const hanse_schema schema_of_two = {two, 2};
    int64_t *a = calloc(N, sizeof *a);
    double *x = calloc(N, sizeof *x);
    uint64_t random = 5;
    assert_true(a != NULL && x != NULL);
    for (size_t i = 0; i < N; i++) {
        a[i] = i % 2 == 0 && i > N_KEYS ? 77 : (int64_t)below(&random, N_KEYS);
        x[i] = ldexp(1.0 + (double)(next_random(&random) >> 12) * 0x1p-52,
                     a[i] == 99 || i < 2 ? 45 : 0);
    }
    const hanse_array arrays[] = {{.values = a}, {.values = x}};
    const hanse_batch batch = {N, arrays};
    static const char *const key[] = {"a"};
    hanse_spec *spec;
    hanse_aggregation *alone;
    hanse_result *expected;
    assert_int_equal(hanse_spec_create(&spec, NULL), HANSE_OK);
    assert_int_equal(hanse_spec_add_grouping(spec, key, 1, NULL), HANSE_OK);
    assert_int_equal(hanse_spec_add_measure(spec, "x", "x", NULL), HANSE_OK);
    assert_int_equal(hanse_spec_add_measure(spec, "y", "-x", NULL), HANSE_OK);
    assert_int_equal(
        hanse_spec_set_statistics(
            spec, HANSE_STAT_COUNT | HANSE_STAT_TOTAL | HANSE_STAT_MEAN, NULL),
        HANSE_OK);
    assert_int_equal(
        hanse_aggregation_create(spec, &schema_of_two, &alone, NULL), HANSE_OK);
    assert_int_equal(hanse_aggregation_add(alone, &batch, NULL), HANSE_OK);
    assert_int_equal(hanse_aggregation_finish(alone, &expected, NULL),
                     HANSE_OK);
    for (size_t i = 0; i < 4; i++) {
        const hanse_run_options options = {.n_threads = 1 + i / 2};
        const hanse_run_tuning tuning = {
            .share_bytes = 64, .page_bytes = 4096, .hash_only = i % 2 != 0};
        hanse_source *source;
        hanse_result *found = NULL;
        assert_int_equal(hanse_memory_source_open(&schema_of_two, &batch, 1000,
                                                  &source, NULL),
                         HANSE_OK);
        assert_int_equal(hanse_run_tuned(spec, source, &options, &tuning, NULL,
                                         &found, NULL),
                         HANSE_OK);
        assert_same_results(expected, found);
        hanse_source_close(source);
        hanse_result_destroy(found);
    }
    hanse_result_destroy(expected);
    hanse_aggregation_destroy(alone);
    hanse_spec_destroy(spec);
    free(a);
    free(x);
}

/* Parts with values beyond 2^63 and parts without have columns of other types:
 * those of the whole hold both. */
static void parts_keep_large_unsigned_values(void **state)
{
    (void)state;
    enum {
        N = 64
    };
    static const hanse_field two[] = {{.name = "a", .type = HANSE_INT64},
                                      {.name = "u", .type = HANSE_UINT64}};
    static const hanse_schema schema_of_two = {two, 2};
    static const char *const key[] = {"a"};
    int64_t a[N];
    uint64_t u[N];
    for (size_t i = 0; i < N; i++) {
        a[i] = (int64_t)i;
        u[i] = i % 7 == 0 ? UINT64_MAX - i : i;
    }
    const hanse_array arrays[] = {{.values = a}, {.values = u}};
    const hanse_batch batch = {N, arrays};
    const hanse_run_options options = {.n_threads = 1};
    const hanse_run_tuning tuning = {.n_parts = 16};
    hanse_spec *spec;
    hanse_source *source;
    hanse_result *found;
    assert_int_equal(hanse_spec_create(&spec, NULL), HANSE_OK);
    assert_int_equal(hanse_spec_add_grouping(spec, key, 1, NULL), HANSE_OK);
    assert_int_equal(hanse_spec_add_measure(spec, "u", "u", NULL), HANSE_OK);
    assert_int_equal(
        hanse_spec_set_statistics(spec, HANSE_STAT_MAX | HANSE_STAT_MODE, NULL),
        HANSE_OK);
    assert_int_equal(
        hanse_memory_source_open(&schema_of_two, &batch, 10, &source, NULL),
        HANSE_OK);
    assert_int_equal(
        hanse_run_tuned(spec, source, &options, &tuning, NULL, &found, NULL),
        HANSE_OK);
    const hanse_table *table = hanse_result_table(found, 0);
    assert_int_equal(table->n_rows, N);
    for (size_t c = 1; c < 3; c++) {
        assert_int_equal(table->columns[c].type, HANSE_UINT64);
        assert_memory_equal(table->columns[c].values, u, sizeof u);
    }
    hanse_result_destroy(found);
    hanse_source_close(source);
    hanse_spec_destroy(spec);
}

/* One value of each page leaves the window when memory is half full of small
 * states: rows go to the spill in time. */
static void unpacked_states_stay_within_the_limit(void **state)
{
    (void)state;
    enum {
        N_KEYS = 400000,
        N = N_KEYS + N_KEYS / 64
    };
    static const hanse_field two[] = {{.name = "a", .type = HANSE_INT64},
                                      {.name = "x", .type = HANSE_FLOAT64}};
    static const hanse_schema schema_of_two = {two, 2};
    static const char *const key[] = {"a"};
    int64_t *a = calloc(N, sizeof *a);
    double *x = calloc(N, sizeof *x);
    assert_true(a != NULL && x != NULL);
    uint64_t random = 6;
    for (size_t i = 0; i < N; i++) {
        a[i] = i < N_KEYS ? (int64_t)(i * 7919 % N_KEYS)
                          : (int64_t)(i - N_KEYS) * 64;
        x[i] = i < N_KEYS ? 1.0 + (double)(next_random(&random) >> 12) * 0x1p-52
                          : 0x1p-110;
    }
    const hanse_array arrays[] = {{.values = a}, {.values = x}};
    const hanse_batch batch = {N, arrays};
    hanse_spec *spec;
    hanse_spill *spill;
    hanse_source *source;
    hanse_result *found = NULL;
    hanse_error error = {0};
    assert_int_equal(hanse_spec_create(&spec, NULL), HANSE_OK);
    assert_int_equal(hanse_spec_add_grouping(spec, key, 1, NULL), HANSE_OK);
    assert_int_equal(hanse_spec_add_measure(spec, "x", "x", NULL), HANSE_OK);
    assert_int_equal(hanse_spec_set_statistics(spec, HANSE_STAT_TOTAL, NULL),
                     HANSE_OK);
    assert_int_equal(hanse_spill_file_open("/tmp", &spill, NULL), HANSE_OK);
    assert_int_equal(
        hanse_memory_source_open(&schema_of_two, &batch, 1000, &source, NULL),
        HANSE_OK);
    const hanse_run_options options = {.n_threads = 2,
                                       .memory_bytes = (uint64_t)24 << 20};
    const hanse_run_tuning tuning = {
        .spill = spill, .share_bytes = 65536, .page_bytes = 65536};
    if (hanse_run_tuned(spec, source, &options, &tuning, NULL, &found,
                        &error) != HANSE_OK)
        fail_msg("%s", error.message);
    assert_int_equal(hanse_result_table(found, 0)->n_rows, N_KEYS);
    hanse_result_destroy(found);
    hanse_source_close(source);
    spill->ops->close(spill);
    hanse_spec_destroy(spec);
    free(a);
    free(x);
}

/* ---- Tuple maps --------------------------------------------------------- */

static void tuple_map_numbers_by_first_appearance(void **state)
{
    (void)state;
    const int64_t tuples[][2] = {{1, 2}, {2, 1}, {1, 2}, {0, 0}, {0, 0},
                                 {1, 0}, {0, 1}, {0, 0}, {1, 2}};
    const uint32_t masks[] = {0, 0, 0, 0, 1, 0, 0, 1, 2};
    const uint32_t expected[] = {0, 1, 0, 2, 3, 4, 5, 3, 6};
    uint32_t codes[9];
    hanse_tuple_map map;
    hanse_tuple_map_init(&map, 2, NULL);
    assert_int_equal(
        hanse_tuple_map_codes(&map, tuples[0], masks, 9, codes, NULL),
        HANSE_OK);
    assert_memory_equal(codes, expected, sizeof codes);
    assert_int_equal(hanse_tuple_map_mask(&map, 3), 1);
    assert_int_equal(hanse_tuple_map_mask(&map, 2), 0);
    hanse_tuple_map_clear(&map);
}

static void tuple_map_keeps_codes_while_it_grows(void **state)
{
    (void)state;
    hanse_tuple_map map;
    hanse_tuple_map_init(&map, 1, NULL);
    const uint32_t no_mask = 0;
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 100000; i++) {
            const int64_t value = (int64_t)i << 40;
            uint32_t code;
            assert_int_equal(
                hanse_tuple_map_codes(&map, &value, &no_mask, 1, &code, NULL),
                HANSE_OK);
            assert_int_equal(code, i);
        }
    }
    hanse_tuple_map_clear(&map);
}

/* ---- Pages -------------------------------------------------------------- */

static void pages_follow_the_limit_of_memory(void **state)
{
    (void)state;
    static const struct {
        uint64_t limit_bytes;
        size_t page_bytes;
    } cases[] = {
        {0, 4 << 20},
        {1 << 20, 2 << 20},
        {(1 << 30) - 1, 2 << 20},
        {1 << 30, 4 << 20},
        {(uint64_t)1 << 40, 4 << 20},
    };
    const hanse_plan plan = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hanse_budget budget = {.limit_bytes = cases[i].limit_bytes};
        hanse_shared shared;
        assert_int_equal(hanse_shared_init(&shared, &plan, &budget, 1, 1, NULL),
                         HANSE_OK);
        assert_int_equal(shared.page_bytes, cases[i].page_bytes);
        hanse_shared_clear(&shared);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tuple_map_numbers_by_first_appearance),
        cmocka_unit_test(tuple_map_keeps_codes_while_it_grows),
        cmocka_unit_test(large_groups_are_not_cut),
        cmocka_unit_test(parts_keep_large_unsigned_values),
        cmocka_unit_test(pages_follow_the_limit_of_memory),
        cmocka_unit_test(unpacked_states_stay_within_the_limit),
        cmocka_unit_test(random_tables_agree_however_shared),
    };
    if (argc > 1)
        n_cases = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        first_case = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
