/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers of tables with computed columns. A reader reads what is asked for and
 * what that is computed from, in one go, and then computes the sets in the
 * order in which they were added.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/models/columns_internal.h"

/* What a set needs on a thread. */
typedef struct set_state {
    double **values;   /* [column] of the morsel */
    double **numbers;  /* [formula] of a block */
    uint32_t **blocks; /* [grouping] numbers of a block */
    hanse_numbering **numberings;
    bool is_done; /* for the morsel */
} set_state;

typedef struct columns_reader {
    hanse_reader base;
    hanse_reader *inner;
    size_t morsel;
    size_t n_fields;
    hanse_array *arrays;  /* [field] */
    set_state *sets;      /* [set] */
    size_t capacity_rows; /* of the sets' values */
    bool *needed;         /* [field] */
    size_t *wanted;       /* fields of the inner source */
    void *scratch;
} columns_reader;

/* ---- Readers ------------------------------------------------------------ */

static void free_values(const hanse_columns *columns, columns_reader *reader)
{
    hanse_budget *budget = columns->base.budget;
    for (size_t s = 0; s < columns->n_sets; s++)
        for (size_t c = 0;
             reader->sets[s].values != NULL && c < columns->sets[s].n_columns;
             c++) {
            hanse_free(budget, reader->sets[s].values[c], reader->capacity_rows,
                       sizeof(double));
            reader->sets[s].values[c] = NULL;
        }
    reader->capacity_rows = 0;
}

static void clear_state(hanse_budget *budget, const hanse_kept_set *set,
                        set_state *state)
{
    for (size_t i = 0; state->numbers != NULL && i < set->n_formulas; i++)
        hanse_free(budget, state->numbers[i], HANSE_BLOCK_ROWS,
                   sizeof **state->numbers);
    for (size_t i = 0; state->blocks != NULL && i < set->n_groups; i++)
        hanse_free(budget, state->blocks[i], HANSE_BLOCK_ROWS,
                   sizeof **state->blocks);
    for (size_t i = 0; state->numberings != NULL && i < set->n_groups; i++)
        hanse_numbering_close(state->numberings[i]);
    free(state->values);
    free(state->numbers);
    free(state->blocks);
    free(state->numberings);
}

void hanse_columns_close_reader(hanse_reader *base)
{
    columns_reader *reader = (columns_reader *)base;
    const hanse_columns *columns = (const hanse_columns *)base->source;
    hanse_budget *budget = columns->base.budget;
    if (reader->sets != NULL) {
        free_values(columns, reader);
        for (size_t s = 0; s < columns->n_sets; s++)
            clear_state(budget, &columns->sets[s], &reader->sets[s]);
    }
    if (reader->inner != NULL)
        columns->inner->ops->close_reader(reader->inner);
    hanse_free(budget, reader->scratch, columns->scratch_bytes, 1);
    free(reader->sets);
    free(reader->arrays);
    free(reader->needed);
    free(reader->wanted);
    free(reader);
}

static hanse_status init_state(hanse_budget *budget, const hanse_kept_set *set,
                               set_state *state, hanse_error *error)
{
    state->values = calloc(set->n_columns + 1, sizeof *state->values);
    state->numbers = calloc(set->n_formulas + 1, sizeof *state->numbers);
    state->blocks = calloc(set->n_groups + 1, sizeof *state->blocks);
    state->numberings = calloc(set->n_groups + 1, sizeof *state->numberings);
    if (state->values == NULL || state->numbers == NULL ||
        state->blocks == NULL || state->numberings == NULL)
        return hanse_fail_nomem(error, "columns", set->n_columns);
    for (size_t i = 0; i < set->n_formulas; i++) {
        state->numbers[i] =
            hanse_allocate(budget, HANSE_BLOCK_ROWS, sizeof **state->numbers);
        if (state->numbers[i] == NULL)
            return hanse_fail_budget(error, budget, "columns", HANSE_BLOCK_ROWS,
                                     sizeof **state->numbers);
    }
    for (size_t i = 0; i < set->n_groups; i++) {
        state->blocks[i] =
            hanse_allocate(budget, HANSE_BLOCK_ROWS, sizeof **state->blocks);
        if (state->blocks[i] == NULL)
            return hanse_fail_budget(error, budget, "columns", HANSE_BLOCK_ROWS,
                                     sizeof **state->blocks);
        HANSE_TRY(
            hanse_numbering_open(set->groups[i], &state->numberings[i], error));
    }
    return HANSE_OK;
}

static hanse_status init_reader(columns_reader *reader,
                                const hanse_columns *columns,
                                hanse_error *error)
{
    hanse_budget *budget = columns->base.budget;
    reader->n_fields = columns->schema.n_fields;
    reader->arrays = calloc(reader->n_fields + 1, sizeof *reader->arrays);
    reader->needed = calloc(reader->n_fields + 1, sizeof *reader->needed);
    reader->wanted = calloc(reader->n_fields + 1, sizeof *reader->wanted);
    reader->sets = calloc(columns->n_sets + 1, sizeof *reader->sets);
    reader->scratch = hanse_allocate(budget, columns->scratch_bytes, 1);
    if (reader->arrays == NULL || reader->needed == NULL ||
        reader->wanted == NULL || reader->sets == NULL ||
        reader->scratch == NULL)
        return hanse_fail_nomem(error, "reader", reader->n_fields);
    for (size_t s = 0; s < columns->n_sets; s++)
        HANSE_TRY(
            init_state(budget, &columns->sets[s], &reader->sets[s], error));
    return columns->inner->ops->open_reader(columns->inner, &reader->inner,
                                            error);
}

hanse_status hanse_columns_open_reader(hanse_source *source, hanse_reader **out,
                                       hanse_error *error)
{
    columns_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return hanse_fail_nomem(error, "reader", sizeof *reader);
    reader->base.source = source;
    reader->morsel = SIZE_MAX;
    const hanse_status status =
        init_reader(reader, (const hanse_columns *)source, error);
    if (status != HANSE_OK) {
        hanse_columns_close_reader(&reader->base);
        return status;
    }
    *out = &reader->base;
    return HANSE_OK;
}

/* Room for the values of a morsel, in whole blocks. */
static hanse_status reserve(columns_reader *reader,
                            const hanse_columns *columns, size_t n_rows,
                            hanse_error *error)
{
    hanse_budget *budget = columns->base.budget;
    if (n_rows <= reader->capacity_rows)
        return HANSE_OK;
    const size_t n_blocks = (n_rows + HANSE_BLOCK_ROWS - 1) / HANSE_BLOCK_ROWS;
    free_values(columns, reader);
    reader->capacity_rows = n_blocks * HANSE_BLOCK_ROWS;
    for (size_t s = 0; s < columns->n_sets; s++)
        for (size_t c = 0; c < columns->sets[s].n_columns; c++) {
            double **values = &reader->sets[s].values[c];
            *values =
                hanse_allocate(budget, reader->capacity_rows, sizeof **values);
            if (*values == NULL)
                return hanse_fail_budget(error, budget, "computed columns",
                                         reader->capacity_rows,
                                         sizeof **values);
        }
    return HANSE_OK;
}

/* Whether a set has a column that is needed, and is not computed yet. */
static bool is_due(const columns_reader *reader, const hanse_columns *columns,
                   size_t s)
{
    const hanse_kept_set *set = &columns->sets[s];
    bool any = false;
    for (size_t c = 0; c < set->n_columns; c++)
        any = any || reader->needed[set->first_field + c];
    return any && !reader->sets[s].is_done;
}

/* Marks what the fields asked for are computed from; returns the number of
 * fields of the inner source. */
static size_t close_over(columns_reader *reader, const hanse_columns *columns,
                         const size_t *fields, size_t n_fields)
{
    size_t n_wanted = 0;
    memset(reader->needed, 0, reader->n_fields * sizeof *reader->needed);
    for (size_t i = 0; i < n_fields; i++)
        reader->needed[fields[i]] = true;
    for (size_t s = columns->n_sets; s-- > 0;) {
        const hanse_kept_set *set = &columns->sets[s];
        const bool due = is_due(reader, columns, s);
        for (size_t i = 0; due && i < set->n_fields; i++)
            reader->needed[set->fields[i]] = true;
    }
    for (size_t i = 0; i < columns->n_inner; i++)
        if (reader->needed[i])
            reader->wanted[n_wanted++] = i;
    return n_wanted;
}

/* A bare float64 column is used where it is. */
static const double *number_block(columns_reader *reader,
                                  const hanse_columns *columns,
                                  const hanse_formula *formula,
                                  const hanse_batch *batch, size_t first,
                                  size_t n, double *own)
{
    size_t field;
    if (hanse_formula_is_field(formula, &field) &&
        columns->fields[field].type == HANSE_FLOAT64 &&
        batch->arrays[field].missing == NULL)
        return (const double *)batch->arrays[field].values + first;
    hanse_formula_number(formula, batch, first, n, reader->scratch, own);
    return own;
}

static hanse_status compute_set(columns_reader *reader,
                                const hanse_columns *columns, size_t s,
                                const hanse_batch *batch, uint64_t first_row,
                                hanse_error *error)
{
    const hanse_kept_set *set = &columns->sets[s];
    set_state *state = &reader->sets[s];
    const double *numbers[set->n_formulas + 1];
    double *out[set->n_columns + 1];
    for (size_t first = 0; first < batch->n_rows; first += HANSE_BLOCK_ROWS) {
        size_t n = batch->n_rows - first;
        n = n < HANSE_BLOCK_ROWS ? n : HANSE_BLOCK_ROWS;
        for (size_t i = 0; i < set->n_formulas; i++)
            numbers[i] = number_block(reader, columns, set->formulas[i], batch,
                                      first, n, state->numbers[i]);
        for (size_t i = 0; i < set->n_groups; i++)
            HANSE_TRY(hanse_numbering_fill(state->numberings[i], batch,
                                           first_row, first, n,
                                           state->blocks[i], error));
        for (size_t c = 0; c < set->n_columns; c++)
            out[c] = state->values[c] + first;
        const hanse_rows rows = {n, first_row + first, numbers,
                                 (const uint32_t *const *)state->blocks};
        set->fill(set->context, &rows, out);
    }
    for (size_t c = 0; c < set->n_columns; c++)
        reader->arrays[set->first_field + c] =
            (hanse_array){.values = state->values[c]};
    state->is_done = true;
    return HANSE_OK;
}

static hanse_status compute(columns_reader *reader,
                            const hanse_columns *columns,
                            const hanse_morsel *rows, hanse_error *error)
{
    HANSE_TRY(reserve(reader, columns, rows->batch.n_rows, error));
    for (size_t s = 0; s < columns->n_sets; s++) {
        if (is_due(reader, columns, s))
            HANSE_TRY(compute_set(reader, columns, s, &rows->batch,
                                  rows->first_row, error));
    }
    return HANSE_OK;
}

hanse_status hanse_columns_read(hanse_reader *base, size_t morsel,
                                const size_t *fields, size_t n_fields,
                                hanse_morsel *out, hanse_error *error)
{
    columns_reader *reader = (columns_reader *)base;
    const hanse_columns *columns = (const hanse_columns *)base->source;
    hanse_morsel rows;
    if (reader->morsel != morsel) {
        memset(reader->arrays, 0, reader->n_fields * sizeof *reader->arrays);
        for (size_t s = 0; s < columns->n_sets; s++)
            reader->sets[s].is_done = false;
    }
    reader->morsel = morsel;
    const size_t n_wanted = close_over(reader, columns, fields, n_fields);
    HANSE_TRY(columns->inner->ops->read(reader->inner, morsel, reader->wanted,
                                        n_wanted, &rows, error));
    for (size_t i = 0; i < n_wanted; i++)
        reader->arrays[reader->wanted[i]] =
            rows.batch.arrays[reader->wanted[i]];
    rows.batch.arrays = reader->arrays;
    HANSE_TRY(compute(reader, columns, &rows, error));
    *out = rows;
    return HANSE_OK;
}

hanse_status hanse_columns_finish_reader(hanse_reader *base, hanse_error *error)
{
    columns_reader *reader = (columns_reader *)base;
    const hanse_source_ops *ops = reader->inner->source->ops;
    return ops->finish_reader != NULL ? ops->finish_reader(reader->inner, error)
                                      : HANSE_OK;
}
