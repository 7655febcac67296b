/* SPDX-License-Identifier: Apache-2.0
 *
 * One block of rows on its way into a fold: filter, formulas, group numbers.
 * Everything is compacted to the rows that the filter keeps.
 */
#include "engine/fold.h"

#include <stdlib.h>
#include <string.h>

#include "engine/integers.h"

/* ---- Buffers ------------------------------------------------------------ */

static void *rows_buffer(hanse_budget *budget, size_t size_bytes)
{
    return hanse_allocate(budget, HANSE_BLOCK_ROWS, size_bytes);
}

static void free_rows(hanse_budget *budget, void *buffer, size_t size_bytes)
{
    hanse_free(budget, buffer, HANSE_BLOCK_ROWS, size_bytes);
}

/* Group codes of nodes that are not roots; roots use their key's codes. */
static bool init_nodes(hanse_block *block, const hanse_plan *plan,
                       hanse_budget *budget)
{
    for (size_t k = 0; k < plan->n_keys; k++) {
        block->key_codes[k] = rows_buffer(budget, sizeof(uint32_t));
        block->key_numbers[k] = rows_buffer(budget, sizeof(int64_t));
        block->key_missing[k] = rows_buffer(budget, 1);
        if (block->key_codes[k] == NULL || block->key_numbers[k] == NULL ||
            block->key_missing[k] == NULL)
            return false;
    }
    for (size_t i = 0; i < plan->n_nodes; i++) {
        if (plan->nodes[i].parent == SIZE_MAX) {
            block->node_codes[i] = block->key_codes[plan->nodes[i].key];
            continue;
        }
        block->node_codes[i] = rows_buffer(budget, sizeof(uint32_t));
        if (block->node_codes[i] == NULL)
            return false;
    }
    return true;
}

/* Two addends a measure at the most: its values and their squares. */
static size_t most_addends(const hanse_plan *plan)
{
    return 2 * plan->n_measures;
}

static bool init_sums(hanse_block *block, const hanse_plan *plan,
                      hanse_budget *budget)
{
    const size_t n = most_addends(plan);
    block->left =
        hanse_allocate(budget, n, HANSE_LIMB_BATCH * sizeof *block->left);
    block->n_left = calloc(n + 1, sizeof *block->n_left);
    block->full = calloc(plan->n_groupings + 1, sizeof *block->full);
    return block->left != NULL && block->n_left != NULL && block->full != NULL;
}

static bool init_measures(hanse_block *block, const hanse_plan *plan,
                          hanse_budget *budget)
{
    for (size_t m = 0; m < plan->n_values; m++) {
        block->own_values[m] = rows_buffer(budget, sizeof(int64_t));
        block->values[m] = block->own_values[m];
        block->absent[m] = rows_buffer(budget, 1);
        if (block->values[m] == NULL || block->absent[m] == NULL)
            return false;
    }
    return true;
}

hanse_status hanse_block_init(hanse_block *block, const hanse_plan *plan,
                              hanse_budget *budget, hanse_error *error)
{
    block->key_codes = calloc(plan->n_keys + 1, sizeof *block->key_codes);
    block->key_numbers = calloc(plan->n_keys + 1, sizeof *block->key_numbers);
    block->key_missing = calloc(plan->n_keys + 1, sizeof *block->key_missing);
    block->any_key_missing =
        calloc(plan->n_keys + 1, sizeof *block->any_key_missing);
    block->node_codes = calloc(plan->n_nodes + 1, sizeof *block->node_codes);
    block->values = calloc(plan->n_values + 1, sizeof *block->values);
    block->own_values = calloc(plan->n_values + 1, sizeof *block->own_values);
    block->absent = calloc(plan->n_values + 1, sizeof *block->absent);
    block->any_absent = calloc(plan->n_values + 1, sizeof *block->any_absent);
    block->numbers = rows_buffer(budget, sizeof *block->numbers);
    block->scratch = hanse_allocate(budget, plan->scratch_bytes, 1);
    if (block->key_codes == NULL || block->key_numbers == NULL ||
        block->key_missing == NULL || block->any_key_missing == NULL ||
        block->node_codes == NULL || block->values == NULL ||
        block->own_values == NULL || block->absent == NULL ||
        block->any_absent == NULL || block->numbers == NULL ||
        block->scratch == NULL ||
        !hanse_block_init_filter(block, plan, budget) ||
        !init_nodes(block, plan, budget) ||
        !init_measures(block, plan, budget) || !init_sums(block, plan, budget))
        return hanse_fail_budget(error, budget, "buffers of a block",
                                 HANSE_BLOCK_ROWS, sizeof(int64_t));
    return HANSE_OK;
}

void hanse_block_clear(hanse_block *block, const hanse_plan *plan,
                       hanse_budget *budget)
{
    if (block->key_codes != NULL && block->node_codes != NULL) {
        for (size_t i = 0; i < plan->n_nodes; i++)
            if (plan->nodes[i].parent != SIZE_MAX)
                free_rows(budget, block->node_codes[i], sizeof(uint32_t));
        for (size_t k = 0; k < plan->n_keys; k++)
            free_rows(budget, block->key_codes[k], sizeof(uint32_t));
    }
    for (size_t k = 0; k < plan->n_keys; k++) {
        if (block->key_numbers != NULL)
            free_rows(budget, block->key_numbers[k], sizeof(int64_t));
        if (block->key_missing != NULL)
            free_rows(budget, block->key_missing[k], 1);
    }
    if (block->own_values != NULL && block->absent != NULL) {
        for (size_t m = 0; m < plan->n_values; m++) {
            free_rows(budget, block->own_values[m], sizeof(int64_t));
            free_rows(budget, block->absent[m], 1);
        }
    }
    free(block->key_codes);
    free(block->key_numbers);
    free(block->key_missing);
    free(block->any_key_missing);
    free(block->node_codes);
    free(block->own_values);
    free(block->values);
    free(block->absent);
    free(block->any_absent);
    hanse_block_clear_filter(block, plan, budget);
    free_rows(budget, block->numbers, sizeof *block->numbers);
    hanse_free(budget, block->scratch, plan->scratch_bytes, 1);
    hanse_free(budget, block->left, most_addends(plan),
               HANSE_LIMB_BATCH * sizeof *block->left);
    free(block->n_left);
    free(block->full);
    hanse_free(budget, block->lanes, block->n_lanes,
               HANSE_LIMB_BATCH * sizeof *block->lanes);
    hanse_free(budget, block->pieces, block->n_lanes,
               HANSE_LIMB_BATCH * sizeof *block->pieces);
    *block = (hanse_block){0};
}

/* ---- Values ------------------------------------------------------------- */

/* Missing integers count as 0 in the sums and are marked in `absent`. */
static void integer_measure(hanse_block *block, size_t measure,
                            const hanse_array *array, hanse_type type,
                            size_t first)
{
    int64_t *values = block->values[measure];
    hanse_gather_integers(type, array->values, first, block->kept, block->n,
                          values);
    block->any_absent[measure] = false;
    if (array->missing == NULL)
        return;
    uint8_t any = 0;
    for (size_t i = 0; i < block->n; i++) {
        const size_t row = first + (block->kept != NULL ? block->kept[i] : i);
        const uint8_t absent = array->missing[row] != 0;
        block->absent[measure][i] = absent;
        any |= absent;
        if (absent)
            values[i] = 0;
    }
    block->any_absent[measure] = any != 0;
}

/* The values of a bare float64 column need not be copied when all rows are
 * kept. */
static bool borrow_values(hanse_block *block, const hanse_plan *plan,
                          size_t measure, const hanse_batch *batch,
                          size_t first)
{
    const size_t field = plan->measures[measure].field;
    block->values[measure] = block->own_values[measure];
    if (!block->may_borrow || block->kept != NULL || field == SIZE_MAX ||
        plan->types[field] != HANSE_FLOAT64 ||
        batch->arrays[field].missing != NULL)
        return false;
    const int64_t *values = batch->arrays[field].values;
    block->values[measure] = (int64_t *)(uintptr_t)(values + first);
    return true;
}

void hanse_block_measures(hanse_block *block, const hanse_plan *plan,
                          const hanse_batch *batch, size_t first, size_t n)
{
    for (size_t m = 0; m < plan->n_values; m++) {
        const hanse_plan_measure *measure = &plan->measures[m];
        if (measure->number != HANSE_NUMBER_FLOAT) {
            integer_measure(block, m, &batch->arrays[measure->field],
                            plan->types[measure->field], first);
            continue;
        }
        if (!borrow_values(block, plan, m, batch, first))
            hanse_block_number(block, plan, m, batch, first, n);
    }
}

/* ---- Keys --------------------------------------------------------------- */

/* Which kept rows have no key. */
static void mark_missing(hanse_block *block, size_t key,
                         const hanse_array *array, size_t first)
{
    uint8_t any = 0;
    for (size_t i = 0; array->missing != NULL && i < block->n; i++) {
        const size_t row = first + (block->kept != NULL ? block->kept[i] : i);
        block->key_missing[key][i] = array->missing[row] != 0;
        any |= block->key_missing[key][i];
    }
    block->any_key_missing[key] = any != 0;
}

static hanse_status integer_codes(hanse_fold *fold, size_t key,
                                  hanse_error *error)
{
    const hanse_block *block = &fold->block;
    uint32_t *codes = block->key_codes[key];
    hanse_int_map *map = &fold->keys[key].ints;
    const int64_t *numbers = block->key_numbers[key];
    const size_t n = block->n;
    if (!block->any_key_missing[key]) {
        HANSE_TRY(hanse_int_map_codes(map, numbers, n, codes, error));
        for (size_t i = 0; i < n; i++)
            codes[i]++;
        return HANSE_OK;
    }
    for (size_t i = 0; i < n; i++) {
        codes[i] = 0;
        if (block->key_missing[key][i])
            continue;
        HANSE_TRY(hanse_int_map_codes(map, &numbers[i], 1, &codes[i], error));
        codes[i]++;
    }
    return HANSE_OK;
}

/* Texts of kept rows from *row on that have one, with the places of their
 * codes in the block, until the batch is full. Rows without get code 0. */
static void gather_texts(const hanse_block *block, size_t key,
                         const hanse_array *array, size_t first, size_t *row,
                         hanse_text_batch *batch, uint16_t *places)
{
    const uint8_t *missing =
        block->any_key_missing[key] ? block->key_missing[key] : NULL;
    const char *bytes = array->values != NULL ? array->values : "";
    const int32_t *offsets = array->offsets + first;
    size_t i = *row, n = 0;
    for (; i < block->n && n < HANSE_TEXT_BATCH; i++) {
        const size_t at = block->kept != NULL ? block->kept[i] : i;
        if (missing != NULL && missing[i]) {
            block->key_codes[key][i] = 0;
            continue;
        }
        batch->texts[n] = bytes + offsets[at];
        batch->lengths[n] = (size_t)(offsets[at + 1] - offsets[at]);
        batch->end = bytes + offsets[at + 1];
        places[n++] = (uint16_t)i;
    }
    batch->n = n;
    *row = i;
}

static hanse_status text_codes(hanse_fold *fold, size_t key,
                               const hanse_array *array, size_t first,
                               hanse_error *error)
{
    const hanse_block *block = &fold->block;
    hanse_text_batch batch;
    uint16_t places[HANSE_TEXT_BATCH];
    uint32_t codes[HANSE_TEXT_BATCH];
    for (size_t row = 0; row < block->n;) {
        gather_texts(block, key, array, first, &row, &batch, places);
        HANSE_TRY(
            hanse_text_map_codes(&fold->keys[key].texts, &batch, codes, error));
        for (size_t i = 0; i < batch.n; i++)
            block->key_codes[key][places[i]] = codes[i] + 1;
    }
    return HANSE_OK;
}

/* Groups of a node: pairs of the parent's group and the key's code. */
static hanse_status pair_codes(hanse_fold *fold, size_t node,
                               hanse_error *error)
{
    const hanse_block *block = &fold->block;
    const hanse_plan_node *plan_node = &fold->plan->nodes[node];
    const hanse_pair_rows rows = {
        .parents = block->node_codes[plan_node->parent],
        .codes = block->key_codes[plan_node->key],
        .n = block->n,
        .n_parents = hanse_fold_node_groups(fold, plan_node->parent),
        .n_codes = hanse_key_codes_count(&fold->keys[plan_node->key]),
        .scratch = block->numbers};
    return hanse_pair_table_codes(&fold->pair_tables[node], &fold->pairs[node],
                                  &rows, block->node_codes[node], error);
}

/* Numbers of an integer key, codes of a text key. */
static hanse_status key_values(hanse_fold *fold, size_t key,
                               const hanse_batch *batch, size_t first, size_t n,
                               hanse_error *error)
{
    const hanse_plan_key *plan_key = &fold->plan->keys[key];
    hanse_block *block = &fold->block;
    const hanse_array *array = NULL;
    hanse_array made;
    if (plan_key->source != HANSE_KEY_COLUMN) {
        HANSE_TRY(
            hanse_made_key_values(fold, key, batch, first, n, &made, error));
        array = &made;
        first = 0;
    } else {
        array = &batch->arrays[plan_key->field];
    }
    mark_missing(block, key, array, first);
    if (fold->keys[key].is_text)
        return text_codes(fold, key, array, first, error);
    hanse_gather_integers(plan_key->type, array->values, first, block->kept,
                          block->n, block->key_numbers[key]);
    return HANSE_OK;
}

hanse_status hanse_block_keys(hanse_fold *fold, const hanse_batch *batch,
                              size_t first, size_t n, hanse_error *error)
{
    const hanse_plan *plan = fold->plan;
    if (fold->part.n > 1)
        HANSE_TRY(hanse_block_take_part(fold, batch, first, n, error));
    for (size_t k = 0; k < plan->n_keys; k++)
        HANSE_TRY(key_values(fold, k, batch, first, n, error));
    for (size_t k = 0; k < plan->n_keys; k++)
        if (!fold->keys[k].is_text && fold->is_key_coded[k])
            HANSE_TRY(integer_codes(fold, k, error));
    for (size_t i = 0; i < plan->n_nodes; i++)
        if (plan->nodes[i].parent != SIZE_MAX && fold->is_coded[i])
            HANSE_TRY(pair_codes(fold, i, error));
    return HANSE_OK;
}
