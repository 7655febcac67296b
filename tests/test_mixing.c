/* SPDX-License-Identifier: Apache-2.0
 *
 * Complete mixing in closed form against the rounds themselves, carried out in
 * long double with the matrix of ones over n.
 */
#include "engine/models/mixing.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <setjmp.h>

#include <cmocka.h>

#include "engine/models/status.h"

enum {
    MOST = 60
};

static double next_unit(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static hanse_mixing_sums sums_of(const double *p, const double *s, size_t n)
{
    long double strategy = 0, independence = 0, product = 0;
    for (size_t i = 0; i < n; i++) {
        strategy += p[i];
        independence += s[i];
        product += (long double)s[i] * p[i];
    }
    return (hanse_mixing_sums){n, (double)strategy, (double)independence,
                               (double)product};
}

static void iterate(const double *p, const double *s, size_t n, uint64_t rounds,
                    long double *z)
{
    for (size_t i = 0; i < n; i++)
        z[i] = p[i];
    for (uint64_t t = 0; t < rounds; t++) {
        long double mean = 0;
        for (size_t i = 0; i < n; i++)
            mean += z[i] / (long double)n;
        for (size_t i = 0; i < n; i++)
            z[i] = (1 - (long double)s[i]) * mean + (long double)s[i] * p[i];
    }
}

static void check(const double *p, const double *s, size_t n, uint64_t rounds,
                  uint64_t steps, bool preserve)
{
    long double z[MOST], lost = 0;
    const hanse_mixing_sums sums = sums_of(p, s, n);
    const hanse_mixing mixing = hanse_mixing_of(&sums, rounds, preserve);
    iterate(p, s, n, steps, z);
    for (size_t i = 0; preserve && i < n; i++)
        lost += (p[i] - z[i]) / (long double)n;
    assert_int_equal(mixing.status, HANSE_MODEL_OK);
    for (size_t i = 0; i < n; i++) {
        const double found = hanse_mixing_value(&mixing, p[i], s[i]);
        if (!(fabsl((long double)found - (z[i] + lost)) <= 1e-12L))
            fail_msg("n = %zu, %llu rounds, member %zu: found %.17g, expected "
                     "%.20Lg",
                     n, (unsigned long long)rounds, i, found, z[i] + lost);
    }
}

/* Strategies around 0, so that no sum is a large one by accident. */
static void closed_form_agrees_with_the_rounds(void **state)
{
    uint64_t random = 11;
    (void)state;
    for (size_t i = 0; i < 3000; i++) {
        double p[MOST], s[MOST];
        const size_t n = 1 + i % MOST;
        const bool preserve = i % 2 == 0;
        const double common = next_unit(&random);
        for (size_t k = 0; k < n; k++) {
            p[k] = 200 * next_unit(&random) - 100;
            s[k] = i % 5 == 0 ? common : next_unit(&random);
        }
        check(p, s, n, i % 23, i % 23, preserve);
        check(p, s, n, 1000, 1000, preserve);
    }
}

static void limit_is_where_the_rounds_end(void **state)
{
    uint64_t random = 5;
    (void)state;
    for (size_t i = 0; i < 300; i++) {
        double p[MOST], s[MOST];
        const size_t n = 2 + i % (MOST - 1);
        for (size_t k = 0; k < n; k++) {
            p[k] = 200 * next_unit(&random) - 100;
            s[k] = 0.1 + 0.9 * next_unit(&random);
        }
        check(p, s, n, HANSE_ROUNDS_LIMIT, 600, i % 2 == 0);
    }
}

/* Some members with independence 0 or 1 among others. */
static void extremes_of_independence_agree_with_the_rounds(void **state)
{
    const double p[] = {3.0, -1.0, 10.0, 4.5};
    const double some[] = {0.0, 1.0, 0.5, 0.0};
    const double none[] = {0.0, 0.0, 0.0, 0.0};
    const double all[] = {1.0, 1.0, 1.0, 1.0};
    (void)state;
    for (uint64_t rounds = 0; rounds < 6; rounds++) {
        check(p, some, 4, rounds, rounds, false);
        check(p, none, 4, rounds, rounds, true);
        check(p, all, 4, rounds, rounds, false);
    }
    check(p, some, 4, HANSE_ROUNDS_LIMIT, 500, false);
    check(p, none, 4, HANSE_ROUNDS_LIMIT, 1, false);
    check(p, all, 4, HANSE_ROUNDS_LIMIT, 1, false);
    const hanse_mixing_sums sums = sums_of(p, all, 4);
    const hanse_mixing still = hanse_mixing_of(&sums, 5, false);
    for (size_t i = 0; i < 4; i++)
        assert_true(hanse_mixing_value(&still, p[i], 1.0) == p[i]);
}

static void single_member_keeps_its_strategy(void **state)
{
    const hanse_mixing_sums sums = {1, 0.1, 0.3, 0.3 * 0.1};
    const hanse_mixing mixing = hanse_mixing_of(&sums, 7, true);
    (void)state;
    assert_true(hanse_mixing_value(&mixing, 0.1, 0.3) == 0.1);
    assert_true(isnan(hanse_mixing_value(&mixing, (double)NAN, 0.3)));
}

static void undefined_mixings_say_why(void **state)
{
    const double infinite = (double)INFINITY;
    const hanse_mixing_sums empty = {0, 0.0, 0.0, 0.0};
    const hanse_mixing_sums large = {2, infinite, 1.0, infinite};
    const hanse_mixing_sums both = {2, (double)NAN, 1.0, (double)NAN};
    const hanse_mixing_sums fine = {2, 3.0, 1.0, 1.5};
    (void)state;
    assert_int_equal(hanse_mixing_of(&empty, 3, false).status,
                     HANSE_MODEL_EMPTY);
    assert_int_equal(hanse_mixing_of(&large, 3, false).status,
                     HANSE_MODEL_NOT_FINITE);
    assert_int_equal(hanse_mixing_of(&both, 0, false).status,
                     HANSE_MODEL_NOT_FINITE);
    const hanse_mixing none = hanse_mixing_of(&empty, 3, false);
    assert_true(isnan(hanse_mixing_value(&none, 1.0, 0.5)));
    const hanse_mixing mixing = hanse_mixing_of(&fine, 3, false);
    assert_true(isnan(hanse_mixing_value(&mixing, 1.0, 1.5)));
    assert_true(isnan(hanse_mixing_value(&mixing, 1.0, -0.5)));
    assert_true(isnan(hanse_mixing_value(&mixing, 1.0, (double)NAN)));
    assert_true(isnan(hanse_mixing_value(&mixing, (double)NAN, 0.5)));
    assert_true(!isnan(hanse_mixing_value(&mixing, 1.0, 0.5)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_form_agrees_with_the_rounds),
        cmocka_unit_test(limit_is_where_the_rounds_end),
        cmocka_unit_test(extremes_of_independence_agree_with_the_rounds),
        cmocka_unit_test(single_member_keeps_its_strategy),
        cmocka_unit_test(undefined_mixings_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
