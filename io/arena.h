/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that is taken piece by piece and given back all at once.
 */
#ifndef HANSE_IO_ARENA_H
#define HANSE_IO_ARENA_H

#include <stddef.h>

typedef struct hanse_arena_chunk hanse_arena_chunk;

/* Initialise with zeros. */
typedef struct hanse_arena {
    hanse_arena_chunk *chunks; /* the one in use first */
    size_t used_bytes;         /* of the first */
} hanse_arena;

/* Zeroed memory, aligned to 16 bytes; NULL when there is none. */
void *hanse_arena_take(hanse_arena *arena, size_t size_bytes);

/* A copy of a text; NULL when memory is exhausted. */
char *hanse_arena_copy(hanse_arena *arena, const char *text);

/* Frees everything that was taken and makes the arena empty. */
void hanse_arena_clear(hanse_arena *arena);

#endif
