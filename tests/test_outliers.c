/* SPDX-License-Identifier: Apache-2.0
 *
 * Outliers of period ratios against the definition, with quartiles of a sorted
 * list.
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

#include "engine/elementary.h"
#include "engine/models/outliers.h"

/* Steele, Lea, Flood 2014. */
static uint64_t random_state = 11;

static uint64_t next_random(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* In more digits than the result has. */
static double quartile(double *sorted, size_t n, unsigned quarters)
{
    qsort(sorted, n, sizeof *sorted, by_size);
    const size_t at = (n - 1) * quarters / 4;
    const long double part = (long double)((n - 1) * quarters % 4) / 4;
    if (part == 0)
        return sorted[at];
    return (double)((1 - part) * sorted[at] + part * sorted[at + 1]);
}

static double expected_power(double x, double u)
{
    if (u == 0.5)
        return sqrt(x);
    const double power = u == 1.0 ? x : hanse_exp(u * hanse_log(x));
    assert_true(fabs(power - pow(x, u)) <= 1e-13 * power);
    return u == 0.0 ? 1.0 : power;
}

static hanse_outlier_bounds expected(const double *now, const double *before,
                                     size_t n, const hanse_outlier_test *test,
                                     uint8_t *is_outlier)
{
    hanse_outlier_bounds b = {.median_ratio = NAN, .low = NAN, .high = NAN};
    double *list = malloc((n + 1) * sizeof *list);
    double *effects = malloc((n + 1) * sizeof *effects);
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (now[i] > 0 && before[i] > 0 && isfinite(now[i] * before[i]))
            list[m++] = now[i] / before[i];
    memset(is_outlier, 0, n);
    b.n_tested = m;
    if (m > 0) {
        b.median_ratio = quartile(list, m, 2);
        m = 0;
        for (size_t i = 0; i < n; i++) {
            effects[i] = NAN;
            if (!(now[i] > 0 && before[i] > 0 && isfinite(now[i] * before[i])))
                continue;
            const double r = now[i] / before[i];
            const double s = r < b.median_ratio ? 1 - b.median_ratio / r
                                                : r / b.median_ratio - 1;
            effects[i] = list[m++] =
                s * expected_power(now[i] > before[i] ? now[i] : before[i],
                                   test->u);
        }
        const double q1 = quartile(list, m, 1), q2 = quartile(list, m, 2);
        const double q3 = quartile(list, m, 3), least = fabs(test->a * q2);
        b.low = q2 - test->c * (q2 - q1 > least ? q2 - q1 : least);
        b.high = q2 + test->c * (q3 - q2 > least ? q3 - q2 : least);
        for (size_t i = 0; i < n; i++) {
            is_outlier[i] = effects[i] < b.low || effects[i] > b.high;
            b.n_outliers += is_outlier[i];
        }
    }
    free(list);
    free(effects);
    return b;
}

static void make_rows(double *now, double *before, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        before[i] = exp((double)(next_random() >> 11) * 0x1p-50);
        now[i] =
            before[i] * exp(((double)(next_random() >> 11) * 0x1p-53 - 0.4));
        switch (next_random() % 20) {
        case 0:
            now[i] *= 50;
            break;
        case 1:
            before[i] = 0;
            break;
        case 2:
            now[i] = NAN;
            break;
        case 3:
            now[i] = -now[i];
            break;
        case 4:
            before[i] = INFINITY;
            break;
        case 5:
            now[i] = before[i];
            break;
        default:
            break;
        }
    }
}

static void outliers_are_those_of_the_definition(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 2, 3, 4, 5, 6, 7, 50, 1001, 200000};
    const hanse_outlier_test tests[] = {HANSE_OUTLIER_TEST_DEFAULT,
                                        {0.0, 0.0, 2.0},
                                        {1.0, 0.3, 1.0},
                                        {0.7, 0.05, 7.0}};
    double *now = malloc(200000 * sizeof *now);
    double *before = malloc(200000 * sizeof *before);
    uint8_t *found = malloc(200000), *wanted = malloc(200000);
    uint64_t n_outliers = 0;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (size_t t = 0; t < 4; t++) {
            const size_t n = sizes[s];
            hanse_budget budget = {0};
            hanse_outlier_bounds b;
            make_rows(now, before, n);
            memset(found, 7, n);
            assert_int_equal(hanse_outliers_find(now, before, n, &tests[t],
                                                 1 + t, &budget, found, &b,
                                                 NULL),
                             HANSE_OK);
            const hanse_outlier_bounds e =
                expected(now, before, n, &tests[t], wanted);
            assert_int_equal(b.n_tested, e.n_tested);
            assert_int_equal(b.n_outliers, e.n_outliers);
            assert_true(memcmp(&b.median_ratio, &e.median_ratio,
                               sizeof b.median_ratio) == 0);
            assert_true(memcmp(&b.low, &e.low, sizeof b.low) == 0);
            assert_true(memcmp(&b.high, &e.high, sizeof b.high) == 0);
            assert_memory_equal(found, wanted, n);
            assert_int_equal(atomic_load(&budget.used_bytes), 0);
            n_outliers += b.n_outliers;
        }
    }
    assert_true(n_outliers > 1000);
    free(now);
    free(before);
    free(found);
    free(wanted);
}

static void parameters_out_of_range_are_refused(void **state)
{
    (void)state;
    const hanse_outlier_test wrong[] = {
        {1.5, 0.05, 4}, {0.5, -1, 4}, {0.5, 0.05, 0}, {NAN, 0.05, 4}};
    const double x = 1;
    uint8_t is_outlier;
    hanse_outlier_bounds b;
    hanse_error error;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(hanse_outliers_find(&x, &x, 1, &wrong[i], 1, NULL,
                                             &is_outlier, &b, &error),
                         HANSE_ERR_ARGUMENT);
    hanse_budget budget = {.limit_bytes = 1000};
    const hanse_outlier_test test = HANSE_OUTLIER_TEST_DEFAULT;
    assert_int_equal(hanse_outliers_find(&x, &x, 1, &test, 1, &budget,
                                         &is_outlier, &b, &error),
                     HANSE_ERR_LIMIT);
    assert_int_equal(atomic_load(&budget.used_bytes), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outliers_are_those_of_the_definition),
        cmocka_unit_test(parameters_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
