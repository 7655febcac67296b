/* SPDX-License-Identifier: Apache-2.0
 *
 * How often each value occurs in each group: one hash table. A count in it has
 * 32 bits; what goes beyond is kept apart, which takes four billion equal
 * values of a group.
 *
 * Hashes start from a random number, so that a table cannot be made to send
 * all its values to one place; no result depends on them.
 */
#ifndef HANSE_ENGINE_VALUE_COUNTS_H
#define HANSE_ENGINE_VALUE_COUNTS_H

#include "engine/extras.h"

/* So many of a value, as a block has it, in a group. */
typedef struct hanse_value_item {
    int64_t value;
    uint64_t count; /* at least 1 */
    uint32_t group;
} hanse_value_item;

typedef struct hanse_value_slot {
    int64_t value;
    uint32_t group;
    uint32_t count; /* 0: free */
} hanse_value_slot;

typedef struct hanse_value_counts {
    hanse_budget *budget; /* of what is beyond the slots */
    uint64_t seed;
    hanse_value_slot *slots; /* of the caller */
    size_t n_slots;
    size_t n;                /* in use, always fewer than there are */
    hanse_group_array large; /* of hanse_value_item, counts beyond 32 bits */
} hanse_value_counts;

/* What a table says of one group. */
typedef struct hanse_value_summary {
    uint64_t n_values;
    uint64_t count; /* of the mode; 0: no value */
    int64_t mode;
} hanse_value_summary;

static inline uint64_t hanse_value_mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}

static inline uint64_t hanse_value_hash(int64_t value, uint32_t group,
                                        uint64_t seed)
{
    return hanse_value_mix(hanse_value_mix((uint64_t)value ^ seed) +
                           group * 0x9e3779b97f4a7c15u);
}

/* Where a value with this hash is looked for first: by the lower half, since a
 * table may hold a range of hashes only. */
static inline size_t hanse_value_place(const hanse_value_counts *counts,
                                       uint64_t hash)
{
    const uint64_t turned = hash << 32 | hash >> 32;
    return (size_t)(((unsigned __int128)turned * counts->n_slots) >> 64);
}

static inline void hanse_value_counts_prefetch(const hanse_value_counts *counts,
                                               uint64_t hash)
{
    __builtin_prefetch(&counts->slots[hanse_value_place(counts, hash)], 1);
}

/* The slot of a value, or the free one where it would be. */
hanse_value_slot *hanse_value_counts_find(const hanse_value_counts *counts,
                                          int64_t value, uint32_t group,
                                          uint64_t hash);

/* Adds an item; there is a free slot beside the one it may take. */
hanse_status hanse_value_counts_add(hanse_value_counts *counts,
                                    const hanse_value_item *item, uint64_t hash,
                                    hanse_error *error);

/* Takes out what has a hash beyond `last`. */
void hanse_value_counts_purge(hanse_value_counts *counts, uint64_t last);

/* Adds values whose hashes are not beyond `last` to the summaries of their
 * groups; no other table that is added to the same summaries holds one of
 * them. Returns how many there are. */
uint64_t hanse_value_counts_summarise(const hanse_value_counts *counts,
                                      uint64_t last, hanse_number number,
                                      hanse_value_summary *summaries);

#endif
