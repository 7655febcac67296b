/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory for the variable-length texts of one read: many small pieces, given
 * back all at once, within a budget.
 */
#ifndef HANSE_IO_TEXT_ARENA_H
#define HANSE_IO_TEXT_ARENA_H

#include "engine/base/memory.h"

typedef struct hanse_arena_block hanse_arena_block;

/* Set the budget, zero the rest. */
typedef struct hanse_text_arena {
    hanse_budget *budget; /* borrowed, may be NULL */
    hanse_arena_block *blocks;
    size_t used_bytes;    /* given out since the last reset */
    size_t refused_bytes; /* what the budget or memory did not give; 0: none */
    bool is_full;         /* the limit below was reached */
} hanse_text_arena;

/* Bytes that one arena gives out at most: the texts of a morsel, whose offsets
 * are int32_t, with a terminator each. */
static const size_t hanse_arena_limit = (size_t)INT32_MAX * 2;

/* A piece of memory; NULL when budget, memory or limit is exhausted. Has the
 * signature that HDF5 asks for; `arena` is a hanse_text_arena. */
void *hanse_text_arena_allocate(size_t size_bytes, void *arena);

/* Does nothing; also for HDF5. */
void hanse_text_arena_free(void *memory, void *arena);

/* Gives everything back. */
void hanse_text_arena_reset(hanse_text_arena *arena);

#endif
