/* SPDX-License-Identifier: Apache-2.0
 *
 * States on their way into partitions, group by group: those that a thread had
 * before the grouping was shared, and those that were left over because memory
 * was short.
 */
#include "engine/order.h"
#include "engine/partitions.h"

static const uint64_t no_place = UINT64_MAX;

/* Numbers of the keys of a group; returns the mask of missing ones. */
static uint32_t group_numbers(const hanse_partitions *parts,
                              const hanse_fold *fold,
                              const hanse_translation *translations,
                              size_t group, int64_t *numbers)
{
    uint32_t codes[HANSE_TUPLE_WIDTH_MAX];
    uint32_t mask = 0;
    hanse_group_codes(fold, parts->grouping, group, codes);
    for (size_t k = 0; k < parts->n_keys; k++) {
        const size_t key = parts->keys[k];
        numbers[k] = 0;
        if (codes[k] == 0)
            mask |= (uint32_t)1 << k;
        else if (fold->keys[key].is_text)
            numbers[k] = translations[key].codes[codes[k] - 1];
        else
            numbers[k] = fold->keys[key].ints.values[codes[k] - 1];
    }
    return mask;
}

static uint64_t place_of(const hanse_partitions *parts, const int64_t *numbers,
                         uint32_t mask)
{
    uint64_t place = 0;
    if (!parts->is_dense || (mask & 1) != 0)
        return no_place;
    for (size_t k = 0; k < parts->n_keys; k++) {
        const hanse_key_range *range = &parts->ranges[k];
        const bool is_missing = (mask >> k & 1) != 0;
        const uint64_t offset =
            is_missing ? range->extent
                       : (uint64_t)numbers[k] - (uint64_t)range->base;
        if (!is_missing && offset >= range->extent)
            return no_place;
        place = place * hanse_partitions_key_slots(parts, k) + offset;
    }
    return place;
}

size_t hanse_partitions_owner_of(const hanse_partitions *parts,
                                 const int64_t *numbers, uint32_t mask)
{
    const uint64_t place = place_of(parts, numbers, mask);
    if (place != no_place)
        return hanse_partitions_page_of(parts, place);
    const uint64_t hash =
        hanse_tuple_hash(numbers, parts->n_keys, mask, parts->seed);
    return parts->n_pages + (size_t)(hash >> (64 - parts->hashed_bits));
}

static hanse_status find_owner(hanse_partitions *parts, const int64_t *numbers,
                               uint32_t mask, hanse_partition **out,
                               hanse_error *error)
{
    const size_t owner = hanse_partitions_owner_of(parts, numbers, mask);
    if (owner < parts->n_pages)
        return hanse_partitions_page(parts, owner, out, error);
    *out = &parts->hashed[owner - parts->n_pages];
    return HANSE_OK;
}

/* Adds a group of a fold, under the partition's lock. */
static hanse_status merge_locked(hanse_partitions *parts,
                                 hanse_partition *partition,
                                 const int64_t *numbers, uint32_t mask,
                                 const hanse_fold *fold, size_t grouping,
                                 size_t group, hanse_error *error)
{
    uint32_t target;
    size_t n_groups = parts->page_slots;
    if (partition->page == SIZE_MAX) {
        HANSE_TRY(hanse_tuple_map_codes(&partition->map, numbers, &mask, 1,
                                        &target, error));
        n_groups = partition->map.n;
    } else {
        target = (uint32_t)(place_of(parts, numbers, mask) -
                            (uint64_t)partition->page * parts->page_slots);
    }
    HANSE_TRY(hanse_partition_reserve(parts, partition, n_groups, error));
    return hanse_fold_merge_group(partition->fold, 0, target, fold, grouping,
                                  group, error);
}

static hanse_status merge(hanse_partitions *parts, hanse_partition *partition,
                          const int64_t *numbers, uint32_t mask,
                          const hanse_fold *fold, size_t group,
                          hanse_error *error)
{
    (void)pthread_mutex_lock(&partition->lock);
    const hanse_status status = merge_locked(
        parts, partition, numbers, mask, fold, parts->grouping, group, error);
    (void)pthread_mutex_unlock(&partition->lock);
    return status;
}

static bool is_short(const hanse_partitions *parts, hanse_partition *partition)
{
    (void)pthread_mutex_lock(&partition->lock);
    const size_t n_groups =
        partition->page == SIZE_MAX ? partition->map.n + 1 : parts->page_slots;
    const bool must = hanse_partition_must_spill(parts, partition, n_groups);
    (void)pthread_mutex_unlock(&partition->lock);
    return must;
}

static hanse_status take_group(hanse_partitions *parts, const hanse_fold *fold,
                               const hanse_translation *translations,
                               size_t group, hanse_error *error)
{
    int64_t numbers[HANSE_TUPLE_WIDTH_MAX];
    const uint32_t mask =
        group_numbers(parts, fold, translations, group, numbers);
    for (size_t k = 0; k < parts->n_keys; k++)
        if ((mask >> k & 1) != 0)
            atomic_store(&parts->any_missing[k], true);
    hanse_partition *partition;
    HANSE_TRY(find_owner(parts, numbers, mask, &partition, error));
    if (is_short(parts, partition)) {
        atomic_store(&parts->is_spilled, true);
        partition = hanse_partitions_leftovers(parts);
    }
    return merge(parts, partition, numbers, mask, fold, group, error);
}

hanse_status hanse_partitions_take(hanse_partitions *parts,
                                   const hanse_fold *fold,
                                   const hanse_translation *translations,
                                   hanse_error *error)
{
    const hanse_states *states = &fold->states[parts->grouping];
    for (size_t g = 0; g < states->n_groups; g++)
        if (states->rows[g * fold->layout.stride] != 0)
            HANSE_TRY(take_group(parts, fold, translations, g, error));
    return HANSE_OK;
}

hanse_status hanse_partitions_restore(hanse_partitions *parts, size_t leftover,
                                      hanse_error *error)
{
    const hanse_partition *from = hanse_partitions_leftovers(parts);
    int64_t numbers[HANSE_TUPLE_WIDTH_MAX];
    const uint32_t mask =
        hanse_partition_numbers(parts, from, leftover, numbers);
    hanse_partition *partition;
    HANSE_TRY(find_owner(parts, numbers, mask, &partition, error));
    return merge_locked(parts, partition, numbers, mask, from->fold, 0,
                        leftover, error);
}
