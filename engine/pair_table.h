/* SPDX-License-Identifier: Apache-2.0
 *
 * A short cut in front of the map of a composite key: while there are few
 * groups of the keys before times few codes of the last key, the code of a pair
 * stands in a table at the place that the two make. What it says, the map says,
 * too.
 */
#ifndef HANSE_ENGINE_PAIR_TABLE_H
#define HANSE_ENGINE_PAIR_TABLE_H

#include "engine/key_map.h"

/* Zero-initialised: none yet. */
typedef struct hanse_pair_table {
    uint32_t
        *codes; /* [parent << shift | code]; HANSE_CODE_NONE: ask the map */
    size_t n_parents;
    unsigned shift;
    bool is_off; /* it would be too long */
} hanse_pair_table;

/* Pairs of a block: parents[i] < n_parents with codes[i] < n_codes. */
typedef struct hanse_pair_rows {
    const uint32_t *parents;
    const uint32_t *codes;
    size_t n;
    size_t n_parents;
    size_t n_codes;
    int64_t *scratch; /* [n] */
} hanse_pair_rows;

static inline int64_t hanse_pair_of(uint32_t parent, uint32_t code)
{
    return (int64_t)((uint64_t)parent << 32 | code);
}

/* out[i] = code of pair i in the map; new pairs get new codes. Several threads,
 * each with a table of its own, may do so at the same time when all pairs are
 * known. */
hanse_status hanse_pair_table_codes(hanse_pair_table *table, hanse_int_map *map,
                                    const hanse_pair_rows *rows, uint32_t *out,
                                    hanse_error *error);

void hanse_pair_table_clear(hanse_pair_table *table, hanse_budget *budget);

#endif
