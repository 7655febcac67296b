/* SPDX-License-Identifier: Apache-2.0
 *
 * The index as making it and looking up share it.
 */
#ifndef HANSE_ENGINE_MODELS_ROW_IDS_STATE_H
#define HANSE_ENGINE_MODELS_ROW_IDS_STATE_H

#include <stdatomic.h>
#include <string.h>

#include "engine/models/row_ids.h"
#include "engine/tuple_map.h"

#define HANSE_NO_ROW UINT32_MAX

enum {
    HANSE_ID_BLOCK = 256 /* ids looked up at a time */
};

typedef struct text_id {
    const char *text;
    uint32_t length;
    uint32_t tag; /* low bits of the hash; the slot comes from the high ones */
} text_id;

/* Of the hash table: a place that a row has taken. */
typedef struct id_slot {
    uint64_t key;         /* the integer, or the hash of the text */
    _Atomic uint32_t row; /* HANSE_NO_ROW: free */
} id_slot;

/* Bytes of texts. */
typedef struct text_block {
    struct text_block *next;
    size_t size_bytes;
    char bytes[];
} text_block;

struct hanse_row_ids {
    hanse_budget *budget;
    char *name; /* of the column */
    hanse_type type;
    size_t n_rows;
    uint64_t seeds[2];
    uint8_t *missing; /* [row] */
    int64_t *numbers; /* [row]; uint64 by bits; until the index is made */
    text_id *texts;   /* [row]; only for texts */
    text_block *_Atomic blocks;
    /* One of the two, after hanse_row_ids_finish. */
    uint32_t *range; /* [id - base] */
    size_t n_range;
    int64_t base;
    id_slot *slots;
    size_t n_slots;
};

static inline bool is_text(const hanse_row_ids *ids)
{
    return ids->type == HANSE_TEXT;
}

static inline bool is_integer(const hanse_field *field)
{
    return field->type <= HANSE_UINT64 && field->n_labels == 0;
}

static inline uint64_t fold_words(uint64_t a, uint64_t b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Multiply and fold, 16 bytes at a time (after wyhash, Wang Yi 2019). Both
 * factors hold a number that nobody knows. */
static inline uint64_t hash_text(const hanse_row_ids *ids, const char *text,
                                 size_t length)
{
    uint64_t h = ids->seeds[0] ^ length;
    for (size_t i = 0; i < length; i += 16) {
        uint64_t words[2] = {0};
        memcpy(words, text + i, length - i < 16 ? length - i : 16);
        h = fold_words(words[0] ^ h, words[1] ^ ids->seeds[1]);
    }
    return fold_words(h, 0xe7037ed1a0b428dbu ^ ids->seeds[1]);
}

static inline text_id text_at(const hanse_row_ids *ids, const char *bytes,
                              const int32_t *offsets, size_t i, uint64_t *hash)
{
    const uint32_t length = (uint32_t)(offsets[i + 1] - offsets[i]);
    const char *text = length == 0 ? "" : bytes + offsets[i];
    *hash = hash_text(ids, text, length);
    return (text_id){text, length, (uint32_t)*hash};
}

static inline uint64_t hash_number(const hanse_row_ids *ids, int64_t number)
{
    return hanse_tuple_hash(&number, 1, 0, ids->seeds[0]);
}

/* The high bits choose among any number of slots. */
static inline size_t slot_of(const hanse_row_ids *ids, uint64_t hash)
{
    return (size_t)(((unsigned __int128)hash * ids->n_slots) >> 64);
}

static inline bool texts_equal(const text_id *a, const text_id *b)
{
    return a->tag == b->tag && a->length == b->length &&
           memcmp(a->text, b->text, a->length) == 0;
}

#endif
