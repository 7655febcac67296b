/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact sums of x, y, x * y, x * x and y * y by group. Most rows go in by
 * batches, as the measures of a fold do: split into pieces of a few limbs,
 * whose windows come from the first batch (exact.h). What these windows do not
 * hold is added to long integers (wide_sums.h); a sum is both together.
 */
#ifndef HANSE_ENGINE_PAIR_SUMS_H
#define HANSE_ENGINE_PAIR_SUMS_H

#include "engine/exact.h"
#include "engine/kernels/kernels.h"
#include "engine/wide_sums.h"

typedef enum hanse_pair_sum {
    HANSE_PAIR_X,
    HANSE_PAIR_Y,
    HANSE_PAIR_XY,
    HANSE_PAIR_XX, /* the last two only for correlations */
    HANSE_PAIR_YY,
    HANSE_PAIR_SUMS
} hanse_pair_sum;

/* Where the limbs of a sum are. */
typedef struct hanse_pair_limbs {
    hanse_window window; /* of no limbs: all terms are added one by one */
    hanse_split_grid grid;
    size_t lane;   /* of limb 0 */
    bool is_final; /* widening has led to nothing */
} hanse_pair_limbs;

typedef struct hanse_pair_sums {
    hanse_budget *budget;
    size_t n_sums; /* in use, from the first one */
    hanse_wide_sums wide[HANSE_PAIR_SUMS];
    hanse_pair_limbs limbs[HANSE_PAIR_SUMS];
    size_t n_groups;
    size_t capacity;
    size_t stride; /* lanes of a group, a multiple of 8; 0: none yet */
    int64_t *rows; /* [group][stride]: number of rows, limbs */
} hanse_pair_sums;

/* Rows that have both values, finite ones, and room for their pieces. Pairs
 * may share one. */
typedef struct hanse_pair_batch {
    const hanse_kernels *kernels;
    size_t n; /* at most HANSE_LIMB_BATCH */
    bool is_one_group;
    double x[HANSE_LIMB_BATCH];
    double y[HANSE_LIMB_BATCH];
    uint32_t groups[HANSE_LIMB_BATCH];
    hanse_budget *budget;
    int64_t *lanes;
    int64_t *pieces;
    uint16_t left[HANSE_PAIR_SUMS][HANSE_LIMB_BATCH];
    size_t n_left[HANSE_PAIR_SUMS];
} hanse_pair_batch;

/* A zeroed batch gets its memory; clear accepts one that has none. */
hanse_status hanse_pair_batch_init(hanse_pair_batch *batch,
                                   hanse_budget *budget, hanse_error *error);
void hanse_pair_batch_clear(hanse_pair_batch *batch);

void hanse_pair_sums_init(hanse_pair_sums *sums, size_t n_sums,
                          hanse_budget *budget);
void hanse_pair_sums_clear(hanse_pair_sums *sums);

/* At least n_groups groups, new ones zero. */
hanse_status hanse_pair_sums_grow(hanse_pair_sums *sums, size_t n_groups,
                                  hanse_error *error);

/* Adds the rows of a batch, and counts them; after a failure the sums can only
 * be cleared. */
hanse_status hanse_pair_sums_add(hanse_pair_sums *sums, hanse_pair_batch *batch,
                                 hanse_error *error);

/* Adds one row of any two finite values, without counting it. */
hanse_status hanse_pair_sums_add_one(hanse_pair_sums *sums, size_t group,
                                     const hanse_factor *x,
                                     const hanse_factor *y, hanse_error *error);

/* Adds a group of other sums. */
hanse_status hanse_pair_sums_merge(hanse_pair_sums *sums, size_t group,
                                   const hanse_pair_sums *other, size_t from,
                                   hanse_error *error);

/* Rows of a group that came by batches. */
uint64_t hanse_pair_sums_count(const hanse_pair_sums *sums, size_t group);

void hanse_pair_sums_get(const hanse_pair_sums *sums, hanse_pair_sum sum,
                         size_t group, hanse_wide *out);

#endif
