/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers in text. Up to 19 digits are collected in an integer; with a small
 * power of ten the result is one exact operation away. Anything else goes to
 * strtod, which rounds correctly but takes several times as long; the program
 * never leaves the C locale.
 */
#include "io/text_number.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_DIGITS = 19, /* 10^19 - 1 fits in 64 bits */
    MAX_BYTES = 500,
    MAX_EXPONENT = 100000 /* beyond any double, far from overflow */
};

/* Takes the digits at text[*at]; returns how many there are. */
static size_t take_digits(const char *text, size_t n, size_t *at,
                          hanse_text_number *out, int *n_significant)
{
    const size_t begin = *at;
    size_t i = begin;
    uint64_t digits = out->digits;
    int significant = *n_significant;
    for (; i < n; i++) {
        const unsigned digit = (unsigned)(unsigned char)text[i] - '0';
        if (digit > 9)
            break;
        if (significant < MAX_DIGITS)
            digits = digits * 10 + digit;
        else
            out->cut = true;
        significant += significant > 0 || digit > 0;
    }
    out->digits = digits;
    *n_significant = significant;
    *at = i;
    return i - begin;
}

/* An exponent from text[at] on to the end; false when it is none. */
static bool take_exponent(const char *text, size_t n, size_t at,
                          hanse_text_number *out)
{
    int64_t exponent = 0;
    const bool negative = at < n && text[at] == '-';
    if (at < n && (text[at] == '-' || text[at] == '+'))
        at++;
    if (at == n)
        return false;
    for (; at < n; at++) {
        if (text[at] < '0' || text[at] > '9')
            return false;
        if (exponent < MAX_EXPONENT)
            exponent = exponent * 10 + (text[at] - '0');
    }
    out->exponent += negative ? -exponent : exponent;
    return true;
}

hanse_text_number hanse_text_number_read(const char *text, size_t n, char point)
{
    static const hanse_text_number none = {.kind = HANSE_KIND_WORDS};
    hanse_text_number out = {.kind = HANSE_KIND_INTEGER};
    int n_significant = 0;
    size_t at = 0;
    if (n == 0)
        return none;
    out.negative = text[0] == '-';
    out.plus = text[0] == '+';
    at += out.negative || out.plus;
    const size_t first = at;
    const size_t n_whole = take_digits(text, n, &at, &out, &n_significant);
    out.zero_led = n_whole > 1 && text[first] == '0';
    if (at == n)
        return n_whole > 0 ? out : none;
    size_t n_fraction = 0;
    out.kind = HANSE_KIND_DECIMAL;
    if (text[at] == point) {
        at++;
        n_fraction = take_digits(text, n, &at, &out, &n_significant);
        out.exponent = -(int64_t)n_fraction;
    }
    if (n_whole + n_fraction == 0)
        return none;
    if (at == n)
        return out;
    if (text[at] != 'e' && text[at] != 'E')
        return none;
    return take_exponent(text, n, at + 1, &out) ? out : none;
}

bool hanse_text_number_magnitude(const hanse_text_number *number,
                                 const char *text, size_t n, uint64_t *out)
{
    uint64_t value = number->digits;
    if (number->cut) {
        value = 0;
        for (size_t i = number->negative || number->plus; i < n; i++)
            if (__builtin_mul_overflow(value, 10u, &value) ||
                __builtin_add_overflow(value, (uint64_t)(text[i] - '0'),
                                       &value))
                return false;
    }
    *out = value;
    return true;
}

#if LDBL_MANT_DIG == 64

/* One multiplication or division of numbers that are exact in 64 bits gives
 * the result rounded to 64 bits. Rounding that once more, to 53, is the same
 * as rounding once unless it lies exactly between two doubles: then the bits
 * that go, eleven of them, are a one and zeros, and the slow way decides. */
static bool fast_double(const hanse_text_number *number, double *out)
{
    enum {
        MOST = 27 /* 10^27 = 2^27 * 5^27, and 5^27 < 2^63 */
    };
    static const long double powers[MOST + 1] = {
        1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
        1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
        1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
    const int64_t exponent = number->exponent;
    if (number->cut || exponent > MOST || exponent < -MOST)
        return false;
    const long double digits = (long double)number->digits;
    const long double wide =
        exponent < 0 ? digits / powers[-exponent] : digits * powers[exponent];
    uint64_t bits;
    memcpy(&bits, &wide, sizeof bits);
    if ((bits & 0x7FF) == 0x400)
        return false;
    *out = number->negative ? -(double)wide : (double)wide;
    return true;
}

#else

/* Digits and power are exact doubles, so that one operation rounds once. */
static bool fast_double(const hanse_text_number *number, double *out)
{
    enum {
        MOST = 22 /* 5^22 < 2^53 */
    };
    static const double powers[MOST + 1] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const int64_t exponent = number->exponent;
    if (number->cut || exponent > MOST || exponent < -MOST ||
        number->digits > UINT64_C(1) << 53)
        return false;
    const double digits = (double)number->digits;
    const double value =
        exponent < 0 ? digits / powers[-exponent] : digits * powers[exponent];
    *out = number->negative ? -value : value;
    return true;
}

#endif

/* A terminated copy with the point of C. */
static bool copy_for_c(const char *text, size_t n, char point, char *copy)
{
    if (n > MAX_BYTES)
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    char *at = memchr(copy, point, n);
    if (at != NULL)
        *at = '.';
    return true;
}

bool hanse_text_number_double(const hanse_text_number *number, const char *text,
                              size_t n, char point, double *out)
{
    char copy[MAX_BYTES + 1];
    if (fast_double(number, out))
        return true;
    if (!copy_for_c(text, n, point, copy))
        return false;
    *out = strtod(copy, NULL);
    return isfinite(*out);
}

bool hanse_text_number_float(const char *text, size_t n, char point, float *out)
{
    char copy[MAX_BYTES + 1];
    if (!copy_for_c(text, n, point, copy))
        return false;
    *out = strtof(copy, NULL);
    return isfinite(*out);
}
