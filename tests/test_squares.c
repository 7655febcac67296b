/* SPDX-License-Identifier: Apache-2.0
 *
 * Folds of float measures with their squares, which usually share a line of a
 * state (kernels/square_add.h): sums, variances and extremes against long
 * integers, on every instruction set, while windows widen, limbs carry, and
 * folds with other windows are merged.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/fold.h"
#include "engine/result.h"
#include "engine/wide.h"
#include "tests/random_numbers.h"

enum {
    KEY,
    OTHER,
    X,
    Y,
    N_FIELDS,
    MOST_GROUPS = 60,
    MOST_ROWS = 40000,
    SOME_ROWS = 5000
};

static const hanse_field fields[N_FIELDS] = {
    {.name = "key", .type = HANSE_INT32},
    {.name = "other", .type = HANSE_INT32},
    {.name = "x", .type = HANSE_FLOAT64},
    {.name = "y", .type = HANSE_FLOAT64},
};
static const hanse_schema schema = {fields, N_FIELDS};

typedef struct table {
    size_t n;
    int32_t key[MOST_ROWS];
    int32_t other[MOST_ROWS];
    double x[MOST_ROWS];
    double y[MOST_ROWS];
} table;

static table rows;

static double amount(uint64_t *random)
{
    const double size = exp((double)(next_random(random) >> 44) / 0x1p16 - 2.0);
    return next_random(random) % 3 == 0 ? -size : size;
}

/* Amounts, those of y in cents. */
static void fill(size_t n, size_t n_groups, uint64_t seed)
{
    rows.n = n;
    for (size_t i = 0; i < n; i++) {
        rows.key[i] = (int32_t)(next_random(&seed) >> 20) % 7 == 0
                          ? (int32_t)(next_random(&seed) % n_groups)
                          : (int32_t)(i * 13 % n_groups);
        rows.key[i] = abs(rows.key[i]);
        rows.other[i] = (int32_t)(next_random(&seed) % 5);
        rows.x[i] = amount(&seed);
        rows.y[i] = rint(amount(&seed) * 100.0) / 100.0;
    }
}

/* ---- What is expected --------------------------------------------------- */

typedef struct expected {
    int64_t n;
    hanse_wide sum;
    hanse_wide squares;
    double least;
    double most;
    bool has_plus;
    bool has_minus;
} expected;

static void count_value(expected *e, double x)
{
    hanse_wide wide, square;
    e->n++;
    e->least = e->n == 1 ? x : fmin(e->least, x);
    e->most = e->n == 1 ? x : fmax(e->most, x);
    if (isinf(x)) {
        e->has_plus = e->has_plus || x > 0.0;
        e->has_minus = e->has_minus || x < 0.0;
        return;
    }
    hanse_wide_from_double(&wide, x);
    hanse_wide_square(&square, &wide);
    hanse_wide_add(&e->sum, &wide);
    hanse_wide_add(&e->squares, &square);
}

static double expected_total(const expected *e)
{
    if (e->has_plus || e->has_minus)
        return !e->has_minus  ? (double)INFINITY
               : !e->has_plus ? -(double)INFINITY
                              : (double)NAN;
    return hanse_wide_round(&e->sum);
}

static double expected_variance(const expected *e)
{
    hanse_wide square, numerator;
    if (e->n < 2 || e->has_plus || e->has_minus)
        return (double)NAN;
    hanse_wide_copy(&numerator, &e->squares);
    hanse_wide_scale(&numerator, (uint64_t)e->n);
    hanse_wide_square(&square, &e->sum);
    hanse_wide_subtract(&numerator, &square);
    return hanse_wide_divide(&numerator, (uint64_t)e->n, (uint64_t)e->n - 1);
}

static const hanse_column *column_of(const hanse_table *t, char measure,
                                     const char *statistic)
{
    for (size_t c = 0; c < t->n_columns; c++)
        if (t->columns[c].name[0] == measure &&
            strcmp(t->columns[c].name + 1, statistic) == 0)
            return &t->columns[c];
    return NULL;
}

static void assert_value(const hanse_table *t, char measure,
                         const char *statistic, size_t row, double value)
{
    const hanse_column *column = column_of(t, measure, statistic);
    if (column == NULL)
        return;
    const double found = ((const double *)column->values)[row];
    if (isnan(value) ? !isnan(found) : found != value)
        fail_msg("%s of row %zu: %a, expected %a", column->name, row, found,
                 value);
}

static void assert_measure(const hanse_table *t, char measure, const double *x,
                           const int32_t *keys)
{
    static expected all[MOST_GROUPS];
    memset(all, 0, sizeof all);
    for (size_t i = 0; i < rows.n; i++)
        if (!isnan(x[i]))
            count_value(&all[keys[i]], x[i]);
    for (size_t r = 0; r < t->n_rows; r++) {
        const expected *e = &all[((const int32_t *)t->keys[0].values)[r]];
        assert_value(t, measure, "_total", r, expected_total(e));
        assert_value(t, measure, "_var", r, expected_variance(e));
        assert_value(t, measure, "_min", r, e->n == 0 ? (double)NAN : e->least);
        assert_value(t, measure, "_max", r, e->n == 0 ? (double)NAN : e->most);
    }
}

static void assert_result(const hanse_fold *fold)
{
    hanse_result *result;
    hanse_error error;
    assert_int_equal(hanse_fold_finish(fold, 1, &result, &error), HANSE_OK);
    const hanse_table *by_key = hanse_result_find(result, "by_key");
    const hanse_table *by_other = hanse_result_find(result, "by_other");
    assert_measure(by_key, 'x', rows.x, rows.key);
    assert_measure(by_key, 'y', rows.y, rows.key);
    if (by_other != NULL) {
        assert_measure(by_other, 'x', rows.x, rows.other);
        assert_measure(by_other, 'y', rows.y, rows.other);
    }
    hanse_result_destroy(result);
}

/* ---- Folds -------------------------------------------------------------- */

/* Measures x and y, then more of x with other names. */
static hanse_plan *create_plan(uint32_t statistics, size_t n_groupings,
                               size_t n_measures)
{
    static const char *const keys[] = {"key", "other"};
    hanse_spec *spec;
    hanse_plan *plan;
    hanse_error error;
    assert_int_equal(hanse_spec_create(&spec, &error), HANSE_OK);
    for (size_t m = 0; m < n_measures; m++) {
        const char name[] = {m < 2 ? "xy"[m] : (char)('A' + m), '\0'};
        assert_int_equal(
            hanse_spec_add_measure(spec, name, m == 1 ? "y" : "x", &error),
            HANSE_OK);
    }
    for (size_t g = 0; g < n_groupings; g++)
        assert_int_equal(hanse_spec_add_grouping(spec, &keys[g], 1, &error),
                         HANSE_OK);
    assert_int_equal(hanse_spec_set_statistics(spec, statistics, &error),
                     HANSE_OK);
    assert_int_equal(hanse_plan_create(spec, &schema, &plan, &error), HANSE_OK);
    hanse_spec_destroy(spec);
    return plan;
}

/* A fold of rows first to end - 1, in batches. */
static hanse_fold *fold_rows(const hanse_plan *plan, size_t first, size_t end)
{
    hanse_fold *fold;
    hanse_error error;
    assert_int_equal(hanse_fold_create(plan, NULL, &fold, &error), HANSE_OK);
    for (size_t i = first, n; i < end; i += n) {
        n = end - i < 1111 ? end - i : 1111;
        const hanse_array arrays[N_FIELDS] = {{.values = rows.key + i},
                                              {.values = rows.other + i},
                                              {.values = rows.x + i},
                                              {.values = rows.y + i}};
        const hanse_batch batch = {n, arrays};
        assert_int_equal(hanse_fold_add(fold, &batch, &error), HANSE_OK);
    }
    return fold;
}

/* Folds of a few parts of the rows, merged. */
static void check_merged(const hanse_plan *plan, size_t n_parts)
{
    hanse_error error;
    hanse_fold *fold = fold_rows(plan, 0, rows.n / n_parts);
    for (size_t k = 1; k < n_parts; k++) {
        hanse_fold *other =
            fold_rows(plan, k * rows.n / n_parts, (k + 1) * rows.n / n_parts);
        assert_int_equal(hanse_fold_merge(fold, other, &error), HANSE_OK);
        hanse_fold_destroy(other);
    }
    assert_result(fold);
    hanse_fold_destroy(fold);
}

typedef enum outcome {
    STAYS_SQUARED,
    LEAVES_SQUARED
} outcome;

/* All rows in all ways; without extremes, too, and with two groupings. */
static void check_rows(outcome wanted)
{
    static const char *const cpus[] = {"scalar", "avx2", "avx512"};
    const uint32_t sums = HANSE_STAT_TOTAL | HANSE_STAT_VAR;
    for (size_t c = 0; c < 3; c++) {
        assert_int_equal(setenv("HANSE_CPU", cpus[c], 1), 0);
        for (size_t way = 0; way < 4; way++) {
            hanse_plan *plan = create_plan(
                way % 2 == 0 ? sums : sums | HANSE_STAT_MIN | HANSE_STAT_MAX,
                1 + way / 2, 2);
            hanse_fold *fold = fold_rows(plan, 0, rows.n);
            assert_int_equal(fold->layout.is_squared, wanted == STAYS_SQUARED);
            assert_result(fold);
            hanse_fold_destroy(fold);
            check_merged(plan, 3);
            hanse_plan_destroy(plan);
        }
    }
    assert_int_equal(unsetenv("HANSE_CPU"), 0);
}

static void usual_values_share_lines(void **state)
{
    (void)state;
    fill(SOME_ROWS, MOST_GROUPS, 1);
    check_rows(STAYS_SQUARED);
}

static void sorted_rows_are_added_as_totals(void **state)
{
    (void)state;
    fill(SOME_ROWS, MOST_GROUPS, 2);
    for (size_t i = 0; i < rows.n; i++)
        rows.key[i] = (int32_t)(i / 1800);
    check_rows(STAYS_SQUARED);
}

static void special_values_stay_out_of_limbs(void **state)
{
    (void)state;
    static const double special[] = {(double)NAN, 0.0, -0.0, (double)INFINITY,
                                     -(double)INFINITY};
    uint64_t seed = 3;
    fill(SOME_ROWS, MOST_GROUPS, seed);
    for (size_t i = 0; i < rows.n; i++) {
        const uint64_t r = next_random(&seed) >> 10;
        /* Infinities are for a few groups only. */
        if (r % 5 == 0)
            rows.x[i] = special[r / 5 % (rows.key[i] < 6 ? 5 : 3)];
        if (r % 11 == 0 || rows.key[i] == 7)
            rows.y[i] = (double)NAN;
    }
    check_rows(STAYS_SQUARED);
}

/* Windows widen after many rows, at both ends. */
static void outliers_widen_windows(void **state)
{
    (void)state;
    fill(SOME_ROWS, MOST_GROUPS, 4);
    rows.x[SOME_ROWS / 2] = 1e120;
    rows.x[SOME_ROWS - 9] = -1e-120;
    rows.y[SOME_ROWS - 5] = 0x1p-1074;
    check_rows(LEAVES_SQUARED);
}

/* Squares reach far below the smallest float, or beyond the largest. */
static void squares_outside_floats_are_exact(void **state)
{
    (void)state;
    fill(SOME_ROWS, MOST_GROUPS, 5);
    for (size_t i = 0; i < rows.n; i++) {
        rows.x[i] *= 0x1p-960;
        rows.y[i] *= 0x1p930;
    }
    check_rows(STAYS_SQUARED);
}

/* The first rows make the windows as wide as two limbs can be, the others reach
 * to their upper end: top limbs are full after 2^11 rows, and would overflow
 * after 2^13. */
static void full_limbs_carry_and_widen(void **state)
{
    (void)state;
    fill(MOST_ROWS, 2, 6);
    for (size_t i = 0; i < rows.n; i++) {
        rows.key[i] = i % 3 == 0;
        rows.x[i] = ldexp(0x1.fffffffffffffp0, i < 300 ? 0 : 5);
        rows.y[i] = i % 2 == 0 ? 0x1.fffffffffffffp0 : -0x1.2345678abcdefp-7;
    }
    rows.x[0] = 0x1p-89;
    check_rows(LEAVES_SQUARED);
}

/* As many measures as the kernel takes, and one more. */
static void many_measures_share_lines(void **state)
{
    (void)state;
    const uint32_t statistics =
        HANSE_STAT_TOTAL | HANSE_STAT_VAR | HANSE_STAT_MIN;
    fill(SOME_ROWS, MOST_GROUPS, 7);
    for (size_t n = HANSE_SQUARE_MEASURES; n <= HANSE_SQUARE_MEASURES + 1;
         n++) {
        hanse_plan *plan = create_plan(statistics, 1, n);
        hanse_fold *fold = fold_rows(plan, 0, rows.n);
        hanse_result *result;
        hanse_error error;
        assert_int_equal(fold->layout.is_squared, n == HANSE_SQUARE_MEASURES);
        assert_int_equal(hanse_fold_finish(fold, 1, &result, &error), HANSE_OK);
        const hanse_table *by_key = hanse_result_find(result, "by_key");
        for (size_t m = 0; m < n; m++)
            assert_measure(by_key, m < 2 ? "xy"[m] : (char)('A' + m),
                           m == 1 ? rows.y : rows.x, rows.key);
        hanse_result_destroy(result);
        hanse_fold_destroy(fold);
        hanse_plan_destroy(plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_values_share_lines),
        cmocka_unit_test(sorted_rows_are_added_as_totals),
        cmocka_unit_test(special_values_stay_out_of_limbs),
        cmocka_unit_test(outliers_widen_windows),
        cmocka_unit_test(squares_outside_floats_are_exact),
        cmocka_unit_test(full_limbs_carry_and_widen),
        cmocka_unit_test(many_measures_share_lines),
    };
    return cmocka_run_group_tests_name("squares", tests, NULL, NULL);
}
