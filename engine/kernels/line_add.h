/* SPDX-License-Identifier: Apache-2.0
 *
 * The usual fold in one go: up to three float measures of two limbs, whose
 * pieces and the count of rows are one line of a group's state. What split,
 * transpose and group add do one after the other happens in registers, eight
 * rows at a time.
 */
#ifndef HANSE_ENGINE_KERNELS_LINE_ADD_H
#define HANSE_ENGINE_KERNELS_LINE_ADD_H

#include <stdbool.h>

#include "engine/kernels/exact_split.h"
#include "engine/kernels/group_add.h"

enum {
    HANSE_LINE_MEASURES = 3
};

/* Measure m has its lowest limb in lane 1 + 2 m and the other in the next. */
typedef struct hanse_line_measure {
    const double *x;              /* [row] */
    const hanse_split_grid *grid; /* of two limbs */
    uint16_t *bad;                /* room for HANSE_LIMB_BATCH rows */
    size_t n_bad;                 /* result */
} hanse_line_measure;

/* For all rows i < n, n <= HANSE_LIMB_BATCH: adds 1 to lane 0 of
 * states[groups[i] * 8] and the pieces of the measures to their lanes; rows
 * whose value a window does not take (exact_split.h) are listed as bad for that
 * measure and add nothing to its lanes. States are 64-byte aligned. Returns
 * true when a sum was outside its guard, as hanse_group_add_function. The bits
 * are those of split, transpose and group add. */
typedef bool hanse_line_add_function(int64_t *restrict states,
                                     const uint32_t *restrict groups,
                                     hanse_line_measure *measures,
                                     size_t n_measures, size_t n);
hanse_line_add_function hanse_line_add_avx512;

#endif
