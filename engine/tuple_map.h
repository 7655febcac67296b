/* SPDX-License-Identifier: Apache-2.0
 *
 * Tuple maps: from combinations of key numbers to codes 0, 1, 2, ... in order
 * of first appearance. A tuple is `width` numbers and a mask of those that are
 * missing. One thread at a time uses a map.
 *
 * Hashes start from a random number of each map, so that a table cannot be
 * made to send all its keys to one place. No code depends on a hash.
 */
#ifndef HANSE_ENGINE_TUPLE_MAP_H
#define HANSE_ENGINE_TUPLE_MAP_H

#include "engine/base/memory.h"

enum {
    HANSE_TUPLE_WIDTH_MAX = 32, /* bits of a mask */
    HANSE_TUPLE_BATCH = 256
};

typedef struct hanse_tuple_map {
    hanse_budget *budget;
    uint64_t seed;
    size_t width;
    size_t n;
    size_t capacity;
    int64_t *tuples; /* [code][width] */
    uint32_t *masks; /* [code]; NULL while no number was missing */
    uint64_t *slots; /* tag above, code below; a power of two */
    size_t n_slots;
} hanse_tuple_map;

/* width from 1 to HANSE_TUPLE_WIDTH_MAX. */
void hanse_tuple_map_init(hanse_tuple_map *map, size_t width,
                          hanse_budget *budget);
void hanse_tuple_map_clear(hanse_tuple_map *map);

/* Hash of a tuple, of which every bit depends on every bit of the tuple. The
 * number at a place that the mask marks counts, too: let it be 0. */
uint64_t hanse_tuple_hash(const int64_t *tuple, size_t width, uint32_t mask,
                          uint64_t seed);

/* codes[i] of n tuples, n <= HANSE_TUPLE_BATCH; new ones get new codes. */
hanse_status hanse_tuple_map_codes(hanse_tuple_map *map, const int64_t *tuples,
                                   const uint32_t *masks, size_t n,
                                   uint32_t *codes, hanse_error *error);

static inline uint32_t hanse_tuple_map_mask(const hanse_tuple_map *map,
                                            size_t code)
{
    return map->masks == NULL ? 0 : map->masks[code];
}

#endif
