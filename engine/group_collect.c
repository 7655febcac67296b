/* SPDX-License-Identifier: Apache-2.0
 *
 * Which groups of partitions have rows. Their states are passed over block by
 * block.
 */
#include "engine/group_collect.h"

#include <stdlib.h>
#include <string.h>

#include "engine/parallel.h"

hanse_spill *hanse_group_list_spill(const hanse_group_list *list)
{
    return list->shared != NULL ? list->shared->spill : NULL;
}

hanse_status hanse_group_list_allocate(hanse_group_list *list, size_t n,
                                       bool has_owners, hanse_error *error)
{
    HANSE_TRY(hanse_large_allocate(
        &list->memory, has_owners ? 2 * n : n, sizeof *list->groups,
        list->budget, hanse_group_list_spill(list), "order of groups", error));
    list->groups = list->memory.memory;
    list->owners = has_owners ? list->groups + n : NULL;
    return HANSE_OK;
}

/* ---- Groups of a partition ---------------------------------------------- */

/* Groups of a partition that are in the table. */
typedef struct share {
    size_t n;
    uint64_t n_dropped;
    size_t first; /* row of the first one */
} share;

typedef struct collecting {
    hanse_group_list *list;
    share *shares; /* [owner] */
} collecting;

enum {
    LISTED_GROUPS = 256 /* at a time */
};

/* The groups from first to end - 1 that have rows, without a branch for each.
 * Returns their number. */
static size_t find_groups(const hanse_fold *fold, size_t first, size_t end,
                          uint32_t *groups)
{
    const hanse_states *states = &fold->states[0];
    size_t n = 0;
    for (size_t g = first; g < end; g++) {
        groups[n] = (uint32_t)g;
        n += hanse_states_count(states, &fold->layout, g) != 0;
    }
    return n;
}

/* Whether groups without a key have to be looked for and left out. */
static bool must_drop(const hanse_partitions *parts)
{
    for (size_t k = 0; k < parts->n_keys; k++)
        if (atomic_load(&parts->any_missing[k]))
            return parts->plan->drop_missing_keys;
    return false;
}

static size_t drop_groups(const hanse_partitions *parts,
                          const hanse_partition *partition, uint32_t *groups,
                          size_t n, uint64_t *n_dropped)
{
    const hanse_fold *fold = partition->fold;
    int64_t numbers[HANSE_TUPLE_WIDTH_MAX];
    size_t n_left = 0;
    for (size_t i = 0; i < n; i++) {
        if (hanse_partition_numbers(parts, partition, groups[i], numbers) == 0)
            groups[n_left++] = groups[i];
        else
            *n_dropped += (uint64_t)hanse_states_count(
                &fold->states[0], &fold->layout, groups[i]);
    }
    return n_left;
}

/* Counts the groups of a partition that have rows and are not dropped, or
 * stores them from row s->first on. */
static void visit(const hanse_group_list *list, size_t owner, share *s,
                  bool store)
{
    const hanse_partition *partition =
        hanse_partitions_owner(list->parts, owner);
    const bool drop = must_drop(list->parts);
    uint32_t groups[LISTED_GROUPS];
    if (partition == NULL || partition->fold == NULL)
        return;
    const size_t n_groups = partition->fold->states[0].n_groups;
    uint64_t n_dropped = 0;
    size_t n_found = 0;
    for (size_t first = 0; first < n_groups; first += LISTED_GROUPS) {
        const size_t left = n_groups - first;
        const size_t end =
            first + (left < LISTED_GROUPS ? left : LISTED_GROUPS);
        size_t n = find_groups(partition->fold, first, end, groups);
        if (drop)
            n = drop_groups(list->parts, partition, groups, n, &n_dropped);
        if (store)
            memcpy(list->groups + s->first + n_found, groups,
                   n * sizeof *groups);
        n_found += n;
    }
    for (size_t i = 0; store && list->owners != NULL && i < n_found; i++)
        list->owners[s->first + i] = (uint32_t)owner;
    if (store)
        return;
    s->n = n_found;
    s->n_dropped = n_dropped;
}

/* ---- Of all partitions --------------------------------------------------- */

static hanse_status count_share(void *context, size_t owner, hanse_error *error)
{
    const collecting *c = context;
    (void)error;
    visit(c->list, owner, &c->shares[owner], false);
    return HANSE_OK;
}

static hanse_status store_share(void *context, size_t owner, hanse_error *error)
{
    const collecting *c = context;
    (void)error;
    visit(c->list, owner, &c->shares[owner], true);
    return HANSE_OK;
}

static hanse_status keep_starts(hanse_group_list *list, const share *shares,
                                hanse_error *error)
{
    const size_t n_pages = list->parts->n_pages;
    list->starts = malloc((n_pages + 1) * sizeof *list->starts);
    if (list->starts == NULL)
        return hanse_fail_nomem(error, "rows of pages", n_pages);
    for (size_t p = 0; p < n_pages; p++)
        list->starts[p] = shares[p].first;
    list->starts[n_pages] = list->n;
    return HANSE_OK;
}

hanse_status hanse_group_list_collect(hanse_group_list *list, bool may_skip,
                                      size_t n_threads, size_t *n_paged,
                                      hanse_error *error)
{
    const size_t n_owners = hanse_partitions_count(list->parts);
    collecting c = {list, calloc(n_owners, sizeof *c.shares)};
    if (c.shares == NULL)
        return hanse_fail_nomem(error, "partitions", n_owners);
    hanse_status status =
        hanse_parallel_for(n_threads, n_owners, count_share, &c, error);
    *n_paged = 0;
    for (size_t o = 0; o < n_owners; o++) {
        c.shares[o].first = list->n;
        list->n += c.shares[o].n;
        list->n_dropped += c.shares[o].n_dropped;
        if (o + 1 == list->parts->n_pages)
            *n_paged = list->n;
    }
    const bool skip = may_skip && *n_paged == list->n;
    if (status == HANSE_OK && skip)
        status = keep_starts(list, c.shares, error);
    if (status == HANSE_OK && !skip)
        status = hanse_group_list_allocate(list, list->n + 1, true, error);
    if (status == HANSE_OK && !skip)
        status =
            hanse_parallel_for(n_threads, n_owners, store_share, &c, error);
    free(c.shares);
    return status;
}

hanse_status hanse_group_list_of_partition(const hanse_shared *shared,
                                           hanse_partitions *parts,
                                           size_t owner, hanse_group_list *out,
                                           hanse_error *error)
{
    share s = {0};
    *out = (hanse_group_list){.shared = shared,
                              .parts = parts,
                              .budget = parts->budget,
                              .grouping = parts->grouping,
                              .n_keys = parts->n_keys,
                              .owner = owner};
    visit(out, owner, &s, false);
    HANSE_TRY(hanse_group_list_allocate(out, s.n + 1, false, error));
    visit(out, owner, &s, true);
    out->n = s.n;
    out->n_dropped = s.n_dropped;
    return HANSE_OK;
}
