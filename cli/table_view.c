/* SPDX-License-Identifier: Apache-2.0
 *
 * Selecting columns and sorting rows.
 */
#include "cli/table_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cell_text.h"
#include "engine/base/error.h"

const hanse_column *hanse_table_column(const hanse_table *table,
                                       const char *name)
{
    for (size_t k = 0; k < table->n_keys; k++)
        if (strcmp(table->keys[k].name, name) == 0)
            return &table->keys[k];
    for (size_t i = 0; i < table->n_columns; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

bool hanse_table_is_key(const hanse_table *table, const hanse_column *column)
{
    for (size_t k = 0; k < table->n_keys; k++)
        if (&table->keys[k] == column)
            return true;
    return false;
}

static bool is_shown(const hanse_view *view, const hanse_column *column)
{
    for (size_t i = 0; i < view->n_columns; i++)
        if (view->columns[i] == column)
            return true;
    return false;
}

hanse_status hanse_view_init(hanse_view *view, const hanse_table *table,
                             const char *const *names, size_t n_names,
                             hanse_error *error)
{
    const size_t room = table->n_keys + table->n_columns;
    *view = (hanse_view){.table = table, .n_rows = table->n_rows};
    view->columns = calloc(room + 1, sizeof *view->columns);
    if (view->columns == NULL)
        return hanse_fail_nomem(error, "columns to show", room);
    for (size_t k = 0; k < table->n_keys; k++)
        view->columns[view->n_columns++] = &table->keys[k];
    for (size_t i = 0; i < n_names; i++) {
        const hanse_column *column = hanse_table_column(table, names[i]);
        if (column != NULL && !is_shown(view, column))
            view->columns[view->n_columns++] = column;
    }
    for (size_t i = 0; i < table->n_columns && n_names == 0; i++)
        view->columns[view->n_columns++] = &table->columns[i];
    return HANSE_OK;
}

void hanse_view_clear(hanse_view *view)
{
    free(view->columns);
    free(view->order);
    *view = (hanse_view){0};
}

/* ---- Sorting ------------------------------------------------------------ */

typedef struct sort_context {
    const hanse_column *column;
    bool descending;
} sort_context;

static bool has_no_value(const hanse_column *column, size_t row)
{
    if (column->missing != NULL && column->missing[row])
        return true;
    return (column->type == HANSE_FLOAT32 || column->type == HANSE_FLOAT64) &&
           isnan(hanse_column_float(column, row));
}

static int compare_values(const hanse_column *column, size_t a, size_t b)
{
    if (column->type == HANSE_TEXT) {
        const char *const *texts = column->values;
        return strcmp(texts[a], texts[b]);
    }
    if (column->type == HANSE_FLOAT32 || column->type == HANSE_FLOAT64) {
        const double x = hanse_column_float(column, a);
        const double y = hanse_column_float(column, b);
        return (x > y) - (x < y);
    }
    const int64_t x = hanse_column_integer(column, a);
    const int64_t y = hanse_column_integer(column, b);
    if (column->type == HANSE_UINT64)
        return ((uint64_t)x > (uint64_t)y) - ((uint64_t)x < (uint64_t)y);
    return (x > y) - (x < y);
}

static int compare_rows(const void *left, const void *right, void *context)
{
    const sort_context *sort = context;
    const size_t a = *(const size_t *)left, b = *(const size_t *)right;
    const bool a_last = has_no_value(sort->column, a);
    const bool b_last = has_no_value(sort->column, b);
    int order = a_last - b_last;
    if (!a_last && !b_last) {
        order = compare_values(sort->column, a, b);
        if (sort->descending)
            order = (order < 0) - (order > 0);
    }
    return order != 0 ? order : (a > b) - (a < b);
}

hanse_status hanse_view_sort(hanse_view *view, const hanse_column *column,
                             bool descending, hanse_error *error)
{
    const size_t n_rows = view->table->n_rows;
    sort_context sort = {column, descending};
    size_t *order = calloc(n_rows + 1, sizeof *order);
    if (order == NULL)
        return hanse_fail_nomem(error, "order of rows", n_rows * sizeof *order);
    for (size_t i = 0; i < n_rows; i++)
        order[i] = i;
    qsort_r(order, n_rows, sizeof *order, compare_rows, &sort);
    free(view->order);
    view->order = order;
    return HANSE_OK;
}
