/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the fold and the statistics beyond sums and extremes: what they need
 * to know of the rows of a block.
 */
#include "engine/fold.h"

#include <stdlib.h>

hanse_status hanse_fold_extras_init(hanse_fold *fold, hanse_error *error)
{
    const hanse_plan *plan = fold->plan;
    if (!hanse_extras_needed(plan))
        return HANSE_OK;
    fold->extras = calloc(plan->n_groupings, sizeof *fold->extras);
    fold->absent = calloc(plan->n_values, sizeof *fold->absent);
    fold->numbers =
        hanse_allocate(fold->budget, HANSE_BLOCK_ROWS, sizeof *fold->numbers);
    fold->positions =
        hanse_allocate(fold->budget, HANSE_BLOCK_ROWS, sizeof *fold->positions);
    if (fold->extras == NULL || fold->absent == NULL || fold->numbers == NULL ||
        fold->positions == NULL)
        return hanse_fail_budget(error, fold->budget, "buffers of a block",
                                 HANSE_BLOCK_ROWS, sizeof *fold->numbers);
    for (size_t g = 0; g < plan->n_groupings; g++)
        HANSE_TRY(
            hanse_extras_init(&fold->extras[g], plan, g, fold->budget, error));
    return HANSE_OK;
}

void hanse_fold_extras_clear(hanse_fold *fold)
{
    for (size_t g = 0; fold->extras != NULL && g < fold->plan->n_groupings; g++)
        hanse_extras_clear(&fold->extras[g]);
    free(fold->extras);
    free(fold->absent);
    hanse_free(fold->budget, fold->numbers, HANSE_BLOCK_ROWS,
               sizeof *fold->numbers);
    hanse_free(fold->budget, fold->positions, HANSE_BLOCK_ROWS,
               sizeof *fold->positions);
    fold->extras = NULL;
    fold->absent = NULL;
    fold->numbers = fold->positions = NULL;
}

static void number_rows(hanse_fold *fold, size_t first)
{
    const hanse_block *block = &fold->block;
    for (size_t i = 0; i < block->n; i++) {
        const size_t position =
            first + (block->kept != NULL ? block->kept[i] : i);
        fold->positions[i] = position;
        fold->numbers[i] = fold->batch_first_row + position;
    }
}

hanse_status hanse_fold_extras_add(hanse_fold *fold, const hanse_batch *batch,
                                   size_t first, hanse_error *error)
{
    const hanse_plan *plan = fold->plan;
    const hanse_block *block = &fold->block;
    if (fold->extras == NULL)
        return HANSE_OK;
    const uint8_t **absent = fold->absent;
    for (size_t v = 0; v < plan->n_values; v++)
        absent[v] = block->any_absent[v] ? block->absent[v] : NULL;
    number_rows(fold, first);
    const bool has_texts =
        plan->id_field != SIZE_MAX && plan->types[plan->id_field] == HANSE_TEXT;
    for (size_t i = 0; i < fold->n_added; i++) {
        const size_t g = fold->added[i];
        const size_t node = plan->groupings[g].node;
        const hanse_extra_rows rows = {
            .n = block->n,
            .n_groups = hanse_fold_node_groups(fold, node),
            .groups = node == SIZE_MAX ? NULL : block->node_codes[node],
            .values = block->values,
            .absent = absent,
            .numbers = fold->numbers,
            .id_texts = has_texts ? &batch->arrays[plan->id_field] : NULL,
            .id_positions = fold->positions};
        HANSE_TRY(hanse_extras_add(&fold->extras[g], &rows, error));
    }
    return HANSE_OK;
}

hanse_status hanse_fold_extras_merge(hanse_fold *fold, const hanse_fold *other,
                                     size_t grouping, const uint32_t *map,
                                     hanse_error *error)
{
    if (fold->extras == NULL)
        return HANSE_OK;
    const size_t node = fold->plan->groupings[grouping].node;
    return hanse_extras_merge(
        &fold->extras[grouping], hanse_fold_node_groups(fold, node),
        &other->extras[grouping], hanse_fold_node_groups(other, node), map,
        other->is_spent, error);
}

hanse_status hanse_fold_extras_derive(hanse_fold *fold, size_t grouping,
                                      const hanse_fold *from, size_t finer,
                                      const hanse_fold *keys,
                                      hanse_error *error)
{
    const hanse_plan *plan = keys->plan;
    const size_t node = plan->groupings[grouping].node;
    const size_t finer_node = plan->groupings[finer].node;
    const size_t n = hanse_fold_node_groups(keys, finer_node);
    if (fold->extras == NULL)
        return HANSE_OK;
    uint32_t *map = malloc((n + 1) * sizeof *map);
    if (map == NULL)
        return hanse_fail_nomem(error, "groups", n * sizeof *map);
    for (size_t g = 0; g < n; g++)
        map[g] = (uint32_t)hanse_fold_group_above(keys, finer_node, node, g);
    const hanse_status status = hanse_extras_merge(
        &fold->extras[grouping], hanse_fold_node_groups(keys, node),
        &from->extras[finer], n, map, false, error);
    free(map);
    return status;
}
