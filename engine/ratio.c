/* SPDX-License-Identifier: Apache-2.0
 *
 * Long division (Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D)
 * carried to a quotient of about 122 bits and a remainder that is zero or not:
 * all that rounding to 53 bits needs. The root of a quotient comes from the
 * integer root of those bits, because floor(sqrt(floor(q))) is floor(sqrt(q)).
 */
#include "engine/ratio.h"

#include <assert.h>
#include <math.h>

typedef unsigned __int128 u128;

enum {
    QUOTIENT_BITS = 122
};

/* x -= factor * y at word `at`; returns whether the result is negative. */
static bool subtract_multiple(uint64_t *x, const uint64_t *y, size_t n,
                              uint64_t factor)
{
    uint64_t carry = 0, borrow = 0;
    for (size_t i = 0; i <= n; i++) {
        const u128 product = (i < n ? (u128)factor * y[i] : 0) + carry;
        carry = (uint64_t)(product >> 64);
        const u128 difference = (u128)x[i] - (uint64_t)product - borrow;
        x[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    return borrow != 0;
}

static void add_back(uint64_t *x, const uint64_t *y, size_t n)
{
    uint64_t carry = 0;
    for (size_t i = 0; i <= n; i++) {
        const u128 sum = (u128)x[i] + (i < n ? y[i] : 0) + carry;
        x[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
}

/* One digit of the quotient: x has n + 1 words, y n >= 2 with the top bit set,
 * and x < 2^64 y. x becomes the remainder. */
static uint64_t divide_digit(uint64_t *x, const uint64_t *y, size_t n)
{
    const u128 top = ((u128)x[n] << 64) | x[n - 1];
    u128 digit = top / y[n - 1];
    u128 rest = top % y[n - 1];
    while (digit >> 64 != 0 ||
           (rest >> 64 == 0 && digit * y[n - 2] > ((rest << 64) | x[n - 2]))) {
        digit--;
        rest += y[n - 1];
        if (rest >> 64 != 0)
            break;
    }
    if (subtract_multiple(x, y, n, (uint64_t)digit)) {
        digit--;
        add_back(x, y, n);
    }
    return (uint64_t)digit;
}

/* |numerator| / |denominator| = quotient * 2^exponent and a little more if
 * *sticky; the quotient has 121 to 123 bits. `even`: so is the exponent. */
static u128 divide(const hanse_wide *numerator, const hanse_wide *denominator,
                   bool even, int *exponent, bool *sticky)
{
    hanse_wide x, y;
    hanse_wide_copy(&x, numerator);
    hanse_wide_copy(&y, denominator);
    int shift = QUOTIENT_BITS - hanse_wide_bits(&x) + hanse_wide_bits(&y);
    if (even && (x.exponent - y.exponent - shift) % 2 != 0)
        shift--;
    *exponent = x.exponent - y.exponent - shift;
    /* The divisor has at least two words, the first bit set. */
    int align = (64 - hanse_wide_bits(&y) % 64) % 64;
    if (y.n == 1)
        align += 64;
    hanse_wide_lower(&y, align);
    shift += align;
    if (shift < 0) { /* by whole words, which keeps the first bit */
        const int words = (-shift + 63) / 64;
        hanse_wide_lower(&y, 64 * words);
        shift += 64 * words;
    }
    hanse_wide_lower(&x, shift);

    size_t n = x.n;
    assert(n < HANSE_WIDE_WORDS);
    x.word[n++] = 0;
    u128 quotient = 0;
    for (size_t at = n > y.n ? n - y.n : 0; at-- > 0;)
        quotient = quotient << 64 | divide_digit(x.word + at, y.word, y.n);
    *sticky = false;
    for (size_t i = 0; i < n; i++)
        *sticky = *sticky || x.word[i] != 0;
    return quotient;
}

static double round_bits(u128 bits, int exponent, bool negative, bool sticky)
{
    const uint64_t words[] = {(uint64_t)bits, (uint64_t)(bits >> 64)};
    hanse_wide value;
    hanse_wide_from_words(&value, words, 2, exponent, negative);
    return hanse_wide_round_sticky(&value, sticky);
}

double hanse_ratio_round(const hanse_wide *numerator,
                         const hanse_wide *denominator)
{
    int exponent;
    bool sticky;
    if (numerator->n == 0)
        return 0.0;
    const u128 quotient =
        divide(numerator, denominator, false, &exponent, &sticky);
    return round_bits(quotient, exponent,
                      numerator->negative != denominator->negative, sticky);
}

/* floor(sqrt(x)) of x below 2^124: the root in floating point is right to 52
 * bits, one step of Newton's method to all, and a unit is put right. */
static uint64_t integer_root(u128 x)
{
    uint64_t root = (uint64_t)sqrt((double)x);
    root = (uint64_t)((root + x / root) / 2);
    while ((u128)root * root > x)
        root--;
    while ((u128)(root + 1) * (root + 1) <= x)
        root++;
    return root;
}

double hanse_ratio_root(const hanse_wide *numerator,
                        const hanse_wide *denominator)
{
    int exponent;
    bool sticky;
    if (numerator->n == 0)
        return 0.0;
    const u128 quotient =
        divide(numerator, denominator, true, &exponent, &sticky);
    const uint64_t root = integer_root(quotient);
    sticky = sticky || (u128)root * root != quotient;
    return round_bits(root, exponent / 2, false, sticky);
}
