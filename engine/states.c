/* SPDX-License-Identifier: Apache-2.0
 *
 * Layouts and the states that follow them.
 */
#include "engine/states.h"

#include <stdlib.h>
#include <string.h>

#include "engine/kernels/line_add.h"

/* States fill whole cache lines. bench/plain_sums has shorter ones. */
#ifndef HANSE_STATE_LANES
#define HANSE_STATE_LANES 8
#endif

enum {
    LINE_LANES = HANSE_STATE_LANES,
    FIRST_CAPACITY = 16
};

/* ---- Layout ------------------------------------------------------------- */

static size_t round_to_line(size_t lanes)
{
    return (lanes + LINE_LANES - 1) / LINE_LANES * LINE_LANES;
}

/* Gives the dense addends, or the others, the lanes from `lane`; returns the
 * end of the last line. */
static size_t place_addends(hanse_layout *layout, bool dense, size_t lane)
{
    for (size_t i = 0; i < layout->n_addends; i++) {
        hanse_addend *addend = &layout->addends[i];
        if (addend->dense != dense)
            continue;
        addend->lane = lane;
        lane += (size_t)addend->window.n_limbs;
    }
    return round_to_line(lane);
}

/* Sums of floats and of their squares that the kernels take, and nothing
 * else. */
static bool is_summed(const hanse_layout *layout)
{
    bool summed = !layout->has_extremes;
    for (size_t i = 0; summed && i < layout->n_addends; i++)
        summed = layout->addends[i].number == HANSE_NUMBER_FLOAT &&
                 layout->addends[i].dense;
    return summed && layout->n_addends > 0;
}

/* Some float measures of two limbs, and nothing else. */
static bool may_be_packed(const hanse_layout *layout)
{
    bool simple =
        layout->is_summed && layout->n_addends <= HANSE_PACKED_MEASURES;
    for (size_t i = 0; simple && i < layout->n_addends; i++)
        simple = !layout->addends[i].square &&
                 layout->addends[i].window.n_limbs == 2;
    return simple;
}

/* The window of the squares of what a window of two limbs holds. */
static hanse_window squares_of(const hanse_window *window)
{
    return (hanse_window){2 * window->exponent, HANSE_SQUARE_LIMBS};
}

/* Whether nothing but windows of squares keeps a layout from being squared:
 * all measures are floats of two limbs, or of none so far. */
static bool can_be_squared(const hanse_layout *layout)
{
    const size_t n = layout->n_measures;
    bool can =
        n > 0 && n <= HANSE_SQUARE_MEASURES && layout->n_addends == 2 * n;
    for (size_t m = 0; can && m < n; m++) {
        const hanse_addend *values = &layout->addends[m];
        can = values->number == HANSE_NUMBER_FLOAT &&
              (values->window.n_limbs == 0 ||
               (values->window.n_limbs == 2 && values->dense));
    }
    return can;
}

static bool is_squared(const hanse_layout *layout)
{
    const size_t n = layout->n_measures;
    bool squared = can_be_squared(layout);
    for (size_t m = 0; squared && m < n; m++) {
        const hanse_window values = layout->addends[m].window;
        const hanse_window squares = layout->addends[n + m].window;
        squared = values.n_limbs == 2 &&
                  squares.n_limbs == HANSE_SQUARE_LIMBS &&
                  squares.exponent == squares_of(&values).exponent;
    }
    return squared;
}

static void place_squared(hanse_layout *layout)
{
    const size_t n = layout->n_measures;
    for (size_t m = 0; m < n; m++) {
        const size_t lane = hanse_square_lane(m, layout->has_extremes);
        layout->addends[m].lane = lane;
        layout->addends[n + m].lane = lane + 2;
    }
    layout->stride = HANSE_LINE_LANES * (layout->has_extremes ? n + 1 : n);
    layout->n_sum_lanes = layout->n_dense_lanes = layout->stride;
    layout->extremes_lane = HANSE_LINE_LANES + 2 + HANSE_SQUARE_LIMBS;
    layout->extremes_step = HANSE_LINE_LANES;
}

/* Dense addends right after the row count, then the extremes; the other addends
 * behind them, where the kernels do not go. */
static void place_in_order(hanse_layout *layout)
{
    layout->n_sum_lanes = place_addends(layout, true, 1);
    layout->n_dense_lanes = layout->n_sum_lanes;
    if (layout->has_extremes)
        layout->n_dense_lanes += round_to_line(2 * layout->n_measures);
    layout->stride = place_addends(layout, false, layout->n_dense_lanes);
    layout->extremes_lane = layout->n_sum_lanes;
    layout->extremes_step = 2;
}

static void assign_lanes(hanse_layout *layout)
{
    layout->is_squared = is_squared(layout);
    if (layout->is_squared)
        place_squared(layout);
    else
        place_in_order(layout);
    layout->is_summed = is_summed(layout);
    layout->is_packed = may_be_packed(layout);
    layout->is_line =
        layout->is_packed && layout->n_addends <= HANSE_LINE_MEASURES;
    layout->version++;
}

hanse_status hanse_layout_init(hanse_layout *layout, const hanse_plan *plan,
                               hanse_error *error)
{
    const size_t kinds = hanse_plan_needs_squares(plan) ? 2 : 1;
    layout->n_addends = kinds * plan->n_measures;
    layout->n_measures = plan->n_measures;
    layout->has_extremes = hanse_plan_needs_extremes(plan);
    layout->addends = calloc(layout->n_addends + 1, sizeof *layout->addends);
    if (layout->addends == NULL)
        return hanse_fail_nomem(error, "layout", layout->n_addends);
    for (size_t i = 0; i < layout->n_addends; i++) {
        hanse_addend *addend = &layout->addends[i];
        addend->measure = i % plan->n_measures;
        addend->square = i >= plan->n_measures;
        addend->number = plan->measures[addend->measure].number;
        /* Integers know their window; that of floats comes from the data. */
        if (addend->number != HANSE_NUMBER_FLOAT) {
            addend->window = (hanse_window){0, addend->square ? 3 : 2};
            addend->dense = true;
        }
    }
    assign_lanes(layout);
    return HANSE_OK;
}

hanse_status hanse_layout_copy(hanse_layout *layout, const hanse_layout *from,
                               hanse_error *error)
{
    const size_t size_bytes = (from->n_addends + 1) * sizeof *from->addends;
    hanse_addend *addends = malloc(size_bytes);
    if (addends == NULL)
        return hanse_fail_nomem(error, "layout", size_bytes);
    memcpy(addends, from->addends, size_bytes);
    *layout = *from;
    layout->addends = addends;
    return HANSE_OK;
}

/* Squares begin with the window that belongs to that of the values where this
 * is of use. */
hanse_window hanse_layout_cover(const hanse_layout *layout, size_t index,
                                int low, int high)
{
    const hanse_addend *addend = &layout->addends[index];
    const hanse_window *values = &layout->addends[addend->measure].window;
    if (addend->square && addend->window.n_limbs == 0 && values->n_limbs == 2 &&
        can_be_squared(layout)) {
        const hanse_window squares = squares_of(values);
        if (hanse_window_holds(&squares, low, high))
            return squares;
    }
    return hanse_window_cover(&addend->window, low, high);
}

bool hanse_layout_same(const hanse_layout *a, const hanse_layout *b)
{
    for (size_t i = 0; i < a->n_addends; i++)
        if (a->addends[i].window.exponent != b->addends[i].window.exponent ||
            a->addends[i].window.n_limbs != b->addends[i].window.n_limbs ||
            a->addends[i].lane != b->addends[i].lane)
            return false;
    return a->stride == b->stride;
}

void hanse_layout_clear(hanse_layout *layout)
{
    free(layout->addends);
    *layout = (hanse_layout){0};
}

/* ---- States ------------------------------------------------------------- */

hanse_status hanse_states_init(hanse_states *states, const hanse_plan *plan,
                               hanse_error *error)
{
    *states = (hanse_states){.n_measures = plan->n_measures};
    states->rare = calloc(plan->n_measures, sizeof *states->rare);
    if (states->rare == NULL)
        return hanse_fail_nomem(error, "states", plan->n_measures);
    return HANSE_OK;
}

void hanse_states_clear(hanse_states *states, const hanse_layout *layout,
                        hanse_budget *budget)
{
    hanse_free(budget, states->rows, states->capacity,
               hanse_states_stride(states, layout) * sizeof *states->rows);
    for (size_t m = 0; states->rare != NULL && m < states->n_measures; m++)
        hanse_free(budget, states->rare[m], states->capacity,
                   sizeof(hanse_rare));
    free(states->rare);
    *states = (hanse_states){0};
}

/* The arrays of a grouping's states: rows, then those of rare states. Returns
 * the place of array `index`, and the bytes of a group in it. */
static void **state_array(hanse_states *states, const hanse_layout *layout,
                          size_t index, size_t *group_bytes)
{
    if (index == 0) {
        *group_bytes =
            hanse_states_stride(states, layout) * sizeof *states->rows;
        return (void **)&states->rows;
    }
    *group_bytes = sizeof(hanse_rare);
    return (void **)&states->rare[index - 1];
}

/* All arrays or none: the new ones are allocated before any is replaced. */
static hanse_status grow_capacity(hanse_states *states,
                                  const hanse_layout *layout,
                                  hanse_budget *budget, size_t wanted,
                                  hanse_error *error)
{
    const size_t n_arrays = 1 + states->n_measures;
    size_t bytes = 0, i;
    void **larger = calloc(n_arrays, sizeof *larger);
    if (larger == NULL)
        return hanse_fail_nomem(error, "states", n_arrays * sizeof *larger);
    for (i = 0; i < n_arrays; i++) {
        /* Rare states are made when they are needed. */
        if (*state_array(states, layout, i, &bytes) == NULL && i != 0)
            continue;
        larger[i] = hanse_allocate_zero(budget, wanted, bytes);
        if (larger[i] == NULL)
            goto err_arrays;
    }
    for (i = 0; i < n_arrays; i++) {
        void **array = state_array(states, layout, i, &bytes);
        if (larger[i] == NULL)
            continue;
        if (states->capacity != 0)
            memcpy(larger[i], *array, states->capacity * bytes);
        hanse_free(budget, *array, states->capacity, bytes);
        *array = larger[i];
    }
    states->capacity = wanted;
    free(larger);
    return HANSE_OK;

err_arrays:
    hanse_fail_budget(error, budget, "states of groups", wanted, bytes);
    for (size_t k = 0; k < i; k++) {
        size_t bytes_k;
        (void)state_array(states, layout, k, &bytes_k);
        hanse_free(budget, larger[k], wanted, bytes_k);
    }
    free(larger);
    return error != NULL ? error->status : HANSE_ERR_NOMEM;
}

hanse_status hanse_states_grow(hanse_states *states, const hanse_layout *layout,
                               hanse_budget *budget, size_t n_groups,
                               hanse_error *error)
{
    if (n_groups > states->capacity) {
        size_t wanted =
            states->capacity == 0 ? FIRST_CAPACITY : 2 * states->capacity;
        if (wanted < n_groups)
            wanted = n_groups;
        HANSE_TRY(grow_capacity(states, layout, budget, wanted, error));
    }
    if (n_groups > states->n_groups)
        states->n_groups = n_groups;
    return HANSE_OK;
}

hanse_status hanse_states_rare(hanse_states *states, hanse_budget *budget,
                               size_t measure, size_t group, hanse_rare **out,
                               hanse_error *error)
{
    if (states->rare[measure] == NULL) {
        states->rare[measure] =
            hanse_allocate_zero(budget, states->capacity, sizeof(hanse_rare));
        if (states->rare[measure] == NULL)
            return hanse_fail_budget(error, budget, "counts of missing values",
                                     states->capacity, sizeof(hanse_rare));
    }
    *out = &states->rare[measure][group];
    return HANSE_OK;
}

/* ---- Packed states ------------------------------------------------------ */

void hanse_states_pack(hanse_states *states, const hanse_layout *layout)
{
    states->is_packed = layout->is_packed && states->capacity == 0;
}

hanse_status hanse_states_unpack(hanse_states *states,
                                 const hanse_layout *layout,
                                 hanse_budget *budget, hanse_error *error)
{
    if (!states->is_packed)
        return HANSE_OK;
    const size_t row_bytes = layout->stride * sizeof(int64_t);
    int64_t *rows = hanse_allocate_zero(budget, states->capacity, row_bytes);
    if (rows == NULL)
        return hanse_fail_budget(error, budget, "states of groups",
                                 states->capacity, row_bytes);
    const size_t packed_lanes = hanse_states_stride(states, layout);
    for (size_t g = 0; g < states->n_groups; g++) {
        const int64_t *packed = states->rows + g * packed_lanes;
        int64_t *row = rows + g * layout->stride;
        row[0] = hanse_packed_count(packed);
        for (size_t i = 0; i < layout->n_addends; i++)
            hanse_packed_limbs(packed, layout->addends[i].measure,
                               row + layout->addends[i].lane);
    }
    hanse_free(budget, states->rows, states->capacity,
               packed_lanes * sizeof(int64_t));
    states->rows = rows;
    states->is_packed = false;
    return HANSE_OK;
}

/* ---- Widening ----------------------------------------------------------- */

/* Copies the limbs of one group from the old layout to the new one; only one
 * addend's window differs, by whole limbs. */
static void move_row(const hanse_layout *from, const int64_t *old,
                     const hanse_layout *to, int64_t *new)
{
    memset(new, 0, to->stride * sizeof *new);
    new[0] = old[0];
    for (size_t m = 0; from->has_extremes && m < from->n_measures; m++)
        memcpy(new + hanse_layout_high_lane(to, m),
               old + hanse_layout_high_lane(from, m), 2 * sizeof *new);
    for (size_t i = 0; i < from->n_addends; i++) {
        const hanse_addend *a = &from->addends[i];
        const hanse_addend *b = &to->addends[i];
        if (a->window.n_limbs == 0)
            continue;
        const int shift =
            (a->window.exponent - b->window.exponent) / HANSE_LIMB_BITS;
        memcpy(new + b->lane + shift, old + a->lane,
               (size_t)a->window.n_limbs * sizeof *new);
    }
}

hanse_status hanse_layout_widen(hanse_layout *layout, size_t index,
                                hanse_window window, hanse_states *states,
                                size_t n_states, hanse_budget *budget,
                                hanse_error *error)
{
    if (window.n_limbs > HANSE_WINDOW_LIMBS_MAX)
        return hanse_fail(error, HANSE_ERR_LIMIT, "sum beyond all limbs");
    for (size_t s = 0; s < n_states; s++)
        HANSE_TRY(hanse_states_unpack(&states[s], layout, budget, error));
    hanse_layout wider = *layout;
    wider.addends = malloc((layout->n_addends + 1) * sizeof *wider.addends);
    int64_t **moved = calloc(n_states + 1, sizeof *moved);
    hanse_status status = HANSE_OK;
    if (wider.addends == NULL || moved == NULL) {
        status = hanse_fail_nomem(error, "layout", layout->n_addends);
        goto err_layout;
    }
    memcpy(wider.addends, layout->addends,
           layout->n_addends * sizeof *wider.addends);
    hanse_addend *addend = &wider.addends[index];
    addend->window = window;
    addend->dense = addend->number == HANSE_NUMBER_FLOAT
                        ? hanse_window_grid(&window, &addend->grid)
                        : true;
    assign_lanes(&wider);

    const size_t row_bytes = wider.stride * sizeof(int64_t);
    for (size_t s = 0; s < n_states; s++) {
        moved[s] = hanse_allocate_zero(budget, states[s].capacity, row_bytes);
        if (moved[s] == NULL) {
            status = hanse_fail_budget(error, budget, "states of groups",
                                       states[s].capacity, row_bytes);
            goto err_moved;
        }
    }
    for (size_t s = 0; s < n_states; s++) {
        for (size_t g = 0; g < states[s].n_groups; g++)
            move_row(layout, states[s].rows + g * layout->stride, &wider,
                     moved[s] + g * wider.stride);
        hanse_free(budget, states[s].rows, states[s].capacity,
                   layout->stride * sizeof(int64_t));
        states[s].rows = moved[s];
    }
    free(layout->addends);
    *layout = wider;
    free(moved);
    return HANSE_OK;

err_moved:
    for (size_t s = 0; s < n_states; s++)
        hanse_free(budget, moved[s], states[s].capacity, row_bytes);
err_layout:
    free(wider.addends);
    free(moved);
    return status;
}
