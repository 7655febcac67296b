/* SPDX-License-Identifier: Apache-2.0
 *
 * Order degrees and the synergy of a composite system, against values that can
 * be worked out by hand and against the formulas in long double.
 */
#include "engine/models/synergy.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <setjmp.h>

#include <cmocka.h>

#include "engine/models/status.h"

static void assert_near(double found, long double expected, double tolerance)
{
    if (!(fabsl((long double)found - expected) <= (long double)tolerance))
        fail_msg("found %.17g, expected %.20Lg", found, expected);
}

static void order_degree_goes_from_low_to_high(void **state)
{
    int8_t status = -1;
    (void)state;
    assert_true(hanse_order_degree(2.0, 2.0, 6.0, false, &status) == 0.0);
    assert_int_equal(status, HANSE_MODEL_OK);
    assert_true(hanse_order_degree(3.0, 2.0, 6.0, false, &status) == 0.25);
    assert_true(hanse_order_degree(6.0, 2.0, 6.0, false, &status) == 1.0);
    assert_true(hanse_order_degree(3.0, 2.0, 6.0, true, &status) == 0.75);
    assert_true(hanse_order_degree(6.0, 2.0, 6.0, true, &status) == 0.0);
    assert_true(hanse_order_degree(0.0, -DBL_MAX, DBL_MAX, false, &status) ==
                0.5);
    assert_true(hanse_order_degree(DBL_MAX, -DBL_MAX, DBL_MAX, true, &status) ==
                0.0);
    assert_int_equal(status, HANSE_MODEL_OK);
}

static void check_undefined(double e, double low, double high, int8_t expected)
{
    int8_t status = -1;
    assert_true(isnan(hanse_order_degree(e, low, high, false, &status)));
    assert_int_equal(status, expected);
}

static void undefined_order_degrees_say_why(void **state)
{
    const double nan_value = (double)NAN, infinite = (double)INFINITY;
    (void)state;
    check_undefined(nan_value, 0.0, 1.0, HANSE_MODEL_EMPTY);
    check_undefined(0.5, nan_value, 1.0, HANSE_MODEL_EMPTY);
    check_undefined(0.5, 0.0, nan_value, HANSE_MODEL_EMPTY);
    check_undefined(infinite, 0.0, 1.0, HANSE_MODEL_NOT_FINITE);
    check_undefined(0.5, -infinite, 1.0, HANSE_MODEL_NOT_FINITE);
    check_undefined(0.5, 0.5, 0.5, HANSE_MODEL_CONSTANT);
    check_undefined(1.5, 0.0, 1.0, HANSE_MODEL_INFEASIBLE);
    check_undefined(-0.5, 0.0, 1.0, HANSE_MODEL_INFEASIBLE);
}

static void subsystem_order_is_a_mean(void **state)
{
    const double u[] = {0.25, 1.0};
    const double a[] = {3.0, 1.0};
    const double zero[] = {0.0, 1.0};
    (void)state;
    assert_true(hanse_subsystem_order(HANSE_ORDER_MEAN, u, NULL, 2) == 0.625);
    assert_true(hanse_subsystem_order(HANSE_ORDER_MEAN, u, a, 2) == 0.4375);
    assert_true(hanse_subsystem_order(HANSE_ORDER_GEOMETRIC, u, a, 2) == 0.5);
    assert_true(hanse_subsystem_order(HANSE_ORDER_GEOMETRIC, zero, NULL, 2) ==
                0.0);
}

static void check_synergy(const double *before, const double *after, size_t n,
                          double theta, long double geometric,
                          long double weighted)
{
    const double a[] = {0.5, 0.3, 0.2};
    const hanse_synergy g =
        hanse_synergy_of(HANSE_COMPOSITE_GEOMETRIC, before, after, a, n);
    const hanse_synergy w =
        hanse_synergy_of(HANSE_COMPOSITE_WEIGHTED, before, after, a, n);
    assert_true(g.theta == theta && w.theta == theta);
    assert_near(g.value, geometric, 1e-15);
    assert_near(w.value, weighted, 1e-15);
    assert_false(signbit(g.value) && g.value == 0.0);
    assert_false(signbit(w.value) && w.value == 0.0);
}

static void synergy_has_the_sign_of_the_smallest_change(void **state)
{
    const double zero[] = {0.0, 0.0, 0.0};
    (void)state;
    check_synergy(zero, (double[]){0.5, 0.25, 1.0}, 3, 1.0, 0.5L, 0.525L);
    check_synergy((double[]){0.0, 0.25, 0.0}, (double[]){0.5, 0.0, 1.0}, 3,
                  -1.0, -0.5L, -0.525L);
    check_synergy((double[]){0.5, 0.25, 1.0}, zero, 3, -1.0, -0.5L, -0.525L);
    /* One that stands still makes the product 0, and has no sign. */
    check_synergy(zero, (double[]){0.5, 0.0, 1.0}, 3, 1.0, 0.0L, 0.45L);
    check_synergy((double[]){0.5, 0.0, 1.0}, zero, 3, -1.0, 0.0L, -0.45L);
    check_synergy(zero, zero, 3, 0.0, 0.0L, 0.0L);
    check_synergy((double[]){0.5}, (double[]){1.0}, 1, 1.0, 0.5L, 0.5L);
    check_synergy((double[]){1.0, 1.0, 1.0}, zero, 3, -1.0, -1.0L, -1.0L);
}

static void smallest_changes_do_not_underflow(void **state)
{
    const double before[] = {0.0, 0.0, 0.0};
    const double after[] = {0x1p-1000, 0x1p-1000, 0x1p-1000};
    (void)state;
    assert_true(
        hanse_synergy_of(HANSE_COMPOSITE_GEOMETRIC, before, after, NULL, 3)
            .value == 0x1p-1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_degree_goes_from_low_to_high),
        cmocka_unit_test(undefined_order_degrees_say_why),
        cmocka_unit_test(subsystem_order_is_a_mean),
        cmocka_unit_test(synergy_has_the_sign_of_the_smallest_change),
        cmocka_unit_test(smallest_changes_do_not_underflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
