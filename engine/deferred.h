/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of a result table that are made when they are wanted. A table of
 * millions of groups would take as much memory as their states; written to a
 * file piece by piece it takes none.
 */
#ifndef HANSE_ENGINE_DEFERRED_H
#define HANSE_ENGINE_DEFERRED_H

#include "engine/hanse.h"

/* Rows first_row to first_row + n - 1: values[c] are those of column c, the
 * keys being the first columns. Borrowed for the call. */
typedef hanse_status hanse_take_rows(void *context, uint64_t first_row,
                                     size_t n, const void *const *values,
                                     hanse_error *error);

/* Makes all rows on the threads of the run, which call `take` at the same time,
 * each row once, in any order. Can be done once: states are given back as their
 * rows are made. The first failure of `take` stops the others. */
hanse_status hanse_deferred_make(struct hanse_deferred_rows *rows,
                                 hanse_take_rows *take, void *context,
                                 hanse_error *error);

#endif
