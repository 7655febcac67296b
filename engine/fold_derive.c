/* SPDX-License-Identifier: Apache-2.0
 *
 * Groupings that need no rows of their own: a group of "chain" is the sum of
 * its groups of "chain, cluster", and all rows are the sum of any grouping.
 * States merge exactly, so the result is the same to the bit.
 */
#include "engine/fold.h"

/* Number of keys of a node. */
static size_t depth_of(const hanse_plan *plan, size_t node)
{
    size_t depth = 0;
    for (; node != SIZE_MAX; node = plan->nodes[node].parent)
        depth++;
    return depth;
}

static bool is_below(const hanse_plan *plan, size_t node, size_t ancestor)
{
    while (node != SIZE_MAX && node != ancestor)
        node = plan->nodes[node].parent;
    return node == ancestor;
}

/* The finer grouping with the fewest keys, SIZE_MAX when there is none. */
static size_t nearest_finer(const hanse_fold *fold, size_t grouping)
{
    const hanse_plan *plan = fold->plan;
    const size_t node = plan->groupings[grouping].node;
    size_t nearest = SIZE_MAX, fewest = SIZE_MAX;
    for (size_t g = 0; g < plan->n_groupings; g++) {
        const size_t other = plan->groupings[g].node;
        const size_t depth = depth_of(plan, other);
        if (other == node || fold->roles[g] == HANSE_ROLE_SHARED ||
            !is_below(plan, other, node) || depth >= fewest)
            continue;
        nearest = g;
        fewest = depth;
    }
    return nearest;
}

void hanse_fold_choose_roles(hanse_fold *fold)
{
    const hanse_plan *plan = fold->plan;
    fold->n_added = 0;
    for (size_t i = 0; i < plan->n_nodes; i++)
        fold->is_coded[i] = false;
    for (size_t k = 0; k < plan->n_keys; k++)
        fold->is_key_coded[k] = false;
    for (size_t g = 0; g < plan->n_groupings; g++) {
        if (fold->roles[g] == HANSE_ROLE_SHARED)
            continue;
        fold->finer[g] = nearest_finer(fold, g);
        fold->roles[g] =
            fold->finer[g] == SIZE_MAX ? HANSE_ROLE_ADDED : HANSE_ROLE_DERIVED;
        if (fold->roles[g] == HANSE_ROLE_ADDED)
            fold->added[fold->n_added++] = g;
        size_t node = plan->groupings[g].node;
        for (; node != SIZE_MAX; node = plan->nodes[node].parent) {
            fold->is_coded[node] = true;
            fold->is_key_coded[plan->nodes[node].key] = true;
        }
    }
}

size_t hanse_fold_group_above(const hanse_fold *fold, size_t node,
                              size_t ancestor, size_t group)
{
    if (ancestor == SIZE_MAX)
        return 0;
    for (; node != ancestor; node = fold->plan->nodes[node].parent)
        group = (size_t)((uint64_t)fold->pairs[node].values[group] >> 32);
    return group;
}

hanse_status hanse_fold_derive(hanse_fold *fold, size_t grouping,
                               const hanse_fold *from, size_t finer,
                               const hanse_fold *keys, hanse_error *error)
{
    const size_t node = keys->plan->groupings[grouping].node;
    const size_t finer_node = keys->plan->groupings[finer].node;
    HANSE_TRY(hanse_states_grow(&fold->states[grouping], &fold->layout,
                                fold->budget,
                                hanse_fold_node_groups(keys, node), error));
    for (size_t g = 0; g < from->states[finer].n_groups; g++)
        if (from->states[finer].rows[g * from->layout.stride] != 0)
            HANSE_TRY(hanse_fold_merge_group(
                fold, grouping,
                hanse_fold_group_above(keys, finer_node, node, g), from, finer,
                g, error));
    return hanse_fold_extras_derive(fold, grouping, from, finer, keys, error);
}

static hanse_status derive_all(const hanse_fold *fold, hanse_fold *derived,
                               hanse_error *error)
{
    const hanse_plan *plan = fold->plan;
    size_t deepest = 0;
    for (size_t g = 0; g < plan->n_groupings; g++)
        if (plan->groupings[g].n_keys > deepest)
            deepest = plan->groupings[g].n_keys;
    /* What a grouping is derived from has more keys. */
    for (size_t depth = deepest + 1; depth-- > 0;) {
        for (size_t g = 0; g < plan->n_groupings; g++) {
            if (fold->roles[g] != HANSE_ROLE_DERIVED ||
                plan->groupings[g].n_keys != depth)
                continue;
            const size_t finer = fold->finer[g];
            const hanse_fold *from =
                fold->roles[finer] == HANSE_ROLE_DERIVED ? derived : fold;
            HANSE_TRY(hanse_fold_derive(derived, g, from, finer, fold, error));
        }
    }
    return HANSE_OK;
}

hanse_status hanse_fold_derive_all(const hanse_fold *fold, hanse_fold **out,
                                   hanse_error *error)
{
    bool any = false;
    for (size_t g = 0; g < fold->plan->n_groupings; g++)
        any = any || fold->roles[g] == HANSE_ROLE_DERIVED;
    *out = NULL;
    if (!any)
        return HANSE_OK;
    hanse_fold *derived;
    HANSE_TRY(hanse_fold_create_like(fold, fold->plan, &derived, error));
    const hanse_status status = derive_all(fold, derived, error);
    if (status != HANSE_OK) {
        hanse_fold_destroy(derived);
        return status;
    }
    *out = derived;
    return HANSE_OK;
}
