/* SPDX-License-Identifier: Apache-2.0
 *
 * Random divisions of random rows: whatever part goes to which aggregation, in
 * which batches, and whatever merges with what, the bits are those of one
 * aggregation that takes all rows in order. Each part has exponents of its
 * own, so that windows, layouts and key maps differ on both sides of a merge.
 *
 * usage: test_merge_random [CASES [FIRST]]
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

#include "engine/hanse.h"
#include "tests/random_numbers.h"
#include "tests/same_results.h"

enum {
    MOST_ROWS = 4000,
    MOST_PARTS = 6,
    N_FIELDS = 5
};

static uint64_t n_cases = 60, first_case = 0;

typedef struct rows {
    size_t n;
    int64_t key[MOST_ROWS];
    uint8_t key_missing[MOST_ROWS];
    char bytes[MOST_ROWS];
    int32_t offsets[MOST_ROWS + 1];
    double x[MOST_ROWS];
    uint64_t u[MOST_ROWS];
    int64_t i[MOST_ROWS];
    uint8_t i_missing[MOST_ROWS];
} rows;

static const hanse_field fields[N_FIELDS] = {
    {.name = "key", .type = HANSE_INT64}, {.name = "town", .type = HANSE_TEXT},
    {.name = "x", .type = HANSE_FLOAT64}, {.name = "u", .type = HANSE_UINT64},
    {.name = "i", .type = HANSE_INT64},
};
static const hanse_schema schema = {fields, N_FIELDS};

/* ---- Random rows -------------------------------------------------------- */

static double random_value(uint64_t *random, int low, int width)
{
    static const double odd[] = {(double)NAN, 0.0, -0.0, HUGE_VAL, -HUGE_VAL};
    if (next_random(random) % 512 == 0)
        return odd[below(random, 5)];
    const double x = 1.0 + (double)(next_random(random) >> 12) * 0x1p-52;
    const int exponent = low + (int)below(random, (size_t)width);
    return ldexp(next_random(random) % 2 == 0 ? x : -x, exponent);
}

/* Rows first .. end - 1 have exponents and keys of their own. */
static void fill_part(rows *r, size_t first, size_t end, uint64_t *random)
{
    static const int widths[] = {1, 20, 60, 120, 900};
    const int width = widths[below(random, 5)];
    const int low = (int)below(random, (size_t)(2090 - width)) - 1074;
    const bool near = next_random(random) % 2 == 0;
    const uint64_t step = next_random(random) % 2 == 0
                              ? 1 + next_random(random) % 3
                              : next_random(random);
    const size_t n_keys = 1 + below(random, 400);
    for (size_t row = first; row < end; row++) {
        r->key[row] = (int64_t)(below(random, n_keys) * step);
        r->key_missing[row] = next_random(random) % 64 == 0;
        r->bytes[row] = (char)('a' + below(random, 20));
        r->offsets[row + 1] = (int32_t)row + 1;
        r->x[row] = random_value(random, near ? width / 8 : low, width);
        r->u[row] = next_random(random) >> 12;
        r->i[row] = (int64_t)next_random(random) >> 12;
        r->i_missing[row] = next_random(random) % 32 == 0;
    }
}

/* Adds rows first .. end - 1 in batches of random lengths. */
static void add_part(hanse_aggregation *a, const rows *r, size_t first,
                     size_t end, uint64_t *random)
{
    assert_int_equal(hanse_aggregation_set_row(a, first, NULL), HANSE_OK);
    while (first < end) {
        const size_t n = 1 + below(random, end - first);
        const hanse_array arrays[N_FIELDS] = {
            {.values = r->key + first, .missing = r->key_missing + first},
            {.values = r->bytes, .offsets = r->offsets + first},
            {.values = r->x + first},
            {.values = r->u + first},
            {.values = r->i + first, .missing = r->i_missing + first},
        };
        const hanse_batch batch = {n, arrays};
        assert_int_equal(hanse_aggregation_add(a, &batch, NULL), HANSE_OK);
        first += n;
    }
}

/* ---- One case ----------------------------------------------------------- */

static hanse_aggregation *create(void)
{
    static const char *const keys[] = {"town", "key", "town"};
    hanse_spec *spec;
    hanse_aggregation *a;
    assert_int_equal(hanse_spec_create(&spec, NULL), HANSE_OK);
    hanse_spec_add_grouping(spec, keys, 1, NULL);
    hanse_spec_add_grouping(spec, keys + 1, 1, NULL);
    hanse_spec_add_grouping(spec, keys + 1, 2, NULL);
    hanse_spec_add_grouping(spec, NULL, 0, NULL);
    hanse_spec_add_measure(spec, "x", "x", NULL);
    hanse_spec_add_measure(spec, "y", "x * 3 - 1", NULL);
    hanse_spec_add_measure(spec, "u", "u", NULL);
    hanse_spec_add_measure(spec, "i", "i", NULL);
    hanse_spec_set_statistics(spec, HANSE_STAT_KNOWN, NULL);
    hanse_spec_add_statistic(spec, "p90", NULL);
    hanse_spec_add_statistic(spec, "top3", NULL);
    hanse_spec_set_weights(spec, "u", NULL);
    hanse_spec_set_id(spec, "town", NULL);
    assert_int_equal(hanse_aggregation_create(spec, &schema, &a, NULL),
                     HANSE_OK);
    hanse_spec_destroy(spec);
    return a;
}

static void compare(const hanse_aggregation *one, const hanse_aggregation *all)
{
    hanse_result *a, *b;
    assert_int_equal(hanse_aggregation_finish(one, &a, NULL), HANSE_OK);
    assert_int_equal(hanse_aggregation_finish(all, &b, NULL), HANSE_OK);
    assert_same_results(a, b);
    hanse_result_destroy(a);
    hanse_result_destroy(b);
}

static void run_case(uint64_t number)
{
    static rows r;
    uint64_t random = number;
    hanse_aggregation *parts[MOST_PARTS], *one = create();
    size_t cut[MOST_PARTS + 1] = {0};
    size_t n_parts = 2 + below(&random, MOST_PARTS - 1);
    const size_t most = next_random(&random) % 8 == 0 ? MOST_ROWS : 300;
    for (size_t p = 0; p < n_parts; p++) {
        cut[p + 1] = cut[p] + below(&random, most / n_parts);
        fill_part(&r, cut[p], cut[p + 1], &random);
    }
    r.n = cut[n_parts];
    add_part(one, &r, 0, r.n, &random);
    for (size_t p = 0; p < n_parts; p++) {
        parts[p] = create();
        add_part(parts[p], &r, cut[p], cut[p + 1], &random);
    }
    for (; n_parts > 1; n_parts--) {
        const size_t from = below(&random, n_parts);
        const size_t to = (from + 1 + below(&random, n_parts - 1)) % n_parts;
        assert_int_equal(hanse_aggregation_merge(parts[to], parts[from], NULL),
                         HANSE_OK);
        hanse_aggregation_destroy(parts[from]);
        parts[from] = parts[n_parts - 1];
    }
    compare(one, parts[0]);
    hanse_aggregation_destroy(parts[0]);
    hanse_aggregation_destroy(one);
}

static void merge_of_random_parts_gives_same_bits(void **state)
{
    (void)state;
    for (uint64_t k = first_case; k < first_case + n_cases; k++) {
        print_message("case %llu\n", (unsigned long long)k);
        run_case(k);
    }
}

int main(int n_arguments, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge_of_random_parts_gives_same_bits),
    };
    if (n_arguments > 1)
        n_cases = strtoull(arguments[1], NULL, 10);
    if (n_arguments > 2)
        first_case = strtoull(arguments[2], NULL, 10);
    return cmocka_run_group_tests_name("merge_random", tests, NULL, NULL);
}
