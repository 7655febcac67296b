/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact sums: windows of limbs over the exponents of a column.
 *
 * The sum of a group is kept as n_limbs signed 64-bit limbs, limb k counting
 * units of 2^(exponent + 51 k). A window is common to all groups of an addend;
 * it comes from the data and is widened when a value falls outside, which
 * shifts limbs and loses nothing. With 51 payload bits in a limb of 64, adds
 * need no carry until a limb leaves its guard of +-2^61 (group_add.h).
 *
 * Small superaccumulators: Neal 2015, "Fast exact summation using small and
 * large superaccumulators". Here the window is cut to what the column needs.
 */
#ifndef HANSE_ENGINE_EXACT_H
#define HANSE_ENGINE_EXACT_H

#include <stdbool.h>

#include "engine/hanse.h"
#include "engine/kernels/exact_split.h"

enum {
    /* Squares of float64 need bits -2148 to 2048, and 64 more for the number
     * of rows: 84 limbs of 51 bits and one for the headroom of the top. A first
     * window may begin up to 76 bits below what its values need. */
    HANSE_WINDOW_LIMBS_MAX = 88
};

typedef struct hanse_window {
    int exponent; /* of the unit of limb 0 */
    int n_limbs;  /* 0: nothing seen yet */
} hanse_window;

/* A finite non-zero value as (-1)^negative * magnitude * 2^exponent with odd
 * magnitude: its bits lie in [low, high). */
typedef struct hanse_bits {
    unsigned __int128 magnitude;
    int exponent;
    bool negative;
} hanse_bits;

/* x finite and not zero; `square`: of x * x. */
hanse_bits hanse_bits_of(double x, bool square);
static inline int hanse_bits_low(const hanse_bits *bits)
{
    return bits->exponent;
}
int hanse_bits_high(const hanse_bits *bits);

/* Whether pieces of bits [low, high) fit the window. */
bool hanse_window_holds(const hanse_window *window, int low, int high);

/* The window widened, in steps of whole limbs, so that it holds [low, high).
 * An empty window becomes one of at least two limbs with the bits not needed
 * left as room on both sides. */
hanse_window hanse_window_cover(const hanse_window *window, int low, int high);

/* Constants for the kernels; false when the window is too wide or too high
 * for them (values are then added one by one with hanse_limbs_add). */
bool hanse_window_grid(const hanse_window *window, hanse_split_grid *grid);

/* limbs += bits, which the window must hold. Returns false when a limb left
 * its guard: carry before 2^10 more adds. */
bool hanse_limbs_add(int64_t *limbs, const hanse_window *window,
                     const hanse_bits *bits);

/* Moves what exceeds 51 bits to the next limb up, so that all limbs but the
 * top are in [-2^50, 2^50]. Returns false when the top limb is outside its
 * guard: widen by a limb and carry again. */
bool hanse_limbs_carry(int64_t *limbs, const hanse_window *window);

/* Whether numbers from 1 to 2^128 are scaled exactly by the unit of limb 0;
 * sets that unit. */
bool hanse_window_unit(const hanse_window *window, double *unit);

/* The sum rounded once to nearest even; overflow gives an infinity. */
double hanse_limbs_round(const int64_t *limbs, const hanse_window *window);

#endif
