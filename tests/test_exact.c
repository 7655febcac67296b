/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact sums against arithmetic on very wide integers done another way: a
 * fixed-point accumulator over all of float64, bit by bit.
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

#include "engine/exact.h"
#include "engine/wide.h"

/* ---- Oracle: a byte per bit, two's complement by hand ------------------- */

enum {
    ORACLE_LOW = -2300,
    ORACLE_BITS = 4700
};

typedef struct oracle {
    int count[ORACLE_BITS]; /* signed count of each power of two */
} oracle;

static void oracle_add(oracle *o, double x, bool square)
{
    const hanse_bits bits = hanse_bits_of(x, square);
    for (int b = 0; b < 128; b++)
        if ((bits.magnitude >> b) & 1)
            o->count[bits.exponent + b - ORACLE_LOW] += bits.negative ? -1 : 1;
}

/* Canonical bits of the magnitude, and the sign. */
static bool oracle_bits(const oracle *o, uint8_t *bit)
{
    bool negative = false;
    for (int pass = 0; pass < 2; pass++) {
        long carry = 0;
        for (int i = 0; i < ORACLE_BITS; i++) {
            const long sum = (negative ? -o->count[i] : o->count[i]) + carry;
            bit[i] = (uint8_t)(sum & 1);
            carry = (sum - bit[i]) / 2;
        }
        if (carry == 0)
            break;
        negative = true;
    }
    return negative;
}

/* Rounds to nearest even by comparing with the neighbours, bit by bit. */
static double oracle_round(const oracle *o)
{
    static uint8_t bit[ORACLE_BITS];
    const bool negative = oracle_bits(o, bit);
    int top = ORACLE_BITS - 1;
    while (top >= 0 && bit[top] == 0)
        top--;
    if (top < 0)
        return 0.0;
    int last = top - 52;
    if (last + ORACLE_LOW < -1074)
        last = -1074 - ORACLE_LOW;
    double result = 0.0;
    for (int i = top; i >= last && i >= 0; i--)
        result += ldexp(bit[i], i + ORACLE_LOW);
    bool sticky = false;
    for (int i = 0; i < last - 1; i++)
        sticky = sticky || bit[i] != 0;
    const bool half = last >= 1 && bit[last - 1] != 0;
    if (half && (sticky || bit[last] != 0))
        result += ldexp(1.0, last + ORACLE_LOW);
    return negative ? -result : result;
}

/* ---- Sum under test ----------------------------------------------------- */

typedef struct tested {
    hanse_window window;
    int64_t limbs[HANSE_WINDOW_LIMBS_MAX + 8];
} tested;

static void tested_widen(tested *t, hanse_window wider)
{
    const int shift =
        t->window.n_limbs == 0
            ? 0
            : (t->window.exponent - wider.exponent) / HANSE_LIMB_BITS;
    memmove(t->limbs + shift, t->limbs,
            (size_t)t->window.n_limbs * sizeof t->limbs[0]);
    memset(t->limbs, 0, (size_t)shift * sizeof t->limbs[0]);
    t->window = wider;
}

static void tested_add(tested *t, double x, bool square)
{
    const hanse_bits bits = hanse_bits_of(x, square);
    const int low = hanse_bits_low(&bits), high = hanse_bits_high(&bits);
    if (!hanse_window_holds(&t->window, low, high))
        tested_widen(t, hanse_window_cover(&t->window, low, high));
    if (!hanse_limbs_add(t->limbs, &t->window, &bits) &&
        !hanse_limbs_carry(t->limbs, &t->window)) {
        tested_widen(t,
                     (hanse_window){t->window.exponent, t->window.n_limbs + 1});
        assert_true(hanse_limbs_carry(t->limbs, &t->window));
    }
}

static uint64_t seed_state = 12345;

static uint64_t random_bits(void)
{
    seed_state = seed_state * 6364136223846793005u + 1442695040888963407u;
    return (seed_state ^ (seed_state >> 29)) * 0xbf58476d1ce4e5b9u;
}

static double random_double(int low_exponent, int high_exponent)
{
    const int span = high_exponent - low_exponent;
    const double mantissa = 1.0 + (double)(random_bits() >> 12) * 0x1p-52;
    const int exponent =
        low_exponent + (int)(random_bits() % (uint64_t)(span + 1));
    const double x = ldexp(mantissa, exponent);
    return random_bits() & 1 ? -x : x;
}

static void assert_same_bits(double expected, double found)
{
    if (memcmp(&expected, &found, sizeof expected) != 0)
        fail_msg("expected %a, found %a", expected, found);
}

static void check_sum(int low, int high, int n, bool square)
{
    static oracle o;
    memset(&o, 0, sizeof o);
    tested t = {0};
    for (int i = 0; i < n; i++) {
        const double x = random_double(low, high);
        if (x == 0.0)
            continue;
        oracle_add(&o, x, square);
        tested_add(&t, x, square);
    }
    assert_same_bits(oracle_round(&o), hanse_limbs_round(t.limbs, &t.window));
}

static void sum_random_values_equals_oracle(void **state)
{
    (void)state;
    static const int ranges[][2] = {{-10, 40},     {0, 0},      {-1074, -1000},
                                    {-1074, 1000}, {900, 1019}, {-60, 60},
                                    {-1022, -950}};
    for (size_t r = 0; r < sizeof ranges / sizeof ranges[0]; r++)
        for (int n = 0; n < 40; n++)
            check_sum(ranges[r][0], ranges[r][1], n, false);
}

static void sum_squares_equals_oracle(void **state)
{
    (void)state;
    static const int ranges[][2] = {{-10, 40}, {-1074, -900}, {-500, 500}};
    for (size_t r = 0; r < sizeof ranges / sizeof ranges[0]; r++)
        for (int n = 0; n < 40; n++)
            check_sum(ranges[r][0], ranges[r][1], n, true);
}

static void sum_cancelling_values_is_exact(void **state)
{
    (void)state;
    tested t = {0};
    const double x[] = {1e300, 1.0, -1e300, 0x1p-1074, 1e16, -1e16};
    for (size_t i = 0; i < sizeof x / sizeof x[0]; i++)
        tested_add(&t, x[i], false);
    assert_same_bits(1.0, hanse_limbs_round(t.limbs, &t.window));
    tested_add(&t, -1.0, false);
    assert_same_bits(0x1p-1074, hanse_limbs_round(t.limbs, &t.window));
    tested_add(&t, -0x1p-1074, false);
    assert_same_bits(0.0, hanse_limbs_round(t.limbs, &t.window));
}

static void sum_halfway_rounds_to_even(void **state)
{
    (void)state;
    static const double cases[][3] = {
        {0x1p53, 1.0, 0x1p53},
        {0x1p53 + 2.0, 1.0, 0x1p53 + 4.0},
        {0x1.fffffffffffffp1023, 0x1p970, (double)INFINITY},
        {0x1.fffffffffffffp1023, 0x1p969, 0x1.fffffffffffffp1023},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tested t = {0};
        tested_add(&t, cases[i][0], false);
        tested_add(&t, cases[i][1], false);
        assert_same_bits(cases[i][2], hanse_limbs_round(t.limbs, &t.window));
    }
}

/* ---- Finishing ---------------------------------------------------------- */

static void divide_rounds_once(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        /* Numerators of 53 bits: the machine's own division is the oracle. */
        const double x = rint(random_double(20, 52));
        const uint64_t n = random_bits() % 100000 + 1;
        tested t = {0};
        tested_add(&t, x, false);
        hanse_wide sum;
        hanse_wide_from_limbs(&sum, t.limbs, &t.window);
        assert_same_bits(x / (double)n, hanse_wide_divide(&sum, n, 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sum_random_values_equals_oracle),
        cmocka_unit_test(sum_squares_equals_oracle),
        cmocka_unit_test(sum_cancelling_values_is_exact),
        cmocka_unit_test(sum_halfway_rounds_to_even),
        cmocka_unit_test(divide_rounds_once),
    };
    return cmocka_run_group_tests_name("exact", tests, NULL, NULL);
}
