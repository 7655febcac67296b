/* SPDX-License-Identifier: Apache-2.0
 *
 * A part of the groups: the rows whose keys hash to it. Keys that are published
 * alike, such as codes with the same label, fall into the same part.
 */
#include <string.h>

#include "engine/fold.h"
#include "engine/order.h"

/* Steele, Lea, Flood 2014. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t n)
{
    for (; n >= sizeof hash; n -= sizeof hash, bytes += sizeof hash) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        hash = mix(hash ^ word);
    }
    uint64_t word = n + 1;
    for (size_t i = 0; i < n; i++)
        word = (word << 8) | (uint8_t)bytes[i];
    return mix(hash ^ word);
}

static uint64_t hash_value(uint64_t hash, const hanse_plan_key *key,
                           const hanse_array *array, size_t row)
{
    int64_t value = 0;
    if (array->missing != NULL && array->missing[row])
        return mix(hash + 1);
    if (key->type == HANSE_TEXT) {
        const char *bytes = array->values != NULL ? array->values : "";
        const int32_t start = array->offsets[row];
        return hash_bytes(hash, bytes + start,
                          (size_t)(array->offsets[row + 1] - start));
    }
    const size_t size_bytes = hanse_type_size(key->type);
    memcpy(&value, (const char *)array->values + row * size_bytes, size_bytes);
    if (key->n_labels == 0)
        return mix(hash ^ mix((uint64_t)value + 2));
    /* Labels are few: sign extension makes the code what they are sorted by. */
    const unsigned shift = (unsigned)(8 * (sizeof value - size_bytes));
    if (key->type <= HANSE_INT64)
        value = (int64_t)((uint64_t)value << shift) >> shift;
    char buffer[32];
    size_t length;
    const char *text = hanse_label_text(key, value, buffer, &length);
    return hash_bytes(hash, text, length);
}

/* Hashes of one more key into those of the block's rows. */
static hanse_status hash_key(hanse_fold *fold, size_t k,
                             const hanse_batch *batch, size_t first, size_t n,
                             uint64_t *hashes, hanse_error *error)
{
    const hanse_block *block = &fold->block;
    const hanse_plan_key *key = &fold->plan->keys[k];
    const hanse_array *array = NULL;
    hanse_array made;
    if (key->source == HANSE_KEY_COLUMN) {
        array = &batch->arrays[key->field];
    } else {
        /* Made once more for the rows that are left, and counted then. */
        const uint64_t n_unmapped = fold->made[k].n_unmapped;
        HANSE_TRY(
            hanse_made_key_values(fold, k, batch, first, n, &made, error));
        fold->made[k].n_unmapped = n_unmapped;
        array = &made;
        first = 0;
    }
    for (size_t i = 0; i < block->n; i++)
        hashes[i] =
            hash_value(hashes[i], key, array,
                       first + (block->kept != NULL ? block->kept[i] : i));
    return HANSE_OK;
}

hanse_status hanse_block_take_part(hanse_fold *fold, const hanse_batch *batch,
                                   size_t first, size_t n, hanse_error *error)
{
    hanse_block *block = &fold->block;
    uint64_t hashes[HANSE_BLOCK_ROWS];
    size_t n_kept = 0;
    for (size_t i = 0; i < block->n; i++)
        hashes[i] = fold->part.seed;
    for (size_t k = 0; k < fold->plan->n_keys; k++)
        HANSE_TRY(hash_key(fold, k, batch, first, n, hashes, error));
    for (size_t i = 0; i < block->n; i++)
        if ((uint32_t)(hashes[i] % fold->part.n) == fold->part.index)
            block->kept_buffer[n_kept++] =
                block->kept != NULL ? block->kept[i] : (uint16_t)i;
    block->kept = block->kept_buffer;
    block->n = n_kept;
    return HANSE_OK;
}
