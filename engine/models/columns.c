/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables with computed columns: the sets of columns, and the source that has
 * them.
 */
#include "engine/models/columns_internal.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

/* ---- Sets --------------------------------------------------------------- */

static void clear_set(hanse_kept_set *set)
{
    for (size_t i = 0; set->formulas != NULL && i < set->n_formulas; i++)
        hanse_formula_destroy(set->formulas[i]);
    free(set->formulas);
    free(set->groups);
    free(set->fields);
    *set = (hanse_kept_set){0};
}

static hanse_status compile(const hanse_columns *columns,
                            const hanse_column_set *from, hanse_kept_set *set,
                            hanse_error *error)
{
    for (size_t i = 0; i < from->n_formulas; i++) {
        HANSE_TRY(hanse_formula_compile(from->formulas[i], from->what,
                                        &columns->schema, HANSE_WANT_NUMBER,
                                        &set->formulas[i], error));
        set->n_formulas++;
    }
    return HANSE_OK;
}

/* Fields that the set reads, each once. */
static hanse_status list_fields(const hanse_columns *columns,
                                hanse_kept_set *set, hanse_error *error)
{
    const size_t n_all = columns->schema.n_fields;
    bool *used = calloc(n_all + 1, sizeof *used);
    set->fields = calloc(n_all + 1, sizeof *set->fields);
    if (used == NULL || set->fields == NULL) {
        free(used);
        return hanse_fail_nomem(error, "columns", n_all);
    }
    for (size_t i = 0; i < set->n_formulas + set->n_groups; i++) {
        size_t n;
        const size_t *fields =
            i < set->n_formulas
                ? hanse_formula_fields(set->formulas[i], &n)
                : hanse_groups_fields(set->groups[i - set->n_formulas], &n);
        for (size_t j = 0; j < n; j++)
            used[fields[j]] = true;
    }
    for (size_t i = 0; i < n_all; i++)
        if (used[i])
            set->fields[set->n_fields++] = i;
    free(used);
    return HANSE_OK;
}

static hanse_status make_set(const hanse_columns *columns,
                             const hanse_column_set *from, hanse_kept_set *set,
                             hanse_error *error)
{
    *set = (hanse_kept_set){.first_field = columns->schema.n_fields,
                            .n_columns = from->n_columns,
                            .fill = from->fill,
                            .context = from->context};
    set->formulas = calloc(from->n_formulas + 1, sizeof *set->formulas);
    set->groups = calloc(from->n_groups + 1, sizeof *set->groups);
    if (set->formulas == NULL || set->groups == NULL)
        return hanse_fail_nomem(error, "columns", sizeof *set);
    for (size_t i = 0; i < from->n_groups; i++)
        set->groups[set->n_groups++] = from->groups[i];
    HANSE_TRY(compile(columns, from, set, error));
    return list_fields(columns, set, error);
}

static hanse_status check_names(const hanse_columns *columns,
                                const hanse_column_set *set, hanse_error *error)
{
    for (size_t c = 0; c < set->n_columns; c++)
        for (size_t i = 0; i < columns->schema.n_fields; i++)
            if (strcmp(columns->fields[i].name, set->names[c]) == 0)
                return hanse_fail(error, HANSE_ERR_SPEC,
                                  "the table has a column '%s' already, which "
                                  "the job is to compute; rename that one",
                                  set->names[c]);
    return HANSE_OK;
}

/* The schema with the set's columns behind it. */
static hanse_status add_fields(hanse_columns *columns,
                               const hanse_column_set *set, hanse_error *error)
{
    const size_t n = columns->schema.n_fields;
    hanse_field *larger =
        realloc(columns->fields, (n + set->n_columns) * sizeof *larger);
    if (larger == NULL)
        return hanse_fail_nomem(error, "columns", n * sizeof *larger);
    columns->schema.fields = columns->fields = larger;
    for (size_t c = 0; c < set->n_columns; c++) {
        char *name = hanse_text_copy(set->names[c]);
        if (name == NULL)
            return hanse_fail_nomem(error, "columns", strlen(set->names[c]));
        larger[n + c] = (hanse_field){.name = name, .type = HANSE_FLOAT64};
        columns->schema.n_fields++;
    }
    return HANSE_OK;
}

hanse_status hanse_columns_add(hanse_columns *columns,
                               const hanse_column_set *set, hanse_error *error)
{
    hanse_kept_set made;
    HANSE_TRY(check_names(columns, set, error));
    hanse_status status = make_set(columns, set, &made, error);
    hanse_kept_set *larger =
        realloc(columns->sets, (columns->n_sets + 1) * sizeof *larger);
    if (larger != NULL)
        columns->sets = larger;
    else if (status == HANSE_OK)
        status = hanse_fail_nomem(error, "columns", sizeof *larger);
    const size_t n_before = columns->schema.n_fields;
    if (status == HANSE_OK)
        status = add_fields(columns, set, error);
    if (status != HANSE_OK) {
        while (columns->schema.n_fields > n_before)
            free((char *)(uintptr_t)columns->fields[--columns->schema.n_fields]
                     .name);
        clear_set(&made);
        return status;
    }
    for (size_t i = 0; i < made.n_formulas; i++) {
        const size_t needed = hanse_formula_scratch_bytes(made.formulas[i]);
        if (needed > columns->scratch_bytes)
            columns->scratch_bytes = needed;
    }
    columns->sets[columns->n_sets++] = made;
    return HANSE_OK;
}

static void fill_from_array(const void *context, const hanse_rows *rows,
                            double *const *out)
{
    const double *values = context;
    memcpy(out[0], values + rows->first_row, rows->n * sizeof *values);
}

hanse_status hanse_columns_add_array(hanse_columns *columns, const char *name,
                                     const double *values, hanse_error *error)
{
    const hanse_column_set set = {.names = &name,
                                  .n_columns = 1,
                                  .fill = fill_from_array,
                                  .context = values};
    return hanse_columns_add(columns, &set, error);
}

void hanse_columns_set_units(hanse_columns *columns, const char *name,
                             const char *units)
{
    for (size_t i = columns->n_inner; i < columns->schema.n_fields; i++)
        if (strcmp(columns->fields[i].name, name) == 0)
            columns->fields[i].units = units;
}

/* ---- The source --------------------------------------------------------- */

static const hanse_schema *get_schema(const hanse_source *source)
{
    return &((const hanse_columns *)source)->schema;
}

static uint64_t get_n_rows(const hanse_source *source)
{
    const hanse_source *inner = ((const hanse_columns *)source)->inner;
    return inner->ops->n_rows(inner);
}

static size_t get_n_morsels(const hanse_source *source)
{
    const hanse_source *inner = ((const hanse_columns *)source)->inner;
    return inner->ops->n_morsels(inner);
}

static size_t get_span_end(const hanse_source *source, size_t morsel)
{
    return hanse_source_span_end(((const hanse_columns *)source)->inner,
                                 morsel);
}

static void close_source(hanse_source *source)
{
    hanse_columns_destroy((hanse_columns *)source);
}

static const hanse_source_ops columns_ops = {
    .schema = get_schema,
    .n_rows = get_n_rows,
    .n_morsels = get_n_morsels,
    .span_end = get_span_end,
    .open_reader = hanse_columns_open_reader,
    .read = hanse_columns_read,
    .finish_reader = hanse_columns_finish_reader,
    .close_reader = hanse_columns_close_reader,
    .close = close_source,
};

hanse_status hanse_columns_create(hanse_source *inner, hanse_columns **out,
                                  hanse_error *error)
{
    HANSE_REQUIRE(inner->budget, error);
    const hanse_schema *schema = hanse_source_schema(inner);
    hanse_columns *columns = calloc(1, sizeof *columns);
    if (columns != NULL)
        columns->fields = calloc(schema->n_fields + 1, sizeof *columns->fields);
    if (columns == NULL || columns->fields == NULL) {
        free(columns);
        return hanse_fail_nomem(error, "columns", schema->n_fields);
    }
    memcpy(columns->fields, schema->fields,
           schema->n_fields * sizeof *columns->fields);
    columns->base = (hanse_source){.ops = &columns_ops,
                                   .budget = inner->budget,
                                   .rows_together = inner->rows_together};
    columns->inner = inner;
    columns->n_inner = schema->n_fields;
    columns->schema = (hanse_schema){columns->fields, schema->n_fields};
    *out = columns;
    return HANSE_OK;
}

void hanse_columns_destroy(hanse_columns *columns)
{
    if (columns == NULL)
        return;
    for (size_t i = columns->n_inner; i < columns->schema.n_fields; i++)
        free((char *)(uintptr_t)columns->fields[i].name);
    for (size_t s = 0; s < columns->n_sets; s++)
        clear_set(&columns->sets[s]);
    free(columns->fields);
    free(columns->sets);
    free(columns);
}

hanse_source *hanse_columns_source(hanse_columns *columns)
{
    return &columns->base;
}
