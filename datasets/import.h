/* SPDX-License-Identifier: Apache-2.0
 *
 * Importing a table: CSV to a group of columns in a new HDF5 file. The CSV is
 * read twice: first types are found, rows counted and texts measured, then
 * rows are converted and written block by block. Memory holds one block.
 */
#ifndef HANSE_DATASETS_IMPORT_H
#define HANSE_DATASETS_IMPORT_H

#include "io/storage.h"

/* Texts of columns that have longer ones are stored with variable length. */
enum {
    HANSE_IMPORT_MAX_WIDTH = 256
};

/* The type that somebody wants a column to have. */
typedef struct hanse_import_choice {
    const char *name;
    hanse_type type;
} hanse_import_choice;

typedef struct hanse_import_options {
    char delimiter; /* 0: a comma */
    char decimal;   /* 0: a point */
    bool no_header; /* columns are called c1, c2, ... */
    bool latin1;    /* the file is ISO 8859-1, else UTF-8 */
    const hanse_import_choice *choices;
    size_t n_choices;
    const char *const *missing; /* what stands for no value, besides nothing at
                                 * all in numbers and booleans */
    size_t n_missing;
    const char *table; /* NULL: /enterprises */
    hanse_storage storage;
    size_t n_threads; /* that encode chunks; 0: as OpenMP decides */
    bool replace;     /* an existing file, otherwise an error */
} hanse_import_options;

/* What became of a column. */
typedef struct hanse_import_result {
    char *name;
    hanse_type type;
    size_t width; /* bytes of a text of fixed length; 0: it is variable */
    uint64_t n_missing;
    /* The first value that made a text of a column that began with numbers or
     * booleans: where it is (line 0: there is none) and how it begins. */
    uint64_t line, column;
    char cause[32];
} hanse_import_result;

typedef struct hanse_import_summary {
    uint64_t n_rows;
    uint64_t input_bytes;
    uint64_t file_bytes;
    hanse_import_result *columns;
    size_t n_columns;
} hanse_import_summary;

void hanse_import_summary_clear(hanse_import_summary *summary);

/* Imports the CSV file at `from`, "-" for standard input, into the new file
 * `to`, which appears under its name when it is complete. HANSE_ERR_FORMAT
 * "FILE:LINE:COLUMN: ..." for what is no CSV or not of the type chosen,
 * HANSE_ERR_COLUMN for choices of columns that are not there,
 * HANSE_ERR_ARGUMENT, HANSE_ERR_IO, HANSE_ERR_NOMEM. Clear the summary in any
 * case. */
hanse_status hanse_import_file(const char *from, const char *to,
                               const hanse_import_options *options,
                               hanse_import_summary *summary,
                               hanse_error *error);

#endif
