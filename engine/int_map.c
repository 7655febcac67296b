/* SPDX-License-Identifier: Apache-2.0
 *
 * Integer key maps: a range table that becomes a hash table.
 */
#include "engine/key_map.h"

#include "engine/base/seed.h"

#include <string.h>

enum {
    FIRST_CAPACITY = 64,
    RANGE_STEP = 64, /* values looked up at a time */
    /* A range table may be this long in any case (1 MiB of codes) ... */
    RANGE_SMALL = 1 << 18,
    /* ... and this many times the number of values beyond that, so that the
     * table stays about as large as the states that the codes lead to. */
    RANGE_PER_VALUE = 16
};

void hanse_int_map_init(hanse_int_map *map, hanse_budget *budget)
{
    *map = (hanse_int_map){.budget = budget, .seed = hanse_hash_seed()};
}

void hanse_int_map_clear(hanse_int_map *map)
{
    hanse_free(map->budget, map->values, map->capacity, sizeof *map->values);
    hanse_free(map->budget, map->codes, map->range, sizeof *map->codes);
    hanse_free(map->budget, map->slots, map->n_slots, sizeof *map->slots);
    hanse_int_map_init(map, map->budget);
}

/* Finaliser of MurmurHash3 (Appleby): every bit of the key reaches every bit
 * of the hash, so that keys in steps of a power of two spread evenly. */
static inline uint64_t hash_of(int64_t value, uint64_t seed)
{
    uint64_t h = (uint64_t)value ^ seed;
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
    return h ^ (h >> 33);
}

static hanse_status append(hanse_int_map *map, int64_t value, uint32_t *code,
                           hanse_error *error)
{
    if (map->n == map->capacity) {
        const size_t wanted =
            map->capacity == 0 ? FIRST_CAPACITY : 2 * map->capacity;
        int64_t *values = hanse_grow(map->budget, map->values, map->capacity,
                                     wanted, sizeof *values);
        if (values == NULL)
            return hanse_fail_budget(error, map->budget, "keys", wanted,
                                     sizeof *values);
        map->values = values;
        map->capacity = wanted;
    }
    if (map->n >= HANSE_CODE_NONE - 1)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "more than %u distinct keys in one grouping",
                          HANSE_CODE_NONE - 1);
    map->values[map->n] = value;
    *code = (uint32_t)map->n++;
    return HANSE_OK;
}

/* ---- Hash table --------------------------------------------------------- */

/* Slot of a value, or the free slot where it belongs. */
static inline size_t find_slot(const hanse_int_map *map, int64_t value)
{
    const size_t mask = map->n_slots - 1;
    size_t slot = (size_t)hash_of(value, map->seed) & mask;
    while (map->slots[slot] != HANSE_CODE_NONE &&
           map->values[map->slots[slot]] != value)
        slot = (slot + 1) & mask;
    return slot;
}

/* Tables are filled to a half at the most. */
static hanse_status rehash(hanse_int_map *map, size_t n_slots,
                           hanse_error *error)
{
    uint32_t *slots = hanse_allocate(map->budget, n_slots, sizeof *slots);
    if (slots == NULL)
        return hanse_fail_budget(error, map->budget, "hash table of keys",
                                 n_slots, sizeof *slots);
    hanse_free(map->budget, map->slots, map->n_slots, sizeof *slots);
    memset(slots, 0xff, n_slots * sizeof *slots);
    map->slots = slots;
    map->n_slots = n_slots;
    for (size_t code = 0; code < map->n; code++)
        slots[find_slot(map, map->values[code])] = (uint32_t)code;
    return HANSE_OK;
}

static hanse_status switch_to_hash(hanse_int_map *map, hanse_error *error)
{
    size_t n_slots = 4 * FIRST_CAPACITY;
    while (n_slots < 4 * map->n)
        n_slots *= 2;
    HANSE_TRY(rehash(map, n_slots, error));
    hanse_free(map->budget, map->codes, map->range, sizeof *map->codes);
    map->codes = NULL;
    map->range = 0;
    map->hashed = true;
    return HANSE_OK;
}

static hanse_status hashed_codes(hanse_int_map *map, const int64_t *values,
                                 size_t n, uint32_t *codes, hanse_error *error)
{
    for (size_t i = 0; i < n; i++) {
        size_t slot = find_slot(map, values[i]);
        if (map->slots[slot] == HANSE_CODE_NONE) {
            if (2 * (map->n + 1) > map->n_slots) {
                HANSE_TRY(rehash(map, 2 * map->n_slots, error));
                slot = find_slot(map, values[i]);
            }
            HANSE_TRY(append(map, values[i], &map->slots[slot], error));
        }
        codes[i] = map->slots[slot];
    }
    return HANSE_OK;
}

/* ---- Range table -------------------------------------------------------- */

/* Index in the range table; beyond its end when the value is outside. */
static inline size_t range_index(const hanse_int_map *map, int64_t value)
{
    return (size_t)((uint64_t)value - (uint64_t)map->base);
}

/* Makes the range table reach `value`, doubling towards it so that a rising
 * sequence of keys costs no more than its length; false when the range has
 * become too wide for its number of values. */
static bool widen_range(const hanse_int_map *map, int64_t value, int64_t *base,
                        size_t *range)
{
    int64_t low = map->n == 0 ? value : map->base;
    const uint64_t size = map->range;
    uint64_t wanted;
    if (value < low) {
        const uint64_t distance = (uint64_t)low - (uint64_t)value;
        uint64_t step = distance > size ? distance : size;
        if (step > (uint64_t)low - (uint64_t)INT64_MIN)
            step = (uint64_t)low - (uint64_t)INT64_MIN;
        wanted = size + step;
        if (wanted < step)
            return false;
        low = (int64_t)((uint64_t)low - step);
    } else {
        const uint64_t needed = (uint64_t)value - (uint64_t)low;
        wanted = needed >= 2 * size ? needed + 1 : 2 * size;
        if (needed == UINT64_MAX)
            return false;
    }
    if (wanted < FIRST_CAPACITY)
        wanted = FIRST_CAPACITY;
    uint64_t allowed = (uint64_t)map->n * RANGE_PER_VALUE;
    if (allowed < RANGE_SMALL)
        allowed = RANGE_SMALL;
    *base = low;
    *range = (size_t)wanted;
    return wanted <= allowed;
}

static hanse_status move_range(hanse_int_map *map, int64_t base, size_t range,
                               hanse_error *error)
{
    uint32_t *codes = hanse_allocate(map->budget, range, sizeof *codes);
    if (codes == NULL)
        return hanse_fail_budget(error, map->budget, "range table of keys",
                                 range, sizeof *codes);
    memset(codes, 0xff, range * sizeof *codes);
    hanse_free(map->budget, map->codes, map->range, sizeof *codes);
    map->codes = codes;
    map->base = base;
    map->range = range;
    for (size_t code = 0; code < map->n; code++)
        codes[range_index(map, map->values[code])] = (uint32_t)code;
    return HANSE_OK;
}

/* A value that the range table does not hold yet. */
static hanse_status add_ranged(hanse_int_map *map, int64_t value,
                               hanse_error *error)
{
    if (range_index(map, value) >= map->range) {
        int64_t base;
        size_t range;
        if (!widen_range(map, value, &base, &range))
            return switch_to_hash(map, error);
        HANSE_TRY(move_range(map, base, range, error));
    }
    uint32_t code;
    HANSE_TRY(append(map, value, &code, error));
    map->codes[range_index(map, value)] = code;
    return HANSE_OK;
}

/* Codes of values that the range table holds; false when one of them is not
 * there. No branch depends on a value. */
static bool ranged_codes(const hanse_int_map *map, const int64_t *values,
                         size_t n, uint32_t *codes)
{
    bool all = true;
    for (size_t i = 0; i < n; i++) {
        const size_t index = range_index(map, values[i]);
        const bool inside = index < map->range;
        codes[i] = map->codes[inside ? index : 0];
        all = all & inside & (codes[i] != HANSE_CODE_NONE);
    }
    return all;
}

hanse_status hanse_int_map_codes(hanse_int_map *map, const int64_t *values,
                                 size_t n, uint32_t *codes, hanse_error *error)
{
    size_t i = 0;
    while (i < n && !map->hashed) {
        const size_t left = n - i;
        const size_t m = left < RANGE_STEP ? left : RANGE_STEP;
        if (map->range != 0 && ranged_codes(map, values + i, m, codes + i)) {
            i += m;
            continue;
        }
        for (const size_t end = i + m; i < end && !map->hashed;) {
            const size_t index = range_index(map, values[i]);
            if (index < map->range && map->codes[index] != HANSE_CODE_NONE)
                codes[i++] = map->codes[index];
            else
                HANSE_TRY(add_ranged(map, values[i], error));
        }
    }
    if (i == n)
        return HANSE_OK;
    return hashed_codes(map, values + i, n - i, codes + i, error);
}
