/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows of limbs: widening, adding single values, carrying, rounding.
 */
#include "engine/exact.h"

#include <math.h>
#include <string.h>

#include "engine/kernels/group_add.h"
#include "engine/wide.h"

/* Position of the highest bit plus one. */
static int bit_length(unsigned __int128 x)
{
    const uint64_t high = (uint64_t)(x >> 64);
    if (high != 0)
        return 128 - __builtin_clzll(high);
    return (uint64_t)x == 0 ? 0 : 64 - __builtin_clzll((uint64_t)x);
}

hanse_bits hanse_bits_of(double x, bool square)
{
    uint64_t pattern;
    memcpy(&pattern, &x, sizeof pattern);
    const int biased = (int)(pattern >> 52) & 0x7ff;
    uint64_t mantissa = pattern & (((uint64_t)1 << 52) - 1);
    int exponent = -1074;
    if (biased != 0) {
        mantissa |= (uint64_t)1 << 52;
        exponent = biased - 1075;
    }
    const int zeros = __builtin_ctzll(mantissa);
    mantissa >>= zeros;
    exponent += zeros;
    if (square)
        return (hanse_bits){(unsigned __int128)mantissa * mantissa,
                            2 * exponent, false};
    return (hanse_bits){mantissa, exponent, (pattern >> 63) != 0};
}

int hanse_bits_high(const hanse_bits *bits)
{
    return bits->exponent + bit_length(bits->magnitude);
}

static int window_high(const hanse_window *window)
{
    return window->exponent + HANSE_LIMB_BITS * window->n_limbs;
}

bool hanse_window_holds(const hanse_window *window, int low, int high)
{
    return window->n_limbs != 0 && low >= window->exponent &&
           high <= window_high(window);
}

enum {
    WIDE_BITS = 8 * HANSE_LIMB_BITS
};

static int limbs_for(int n_bits)
{
    return n_bits <= 0 ? 0 : (n_bits + HANSE_LIMB_BITS - 1) / HANSE_LIMB_BITS;
}

/* Two limbs where they suffice, with an eighth of the bits as room: a window
 * that is widened grows by a whole limb on the side where a bit was missing.
 * Half of the room goes below, since what is still to come is as likely smaller
 * as larger: the smallest of n numbers that are spread around zero is some
 * log2 n bits below them, the largest of prices or incomes as many above. A
 * wide window has no eighth more: it may be all that there is. */
static hanse_window first_window(int low, int high)
{
    const int n_bits = high - low;
    int n_limbs = limbs_for(n_bits + (n_bits < WIDE_BITS ? n_bits / 8 : 0));
    if (n_limbs < 2)
        n_limbs = 2;
    const int room = n_limbs * HANSE_LIMB_BITS - n_bits;
    return (hanse_window){low - room / 2, n_limbs};
}

hanse_window hanse_window_cover(const hanse_window *window, int low, int high)
{
    if (window->n_limbs == 0)
        return first_window(low, high);
    const int below = limbs_for(window->exponent - low);
    const int above = limbs_for(high - window_high(window));
    return (hanse_window){window->exponent - below * HANSE_LIMB_BITS,
                          window->n_limbs + below + above};
}

bool hanse_window_grid(const hanse_window *window, hanse_split_grid *grid)
{
    if (window->n_limbs == 0 || window->n_limbs > HANSE_DENSE_LIMBS)
        return false;
    /* The lowest magic number must be normal, the highest finite. */
    if (window->exponent < -1074 || window_high(window) > 1022)
        return false;
    grid->n_limbs = (size_t)window->n_limbs;
    for (int k = 0; k < window->n_limbs; k++) {
        const int unit =
            window->exponent + (window->n_limbs - 1 - k) * HANSE_LIMB_BITS;
        grid->magic[k] = ldexp(1.5, 52 + unit);
    }
    grid->bound = ldexp(1.0, window_high(window));
    return true;
}

bool hanse_limbs_add(int64_t *limbs, const hanse_window *window,
                     const hanse_bits *bits)
{
    const uint64_t mask = ((uint64_t)1 << HANSE_LIMB_BITS) - 1;
    const int shift = bits->exponent - window->exponent;
    int k = shift / HANSE_LIMB_BITS;
    const int offset = shift % HANSE_LIMB_BITS;
    bool guarded = true;

    /* First digit apart: the shifted magnitude may need 128 + 50 bits. */
    uint64_t digit = ((uint64_t)bits->magnitude << offset) & mask;
    unsigned __int128 rest = bits->magnitude >> (HANSE_LIMB_BITS - offset);
    for (;;) {
        const int64_t piece = (int64_t)digit;
        limbs[k] += bits->negative ? -piece : piece;
        guarded = guarded && hanse_limb_guarded(limbs[k]);
        if (rest == 0)
            return guarded;
        digit = (uint64_t)rest & mask;
        rest >>= HANSE_LIMB_BITS;
        k++;
    }
}

bool hanse_limbs_carry(int64_t *limbs, const hanse_window *window)
{
    const int64_t half = (int64_t)1 << (HANSE_LIMB_BITS - 1);
    for (int k = 0; k + 1 < window->n_limbs; k++) {
        const int64_t carry = (limbs[k] + half) >> HANSE_LIMB_BITS;
        limbs[k] -= carry * ((int64_t)1 << HANSE_LIMB_BITS);
        limbs[k + 1] += carry;
    }
    return window->n_limbs == 0 ||
           hanse_limb_guarded(limbs[window->n_limbs - 1]);
}

/* 2^exponent, which is that of a normal number. */
static double power_of_two(int exponent)
{
    const uint64_t pattern = (uint64_t)(exponent + 1023) << 52;
    double x;
    memcpy(&x, &pattern, sizeof x);
    return x;
}

/* sum * 2^exponent rounded to nearest even. The conversion of 63 leading bits
 * rounds; the last of them stands for all bits behind it as well. Scaling is
 * exact as long as the result is normal. */
static double round_integer(__int128 sum, int exponent)
{
    if (sum == (int64_t)sum)
        return (double)(int64_t)sum * power_of_two(exponent);
    const unsigned __int128 size =
        sum < 0 ? -(unsigned __int128)sum : (unsigned __int128)sum;
    const int shift = bit_length(size) - 63;
    const unsigned __int128 behind =
        size & (((unsigned __int128)1 << shift) - 1);
    const int64_t leading =
        (int64_t)(uint64_t)(size >> shift) | (int64_t)(behind != 0);
    const double rounded = (double)leading * power_of_two(exponent + shift);
    return sum < 0 ? -rounded : rounded;
}

bool hanse_window_unit(const hanse_window *window, double *unit)
{
    if (window->exponent < -960 || window->exponent > 800)
        return false;
    *unit = power_of_two(window->exponent);
    return true;
}

/* One or two limbs make a 128-bit integer. */
static bool round_small(const int64_t *limbs, const hanse_window *window,
                        double *out)
{
    double unit;
    __int128 sum = limbs[0];
    if (window->n_limbs == 2)
        sum += (__int128)limbs[1] * ((__int128)1 << HANSE_LIMB_BITS);
    if (!hanse_window_unit(window, &unit))
        return false;
    *out = round_integer(sum, window->exponent);
    return true;
}

double hanse_limbs_round(const int64_t *limbs, const hanse_window *window)
{
    double total = 0.0;
    if (window->n_limbs == 0)
        return 0.0;
    if (window->n_limbs <= 2 && round_small(limbs, window, &total))
        return total;
    hanse_wide sum;
    hanse_wide_from_limbs(&sum, limbs, window);
    return hanse_wide_round(&sum);
}
