/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops of scores: every instruction set gives the bits of the scalar loops,
 * and these what the formulas say.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/elementary.h"
#include "engine/models/evaluate_loops.h"

enum {
    N = 2048
};

static double x[N], mask[N];

static void fill(void)
{
    uint64_t state = 99;
    for (size_t i = 0; i < N; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        x[i] = ldexp((double)(state >> 11), -53 + (int)(state % 7) - 3);
        mask[i] = 0.0;
        if (i % 17 == 5)
            x[i] = (double)NAN;
        if (i % 19 == 5)
            x[i] = 0.0;
        if (i % 23 == 5)
            mask[i] = (double)NAN;
        if (i % 301 == 5)
            x[i] = (double)INFINITY;
        if (i % 303 == 5)
            x[i] = -1.5;
    }
}

static void assert_bits(const double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(isnan(a[i]) && isnan(b[i])) &&
            memcmp(&a[i], &b[i], sizeof *a) != 0)
            fail_msg("%zu of %zu: expected %a, found %a", i, n, a[i], b[i]);
}

static const hanse_scaling scaling = {0.125, 7.5, 0.002, 0.996, 0.35};

static void scalar_loops_are_the_formulas(void **state)
{
    (void)state;
    const hanse_evaluate_loops *loops =
        hanse_evaluate_loops_of(HANSE_CPU_SCALAR);
    double out[N], expected[N];
    fill();
    loops->normalise(&scaling, x, mask, N, out);
    for (size_t i = 0; i < N; i++)
        expected[i] = 0.002 + 0.996 * ((x[i] - 0.125) / 7.5) + mask[i];
    assert_bits(expected, out, N);
    memset(out, 0, sizeof out);
    loops->add(&scaling, x, N, out);
    for (size_t i = 0; i < N; i++)
        expected[i] = 0.35 * (0.002 + 0.996 * ((x[i] - 0.125) / 7.5));
    assert_bits(expected, out, N);
    loops->multiply_log(x, N, out);
    for (size_t i = 0; i < N; i++)
        expected[i] = x[i] == 0.0 ? 0.0 : x[i] * hanse_log(x[i]);
    assert_bits(expected, out, N);
    loops->copy(x, mask, N, out);
    for (size_t i = 0; i < N; i++)
        expected[i] = isnan(mask[i]) ? (double)NAN : x[i];
    assert_bits(expected, out, N);
    memcpy(out, mask, sizeof out);
    loops->mark_missing(x, N, out);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(isnan(out[i]) != 0, isnan(x[i]) || isnan(mask[i]));
}

static void check_set(hanse_cpu cpu, size_t n)
{
    const hanse_evaluate_loops *a = hanse_evaluate_loops_of(HANSE_CPU_SCALAR);
    const hanse_evaluate_loops *b = hanse_evaluate_loops_of(cpu);
    double expected[N], found[N];
    a->normalise(&scaling, x, mask, n, expected);
    b->normalise(&scaling, x, mask, n, found);
    assert_bits(expected, found, n);
    memcpy(expected, mask, sizeof expected);
    memcpy(found, mask, sizeof found);
    a->add(&scaling, x, n, expected);
    b->add(&scaling, x, n, found);
    assert_bits(expected, found, n);
    a->multiply_log(x, n, expected);
    b->multiply_log(x, n, found);
    assert_bits(expected, found, n);
    a->copy(x, mask, n, expected);
    b->copy(x, mask, n, found);
    assert_bits(expected, found, n);
    memcpy(expected, mask, sizeof expected);
    memcpy(found, mask, sizeof found);
    a->mark_missing(x, n, expected);
    b->mark_missing(x, n, found);
    assert_bits(expected, found, n);
}

static void all_sets_give_the_same_bits(void **state)
{
    (void)state;
    fill();
    for (int cpu = 0; cpu <= (int)hanse_cpu_detect(); cpu++)
        for (size_t n = 0; n <= N; n = n < 40 ? n + 1 : 2 * n + 1)
            check_set((hanse_cpu)cpu, n < N ? n : N);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalar_loops_are_the_formulas),
        cmocka_unit_test(all_sets_give_the_same_bits),
    };
    return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
