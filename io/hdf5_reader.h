/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the HDF5 source: its parts, and the reader that fetches their bytes
 * through the HDF5 library.
 */
#ifndef HANSE_IO_HDF5_READER_H
#define HANSE_IO_HDF5_READER_H

#include "io/hdf5_source.h"
#include "io/hdf5_table.h"

/* The rows of one file. */
typedef struct hanse_hdf5_part {
    hanse_hdf5_table table;
    uint64_t first_row;            /* in the whole table */
    size_t first_morsel;           /* in the whole table */
    size_t n_morsels;              /* of this file */
    uint64_t morsel_rows;          /* of each, the last may have fewer */
    size_t *columns;               /* [field] column of the table */
    hanse_column_storage *storage; /* [field] */
} hanse_hdf5_part;

typedef struct hanse_hdf5_source {
    hanse_source base;
    hanse_hdf5_part *parts;
    size_t n_parts;
    hanse_field *fields; /* names and texts lie in the first part's table */
    hanse_schema schema;
    uint64_t n_rows;
    size_t n_morsels;
    bool library_only;
} hanse_hdf5_source;

/* The three operations of a source that concern readers. */
hanse_status hanse_hdf5_reader_open(hanse_source *source, hanse_reader **out,
                                    hanse_error *error);
hanse_status hanse_hdf5_reader_read(hanse_reader *reader, size_t morsel,
                                    const size_t *fields, size_t n_fields,
                                    hanse_morsel *out, hanse_error *error);
void hanse_hdf5_reader_close(hanse_reader *reader);

#endif
