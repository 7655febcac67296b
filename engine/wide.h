/* SPDX-License-Identifier: Apache-2.0
 *
 * Wide integers with a binary exponent, for finishing: turning exact sums into
 * means and variances that are rounded once.
 */
#ifndef HANSE_ENGINE_WIDE_H
#define HANSE_ENGINE_WIDE_H

#include "engine/exact.h"

enum {
    /* The largest numbers are those of a skewness over all of float64: sums of
     * cubes span the bits -3222 to 3 * 1024 + 4 * 64, the square of such a
     * number twice as many, 13,200 bits with the factors by the number of
     * rows: 207 words. Aligning and dividing need a few more. */
    HANSE_WIDE_WORDS = 224
};

/* (-1)^negative * sum_i word[i] 2^(64 i) * 2^exponent; n = 0 is zero, the top
 * word is never zero. */
typedef struct hanse_wide {
    bool negative;
    int exponent;
    size_t n;
    uint64_t word[HANSE_WIDE_WORDS];
} hanse_wide;

void hanse_wide_from_limbs(hanse_wide *out, const int64_t *limbs,
                           const hanse_window *window);

/* (-1)^negative * sum_i word[i] 2^(64 i) * 2^exponent of n words. */
void hanse_wide_from_words(hanse_wide *out, const uint64_t *words, size_t n,
                           int exponent, bool negative);

/* A finite number. */
void hanse_wide_from_double(hanse_wide *out, double x);

void hanse_wide_copy(hanse_wide *out, const hanse_wide *x);

/* Number of bits of the magnitude without the exponent, 0 for zero. */
int hanse_wide_bits(const hanse_wide *x);

/* x *= 2^n_bits with the exponent lowered, n_bits >= 0: the value stays. */
void hanse_wide_lower(hanse_wide *x, int n_bits);

/* x *= factor */
void hanse_wide_scale(hanse_wide *x, uint64_t factor);

/* out = x * x; no aliasing. */
void hanse_wide_square(hanse_wide *out, const hanse_wide *x);

/* out = x * y; no aliasing with out. */
void hanse_wide_multiply(hanse_wide *out, const hanse_wide *x,
                         const hanse_wide *y);

/* x -= y, x += y; exponents may differ. */
void hanse_wide_subtract(hanse_wide *x, const hanse_wide *y);
void hanse_wide_add(hanse_wide *x, const hanse_wide *y);

/* x / (a * b) rounded once to nearest even; a, b not zero. x is used up. */
double hanse_wide_divide(hanse_wide *x, uint64_t a, uint64_t b);

/* x rounded once to nearest even, to an infinity beyond the largest. Zero is
 * +0. */
double hanse_wide_round(const hanse_wide *x);

/* The same where the true value is a little larger in magnitude, by less than
 * a unit of the last word, if `sticky`. */
double hanse_wide_round_sticky(const hanse_wide *x, bool sticky);

#endif
