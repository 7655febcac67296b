/* SPDX-License-Identifier: Apache-2.0
 *
 * Links dealt out as dealing and gathering share them.
 *
 * An entry is a link in the bucket of its target: weight, source and the number
 * of the row within the bucket, packed, 14 bytes or less. The entries of a
 * bucket lie in chains of blocks, one chain of each part. A cursor points
 * behind the last entry, at the end of its block when that is full.
 */
#ifndef HANSE_ENGINE_MODELS_LINK_DEALER_STATE_H
#define HANSE_ENGINE_MODELS_LINK_DEALER_STATE_H

#include "engine/models/link_dealer.h"
#include "engine/models/link_pool.h"

enum {
    HANSE_LINK_SHELVES_MAX = 8,
    LINE_BYTES = 64 /* of the cache */
};

/* At the front of a block; entries fill the rest to its last byte. */
typedef struct link_block {
    char *before;      /* cursor of the block before; NULL: none */
    uint64_t n_before; /* entries of all blocks before */
} link_block;

/* What an entry has beside the row, in this order. */
typedef struct entry_layout {
    bool has_weight;
    bool has_source;
} entry_layout;

static inline size_t entry_bytes(entry_layout layout)
{
    return (layout.has_weight ? sizeof(double) : 0) +
           (layout.has_source ? sizeof(uint32_t) : 0) + sizeof(uint16_t);
}

/* Where the entries of a block begin. */
static inline size_t entries_begin(entry_layout layout)
{
    return sizeof(link_block) +
           (HANSE_LINK_BLOCK - sizeof(link_block)) % entry_bytes(layout);
}

static inline size_t entries_of_block(entry_layout layout)
{
    return (HANSE_LINK_BLOCK - sizeof(link_block)) / entry_bytes(layout);
}

/* The first link with a wrong weight. */
typedef struct bad_weight {
    uint64_t link; /* UINT64_MAX: none */
    uint32_t source;
    uint32_t target;
    double weight;
} bad_weight;

struct hanse_link_part {
    hanse_link_part *next;
    hanse_link_dealer *dealer;
    char **cursors; /* [bucket]; NULL: no entries */
    hanse_link_slab slabs[HANSE_LINK_SHELVES_MAX];
    bad_weight bad;
};

/* Buckets stand on shelves, consecutive ones on the same, and each shelf has
 * memory of its own, which is given back when its buckets are done. */
struct hanse_link_dealer {
    hanse_link_dealing how;
    entry_layout layout;
    unsigned shift; /* log2 of the rows of a bucket */
    size_t n_buckets;
    size_t n_shelves;
    size_t shelf_buckets; /* of all shelves but the last */
    hanse_link_pool shelves[HANSE_LINK_SHELVES_MAX];
    pthread_mutex_t lock; /* for the shelves and the list of parts */
    hanse_link_part *parts;
};

/* Gives back all that was dealt, and the parts. */
void hanse_link_dealer_empty(hanse_link_dealer *dealer);

/* The block that a cursor is in. */
static inline char *block_of(const char *cursor)
{
    return (char *)(((uintptr_t)cursor - 1) &
                    ~((uintptr_t)HANSE_LINK_BLOCK - 1));
}

#endif
