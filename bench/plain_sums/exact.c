/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows for plain sums: in place of engine/exact.c. The only limb of every
 * window holds a double, and a value on its way to it is the bit pattern of
 * one: hanse_bits with the pattern as magnitude.
 */
#include "bench/plain_sums/plain_sums.h"
#include "engine/exact.h"

hanse_bits hanse_bits_of(double x, bool square)
{
    const double value = square ? x * x : x;
    return (hanse_bits){(uint64_t)hanse_plain_limb(value), 0, false};
}

int hanse_bits_high(const hanse_bits *bits)
{
    return bits->exponent;
}

bool hanse_window_holds(const hanse_window *window, int low, int high)
{
    (void)low;
    (void)high;
    return window->n_limbs != 0;
}

hanse_window hanse_window_cover(const hanse_window *window, int low, int high)
{
    (void)window;
    (void)low;
    (void)high;
    return (hanse_window){0, 1};
}

bool hanse_window_grid(const hanse_window *window, hanse_split_grid *grid)
{
    *grid = (hanse_split_grid){.n_limbs = (size_t)window->n_limbs};
    return window->n_limbs != 0;
}

/* A merge takes trailing zeros and the sign off a limb, as from any integer. */
bool hanse_limbs_add(int64_t *limbs, const hanse_window *window,
                     const hanse_bits *bits)
{
    const int shift = bits->exponent - window->exponent;
    const uint64_t pattern = (uint64_t)bits->magnitude << shift;
    const uint64_t limb = bits->negative ? (uint64_t)0 - pattern : pattern;
    hanse_plain_add(&limbs[0], hanse_plain_double((int64_t)limb));
    return true;
}

bool hanse_limbs_carry(int64_t *limbs, const hanse_window *window)
{
    (void)limbs;
    (void)window;
    return true;
}

/* States are never packed. */
bool hanse_window_unit(const hanse_window *window, double *unit)
{
    (void)window;
    (void)unit;
    return false;
}

double hanse_limbs_round(const int64_t *limbs, const hanse_window *window)
{
    return window->n_limbs == 0 ? 0.0 : hanse_plain_double(limbs[0]);
}
