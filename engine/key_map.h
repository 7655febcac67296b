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

enum {
    HANSE_TEXT_BATCH = 256
};

/* What tells texts apart at a glance: the first 15 bytes, with zeros after the
 * end, and the length, or 16 for all longer texts. Texts of up to 15 bytes are
 * equal when their words are. */
typedef struct hanse_text_words {
    uint64_t low;
    uint64_t high; /* bytes 8 to 14; the length on top */
} hanse_text_words;

typedef struct hanse_text_map {
    hanse_budget *budget;
    uint64_t seeds[2]; /* of the hash */
    char *bytes;       /* all texts, one after another */
    size_t n_bytes;
    size_t capacity_bytes;
    uint64_t *starts;        /* n + 1 offsets into bytes */
    hanse_text_words *words; /* [n] */
    size_t n;
    size_t capacity;
    uint64_t *slots; /* hash above, code below; a power of two */
    size_t n_slots;
} hanse_text_map;

/* Texts to be looked up together: n <= HANSE_TEXT_BATCH. */
typedef struct hanse_text_batch {
    const char *texts[HANSE_TEXT_BATCH]; /* any bytes; not NULL */
    size_t lengths[HANSE_TEXT_BATCH];
    size_t n;
    /* What is between a text and this end may be read, whatever it is; NULL:
     * only the texts may. */
    const char *end;
} hanse_text_batch;

void hanse_text_map_init(hanse_text_map *map, hanse_budget *budget);
void hanse_text_map_clear(hanse_text_map *map);

/* codes[i] of the texts of a batch; new texts are copied and get new codes.
 * Several threads may do so at the same time when all texts are known. */
hanse_status hanse_text_map_codes(hanse_text_map *map,
                                  const hanse_text_batch *batch,
                                  uint32_t *codes, hanse_error *error);

/* Code of one text (any bytes; NULL when it has none). */
hanse_status hanse_text_map_code(hanse_text_map *map, const char *text,
                                 size_t length, uint32_t *code,
                                 hanse_error *error);

/* codes[i] of the n texts that have the codes first + i in another map. */
hanse_status hanse_text_map_take(hanse_text_map *map,
                                 const hanse_text_map *other, size_t first,
                                 size_t n, uint32_t *codes, hanse_error *error);

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
