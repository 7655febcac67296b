/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking records apart.
 */
#include "engine/scatter_records.h"

static size_t absent_words(const hanse_plan *plan)
{
    for (size_t m = 0; m < plan->n_measures; m++)
        if (plan->measures[m].number != HANSE_NUMBER_FLOAT)
            return (plan->n_measures + 63) / 64;
    return 0;
}

hanse_record_shape hanse_record_shape_of(const hanse_plan *plan, size_t n_keys)
{
    hanse_record_shape shape = {.n_keys = n_keys,
                                .n_measures = plan->n_measures,
                                .n_absent_words = absent_words(plan)};
    shape.words = 1 + n_keys + shape.n_measures + shape.n_absent_words;
    return shape;
}

/* Records of a head and up to three measures. Inlined with their number, so
 * that a record is read once. */
static inline __attribute__((always_inline)) void
unpack_short(const uint64_t *restrict records, size_t n, size_t n_measures,
             uint32_t *restrict heads, int64_t *const *values)
{
    int64_t *restrict x = values[0];
    int64_t *restrict y = n_measures > 1 ? values[1] : NULL;
    int64_t *restrict z = n_measures > 2 ? values[2] : NULL;
    for (size_t i = 0; i < n; i++) {
        const uint64_t *record = records + i * (1 + n_measures);
        heads[i] = (uint32_t)record[0];
        x[i] = (int64_t)record[1];
        if (n_measures > 1)
            y[i] = (int64_t)record[2];
        if (n_measures > 2)
            z[i] = (int64_t)record[3];
    }
}

static void unpack_values(const hanse_record_shape *shape,
                          const uint64_t *records, size_t n, uint32_t *heads,
                          int64_t *const *values)
{
    switch (shape->words == 1 + shape->n_measures ? shape->n_measures : 0) {
    case 1:
        unpack_short(records, n, 1, heads, values);
        return;
    case 2:
        unpack_short(records, n, 2, heads, values);
        return;
    case 3:
        unpack_short(records, n, 3, heads, values);
        return;
    default:
        break;
    }
    const uint64_t *measures = records + 1 + shape->n_keys;
    for (size_t i = 0; i < n; i++)
        heads[i] = (uint32_t)records[i * shape->words];
    for (size_t m = 0; m < shape->n_measures; m++)
        for (size_t i = 0; i < n; i++)
            values[m][i] = (int64_t)measures[i * shape->words + m];
}

void hanse_records_unpack(const hanse_record_shape *shape,
                          const hanse_plan *plan, const uint64_t *records,
                          size_t n, uint32_t *heads, hanse_block *block)
{
    const uint64_t *bits = records + 1 + shape->n_keys + shape->n_measures;
    block->n = n;
    unpack_values(shape, records, n, heads, block->values);
    for (size_t m = 0; m < shape->n_measures; m++) {
        block->any_absent[m] = false;
        if (plan->measures[m].number == HANSE_NUMBER_FLOAT)
            continue;
        uint8_t any = 0;
        for (size_t i = 0; i < n; i++) {
            block->absent[m][i] =
                (bits[i * shape->words + m / 64] >> (m % 64)) & 1;
            any |= block->absent[m][i];
        }
        block->any_absent[m] = any != 0;
    }
}
