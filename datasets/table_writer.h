/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing a generated table: a group of 1-D datasets whose rows come from a
 * function, made and encoded by several threads. The bytes of the file do not
 * depend on the number of threads.
 */
#ifndef HANSE_DATASETS_TABLE_WRITER_H
#define HANSE_DATASETS_TABLE_WRITER_H

#include <hdf5.h>

#include "io/atomic_file.h"
#include "io/descriptor_driver.h"
#include "io/storage.h"

enum {
    HANSE_MAX_GENERATED_COLUMNS = 16
};

/* A table whose rows can be made in any order. */
typedef struct hanse_row_maker {
    const char *path;          /* of the group */
    const hanse_field *fields; /* integers with labels become enums */
    size_t n_fields;           /* up to HANSE_MAX_GENERATED_COLUMNS */
    uint64_t n_rows;
    const void *context;

    /* Working memory for one thread; both NULL: none needed. */
    hanse_status (*open)(const void *context, void **scratch,
                         hanse_error *error);
    void (*close)(void *scratch);

    /* Rows first to first + n - 1, one array of n values per field. */
    void (*fill)(const void *context, void *scratch, uint64_t first, size_t n,
                 void *const *columns);
} hanse_row_maker;

/* Where a table goes. */
typedef struct hanse_table_target {
    hid_t file; /* of the driver in io/descriptor_driver.h */
    hanse_descriptor_target *target;
    const hanse_atomic_file *atomic; /* for messages */
    const hanse_storage *storage;
    int n_threads; /* at least 1 */
} hanse_table_target;

/* Addresses of the columns of a contiguous table in the file. */
typedef struct hanse_table_place {
    uint64_t offset[HANSE_MAX_GENERATED_COLUMNS];
} hanse_table_place;

/* Creates group, datasets and attributes. A chunked table is also filled;
 * of a contiguous one the places are stored in `place`, to be filled by
 * hanse_table_fill_contiguous when the file has been closed. */
hanse_status hanse_table_create(const hanse_table_target *target,
                                const hanse_row_maker *maker,
                                hanse_table_place *place, hanse_error *error);

/* Writes the rows of a contiguous table through the descriptor. */
hanse_status hanse_table_fill_contiguous(const hanse_table_target *target,
                                         const hanse_row_maker *maker,
                                         const hanse_table_place *place,
                                         hanse_error *error);

#endif
