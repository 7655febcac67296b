/* SPDX-License-Identifier: Apache-2.0
 *
 * Text key maps: a hash table over an arena of texts.
 */
#include "engine/key_map.h"

#include "engine/base/seed.h"

#include <string.h>

enum {
    FIRST_CAPACITY = 64,
    FIRST_BYTES = 1024
};

void hanse_text_map_init(hanse_text_map *map, hanse_budget *budget)
{
    *map = (hanse_text_map){.budget = budget, .seed = hanse_hash_seed()};
}

void hanse_text_map_clear(hanse_text_map *map)
{
    hanse_free(map->budget, map->bytes, map->capacity_bytes, 1);
    hanse_free(map->budget, map->starts, map->capacity + 1,
               sizeof *map->starts);
    hanse_free(map->budget, map->hashes, map->capacity, sizeof *map->hashes);
    hanse_free(map->budget, map->slots, map->n_slots, sizeof *map->slots);
    hanse_text_map_init(map, map->budget);
}

/* Multiply and fold, eight bytes at a time (after wyhash, Wang Yi 2019). */
static uint64_t fold(uint64_t a, uint64_t b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_of(const char *text, size_t length, uint64_t seed)
{
    uint64_t h = seed ^ length;
    for (size_t i = 0; i < length; i += 8) {
        uint64_t word = 0;
        memcpy(&word, text + i, length - i < 8 ? length - i : 8);
        h = fold(h ^ word, 0xa0761d6478bd642fu);
    }
    return fold(h, 0xe7037ed1a0b428dbu);
}

static hanse_status grow_texts(hanse_text_map *map, hanse_error *error)
{
    const size_t wanted =
        map->capacity == 0 ? FIRST_CAPACITY : 2 * map->capacity;
    uint64_t *starts =
        hanse_allocate_zero(map->budget, wanted + 1, sizeof *starts);
    uint64_t *hashes = hanse_allocate(map->budget, wanted, sizeof *hashes);
    if (starts == NULL || hashes == NULL) {
        hanse_free(map->budget, starts, wanted + 1, sizeof *starts);
        hanse_free(map->budget, hashes, wanted, sizeof *hashes);
        return hanse_fail_budget(error, map->budget, "text keys", wanted,
                                 2 * sizeof *starts);
    }
    if (map->n != 0) {
        memcpy(starts, map->starts, (map->n + 1) * sizeof *starts);
        memcpy(hashes, map->hashes, map->n * sizeof *hashes);
    }
    hanse_free(map->budget, map->starts, map->capacity + 1, sizeof *starts);
    hanse_free(map->budget, map->hashes, map->capacity, sizeof *hashes);
    map->starts = starts;
    map->hashes = hashes;
    map->capacity = wanted;
    return HANSE_OK;
}

static hanse_status grow_bytes(hanse_text_map *map, size_t needed,
                               hanse_error *error)
{
    size_t wanted =
        map->capacity_bytes == 0 ? FIRST_BYTES : 2 * map->capacity_bytes;
    if (wanted < needed)
        wanted = needed;
    char *bytes =
        hanse_grow(map->budget, map->bytes, map->capacity_bytes, wanted, 1);
    if (bytes == NULL)
        return hanse_fail_budget(error, map->budget, "bytes of text keys",
                                 wanted, 1);
    map->bytes = bytes;
    map->capacity_bytes = wanted;
    return HANSE_OK;
}

static hanse_status grow_slots(hanse_text_map *map, hanse_error *error)
{
    const size_t n_slots =
        map->n_slots == 0 ? 4 * FIRST_CAPACITY : 2 * map->n_slots;
    uint32_t *slots = hanse_allocate(map->budget, n_slots, sizeof *slots);
    if (slots == NULL)
        return hanse_fail_budget(error, map->budget, "hash table of texts",
                                 n_slots, sizeof *slots);
    memset(slots, 0xff, n_slots * sizeof *slots);
    for (size_t code = 0; code < map->n; code++) {
        size_t slot = (size_t)map->hashes[code] & (n_slots - 1);
        while (slots[slot] != HANSE_CODE_NONE)
            slot = (slot + 1) & (n_slots - 1);
        slots[slot] = (uint32_t)code;
    }
    hanse_free(map->budget, map->slots, map->n_slots, sizeof *slots);
    map->slots = slots;
    map->n_slots = n_slots;
    return HANSE_OK;
}

static bool text_is(const hanse_text_map *map, uint32_t code, uint64_t hash,
                    const char *text, size_t length)
{
    size_t known_length;
    const char *known = hanse_text_map_text(map, code, &known_length);
    return map->hashes[code] == hash && known_length == length &&
           (length == 0 || memcmp(known, text, length) == 0);
}

uint32_t hanse_text_map_find(const hanse_text_map *map, const char *text,
                             size_t length)
{
    if (map->n_slots == 0)
        return HANSE_CODE_NONE;
    const uint64_t hash = hash_of(text, length, map->seed);
    const size_t mask = map->n_slots - 1;
    size_t slot = (size_t)hash & mask;
    while (map->slots[slot] != HANSE_CODE_NONE &&
           !text_is(map, map->slots[slot], hash, text, length))
        slot = (slot + 1) & mask;
    return map->slots[slot];
}

hanse_status hanse_text_map_code(hanse_text_map *map, const char *text,
                                 size_t length, uint32_t *code,
                                 hanse_error *error)
{
    const uint64_t hash = hash_of(text, length, map->seed);
    if (2 * (map->n + 1) > map->n_slots)
        HANSE_TRY(grow_slots(map, error));
    const size_t mask = map->n_slots - 1;
    size_t slot = (size_t)hash & mask;
    for (; map->slots[slot] != HANSE_CODE_NONE; slot = (slot + 1) & mask) {
        if (text_is(map, map->slots[slot], hash, text, length)) {
            *code = map->slots[slot];
            return HANSE_OK;
        }
    }
    if (map->n >= HANSE_CODE_NONE - 1)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "more than %u distinct texts in one key column",
                          HANSE_CODE_NONE - 1);
    if (map->n == map->capacity)
        HANSE_TRY(grow_texts(map, error));
    if (map->n_bytes + length > map->capacity_bytes)
        HANSE_TRY(grow_bytes(map, map->n_bytes + length, error));
    if (length != 0)
        memcpy(map->bytes + map->n_bytes, text, length);
    map->n_bytes += length;
    map->hashes[map->n] = hash;
    map->starts[map->n + 1] = map->n_bytes;
    map->slots[slot] = (uint32_t)map->n;
    *code = (uint32_t)map->n++;
    return HANSE_OK;
}
