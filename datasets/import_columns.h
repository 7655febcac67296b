/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns of a table that is imported: their types, from the values or from
 * the options, and values in these types.
 */
#ifndef HANSE_DATASETS_IMPORT_COLUMNS_H
#define HANSE_DATASETS_IMPORT_COLUMNS_H

#include "datasets/import.h"
#include "io/csv.h"

typedef struct hanse_import_column {
    const char *name;  /* in the reader */
    bool chosen;       /* the type is, by an option */
    bool variable;     /* text of variable length */
    hanse_type type;   /* final when chosen, else after the first pass */
    size_t width;      /* bytes of the longest text */
    size_t size_bytes; /* of a stored value; of a pointer for variable text */

    /* What the first pass saw. */
    bool may_be_number, may_be_bool;
    bool has_decimal, has_negative, beyond_int64, beyond_uint64;
    uint64_t n_values;
    uint64_t n_tokens;     /* fields that are one of options->missing */
    uint64_t n_blank;      /* others that are missing unless they are text */
    uint64_t low_seen;     /* bit i: the least value of the type + i occurs */
    uint64_t high_seen;    /* bit i: its greatest value - i does */
    uint64_t line, column; /* see hanse_import_result */
    char cause[32];

    /* What stands for a missing value; unused when none is. */
    int64_t fill;
    const char *fill_text;
} hanse_import_column;

typedef struct hanse_import_columns {
    const hanse_import_options *options;
    hanse_import_column *columns;
    size_t n_columns;
    uint64_t n_rows;
} hanse_import_columns;

/* A column for each of the header's names, which are checked, with the types
 * that were chosen. Clear in any case. */
hanse_status hanse_import_columns_init(hanse_import_columns *columns,
                                       const hanse_import_options *options,
                                       const hanse_csv *csv,
                                       hanse_error *error);
void hanse_import_columns_clear(hanse_import_columns *columns);

/* The first pass. Then every column has its type, its width and, where values
 * are missing, its code for them. */
hanse_status hanse_import_columns_find(hanse_import_columns *columns,
                                       hanse_csv *csv, hanse_error *error);

/* Fields without a value in a column of the type. */
uint64_t hanse_import_n_missing(const hanse_import_column *column);

/* ---- Values (import_value.c) --------------------------------------------- */

/* A field without the blanks around it. */
typedef struct hanse_import_text {
    const char *text;
    size_t n;
} hanse_import_text;
hanse_import_text hanse_import_trim(const hanse_csv_field *field);

/* Whether a text is one of those that stand for no value. */
bool hanse_import_is_token(const hanse_import_options *options,
                           const char *text, size_t n);

/* true, false in any case; with `loose` also yes, no, 1, 0. */
bool hanse_import_bool(hanse_import_text text, bool loose, bool *out);

int64_t hanse_import_least(hanse_type type);     /* of a signed type */
uint64_t hanse_import_greatest(hanse_type type); /* of an integer type */

/* A field as a stored value of a column, size_bytes at `cell`; a text of
 * variable length as a pointer from malloc. HANSE_ERR_FORMAT when it is none.
 */
hanse_status hanse_import_convert(const hanse_import_columns *columns,
                                  const hanse_import_column *column,
                                  const hanse_csv *csv,
                                  const hanse_csv_field *field, void *cell,
                                  hanse_error *error);

#endif
