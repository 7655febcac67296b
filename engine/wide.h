/* SPDX-License-Identifier: Apache-2.0
 *
 * Wide integers with a binary exponent, for finishing: turning exact sums into
 * means and variances that are rounded once.
 */
#ifndef HANSE_ENGINE_WIDE_H
#define HANSE_ENGINE_WIDE_H

#include "engine/exact.h"

enum {
    /* The largest numerator is n sum x^2 - (sum x)^2 over all of float64:
     * bits -2148 to 2048 + 2 * 64, brought to one exponent: 4330 bits, and 130
     * for the quotient: 70 words. Twice that leaves room for windows that
     * reach beyond the values. */
    HANSE_WIDE_WORDS = 144
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

/* x *= factor */
void hanse_wide_scale(hanse_wide *x, uint64_t factor);

/* out = x * x; no aliasing. */
void hanse_wide_square(hanse_wide *out, const hanse_wide *x);

/* x -= y; exponents may differ. */
void hanse_wide_subtract(hanse_wide *x, const hanse_wide *y);

/* x / (a * b) rounded once to nearest even; a, b not zero. x is used up. */
double hanse_wide_divide(hanse_wide *x, uint64_t a, uint64_t b);

/* x rounded once to nearest even, to an infinity beyond the largest. Zero is
 * +0. */
double hanse_wide_round(const hanse_wide *x);

#endif
