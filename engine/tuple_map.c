/* SPDX-License-Identifier: Apache-2.0
 *
 * Open addressing with linear probing, filled to a half at the most. A batch is
 * looked up in three sweeps, each of which asks for what the next one reads.
 */
#include "engine/tuple_map.h"

#include <string.h>

#include "engine/base/seed.h"

enum {
    FIRST_CAPACITY = 64
};

/* A tag above, a code below. No tuple has the last code, so that this is never
 * a used slot. */
static const uint64_t free_slot = UINT64_MAX;
static const size_t most_codes = UINT32_MAX - 1;
/* As many as there are tags; then codes fill them. */
static const size_t most_slots = (size_t)1 << 32;

void hanse_tuple_map_init(hanse_tuple_map *map, size_t width,
                          hanse_budget *budget)
{
    *map = (hanse_tuple_map){
        .budget = budget, .seed = hanse_hash_seed(), .width = width};
}

void hanse_tuple_map_clear(hanse_tuple_map *map)
{
    hanse_free(map->budget, map->tuples, map->capacity,
               map->width * sizeof *map->tuples);
    hanse_free(map->budget, map->masks, map->capacity, sizeof *map->masks);
    hanse_free(map->budget, map->slots, map->n_slots, sizeof *map->slots);
    hanse_tuple_map_init(map, map->width, map->budget);
}

/* Multiply and fold (after wyhash, Wang Yi 2019). */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Two numbers at a time; both factors hold a number that nobody knows. */
static inline uint64_t hash_of(const int64_t *tuple, size_t width,
                               uint32_t mask, uint64_t seed)
{
    const uint64_t other = fold(seed, 0xa0761d6478bd642fu);
    uint64_t h = seed ^ mask;
    size_t k = 0;
    for (; k + 2 <= width; k += 2)
        h = fold((uint64_t)tuple[k] ^ h, (uint64_t)tuple[k + 1] ^ other);
    if (k < width)
        h = fold((uint64_t)tuple[k] ^ h, other);
    return fold(h, 0xe7037ed1a0b428dbu);
}

uint64_t hanse_tuple_hash(const int64_t *tuple, size_t width, uint32_t mask,
                          uint64_t seed)
{
    return hash_of(tuple, width, mask, seed);
}

/* ---- Growing ------------------------------------------------------------ */

static hanse_status grow_tuples(hanse_tuple_map *map, hanse_error *error)
{
    const size_t wanted =
        map->capacity == 0 ? FIRST_CAPACITY : 2 * map->capacity;
    const size_t tuple_bytes = map->width * sizeof *map->tuples;
    uint32_t *masks = NULL;
    if (map->masks != NULL) {
        masks = hanse_allocate_zero(map->budget, wanted, sizeof *masks);
        if (masks == NULL)
            return hanse_fail_budget(error, map->budget, "missing keys", wanted,
                                     sizeof *masks);
        memcpy(masks, map->masks, map->n * sizeof *masks);
    }
    int64_t *tuples = hanse_grow(map->budget, map->tuples, map->capacity,
                                 wanted, tuple_bytes);
    if (tuples == NULL) {
        hanse_free(map->budget, masks, wanted, sizeof *masks);
        return hanse_fail_budget(error, map->budget, "keys", wanted,
                                 tuple_bytes);
    }
    hanse_free(map->budget, map->masks, map->capacity, sizeof *masks);
    map->tuples = tuples;
    map->masks = masks;
    map->capacity = wanted;
    return HANSE_OK;
}

/* The place of a tuple follows from its tag, so that a larger table is made of
 * the slots alone. */
static inline uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

static inline uint64_t make_slot(uint32_t tag, size_t code)
{
    return (uint64_t)tag << 32 | code;
}

static hanse_status grow_slots(hanse_tuple_map *map, hanse_error *error)
{
    const size_t wanted =
        map->n_slots == 0 ? 2 * FIRST_CAPACITY : 2 * map->n_slots;
    uint64_t *slots = hanse_allocate(map->budget, wanted, sizeof *slots);
    if (slots == NULL)
        return hanse_fail_budget(error, map->budget, "hash table of keys",
                                 wanted, sizeof *slots);
    memset(slots, 0xff, wanted * sizeof *slots);
    for (size_t i = 0; i < map->n_slots; i++) {
        if (map->slots[i] == free_slot)
            continue;
        size_t at = tag_of(map->slots[i]) & (wanted - 1);
        while (slots[at] != free_slot)
            at = (at + 1) & (wanted - 1);
        slots[at] = map->slots[i];
    }
    hanse_free(map->budget, map->slots, map->n_slots, sizeof *slots);
    map->slots = slots;
    map->n_slots = wanted;
    return HANSE_OK;
}

/* Room for n more. */
static hanse_status reserve(hanse_tuple_map *map, size_t n, hanse_error *error)
{
    if (map->n + n > most_codes)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "more than %zu distinct keys in one partition",
                          most_codes);
    while (map->n + n > map->capacity)
        HANSE_TRY(grow_tuples(map, error));
    while (2 * (map->n + n) > map->n_slots && map->n_slots < most_slots)
        HANSE_TRY(grow_slots(map, error));
    return HANSE_OK;
}

/* ---- Codes -------------------------------------------------------------- */

static inline bool is_tuple(const hanse_tuple_map *map, size_t code,
                            const int64_t *tuple, uint32_t mask)
{
    const int64_t *known = map->tuples + code * map->width;
    for (size_t k = 0; k < map->width; k++)
        if (known[k] != tuple[k])
            return false;
    return hanse_tuple_map_mask(map, code) == mask;
}

static hanse_status append(hanse_tuple_map *map, const int64_t *tuple,
                           uint32_t mask, hanse_error *error)
{
    if (mask != 0 && map->masks == NULL) {
        map->masks =
            hanse_allocate_zero(map->budget, map->capacity, sizeof *map->masks);
        if (map->masks == NULL)
            return hanse_fail_budget(error, map->budget, "missing keys",
                                     map->capacity, sizeof *map->masks);
    }
    memcpy(map->tuples + map->n * map->width, tuple,
           map->width * sizeof *tuple);
    if (map->masks != NULL)
        map->masks[map->n] = mask;
    map->n++;
    return HANSE_OK;
}

hanse_status hanse_tuple_map_codes(hanse_tuple_map *map, const int64_t *tuples,
                                   const uint32_t *masks, size_t n,
                                   uint32_t *codes, hanse_error *error)
{
    uint32_t tags[HANSE_TUPLE_BATCH];
    HANSE_TRY(reserve(map, n, error));
    const size_t slot_mask = map->n_slots - 1;
    for (size_t i = 0; i < n; i++) {
        tags[i] = tag_of(
            hash_of(tuples + i * map->width, map->width, masks[i], map->seed));
        __builtin_prefetch(&map->slots[tags[i] & slot_mask]);
    }
    for (size_t i = 0; i < n; i++) {
        const uint64_t slot = map->slots[tags[i] & slot_mask];
        if (slot != free_slot)
            __builtin_prefetch(map->tuples + (uint32_t)slot * map->width);
    }
    for (size_t i = 0; i < n; i++) {
        const int64_t *tuple = tuples + i * map->width;
        size_t at = tags[i] & slot_mask;
        while (map->slots[at] != free_slot &&
               (tag_of(map->slots[at]) != tags[i] ||
                !is_tuple(map, (uint32_t)map->slots[at], tuple, masks[i])))
            at = (at + 1) & slot_mask;
        if (map->slots[at] == free_slot) {
            HANSE_TRY(append(map, tuple, masks[i], error));
            map->slots[at] = make_slot(tags[i], map->n - 1);
        }
        codes[i] = (uint32_t)map->slots[at];
    }
    return HANSE_OK;
}
