/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the HDF5 source: its parts, and the reader that fetches their values,
 * by map or, where that cannot be, from whoever opened the file with the HDF5
 * library (io/map_client.h).
 */
#ifndef HANSE_IO_HDF5_READER_H
#define HANSE_IO_HDF5_READER_H

#include "io/client_pool.h"
#include "io/hdf5_source.h"
#include "io/hdf5_table.h"

/* The rows of one file. */
typedef struct hanse_hdf5_part {
    hanse_map_client *client;
    hanse_hdf5_table table;
    uint64_t first_row;  /* in the whole table */
    size_t first_morsel; /* in the whole table */
    size_t n_morsels;    /* of this file */
    /* Rows that cut no chunk and go to one thread, and the morsels they are
     * read in: so many of morsel_rows each, the last may have fewer. */
    uint64_t span_rows;
    size_t span_morsels;
    uint64_t morsel_rows;
    size_t *columns;                /* [field] column of the table */
    hanse_column_storage *storage;  /* [field] */
    bool is_mapped;                 /* read from mapped pages where it suits */
    struct hanse_foreign **foreign; /* [column] that lies in other files, once
                                       it was read; NULL: none was */
} hanse_hdf5_part;

typedef struct hanse_hdf5_source {
    hanse_source base;
    hanse_hdf5_part *parts;
    size_t n_parts;
    hanse_client_pool own_pool;    /* of the parts' clients, ... */
    hanse_client_pool *pool;       /* ... or that of another source */
    pthread_mutex_t foreign_mutex; /* of what parts have of other files */
    size_t n_readers;              /* open; atomic */
    hanse_field *fields; /* names and texts lie in the first part's table */
    hanse_schema schema;
    uint64_t n_rows;
    size_t n_morsels;
    bool library_only;
    bool is_trusted;
    char confinement[48];           /* of whoever opens the files */
    struct hanse_read_ahead *ahead; /* NULL: none wanted */
} hanse_hdf5_source;

/* Some rows of one file. */
typedef struct hanse_row_range {
    const hanse_hdf5_part *part;
    uint64_t first; /* in the file */
    size_t n;       /* at least 1 */
} hanse_row_range;

/* The rows of a morsel of a part. */
static inline hanse_row_range
hanse_hdf5_morsel_rows(const hanse_hdf5_part *part, size_t morsel)
{
    const size_t index = morsel - part->first_morsel;
    const uint64_t span = index / part->span_morsels * part->span_rows;
    const uint64_t within = index % part->span_morsels * part->morsel_rows;
    const uint64_t in_file = part->table.n_rows - span;
    const uint64_t in_span =
        in_file < part->span_rows ? in_file : part->span_rows;
    const uint64_t left = in_span - within;
    return (hanse_row_range){
        .part = part,
        .first = span + within,
        .n = (size_t)(left < part->morsel_rows ? left : part->morsel_rows)};
}

static inline const hanse_hdf5_column *
hanse_hdf5_range_column(const hanse_row_range *rows, size_t field)
{
    return &rows->part->table.columns[rows->part->columns[field]];
}

/* Opens a single dataset of a file as a source of one column, for one that lies
 * in other files; it uses the pool and the budget of `parent`. */
hanse_status hanse_hdf5_source_open_column(const hanse_hdf5_source *parent,
                                           const char *file,
                                           const char *dataset,
                                           hanse_source **out,
                                           hanse_error *error);

/* Values of such a source, by a reader of it: n from row `first` on, as stored
 * but in the machine's byte order. */
hanse_status hanse_hdf5_reader_values(hanse_reader *reader, uint64_t first,
                                      size_t n, void *out, hanse_error *error);

/* The part that holds a morsel: the last that starts at or before it and is
 * not empty. */
const hanse_hdf5_part *hanse_hdf5_find_part(const hanse_hdf5_source *source,
                                            size_t morsel);

/* The operations of a source that concern readers. */
hanse_status hanse_hdf5_reader_open(hanse_source *source, hanse_reader **out,
                                    hanse_error *error);
hanse_status hanse_hdf5_reader_read(hanse_reader *reader, size_t morsel,
                                    const size_t *fields, size_t n_fields,
                                    hanse_morsel *out, hanse_error *error);
hanse_status hanse_hdf5_reader_finish(hanse_reader *reader, hanse_error *error);
void hanse_hdf5_reader_close(hanse_reader *reader);

#endif
