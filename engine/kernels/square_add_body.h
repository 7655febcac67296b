/* SPDX-License-Identifier: Apache-2.0
 *
 * The add of square_add.h in plain C, lane by lane for the compiler to
 * vectorise. HAS_FMA: products are cut by rounding as values are; else they are
 * 128-bit integers.
 */
#include <string.h>

#include "engine/kernels/extremes.h"
#include "engine/kernels/group_add.h"
#include "engine/kernels/square_add.h"

typedef int64_t lane[HANSE_LIMB_BATCH];

/* The two parts of a product. */
typedef struct parts {
    int64_t lower;
    int64_t upper;
} parts;

#if defined(HAS_FMA)

static const double lower_magic = HANSE_SQUARE_LOWER_MAGIC;
static const double upper_magic = HANSE_SQUARE_UPPER_MAGIC;

static inline TARGET int64_t pattern_of(double x)
{
    int64_t pattern;
    memcpy(&pattern, &x, sizeof pattern);
    return pattern;
}

typedef double factor;

/* A piece, whose magnitude is at most 2^51, as a double. */
static inline TARGET factor factor_of(int64_t piece)
{
    const int64_t pattern = pattern_of(lower_magic) + piece;
    double x;
    memcpy(&x, &pattern, sizeof x);
    return x - lower_magic;
}

static inline TARGET __attribute__((always_inline)) parts product_of(factor a,
                                                                     factor b)
{
    const double upper = __builtin_fma(a, b, upper_magic);
    const double lower = __builtin_fma(a, b, upper_magic - upper);
    return (parts){pattern_of(lower + lower_magic) - pattern_of(lower_magic),
                   pattern_of(upper) - pattern_of(upper_magic)};
}

#else

typedef int64_t factor;

static inline TARGET factor factor_of(int64_t piece)
{
    return piece;
}

static inline TARGET parts product_of(factor a, factor b)
{
    const __int128 product = (__int128)a * b;
    const int64_t is_odd = (int64_t)(product >> HANSE_LIMB_BITS) & 1;
    const int64_t nearly_half = ((int64_t)1 << (HANSE_LIMB_BITS - 1)) - 1;
    const int64_t upper =
        (int64_t)((product + nearly_half + is_odd) >> HANSE_LIMB_BITS);
    return (parts){
        (int64_t)((uint64_t)product - ((uint64_t)upper << HANSE_LIMB_BITS)),
        upper};
}

#endif

/* The four limbs of squares from the two pieces of the values. */
static TARGET void make_squares(const lane *restrict pieces, size_t n,
                                lane *restrict limbs)
{
    for (size_t i = 0; i < n; i++) {
        const factor low = factor_of(pieces[0][i]);
        const factor high = factor_of(pieces[1][i]);
        const parts first = product_of(low, low);
        const parts second = product_of(low, 2 * high);
        const parts third = product_of(high, high);
        limbs[0][i] = first.lower;
        limbs[1][i] = first.upper + second.lower;
        limbs[2][i] = second.upper + third.lower;
        limbs[3][i] = third.upper;
    }
}

/* The lanes of a line for all rows. */
static TARGET void make_lanes(hanse_line_measure *measure, size_t n,
                              bool has_extremes, lane *lanes)
{
    lane *limbs = has_extremes ? lanes : lanes + 1;
    measure->n_bad = KERNEL(hanse_split_f64)(measure->x, n, measure->grid,
                                             limbs[0], measure->bad);
    make_squares(limbs, n, limbs + 2);
    if (has_extremes) {
        KERNEL(hanse_extremes_f64)(measure->x, n, lanes[6], lanes[7]);
    } else {
        memset(lanes[0], 0, sizeof(lane));
        memset(lanes[7], 0, sizeof(lane));
    }
}

/* The lanes of each row next to each other. */
static TARGET void make_lines(const lane *restrict lanes, size_t n,
                              int64_t *restrict lines)
{
    for (size_t i = 0; i < n; i++)
        for (size_t l = 0; l < HANSE_LINE_LANES; l++)
            lines[i * HANSE_LINE_LANES + l] = lanes[l][i];
}

static inline TARGET int64_t larger(int64_t a, int64_t b)
{
    return (uint64_t)a < (uint64_t)b ? b : a;
}

/* Adds a line of a row to one of a state; `seen` shows sums outside their
 * guard. */
static inline TARGET __attribute__((always_inline)) void
add_line(int64_t *restrict to, const int64_t *restrict line, size_t n_sums,
         uint64_t *restrict seen)
{
    for (size_t l = 0; l < n_sums; l++) {
        const int64_t sum = to[l] + line[l];
        to[l] = sum;
        seen[l] |= (uint64_t)sum + HANSE_GUARD_BIAS;
    }
    for (size_t l = n_sums; l < HANSE_LINE_LANES; l++)
        to[l] = larger(to[l], line[l]);
}

/* The number of sums in a line is a constant in the calls. */
static inline TARGET __attribute__((always_inline)) bool
add_lines(const hanse_square_states *states, size_t first_lane,
          const int64_t *restrict lines, size_t n_sums, size_t n)
{
    const uint32_t *groups = states->groups;
    const size_t stride = states->stride;
    int64_t *to = states->rows + first_lane;
    uint64_t seen[HANSE_LINE_LANES] = {0}, any = 0;
    for (size_t i = 0; i < n; i++) {
        if (i + HANSE_PREFETCH_ROWS < n)
            __builtin_prefetch(to + groups[i + HANSE_PREFETCH_ROWS] * stride,
                               1);
        add_line(to + groups[i] * stride, lines + i * HANSE_LINE_LANES, n_sums,
                 seen);
    }
    for (size_t l = 0; l < n_sums; l++)
        any |= seen[l];
    return (any & HANSE_GUARD_MASK) != 0;
}

/* All rows to one state. */
static TARGET bool add_total(int64_t *line, const lane *lanes, size_t n_sums,
                             size_t n)
{
    int64_t total[HANSE_LINE_LANES] = {0};
    uint64_t seen[HANSE_LINE_LANES] = {0}, any = 0;
    for (size_t l = 0; l < HANSE_LINE_LANES; l++)
        for (size_t i = 0; i < n; i++)
            total[l] = l < n_sums ? total[l] + lanes[l][i]
                                  : larger(total[l], lanes[l][i]);
    add_line(line, total, n_sums, seen);
    for (size_t l = 0; l < n_sums; l++)
        any |= seen[l];
    return (any & HANSE_GUARD_MASK) != 0;
}

TARGET bool KERNEL(hanse_square_add)(const hanse_square_states *states,
                                     hanse_line_measure *measures,
                                     size_t n_measures, size_t n)
{
    _Alignas(64) lane lanes[HANSE_LINE_LANES];
    _Alignas(64) int64_t lines[HANSE_LINE_LANES * HANSE_LIMB_BATCH];
    const bool has_extremes = states->has_extremes;
    bool full = false;
    for (size_t m = 0; m < n_measures; m++) {
        const size_t first = HANSE_LINE_LANES * (has_extremes ? m + 1 : m);
        const size_t n_sums = has_extremes ? 6 : HANSE_LINE_LANES;
        bool is_full;
        make_lanes(&measures[m], n, has_extremes, lanes);
        if (states->groups == NULL) {
            is_full = add_total(states->rows + first, lanes, n_sums, n);
        } else {
            make_lines(lanes, n, lines);
            is_full = has_extremes ? add_lines(states, first, lines, 6, n)
                                   : add_lines(states, first, lines, 8, n);
        }
        full = full || is_full;
    }
    hanse_square_count(states, n);
    return full;
}
