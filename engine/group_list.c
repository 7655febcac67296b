/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of groups in the order of their keys. Pages of partitions are in that
 * order already, unless a key goes by its text; groups of hashed partitions are
 * sorted, key by key from the last one, and the two are merged.
 */
#include "engine/group_list.h"

#include <stdlib.h>
#include <string.h>

#include "engine/group_collect.h"
#include "engine/group_order.h"

enum {
    GATHERED = 256 /* groups at a time */
};

static const uint64_t sign_bit = (uint64_t)1 << 63;

void hanse_group_list_clear(hanse_group_list *list)
{
    hanse_large_free(&list->memory);
    free(list->starts);
    *list = (hanse_group_list){0};
}

/* ---- In a fold ---------------------------------------------------------- */

static bool has_missing_key(const hanse_group_list *list, size_t group)
{
    uint32_t codes[HANSE_GROUP_KEYS_MAX];
    hanse_group_codes(list->keys, list->grouping, group, codes);
    for (size_t k = 0; k < list->n_keys; k++)
        if (codes[k] == 0)
            return true;
    return false;
}

/* Groups that have rows, by rank. (Code 0 of a key has none unless a key was
 * missing; every other group came from a row.) */
static void place_groups(hanse_group_list *list, const uint32_t *ranks)
{
    const hanse_states *states = &list->states->states[list->grouping];
    const hanse_layout *layout = &list->states->layout;
    const bool drop = list->keys->plan->drop_missing_keys;
    for (size_t g = 0; g < states->n_groups; g++)
        list->groups[ranks[g]] = (uint32_t)g;
    for (size_t r = 0; r < states->n_groups; r++) {
        const uint32_t group = list->groups[r];
        const int64_t rows = hanse_states_count(states, layout, group);
        if (rows == 0)
            continue;
        if (drop && has_missing_key(list, group))
            list->n_dropped += (uint64_t)rows;
        else
            list->groups[list->n++] = group;
    }
}

hanse_status hanse_group_list_of_fold(const hanse_fold *keys,
                                      const hanse_fold *states,
                                      const hanse_order *order, size_t grouping,
                                      hanse_group_list *out, hanse_error *error)
{
    const hanse_plan_grouping *g = &keys->plan->groupings[grouping];
    *out = (hanse_group_list){.keys = keys,
                              .states = states,
                              .budget = keys->budget,
                              .grouping = grouping,
                              .n_keys = g->n_keys};
    HANSE_TRY(hanse_group_list_allocate(
        out, states->states[grouping].n_groups + 1, false, error));
    if (g->node != SIZE_MAX) {
        place_groups(out, order->nodes[g->node]);
        return HANSE_OK;
    }
    out->groups[0] = 0;
    out->n = 1;
    return HANSE_OK;
}

/* ---- In partitions: order ----------------------------------------------- */

static int compare_rows(const hanse_group_list *list, size_t a, size_t b)
{
    int64_t x[HANSE_TUPLE_WIDTH_MAX], y[HANSE_TUPLE_WIDTH_MAX];
    const uint32_t missing_x = hanse_group_list_numbers(list, a, x);
    const uint32_t missing_y = hanse_group_list_numbers(list, b, y);
    for (size_t k = 0; k < list->n_keys; k++) {
        const size_t key = list->parts->keys[k];
        const bool is_unsigned =
            list->parts->plan->keys[key].type == HANSE_UINT64;
        const uint32_t mx = missing_x >> k & 1, my = missing_y >> k & 1;
        const uint64_t flip = is_unsigned ? 0 : sign_bit;
        const uint64_t nx = (uint64_t)x[k] ^ flip, ny = (uint64_t)y[k] ^ flip;
        if (mx != my)
            return mx < my ? -1 : 1;
        if (nx != ny)
            return nx < ny ? -1 : 1;
    }
    return 0;
}

/* Merges rows 0 .. first - 1, which are in order as they are, with the sorted
 * entries of the others. */
static hanse_status merge_sorted(hanse_group_list *list, size_t first,
                                 const hanse_sort_entry *entries,
                                 size_t n_entries, hanse_error *error)
{
    hanse_group_list merged = {.budget = list->budget, .shared = list->shared};
    HANSE_TRY(hanse_group_list_allocate(&merged, list->n + 1, true, error));
    size_t a = 0, b = 0;
    for (size_t row = 0; row < list->n; row++) {
        const bool take_b =
            a == first ||
            (b < n_entries && compare_rows(list, entries[b].index, a) < 0);
        const size_t from = take_b ? entries[b++].index : a++;
        merged.groups[row] = list->groups[from];
        merged.owners[row] = list->owners[from];
    }
    hanse_large_free(&list->memory);
    list->memory = merged.memory;
    list->groups = merged.groups;
    list->owners = merged.owners;
    return HANSE_OK;
}

static hanse_status fail_too_many(hanse_error *error)
{
    return hanse_fail(error, HANSE_ERR_LIMIT,
                      "more than %u groups in one table", UINT32_MAX);
}

static hanse_status bring_into_order(hanse_group_list *list, size_t n_paged,
                                     size_t n_threads, hanse_error *error)
{
    size_t first = n_paged;
    for (size_t k = 0; k < list->n_keys; k++)
        if (hanse_group_order_by_text(list->parts, k))
            first = 0;
    list->is_by_page = n_paged > 0 && first == n_paged;
    const size_t n = list->n - first;
    if (n == 0)
        return HANSE_OK;
    if (list->n > UINT32_MAX)
        return fail_too_many(error);
    hanse_large memory;
    HANSE_TRY(hanse_large_allocate(&memory, 2 * n, sizeof(hanse_sort_entry),
                                   list->budget, hanse_group_list_spill(list),
                                   "order of groups", error));
    hanse_sort_entry *entries = memory.memory;
    for (size_t i = 0; i < n; i++)
        entries[i].index = (uint32_t)(first + i);
    hanse_status status =
        hanse_group_order_sort(list, entries, n, n_threads, error);
    if (status == HANSE_OK)
        status = merge_sorted(list, first, entries, n, error);
    hanse_large_free(&memory);
    return status;
}

hanse_status hanse_group_list_of_partitions(const hanse_shared *shared,
                                            hanse_partitions *parts,
                                            bool may_skip, size_t n_threads,
                                            hanse_group_list *out,
                                            hanse_error *error)
{
    size_t n_paged = 0;
    *out = (hanse_group_list){.shared = shared,
                              .parts = parts,
                              .budget = parts->budget,
                              .grouping = parts->grouping,
                              .n_keys = parts->n_keys};
    HANSE_TRY(
        hanse_group_list_collect(out, may_skip, n_threads, &n_paged, error));
    if (out->starts != NULL)
        return HANSE_OK;
    return bring_into_order(out, n_paged, n_threads, error);
}

hanse_status
hanse_group_list_of_numbers(const hanse_shared *shared, hanse_partitions *parts,
                            const int64_t *numbers, const uint32_t *masks,
                            size_t n, size_t n_paged, size_t n_threads,
                            hanse_group_list *out, hanse_error *error)
{
    *out = (hanse_group_list){.shared = shared,
                              .parts = parts,
                              .budget = parts->budget,
                              .grouping = parts->grouping,
                              .n_keys = parts->n_keys,
                              .n = n,
                              .numbers = numbers,
                              .masks = masks};
    if (n > UINT32_MAX)
        return fail_too_many(error);
    HANSE_TRY(hanse_group_list_allocate(out, n + 1, true, error));
    for (size_t i = 0; i < n; i++) {
        out->groups[i] = (uint32_t)i;
        out->owners[i] = 0;
    }
    return bring_into_order(out, n_paged, n_threads, error);
}

/* ---- Rows --------------------------------------------------------------- */

static hanse_partition *partition_of(const hanse_group_list *list, size_t row)
{
    return hanse_partitions_owner(
        list->parts, list->owners != NULL ? list->owners[row] : list->owner);
}

size_t hanse_group_list_run(const hanse_group_list *list, size_t row,
                            size_t most, const hanse_fold **fold,
                            size_t *grouping)
{
    if (list->parts == NULL) {
        *fold = list->states;
        *grouping = list->grouping;
        return most;
    }
    size_t n = list->owners == NULL ? most : 1;
    while (n < most && list->owners[row + n] == list->owners[row])
        n++;
    *fold = partition_of(list, row)->fold;
    *grouping = 0;
    return n;
}

uint32_t hanse_group_list_numbers(const hanse_group_list *list, size_t row,
                                  int64_t *numbers)
{
    uint32_t codes[HANSE_GROUP_KEYS_MAX];
    uint32_t mask = 0;
    if (list->numbers != NULL) {
        memcpy(numbers, list->numbers + list->groups[row] * list->n_keys,
               list->n_keys * sizeof *numbers);
        return list->masks[list->groups[row]];
    }
    if (list->parts != NULL)
        return hanse_partition_numbers(list->parts, partition_of(list, row),
                                       list->groups[row], numbers);
    hanse_group_codes(list->keys, list->grouping, list->groups[row], codes);
    for (size_t k = 0; k < list->n_keys; k++) {
        const size_t key = list->keys->plan->groupings[list->grouping].keys[k];
        numbers[k] = 0;
        if (codes[k] == 0)
            mask |= (uint32_t)1 << k;
        else if (list->keys->keys[key].is_text)
            numbers[k] = codes[k] - 1;
        else
            numbers[k] = list->keys->keys[key].ints.values[codes[k] - 1];
    }
    return mask;
}

/* Asks for the memory that a row's numbers are in. */
static inline void prefetch_numbers(const hanse_group_list *list, size_t row)
{
    const size_t group = list->groups[row];
    if (list->numbers != NULL) {
        __builtin_prefetch(list->numbers + group * list->n_keys);
    } else if (list->parts != NULL) {
        const hanse_partition *partition = partition_of(list, row);
        if (partition->page == SIZE_MAX)
            __builtin_prefetch(partition->map.tuples + group * list->n_keys);
    }
}

void hanse_group_list_gather(const hanse_group_list *list, const size_t *rows,
                             size_t n, int64_t *numbers, uint32_t *masks)
{
    for (size_t i = 0; i < n; i++)
        prefetch_numbers(list, rows[i]);
    if (list->parts == NULL || list->numbers != NULL) {
        for (size_t i = 0; i < n; i++)
            masks[i] = hanse_group_list_numbers(list, rows[i],
                                                numbers + i * list->n_keys);
        return;
    }
    for (size_t i = 0, n_run; i < n; i += n_run) {
        const hanse_partition *partition = partition_of(list, rows[i]);
        uint32_t groups[GATHERED];
        n_run = 0;
        while (n_run < GATHERED && i + n_run < n &&
               partition_of(list, rows[i + n_run]) == partition) {
            groups[n_run] = list->groups[rows[i + n_run]];
            n_run++;
        }
        hanse_partition_gather(list->parts, partition, groups, n_run,
                               numbers + i * list->n_keys, masks + i);
    }
}

static const hanse_plan *plan_of(const hanse_group_list *list)
{
    return list->parts != NULL ? list->parts->plan : list->keys->plan;
}

const hanse_text_map *hanse_group_list_texts(const hanse_group_list *list,
                                             size_t position)
{
    const size_t key = plan_of(list)->groupings[list->grouping].keys[position];
    return list->parts != NULL ? &list->shared->dictionaries[key].texts
                               : &list->keys->keys[key].texts;
}

const char *hanse_group_list_text(const hanse_group_list *list, size_t position,
                                  int64_t number, char *buffer, size_t *length)
{
    const hanse_plan *plan = plan_of(list);
    const size_t key = plan->groupings[list->grouping].keys[position];
    if (plan->keys[key].type == HANSE_TEXT)
        return hanse_text_map_text(hanse_group_list_texts(list, position),
                                   (size_t)number, length);
    return hanse_label_text(&plan->keys[key], number, buffer, length);
}
