/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact sums of a block: the measures are split into integer pieces, once for
 * all groupings, and the rows of pieces are added to the states. Values that
 * the kernels cannot take (missing, infinite, outside the window) come back
 * as a list and are handled one by one.
 */
#include "engine/fold.h"

#include <math.h>
#include <string.h>

#include "engine/kernels/group_add.h"

/* Rows first .. first + n - 1 of the block, n <= HANSE_LIMB_BATCH. */
typedef struct part {
    size_t first;
    size_t n;
} part;

static const uint32_t *groups_of(const hanse_fold *fold, size_t grouping)
{
    const size_t node = fold->plan->groupings[grouping].node;
    return node == SIZE_MAX ? NULL : fold->block.node_codes[node];
}

static size_t group_of(const hanse_fold *fold, size_t grouping, size_t row)
{
    const uint32_t *groups = groups_of(fold, grouping);
    return groups == NULL ? 0 : groups[row];
}

static double value_of(const hanse_fold *fold, size_t measure, size_t row)
{
    double x;
    memcpy(&x, &fold->block.values[measure][row], sizeof x);
    return x;
}

/* ---- Values that the kernels leave -------------------------------------- */

/* Widens the window of an addend to all values of the list at once. */
static hanse_status cover_list(hanse_fold *fold, size_t index, part rows,
                               const uint16_t *list, size_t n_list,
                               hanse_error *error)
{
    const hanse_addend *addend = &fold->layout.addends[index];
    int low = 0, high = 0;
    bool any = false;
    for (size_t i = 0; i < n_list; i++) {
        const double x = value_of(fold, addend->measure, rows.first + list[i]);
        if (!isfinite(x) || x == 0.0)
            continue;
        const hanse_bits bits = hanse_bits_of(x, addend->square);
        const int bits_low = hanse_bits_low(&bits);
        const int bits_high = hanse_bits_high(&bits);
        low = any && low < bits_low ? low : bits_low;
        high = any && high > bits_high ? high : bits_high;
        any = true;
    }
    return any ? hanse_fold_cover(fold, index, low, high, error) : HANSE_OK;
}

/* A value without a finite, non-zero magnitude. */
static hanse_status add_rare(hanse_fold *fold, size_t measure, size_t row,
                             double x, hanse_error *error)
{
    for (size_t i = 0; i < fold->n_added; i++) {
        const size_t g = fold->added[i];
        hanse_rare *rare;
        HANSE_TRY(hanse_states_rare(&fold->states[g], fold->budget, measure,
                                    group_of(fold, g, row), &rare, error));
        if (isnan(x))
            rare->missing++;
        else if (isinf(x))
            rare->infinities |=
                x > 0.0 ? HANSE_RARE_PLUS_INF : HANSE_RARE_MINUS_INF;
        else if (signbit(x))
            rare->negative_zeros++;
    }
    return HANSE_OK;
}

static hanse_status add_list(hanse_fold *fold, size_t index, part rows,
                             const uint16_t *list, size_t n_list,
                             hanse_error *error)
{
    const size_t measure = fold->layout.addends[index].measure;
    const bool square = fold->layout.addends[index].square;
    HANSE_TRY(cover_list(fold, index, rows, list, n_list, error));
    for (size_t i = 0; i < n_list; i++) {
        const size_t row = rows.first + list[i];
        const double x = value_of(fold, measure, row);
        if (!isfinite(x) || x == 0.0) {
            if (!square && (x != 0.0 || signbit(x)))
                HANSE_TRY(add_rare(fold, measure, row, x, error));
            continue;
        }
        const hanse_bits bits = hanse_bits_of(x, square);
        for (size_t k = 0; k < fold->n_added; k++) {
            const size_t g = fold->added[k];
            HANSE_TRY(hanse_fold_add_bits(
                fold, index, g, group_of(fold, g, row), &bits, error));
        }
    }
    return HANSE_OK;
}

/* Integers mark missing values; their pieces are already zero. */
static hanse_status add_absent(hanse_fold *fold, size_t measure, part rows,
                               hanse_error *error)
{
    if (!fold->block.any_absent[measure])
        return HANSE_OK;
    for (size_t row = rows.first; row < rows.first + rows.n; row++)
        if (fold->block.absent[measure][row])
            HANSE_TRY(add_rare(fold, measure, row, (double)NAN, error));
    return HANSE_OK;
}

/* ---- Pieces ------------------------------------------------------------- */

/* Room for the pieces of a part; lane 0 counts rows, unused lanes are 0. */
static hanse_status prepare_pieces(hanse_fold *fold, hanse_error *error)
{
    hanse_block *block = &fold->block;
    const size_t n_lanes = fold->layout.n_dense_lanes;
    const size_t lane_bytes = HANSE_LIMB_BATCH * sizeof *block->lanes;
    if (block->n_lanes != n_lanes) {
        int64_t *lanes = hanse_allocate(fold->budget, n_lanes, lane_bytes);
        int64_t *pieces = hanse_allocate(fold->budget, n_lanes, lane_bytes);
        if (lanes == NULL || pieces == NULL) {
            hanse_free(fold->budget, lanes, n_lanes, lane_bytes);
            hanse_free(fold->budget, pieces, n_lanes, lane_bytes);
            return hanse_fail_budget(error, fold->budget, "pieces of a block",
                                     n_lanes, lane_bytes);
        }
        hanse_free(fold->budget, block->lanes, block->n_lanes, lane_bytes);
        hanse_free(fold->budget, block->pieces, block->n_lanes, lane_bytes);
        block->lanes = lanes;
        block->pieces = pieces;
        block->n_lanes = n_lanes;
    }
    memset(block->lanes, 0, n_lanes * lane_bytes);
    for (size_t i = 0; i < HANSE_LIMB_BATCH; i++)
        block->lanes[i] = 1;
    block->layout_version = fold->layout.version;
    return HANSE_OK;
}

/* Splits one addend; returns how many values are left in the list. */
static size_t split_addend(const hanse_fold *fold, const hanse_addend *addend,
                           part rows, uint16_t *list)
{
    const hanse_block *block = &fold->block;
    const int64_t *values = block->values[addend->measure] + rows.first;
    int64_t *lanes = block->lanes + addend->lane * HANSE_LIMB_BATCH;

    if (addend->number != HANSE_NUMBER_FLOAT) {
        const int is_unsigned = addend->number == HANSE_NUMBER_UINT;
        if (addend->square)
            hanse_split_square_i64(values, rows.n, is_unsigned, lanes);
        else if (is_unsigned)
            hanse_split_u64((const uint64_t *)values, rows.n, lanes);
        else
            hanse_split_i64(values, rows.n, lanes);
        return 0;
    }
    if (!addend->dense) {
        for (size_t i = 0; i < rows.n; i++)
            list[i] = (uint16_t)i;
        return rows.n;
    }
    hanse_split_function *split = addend->square
                                      ? fold->kernels->split_square_f64
                                      : fold->kernels->split_f64;
    return split((const double *)values, rows.n, &addend->grid, lanes, list);
}

/* The lanes of extremes of one measure. */
static void make_extremes(const hanse_fold *fold, size_t measure, part rows)
{
    const hanse_block *block = &fold->block;
    const hanse_number number = fold->plan->measures[measure].number;
    const int64_t *values = block->values[measure] + rows.first;
    int64_t *high =
        block->lanes +
        HANSE_LIMB_BATCH * hanse_layout_high_lane(&fold->layout, measure);
    int64_t *low =
        block->lanes +
        HANSE_LIMB_BATCH * hanse_layout_low_lane(&fold->layout, measure);
    if (number == HANSE_NUMBER_FLOAT)
        fold->kernels->extremes_f64((const double *)values, rows.n, high, low);
    else
        hanse_extremes_i64(values,
                           block->any_absent[measure]
                               ? block->absent[measure] + rows.first
                               : NULL,
                           number == HANSE_NUMBER_UINT, rows.n, high, low);
}

static bool all_equal(const uint32_t *groups, size_t n)
{
    uint32_t differ = groups[n - 1] ^ groups[0];
    if (differ != 0)
        return false;
    for (size_t i = 1; i < n; i++)
        differ |= groups[i] ^ groups[0];
    return differ == 0;
}

/* Whether a part of a grouping goes in as a whole: all rows together, and
 * sorted tables. */
static bool is_one_group(const hanse_fold *fold, size_t grouping, part rows)
{
    const uint32_t *groups = groups_of(fold, grouping);
    return groups == NULL || all_equal(groups + rows.first, rows.n);
}

static bool are_one_group_each(const hanse_fold *fold, part rows)
{
    bool one = true;
    for (size_t i = 0; one && i < fold->n_added; i++)
        one = is_one_group(fold, fold->added[i], rows);
    return one;
}

/* Adds the pieces to all groupings; notes those in which a limb left its
 * guard. */
static void add_pieces(hanse_fold *fold, part rows)
{
    const hanse_block *block = &fold->block;
    const hanse_layout *layout = &fold->layout;
    bool is_transposed = false;
    for (size_t i = 0; i < fold->n_added; i++) {
        const size_t g = fold->added[i];
        int64_t *states = fold->states[g].rows;
        if (is_one_group(fold, g, rows)) {
            block->full[i] = fold->kernels->total_add(
                states + group_of(fold, g, rows.first) * layout->stride,
                block->lanes, HANSE_LIMB_BATCH, layout->n_sum_lanes,
                block->n_lanes, rows.n);
            continue;
        }
        /* For several groupings the rows are made once. */
        if (fold->kernels->lanes_add != NULL && fold->n_added == 1) {
            block->full[i] = fold->kernels->lanes_add(
                states, layout->stride, groups_of(fold, g) + rows.first,
                block->lanes, HANSE_LIMB_BATCH, layout->n_sum_lanes,
                block->n_lanes, rows.n);
            continue;
        }
        if (!is_transposed)
            fold->kernels->transpose(block->lanes, HANSE_LIMB_BATCH,
                                     block->n_lanes, rows.n, block->pieces);
        is_transposed = true;
        block->full[i] = fold->kernels->group_add(
            states, layout->stride, groups_of(fold, g) + rows.first,
            block->pieces, layout->n_sum_lanes, block->n_lanes, rows.n);
    }
}

/* Only groups of these rows can have left their guard. */
static hanse_status carry_rows(hanse_fold *fold, size_t grouping, part rows,
                               hanse_error *error)
{
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < rows.n; i++) {
        const size_t group = group_of(fold, grouping, rows.first + i);
        if (group != last)
            HANSE_TRY(hanse_fold_carry(fold, grouping, group, error));
        last = group;
    }
    return HANSE_OK;
}

/* Splits the measures and adds their pieces, step by step. */
static hanse_status add_by_steps(hanse_fold *fold, part rows,
                                 hanse_error *error)
{
    hanse_block *block = &fold->block;
    if (block->layout_version != fold->layout.version)
        HANSE_TRY(prepare_pieces(fold, error));
    for (size_t a = 0; a < fold->layout.n_addends; a++)
        block->n_left[a] = split_addend(fold, &fold->layout.addends[a], rows,
                                        block->left + a * HANSE_LIMB_BATCH);
    for (size_t m = 0; fold->layout.has_extremes && m < fold->plan->n_measures;
         m++)
        make_extremes(fold, m, rows);
    add_pieces(fold, rows);
    return HANSE_OK;
}

/* Adds the sums of an addend's limbs over the rows to a group; returns whether
 * a limb left its guard. */
static bool add_total(hanse_fold *fold, size_t addend, size_t grouping,
                      size_t row, const int64_t *sums)
{
    int64_t *limbs =
        hanse_fold_limbs(fold, addend, grouping, group_of(fold, grouping, row));
    bool full = false;
    for (int k = 0; k < fold->layout.addends[addend].window.n_limbs; k++) {
        limbs[k] += sums[k];
        full = full || !hanse_limb_guarded(limbs[k]);
    }
    return full;
}

/* The same where all rows are of one group, in each grouping: pieces are added
 * up as they are made. */
static bool add_as_totals(hanse_fold *fold, part rows)
{
    const hanse_layout *layout = &fold->layout;
    hanse_block *block = &fold->block;
    if (!layout->is_summed)
        return false;
    for (size_t i = 0; i < fold->n_added; i++) {
        const size_t g = fold->added[i];
        fold->states[g].rows[group_of(fold, g, rows.first) * layout->stride] +=
            (int64_t)rows.n;
        block->full[i] = false;
    }
    for (size_t a = 0; a < layout->n_addends; a++) {
        const hanse_addend *addend = &layout->addends[a];
        hanse_total_function *total = addend->square
                                          ? fold->kernels->total_square_f64
                                          : fold->kernels->total_f64;
        int64_t sums[HANSE_DENSE_LIMBS];
        block->n_left[a] = total(
            (const double *)block->values[addend->measure] + rows.first, rows.n,
            &addend->grid, sums, block->left + a * HANSE_LIMB_BATCH);
        for (size_t i = 0; i < fold->n_added; i++)
            if (add_total(fold, a, fold->added[i], rows.first, sums))
                block->full[i] = true;
    }
    return true;
}

/* Whether the states are those of a partition (states.h). */
static bool is_packed(const hanse_fold *fold)
{
    return fold->n_added == 1 && fold->states[fold->added[0]].is_packed;
}

/* An addend's values as kernels take them that split and add in one go. */
static hanse_line_measure line_measure(const hanse_fold *fold, size_t addend,
                                       part rows)
{
    const hanse_addend *a = &fold->layout.addends[addend];
    return (hanse_line_measure){
        .x = (const double *)fold->block.values[a->measure] + rows.first,
        .grid = &a->grid,
        .bad = fold->block.left + addend * HANSE_LIMB_BATCH};
}

/* The same in one go, where it is possible and one grouping is all there is:
 * for several the pieces are made once. */
static bool add_as_line(hanse_fold *fold, part rows)
{
    const hanse_layout *layout = &fold->layout;
    const hanse_block *block = &fold->block;
    hanse_line_add_function *add = is_packed(fold)   ? fold->kernels->packed_add
                                   : layout->is_line ? fold->kernels->line_add
                                                     : NULL;
    hanse_line_measure measures[HANSE_PACKED_MEASURES];
    if (add == NULL || fold->n_added != 1)
        return false;
    const size_t g = fold->added[0];
    for (size_t a = 0; a < layout->n_addends; a++)
        measures[a] = line_measure(fold, a, rows);
    block->full[0] = add(fold->states[g].rows, groups_of(fold, g) + rows.first,
                         measures, layout->n_addends, rows.n);
    for (size_t a = 0; a < layout->n_addends; a++)
        block->n_left[a] = measures[a].n_bad;
    return true;
}

/* The same where states are as kernels/square_add.h has them, for any number of
 * groupings. What is left of values is left of their squares, too. */
static void add_as_squares(hanse_fold *fold, part rows)
{
    const hanse_layout *layout = &fold->layout;
    const hanse_block *block = &fold->block;
    const size_t n = layout->n_measures;
    hanse_line_measure measures[HANSE_SQUARE_MEASURES];
    for (size_t m = 0; m < n; m++)
        measures[m] = line_measure(fold, m, rows);
    for (size_t i = 0; i < fold->n_added; i++) {
        const size_t g = fold->added[i];
        hanse_square_states states = {.rows = fold->states[g].rows,
                                      .stride = layout->stride,
                                      .has_extremes = layout->has_extremes};
        if (is_one_group(fold, g, rows))
            states.rows += group_of(fold, g, rows.first) * layout->stride;
        else
            states.groups = groups_of(fold, g) + rows.first;
        block->full[i] =
            fold->kernels->square_add(&states, measures, n, rows.n);
    }
    for (size_t m = 0; m < n; m++) {
        block->n_left[m] = block->n_left[n + m] = measures[m].n_bad;
        memcpy(block->left + (n + m) * HANSE_LIMB_BATCH, measures[m].bad,
               measures[m].n_bad * sizeof *measures[m].bad);
    }
}

/* All that kernels take. */
static hanse_status add_dense(hanse_fold *fold, part rows, hanse_error *error)
{
    if (fold->layout.is_squared) {
        add_as_squares(fold, rows);
        return HANSE_OK;
    }
    const bool as_total = !is_packed(fold) && are_one_group_each(fold, rows);
    if (as_total ? add_as_totals(fold, rows) : add_as_line(fold, rows))
        return HANSE_OK;
    return add_by_steps(fold, rows, error);
}

/* Carrying and single values may change the layout, which the pieces follow:
 * so all pieces go in first. */
static hanse_status add_part(hanse_fold *fold, part rows, hanse_error *error)
{
    hanse_block *block = &fold->block;
    const size_t n_addends = fold->layout.n_addends;
    const size_t n_added = fold->n_added;
    HANSE_TRY(add_dense(fold, rows, error));
    for (size_t i = 0; i < n_added; i++)
        if (block->full[i])
            HANSE_TRY(carry_rows(fold, fold->added[i], rows, error));
    for (size_t a = 0; a < n_addends; a++)
        if (block->n_left[a] != 0)
            HANSE_TRY(add_list(fold, a, rows,
                               block->left + a * HANSE_LIMB_BATCH,
                               block->n_left[a], error));
    for (size_t m = 0; m < fold->plan->n_measures; m++)
        if (fold->plan->measures[m].number != HANSE_NUMBER_FLOAT)
            HANSE_TRY(add_absent(fold, m, rows, error));
    return HANSE_OK;
}

hanse_status hanse_fold_sums(hanse_fold *fold, hanse_error *error)
{
    if (fold->n_added == 0)
        return HANSE_OK;
    for (size_t first = 0; first < fold->block.n; first += HANSE_LIMB_BATCH) {
        part rows = {first, fold->block.n - first};
        if (rows.n > HANSE_LIMB_BATCH)
            rows.n = HANSE_LIMB_BATCH;
        HANSE_TRY(add_part(fold, rows, error));
    }
    return HANSE_OK;
}
