/* SPDX-License-Identifier: Apache-2.0
 *
 * Exponential and logarithm of one number, to be inlined into the loops of any
 * instruction set.
 *
 * exp and log from basic operations, without branches, so that loops over them
 * vectorise.
 *
 * Both split ln 2 in two parts, LN2_HIGH + LN2_LOW. LN2_HIGH has 38 bits, so
 * its product with an exponent (at most 1077 in magnitude, 11 bits) is exact.
 * The polynomials are Taylor series: longer than a minimax polynomial would
 * be, but each coefficient and the bound on what is left out can be checked
 * by hand. The leading terms are added as an exact sum of two doubles
 * (Dekker's fast two-sum), so that the error stays near the half ulp of the
 * last rounding.
 */
#ifndef HANSE_ENGINE_ELEMENTARY_STEP_H
#define HANSE_ENGINE_ELEMENTARY_STEP_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define HANSE_LN2_HIGH    0x1.62e42fefa0000p-1
#define HANSE_LN2_LOW     0x1.cf79abc9e3b3ap-40
#define HANSE_INVERSE_LN2 0x1.71547652b82fep+0

/* Adding this to |t| < 2^51 rounds t to an integer and leaves that integer in
 * the low bits of the sum: doubles from 2^52 to 2^53 are one apart. */
#define HANSE_INTEGER_SHIFT 0x1.8p+52

static inline uint64_t hanse_pattern_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double hanse_of_pattern(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* (exp(r) - 1 - r) / r^2 for |r| <= 0.3467: terms 1/2! to 1/13!, even and odd
 * powers apart to shorten the chain. What is left out, r^12 / 14! and on, is
 * below 4e-18 of the result. */
static inline double hanse_exp_tail(double r)
{
    const double z = r * r;
    double even = 0x1.1eed8eff8d898p-29;     /* 1/12! */
    double odd = 0x1.6124613a86d09p-33;      /* 1/13! */
    even = even * z + 0x1.27e4fb7789f5cp-22; /* 1/10! */
    odd = odd * z + 0x1.ae64567f544e4p-26;   /* 1/11! */
    even = even * z + 0x1.a01a01a01a01ap-16; /* 1/8! */
    odd = odd * z + 0x1.71de3a556c734p-19;   /* 1/9! */
    even = even * z + 0x1.6c16c16c16c17p-10; /* 1/6! */
    odd = odd * z + 0x1.a01a01a01a01ap-13;   /* 1/7! */
    even = even * z + 0x1.5555555555555p-5;  /* 1/4! */
    odd = odd * z + 0x1.1111111111111p-7;    /* 1/5! */
    even = even * z + 0.5;                   /* 1/2! */
    odd = odd * z + 0x1.5555555555555p-3;    /* 1/3! */
    return even + r * odd;
}

/* exp(x) = 2^k exp(r), x = k ln2 + r. */
static inline double hanse_exp_one(double x)
{
    /* Results at these bounds are already 0 and infinity. NaN passes. */
    double t = x < -746.0 ? -746.0 : x;
    t = t > 710.0 ? 710.0 : t;
    const double shifted = t * HANSE_INVERSE_LN2 + HANSE_INTEGER_SHIFT;
    const double k = shifted - HANSE_INTEGER_SHIFT;

    /* r + correction is t - k ln2; the first subtraction is exact. */
    const double high = t - k * HANSE_LN2_HIGH;
    const double low = k * HANSE_LN2_LOW;
    const double r = high - low;
    const double correction = (high - r) - low;
    const double sum = 1.0 + r;
    const double rest = (1.0 - sum) + r;
    const double y = sum + (rest + (correction + r * r * hanse_exp_tail(r)));

    /* 2^k as a product of two powers that are normal numbers, for k from
     * -1077 to 1025. The first product is exact; the second one rounds where
     * the result is subnormal and overflows where it should. 2046 is twice
     * the bias of the exponent field. */
    const uint64_t both = hanse_pattern_of(shifted) -
                          hanse_pattern_of(HANSE_INTEGER_SHIFT) + 2046;
    const uint64_t first = both >> 1;
    const uint64_t second = both - first;
    const double scaled = y * hanse_of_pattern(first << 52) *
                          hanse_of_pattern((second & 0x7ff) << 52);
    return x == x ? scaled : (double)NAN;
}

/* (log((1 + s) / (1 - s)) - 2s) / s for z = s^2, |s| <= 0.1716: the series
 * 2/3 z + 2/5 z^2 + ... 2/21 z^10. What is left out is below 2^-60 of 2. */
static inline double hanse_log_tail(double z)
{
    const double w = z * z;
    double even = 0x1.8618618618618p-4;     /* 2/21 */
    double odd = 0x1.af286bca1af28p-4;      /* 2/19 */
    even = even * w + 0x1.e1e1e1e1e1e1ep-4; /* 2/17 */
    odd = odd * w + 0x1.1111111111111p-3;   /* 2/15 */
    even = even * w + 0x1.3b13b13b13b14p-3; /* 2/13 */
    odd = odd * w + 0x1.745d1745d1746p-3;   /* 2/11 */
    even = even * w + 0x1.c71c71c71c71cp-3; /* 2/9 */
    odd = odd * w + 0x1.2492492492492p-2;   /* 2/7 */
    even = even * w + 0x1.999999999999ap-2; /* 2/5 */
    odd = odd * w + 0x1.5555555555555p-1;   /* 2/3 */
    return z * (odd + z * even);
}

/* log(x) = k ln2 + log(1 + f), x = 2^k (1 + f), 1 + f from sqrt(1/2) to
 * sqrt(2). With s = f / (2 + f), log(1 + f) = 2s + s tail(s^2), and
 * 2s = f - f^2/2 + s f^2/2, whose first term is exact. */
static inline double hanse_log_one(double x)
{
    const uint64_t sqrt_half = UINT64_C(0x3fe6a09e667f3bcd);
    const uint64_t one = UINT64_C(0x3ff0000000000000);
    const uint64_t mantissa = UINT64_C(0x000fffffffffffff);
    const int is_subnormal = x < DBL_MIN;
    const double normal = is_subnormal ? x * 0x1p+54 : x;
    const double bias = is_subnormal ? 0x1p+52 + 1077.0 : 0x1p+52 + 1023.0;

    /* Moves the boundary between exponents from 1 to sqrt(1/2). */
    const uint64_t moved = hanse_pattern_of(normal) + (one - sqrt_half);
    const double k =
        hanse_of_pattern((moved >> 52) | hanse_pattern_of(0x1p+52)) - bias;
    const double f = hanse_of_pattern((moved & mantissa) + sqrt_half) - 1.0;

    const double s = f / (2.0 + f);
    const double half_square = 0.5 * f * f;
    const double high = k * HANSE_LN2_HIGH + f;
    const double rest = (k * HANSE_LN2_HIGH - high) + f;
    const double low =
        s * (half_square + hanse_log_tail(s * s)) + k * HANSE_LN2_LOW;
    double y = high + (rest - (half_square - low));

    y = x == 0.0 ? -(double)INFINITY : y;
    y = x == (double)INFINITY ? x : y;
    return x >= 0.0 ? y : (double)NAN;
}

#endif
