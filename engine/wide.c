/* SPDX-License-Identifier: Apache-2.0
 *
 * Schoolbook arithmetic; operands are a few words in all usual cases.
 */
#include "engine/wide.h"

#include <assert.h>
#include <math.h>
#include <string.h>

typedef unsigned __int128 u128;

static void trim(hanse_wide *x)
{
    while (x->n != 0 && x->word[x->n - 1] == 0)
        x->n--;
}

/* Digits of 51 bits, all in [0, 2^51) but the top one, and the sign of the
 * whole. */
static bool canonical_digits(int64_t *digit, const int64_t *limbs, int n)
{
    const int64_t mask = ((int64_t)1 << HANSE_LIMB_BITS) - 1;
    bool negative = false;
    for (int pass = 0; pass < 2; pass++) {
        int64_t carry = 0;
        for (int k = 0; k < n; k++) {
            const int64_t sum = (negative ? -limbs[k] : limbs[k]) + carry;
            digit[k] = k + 1 < n ? sum & mask : sum;
            carry = sum >> HANSE_LIMB_BITS;
        }
        if (digit[n - 1] >= 0)
            break;
        negative = true;
    }
    return negative;
}

void hanse_wide_from_limbs(hanse_wide *out, const int64_t *limbs,
                           const hanse_window *window)
{
    int64_t digit[HANSE_WINDOW_LIMBS_MAX];
    const int n = window->n_limbs;
    out->exponent = window->exponent;
    out->n = 0;
    out->negative = false;
    if (n == 0)
        return;
    assert(n <= HANSE_WINDOW_LIMBS_MAX);
    out->negative = canonical_digits(digit, limbs, n);
    out->n = ((size_t)(n - 1) * HANSE_LIMB_BITS + 63) / 64 + 1;
    memset(out->word, 0, (out->n + 1) * sizeof out->word[0]);
    for (int k = 0; k < n; k++) {
        const size_t bit = (size_t)k * HANSE_LIMB_BITS;
        const u128 shifted = (u128)(uint64_t)digit[k] << (bit % 64);
        out->word[bit / 64] |= (uint64_t)shifted;
        out->word[bit / 64 + 1] |= (uint64_t)(shifted >> 64);
    }
    out->n++;
    trim(out);
}

void hanse_wide_copy(hanse_wide *out, const hanse_wide *x)
{
    out->negative = x->negative;
    out->exponent = x->exponent;
    out->n = x->n;
    memcpy(out->word, x->word, x->n * sizeof x->word[0]);
}

/* Zero words at the low end would only make products longer. */
void hanse_wide_from_words(hanse_wide *out, const uint64_t *words, size_t n,
                           int exponent, bool negative)
{
    while (n != 0 && words[0] == 0) {
        words++;
        n--;
        exponent += 64;
    }
    assert(n <= HANSE_WIDE_WORDS);
    out->negative = negative;
    out->exponent = exponent;
    out->n = n;
    if (n != 0)
        memcpy(out->word, words, n * sizeof *words);
    trim(out);
}

void hanse_wide_from_double(hanse_wide *out, double x)
{
    out->n = 0;
    out->exponent = 0;
    out->negative = false;
    if (x == 0.0)
        return;
    const hanse_bits bits = hanse_bits_of(x, false);
    const uint64_t word = (uint64_t)bits.magnitude;
    hanse_wide_from_words(out, &word, 1, bits.exponent, bits.negative);
}

int hanse_wide_bits(const hanse_wide *x)
{
    return x->n == 0 ? 0 : 64 * (int)x->n - __builtin_clzll(x->word[x->n - 1]);
}

void hanse_wide_scale(hanse_wide *x, uint64_t factor)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < x->n; i++) {
        const u128 product = (u128)x->word[i] * factor + carry;
        x->word[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
    if (carry != 0) {
        assert(x->n < HANSE_WIDE_WORDS);
        x->word[x->n++] = carry;
    }
    trim(x);
}

void hanse_wide_multiply(hanse_wide *out, const hanse_wide *x,
                         const hanse_wide *y)
{
    out->negative = x->negative != y->negative;
    out->exponent = x->exponent + y->exponent;
    out->n = x->n + y->n;
    assert(out->n <= HANSE_WIDE_WORDS);
    memset(out->word, 0, out->n * sizeof out->word[0]);
    for (size_t i = 0; i < x->n; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; j < y->n; j++) {
            const u128 sum =
                (u128)x->word[i] * y->word[j] + out->word[i + j] + carry;
            out->word[i + j] = (uint64_t)sum;
            carry = (uint64_t)(sum >> 64);
        }
        out->word[i + y->n] = carry;
    }
    trim(out);
}

void hanse_wide_square(hanse_wide *out, const hanse_wide *x)
{
    hanse_wide_multiply(out, x, x);
}

void hanse_wide_lower(hanse_wide *x, int n_bits)
{
    const size_t words = (size_t)n_bits / 64;
    const unsigned bits = (unsigned)n_bits % 64;
    x->exponent -= n_bits;
    if (x->n == 0)
        return;
    assert(x->n + words + 1 <= HANSE_WIDE_WORDS);
    x->word[x->n] = 0;
    for (size_t i = x->n + 1; i-- > 0;) {
        uint64_t word = x->word[i] << bits;
        if (bits != 0 && i != 0)
            word |= x->word[i - 1] >> (64 - bits);
        x->word[i + words] = word;
    }
    memset(x->word, 0, words * sizeof x->word[0]);
    x->n += words + 1;
    trim(x);
}

static int compare_magnitude(const hanse_wide *x, const hanse_wide *y)
{
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    for (size_t i = x->n; i-- > 0;)
        if (x->word[i] != y->word[i])
            return x->word[i] < y->word[i] ? -1 : 1;
    return 0;
}

/* larger - smaller, magnitudes of one exponent, into out (may alias either). */
static void subtract_magnitude(hanse_wide *out, const hanse_wide *larger,
                               const hanse_wide *smaller)
{
    uint64_t borrow = 0;
    for (size_t i = 0; i < larger->n; i++) {
        const uint64_t a = larger->word[i];
        const uint64_t b = i < smaller->n ? smaller->word[i] : 0;
        const u128 difference = (u128)a - b - borrow;
        out->word[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    out->n = larger->n;
    trim(out);
}

static void add_magnitude(hanse_wide *x, const hanse_wide *y)
{
    uint64_t carry = 0;
    const size_t n = x->n > y->n ? x->n : y->n;
    for (size_t i = 0; i < n; i++) {
        const u128 sum = (u128)(i < x->n ? x->word[i] : 0) +
                         (i < y->n ? y->word[i] : 0) + carry;
        x->word[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
    x->n = n;
    if (carry != 0) {
        assert(n < HANSE_WIDE_WORDS);
        x->word[x->n++] = carry;
    }
}

void hanse_wide_add(hanse_wide *x, const hanse_wide *y)
{
    x->negative = !x->negative;
    hanse_wide_subtract(x, y);
    x->negative = !x->negative;
}

void hanse_wide_subtract(hanse_wide *x, const hanse_wide *y)
{
    hanse_wide other;
    hanse_wide_copy(&other, y);
    if (x->exponent > other.exponent)
        hanse_wide_lower(x, x->exponent - other.exponent);
    else if (other.exponent > x->exponent)
        hanse_wide_lower(&other, other.exponent - x->exponent);

    if (x->negative != other.negative) {
        add_magnitude(x, &other);
    } else if (compare_magnitude(x, &other) >= 0) {
        subtract_magnitude(x, x, &other);
    } else {
        subtract_magnitude(x, &other, x);
        x->negative = !x->negative;
    }
}

/* x = floor(x / divisor); returns whether something was left. */
static bool divide_words(hanse_wide *x, uint64_t divisor)
{
    uint64_t remainder = 0;
    for (size_t i = x->n; i-- > 0;) {
        const u128 dividend = ((u128)remainder << 64) | x->word[i];
        x->word[i] = (uint64_t)(dividend / divisor);
        remainder = (uint64_t)(dividend % divisor);
    }
    trim(x);
    return remainder != 0;
}

double hanse_wide_round_sticky(const hanse_wide *x, bool sticky)
{
    if (x->n == 0)
        return 0.0;
    /* The top 64 bits, first bit set, and whether anything follows. */
    const uint64_t top_word = x->word[x->n - 1];
    const int zeros = __builtin_clzll(top_word);
    uint64_t top = top_word << zeros;
    size_t rest = x->n - 1;
    if (x->n > 1) {
        const uint64_t next = x->word[x->n - 2];
        if (zeros != 0) {
            top |= next >> (64 - zeros);
            sticky = sticky || (next << zeros) != 0;
            rest = x->n - 2;
        }
    }
    for (size_t i = 0; i < rest; i++)
        sticky = sticky || x->word[i] != 0;

    /* |value| = top * 2^scale; keep 53 bits, fewer below the normal range. */
    const int scale = x->exponent + 64 * (int)(x->n - 1) - zeros;
    int drop = 11;
    if (scale + drop < -1074)
        drop = -1074 - scale;
    double result = 0.0;
    if (drop <= 64) {
        const uint64_t kept = drop == 64 ? 0 : top >> drop;
        const uint64_t half = (uint64_t)1 << (drop - 1);
        const uint64_t below = top & ((half - 1) | half);
        const bool up =
            below > half || (below == half && (sticky || (kept & 1) != 0));
        result = ldexp((double)(kept + up), scale + drop);
    }
    return x->negative ? -result : result;
}

double hanse_wide_round(const hanse_wide *x)
{
    return hanse_wide_round_sticky(x, false);
}

double hanse_wide_divide(hanse_wide *x, uint64_t a, uint64_t b)
{
    if (x->n == 0)
        return 0.0;
    /* The quotient keeps at least 64 bits: a * b has at most 128. */
    hanse_wide_lower(x, 192);
    bool sticky = divide_words(x, a);
    if (b != 1)
        sticky = divide_words(x, b) || sticky;
    return hanse_wide_round_sticky(x, sticky);
}
