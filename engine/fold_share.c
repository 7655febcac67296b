/* SPDX-License-Identifier: Apache-2.0
 *
 * From a thread's own states to shared partitions, when a grouping has become
 * too large for a copy per thread. The first thread that notices shapes the
 * partitions; every thread moves there before its next batch.
 */
#include <stdlib.h>

#include "engine/partitions.h"
#include "engine/scatter.h"

hanse_status hanse_fold_join(hanse_fold *fold, hanse_shared *shared,
                             hanse_error *error)
{
    const hanse_plan *plan = fold->plan;
    fold->scatters = calloc(plan->n_groupings + 1, sizeof *fold->scatters);
    fold->translations = calloc(plan->n_keys + 1, sizeof *fold->translations);
    if (fold->scatters == NULL || fold->translations == NULL)
        return hanse_fail_nomem(error, "partitions", plan->n_groupings);
    fold->shared = shared;
    return HANSE_OK;
}

static bool is_large(const hanse_fold *fold, size_t grouping)
{
    const size_t n_keys = fold->plan->groupings[grouping].n_keys;
    const size_t row_bytes = fold->layout.stride * sizeof(int64_t);
    /* Statistics beyond sums and extremes need all states in the folds. */
    return fold->extras == NULL && fold->roles[grouping] == HANSE_ROLE_ADDED &&
           n_keys > 0 && n_keys <= HANSE_TUPLE_WIDTH_MAX &&
           fold->states[grouping].n_groups >
               fold->shared->share_bytes / row_bytes;
}

static hanse_status publish(hanse_fold *fold, size_t grouping,
                            hanse_partitions **out, hanse_error *error)
{
    hanse_shared *shared = fold->shared;
    hanse_status status = HANSE_OK;
    (void)pthread_mutex_lock(&shared->lock);
    *out = atomic_load(&shared->partitions[grouping]);
    if (*out == NULL)
        status = hanse_partitions_create(shared, fold, grouping, out, error);
    if (status == HANSE_OK)
        atomic_store(&shared->partitions[grouping], *out);
    (void)pthread_mutex_unlock(&shared->lock);
    return status;
}

hanse_status hanse_fold_number_texts(hanse_fold *fold, hanse_error *error)
{
    hanse_block *block = &fold->block;
    for (size_t k = 0; k < fold->plan->n_keys; k++) {
        const hanse_translation *t = &fold->translations[k];
        if (!fold->keys[k].is_text)
            continue;
        HANSE_TRY(hanse_dictionary_translate(&fold->shared->dictionaries[k],
                                             &fold->keys[k].texts,
                                             &fold->translations[k], error));
        for (size_t i = 0; i < block->n; i++) {
            const uint32_t code = block->key_codes[k][i];
            block->key_numbers[k][i] = code == 0 ? 0 : t->codes[code - 1];
        }
    }
    return HANSE_OK;
}

/* Follows what a derived grouping comes from to one that has rows added. */
static size_t root_of(const hanse_fold *fold, size_t grouping)
{
    while (fold->roles[grouping] == HANSE_ROLE_DERIVED)
        grouping = fold->finer[grouping];
    return grouping;
}

/* Groupings that were to follow from this one, and now have no other, get what
 * it holds so far. */
static hanse_status detach(hanse_fold *fold, size_t grouping,
                           hanse_error *error)
{
    const hanse_plan *plan = fold->plan;
    bool *follows = calloc(plan->n_groupings + 1, sizeof *follows);
    if (follows == NULL)
        return hanse_fail_nomem(error, "groupings", plan->n_groupings);
    for (size_t g = 0; g < plan->n_groupings; g++)
        follows[g] = fold->roles[g] == HANSE_ROLE_DERIVED &&
                     root_of(fold, g) == grouping;
    fold->roles[grouping] = HANSE_ROLE_SHARED;
    hanse_fold_choose_roles(fold);
    hanse_status status = HANSE_OK;
    for (size_t g = 0; status == HANSE_OK && g < plan->n_groupings; g++)
        if (follows[g] && fold->roles[g] == HANSE_ROLE_ADDED)
            status = hanse_fold_derive(fold, g, fold, grouping, fold, error);
    free(follows);
    return status;
}

static hanse_status move_to(hanse_fold *fold, size_t grouping,
                            hanse_partitions *parts, hanse_error *error)
{
    hanse_shared *shared = fold->shared;
    HANSE_TRY(hanse_scatter_create(parts, &fold->scatters[grouping], error));
    for (size_t k = 0; k < fold->plan->n_keys; k++)
        if (fold->keys[k].is_text)
            HANSE_TRY(hanse_dictionary_translate(
                &shared->dictionaries[k], &fold->keys[k].texts,
                &fold->translations[k], error));
    HANSE_TRY(detach(fold, grouping, error));
    HANSE_TRY(hanse_partitions_take(parts, fold, fold->translations, error));
    fold->n_shared++;
    hanse_states_clear(&fold->states[grouping], &fold->layout, fold->budget);
    return hanse_states_init(&fold->states[grouping], fold->plan, error);
}

/* One grouping that is to move and has states of its own; what follows from it
 * has some only afterwards. */
static hanse_status share_one(hanse_fold *fold, bool *any, hanse_error *error)
{
    *any = false;
    for (size_t g = 0; g < fold->plan->n_groupings && !*any; g++) {
        hanse_partitions *parts = atomic_load(&fold->shared->partitions[g]);
        if (fold->roles[g] != HANSE_ROLE_ADDED)
            continue;
        if (parts == NULL && is_large(fold, g))
            HANSE_TRY(publish(fold, g, &parts, error));
        if (parts == NULL)
            continue;
        HANSE_TRY(move_to(fold, g, parts, error));
        *any = true;
    }
    return HANSE_OK;
}

hanse_status hanse_fold_share(hanse_fold *fold, hanse_error *error)
{
    for (bool any = true; any;)
        HANSE_TRY(share_one(fold, &any, error));
    return HANSE_OK;
}

hanse_status hanse_fold_flush(hanse_fold *fold, hanse_error *error)
{
    HANSE_TRY(hanse_fold_share(fold, error));
    for (size_t g = 0; g < fold->plan->n_groupings; g++)
        if (fold->scatters[g] != NULL)
            HANSE_TRY(hanse_scatter_flush(fold->scatters[g], error));
    return HANSE_OK;
}

hanse_status hanse_fold_leave(hanse_fold *fold, hanse_error *error)
{
    HANSE_TRY(hanse_fold_flush(fold, error));
    for (size_t g = 0; g < fold->plan->n_groupings; g++) {
        hanse_scatter_destroy(fold->scatters[g]);
        fold->scatters[g] = NULL;
    }
    return HANSE_OK;
}
