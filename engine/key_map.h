/* SPDX-License-Identifier: Apache-2.0
 *
 * Key maps: from key values to dense codes 0, 1, 2, ... in order of first
 * appearance. One thread owns one map; codes of two maps meet in a merge.
 *
 * An integer map looks codes up in a table indexed by the value while the
 * range of the values is small, and turns into a hash table when it is not. A
 * pair of codes, packed into an integer, is mapped the same way: that is how
 * composite keys are formed, one key column after another.
 *
 * Hashes start from a random number of each map, so that a table cannot be
 * made to send all its keys to one place. No code depends on a hash.
 */
#ifndef HANSE_ENGINE_KEY_MAP_H
#define HANSE_ENGINE_KEY_MAP_H

#include "engine/base/memory.h"

/* Codes are below this; it also means "none". */
#define HANSE_CODE_NONE UINT32_MAX

/* ---- Integers ----------------------------------------------------------- */

typedef struct hanse_int_map {
    hanse_budget *budget;
    uint64_t seed;   /* of the hash */
    int64_t *values; /* values[code]; uint64 keys by bit pattern */
    size_t n;
    size_t capacity;
    /* Range table: codes[value - base], while `hashed` is false. */
    int64_t base;
    size_t range;
    uint32_t *codes;
    /* Hash table of codes, a power of two long, HANSE_CODE_NONE where free. */
    bool hashed;
    uint32_t *slots;
    size_t n_slots;
} hanse_int_map;

void hanse_int_map_init(hanse_int_map *map, hanse_budget *budget);
void hanse_int_map_clear(hanse_int_map *map);

/* codes[i] = code of values[i], i < n; new values get new codes. */
hanse_status hanse_int_map_codes(hanse_int_map *map, const int64_t *values,
                                 size_t n, uint32_t *codes, hanse_error *error);

/* ---- Texts -------------------------------------------------------------- */

typedef struct hanse_text_map {
    hanse_budget *budget;
    uint64_t seed; /* of the hash */
    char *bytes;   /* all texts, one after another */
    size_t n_bytes;
    size_t capacity_bytes;
    uint64_t *starts; /* n + 1 offsets into bytes */
    uint64_t *hashes;
    size_t n;
    size_t capacity;
    uint32_t *slots;
    size_t n_slots;
} hanse_text_map;

void hanse_text_map_init(hanse_text_map *map, hanse_budget *budget);
void hanse_text_map_clear(hanse_text_map *map);

/* Code of one text (any bytes); a new text is copied and gets a new code. */
hanse_status hanse_text_map_code(hanse_text_map *map, const char *text,
                                 size_t length, uint32_t *code,
                                 hanse_error *error);

/* Code of a text that is there, HANSE_CODE_NONE for another. Several threads
 * may look for texts at the same time. */
uint32_t hanse_text_map_find(const hanse_text_map *map, const char *text,
                             size_t length);

static inline const char *hanse_text_map_text(const hanse_text_map *map,
                                              size_t code, size_t *length)
{
    *length = (size_t)(map->starts[code + 1] - map->starts[code]);
    /* There are no bytes while all texts are empty. */
    return map->bytes == NULL ? "" : map->bytes + map->starts[code];
}

#endif
