/* SPDX-License-Identifier: Apache-2.0
 *
 * Text key maps: a hash table over an arena of texts. Open addressing with
 * linear probing, filled to a half at the most. A batch is looked up in three
 * sweeps, each of which asks for what the next one reads: the slot, then the
 * words of its text. Only for texts of more than 15 bytes are bytes compared.
 */
#include "engine/key_map.h"

#include "engine/base/seed.h"

#include <endian.h>
#include <string.h>

enum {
    FIRST_CAPACITY = 64,
    FIRST_BYTES = 1024,
    FIRST_SLOTS = 128,
    /* Texts up to this length are all in their words. */
    SHORT_LENGTH = 15
};

/* No text has the last code, so that this is never a used slot. */
static const uint64_t free_slot = UINT64_MAX;

void hanse_text_map_init(hanse_text_map *map, hanse_budget *budget)
{
    *map = (hanse_text_map){.budget = budget,
                            .seeds = {hanse_hash_seed(), hanse_hash_seed()}};
}

static void free_texts(hanse_text_map *map)
{
    hanse_free(map->budget, map->starts, map->capacity + 1,
               sizeof *map->starts);
    hanse_free(map->budget, map->words, map->capacity, sizeof *map->words);
}

void hanse_text_map_clear(hanse_text_map *map)
{
    hanse_free(map->budget, map->bytes, map->capacity_bytes, 1);
    free_texts(map);
    hanse_free(map->budget, map->slots, map->n_slots, sizeof *map->slots);
    hanse_text_map_init(map, map->budget);
}

/* ---- Words and hashes --------------------------------------------------- */

static inline uint64_t load(const void *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return le64toh(word);
}

/* 16 bytes from SHORT_LENGTH - n on keep the first n of 16 bytes. */
static const uint8_t kept_bytes[SHORT_LENGTH + 16] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* Of a text from which on 16 bytes may be read. */
static inline hanse_text_words words_of_16(const char *text, size_t length)
{
    const size_t kept = length < SHORT_LENGTH ? length : SHORT_LENGTH;
    const uint8_t *mask = kept_bytes + (SHORT_LENGTH - kept);
    const uint64_t shown = kept + (length > SHORT_LENGTH);
    return (hanse_text_words){load(text) & load(mask),
                              (load(text + 8) & load(mask + 8)) | shown << 56};
}

static hanse_text_words words_of(const char *text, size_t length)
{
    char bytes[16] = {0};
    if (length != 0)
        memcpy(bytes, text, length < sizeof bytes ? length : sizeof bytes);
    return words_of_16(bytes, length);
}

/* Multiply and fold (after wyhash, Wang Yi 2019). */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* What is beyond the words, 16 bytes at a time, the last ones in any case. */
static __attribute__((noinline)) uint64_t fold_rest(const hanse_text_map *map,
                                                    uint64_t h,
                                                    const char *text,
                                                    size_t length)
{
    for (size_t i = SHORT_LENGTH; i + 16 < length; i += 16)
        h = fold(load(text + i) ^ h, load(text + i + 8) ^ map->seeds[1]);
    h = fold(load(text + length - 16) ^ h,
             load(text + length - 8) ^ map->seeds[1]);
    return h ^ length;
}

/* Both factors hold a number that nobody knows: texts cannot be chosen so that
 * they meet. */
static inline uint64_t hash_of(const hanse_text_map *map,
                               hanse_text_words words, const char *text,
                               size_t length)
{
    uint64_t h = fold(words.low ^ map->seeds[0], words.high ^ map->seeds[1]);
    if (length > SHORT_LENGTH)
        h = fold_rest(map, h, text, length);
    return fold(h, 0xe7037ed1a0b428dbu);
}

/* ---- Growing ------------------------------------------------------------ */

static hanse_status grow_texts(hanse_text_map *map, hanse_error *error)
{
    const size_t wanted =
        map->capacity == 0 ? FIRST_CAPACITY : 2 * map->capacity;
    uint64_t *starts =
        hanse_allocate_zero(map->budget, wanted + 1, sizeof *starts);
    hanse_text_words *words =
        hanse_allocate(map->budget, wanted, sizeof *words);
    if (starts == NULL || words == NULL) {
        hanse_free(map->budget, starts, wanted + 1, sizeof *starts);
        hanse_free(map->budget, words, wanted, sizeof *words);
        return hanse_fail_budget(error, map->budget, "text keys", wanted,
                                 sizeof *starts + sizeof *words);
    }
    if (map->n != 0) {
        memcpy(starts, map->starts, (map->n + 1) * sizeof *starts);
        memcpy(words, map->words, map->n * sizeof *words);
    }
    free_texts(map);
    map->starts = starts;
    map->words = words;
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

static inline uint64_t make_slot(uint64_t hash, size_t code)
{
    return (hash & 0xffffffff00000000u) | code;
}

static hanse_status grow_slots(hanse_text_map *map, hanse_error *error)
{
    const size_t wanted = map->n_slots == 0 ? FIRST_SLOTS : 2 * map->n_slots;
    uint64_t *slots = hanse_allocate(map->budget, wanted, sizeof *slots);
    if (slots == NULL)
        return hanse_fail_budget(error, map->budget, "hash table of texts",
                                 wanted, sizeof *slots);
    memset(slots, 0xff, wanted * sizeof *slots);
    for (size_t code = 0; code < map->n; code++) {
        size_t length;
        const char *text = hanse_text_map_text(map, code, &length);
        const uint64_t hash = hash_of(map, map->words[code], text, length);
        size_t at = (size_t)hash & (wanted - 1);
        while (slots[at] != free_slot)
            at = (at + 1) & (wanted - 1);
        slots[at] = make_slot(hash, code);
    }
    hanse_free(map->budget, map->slots, map->n_slots, sizeof *slots);
    map->slots = slots;
    map->n_slots = wanted;
    return HANSE_OK;
}

/* Slots for n more texts. */
static hanse_status reserve(hanse_text_map *map, size_t n, hanse_error *error)
{
    while (2 * (map->n + n) > map->n_slots)
        HANSE_TRY(grow_slots(map, error));
    return HANSE_OK;
}

/* ---- Looking up --------------------------------------------------------- */

/* A text with all that a look-up needs. */
typedef struct probe {
    const char *text;
    size_t length;
    hanse_text_words words;
    uint64_t hash;
} probe;

static inline bool same_words(hanse_text_words a, hanse_text_words b)
{
    return a.low == b.low && a.high == b.high;
}

static inline bool is_text(const hanse_text_map *map, uint32_t code,
                           const probe *p)
{
    size_t length;
    if (!same_words(map->words[code], p->words))
        return false;
    if (p->length <= SHORT_LENGTH)
        return true;
    const char *known = hanse_text_map_text(map, code, &length);
    return length == p->length &&
           memcmp(known + SHORT_LENGTH, p->text + SHORT_LENGTH,
                  length - SHORT_LENGTH) == 0;
}

/* Slot of a text, or the free slot where it belongs. */
static inline size_t find_slot(const hanse_text_map *map, const probe *p)
{
    const size_t mask = map->n_slots - 1;
    size_t at = (size_t)p->hash & mask;
    for (; map->slots[at] != free_slot; at = (at + 1) & mask)
        if ((map->slots[at] ^ p->hash) >> 32 == 0 &&
            is_text(map, (uint32_t)map->slots[at], p))
            break;
    return at;
}

static hanse_status append(hanse_text_map *map, const probe *p,
                           hanse_error *error)
{
    if (map->n >= HANSE_CODE_NONE - 1)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "more than %u distinct texts in one key column",
                          HANSE_CODE_NONE - 1);
    if (map->n == map->capacity)
        HANSE_TRY(grow_texts(map, error));
    if (map->n_bytes + p->length > map->capacity_bytes)
        HANSE_TRY(grow_bytes(map, map->n_bytes + p->length, error));
    if (p->length != 0)
        memcpy(map->bytes + map->n_bytes, p->text, p->length);
    map->n_bytes += p->length;
    map->words[map->n] = p->words;
    map->n++;
    map->starts[map->n] = map->n_bytes;
    return HANSE_OK;
}

static __attribute__((noinline)) hanse_status
look_up(hanse_text_map *map, const probe *p, uint32_t *code, hanse_error *error)
{
    size_t at = find_slot(map, p);
    if (map->slots[at] == free_slot) {
        if (2 * (map->n + 1) > map->n_slots) {
            HANSE_TRY(reserve(map, 1, error));
            at = find_slot(map, p);
        }
        HANSE_TRY(append(map, p, error));
        map->slots[at] = make_slot(p->hash, map->n - 1);
    }
    *code = (uint32_t)map->slots[at];
    return HANSE_OK;
}

static probe make_probe(const hanse_text_map *map, const char *text,
                        size_t length)
{
    probe p = {text, length, words_of(text, length), 0};
    p.hash = hash_of(map, p.words, text, length);
    return p;
}

uint32_t hanse_text_map_find(const hanse_text_map *map, const char *text,
                             size_t length)
{
    if (map->n_slots == 0)
        return HANSE_CODE_NONE;
    const probe p = make_probe(map, text, length);
    /* The free slot ends in HANSE_CODE_NONE. */
    return (uint32_t)map->slots[find_slot(map, &p)];
}

hanse_status hanse_text_map_code(hanse_text_map *map, const char *text,
                                 size_t length, uint32_t *code,
                                 hanse_error *error)
{
    const probe p = make_probe(map, text, length);
    if (map->n_slots == 0)
        HANSE_TRY(reserve(map, 1, error));
    return look_up(map, &p, code, error);
}

/* ---- Batches ------------------------------------------------------------ */

static void find_words(const hanse_text_batch *batch, hanse_text_words *words)
{
    for (size_t i = 0; i < batch->n; i++) {
        const char *text = batch->texts[i];
        if (batch->end != NULL && batch->end - text >= 16)
            words[i] = words_of_16(text, batch->lengths[i]);
        else
            words[i] = words_of(text, batch->lengths[i]);
    }
}

/* Codes of texts whose words are known. */
static hanse_status codes_of(hanse_text_map *map, const hanse_text_batch *batch,
                             const hanse_text_words *words, uint32_t *codes,
                             hanse_error *error)
{
    uint64_t hashes[HANSE_TEXT_BATCH];
    if (map->n_slots == 0)
        HANSE_TRY(reserve(map, 1, error));
    size_t mask = map->n_slots - 1;
    for (size_t i = 0; i < batch->n; i++) {
        hashes[i] = hash_of(map, words[i], batch->texts[i], batch->lengths[i]);
        __builtin_prefetch(&map->slots[hashes[i] & mask]);
    }
    for (size_t i = 0; i < batch->n; i++) {
        const uint64_t slot = map->slots[hashes[i] & mask];
        if (slot != free_slot)
            __builtin_prefetch(&map->words[(uint32_t)slot]);
    }
    for (size_t i = 0; i < batch->n; i++) {
        /* Most texts are known, short and in the first place. */
        const uint64_t slot = map->slots[hashes[i] & mask];
        if ((slot ^ hashes[i]) >> 32 == 0 && slot != free_slot &&
            batch->lengths[i] <= SHORT_LENGTH &&
            same_words(map->words[(uint32_t)slot], words[i])) {
            codes[i] = (uint32_t)slot;
            continue;
        }
        const probe p = {batch->texts[i], batch->lengths[i], words[i],
                         hashes[i]};
        HANSE_TRY(look_up(map, &p, &codes[i], error));
        mask = map->n_slots - 1;
    }
    return HANSE_OK;
}

hanse_status hanse_text_map_codes(hanse_text_map *map,
                                  const hanse_text_batch *batch,
                                  uint32_t *codes, hanse_error *error)
{
    hanse_text_words words[HANSE_TEXT_BATCH];
    find_words(batch, words);
    return codes_of(map, batch, words, codes, error);
}

hanse_status hanse_text_map_take(hanse_text_map *map,
                                 const hanse_text_map *other, size_t first,
                                 size_t n, uint32_t *codes, hanse_error *error)
{
    hanse_text_batch batch;
    for (size_t done = 0; done < n; done += batch.n) {
        const size_t from = first + done;
        batch.n = n - done < HANSE_TEXT_BATCH ? n - done : HANSE_TEXT_BATCH;
        for (size_t i = 0; i < batch.n; i++)
            batch.texts[i] =
                hanse_text_map_text(other, from + i, &batch.lengths[i]);
        HANSE_TRY(
            codes_of(map, &batch, other->words + from, codes + done, error));
    }
    return HANSE_OK;
}
