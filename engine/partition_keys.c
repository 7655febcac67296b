/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of groups in partitions: from a place back to the numbers that it was
 * made of, or from the map of a hashed partition.
 */
#include <string.h>

#include "engine/partitions.h"

/* The offset of a place in the range of each key. */
static void split_place(const hanse_partitions *parts, uint64_t place,
                        uint64_t *offsets)
{
    for (size_t k = parts->n_keys; k-- > 1;) {
        const uint64_t slots = hanse_partitions_key_slots(parts, k);
        offsets[k] = place % slots;
        place /= slots;
    }
    offsets[0] = place;
}

/* Offsets of a place that is `distance` further on, mostly near. */
static inline void advance(const hanse_partitions *parts, uint64_t distance,
                           uint64_t *offsets)
{
    for (size_t k = parts->n_keys; k-- > 1;) {
        const uint64_t slots = hanse_partitions_key_slots(parts, k);
        offsets[k] += distance;
        if (offsets[k] < slots)
            return;
        distance = offsets[k] / slots;
        offsets[k] -= distance * slots;
    }
    offsets[0] += distance;
}

/* The last offset of a range but the first stands for "missing". */
static inline uint32_t store_numbers(const hanse_partitions *parts,
                                     const uint64_t *offsets, int64_t *numbers)
{
    uint32_t mask = 0;
    numbers[0] = (int64_t)((uint64_t)parts->ranges[0].base + offsets[0]);
    for (size_t k = 1; k < parts->n_keys; k++) {
        const hanse_key_range *range = &parts->ranges[k];
        const bool is_missing = offsets[k] == range->extent;
        numbers[k] =
            is_missing ? 0 : (int64_t)((uint64_t)range->base + offsets[k]);
        mask |= (uint32_t)is_missing << k;
    }
    return mask;
}

static void gather_places(const hanse_partitions *parts,
                          const hanse_partition *page, const uint32_t *groups,
                          size_t n, int64_t *numbers, uint32_t *masks)
{
    const uint64_t first = (uint64_t)page->page * parts->page_slots;
    uint64_t offsets[HANSE_TUPLE_WIDTH_MAX] = {0};
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && groups[i] >= groups[i - 1])
            advance(parts, groups[i] - groups[i - 1], offsets);
        else
            split_place(parts, first + groups[i], offsets);
        masks[i] = store_numbers(parts, offsets, numbers + i * parts->n_keys);
    }
}

void hanse_partition_gather(const hanse_partitions *parts,
                            const hanse_partition *partition,
                            const uint32_t *groups, size_t n, int64_t *numbers,
                            uint32_t *masks)
{
    if (partition->page != SIZE_MAX) {
        gather_places(parts, partition, groups, n, numbers, masks);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(numbers + i * parts->n_keys,
               partition->map.tuples + groups[i] * parts->n_keys,
               parts->n_keys * sizeof *numbers);
        masks[i] = hanse_tuple_map_mask(&partition->map, groups[i]);
    }
}

uint32_t hanse_partition_numbers(const hanse_partitions *parts,
                                 const hanse_partition *partition, size_t group,
                                 int64_t *numbers)
{
    const uint32_t groups[1] = {(uint32_t)group};
    uint32_t mask;
    hanse_partition_gather(parts, partition, groups, 1, numbers, &mask);
    return mask;
}
