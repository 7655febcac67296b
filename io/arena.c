/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of chunks; small pieces share one, a large piece has its own.
 */
#include "io/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_BYTES = 1 << 16,
    ALIGNMENT = 16
};

struct hanse_arena_chunk {
    hanse_arena_chunk *next;
    size_t size_bytes;
    _Alignas(ALIGNMENT) unsigned char memory[];
};

void *hanse_arena_take(hanse_arena *arena, size_t size_bytes)
{
    if (size_bytes > SIZE_MAX / 2)
        return NULL;
    const size_t rounded = (size_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    hanse_arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->size_bytes - arena->used_bytes < rounded) {
        const size_t room = rounded > CHUNK_BYTES ? rounded : CHUNK_BYTES;
        chunk = calloc(1, sizeof *chunk + room);
        if (chunk == NULL)
            return NULL;
        chunk->size_bytes = room;
        chunk->next = arena->chunks;
        arena->chunks = chunk;
        arena->used_bytes = 0;
    }
    void *piece = chunk->memory + arena->used_bytes;
    arena->used_bytes += rounded;
    return piece;
}

char *hanse_arena_copy(hanse_arena *arena, const char *text)
{
    const size_t size_bytes = strlen(text) + 1;
    char *copy = hanse_arena_take(arena, size_bytes);
    if (copy != NULL)
        memcpy(copy, text, size_bytes);
    return copy;
}

void hanse_arena_clear(hanse_arena *arena)
{
    while (arena->chunks != NULL) {
        hanse_arena_chunk *next = arena->chunks->next;
        free(arena->chunks);
        arena->chunks = next;
    }
    arena->used_bytes = 0;
}
