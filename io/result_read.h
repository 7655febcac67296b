/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the values of one dataset of a result file; used by result_read.c.
 */
#ifndef HANSE_IO_RESULT_READ_H
#define HANSE_IO_RESULT_READ_H

#include <hdf5.h>

#include "engine/hanse.h"
#include "io/arena.h"

/* What the datasets of one file share. */
typedef struct hanse_result_reader {
    const char *path;    /* for messages */
    uint64_t file_bytes; /* no column can have stored more */
    uint64_t text_bytes; /* of labels so far */
    hanse_arena arena;   /* owns all that is read */
} hanse_result_reader;

/* HANSE_ERR_FORMAT: "<path>: table <table>, <column>: <what>; ..." */
hanse_status hanse_result_reader_fail(const hanse_result_reader *reader,
                                      const char *table, const char *column,
                                      const char *what, hanse_error *error);

/* Reads a dataset of rank 0 or 1 as a column (name, type, values and texts
 * from the arena; no `missing`) and its number of rows; *is_scalar tells the
 * rank. Everything the file says is checked before memory is taken. */
hanse_status hanse_result_reader_column(hanse_result_reader *reader,
                                        hid_t dataset, const char *table,
                                        const char *name, hanse_column *column,
                                        size_t *n_rows, bool *is_scalar,
                                        hanse_error *error);

#endif
