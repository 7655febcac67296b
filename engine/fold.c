/* SPDX-License-Identifier: Apache-2.0
 *
 * The fold: create, add, destroy. Batches are taken block by block, so that
 * what a block needs stays in the first cache levels.
 */
#include "engine/fold.h"

#include "engine/scatter.h"

#include <stdlib.h>
#include <string.h>

static void init_maps(hanse_fold *fold)
{
    const hanse_plan *plan = fold->plan;
    for (size_t k = 0; k < plan->n_keys; k++) {
        fold->keys[k].is_text = plan->keys[k].type == HANSE_TEXT;
        hanse_int_map_init(&fold->keys[k].ints, fold->budget);
        hanse_text_map_init(&fold->keys[k].texts, fold->budget);
    }
    for (size_t i = 0; i < plan->n_nodes; i++)
        hanse_int_map_init(&fold->pairs[i], fold->budget);
}

static hanse_status init_states(hanse_fold *fold, hanse_error *error)
{
    const hanse_plan *plan = fold->plan;
    for (size_t g = 0; g < plan->n_groupings; g++)
        HANSE_TRY(hanse_states_init(&fold->states[g], plan, error));
    /* The group of all rows exists even without any. */
    for (size_t g = 0; g < plan->n_groupings; g++)
        if (plan->groupings[g].node == SIZE_MAX)
            HANSE_TRY(hanse_states_grow(&fold->states[g], &fold->layout,
                                        fold->budget, 1, error));
    return HANSE_OK;
}

static bool allocate_lists(hanse_fold *fold)
{
    const hanse_plan *plan = fold->plan;
    fold->keys = calloc(plan->n_keys + 1, sizeof *fold->keys);
    fold->pairs = calloc(plan->n_nodes + 1, sizeof *fold->pairs);
    fold->pair_tables = calloc(plan->n_nodes + 1, sizeof *fold->pair_tables);
    fold->made = calloc(plan->n_keys + 1, sizeof *fold->made);
    fold->states = calloc(plan->n_groupings + 1, sizeof *fold->states);
    fold->roles = calloc(plan->n_groupings + 1, sizeof *fold->roles);
    fold->finer = calloc(plan->n_groupings + 1, sizeof *fold->finer);
    fold->added = calloc(plan->n_groupings + 1, sizeof *fold->added);
    fold->is_coded = calloc(plan->n_nodes + 1, sizeof *fold->is_coded);
    fold->is_key_coded = calloc(plan->n_keys + 1, sizeof *fold->is_key_coded);
    return fold->keys != NULL && fold->pairs != NULL &&
           fold->pair_tables != NULL && fold->states != NULL &&
           fold->roles != NULL && fold->finer != NULL && fold->added != NULL &&
           fold->is_coded != NULL && fold->is_key_coded != NULL &&
           fold->made != NULL;
}

/* Everything but the buffers of a block. The layout is that of `like`, or for
 * NULL the plan's first one. */
static hanse_status create(const hanse_plan *plan, hanse_budget *budget,
                           const hanse_fold *like, hanse_fold **out,
                           hanse_error *error)
{
    hanse_cpu cpu;
    HANSE_TRY(hanse_cpu_choose(&cpu, error));
    hanse_fold *fold = calloc(1, sizeof *fold);
    if (fold == NULL)
        return hanse_fail_nomem(error, "fold", sizeof *fold);
    fold->kernels = hanse_kernels_of(cpu);
    fold->plan = plan;
    fold->budget = budget;
    hanse_status status = HANSE_OK;
    if (!allocate_lists(fold))
        status = hanse_fail_nomem(error, "fold", sizeof *fold);
    if (status == HANSE_OK) {
        init_maps(fold);
        hanse_fold_choose_roles(fold);
        status = like == NULL
                     ? hanse_layout_init(&fold->layout, plan, error)
                     : hanse_layout_copy(&fold->layout, &like->layout, error);
    }
    if (status == HANSE_OK)
        status = init_states(fold, error);
    if (status == HANSE_OK)
        status = hanse_fold_extras_init(fold, error);
    if (status != HANSE_OK) {
        hanse_fold_destroy(fold);
        return status;
    }
    *out = fold;
    return HANSE_OK;
}

hanse_status hanse_fold_create(const hanse_plan *plan, hanse_budget *budget,
                               hanse_fold **out, hanse_error *error)
{
    hanse_fold *fold;
    HANSE_TRY(create(plan, budget, NULL, &fold, error));
    hanse_status status = hanse_block_init(&fold->block, plan, budget, error);
    if (status == HANSE_OK)
        status = hanse_made_keys_init(fold, error);
    if (status != HANSE_OK) {
        hanse_fold_destroy(fold);
        return status;
    }
    *out = fold;
    return HANSE_OK;
}

hanse_status hanse_fold_create_like(const hanse_fold *like,
                                    const hanse_plan *plan, hanse_fold **out,
                                    hanse_error *error)
{
    return create(plan, like->budget, like, out, error);
}

void hanse_fold_destroy(hanse_fold *fold)
{
    if (fold == NULL)
        return;
    const hanse_plan *plan = fold->plan;
    hanse_fold_extras_clear(fold);
    hanse_block_clear(&fold->block, plan, fold->budget);
    hanse_made_keys_clear(fold);
    for (size_t g = 0; fold->states != NULL && g < plan->n_groupings; g++)
        hanse_states_clear(&fold->states[g], &fold->layout, fold->budget);
    for (size_t k = 0; fold->keys != NULL && k < plan->n_keys; k++) {
        hanse_int_map_clear(&fold->keys[k].ints);
        hanse_text_map_clear(&fold->keys[k].texts);
    }
    for (size_t i = 0; fold->pairs != NULL && i < plan->n_nodes; i++)
        hanse_int_map_clear(&fold->pairs[i]);
    for (size_t i = 0; fold->pair_tables != NULL && i < plan->n_nodes; i++)
        hanse_pair_table_clear(&fold->pair_tables[i], fold->budget);
    hanse_layout_clear(&fold->layout);
    for (size_t g = 0; fold->scatters != NULL && g < plan->n_groupings; g++)
        hanse_scatter_destroy(fold->scatters[g]);
    for (size_t k = 0; fold->translations != NULL && k < plan->n_keys; k++)
        hanse_translation_clear(&fold->translations[k], fold->budget);
    free(fold->scatters);
    free(fold->translations);
    free(fold->keys);
    free(fold->pairs);
    free(fold->pair_tables);
    free(fold->made);
    free(fold->states);
    free(fold->roles);
    free(fold->finer);
    free(fold->added);
    free(fold->is_coded);
    free(fold->is_key_coded);
    free(fold);
}

size_t hanse_fold_node_groups(const hanse_fold *fold, size_t node)
{
    if (node == SIZE_MAX)
        return 1;
    const hanse_plan_node *plan_node = &fold->plan->nodes[node];
    return plan_node->parent == SIZE_MAX
               ? hanse_key_codes_count(&fold->keys[plan_node->key])
               : fold->pairs[node].n;
}

/* ---- Adding ------------------------------------------------------------- */

static hanse_status grow_states(hanse_fold *fold, hanse_error *error)
{
    for (size_t i = 0; i < fold->n_added; i++) {
        const size_t g = fold->added[i];
        const size_t n_groups =
            hanse_fold_node_groups(fold, fold->plan->groupings[g].node);
        HANSE_TRY(hanse_states_grow(&fold->states[g], &fold->layout,
                                    fold->budget, n_groups, error));
    }
    return HANSE_OK;
}

static hanse_status scatter_block(hanse_fold *fold, hanse_error *error)
{
    HANSE_TRY(hanse_fold_number_texts(fold, error));
    for (size_t g = 0; g < fold->plan->n_groupings; g++)
        if (fold->scatters[g] != NULL)
            HANSE_TRY(
                hanse_scatter_add(fold->scatters[g], &fold->block, error));
    return HANSE_OK;
}

static hanse_status add_block(hanse_fold *fold, const hanse_batch *batch,
                              size_t first, size_t n, hanse_error *error)
{
    const hanse_plan *plan = fold->plan;
    hanse_block *block = &fold->block;
    hanse_block_filter(fold, batch, first, n);
    fold->rows.read += n;
    fold->rows.kept += block->n;
    if (block->n == 0)
        return HANSE_OK;
    HANSE_TRY(hanse_block_keys(fold, batch, first, n, error));
    HANSE_TRY(grow_states(fold, error));
    hanse_block_measures(block, plan, batch, first, n);
    HANSE_TRY(hanse_fold_sums(fold, error));
    HANSE_TRY(hanse_fold_extras_add(fold, batch, first, error));
    return fold->n_shared == 0 ? HANSE_OK : scatter_block(fold, error);
}

hanse_status hanse_fold_add_rows(hanse_fold *fold, const hanse_batch *batch,
                                 size_t first, size_t n, hanse_error *error)
{
    const size_t end = first + n;
    for (; first < end; first += HANSE_BLOCK_ROWS) {
        const size_t left = end - first;
        HANSE_TRY(add_block(fold, batch, first,
                            left < HANSE_BLOCK_ROWS ? left : HANSE_BLOCK_ROWS,
                            error));
    }
    return fold->shared == NULL ? HANSE_OK : hanse_fold_share(fold, error);
}

hanse_status hanse_fold_add(hanse_fold *fold, const hanse_batch *batch,
                            hanse_error *error)
{
    return hanse_fold_add_rows(fold, batch, 0, batch->n_rows, error);
}

hanse_status hanse_fold_adopt_windows(hanse_fold *fold,
                                      const hanse_window *windows,
                                      hanse_error *error)
{
    for (size_t a = 0; a < fold->layout.n_addends; a++)
        if (fold->layout.addends[a].window.n_limbs == 0 &&
            windows[a].n_limbs != 0)
            HANSE_TRY(hanse_layout_widen(&fold->layout, a, windows[a],
                                         fold->states, fold->plan->n_groupings,
                                         fold->budget, error));
    return HANSE_OK;
}
