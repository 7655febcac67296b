/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys that are made: formulas, conditions, bins, and columns through a
 * mapping. For a block of rows each becomes an array like a column's, so that
 * what comes after knows no difference.
 */
#include <inttypes.h>
#include <string.h>

#include "engine/fold.h"

/* ---- Buffers ------------------------------------------------------------ */

hanse_status hanse_made_keys_init(hanse_fold *fold, hanse_error *error)
{
    const hanse_plan *plan = fold->plan;
    for (size_t k = 0; k < plan->n_keys; k++) {
        hanse_made_key *made = &fold->made[k];
        if (plan->keys[k].source == HANSE_KEY_COLUMN)
            continue;
        made->values = hanse_allocate(fold->budget, HANSE_BLOCK_ROWS,
                                      sizeof *made->values);
        made->missing = hanse_allocate(fold->budget, HANSE_BLOCK_ROWS, 1);
        made->numbers = hanse_allocate(fold->budget, HANSE_BLOCK_ROWS,
                                       sizeof *made->numbers);
        if (made->values == NULL || made->missing == NULL ||
            made->numbers == NULL)
            return hanse_fail_budget(error, fold->budget, "values of a key",
                                     HANSE_BLOCK_ROWS, sizeof *made->values);
    }
    return HANSE_OK;
}

void hanse_made_keys_clear(hanse_fold *fold)
{
    for (size_t k = 0; fold->made != NULL && k < fold->plan->n_keys; k++) {
        hanse_made_key *made = &fold->made[k];
        hanse_free(fold->budget, made->values, HANSE_BLOCK_ROWS,
                   sizeof *made->values);
        hanse_free(fold->budget, made->missing, HANSE_BLOCK_ROWS, 1);
        hanse_free(fold->budget, made->numbers, HANSE_BLOCK_ROWS,
                   sizeof *made->numbers);
    }
}

/* The rows first .. first + n - 1 of a batch, and what they become. */
typedef struct block_rows {
    hanse_fold *fold;
    const hanse_plan_key *key;
    hanse_made_key *made;
    const hanse_batch *batch;
    size_t first;
    size_t n;
    bool any_missing;
} block_rows;

/* ---- Formulas ----------------------------------------------------------- */

static inline bool fits_int64(double x)
{
    return x >= (double)INT64_MIN && x < -(double)INT64_MIN;
}

/* The first kept row whose number is neither missing nor an integer. */
static hanse_status fail_number(const block_rows *b, hanse_error *error)
{
    const hanse_block *block = &b->fold->block;
    for (size_t i = 0; i < block->n; i++) {
        const size_t row = block->kept != NULL ? block->kept[i] : i;
        const double x = b->made->numbers[row];
        const uint64_t number = b->fold->batch_first_row + b->first + row;
        if (x != x || (fits_int64(x) && x == (double)b->made->values[row]))
            continue;
        const bool outside = !fits_int64(x);
        return hanse_fail(error, HANSE_ERR_OVERFLOW,
                          "key '%s': its value %.17g in row %" PRIu64 " %s; %s",
                          b->key->name, x, number,
                          outside ? "does not fit a 64-bit integer"
                                  : "is not a whole number",
                          outside ? "leave such rows out with a filter"
                                  : "write floor(...), or bin(...) for "
                                    "intervals");
    }
    return HANSE_OK;
}

static hanse_status make_integers(block_rows *b, hanse_error *error)
{
    double *numbers = b->made->numbers;
    int64_t *values = b->made->values;
    uint8_t *missing = b->made->missing;
    unsigned any = 0, bad = 0;
    hanse_formula_number(b->key->formula, b->batch, b->first, b->n,
                         b->fold->block.scratch, numbers);
    for (size_t i = 0; i < b->n; i++) {
        const double x = numbers[i];
        const int64_t value = (int64_t)(fits_int64(x) ? x : 0.0);
        values[i] = value;
        missing[i] = x != x;
        any |= missing[i];
        bad |= (unsigned)((double)value != x) & (unsigned)(x == x);
    }
    b->any_missing = any != 0;
    return bad != 0 ? fail_number(b, error) : HANSE_OK;
}

static void make_conditions(block_rows *b)
{
    uint8_t *values = (uint8_t *)b->made->values;
    uint8_t *missing = b->made->missing;
    unsigned any = 0;
    hanse_formula_truth(b->key->formula, b->batch, b->first, b->n,
                        b->fold->block.scratch, values);
    for (size_t i = 0; i < b->n; i++) {
        missing[i] = values[i] & 1;
        any |= missing[i];
        values[i] >>= 1;
    }
    b->any_missing = any != 0;
}

/* ---- Bins --------------------------------------------------------------- */

static void number_bins(block_rows *b)
{
    const hanse_bins *bins = &b->key->bins;
    double *numbers = b->made->numbers;
    int64_t *values = b->made->values;
    unsigned any = 0;
    hanse_formula_number(b->key->formula, b->batch, b->first, b->n,
                         b->fold->block.scratch, numbers);
    b->fold->kernels->reach_f64(numbers, b->n, bins->numbers, bins->n, values);
    for (size_t i = 0; i < b->n; i++) {
        b->made->missing[i] = numbers[i] != numbers[i];
        any |= b->made->missing[i];
    }
    b->any_missing = any != 0;
}

/* Values of an integer column as int64; of uint64 with the top bit turned
 * around, which keeps their order. */
static void widen(hanse_type type, const hanse_array *array, size_t first,
                  size_t n, int64_t *out)
{
#define WIDEN(c_type, value)                                     \
    do {                                                         \
        const c_type *x = (const c_type *)array->values + first; \
        for (size_t i = 0; i < n; i++)                           \
            out[i] = (int64_t)(value);                           \
    } while (0)
    switch (type) {
    case HANSE_INT8:
        WIDEN(int8_t, x[i]);
        break;
    case HANSE_INT16:
        WIDEN(int16_t, x[i]);
        break;
    case HANSE_INT32:
        WIDEN(int32_t, x[i]);
        break;
    case HANSE_INT64:
        WIDEN(int64_t, x[i]);
        break;
    case HANSE_UINT8:
        WIDEN(uint8_t, x[i]);
        break;
    case HANSE_UINT16:
        WIDEN(uint16_t, x[i]);
        break;
    case HANSE_UINT32:
        WIDEN(uint32_t, x[i]);
        break;
    case HANSE_UINT64:
        WIDEN(uint64_t, x[i] ^ (uint64_t)1 << 63);
        break;
    default:
        WIDEN(uint8_t, x[i] != 0);
        break;
    }
#undef WIDEN
}

/* Marks of a column's rows. */
static void copy_missing(block_rows *b, const hanse_array *array)
{
    b->any_missing = array->missing != NULL;
    if (array->missing != NULL)
        memcpy(b->made->missing, array->missing + b->first, b->n);
}

static void integer_bins(block_rows *b)
{
    const hanse_bins *bins = &b->key->bins;
    int64_t *from = (int64_t *)(void *)b->made->numbers;
    int64_t *values = b->made->values;
    size_t field;
    if (!hanse_formula_is_field(b->key->formula, &field))
        return;
    const hanse_array *array = &b->batch->arrays[field];
    widen(b->fold->plan->types[field], array, b->first, b->n, from);
    b->fold->kernels->reach_i64(from, b->n, bins->integers, bins->n_integers,
                                values);
    for (size_t i = 0; bins->n_reached > 0 && i < b->n; i++)
        values[i] += (int64_t)bins->n_reached;
    copy_missing(b, array);
}

/* ---- Mappings ----------------------------------------------------------- */

static void map_row(block_rows *b, const hanse_array *array, hanse_type type,
                    size_t row)
{
    const hanse_mapping *mapping = b->key->mapping;
    int64_t target = 0;
    hanse_mapped mapped = HANSE_MAPPED_TO_MISSING;
    const bool absent =
        array->missing != NULL && array->missing[b->first + row];
    if (!absent && type == HANSE_TEXT) {
        const int32_t *offsets = array->offsets + b->first + row;
        const char *bytes = array->values != NULL ? array->values : "";
        mapped = hanse_mapping_text(mapping, bytes + offsets[0],
                                    (size_t)(offsets[1] - offsets[0]), &target);
    } else if (!absent) {
        mapped = hanse_mapping_integer(mapping, b->made->values[row], &target);
    }
    b->made->values[row] = target;
    b->made->missing[row] = mapped != HANSE_MAPPED;
    b->made->n_unmapped += mapped == HANSE_UNMAPPED;
    b->any_missing = b->any_missing || mapped != HANSE_MAPPED;
}

static void map_rows(block_rows *b)
{
    const hanse_block *block = &b->fold->block;
    const hanse_array *array = &b->batch->arrays[b->key->field];
    const hanse_type type = b->fold->plan->types[b->key->field];
    if (type == HANSE_UINT64)
        memcpy(b->made->values, (const uint64_t *)array->values + b->first,
               b->n * sizeof(uint64_t));
    else if (type != HANSE_TEXT)
        widen(type, array, b->first, b->n, b->made->values);
    for (size_t i = 0; i < block->n; i++)
        map_row(b, array, type, block->kept != NULL ? block->kept[i] : i);
}

/* ---- All ---------------------------------------------------------------- */

hanse_status hanse_made_key_values(hanse_fold *fold, size_t key,
                                   const hanse_batch *batch, size_t first,
                                   size_t n, hanse_array *out,
                                   hanse_error *error)
{
    block_rows b = {.fold = fold,
                    .key = &fold->plan->keys[key],
                    .made = &fold->made[key],
                    .batch = batch,
                    .first = first,
                    .n = n};
    switch (b.key->source) {
    case HANSE_KEY_CONDITION:
        make_conditions(&b);
        break;
    case HANSE_KEY_BINS:
        if (b.key->bins.as_integers)
            integer_bins(&b);
        else
            number_bins(&b);
        break;
    case HANSE_KEY_MAPPING:
        map_rows(&b);
        break;
    default:
        HANSE_TRY(make_integers(&b, error));
        break;
    }
    *out = (hanse_array){.values = b.made->values,
                         .missing = b.any_missing ? b.made->missing : NULL};
    return HANSE_OK;
}
