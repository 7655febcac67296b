/* SPDX-License-Identifier: Apache-2.0
 *
 * Different values and modes in little memory: whatever the limit, the threads
 * and the order of rows, the tables are those of one aggregation that keeps all
 * values, to the bit. And the table of counts by itself.
 *
 * usage: test_distinct [CASES [FIRST]]
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
#include "engine/run.h"
#include "engine/value_counts.h"
#include "engine/value_order.h"
#include "tests/random_numbers.h"
#include "tests/same_results.h"

enum {
    MOST_ROWS = 40000,
    N_FIELDS = 5
};

static uint64_t n_cases = 16, first_case = 0, n_read_again = 0;

/* ---- The table of counts ------------------------------------------------ */

enum {
    N_SLOTS = 997,
    N_VALUES = 900
};

static uint64_t seed_of_counts = 77;

static void add_item(hanse_value_counts *counts, const hanse_value_item *item)
{
    const uint64_t hash =
        hanse_value_hash(item->value, item->group, counts->seed);
    assert_int_equal(hanse_value_counts_add(counts, item, hash, NULL),
                     HANSE_OK);
}

static hanse_value_item item_of(size_t i)
{
    return (hanse_value_item){(int64_t)(i / 3) - 100, 1, (uint32_t)(i % 3)};
}

/* The count of a value with what is kept apart. */
static uint64_t count_of(const hanse_value_counts *counts,
                         const hanse_value_item *item)
{
    const hanse_value_item *large = counts->large.items;
    uint64_t n = hanse_value_counts_find(
                     counts, item->value, item->group,
                     hanse_value_hash(item->value, item->group, counts->seed))
                     ->count;
    for (size_t i = 0; i < counts->large.n; i++)
        if (large[i].value == item->value && large[i].group == item->group)
            n += large[i].count;
    return n;
}

/* A table filled to nine tenths, in random order, loses more and more of its
 * hashes; the others stay. */
static void purging_leaves_the_rest(void **state)
{
    static hanse_value_slot slots[N_SLOTS];
    uint64_t random = 3;
    (void)state;
    for (int round = 0; round < 20; round++) {
        memset(slots, 0, sizeof slots);
        hanse_value_counts counts = {
            .seed = next_random(&random), .slots = slots, .n_slots = N_SLOTS};
        uint64_t expected[N_VALUES] = {0};
        for (size_t k = 0; k < 5000; k++) {
            const size_t i = below(&random, N_VALUES);
            hanse_value_item item = item_of(i);
            if (i % 100 == 7)
                item.count = UINT32_MAX / 2;
            add_item(&counts, &item);
            expected[i] += item.count;
        }
        uint64_t last = UINT64_MAX;
        for (int step = 0; step < 6; step++, last -= last / 3) {
            size_t n = 0;
            hanse_value_counts_purge(&counts, last);
            for (size_t i = 0; i < N_VALUES; i++) {
                const hanse_value_item item = item_of(i);
                const bool is_in = hanse_value_hash(item.value, item.group,
                                                    counts.seed) <= last;
                assert_int_equal(count_of(&counts, &item),
                                 is_in ? expected[i] : 0);
                n += is_in && expected[i] != 0;
            }
            assert_int_equal(counts.n, n);
        }
        hanse_group_array_clear(&counts.large, NULL, sizeof(hanse_value_item));
    }
}

/* The mode is found by counts of more than 32 bits. */
static void large_counts_are_exact(void **state)
{
    static hanse_value_slot slots[N_SLOTS];
    static const hanse_value_item items[] = {
        {5, UINT32_MAX, 0}, {9, UINT32_MAX, 0},
        {9, 2, 0},          {5, 1, 0},
        {3, 7, 0},          {4, (uint64_t)3 << 33, 1},
        {8, UINT32_MAX, 1}, {8, UINT32_MAX, 1},
        {2, UINT32_MAX, 2}, {1, UINT32_MAX - 1, 2},
        {1, 1, 2}};
    hanse_value_counts counts = {
        .seed = seed_of_counts, .slots = slots, .n_slots = N_SLOTS};
    hanse_value_summary found[3] = {{0}};
    (void)state;
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
        add_item(&counts, &items[i]);
    assert_int_equal(hanse_value_counts_summarise(&counts, UINT64_MAX,
                                                  HANSE_NUMBER_INT, found),
                     7);
    assert_int_equal(found[0].n_values, 3);
    assert_int_equal(found[0].mode, 9);
    assert_int_equal(found[0].count, (uint64_t)UINT32_MAX + 2);
    assert_int_equal(found[1].n_values, 2);
    assert_int_equal(found[1].mode, 4);
    assert_int_equal(found[1].count, (uint64_t)3 << 33);
    assert_int_equal(found[2].n_values, 2);
    assert_int_equal(found[2].mode, 1);
    assert_int_equal(found[2].count, UINT32_MAX);
    hanse_group_array_clear(&counts.large, NULL, sizeof(hanse_value_item));
}

/* ---- Random rows -------------------------------------------------------- */

typedef struct rows {
    size_t n;
    int64_t a[MOST_ROWS];
    uint8_t a_missing[MOST_ROWS];
    int16_t b[MOST_ROWS];
    double x[MOST_ROWS];
    int32_t i[MOST_ROWS];
    uint8_t i_missing[MOST_ROWS];
    uint64_t u[MOST_ROWS];
} rows;

static const hanse_field fields[N_FIELDS] = {
    {.name = "a", .type = HANSE_INT64},   {.name = "b", .type = HANSE_INT16},
    {.name = "x", .type = HANSE_FLOAT64}, {.name = "i", .type = HANSE_INT32},
    {.name = "u", .type = HANSE_UINT64},
};
static const hanse_schema schema = {fields, N_FIELDS};

static double random_float(size_t n_values, uint64_t *random)
{
    static const double odd[] = {(double)NAN, 0.0, -0.0, HUGE_VAL, -HUGE_VAL};
    if (next_random(random) % 16 == 0)
        return odd[below(random, 5)];
    return (double)below(random, n_values) * 0x1p-3 - 100.0;
}

/* A few groups hold most rows in some tables; values are few, or nearly all
 * different. */
static void fill(rows *r, uint64_t *random)
{
    static const size_t choices[] = {3, 300, MOST_ROWS, (size_t)1 << 30};
    const size_t n_a = choices[below(random, 3)];
    const size_t n_x = choices[below(random, 4)];
    const size_t n_i = choices[below(random, 4)];
    const size_t n_u = choices[below(random, 4)];
    const bool is_uneven = next_random(random) % 2 == 0;
    r->n = below(random, 8) == 0 ? below(random, 3)
                                 : MOST_ROWS / 4 + below(random, MOST_ROWS / 2);
    for (size_t row = 0; row < r->n; row++) {
        r->a[row] = (int64_t)below(random, n_a);
        if (is_uneven && next_random(random) % 4 != 0)
            r->a[row] = 1 + (int64_t)(next_random(random) % 2);
        r->a_missing[row] = next_random(random) % 50 == 0;
        r->b[row] = (int16_t)below(random, 5);
        r->x[row] = random_float(n_x, random);
        r->i[row] = (int32_t)below(random, n_i) - 1000;
        r->i_missing[row] = next_random(random) % 8 == 0;
        r->u[row] = UINT64_MAX / 2 + (uint64_t)n_u / 2 - below(random, n_u);
    }
}

/* The same rows in another order. */
static void shuffle(const rows *from, rows *to, uint64_t *random)
{
    size_t *order = malloc((from->n + 1) * sizeof *order);
    assert_non_null(order);
    for (size_t k = 0; k < from->n; k++) {
        const size_t other = below(random, k + 1);
        order[k] = order[other];
        order[other] = k;
    }
    to->n = from->n;
    for (size_t k = 0; k < from->n; k++) {
        const size_t row = order[k];
        to->a[k] = from->a[row];
        to->a_missing[k] = from->a_missing[row];
        to->b[k] = from->b[row];
        to->x[k] = from->x[row];
        to->i[k] = from->i[row];
        to->i_missing[k] = from->i_missing[row];
        to->u[k] = from->u[row];
    }
    free(order);
}

static void batch_of(const rows *r, hanse_array *arrays, hanse_batch *batch)
{
    arrays[0] = (hanse_array){.values = r->a, .missing = r->a_missing};
    arrays[1] = (hanse_array){.values = r->b};
    arrays[2] = (hanse_array){.values = r->x};
    arrays[3] = (hanse_array){.values = r->i, .missing = r->i_missing};
    arrays[4] = (hanse_array){.values = r->u};
    *batch = (hanse_batch){r->n, arrays};
}

/* ---- Random jobs -------------------------------------------------------- */

static hanse_spec *make_spec(uint64_t *random)
{
    static const char *const groupings[][2] = {
        {"a"}, {"a", "b"}, {"b"}, {NULL}};
    static const char *const measures[] = {"x", "i", "u", "x + i"};
    static const char *const more[] = {"median", "p90", "skew", "var", "cov"};
    hanse_spec *spec;
    assert_int_equal(hanse_spec_create(&spec, NULL), HANSE_OK);
    /* At least one, in any order. */
    const size_t chosen = 1 + below(random, 15), turn = below(random, 4);
    for (size_t k = 0; k < 4; k++) {
        const size_t g = (k + turn) % 4;
        const size_t n_keys = g == 1 ? 2 : g != 3;
        if ((chosen >> g & 1) != 0)
            assert_int_equal(
                hanse_spec_add_grouping(spec, groupings[g], n_keys, NULL),
                HANSE_OK);
    }
    const size_t n_measures = 1 + below(random, 3), first = below(random, 4);
    for (size_t m = 0; m < n_measures; m++) {
        const char *measure = measures[(first + m) % 4];
        assert_int_equal(hanse_spec_add_measure(spec,
                                                m == 0   ? "p"
                                                : m == 1 ? "q"
                                                         : "r",
                                                measure, NULL),
                         HANSE_OK);
    }
    const size_t which = below(random, 4);
    if (which != 0)
        hanse_spec_add_statistic(spec, "nunique", NULL);
    if (which != 1)
        hanse_spec_add_statistic(spec, "mode", NULL);
    for (size_t s = below(random, 3); s > 0; s--)
        hanse_spec_add_statistic(
            spec, more[below(random, n_measures > 1 ? 5 : 4)], NULL);
    if (next_random(random) % 3 == 0)
        assert_int_equal(hanse_spec_set_filter(spec, "b < 3", NULL), HANSE_OK);
    if (next_random(random) % 4 == 0)
        assert_int_equal(
            hanse_spec_set_missing_keys(spec, HANSE_MISSING_KEYS_DROP, NULL),
            HANSE_OK);
    return spec;
}

/* ---- One case ----------------------------------------------------------- */

/* Compares with what a run finds within a budget; false when that is too
 * little. *n_bytes: read. */
static bool check_run(const hanse_spec *spec, const hanse_batch *batch,
                      const hanse_result *expected, uint64_t limit,
                      size_t n_threads, uint32_t n_parts, uint64_t *n_bytes)
{
    hanse_budget budget = {.limit_bytes = limit};
    const hanse_run_options options = {.n_threads = n_threads};
    const hanse_run_tuning tuning = {.n_parts = n_parts, .is_temporary = true};
    hanse_run_report report = {0};
    hanse_source *source;
    hanse_result *result = NULL;
    hanse_error error = {0};
    assert_int_equal(
        hanse_memory_source_open(&schema, batch, 700, &source, NULL), HANSE_OK);
    source->budget = &budget;
    const hanse_status status = hanse_run_tuned(spec, source, &options, &tuning,
                                                &report, &result, &error);
    hanse_source_close(source);
    if (status == HANSE_OK)
        assert_same_results(expected, result);
    else if (status != HANSE_ERR_LIMIT)
        fail_msg("%s", error.message);
    hanse_result_destroy(result);
    assert_int_equal(atomic_load(&budget.used_bytes), 0);
    assert_true(limit == 0 || atomic_load(&budget.peak_bytes) <= limit);
    *n_bytes = report.n_bytes;
    return status == HANSE_OK;
}

/* The least limit of a row of them that is enough, then more and more. */
static void check_limits(const hanse_spec *spec, const rows *r,
                         const hanse_result *expected, uint64_t *random)
{
    static rows other;
    hanse_array arrays[N_FIELDS];
    hanse_batch batch;
    uint64_t once, n_bytes;
    batch_of(r, arrays, &batch);
    assert_true(check_run(spec, &batch, expected, 0, 2, 0, &once));
    int n_good = 0;
    for (uint64_t limit = (uint64_t)1 << 17; n_good < 6; limit += limit / 3) {
        const size_t n_threads = 1 + below(random, 3);
        const uint32_t n_parts = below(random, 4) == 0 ? 3 : 0;
        shuffle(r, &other, random);
        batch_of(&other, arrays, &batch);
        const bool is_good = check_run(spec, &batch, expected, limit, n_threads,
                                       n_parts, &n_bytes);
        n_read_again += is_good && n_parts == 0 && n_bytes > once;
        n_good += is_good;
    }
}

static void check_case(uint64_t number)
{
    static rows r;
    uint64_t random = number * 0x632be59bd9b4e019u;
    hanse_array arrays[N_FIELDS];
    hanse_batch batch;
    fill(&r, &random);
    batch_of(&r, arrays, &batch);
    hanse_spec *spec = make_spec(&random);
    hanse_aggregation *alone;
    hanse_result *expected;
    assert_int_equal(hanse_aggregation_create(spec, &schema, &alone, NULL),
                     HANSE_OK);
    assert_int_equal(hanse_aggregation_add(alone, &batch, NULL), HANSE_OK);
    assert_int_equal(hanse_aggregation_finish(alone, &expected, NULL),
                     HANSE_OK);
    hanse_aggregation_destroy(alone);
    check_limits(spec, &r, expected, &random);
    hanse_result_destroy(expected);
    hanse_spec_destroy(spec);
}

static void random_tables_agree_in_any_memory(void **state)
{
    (void)state;
    for (uint64_t k = first_case; k < first_case + n_cases; k++) {
        print_message("case %llu\n", (unsigned long long)k);
        check_case(k);
    }
    print_message("%llu runs read the table again\n",
                  (unsigned long long)n_read_again);
    assert_true(n_cases < 16 || n_read_again > n_cases);
}

int main(int n_arguments, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(purging_leaves_the_rest),
        cmocka_unit_test(large_counts_are_exact),
        cmocka_unit_test(random_tables_agree_in_any_memory),
    };
    if (n_arguments > 1)
        n_cases = strtoull(arguments[1], NULL, 10);
    if (n_arguments > 2)
        first_case = strtoull(arguments[2], NULL, 10);
    return cmocka_run_group_tests_name("distinct", tests, NULL, NULL);
}
