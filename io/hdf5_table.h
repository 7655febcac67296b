/* SPDX-License-Identifier: Apache-2.0
 *
 * One table of one file, described: columns, how each is stored, and what
 * cannot be used. Holds no handle of the HDF5 library, so that whoever reads
 * the bytes is free in how.
 */
#ifndef HANSE_IO_HDF5_TABLE_H
#define HANSE_IO_HDF5_TABLE_H

#include "io/dataset_map.h"
#include "io/hdf5_layout.h"
#include "io/hdf5_missing.h"
#include "io/recording_driver.h"

typedef struct hanse_hdf5_column {
    char *name;
    char *units;     /* NULL when unknown */
    char *long_name; /* NULL when unknown */
    hanse_hdf5_type type;
    hanse_missing_codes missing;
    char *missing_text;   /* "NaN", "-1", "" */
    size_t member;        /* compound: number of the member */
    size_t member_offset; /* compound: bytes before it in a stored row */
    /* The dataset's; for members of a compound that of the whole, without
     * stored_bytes, which nobody can divide. */
    hanse_hdf5_layout layout;
} hanse_hdf5_column;

/* A column, or something in its place, that cannot be used, and why. */
typedef struct hanse_hdf5_refusal {
    char *name;
    char *reason;
} hanse_hdf5_refusal;

typedef struct hanse_hdf5_table {
    char *file;
    char *path;
    hanse_file_stamp stamp;
    bool is_compound; /* one dataset whose members are the columns */
    bool is_single;   /* only one column of its group was asked for */
    uint64_t n_rows;
    size_t row_bytes; /* compound: size of a stored row */
    uint64_t stored_bytes;
    uint64_t raw_bytes;
    hanse_hdf5_column *columns;
    size_t n_columns;
    hanse_hdf5_refusal *refusals;
    size_t n_refusals;
    /* Where the bytes lie, column by column (a compound has one map for all).
     * Recorded one by one when a column is first read, by
     * hanse_hdf5_table_record: a job uses few of the columns. */
    hanse_dataset_map *maps;
    size_t n_maps;
} hanse_hdf5_table;

/* Describes the table at `path` of an open file. HANSE_ERR_SPEC: no such
 * object or not a table; HANSE_ERR_FORMAT: columns of unequal length, no
 * usable column, damaged; HANSE_ERR_NOMEM. Messages do not name the file.
 * Columns come in the order of creation where the file keeps it, else by
 * name; members in their own. Clear with hanse_hdf5_table_clear. */
hanse_status hanse_hdf5_table_describe(hid_t file,
                                       const hanse_file_facts *facts,
                                       const char *path, hanse_hdf5_table *out,
                                       hanse_error *error);

/* The same for a single dataset that is no compound, as a table of one column.
 */
hanse_status hanse_hdf5_table_describe_dataset(hid_t file,
                                               const hanse_file_facts *facts,
                                               const char *path,
                                               hanse_hdf5_table *out,
                                               hanse_error *error);
void hanse_hdf5_table_clear(hanse_hdf5_table *table);

/* Number of the map of a column. */
static inline size_t hanse_hdf5_table_map(const hanse_hdf5_table *table,
                                          size_t column)
{
    return table->is_compound ? 0 : column;
}

/* Records the map of a column of a described table; nothing is done when that
 * is already there. The file is open with the recording driver. */
hanse_status hanse_hdf5_table_record(hid_t file, hanse_recording *recording,
                                     hanse_hdf5_table *table, size_t column,
                                     hanse_error *error);

/* Column of that name, NULL when there is none; and the reason why one cannot
 * be used, NULL when it is not among the refusals. */
const hanse_hdf5_column *hanse_hdf5_table_find(const hanse_hdf5_table *table,
                                               const char *name);
const char *hanse_hdf5_table_reason(const hanse_hdf5_table *table,
                                    const char *name);

#endif
