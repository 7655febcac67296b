/* SPDX-License-Identifier: Apache-2.0
 *
 * Merging plain sums: as engine/fold_merge.c does, but rows of doubles cannot
 * be added as rows of integers, so that the layouts never count as the same.
 */
#include "engine/fold.h"

#define hanse_layout_same(a, b) ((void)(a), (void)(b), false)
#include "engine/fold_merge.c"
