/* SPDX-License-Identifier: Apache-2.0
 *
 * A view of a result table: which of its columns and rows are shown, in which
 * order. The table is borrowed.
 */
#ifndef HANSE_CLI_TABLE_VIEW_H
#define HANSE_CLI_TABLE_VIEW_H

#include "engine/hanse.h"

/* Initialise with hanse_view_init, free with hanse_view_clear. */
typedef struct hanse_view {
    const hanse_table *table;
    const hanse_column **columns; /* keys first */
    size_t n_columns;
    size_t *order; /* rows of the table; NULL: as they are */
    size_t n_rows; /* shown, at most the table's */
} hanse_view;

/* Row of the table that the view shows as row i. */
static inline size_t hanse_view_row(const hanse_view *view, size_t i)
{
    return view->order != NULL ? view->order[i] : i;
}

/* The column or key of that name; NULL when the table has none. */
const hanse_column *hanse_table_column(const hanse_table *table,
                                       const char *name);

/* Whether a column of the table is one of its keys. */
bool hanse_table_is_key(const hanse_table *table, const hanse_column *column);

/* Keys, then the named columns in that order (none: all of them); names that
 * the table lacks are left out. All rows in the table's order. */
hanse_status hanse_view_init(hanse_view *view, const hanse_table *table,
                             const char *const *names, size_t n_names,
                             hanse_error *error);

/* Sorts the rows by a column of the table, shown or not; equal ones keep
 * their order, missing keys and NaN come last in both directions. */
hanse_status hanse_view_sort(hanse_view *view, const hanse_column *column,
                             bool descending, hanse_error *error);

/* Accepts a view of zeros. */
void hanse_view_clear(hanse_view *view);

#endif
