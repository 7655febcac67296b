/* SPDX-License-Identifier: Apache-2.0
 *
 * Values and their squares in one go: float measures in windows of two limbs,
 * whose squares have four at twice the exponent. A measure has a line of a
 * group's state to itself, so that a row reads and writes one line for each.
 *
 * The square follows from the two pieces of a value (exact_split.h):
 *
 *     x = (low + 2^51 high) 2^e         |low| <= 2^50, |high| <= 2^51
 *     x^2 = (low^2 + 2^51 (2 high low) + 2^102 high^2) 2^(2 e)
 *
 * A product p is cut in two as a value is: upper = p / 2^51, rounded to nearest
 * even, and lower = p - 2^51 upper.
 *
 *     limb of squares    takes
 *     0                  lower(low^2)
 *     1                  upper(low^2) + lower(2 high low)
 *     2                  upper(2 high low) + lower(high^2)
 *     3                  upper(high^2)
 *
 * Lower parts are at most 2^50 in magnitude, upper ones 2^51 because products
 * are at most 2^102: less than the 2^52 for which exact_split.h has its guard.
 */
#ifndef HANSE_ENGINE_KERNELS_SQUARE_ADD_H
#define HANSE_ENGINE_KERNELS_SQUARE_ADD_H

#include "engine/kernels/line_add.h"

enum {
    HANSE_SQUARE_MEASURES = 16, /* at the most */
    HANSE_SQUARE_LIMBS = 4      /* after two of the values */
};

/* Lane 0 of a state counts rows. Measure m has line m of the state, its limbs
 * in lanes 1 to 6 of that. With extremes it has line m + 1, its limbs in lanes
 * 0 to 5, then the lanes of extremes.h. Other lanes are zero. */
typedef struct hanse_square_states {
    int64_t *rows;          /* 64-byte aligned */
    size_t stride;          /* lanes of a state, whole lines */
    const uint32_t *groups; /* [row]; NULL: all rows are of the state at rows */
    bool has_extremes;
} hanse_square_states;

/* Of limb 0 of a measure. */
static inline size_t hanse_square_lane(size_t measure, bool has_extremes)
{
    return has_extremes ? HANSE_LINE_LANES * (measure + 1)
                        : HANSE_LINE_LANES * measure + 1;
}

/* x + magic has x / 2^u, rounded, as the difference of their patterns
 * (exact_split.h): u = 0 for lower parts, u = 51 for upper ones. */
#define HANSE_SQUARE_LOWER_MAGIC (1.5 * 0x1p52)
#define HANSE_SQUARE_UPPER_MAGIC (1.5 * 0x1p103)

/* Counts n rows in lane 0. */
static inline void hanse_square_count(const hanse_square_states *states,
                                      size_t n)
{
    const uint32_t *groups = states->groups;
    const size_t stride = states->stride;
    int64_t *rows = states->rows;
    if (groups == NULL)
        rows[0] += (int64_t)n;
    for (size_t i = 0; groups != NULL && i < n; i++) {
        if (i + HANSE_PREFETCH_ROWS < n)
            __builtin_prefetch(rows + groups[i + HANSE_PREFETCH_ROWS] * stride,
                               1);
        rows[groups[i] * stride]++;
    }
}

/* Adds n <= HANSE_LIMB_BATCH rows of 1 to HANSE_SQUARE_MEASURES measures. A
 * value that its window does not take is listed as bad for the measure and adds
 * nothing to limbs; extremes have it unless it is NaN. Returns true when a limb
 * was outside its guard after an add. */
typedef bool hanse_square_add_function(const hanse_square_states *states,
                                       hanse_line_measure *measures,
                                       size_t n_measures, size_t n);
hanse_square_add_function hanse_square_add_scalar;
hanse_square_add_function hanse_square_add_avx2;
hanse_square_add_function hanse_square_add_avx512;

#endif
