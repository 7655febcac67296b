/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter: which rows of a block are kept, and the values of formulas for
 * these alone.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/fold.h"

/* ---- Buffers ------------------------------------------------------------ */

enum {
    KEPT_ROWS = HANSE_BLOCK_ROWS + HANSE_SELECT_SLACK
};

static bool reads_text(const hanse_plan *plan, const hanse_formula *formula)
{
    size_t n;
    const size_t *fields = hanse_formula_fields(formula, &n);
    for (size_t i = 0; i < n; i++)
        if (plan->types[fields[i]] == HANSE_TEXT)
            return true;
    return false;
}

/* Buffers for the kept rows of the columns that a formula reads. */
static bool init_gathered(hanse_block *block, const hanse_formula *formula,
                          hanse_budget *budget)
{
    size_t n;
    const size_t *fields = hanse_formula_fields(formula, &n);
    for (size_t i = 0; i < n; i++) {
        hanse_array *array = &block->gathered_store[fields[i]];
        if (array->values != NULL)
            continue;
        array->values =
            hanse_allocate(budget, HANSE_BLOCK_ROWS, sizeof(uint64_t));
        array->missing = hanse_allocate(budget, HANSE_BLOCK_ROWS, 1);
        if (array->values == NULL || array->missing == NULL)
            return false;
    }
    return true;
}

bool hanse_block_init_filter(hanse_block *block, const hanse_plan *plan,
                             hanse_budget *budget)
{
    block->condition = hanse_allocate(budget, HANSE_BLOCK_ROWS, 1);
    block->kept_buffer =
        hanse_allocate(budget, KEPT_ROWS, sizeof *block->kept_buffer);
    block->gathered = calloc(plan->n_fields + 1, sizeof *block->gathered);
    block->gathered_store =
        calloc(plan->n_fields + 1, sizeof *block->gathered_store);
    block->is_gathered = calloc(plan->n_fields + 1, sizeof(bool));
    block->can_gather = calloc(plan->n_values + 1, sizeof(bool));
    if (block->condition == NULL || block->kept_buffer == NULL ||
        block->gathered == NULL || block->is_gathered == NULL ||
        block->gathered_store == NULL || block->can_gather == NULL)
        return false;
    for (size_t m = 0; plan->filter != NULL && m < plan->n_values; m++) {
        const hanse_plan_measure *measure = &plan->measures[m];
        block->can_gather[m] = measure->number == HANSE_NUMBER_FLOAT &&
                               !reads_text(plan, measure->formula);
        if (block->can_gather[m] &&
            !init_gathered(block, measure->formula, budget))
            return false;
    }
    return true;
}

void hanse_block_clear_filter(hanse_block *block, const hanse_plan *plan,
                              hanse_budget *budget)
{
    for (size_t i = 0; block->gathered_store != NULL && i < plan->n_fields;
         i++) {
        hanse_array *array = &block->gathered_store[i];
        hanse_free(budget, (void *)(uintptr_t)array->values, HANSE_BLOCK_ROWS,
                   sizeof(uint64_t));
        hanse_free(budget, (void *)(uintptr_t)array->missing, HANSE_BLOCK_ROWS,
                   1);
    }
    hanse_free(budget, block->condition, HANSE_BLOCK_ROWS, 1);
    hanse_free(budget, block->kept_buffer, KEPT_ROWS,
               sizeof *block->kept_buffer);
    hanse_free(budget, block->answers, block->capacity_answers, 1);
    free(block->gathered);
    free(block->gathered_store);
    free(block->is_gathered);
    free(block->can_gather);
}

/* ---- Which rows --------------------------------------------------------- */

void hanse_block_filter(hanse_fold *fold, const hanse_batch *batch,
                        size_t first, size_t n)
{
    hanse_block *block = &fold->block;
    block->n = n;
    block->kept = NULL;
    if (fold->plan->filter == NULL)
        return;
    const uint8_t *condition = block->condition;
    if (block->answered)
        condition = block->answers + first;
    else
        hanse_formula_condition(fold->plan->filter, batch, first, n,
                                block->scratch, block->condition);
    block->n = fold->kernels->select(condition, n, block->kept_buffer);
    if (block->n != n)
        block->kept = block->kept_buffer;
    memset(block->is_gathered, 0, fold->plan->n_fields);
}

/* A whole number of blocks: the last one is answered in full room. */
static hanse_status reserve_answers(hanse_fold *fold, size_t n_rows,
                                    hanse_error *error)
{
    hanse_block *block = &fold->block;
    if (n_rows <= block->capacity_answers)
        return HANSE_OK;
    const size_t n_blocks = (n_rows + HANSE_BLOCK_ROWS - 1) / HANSE_BLOCK_ROWS;
    const size_t capacity = n_blocks * HANSE_BLOCK_ROWS;
    hanse_free(fold->budget, block->answers, block->capacity_answers, 1);
    block->capacity_answers = 0;
    block->answers = hanse_allocate(fold->budget, capacity, 1);
    if (block->answers == NULL)
        return hanse_fail_budget(error, fold->budget, "answers of the filter",
                                 capacity, 1);
    block->capacity_answers = capacity;
    return HANSE_OK;
}

static bool any_set(const uint8_t *answers, size_t n)
{
    unsigned any = 0;
    for (size_t i = 0; i < n; i++)
        any |= answers[i];
    return any != 0;
}

hanse_status hanse_fold_filter(hanse_fold *fold, const hanse_batch *batch,
                               bool *any, hanse_error *error)
{
    hanse_block *block = &fold->block;
    HANSE_TRY(reserve_answers(fold, batch->n_rows, error));
    *any = false;
    for (size_t first = 0; first < batch->n_rows; first += HANSE_BLOCK_ROWS) {
        const size_t left = batch->n_rows - first;
        const size_t n = left < HANSE_BLOCK_ROWS ? left : HANSE_BLOCK_ROWS;
        hanse_formula_condition(fold->plan->filter, batch, first, n,
                                block->scratch, block->answers + first);
        *any = *any || any_set(block->answers + first, n);
    }
    block->answered = true;
    return HANSE_OK;
}

void hanse_fold_forget_filter(hanse_fold *fold)
{
    fold->block.answered = false;
}

void hanse_fold_skip(hanse_fold *fold, size_t n_rows)
{
    fold->rows.read += n_rows;
}

/* ---- Values of the kept rows -------------------------------------------- */

static void gather_rows(size_t width, const void *values, size_t first,
                        const uint16_t *kept, size_t n, void *out)
{
#define GATHER(type)                                     \
    do {                                                 \
        const type *from = (const type *)values + first; \
        type *to = out;                                  \
        for (size_t i = 0; i < n; i++)                   \
            to[i] = from[kept[i]];                       \
    } while (0)
    if (width == 1)
        GATHER(uint8_t);
    else if (width == 2)
        GATHER(uint16_t);
    else if (width == 4)
        GATHER(uint32_t);
    else
        GATHER(uint64_t);
#undef GATHER
}

/* The columns of a formula, closed up to the kept rows. */
static void gather_columns(hanse_block *block, const hanse_plan *plan,
                           const hanse_formula *formula,
                           const hanse_batch *batch, size_t first)
{
    size_t n;
    const size_t *fields = hanse_formula_fields(formula, &n);
    for (size_t i = 0; i < n; i++) {
        const size_t field = fields[i];
        const hanse_array *from = &batch->arrays[field];
        const hanse_array *store = &block->gathered_store[field];
        if (block->is_gathered[field])
            continue;
        block->gathered[field] = (hanse_array){.values = store->values};
        gather_rows(hanse_type_size(plan->types[field]), from->values, first,
                    block->kept, block->n, (void *)(uintptr_t)store->values);
        if (from->missing != NULL) {
            gather_rows(1, from->missing, first, block->kept, block->n,
                        (void *)(uintptr_t)store->missing);
            block->gathered[field].missing = store->missing;
        }
        block->is_gathered[field] = true;
    }
}

/* Gathering costs as much as a step or two of a formula: it pays where at most
 * half of the rows are kept, and always for a bare column. */
static bool should_gather(const hanse_block *block, const hanse_plan *plan,
                          size_t measure, size_t n)
{
    return block->can_gather[measure] &&
           (plan->measures[measure].field != SIZE_MAX || 2 * block->n <= n);
}

void hanse_block_number(hanse_block *block, const hanse_plan *plan,
                        size_t measure, const hanse_batch *batch, size_t first,
                        size_t n)
{
    const hanse_formula *formula = plan->measures[measure].formula;
    double *out = (double *)block->values[measure];
    if (block->kept == NULL) {
        hanse_formula_number(formula, batch, first, n, block->scratch, out);
        return;
    }
    if (should_gather(block, plan, measure, n)) {
        const hanse_batch kept = {block->n, block->gathered};
        gather_columns(block, plan, formula, batch, first);
        hanse_formula_number(formula, &kept, 0, block->n, block->scratch, out);
        return;
    }
    hanse_formula_number(formula, batch, first, n, block->scratch, out);
    for (size_t i = 0; i < block->n; i++)
        out[i] = out[block->kept[i]];
}
