/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums of few terms each, eight at a time: the sums of term_sum.h for rows that
 * lie one after the other.
 */
#ifndef HANSE_ENGINE_MODELS_ROW_SUMS_H
#define HANSE_ENGINE_MODELS_ROW_SUMS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/cpu.h"

/* The terms of row r are those from starts[r] - starts[0] to starts[r + 1] -
 * starts[0] - 1, r < n_rows; starts ascend. sums[r] is their sum, rounded once
 * as by hanse_sparse_dot. Rows for which that is not certain, or that have more
 * than HANSE_ROW_SUMS_TERMS terms, are listed in `undecided` (room for n_rows),
 * in ascending order, and their sums are not set to anything in particular.
 * Returns how many these are. Arrays do not overlap. */
typedef size_t hanse_row_sums_function(const double *terms,
                                       const uint64_t *starts, size_t n_rows,
                                       double *sums, uint32_t *undecided);

enum {
    HANSE_ROW_SUMS_TERMS = 8
};

/* NULL where rows one by one do as well. `cpu` must be one that the machine
 * has. */
hanse_row_sums_function *hanse_row_sums_of(hanse_cpu cpu);

#endif
