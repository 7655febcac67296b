/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of pairs. Both sides are powers of two and grow by doubling.
 */
#include "engine/pair_table.h"

#include <string.h>

enum {
    FIRST_PARENTS = 8,
    FIRST_SHIFT = 3,
    STEP = 64, /* pairs looked up at a time */
    /* As for range tables of integers: 1 MiB in any case, and beyond that no
     * more than the states of the groups take. */
    SMALL = 1 << 18,
    PER_PAIR = 4
};

void hanse_pair_table_clear(hanse_pair_table *table, hanse_budget *budget)
{
    hanse_free(budget, table->codes, table->n_parents << table->shift,
               sizeof *table->codes);
    *table = (hanse_pair_table){0};
}

/* Makes the table anew, with all pairs of the map. */
static hanse_status rebuild(hanse_pair_table *table, const hanse_int_map *map,
                            size_t n_parents, unsigned shift,
                            hanse_error *error)
{
    const size_t n = n_parents << shift;
    uint32_t *codes = hanse_allocate(map->budget, n, sizeof *codes);
    if (codes == NULL)
        return hanse_fail_budget(error, map->budget, "table of pairs of keys",
                                 n, sizeof *codes);
    memset(codes, 0xff, n * sizeof *codes);
    for (size_t i = 0; i < map->n; i++) {
        const uint64_t pair = (uint64_t)map->values[i];
        codes[(size_t)(pair >> 32) << shift | (uint32_t)pair] = (uint32_t)i;
    }
    hanse_pair_table_clear(table, map->budget);
    *table = (hanse_pair_table){codes, n_parents, shift, false};
    return HANSE_OK;
}

/* Makes the table reach all pairs of the rows, or gives it up. */
static hanse_status reach(hanse_pair_table *table, const hanse_int_map *map,
                          const hanse_pair_rows *rows, hanse_error *error)
{
    size_t n_parents = table->codes == NULL ? FIRST_PARENTS : table->n_parents;
    unsigned shift = table->codes == NULL ? FIRST_SHIFT : table->shift;
    const uint64_t most =
        map->n * PER_PAIR > SMALL ? (uint64_t)map->n * PER_PAIR : SMALL;
    while (n_parents < rows->n_parents)
        n_parents *= 2;
    while ((size_t)1 << shift < rows->n_codes)
        shift++;
    if (table->codes != NULL && n_parents == table->n_parents &&
        shift == table->shift)
        return HANSE_OK;
    if (n_parents > most >> shift) {
        hanse_pair_table_clear(table, map->budget);
        table->is_off = true;
        return HANSE_OK;
    }
    return rebuild(table, map, n_parents, shift, error);
}

static hanse_status codes_of_map(hanse_int_map *map,
                                 const hanse_pair_rows *rows, uint32_t *out,
                                 hanse_error *error)
{
    for (size_t i = 0; i < rows->n; i++)
        rows->scratch[i] = hanse_pair_of(rows->parents[i], rows->codes[i]);
    return hanse_int_map_codes(map, rows->scratch, rows->n, out, error);
}

/* Codes of n pairs that the table holds; false when one of them is not there.
 * No branch depends on a pair. */
static bool table_codes(const hanse_pair_table *table, const uint32_t *parents,
                        const uint32_t *codes, size_t n, uint32_t *out)
{
    bool all = true;
    for (size_t i = 0; i < n; i++) {
        out[i] = table->codes[(size_t)parents[i] << table->shift | codes[i]];
        all = all & (out[i] != HANSE_CODE_NONE);
    }
    return all;
}

hanse_status hanse_pair_table_codes(hanse_pair_table *table, hanse_int_map *map,
                                    const hanse_pair_rows *rows, uint32_t *out,
                                    hanse_error *error)
{
    if (!table->is_off)
        HANSE_TRY(reach(table, map, rows, error));
    if (table->is_off)
        return codes_of_map(map, rows, out, error);
    for (size_t first = 0; first < rows->n; first += STEP) {
        const uint32_t *parents = rows->parents + first;
        const uint32_t *codes = rows->codes + first;
        const size_t n = rows->n - first < STEP ? rows->n - first : STEP;
        if (table_codes(table, parents, codes, n, out + first))
            continue;
        for (size_t i = 0; i < n; i++) {
            uint32_t *place =
                &table->codes[(size_t)parents[i] << table->shift | codes[i]];
            const int64_t pair = hanse_pair_of(parents[i], codes[i]);
            if (*place == HANSE_CODE_NONE)
                HANSE_TRY(hanse_int_map_codes(map, &pair, 1, place, error));
            out[first + i] = *place;
        }
    }
    return HANSE_OK;
}
