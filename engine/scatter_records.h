/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows on their way to partitions, packed into records of 64-bit words: a head
 * (the row's place in its page, or the mask of missing keys), for hashed
 * partitions the key numbers, then the measures, then a bit per measure for
 * missing integers.
 */
#ifndef HANSE_ENGINE_SCATTER_RECORDS_H
#define HANSE_ENGINE_SCATTER_RECORDS_H

#include <string.h>

#include "engine/fold.h"

typedef struct hanse_record_shape {
    size_t n_keys; /* key words */
    size_t n_measures;
    size_t n_absent_words;
    size_t words; /* of a record */
} hanse_record_shape;

hanse_record_shape hanse_record_shape_of(const hanse_plan *plan, size_t n_keys);

/* The words behind the keys, from a row of a block. */
static inline void hanse_record_store_measures(const hanse_record_shape *shape,
                                               const hanse_block *block,
                                               size_t row, uint64_t *out)
{
    for (size_t m = 0; m < shape->n_measures; m++)
        out[m] = (uint64_t)block->values[m][row];
    if (shape->n_absent_words == 0)
        return;
    uint64_t *bits = out + shape->n_measures;
    memset(bits, 0, shape->n_absent_words * sizeof *bits);
    for (size_t m = 0; m < shape->n_measures; m++)
        if (block->any_absent[m] && block->absent[m][row])
            bits[m / 64] |= (uint64_t)1 << (m % 64);
}

/* Heads of n records, and their measures as rows 0 to n - 1 of a block. */
void hanse_records_unpack(const hanse_record_shape *shape,
                          const hanse_plan *plan, const uint64_t *records,
                          size_t n, uint32_t *heads, hanse_block *block);

#endif
