/* SPDX-License-Identifier: Apache-2.0
 *
 * Groupings with very many groups. One copy of the states per thread would fill
 * the memory, and merging them would take longer than the fold. So the threads
 * share one copy, cut into partitions with a lock each: a thread collects the
 * rows of a partition (scatter.h) and adds some hundred at a time. States are
 * exact, so that the order in which the threads come changes nothing.
 *
 * Where the numbers of the keys fill a range, a row's place follows from them
 * by arithmetic: pages of consecutive places, in the order of the keys. Other
 * rows, and those outside that range, are spread over partitions by a hash and
 * found through a map.
 */
#ifndef HANSE_ENGINE_PARTITIONS_H
#define HANSE_ENGINE_PARTITIONS_H

#include <pthread.h>

#include "engine/dictionary.h"
#include "engine/fold.h"
#include "engine/spill.h"
#include "engine/tuple_map.h"

/* Rows of a partition in the spill. */
typedef struct hanse_extent {
    uint64_t place;
    size_t n_rows;
} hanse_extent;

typedef struct hanse_partition {
    pthread_mutex_t lock;
    size_t page;           /* of places; SIZE_MAX: hashed */
    hanse_fold *fold;      /* a single grouping; NULL: no row yet */
    hanse_tuple_map map;   /* of a hashed one: its groups */
    hanse_extent *extents; /* rows in the spill, [n_extents] */
    size_t n_extents;
    size_t extent_capacity;
} hanse_partition;

/* One range of places per key: number `base` + i, i < extent, then one place
 * for "missing", which the first key does not have. */
typedef struct hanse_key_range {
    int64_t base;
    uint64_t extent;
} hanse_key_range;

typedef struct hanse_partitions {
    const hanse_plan *plan; /* of the run */
    size_t grouping;
    size_t n_keys;
    const size_t *keys; /* indices into plan->keys */
    hanse_budget *budget;
    /* What a partition's fold is made like: a plan with one grouping whose
     * groups are numbered from outside. */
    hanse_plan view;
    hanse_plan_grouping view_grouping;
    hanse_plan_node view_node;
    hanse_fold *prototype;
    /* Places: ((n0 * slots1) + n1) * slots2 + n2 ..., page by page. */
    bool is_dense;
    hanse_key_range ranges[HANSE_TUPLE_WIDTH_MAX];
    size_t page_slots;
    uint64_t page_inverse; /* of page_slots: hanse_partitions_page_of */
    size_t n_pages;
    _Atomic(hanse_partition *) *pages;
    /* One more than there are: groups that no partition had memory for. */
    hanse_partition *hashed;
    unsigned hashed_bits; /* there are 2^bits */
    uint64_t seed;
    _Atomic bool any_missing[HANSE_TUPLE_WIDTH_MAX]; /* [key] */
    hanse_spill *spill;                              /* NULL: none; borrowed */
    uint64_t most_bytes;     /* in use, beyond which new groups go there */
    _Atomic bool is_spilled; /* some rows are there */
    pthread_mutex_t lock;    /* new pages */
} hanse_partitions;

/* What the threads of a run share. */
typedef struct hanse_shared {
    const hanse_plan *plan;
    hanse_budget *budget;
    uint64_t n_rows; /* of the source */
    size_t n_threads;
    size_t share_bytes;   /* states of a grouping in one thread beyond which it
                             is shared */
    size_t page_bytes;    /* states of a partition */
    hanse_spill *spill;   /* NULL: none; borrowed */
    uint64_t most_bytes;  /* in use, beyond which new groups go there */
    bool hash_only;       /* no places by arithmetic; for tests */
    bool defers_rows;     /* tables may be made row by row, later */
    pthread_mutex_t lock; /* decisions */
    _Atomic(hanse_partitions *) *partitions; /* [grouping]; NULL: not shared */
    hanse_dictionary *dictionaries;          /* [key], of texts */
} hanse_shared;

hanse_status hanse_shared_init(hanse_shared *shared, const hanse_plan *plan,
                               hanse_budget *budget, uint64_t n_rows,
                               size_t n_threads, hanse_error *error);
void hanse_shared_clear(hanse_shared *shared);

/* Partitions for a grouping, shaped after what a thread's fold has seen of it:
 * ranges of keys, number of groups, windows. */
hanse_status hanse_partitions_create(const hanse_shared *shared,
                                     const hanse_fold *seen, size_t grouping,
                                     hanse_partitions **out,
                                     hanse_error *error);
void hanse_partitions_destroy(hanse_partitions *parts);

static inline uint64_t hanse_partitions_key_slots(const hanse_partitions *parts,
                                                  size_t position)
{
    return parts->ranges[position].extent + (position == 0 ? 0 : 1);
}

/* Page of a place: place / page_slots, by the upper word of a product. */
static inline size_t hanse_partitions_page_of(const hanse_partitions *parts,
                                              uint64_t place)
{
    const unsigned __int128 product =
        (unsigned __int128)place * parts->page_inverse;
    return (size_t)(product >> 64);
}

/* Partition of a page, made when it is new. */
hanse_status hanse_partitions_page(hanse_partitions *parts, size_t page,
                                   hanse_partition **out, hanse_error *error);

/* Makes sure, under the partition's lock, that it has states for the groups
 * 0 .. n_groups - 1. */
hanse_status hanse_partition_reserve(hanse_partitions *parts,
                                     hanse_partition *partition,
                                     size_t n_groups, hanse_error *error);

/* Under the lock: whether rows for n_groups groups (in all) would need memory
 * that had better be left to others, and can go to the spill. */
bool hanse_partition_must_spill(const hanse_partitions *parts,
                                const hanse_partition *partition,
                                size_t n_groups);

/* Under the lock: keeps rows (records of scatter.c) in the spill. */
hanse_status hanse_partition_spill(hanse_partitions *parts,
                                   hanse_partition *partition,
                                   const void *records, size_t n_rows,
                                   size_t row_bytes, hanse_error *error);

/* Partition `owner`: pages, then hashed ones. NULL: no row came. */
static inline hanse_partition *
hanse_partitions_owner(const hanse_partitions *parts, size_t owner)
{
    return owner < parts->n_pages ? atomic_load(&parts->pages[owner])
                                  : &parts->hashed[owner - parts->n_pages];
}
static inline size_t hanse_partitions_count(const hanse_partitions *parts)
{
    return parts->n_pages + ((size_t)1 << parts->hashed_bits);
}

/* Gives back all that a partition holds. */
void hanse_partition_release(hanse_partition *partition);

/* Adds the states of all groups that a thread's fold has of the grouping. The
 * numbers of text keys come from `translations` [key]. What would need memory
 * that is short is left over. */
hanse_status hanse_partitions_take(hanse_partitions *parts,
                                   const hanse_fold *fold,
                                   const hanse_translation *translations,
                                   hanse_error *error);

/* The groups left over. */
static inline hanse_partition *
hanse_partitions_leftovers(const hanse_partitions *parts)
{
    return &parts->hashed[(size_t)1 << parts->hashed_bits];
}

/* Owner of a group that was left over; and adds it to that partition. */
size_t hanse_partitions_owner_of(const hanse_partitions *parts,
                                 const int64_t *numbers, uint32_t mask);
hanse_status hanse_partitions_restore(hanse_partitions *parts, size_t leftover,
                                      hanse_error *error);

/* The numbers of n groups' keys, those of groups[i] from numbers[i * n_keys]
 * on, and masks[i] of those that are missing (0 there); quickest where groups
 * ascend. */
void hanse_partition_gather(const hanse_partitions *parts,
                            const hanse_partition *partition,
                            const uint32_t *groups, size_t n, int64_t *numbers,
                            uint32_t *masks);

/* The same of one group; returns its mask. */
uint32_t hanse_partition_numbers(const hanse_partitions *parts,
                                 const hanse_partition *partition, size_t group,
                                 int64_t *numbers);

#endif
