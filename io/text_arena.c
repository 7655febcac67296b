/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of blocks, filled from the front. A piece that does not fit into the
 * newest block starts another.
 */
#include "io/text_arena.h"

enum {
    BLOCK_BYTES = 1 << 18
};

struct hanse_arena_block {
    hanse_arena_block *older;
    size_t capacity; /* bytes, without this head */
    size_t used;
    char bytes[];
};

static hanse_arena_block *add_block(hanse_text_arena *arena, size_t size_bytes)
{
    const size_t capacity = size_bytes > BLOCK_BYTES ? size_bytes : BLOCK_BYTES;
    hanse_arena_block *block =
        hanse_allocate(arena->budget, 1, sizeof *block + capacity);
    if (block == NULL) {
        arena->refused_bytes = sizeof *block + capacity;
        return NULL;
    }
    block->older = arena->blocks;
    block->capacity = capacity;
    block->used = 0;
    arena->blocks = block;
    return block;
}

void *hanse_text_arena_allocate(size_t size_bytes, void *context)
{
    hanse_text_arena *arena = context;
    hanse_arena_block *block = arena->blocks;
    if (size_bytes > hanse_arena_limit - arena->used_bytes) {
        arena->is_full = true;
        return NULL;
    }
    if (block == NULL || block->capacity - block->used < size_bytes)
        block = add_block(arena, size_bytes);
    if (block == NULL)
        return NULL;
    void *piece = block->bytes + block->used;
    block->used += size_bytes;
    arena->used_bytes += size_bytes;
    return piece;
}

void hanse_text_arena_free(void *memory, void *context)
{
    (void)memory;
    (void)context;
}

void hanse_text_arena_reset(hanse_text_arena *arena)
{
    while (arena->blocks != NULL) {
        hanse_arena_block *block = arena->blocks;
        arena->blocks = block->older;
        hanse_free(arena->budget, block, 1, sizeof *block + block->capacity);
    }
    arena->used_bytes = 0;
    arena->refused_bytes = 0;
    arena->is_full = false;
}
