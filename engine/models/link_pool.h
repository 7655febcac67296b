/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory in blocks, for chains of links whose lengths nobody knows before the
 * last link is read. It is taken from the budget in pieces, and threads carve
 * blocks from slabs of their own, so that they meet once in many blocks.
 */
#ifndef HANSE_ENGINE_MODELS_LINK_POOL_H
#define HANSE_ENGINE_MODELS_LINK_POOL_H

#include <pthread.h>

#include "engine/base/memory.h"

enum {
    HANSE_LINK_BLOCK = 1 << 10,                /* bytes; aligned to them */
    HANSE_LINK_SLAB = 1 << 14,                 /* blocks of a thread */
    HANSE_LINK_PIECE_MAX = 2 << 20,            /* one huge page */
    HANSE_LINK_PIECE_MIN = 2 * HANSE_LINK_SLAB /* a slab and the piece's head */
};

typedef struct hanse_link_pool {
    hanse_budget *budget;
    size_t piece_bytes;
    pthread_mutex_t *lock; /* for what follows */
    struct link_piece *pieces;
    char *next; /* what is left of the last piece */
    char *end;
} hanse_link_pool;

/* What a thread has left; zero-initialise. */
typedef struct hanse_link_slab {
    char *next;
    char *end;
} hanse_link_slab;

/* Pieces of HANSE_LINK_PIECE_MIN to HANSE_LINK_PIECE_MAX bytes; `lock` may be
 * that of other pools and stays the caller's. */
void hanse_link_pool_init(hanse_link_pool *pool, hanse_budget *budget,
                          size_t piece_bytes, pthread_mutex_t *lock);

/* An uninitialised block, from the slab or a new one; NULL when the budget or
 * memory is exhausted. A slab belongs to one pool and one thread. */
char *hanse_link_pool_take(hanse_link_pool *pool, hanse_link_slab *slab);

/* Gives all memory back; after that slabs of the pool are not to be used. */
void hanse_link_pool_clear(hanse_link_pool *pool);

/* The most that pools take for n_blocks blocks in all. */
uint64_t hanse_link_pool_bytes(uint64_t n_blocks, size_t n_pools,
                               size_t n_threads, size_t piece_bytes);

#endif
