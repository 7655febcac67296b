/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole columns in memory, for the steps that need all rows at once.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/formula.h"
#include "engine/models/columns.h"
#include "engine/scan.h"

typedef struct collecting {
    hanse_formula **formulas;
    size_t n;
    size_t scratch_bytes;
    hanse_budget *budget;
    double *const *out;
} collecting;

/* What a thread needs; the block is where formulas are evaluated, aligned. */
typedef struct own_part {
    const collecting *c;
    double *block;
    void *scratch;
} own_part;

static void close_part(void *own)
{
    own_part *part = own;
    if (part == NULL)
        return;
    hanse_free(part->c->budget, part->block, HANSE_BLOCK_ROWS,
               sizeof *part->block);
    hanse_free(part->c->budget, part->scratch, part->c->scratch_bytes, 1);
    free(part);
}

static hanse_status open_part(void *context, void **own, hanse_error *error)
{
    const collecting *c = context;
    own_part *part = calloc(1, sizeof *part);
    if (part == NULL)
        return hanse_fail_nomem(error, "columns", sizeof *part);
    *own = part;
    part->c = c;
    part->block =
        hanse_allocate(c->budget, HANSE_BLOCK_ROWS, sizeof *part->block);
    part->scratch = hanse_allocate(c->budget, c->scratch_bytes, 1);
    if (part->block == NULL || part->scratch == NULL)
        return hanse_fail_budget(error, c->budget, "columns", HANSE_BLOCK_ROWS,
                                 sizeof *part->block);
    return HANSE_OK;
}

static hanse_status take(void *context, void *own, const hanse_morsel *rows,
                         hanse_error *error)
{
    const collecting *c = context;
    const own_part *part = own;
    const size_t n_rows = rows->batch.n_rows;
    (void)error;
    for (size_t first = 0; first < n_rows; first += HANSE_BLOCK_ROWS) {
        size_t n = n_rows - first;
        n = n < HANSE_BLOCK_ROWS ? n : HANSE_BLOCK_ROWS;
        for (size_t i = 0; i < c->n; i++) {
            hanse_formula_number(c->formulas[i], &rows->batch, first, n,
                                 part->scratch, part->block);
            memcpy(c->out[i] + rows->first_row + first, part->block,
                   n * sizeof *part->block);
        }
    }
    return HANSE_OK;
}

/* Fields of all formulas, each once; from malloc. */
static size_t *list_fields(const collecting *c, size_t n_all, size_t *n_fields)
{
    size_t *fields = calloc(n_all + 1, sizeof *fields);
    bool *used = calloc(n_all + 1, sizeof *used);
    *n_fields = 0;
    for (size_t i = 0; fields != NULL && used != NULL && i < c->n; i++) {
        size_t n;
        const size_t *read = hanse_formula_fields(c->formulas[i], &n);
        for (size_t j = 0; j < n; j++)
            if (!used[read[j]]) {
                used[read[j]] = true;
                fields[(*n_fields)++] = read[j];
            }
    }
    if (used == NULL) {
        free(fields);
        fields = NULL;
    }
    free(used);
    return fields;
}

static hanse_status collect(collecting *c, hanse_source *source,
                            const hanse_run_options *options,
                            hanse_error *error)
{
    size_t n_fields;
    size_t *fields =
        list_fields(c, hanse_source_schema(source)->n_fields, &n_fields);
    if (fields == NULL)
        return hanse_fail_nomem(error, "columns", c->n);
    const hanse_scan scan = {
        .source = source,
        .fields = fields,
        .n_fields = n_fields,
        .options = options,
        .n_threads = hanse_scan_threads(source, options),
        .context = c,
        .open = open_part,
        .close = close_part,
        .take = take,
    };
    const hanse_status status = hanse_scan_run(&scan, NULL, error);
    free(fields);
    return status;
}

hanse_status hanse_columns_collect(hanse_columns *columns,
                                   const char *const *formulas, size_t n,
                                   const char *what,
                                   const hanse_run_options *options,
                                   double *const *out, hanse_error *error)
{
    hanse_source *source = hanse_columns_source(columns);
    collecting c = {.budget = source->budget, .out = out};
    hanse_status status = HANSE_OK;
    c.formulas = calloc(n + 1, sizeof *c.formulas);
    if (c.formulas == NULL)
        return hanse_fail_nomem(error, "columns", n);
    for (; status == HANSE_OK && c.n < n; c.n += status == HANSE_OK) {
        status = hanse_formula_compile(
            formulas[c.n], what, hanse_source_schema(source), HANSE_WANT_NUMBER,
            &c.formulas[c.n], error);
        if (status != HANSE_OK)
            break;
        const size_t needed = hanse_formula_scratch_bytes(c.formulas[c.n]);
        if (needed > c.scratch_bytes)
            c.scratch_bytes = needed;
    }
    if (status == HANSE_OK)
        status = collect(&c, source, options, error);
    for (size_t i = 0; i < c.n; i++)
        hanse_formula_destroy(c.formulas[i]);
    free(c.formulas);
    return status;
}
