/* SPDX-License-Identifier: Apache-2.0
 *
 * Owning and handing out result tables.
 */
#include "engine/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/finish.h"
#include "engine/plan.h"

hanse_status hanse_result_create(size_t n_tables, hanse_result **out,
                                 hanse_error *error)
{
    hanse_result *result = calloc(1, sizeof *result);
    if (result != NULL)
        result->tables = calloc(n_tables + 1, sizeof *result->tables);
    if (result == NULL || result->tables == NULL) {
        free(result);
        return hanse_fail_nomem(error, "result", n_tables);
    }
    result->n_tables = n_tables;
    *out = result;
    return HANSE_OK;
}

/* The views are const for callers; the texts are the result's own. */
static void free_text(const char *text)
{
    free((char *)(uintptr_t)text);
}

static void clear_column(hanse_column *column)
{
    free_text(column->name);
    free_text(column->long_name);
    free_text(column->units);
    free_text(column->cell_methods);
    free((void *)(uintptr_t)column->missing);
}

static void clear_column_at(hanse_owned_table *table, size_t index)
{
    clear_column(&table->columns[index]);
    hanse_large_free(&table->values[index]);
    free(table->texts[index]);
}

static void clear_table(hanse_owned_table *table)
{
    for (size_t i = 0; i < table->n_columns; i++)
        clear_column_at(table, i);
    hanse_deferred_destroy(table->view.deferred);
    free(table->columns);
    free(table->texts);
    free(table->values);
    free(table->name);
}

void hanse_result_detach(hanse_result *result)
{
    if (result->next != NULL)
        hanse_result_detach(result->next);
    for (size_t i = 0; i < result->n_tables; i++) {
        hanse_owned_table *table = &result->tables[i];
        for (size_t c = 0; c < table->n_columns; c++)
            table->values[c].budget = NULL;
    }
}

void hanse_result_destroy(hanse_result *result)
{
    if (result == NULL)
        return;
    hanse_result_destroy(result->next);
    for (size_t i = 0; i < result->n_tables; i++)
        clear_table(&result->tables[i]);
    hanse_plan_destroy(result->plan);
    free(result->tables);
    free(result);
}

hanse_status hanse_result_table_init(hanse_result *result, size_t index,
                                     const char *name, size_t n_rows,
                                     size_t n_keys, size_t n_columns,
                                     hanse_budget *budget, hanse_spill *spill,
                                     hanse_error *error)
{
    hanse_owned_table *table = &result->tables[index];
    table->name = hanse_text_copy(name);
    table->columns = calloc(n_columns + 1, sizeof *table->columns);
    table->texts = calloc(n_columns + 1, sizeof *table->texts);
    table->values = calloc(n_columns + 1, sizeof *table->values);
    table->budget = budget;
    table->spill = spill;
    if (table->name == NULL || table->columns == NULL || table->texts == NULL ||
        table->values == NULL)
        return hanse_fail_nomem(error, "result table", n_columns);
    table->view = (hanse_table){.name = table->name,
                                .n_rows = n_rows,
                                .keys = table->columns,
                                .n_keys = n_keys,
                                .columns = table->columns + n_keys};
    return HANSE_OK;
}

void hanse_result_move_table(hanse_result *result, size_t index,
                             hanse_result *from, const char *name)
{
    char *copy = hanse_text_copy(name);
    hanse_owned_table *table = &result->tables[index];
    *table = from->tables[0];
    from->n_tables = 0;
    if (copy != NULL) { /* else it keeps the name that it has */
        free(table->name);
        table->name = copy;
        table->view.name = copy;
    }
}

hanse_status hanse_result_split_table(hanse_owned_table *table, size_t first,
                                      hanse_result *to, size_t index,
                                      hanse_error *error)
{
    hanse_owned_table *made = &to->tables[index];
    const size_t at = table->view.n_keys + first;
    const size_t n_moved = table->n_columns - at;
    const hanse_column *count = &table->columns[table->view.n_keys];
    void *counts;
    HANSE_TRY(hanse_result_table_init(to, index, table->name,
                                      table->view.n_rows, 0, n_moved + 1,
                                      table->budget, table->spill, error));
    HANSE_TRY(hanse_result_add_column(made, count->name, NULL, NULL, NULL,
                                      count->type, &counts, error));
    memcpy(counts, count->values,
           table->view.n_rows * hanse_type_size(count->type));
    memcpy(&made->columns[1], &table->columns[at],
           n_moved * sizeof *made->columns);
    memcpy(&made->values[1], &table->values[at],
           n_moved * sizeof *made->values);
    memcpy(&made->texts[1], &table->texts[at], n_moved * sizeof *made->texts);
    memset(&table->texts[at], 0, n_moved * sizeof *table->texts);
    made->n_columns += n_moved;
    made->view.n_columns += n_moved;
    table->n_columns -= n_moved;
    table->view.n_columns -= n_moved;
    return HANSE_OK;
}

void hanse_result_drop_column(hanse_owned_table *table, size_t index)
{
    const size_t at = table->view.n_keys + index;
    const size_t n_after = table->n_columns - at - 1;
    clear_column_at(table, at);
    memmove(&table->columns[at], &table->columns[at + 1],
            n_after * sizeof *table->columns);
    memmove(&table->values[at], &table->values[at + 1],
            n_after * sizeof *table->values);
    memmove(&table->texts[at], &table->texts[at + 1],
            n_after * sizeof *table->texts);
    table->n_columns--;
    table->texts[table->n_columns] = NULL;
    table->view.n_columns--;
}

/* More room in a list of n entries; the new ones are zero. */
static bool extend(void **list, size_t n, size_t n_more, size_t size_bytes)
{
    char *larger = realloc(*list, (n + n_more + 1) * size_bytes);
    if (larger == NULL)
        return false;
    memset(larger + n * size_bytes, 0, (n_more + 1) * size_bytes);
    *list = larger;
    return true;
}

hanse_status hanse_result_table_extend(hanse_owned_table *table, size_t n_more,
                                       hanse_budget *budget, hanse_spill *spill,
                                       hanse_error *error)
{
    const size_t n = table->n_columns;
    const bool done =
        extend((void **)&table->columns, n, n_more, sizeof *table->columns) &&
        extend((void **)&table->texts, n, n_more, sizeof *table->texts) &&
        extend((void **)&table->values, n, n_more, sizeof *table->values);
    table->view.keys = table->columns;
    table->view.columns = table->columns + table->view.n_keys;
    table->budget = budget;
    table->spill = spill;
    return done ? HANSE_OK
                : hanse_fail_nomem(error, "result table", n + n_more);
}

hanse_status hanse_result_add_column(hanse_owned_table *table, const char *name,
                                     const char *long_name, const char *units,
                                     const char *cell_methods, hanse_type type,
                                     void **values, hanse_error *error)
{
    const size_t n_rows = table->view.n_rows;
    const size_t size_bytes =
        type == HANSE_TEXT ? sizeof(char *) : hanse_type_size(type);
    hanse_column *column = &table->columns[table->n_columns];
    hanse_large *memory = &table->values[table->n_columns++];
    if (!table->has_no_values)
        HANSE_TRY(hanse_large_allocate(memory, n_rows + 1, size_bytes,
                                       table->budget, table->spill,
                                       "result column", error));
    *values = memory->memory;
    *column = (hanse_column){.name = hanse_text_copy(name),
                             .long_name = hanse_text_copy(long_name),
                             .units = hanse_text_copy(units),
                             .cell_methods = hanse_text_copy(cell_methods),
                             .type = type,
                             .values = *values};
    if (table->n_columns > table->view.n_keys)
        table->view.n_columns = table->n_columns - table->view.n_keys;
    if (column->name == NULL ||
        (long_name != NULL && column->long_name == NULL) ||
        (units != NULL && column->units == NULL) ||
        (cell_methods != NULL && column->cell_methods == NULL))
        return hanse_fail_nomem(error, "result column", n_rows * size_bytes);
    return HANSE_OK;
}

hanse_status hanse_result_add_missing(hanse_owned_table *table, uint8_t **flags,
                                      hanse_error *error)
{
    *flags = calloc(table->view.n_rows + 1, 1);
    table->columns[table->n_columns - 1].missing = *flags;
    return *flags != NULL
               ? HANSE_OK
               : hanse_fail_nomem(error, "result column", table->view.n_rows);
}

hanse_status hanse_result_add_texts(hanse_owned_table *table, size_t index,
                                    size_t size_bytes, char **bytes,
                                    hanse_error *error)
{
    *bytes = malloc(size_bytes + 1);
    table->texts[index] = *bytes;
    return *bytes != NULL ? HANSE_OK
                          : hanse_fail_nomem(error, "result texts", size_bytes);
}

double hanse_column_number(const hanse_column *column, size_t row)
{
    if (column == NULL)
        return (double)NAN;
    if (column->type == HANSE_INT64)
        return (double)((const int64_t *)column->values)[row];
    if (column->type == HANSE_UINT64)
        return (double)((const uint64_t *)column->values)[row];
    return ((const double *)column->values)[row];
}

size_t hanse_result_n_tables(const hanse_result *result)
{
    return result->n_tables;
}

const hanse_table *hanse_result_table(const hanse_result *result, size_t index)
{
    return index < result->n_tables ? &result->tables[index].view : NULL;
}

const hanse_table *hanse_result_find(const hanse_result *result,
                                     const char *name)
{
    for (size_t i = 0; i < result->n_tables; i++)
        if (strcmp(result->tables[i].name, name) == 0)
            return &result->tables[i].view;
    return NULL;
}

hanse_row_counts hanse_result_rows(const hanse_result *result)
{
    return result->rows;
}
