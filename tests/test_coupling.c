/* SPDX-License-Identifier: Apache-2.0
 *
 * Coupling and coordination degrees, roots and geometric means, against the
 * formulas in long double and against values that can be worked out by hand.
 */
#include "engine/models/coupling.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <setjmp.h>

#include <cmocka.h>

#include "engine/models/geometric.h"
#include "engine/models/status.h"

static void assert_near(double found, long double expected, double tolerance)
{
    if (!(fabsl((long double)found - expected) <= (long double)tolerance))
        fail_msg("found %.17g, expected %.20Lg", found, expected);
}

/* splitmix64: the same numbers on every machine. */
static double next_unit(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* ---- The formulas as they are published --------------------------------- */

static long double naive_degree(hanse_coupling_kind kind, const double *u,
                                size_t n)
{
    long double sum = 0, product = 1, squares = 0, differences = 0, max = 0;
    const long double count = (long double)n;
    for (size_t k = 0; k < n; k++) {
        sum += u[k];
        product *= u[k];
        squares += (long double)u[k] * u[k];
        max = fmaxl(max, u[k]);
        for (size_t l = k + 1; l < n; l++)
            differences += fabsl((long double)u[k] - u[l]);
    }
    switch (kind) {
    case HANSE_COUPLING_CLASSIC:
        return count * powl(product, 1 / count) / sum;
    case HANSE_COUPLING_CORRECTED:
        return sqrtl((1 - differences / (count * (count - 1) / 2)) *
                     powl(product / powl(max, count), 1 / (count - 1)));
    default:
        return 1 - 2 * sqrtl(squares / count - (sum / count) * (sum / count));
    }
}

static void degrees_of_random_levels_agree_with_the_formulas(void **state)
{
    uint64_t random = 1;
    (void)state;
    for (size_t i = 0; i < 20000; i++) {
        double u[12], a[12];
        long double sum = 0, weights = 0;
        const size_t n = 2 + i % 11;
        for (size_t k = 0; k < n; k++) {
            u[k] = 1e-3 + next_unit(&random) * (1 - 1e-3);
            a[k] = 0.01 + next_unit(&random);
            sum += (long double)a[k] * u[k];
            weights += a[k];
        }
        for (int kind = 0; kind < HANSE_COUPLING_COUNT; kind++) {
            const hanse_coupling_kind which = (hanse_coupling_kind)kind;
            const hanse_coupling c = hanse_coupling_of(which, u, a, n);
            const long double expected = naive_degree(which, u, n);
            assert_int_equal(c.status, HANSE_MODEL_OK);
            assert_near(c.degree, expected, 4e-15);
            assert_near(c.coordination, sqrtl(expected * sum / weights), 4e-15);
            assert_int_equal(c.level, hanse_coordination_level(c.coordination));
        }
    }
}

static void degree_does_not_depend_on_the_order_of_levels(void **state)
{
    const double u[] = {0.31, 0.7, 0.123, 0.55, 0.9};
    const double v[] = {0.9, 0.123, 0.55, 0.31, 0.7};
    (void)state;
    for (int kind = HANSE_COUPLING_CORRECTED; kind < HANSE_COUPLING_COUNT;
         kind++) {
        const double x =
            hanse_coupling_of((hanse_coupling_kind)kind, u, NULL, 5).degree;
        const double y =
            hanse_coupling_of((hanse_coupling_kind)kind, v, NULL, 5).degree;
        assert_near(x, (long double)y, 4e-16);
    }
}

static void equal_levels_are_coupled_perfectly(void **state)
{
    const double levels[] = {1.0, 0.1, 0.7, 1e-300, 0x1p-1074};
    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (size_t n = 2; n <= HANSE_SUBSYSTEMS_MAX; n++) {
            double u[HANSE_SUBSYSTEMS_MAX];
            for (size_t k = 0; k < n; k++)
                u[k] = levels[i];
            for (int kind = 0; kind < HANSE_COUPLING_COUNT; kind++) {
                const hanse_coupling c =
                    hanse_coupling_of((hanse_coupling_kind)kind, u, NULL, n);
                assert_true(c.degree == 1.0);
                assert_near(c.coordination, sqrtl((long double)u[0]), 3e-16);
            }
        }
}

/* ---- Edges -------------------------------------------------------------- */

static void one_zero_level_uncouples_two_of_the_kinds(void **state)
{
    const double u[] = {0.5, 0.0, 1.0};
    (void)state;
    for (int kind = 0; kind < HANSE_COUPLING_COUNT; kind++) {
        const hanse_coupling c =
            hanse_coupling_of((hanse_coupling_kind)kind, u, NULL, 3);
        assert_int_equal(c.status, HANSE_MODEL_OK);
        if (kind == HANSE_COUPLING_DISPERSION) {
            assert_near(c.degree, 1 - 2 * sqrtl(1.0L / 6), 1e-15);
        } else {
            assert_true(c.degree == 0.0 && c.coordination == 0.0);
            assert_int_equal(c.level, 1);
        }
    }
}

static void check_all_kinds(const double *u, size_t n, int8_t status,
                            bool is_zero)
{
    for (int kind = 0; kind < HANSE_COUPLING_COUNT; kind++) {
        const hanse_coupling c =
            hanse_coupling_of((hanse_coupling_kind)kind, u, NULL, n);
        assert_int_equal(c.status, status);
        assert_int_equal(c.level, is_zero ? 1 : 0);
        if (is_zero)
            assert_true(c.degree == 0.0 && c.coordination == 0.0);
        else
            assert_true(isnan(c.degree) && isnan(c.coordination));
    }
}

static void undefined_couplings_say_why(void **state)
{
    const double nan_value = (double)NAN, infinite = (double)INFINITY;
    (void)state;
    check_all_kinds((double[]){0.0, 0.0, -0.0}, 3, HANSE_MODEL_ZERO, true);
    check_all_kinds((double[]){0.5}, 1, HANSE_MODEL_FEW, false);
    check_all_kinds(NULL, 0, HANSE_MODEL_FEW, false);
    check_all_kinds((double[]){0.5, 1.001}, 2, HANSE_MODEL_INFEASIBLE, false);
    check_all_kinds((double[]){0.5, -1e-9}, 2, HANSE_MODEL_INFEASIBLE, false);
    check_all_kinds((double[]){0.5, nan_value}, 2, HANSE_MODEL_EMPTY, false);
    check_all_kinds((double[]){nan_value}, 1, HANSE_MODEL_EMPTY, false);
    check_all_kinds((double[]){nan_value, infinite}, 2, HANSE_MODEL_NOT_FINITE,
                    false);
}

static void rounding_at_the_limits_is_forgiven(void **state)
{
    const double u[] = {1.0 + DBL_EPSILON, 1.0};
    const double v[] = {1.0, -0x1p-41};
    (void)state;
    assert_true(hanse_coupling_of(HANSE_COUPLING_CLASSIC, u, NULL, 2).degree ==
                1.0);
    assert_true(
        hanse_coupling_of(HANSE_COUPLING_CORRECTED, v, NULL, 2).degree == 0.0);
}

static void index_is_the_weighted_mean(void **state)
{
    const double u[] = {0.2, 0.4, 0.9};
    const double a[] = {5.0, 3.0, 2.0};
    const double bad[] = {0.2, (double)NAN, (double)INFINITY};
    int8_t status;
    (void)state;
    assert_near(hanse_cooperation_index(u, a, 3, &status), 0.4L, 1e-16);
    assert_int_equal(status, HANSE_MODEL_OK);
    assert_near(hanse_cooperation_index(u, NULL, 3, &status), 0.5L, 1e-16);
    assert_near(hanse_cooperation_index(u, a, 1, &status), 0.2L, 1e-16);
    assert_true(isnan(hanse_cooperation_index(bad, a, 2, &status)));
    assert_int_equal(status, HANSE_MODEL_EMPTY);
    assert_true(isnan(hanse_cooperation_index(bad, a, 3, &status)));
    assert_int_equal(status, HANSE_MODEL_NOT_FINITE);
}

static void limits_belong_to_the_upper_level(void **state)
{
    const double limits[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
    (void)state;
    assert_int_equal(hanse_coordination_level(0.0), 1);
    assert_int_equal(hanse_coordination_level(1.0), 10);
    assert_int_equal(hanse_coordination_level((double)NAN), 0);
    for (int8_t k = 0; k < 9; k++) {
        assert_int_equal(hanse_coordination_level(limits[k]), k + 2);
        assert_int_equal(hanse_coordination_level(nextafter(limits[k], 0.0)),
                         k + 1);
    }
    assert_string_equal(hanse_coordination_level_name(1), "extreme_imbalance");
    assert_string_equal(hanse_coordination_level_name(10),
                        "quality_coordination");
    assert_string_equal(hanse_coordination_level_name(0), "undefined");
    assert_null(hanse_coordination_level_name(11));
    assert_null(hanse_coordination_level_name(-1));
    hanse_column column = {0};
    hanse_coordination_level_flags(&column);
    assert_int_equal(column.n_flags, 11);
    for (size_t i = 0; i < column.n_flags; i++)
        assert_string_equal(
            column.flag_meanings[i],
            hanse_coordination_level_name(column.flag_values[i]));
}

static void kinds_have_names(void **state)
{
    (void)state;
    for (int kind = 0; kind < HANSE_COUPLING_COUNT; kind++)
        assert_int_equal(hanse_coupling_parse(
                             hanse_coupling_name((hanse_coupling_kind)kind)),
                         kind);
    assert_int_equal(hanse_coupling_parse("clasic"), HANSE_COUPLING_COUNT);
    assert_null(hanse_coupling_name(HANSE_COUPLING_COUNT));
}

/* ---- Roots -------------------------------------------------------------- */

static void roots_are_within_a_few_ulp(void **state)
{
    uint64_t random = 7;
    double worst = 0;
    (void)state;
    for (size_t i = 0; i < 200000; i++) {
        double x[5];
        long double product = 1;
        const size_t n = 1 + i % 5;
        const size_t degree = 1 + (i / 5) % 70;
        for (size_t k = 0; k < n; k++) {
            x[k] = ldexp(0.5 + next_unit(&random),
                         (int)(next_unit(&random) * 400) - 200);
            product *= x[k];
        }
        const long double expected = powl(product, 1 / (long double)degree);
        const double found = hanse_root_of_product(x, n, degree);
        const double error = (double)(fabsl(found - expected) / expected);
        worst = fmax(worst, error);
    }
    if (worst > 4 * DBL_EPSILON)
        fail_msg("relative error %g", worst);
}

static void roots_neither_overflow_nor_underflow(void **state)
{
    double x[64];
    (void)state;
    for (size_t k = 0; k < 64; k++)
        x[k] = DBL_MAX;
    assert_near(hanse_geometric_mean(x, 64) / DBL_MAX, 1.0L, 1e-13);
    for (size_t k = 0; k < 64; k++)
        x[k] = 0x1p-1074;
    assert_true(hanse_geometric_mean(x, 64) == 0x1p-1074);
    assert_true(hanse_geometric_mean(x, 3) == 0x1p-1074);
    x[1] = 0.0;
    assert_true(hanse_geometric_mean(x, 3) == 0.0);
    assert_true(hanse_geometric_mean((double[]){0.3}, 1) == 0.3);
    assert_true(hanse_geometric_mean((double[]){4.0, 9.0}, 2) == 6.0);
    assert_true(hanse_geometric_mean((double[]){2.0, 4.0, 8.0}, 3) == 4.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(degrees_of_random_levels_agree_with_the_formulas),
        cmocka_unit_test(degree_does_not_depend_on_the_order_of_levels),
        cmocka_unit_test(equal_levels_are_coupled_perfectly),
        cmocka_unit_test(one_zero_level_uncouples_two_of_the_kinds),
        cmocka_unit_test(undefined_couplings_say_why),
        cmocka_unit_test(rounding_at_the_limits_is_forgiven),
        cmocka_unit_test(index_is_the_weighted_mean),
        cmocka_unit_test(limits_belong_to_the_upper_level),
        cmocka_unit_test(kinds_have_names),
        cmocka_unit_test(roots_are_within_a_few_ulp),
        cmocka_unit_test(roots_neither_overflow_nor_underflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
