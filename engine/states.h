/* SPDX-License-Identifier: Apache-2.0
 *
 * States of groups: what a fold keeps for every group of a grouping.
 *
 * Sums lie row-wise, one run of 64-bit lanes per group, so that a table row
 * touches one or two cache lines whatever the number of measures: lane 0
 * counts rows, then come the limbs of each addend (a measure, or its squares),
 * then the extremes of each measure (kernels/extremes.h). Where there are
 * squares, a measure usually has all of these in a line of its own
 * (kernels/square_add.h). The layout, which addend has which window at which
 * lane, is common to all groupings of a fold.
 * What is rare (missing values, infinities, -0.0) has arrays of its own that
 * exist only once it has happened.
 */
#ifndef HANSE_ENGINE_STATES_H
#define HANSE_ENGINE_STATES_H

#include "engine/base/memory.h"
#include "engine/exact.h"
#include "engine/kernels/packed_add.h"
#include "engine/kernels/square_add.h"
#include "engine/plan.h"

/* ---- Layout ------------------------------------------------------------- */

typedef struct hanse_addend {
    size_t measure;
    hanse_number number;
    bool square;
    bool dense; /* split by the kernels; else added value by value */
    hanse_window window;
    hanse_split_grid grid; /* of a dense float addend */
    size_t lane;           /* of limb 0 */
} hanse_addend;

typedef struct hanse_layout {
    hanse_addend *addends; /* values of measure m at [m], then squares */
    size_t n_addends;
    size_t n_measures;
    bool has_extremes;
    bool is_line;    /* as kernels/line_add.h wants it */
    bool is_packed;  /* states may be as kernels/packed_add.h has them */
    bool is_summed;  /* floats in dense windows, and nothing else */
    bool is_squared; /* as kernels/square_add.h has it */
    /* Each a multiple of 8: lanes that the kernels add, lane 0 and the dense
     * addends; those and the extremes; all. With is_squared, which mixes them,
     * each is the number of all. */
    size_t n_sum_lanes;
    size_t n_dense_lanes;
    size_t stride;
    size_t extremes_lane; /* of measure 0 */
    size_t extremes_step; /* from a measure to the next */
    uint64_t version;     /* counts changes, from 1 */
} hanse_layout;

hanse_status hanse_layout_init(hanse_layout *layout, const hanse_plan *plan,
                               hanse_error *error);
void hanse_layout_clear(hanse_layout *layout);
hanse_status hanse_layout_copy(hanse_layout *layout, const hanse_layout *from,
                               hanse_error *error);

/* The window of an addend widened, or begun, so that it holds bits low to
 * high. */
hanse_window hanse_layout_cover(const hanse_layout *layout, size_t index,
                                int low, int high);

/* Whether all addends have the same windows and lanes in both. */
bool hanse_layout_same(const hanse_layout *a, const hanse_layout *b);

/* ---- States of one grouping --------------------------------------------- */

/* Lanes of the largest value of a measure, and of the smallest one. */
static inline size_t hanse_layout_high_lane(const hanse_layout *layout,
                                            size_t measure)
{
    return layout->extremes_lane + layout->extremes_step * measure;
}
static inline size_t hanse_layout_low_lane(const hanse_layout *layout,
                                           size_t measure)
{
    return hanse_layout_high_lane(layout, measure) + 1;
}

enum {
    HANSE_RARE_PLUS_INF = 1,
    HANSE_RARE_MINUS_INF = 2
};

/* What seldom happens to the values of a measure in a group. */
typedef struct hanse_rare {
    uint64_t missing;
    uint64_t negative_zeros;
    uint64_t infinities; /* HANSE_RARE_* */
} hanse_rare;

typedef struct hanse_states {
    size_t n_groups;
    size_t capacity;
    size_t n_measures;
    bool is_packed;    /* rows are as in kernels/packed_add.h */
    int64_t *rows;     /* capacity x stride lanes */
    hanse_rare **rare; /* [measure][group]; [measure] NULL: none yet */
} hanse_states;

/* Lanes of a group in the rows. */
static inline size_t hanse_states_stride(const hanse_states *states,
                                         const hanse_layout *layout)
{
    return states->is_packed ? HANSE_PACKED_LANES * states->n_measures
                             : layout->stride;
}

/* Rows of a group. */
static inline int64_t hanse_states_count(const hanse_states *states,
                                         const hanse_layout *layout,
                                         size_t group)
{
    const int64_t *row =
        states->rows + group * hanse_states_stride(states, layout);
    return states->is_packed ? hanse_packed_count(row) : row[0];
}

/* The limbs of an addend in a group: where they are, or in `buffer`. */
static inline const int64_t *hanse_states_limbs(const hanse_states *states,
                                                const hanse_layout *layout,
                                                const hanse_addend *addend,
                                                size_t group, int64_t buffer[2])
{
    const int64_t *row =
        states->rows + group * hanse_states_stride(states, layout);
    if (!states->is_packed)
        return row + addend->lane;
    hanse_packed_limbs(row, addend->measure, buffer);
    return buffer;
}

hanse_status hanse_states_init(hanse_states *states, const hanse_plan *plan,
                               hanse_error *error);
void hanse_states_clear(hanse_states *states, const hanse_layout *layout,
                        hanse_budget *budget);

/* At least n_groups groups, new ones in the zero state. */
hanse_status hanse_states_grow(hanse_states *states, const hanse_layout *layout,
                               hanse_budget *budget, size_t n_groups,
                               hanse_error *error);

/* The rare state of a measure in a group, made when it does not exist. */
hanse_status hanse_states_rare(hanse_states *states, hanse_budget *budget,
                               size_t measure, size_t group, hanse_rare **out,
                               hanse_error *error);

/* Lets states without groups be packed, where the layout allows it. */
void hanse_states_pack(hanse_states *states, const hanse_layout *layout);

/* Makes packed states states of limbs; others stay as they are. */
hanse_status hanse_states_unpack(hanse_states *states,
                                 const hanse_layout *layout,
                                 hanse_budget *budget, hanse_error *error);

/* Gives addend `index` the window `window`, which must contain the old one,
 * and moves the states of all groupings to the layout that follows. */
hanse_status hanse_layout_widen(hanse_layout *layout, size_t index,
                                hanse_window window, hanse_states *states,
                                size_t n_states, hanse_budget *budget,
                                hanse_error *error);

#endif
