/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces in a list, each with its head in front of its blocks.
 */
#include "engine/models/link_pool.h"

#include <assert.h>

typedef struct link_piece {
    struct link_piece *next;
} link_piece;

void hanse_link_pool_init(hanse_link_pool *pool, hanse_budget *budget,
                          size_t piece_bytes, pthread_mutex_t *lock)
{
    assert(piece_bytes >= HANSE_LINK_PIECE_MIN);
    *pool = (hanse_link_pool){
        .budget = budget, .piece_bytes = piece_bytes, .lock = lock};
}

static char *block_above(const char *address)
{
    const uintptr_t mask = HANSE_LINK_BLOCK - 1;
    return (char *)(((uintptr_t)address + mask) & ~mask);
}

static bool add_piece(hanse_link_pool *pool)
{
    link_piece *piece = hanse_allocate(pool->budget, pool->piece_bytes, 1);
    if (piece == NULL)
        return false;
    piece->next = pool->pieces;
    pool->pieces = piece;
    pool->next = block_above((char *)(piece + 1));
    pool->end = (char *)piece + pool->piece_bytes;
    return true;
}

static bool take_slab(hanse_link_pool *pool, hanse_link_slab *slab)
{
    (void)pthread_mutex_lock(pool->lock);
    const bool found =
        pool->end - pool->next >= HANSE_LINK_BLOCK || add_piece(pool);
    if (found) {
        const ptrdiff_t left = pool->end - pool->next;
        const ptrdiff_t taken = left < HANSE_LINK_SLAB ? left : HANSE_LINK_SLAB;
        *slab = (hanse_link_slab){pool->next, pool->next + taken};
        pool->next += taken;
    }
    (void)pthread_mutex_unlock(pool->lock);
    return found;
}

char *hanse_link_pool_take(hanse_link_pool *pool, hanse_link_slab *slab)
{
    if (slab->end - slab->next < HANSE_LINK_BLOCK && !take_slab(pool, slab))
        return NULL;
    char *block = slab->next;
    slab->next += HANSE_LINK_BLOCK;
    return block;
}

void hanse_link_pool_clear(hanse_link_pool *pool)
{
    while (pool->pieces != NULL) {
        link_piece *piece = pool->pieces;
        pool->pieces = piece->next;
        hanse_free(pool->budget, piece, pool->piece_bytes, 1);
    }
    pool->next = pool->end = NULL;
}

/* Every thread has a slab begun in every pool, every pool a piece; a head and
 * what is left at the end of a piece are two blocks. */
uint64_t hanse_link_pool_bytes(uint64_t n_blocks, size_t n_pools,
                               size_t n_threads, size_t piece_bytes)
{
    const uint64_t most = n_blocks + (uint64_t)n_pools * n_threads *
                                         (HANSE_LINK_SLAB / HANSE_LINK_BLOCK);
    const uint64_t of_piece = piece_bytes / HANSE_LINK_BLOCK - 2;
    return (most / of_piece + n_pools) * (uint64_t)piece_bytes;
}
