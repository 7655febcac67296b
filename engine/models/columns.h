/* SPDX-License-Identifier: Apache-2.0
 *
 * A table with further columns, which are computed from those it has whenever
 * they are read: normalised indicators, scores, awards. A set of columns is
 * computed together, block by block, from formulas over the columns so far,
 * from group numbers and from constants that passes before have found. Their
 * values are float64, NaN where there is none.
 *
 * So every step of a model works on a source as any other, and a pass is a run
 * over it.
 */
#ifndef HANSE_ENGINE_MODELS_COLUMNS_H
#define HANSE_ENGINE_MODELS_COLUMNS_H

#include "engine/models/groups.h"

typedef struct hanse_columns hanse_columns;

/* Over a source, which is borrowed and has a budget. */
hanse_status hanse_columns_create(hanse_source *inner, hanse_columns **out,
                                  hanse_error *error);
void hanse_columns_destroy(hanse_columns *columns);

/* The table with all columns added so far. Borrowed; it must have no open
 * reader while columns are added. */
hanse_source *hanse_columns_source(hanse_columns *columns);

/* What a set of columns is computed from, for n <= HANSE_BLOCK_ROWS rows. */
typedef struct hanse_rows {
    size_t n;
    uint64_t first_row;            /* number of row 0 in the table */
    const double *const *numbers;  /* [formula][row], NaN: missing */
    const uint32_t *const *groups; /* [grouping][row] */
} hanse_rows;

/* out[column][row]. Called on several threads at a time. */
typedef void hanse_rows_fill(const void *context, const hanse_rows *rows,
                             double *const *out);

/* A set of columns. Everything but the functions and objects pointed to by
 * `context` and `groups`, which are borrowed until the columns are destroyed,
 * is copied. */
typedef struct hanse_column_set {
    const char *const *names; /* in no table yet, any bytes */
    size_t n_columns;
    const char *const *formulas; /* give numbers */
    size_t n_formulas;
    const char *what; /* begins messages about the formulas */
    const hanse_groups *const *groups;
    size_t n_groups;
    hanse_rows_fill *fill;
    const void *context;
} hanse_column_set;

/* HANSE_ERR_SPEC when a name is taken; HANSE_ERR_FORMULA, HANSE_ERR_COLUMN and
 * HANSE_ERR_TYPE as hanse_formula_compile. */
hanse_status hanse_columns_add(hanse_columns *columns,
                               const hanse_column_set *set, hanse_error *error);

/* A column whose values are an array over all rows of the table, borrowed. */
hanse_status hanse_columns_add_array(hanse_columns *columns, const char *name,
                                     const double *values, hanse_error *error);

/* The units of a column that was added, borrowed until the columns are
 * destroyed; NULL: unknown. */
void hanse_columns_set_units(hanse_columns *columns, const char *name,
                             const char *units);

/* Values of n formulas for all rows of the table, out[formula][row], on all
 * threads. `what` begins messages about the formulas. */
hanse_status hanse_columns_collect(hanse_columns *columns,
                                   const char *const *formulas, size_t n,
                                   const char *what,
                                   const hanse_run_options *options,
                                   double *const *out, hanse_error *error);

#endif
