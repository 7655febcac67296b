/* SPDX-License-Identifier: Apache-2.0
 *
 * Results: the tables that a hanse_result owns.
 */
#ifndef HANSE_ENGINE_RESULT_H
#define HANSE_ENGINE_RESULT_H

#include "engine/base/memory.h"
#include "engine/hanse.h"
#include "engine/spill.h"

typedef struct hanse_owned_table {
    hanse_table view;      /* its pointers point into what follows */
    hanse_column *columns; /* keys, then statistics */
    size_t n_columns;      /* in use */
    char *name;
    char **texts;         /* arenas of text keys, one per column, or NULL */
    hanse_large *values;  /* of the columns */
    hanse_budget *budget; /* for values; used until the table is complete */
    hanse_spill *spill;
    bool has_no_values; /* of its columns; view.deferred is owned */
} hanse_owned_table;

struct hanse_result {
    hanse_owned_table *tables;
    size_t n_tables;
    hanse_row_counts rows;
    hanse_result *next;      /* others that hold texts of its columns; owned */
    struct hanse_plan *plan; /* of deferred rows; owned; NULL: there are none */
};

hanse_status hanse_result_create(size_t n_tables, hanse_result **out,
                                 hanse_error *error);

/* For a result that may outlive its budget: what it is charged stays so. */
void hanse_result_detach(hanse_result *result);

/* Starts table `index` with room for n_columns columns of n_rows values. These
 * are charged to `budget` and, when it is exhausted, lie in `spill` (both may
 * be NULL). */
hanse_status hanse_result_table_init(hanse_result *result, size_t index,
                                     const char *name, size_t n_rows,
                                     size_t n_keys, size_t n_columns,
                                     hanse_budget *budget, hanse_spill *spill,
                                     hanse_error *error);

/* Takes the only table of another result as table `index`, under a name; the
 * other one then has none. */
void hanse_result_move_table(hanse_result *result, size_t index,
                             hanse_result *from, const char *name);

/* Moves the columns from number `first` behind the keys on to a table of their
 * own, index `index` of another result, which has the same rows, the `count` of
 * the first, and no keys. */
hanse_status hanse_result_split_table(hanse_owned_table *table, size_t first,
                                      hanse_result *to, size_t index,
                                      hanse_error *error);

/* Drops a column of a table, number `index` behind the keys. */
void hanse_result_drop_column(hanse_owned_table *table, size_t index);

/* Makes room for n_more columns behind those of a finished table; charged as
 * above. */
hanse_status hanse_result_table_extend(hanse_owned_table *table, size_t n_more,
                                       hanse_budget *budget, hanse_spill *spill,
                                       hanse_error *error);

/* The next column, in order keys, then statistics. Texts may be NULL and are
 * copied. *values: room for n_rows values (pointers for HANSE_TEXT), zeroed,
 * owned by the result; NULL in a table that has no values. */
hanse_status hanse_result_add_column(hanse_owned_table *table, const char *name,
                                     const char *long_name, const char *units,
                                     const char *cell_methods, hanse_type type,
                                     void **values, hanse_error *error);

/* Flags for the column added last. */
hanse_status hanse_result_add_missing(hanse_owned_table *table, uint8_t **flags,
                                      hanse_error *error);

/* Value of a row of an INT64, UINT64 or FLOAT64 column as float64; NaN where
 * `column` is NULL. */
double hanse_column_number(const hanse_column *column, size_t row);

/* Bytes of texts for the column `index`. */
hanse_status hanse_result_add_texts(hanse_owned_table *table, size_t index,
                                    size_t size_bytes, char **bytes,
                                    hanse_error *error);

#endif
